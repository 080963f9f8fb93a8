"""Spots along the ways where a business can stand, and the choice among them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import NamedTuple

import shapely
from shapely.geometry import LineString

from ingest.demo.ground import Ground, Point, RoadLine
from ingest.demo.ways import TIER_OF_KIND, Way, street_name

_STEP_M = 6.2
"""Of frontage for one place."""


class Tier(NamedTuple):
    """What it is like to have a shop on such a way."""

    near: float
    """Metres from the line to the shop front, at least."""
    far: float
    clearance: float
    """Metres that shops of other ways keep from its line."""
    demand: float
    """How likely a spot is taken, against the other tiers."""
    standing: float
    """From a back lane (0) to a main road (1): which businesses come here."""


TIERS = {
    "trunk": Tier(9, 12, 8, 1.1, 1.0),
    "main": Tier(7, 11, 6.5, 1.5, 1.0),
    "collector": Tier(6.5, 10, 6, 1.0, 0.8),
    "street": Tier(4.5, 8, 4, 0.75, 0.5),
    "alley": Tier(4, 5.5, 3, 0.42, 0.2),
    "lane": Tier(4, 5.5, 3, 0.3, 0.15),
    "branch": Tier(4, 5, 3, 0.17, 0.0),
}
_PATH_CLEARANCE_M = 3.0
_OTHER_CARRIAGEWAY_M = 42.0
_ELBOW_ROOM_M = 3.2
_ROOM_M2 = 150.0
_HOT_SPOTS = 16
_HOT_RADIUS_M = 170.0
_CELL_M = 45.0
"""Busy and quiet change from one cell of the ground, and one stretch of a street, to the next."""


@dataclass(slots=True)
class Spot:
    """A shop front: where it is (metres), and on which side of which way."""

    x: float
    y: float
    way: Way | None = None
    along: float = 0.0
    """Metres from where the way's house numbers begin."""
    side: int = 1
    """1 on the left of the way's direction, -1 on the right."""
    out: Point = (0.0, 0.0)
    """The unit vector away from the way."""
    house_number: str | None = None

    @property
    def standing(self) -> float:
        """How main the road is, 0 to 1."""
        return TIERS[self.way.tier].standing if self.way else 0.4


def find_spots(ground: Ground, ways: Sequence[Way], rng: Random) -> list[Spot]:
    """All spots along the ways that lie in the built-up ground and not on another road or between two carriageways."""
    spots = [spot for way in ways for spot in _along(way, rng)]
    if not spots:
        return []
    inside = shapely.contains_xy(ground.built_up, [(spot.x, spot.y) for spot in spots]).tolist()
    refused = _on_a_road(ground, ways, spots) | _between_carriageways(ground, spots)
    room = _ElbowRoom()
    return [
        spot for index, spot in enumerate(spots) if inside[index] and index not in refused and room.take(spot.x, spot.y)
    ]


def choose_spots(ground: Ground, spots: Sequence[Spot], count: int, rng: Random) -> list[Spot]:
    """`count` of the spots, more on busier ways and around a few centres; what they fall short of, anywhere."""
    centres = rng.choices(spots, [TIERS[_tier(spot)].demand for spot in spots], k=_HOT_SPOTS) if spots else []
    bustle: dict[tuple[int, int], float] = {}
    moods: dict[tuple[int, int], float] = {}
    keyed = []
    for index, spot in enumerate(spots):
        cell = (int(spot.x // _CELL_M), int(spot.y // _CELL_M))
        if cell not in bustle:
            bustle[cell] = sum(_nearness(spot, centre) for centre in centres)
        stretch = (id(spot.way), int(spot.along // _CELL_M))
        if stretch not in moods:
            moods[stretch] = rng.uniform(0.25, 1.75)
        weight = TIERS[_tier(spot)].demand * moods[stretch] * (0.55 + min(bustle[cell], 2.0))
        # Efraimidis and Spirakis: the largest keys are a weighted sample without replacement.
        keyed.append((math.log(1 - rng.random()) / weight, index))
    chosen = [spots[index] for _, index in sorted(keyed, reverse=True)[:count]]
    return chosen + _anywhere(ground, count - len(chosen), rng)


def _nearness(spot: Spot, centre: Spot) -> float:
    return math.exp(-((spot.x - centre.x) ** 2 + (spot.y - centre.y) ** 2) / (2 * _HOT_RADIUS_M**2))


def _tier(spot: Spot) -> str:
    return spot.way.tier if spot.way else "street"


def _along(way: Way, rng: Random) -> Iterator[Spot]:
    """Spots on both sides of a way, about one for each shop front."""
    tier = TIERS[way.tier]
    for side in (1, -1):
        next_at, walked = rng.uniform(0, _STEP_M), 0.0
        for (x0, y0), (x1, y1) in pairwise(way.points):
            length = math.hypot(x1 - x0, y1 - y0)
            if length == 0:
                continue
            east, north = (x1 - x0) / length, (y1 - y0) / length
            out = (-side * north, side * east)
            while next_at < walked + length:
                x, y = x0 + (next_at - walked) * east, y0 + (next_at - walked) * north
                offset = rng.uniform(tier.near, tier.far)
                along = way.distance_along(x, y, next_at)
                yield Spot(x + offset * out[0], y + offset * out[1], way, along, side, out)
                next_at += _STEP_M * rng.uniform(0.9, 1.3)
            walked += length


def _on_a_road(ground: Ground, ways: Sequence[Way], spots: Sequence[Spot]) -> set[int]:
    """Indices of spots that stand on another road, or on their own where it bends."""
    lines = [road.line for road in ground.roads]
    clearances = [_clearance(road) for road in ground.roads]
    own = {id(way): way.road for way in ways if way.road is not None}
    for way in ways:
        if way.road is None:
            own[id(way)] = len(lines)
            lines.append(LineString(way.points))
            clearances.append(TIERS[way.tier].clearance)
    points = shapely.points([(spot.x, spot.y) for spot in spots])
    tree = shapely.STRtree(lines)
    near, roads = tree.query(points, predicate="dwithin", distance=max(clearances))
    distances = shapely.distance(points[near], tree.geometries[roads])
    found = set()
    for index, road, distance in zip(near.tolist(), roads.tolist(), distances.tolist(), strict=True):
        way = spots[index].way
        least = TIERS[way.tier].near - 0.5 if way and own[id(way)] == road else clearances[road]
        if distance < least:
            found.add(index)
    return found


def _clearance(road: RoadLine) -> float:
    tier = TIER_OF_KIND.get(road.kind)
    return TIERS[tier].clearance if tier else _PATH_CLEARANCE_M


def _between_carriageways(ground: Ground, spots: Sequence[Spot]) -> set[int]:
    """Indices of spots that face another line of their own street: on a divided road that is the median strip."""
    big = [index for index, spot in enumerate(spots) if spot.way and spot.way.tier in ("trunk", "main", "collector")]
    if not big:
        return set()
    sights = [
        LineString([(s.x, s.y), (s.x + s.out[0] * _OTHER_CARRIAGEWAY_M, s.y + s.out[1] * _OTHER_CARRIAGEWAY_M)])
        for s in (spots[index] for index in big)
    ]
    tree = shapely.STRtree([road.line for road in ground.roads])
    seen = tree.query(sights, predicate="intersects")
    found = set()
    for sight, road in zip(*seen.tolist(), strict=True):
        way, other = spots[big[sight]].way, ground.roads[road]
        if way and road != way.road and other.name and street_name(other.name) == way.street:
            found.add(big[sight])
    return found


class _ElbowRoom:
    """Keeps places a few metres apart, first come first served."""

    def __init__(self) -> None:
        self._taken: dict[tuple[int, int], list[Point]] = {}

    def take(self, x: float, y: float) -> bool:
        """Takes the place if nobody stands too near it."""
        column, row = int(x // _ELBOW_ROOM_M), int(y // _ELBOW_ROOM_M)
        for i in (column - 1, column, column + 1):
            for j in (row - 1, row, row + 1):
                for other in self._taken.get((i, j), ()):
                    if math.dist(other, (x, y)) < _ELBOW_ROOM_M:
                        return False
        self._taken.setdefault((column, row), []).append((x, y))
        return True


def _anywhere(ground: Ground, count: int, rng: Random) -> list[Spot]:
    """Spots without a street: in loose clusters on built-up ground, or all over the ward where that is too small."""
    if count <= 0:
        return []
    area = ground.built_up if ground.built_up.area > count * _ROOM_M2 else ground.inside
    west, south, east, north = area.bounds
    centres = [(rng.uniform(west, east), rng.uniform(south, north)) for _ in range(max(8, count // 60))]
    spread = math.sqrt(area.area / len(centres)) / 2
    spots: list[Spot] = []
    while len(spots) < count:
        x, y = rng.choice(centres)
        x, y = rng.gauss(x, spread), rng.gauss(y, spread)
        if shapely.contains_xy(area, x, y):
            spots.append(Spot(x, y))
    return spots
