"""Coordinates in cells: WGS 84 degrees or VN-2000 metres, axes either way round, the zone found by where it falls.

A sheet rarely says its system, and in Vietnamese survey files X is the northing. So every reading that the numbers
allow is tried, and those that fall in the ward's window count. Metres are a proposal that a person confirms on a map:
two neighbouring zones lie 26 km apart, which a window of a few kilometres tells, but an old local grid may look right.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ingest.values import Alternative, Cell, Problem, Reading, nothing, raw_text, tidy

if TYPE_CHECKING:
    from pyproj import Transformer

DA_NANG = 5899
VN2000 = (
    DA_NANG, 5897, 5898, 9205, 9206, 9207, 9208, 9209, 9210, 9211, 9212, 9213, 9214, 9215, 9216, 9217, 9218, 3405, 3406,
)  # fmt: skip
"""EPSG codes of VN-2000, Đà Nẵng's own zone first: TM-3 zones of the provinces, then the 6° zones."""
_UTM = (32648, 32649)
_WIDE = (3405, 3406, *_UTM)
"""Zones of 6°; those of 3° reach some 160 km from their middle, and nobody draws with them beyond."""
_VIETNAM = (102.0, 7.0, 118.0, 24.0)

_DMS = re.compile(
    r"""(?P<before>[NSEWB\u0110D])?\s*(?P<degrees>\d{1,3}(?:[.,]\d+)?)\s*[°ºo\u02da\u00b0d*]\s*
    (?:(?P<minutes>\d{1,2}(?:[.,]\d+)?)\s*['’′`]?\s*)?(?:(?P<seconds>\d{1,2}(?:[.,]\d+)?)\s*(?:["”″]|'')?\s*)?
    (?P<after>[NSEWB\u0110D])?""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Window:
    """West, south, east, north in degrees: where the places of a file should lie."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, lon: float, lat: float, around: float = 0.0) -> bool:
        """Whether a point is inside, or not more than so many degrees outside."""
        inside = self.west - around <= lon <= self.east + around
        return inside and self.south - around <= lat <= self.north + around


HOA_CUONG = Window(108.1888, 16.0213, 108.2358, 16.0647)
NEAR_DEGREES = 0.02


@dataclass(frozen=True, slots=True)
class Position:
    """A point in WGS 84, and how it was read. `swapped`: the first value was the easting or longitude."""

    lon: float
    lat: float
    epsg: int
    swapped: bool


def read_point(first: Cell, second: Cell = None, window: Window = HOA_CUONG) -> Reading[Position]:
    """The point that one cell ("16.05, 108.22") or two state, in whatever system puts it into the window.

    `first` is X or latitude by custom, `second` Y or longitude; either order is understood.
    """
    raw = raw_text(first) if second is None else f"{raw_text(first)} | {raw_text(second)}"
    empty = nothing(first)
    if empty is not None and nothing(second) is not None:
        return Reading(raw, problems=empty.problems)
    pair = _pair(first, second)
    if pair is None:
        return Reading(raw, problems=(Problem("not_coordinates"),))
    one, other, comma = pair
    if one == 0 and other == 0:
        return Reading(raw, problems=(Problem("zero_coordinates"),))
    found = _candidates(one, other)
    inside = [each for each in found if window.holds(each.lon, each.lat)]
    near = [each for each in found if window.holds(each.lon, each.lat, NEAR_DEGREES)]
    chosen = inside or near
    problems = [Problem("comma_for_decimals")] if comma else []
    if not chosen:
        return _elsewhere(raw, found, problems)
    best = chosen[0]
    if best.swapped:
        problems.append(Problem("axes_swapped"))
    if not inside:
        problems.append(Problem("outside_window"))
    metres = best.epsg != 4326
    if metres:
        problems.append(Problem("system_assumed", (("epsg", str(best.epsg)),)))
    confidence = (0.7 if metres else 1.0) - 0.05 * best.swapped - 0.3 * (not inside) - 0.1 * (len(chosen) > 1)
    others = tuple(Alternative(each, 0.3) for each in chosen[1:4])
    return Reading(raw, best, round(max(confidence, 0.1), 2), tuple(problems), others)


def _elsewhere(raw: str, found: Sequence[Position], problems: list[Problem]) -> Reading[Position]:
    """Degrees that fall into Vietnam stay as a doubtful value; metres could be anywhere."""
    west, south, east, north = _VIETNAM
    degrees = [each for each in found if each.epsg == 4326 and west <= each.lon <= east and south <= each.lat <= north]
    problems = [*problems, Problem("outside_window")]
    if not degrees:
        return Reading(raw, problems=tuple(problems))
    if degrees[0].swapped:
        problems.append(Problem("axes_swapped"))
    return Reading(raw, degrees[0], 0.3, tuple(problems))


def _candidates(one: float, other: float) -> list[Position]:
    """All points that two numbers may mean: degrees, then metres in each zone; the customary order first."""
    found = []
    if abs(one) <= 180 and abs(other) <= 180:
        found += [Position(lon, lat, 4326, swapped) for lat, lon, swapped in ((one, other, False), (other, one, True))
                  if abs(lat) <= 90]  # fmt: skip
        return found
    for epsg in (*VN2000, *_UTM):
        for north, east, swapped in ((one, other, False), (other, one, True)):
            half = 450_000 if epsg in _WIDE else 200_000
            if 800_000 <= north <= 2_700_000 and abs(east - 500_000) <= half:
                lon, lat = _to_degrees(epsg).transform(east, north)
                if math.isfinite(lon) and math.isfinite(lat):
                    found.append(Position(round(lon, 7), round(lat, 7), epsg, swapped))
    return found


@cache
def _to_degrees(epsg: int) -> "Transformer":
    # Imported here: PROJ takes ten megabytes of every process, and few lists have projected coordinates.
    from pyproj import Transformer

    return Transformer.from_crs(epsg, 4326, always_xy=True)


def _pair(first: Cell, second: Cell) -> tuple[float, float, bool] | None:
    if nothing(second) is None:
        return _both(_number(first), _number(second))
    return _from_text(tidy(first))


def _from_text(text: str) -> tuple[float, float, bool] | None:
    """Two numbers in one cell: "16.05, 108.22", "16,05; 108,22", 16°02'30"N 108°13'10"E."""
    if len(marked := [match for match in _DMS.finditer(text) if _has_degrees(match)]) == 2:
        one, other = (_degrees(match) for match in marked)
        return one, other, False
    parts = [part for part in re.split(r"[;|\n\t]|,\s+|\s+", text) if part.strip(" ,()[]")]
    if len(parts) == 1 and text.count(",") == 1:
        parts = text.split(",")
    if len(parts) == 1 and text.count(",") == 3:
        # "16,05,108,22": decimal commas all through.
        whole = text.split(",")
        parts = [f"{whole[0]}.{whole[1]}", f"{whole[2]}.{whole[3]}"]
    if len(parts) != 2:
        return None
    return _both(_number(parts[0].strip(" ,()[]")), _number(parts[1].strip(" ,()[]")))


def _both(one: tuple[float, bool] | None, other: tuple[float, bool] | None) -> tuple[float, float, bool] | None:
    return None if one is None or other is None else (one[0], other[0], one[1] or other[1])


def _number(cell: Cell) -> tuple[float, bool] | None:
    """A number, and whether a comma stood before its decimals."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return (float(cell), False) if math.isfinite(cell) else None
    text = tidy(cell)
    if (match := _DMS.fullmatch(text)) and _has_degrees(match):
        return _degrees(match), False
    text = re.sub(r"^[XYNEB\u0110]\s*[=:]?\s*|\s*m$", "", text, flags=re.IGNORECASE).replace(" ", "")
    if re.fullmatch(r"-?\d{1,3}(?:[.,]\d{3}){2,}|-?\d{1,3}(?:,\d{3})+\.\d+|-?\d{1,3}(?:\.\d{3})+,\d+", text):
        # Grouped metres: 1.774.837, 1,774,837.19 or 1.774.837,19. Degrees have at most three digits and decimals.
        groups = re.split(r"[.,]", text)
        grouped = len(set(re.findall(r"[.,]", text))) == 1
        text = "".join(groups) if grouped else f"{''.join(groups[:-1])}.{groups[-1]}"
        return float(text), not grouped
    if re.fullmatch(r"-?\d+(?:[.,]\d+)?", text):
        return float(text.replace(",", ".")), "," in text
    return None


def _has_degrees(match: re.Match[str]) -> bool:
    return any(sign in match[0] for sign in "°º˚od*OD") or match["minutes"] is not None


def _degrees(match: re.Match[str]) -> float:
    whole, minutes, seconds = (
        float((match[part] or "0").replace(",", ".")) for part in ("degrees", "minutes", "seconds")
    )
    value = whole + minutes / 60 + seconds / 3600
    return -value if (match["before"] or match["after"] or "").upper() in ("S", "W") else value
