"""Ways to trade along: real streets and alleys with what their house numbers look like.

Not every line is one: service roads and footpaths, bridges and the airport's ramps, and unnamed links of big roads have
no shops. They still keep places at a distance.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import shapely
from shapely.geometry import LineString
from shapely.geometry import Point as ShapelyPoint

from ingest.demo.ground import Ground, Point, RoadLine

METRES_PER_NUMBER = 5.5
"""Of frontage on one side: house numbers there go up by two."""

TIER_OF_KIND = {
    "primary": "trunk",
    "secondary": "main",
    "tertiary": "collector",
    "residential": "street",
    "unclassified": "street",
    "alley": "alley",
}
_NUMBERED = ("trunk", "main", "collector", "street")
_ALLEY = re.compile(r"(?:kiệt\s*|k)(?P<number>\d+\w?(?:/\d+\w?)*)(?:\s+(?P<street>\D.*|\d.*))?", re.IGNORECASE)
_SUB_ALLEY = re.compile(r"h[ẻe]m\s*(?P<number>\d+\w?)\s+kiệt\s*(?P<of>\d+\w?)\s+(?P<street>.+)", re.IGNORECASE)


@dataclass(slots=True)
class Way:
    """A line with shops on it, drawn from where its house numbers begin.

    `numbers` is the shape of a house number on it: "{}", "K45/{}", "141/{}". `axis` is where the numbers of a street in
    several pieces start and which way they run; without one they follow the line.
    """

    tier: str
    points: list[Point]
    street: str | None = None
    numbers: str = "{}"
    axis: tuple[Point, Point] | None = None
    road: int | None = field(default=None)
    """Which of the ground's roads it is; None for an invented lane."""

    def distance_along(self, x: float, y: float, walked: float) -> float:
        """How far from the first house number a point is, in metres; `walked` is its distance along the line."""
        if self.axis is None:
            return walked
        (x0, y0), (east, north) = self.axis
        return (x - x0) * east + (y - y0) * north


def number_at(distance: float, side: int) -> int:
    """The house number at a distance in metres: odd on the left (side 1), even on the right (side -1)."""
    return 2 * int(max(distance, 0) / METRES_PER_NUMBER) + (1 if side > 0 else 2)


def real_ways(ground: Ground) -> list[Way]:
    """The real streets and alleys to trade along, in the order of the ground's roads."""
    parsed = [_parse(road) for road in ground.roads]
    by_street: dict[tuple[str, str], list[RoadLine]] = defaultdict(list)
    for road, way in zip(ground.roads, parsed, strict=True):
        if way is not None and way.street is not None:
            by_street[way.street, way.numbers].append(road)
    axes = {key: _axis(roads, by_street.get((key[0], "{}"), [])) for key, roads in by_street.items()}
    ways = []
    for index, way in enumerate(parsed):
        if way is None:
            continue
        way.road = index
        if way.street is not None:
            way.axis = axes[way.street, way.numbers]
            way.points = _along(way.points, way.axis)
        ways.append(way)
    _name_the_unnamed(ways)
    return ways


def street_name(name: str) -> str:
    """A street as people write it in an address: without "Đường", except before a number ("Đường 2 Tháng 9")."""
    first = name.split(" / ")[0].strip()
    rest = first.removeprefix("Đường ").strip()
    return first if not rest or rest[0].isdigit() else rest


def _parse(road: RoadLine) -> Way | None:
    if not road.is_for_trade:
        return None
    tier = TIER_OF_KIND[road.kind]
    points = [(x, y) for x, y, *_ in road.line.coords]
    if road.name is None:
        return Way("alley", points) if tier in ("street", "alley") else None
    if found := _SUB_ALLEY.fullmatch(road.name):
        return Way("alley", points, street_name(found["street"]), f"H{found['number']}/{{}} K{found['of']}")
    if found := _ALLEY.fullmatch(road.name):
        street = street_name(found["street"]) if found["street"] else None
        return Way("alley", points, street, f"K{found['number']}/{{}}")
    return Way(tier, points, street_name(road.name))


def _axis(roads: Sequence[RoadLine], parent: Sequence[RoadLine]) -> tuple[Point, Point]:
    """From one far end of a street towards the other; an alley starts at the end by its parent street."""
    ends = sorted({(x, y) for road in roads for x, y, *_ in (road.line.coords[0], road.line.coords[-1])})
    pairs = ((first, last) for first in ends for last in ends if first < last)
    first, last = max(pairs, key=lambda pair: _squared(*pair), default=(ends[0], (ends[0][0] + 1, ends[0][1])))
    if parent:
        lines = shapely.union_all([road.line for road in parent])
        if lines.distance(ShapelyPoint(last)) < lines.distance(ShapelyPoint(first)):
            first, last = last, first
    length = _squared(first, last) ** 0.5
    direction = ((last[0] - first[0]) / length, (last[1] - first[1]) / length)
    # A street that bends back reaches behind its own end: numbers start at the lowest point along the axis.
    behind = min((x - first[0]) * direction[0] + (y - first[1]) * direction[1] for x, y in ends)
    return (first[0] + behind * direction[0], first[1] + behind * direction[1]), direction


def _along(points: list[Point], axis: tuple[Point, Point]) -> list[Point]:
    (east, north), first, last = axis[1], points[0], points[-1]
    ahead = (last[0] - first[0]) * east + (last[1] - first[1]) * north >= 0
    return points if ahead else points[::-1]


def _name_the_unnamed(ways: Sequence[Way]) -> None:
    """An alley without a street takes the nearest street's name, and without a number that of its mouth there."""
    named = [way for way in ways if way.street is not None and way.tier in _NUMBERED]
    if not named:
        return
    lines = [LineString(way.points) for way in named]
    tree = shapely.STRtree(lines)
    for way in ways:
        if way.street is not None:
            continue
        nearest = int(tree.nearest(LineString(way.points)))
        mother, line = named[nearest], lines[nearest]
        if line.distance(ShapelyPoint(way.points[-1])) < line.distance(ShapelyPoint(way.points[0])):
            way.points.reverse()
        way.street = mother.street
        if way.numbers == "{}":
            way.numbers = f"{_number_of_mouth(mother, line, way)}/{{}}"


def _number_of_mouth(mother: Way, line: LineString, alley: Way) -> int:
    """The house number of the mother street at which an alley begins."""
    walked = line.project(ShapelyPoint(alley.points[0]))
    (x0, y0), (x1, y1) = (line.interpolate(max(walked + step, 0)).coords[0] for step in (-1, 1))
    x, y = alley.points[-1]
    side = 1 if (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) > 0 else -1
    return number_at(mother.distance_along(x0, y0, walked), side)


def _squared(first: Point, last: Point) -> float:
    return (last[0] - first[0]) ** 2 + (last[1] - first[1]) ** 2
