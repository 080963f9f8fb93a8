"""Invented lanes that lead from real streets into the blocks behind them.

For the south of the ward the base data has main roads only, yet most of its shops stand behind them. A lane leaves a
street at a right angle, bends a little, and ends where it would meet another road, another lane, or open ground; from
long lanes short ones branch off. Lanes are only where places stand: they are never drawn.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random

import shapely

from ingest.demo.ground import Ground, Point
from ingest.demo.ways import Way, number_at

_STEP_M = 8.0
_CELL_M = 13.0
_SHORTEST_M = 30.0
_FROM = ("trunk", "main", "collector", "street")
_LANE_LENGTHS = (70.0, 260.0)
_BRANCH_LENGTHS = (30.0, 110.0)


class _Occupied:
    """Which roads and lanes pass through each cell of a grid: a new lane keeps a cell's width away from all of them."""

    def __init__(self) -> None:
        self._owners: dict[tuple[int, int], set[int]] = defaultdict(set)

    def mark(self, points: Sequence[Point], owner: int) -> None:
        for x, y in points:
            self._owners[int(x // _CELL_M), int(y // _CELL_M)].add(owner)

    def is_free(self, x: float, y: float, mother: int) -> bool:
        column, row = int(x // _CELL_M), int(y // _CELL_M)
        return not any(
            owner != mother
            for i in (column - 1, column, column + 1)
            for j in (row - 1, row, row + 1)
            for owner in self._owners.get((i, j), ())
        )


def invent_lanes(ground: Ground, ways: Sequence[Way], rng: Random) -> list[Way]:
    """Lanes off the named streets among `ways`, and branches off the lanes, inside the built-up ground."""
    occupied = _Occupied()
    for owner, road in enumerate(ground.roads):
        occupied.mark([(x, y) for x, y, *_ in road.line.segmentize(_STEP_M).coords], owner)
    mouths = [
        (way, *mouth)
        for way in ways
        if way.street is not None and way.tier in _FROM
        for mouth in _mouths(way.points, (34.0, 58.0), rng)
    ]
    # In random order, or the first street's lanes would take every block to its far side.
    rng.shuffle(mouths)
    lanes: list[Way] = []
    for mother, x, y, heading, walked, side in mouths:
        assert mother.road is not None
        lane = _grow(ground, occupied, (x, y), heading, rng.uniform(*_LANE_LENGTHS), mother.road, rng)
        if lane:
            mouth = number_at(mother.distance_along(x, y, walked), side)
            lanes.append(Way("lane", lane, mother.street, mother.numbers.format(mouth) + "/{}"))
            occupied.mark(lane, -len(lanes))
    return lanes + _branches(ground, occupied, lanes, rng)


def _branches(ground: Ground, occupied: _Occupied, lanes: Sequence[Way], rng: Random) -> list[Way]:
    branches: list[Way] = []
    for owner, mother in enumerate(lanes, start=1):
        for x, y, heading, walked, side in _mouths(mother.points, (26.0, 44.0), rng):
            branch = _grow(ground, occupied, (x, y), heading, rng.uniform(*_BRANCH_LENGTHS), -owner, rng)
            if branch:
                numbers = mother.numbers.format(number_at(walked, side)) + "/{}"
                branches.append(Way("branch", branch, mother.street, numbers))
                occupied.mark(branch, -len(lanes) - len(branches))
    return branches


def _mouths(
    points: Sequence[Point], gaps: tuple[float, float], rng: Random
) -> Iterator[tuple[float, float, float, float, int]]:
    """Places along a line where lanes may leave it: x, y, heading in radians, distance along the line, side."""
    next_at, walked = rng.uniform(*gaps), 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        length = math.hypot(x1 - x0, y1 - y0)
        while next_at < walked + length:
            share = (next_at - walked) / length
            x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            along = math.atan2(y1 - y0, x1 - x0)
            for side in (1, -1):
                yield x, y, along + side * math.pi / 2 + rng.uniform(-0.07, 0.07), next_at, side
            next_at += rng.uniform(*gaps)
        walked += length


def _grow(
    ground: Ground, occupied: _Occupied, start: Point, heading: float, longest: float, mother: int, rng: Random
) -> list[Point]:
    """A lane's points, without the mouth itself; empty where there is no room for one worth the name."""
    x, y = start
    points: list[Point] = []
    for _ in range(int(longest / _STEP_M)):
        x, y = x + _STEP_M * math.cos(heading), y + _STEP_M * math.sin(heading)
        if not occupied.is_free(x, y, mother) or not shapely.contains_xy(ground.built_up, x, y):
            break
        points.append((x, y))
        heading += rng.gauss(0, 0.03)
    # The last step before an obstacle is left open, as a fence or a back wall would be.
    kept = points[:-1]
    return kept if len(kept) * _STEP_M >= _SHORTEST_M else []
