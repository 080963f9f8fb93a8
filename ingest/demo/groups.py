"""Invented residential groups: they divide the ward without gap or overlap, small where many live, large elsewhere."""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any

import shapely
from shapely.geometry import MultiPoint, Polygon
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry.base import BaseGeometry

from ingest.demo.ground import Ground, Point, ewkt, multipolygon

GROUPS = 312
"""As many as phường Hòa Cường is said to have."""
VALID_FROM = date(2025, 7, 1)

_OPEN_GROUND_GROUPS = 6
_ROUNDS = 3
_GRID_DEGREES = 1e-7
_ROWS = 14


def divide(ground: Ground, positions: Sequence[Point], ward_code: str, rng: Random) -> list[dict[str, Any]]:
    """GROUPS residential groups as the store takes them, numbered in rows from the north-west.

    They are the Voronoi cells of seeds that follow the given positions (metres).
    """
    outline = ground.shape_in_degrees(ground.outline)
    cells = _cells(ground, outline, _seeds(ground, positions, rng))
    south, north = outline.bounds[1], outline.bounds[3]

    def reading_order(cell: BaseGeometry) -> tuple[int, float, float]:
        centre = cell.representative_point()
        return int((north - centre.y) / (north - south) * _ROWS), centre.x, centre.y

    return [
        {
            "code": f"{ward_code}-{number:03d}",
            "ward_code": ward_code,
            "number": number,
            "name": f"Tổ dân phố minh họa {number}",
            "valid_from": VALID_FROM,
            "illustrative": True,
            "ewkt": ewkt(cell),
        }
        for number, cell in enumerate(sorted(cells, key=reading_order), start=1)
    ]


def _seeds(ground: Ground, positions: Sequence[Point], rng: Random) -> list[Point]:
    """A few seeds on open ground, the others spread evenly among the positions."""
    open_ground = ground.outline.difference(ground.built_up.buffer(120)) if positions else ground.outline
    outer = _scattered(open_ground, _OPEN_GROUND_GROUPS, rng) if open_ground.area > ground.outline.area / 50 else []
    distinct = sorted(set(positions))
    wanted = GROUPS - len(outer)
    inner = rng.sample(distinct, min(wanted, len(distinct)))
    inner += _scattered(ground.outline, wanted - len(inner), rng)
    for _ in range(_ROUNDS):
        inner = _centred(ground, inner, distinct)
    return inner + outer


def _centred(ground: Ground, seeds: Sequence[Point], positions: Sequence[Point]) -> list[Point]:
    """Each seed moved to the middle of the positions nearest to it (Lloyd's step), if that is in the ward."""
    sums = [(0.0, 0.0, 0)] * len(seeds)
    tree = shapely.STRtree(shapely.points(seeds))
    nearest = tree.nearest(shapely.points(positions)).tolist() if positions else []
    for (x, y), index in zip(positions, nearest, strict=True):
        east, north, count = sums[index]
        sums[index] = (east + x, north + y, count + 1)
    middles = [(east / max(count, 1), north / max(count, 1)) for east, north, count in sums]
    inside = shapely.contains_xy(ground.inside, middles).tolist()
    return [
        middle if count and fits else seed
        for seed, middle, (_, _, count), fits in zip(seeds, middles, sums, inside, strict=True)
    ]


def _scattered(area: BaseGeometry, count: int, rng: Random) -> list[Point]:
    west, south, east, north = area.bounds
    found: list[Point] = []
    while len(found) < count:
        x, y = rng.uniform(west, east), rng.uniform(south, north)
        if shapely.contains_xy(area, x, y):
            found.append((x, y))
    return found


def _cells(ground: Ground, outline: BaseGeometry, seeds: Sequence[Point]) -> list[BaseGeometry]:
    """The seeds' Voronoi cells cut to the outline, in WGS 84.

    All edges are noded on one grid before faces are made of them, so neighbours share every vertex exactly.
    """
    edges = shapely.voronoi_polygons(MultiPoint(seeds), extend_to=ground.outline, only_edges=True)
    lines = shapely.union_all([ground.shape_in_degrees(edges), outline.boundary], grid_size=_GRID_DEGREES)
    faces = [
        face for face in shapely.get_parts(shapely.polygonize([lines])) if outline.contains(face.representative_point())
    ]
    tree = shapely.STRtree(faces)
    owner: dict[int, int] = {}
    for seed, (x, y) in enumerate(seeds):
        for face in tree.query(ShapelyPoint(ground.to_degrees(x, y)), predicate="within").tolist():
            owner.setdefault(face, seed)
    _adopt(faces, tree, owner)
    parts: dict[int, list[Polygon]] = {}
    for face, seed in sorted(owner.items()):
        parts.setdefault(seed, []).append(faces[face])
    return [multipolygon(members) for members in parts.values()]


def _adopt(faces: Sequence[Polygon], tree: shapely.STRtree, owner: dict[int, int]) -> None:
    """Gives each piece that the outline cut off from its seed to the neighbour with the longest common edge."""
    orphans = [face for face in range(len(faces)) if face not in owner]
    while orphans:
        left = []
        for face in orphans:
            neighbours = [other for other in tree.query(faces[face], predicate="intersects").tolist() if other in owner]
            if neighbours:
                shared = {other: faces[face].intersection(faces[other]).length for other in neighbours}
                owner[face] = owner[max(sorted(shared), key=lambda other: shared[other])]
            else:
                left.append(face)
        if len(left) == len(orphans):
            # An island on which no seed fell: any group may have it.
            owner.update(dict.fromkeys(left, min(owner.values())))
            return
        orphans = left
