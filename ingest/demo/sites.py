"""The two model sites: an invented market with its stalls, and a stretch of a real street under an invented name."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry import LineString, Polygon
from shapely.ops import substring

from ingest.demo.ground import Ground, Point, ewkt
from ingest.demo.spots import Spot
from ingest.demo.ways import Way

STALLS_SHARE = 180 / 9500
MARKET_NAME = "Chợ minh họa 1"
STREET_NAME = "Tuyến phố minh họa 1"

_COLUMNS = 15
_PITCH: Point = (4.6, 5.4)
"""Metres from stall to stall, along a row and from row to row."""
_MARGIN_M = 4.0
_STREET_LENGTH_M = 800.0
_STREET_REACH_M = 13.0


@dataclass(frozen=True, slots=True)
class Location:
    """Where a business is: metres, and the address as people write it."""

    x: float
    y: float
    standing: float
    house_number: str | None = None
    street_name: str | None = None
    address: str | None = None
    stall: str | None = None
    model_site_code: str | None = None


@dataclass(frozen=True, slots=True)
class Stall:
    """A stall of the market."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Market:
    """The market's ground and its stalls."""

    ground: Polygon
    stalls: list[Stall]

    def clear(self, spots: Sequence[Spot]) -> list[Spot]:
        """The spots that are not in the market's way."""
        around = self.ground.buffer(3)
        taken = shapely.contains_xy(around, [(spot.x, spot.y) for spot in spots]).tolist()
        return [spot for spot, blocked in zip(spots, taken, strict=True) if not blocked]


@dataclass(frozen=True, slots=True)
class TradingStreet:
    """A stretch of a real street."""

    name: str
    ground: Polygon


def market_code(ward_code: str) -> str:
    """The code of the invented market."""
    return f"{ward_code}-M1"


def street_code(ward_code: str) -> str:
    """The code of the model street."""
    return f"{ward_code}-S1"


def plan_market(ground: Ground, spots: Sequence[Spot], stalls: int, street: TradingStreet | None) -> Market | None:
    """A market for so many stalls, as near to the model street as no road crosses it; None where there is no room."""
    rows = math.ceil(stalls / _COLUMNS)
    width, depth = _COLUMNS * _PITCH[0] + 2 * _MARGIN_M, rows * _PITCH[1] + 2 * _MARGIN_M
    roads = shapely.STRtree([road.line for road in ground.roads])
    centre = (street.ground if street else ground.outline).centroid
    gates = [spot for spot in spots if spot.way and spot.way.tier in ("main", "collector", "street")]
    for gate in sorted(gates, key=lambda gate: math.dist((gate.x, gate.y), (centre.x, centre.y))) if stalls else []:
        plan = _Plan((gate.x, gate.y), gate.out)
        corners = ((-width / 2, 2), (width / 2, 2), (width / 2, 2 + depth), (-width / 2, 2 + depth))
        square = Polygon([plan.at(across, deep) for across, deep in corners])
        if (
            ground.built_up.contains(square)
            and not roads.query(square.buffer(3), predicate="intersects").size
            and not (street and street.ground.intersects(square))
        ):
            return Market(square, list(_stalls(plan, stalls)))
    return None


def plan_street(ground: Ground, ways: Sequence[Way]) -> TradingStreet | None:
    """The middle of the longest second-rank street that is built up along its length; None without streets."""
    built_up = ground.built_up.buffer(1)
    shapely.prepare(built_up)
    best: tuple[int, float, str, LineString] | None = None
    for way in ways:
        if way.street is None or way.numbers != "{}":
            continue
        line = LineString(way.points)
        built = line.intersection(built_up).length
        candidate = (way.tier == "main", built, way.street, line)
        if best is None or candidate[:2] > best[:2]:
            best = candidate
    if best is None or best[1] < 1:
        return None
    name, line = best[2], best[3]
    half, middle = min(_STREET_LENGTH_M, line.length) / 2, line.length / 2
    stretch = substring(line, middle - half, middle + half)
    return TradingStreet(name, stretch.buffer(_STREET_REACH_M, cap_style="flat"))


def locate_stalls(stalls: Sequence[Stall], market: Market | None, ward_code: str) -> list[Location]:
    """The stalls as locations of businesses."""
    if market is None:
        return []
    return [
        Location(
            s.x,
            s.y,
            standing=0.4,
            address=f"{s.label} {MARKET_NAME}",
            stall=s.label,
            model_site_code=market_code(ward_code),
        )
        for s in stalls
    ]


def locate_spots(spots: Sequence[Spot], street: TradingStreet | None, ward_code: str) -> list[Location]:
    """The spots as locations, those on the model street linked to it."""
    points = [(spot.x, spot.y) for spot in spots]
    near = shapely.contains_xy(street.ground, points).tolist() if street and points else [False] * len(points)
    return [
        Location(
            spot.x,
            spot.y,
            spot.standing,
            house_number=spot.house_number,
            street_name=spot.way.street if spot.way else None,
            address=_address(spot),
            model_site_code=street_code(ward_code) if on_street and _faces(spot, street) else None,
        )
        for spot, on_street in zip(spots, near, strict=True)
    ]


def rows(ground: Ground, market: Market | None, street: TradingStreet | None, ward_code: str) -> list[dict[str, Any]]:
    """The model sites as the store takes them."""
    found = []
    if market:
        found.append(_row(ground, market_code(ward_code), ward_code, "market", MARKET_NAME, market.ground))
    if street:
        found.append(_row(ground, street_code(ward_code), ward_code, "street", STREET_NAME, street.ground))
    return found


def _row(ground: Ground, code: str, ward_code: str, kind: str, name: str, shape: Polygon) -> dict[str, Any]:
    return {
        "code": code,
        "ward_code": ward_code,
        "kind": kind,
        "name": name,
        "illustrative": True,
        "ewkt": ewkt(ground.shape_in_degrees(shape)),
    }


def _faces(spot: Spot, street: TradingStreet | None) -> bool:
    return bool(street and spot.way and spot.way.street == street.name and spot.way.numbers == "{}")


def _address(spot: Spot) -> str | None:
    if spot.way is None or spot.way.street is None or spot.house_number is None:
        return None
    return f"{spot.house_number} {spot.way.street}"


@dataclass(frozen=True, slots=True)
class _Plan:
    """A drawing of the market seen from its gate: `across` to the right, `deep` away from the street, in metres."""

    gate: Point
    inward: Point

    def at(self, across: float, deep: float) -> Point:
        (x, y), (east, north) = self.gate, self.inward
        return x + across * north + deep * east, y - across * east + deep * north


def _stalls(plan: _Plan, count: int) -> Iterator[Stall]:
    for index in range(count):
        row, column = divmod(index, _COLUMNS)
        letter = chr(ord("A") + row % 26) * (1 + row // 26)
        across = (column - (_COLUMNS - 1) / 2) * _PITCH[0]
        x, y = plan.at(across, 2 + _MARGIN_M + (row + 0.5) * _PITCH[1])
        yield Stall(x, y, f"Quầy {letter}-{column + 1:02d}")
