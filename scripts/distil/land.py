"""Land at small scales: Natural Earth 1:50m, with Đà Nẵng's own wards supplying the coast where the map is used most.

Natural Earth's coast is up to 3 km off at Đà Nẵng. So the city and the sea before it are cut out of it: the wards,
drawn as land, show the precise coast. No country border is in the data.
"""

import gzip
import json
from pathlib import Path
from typing import Any

from shapely import make_valid, union_all
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box, mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

from distil.files import Drawn
from distil.shapes import COORDINATE_DECIMALS, polygons, rounded
from distil.wards import Wards

CLIP = Path(__file__).with_name("natural_earth_land.json.gz")
"""The part of Natural Earth we use, kept here because it is not among the collected data."""

REGION = (95.0, 0.0, 125.0, 30.0)
"""From the Bay of Bengal to the Philippines: what a phone shows when zoomed out from Đà Nẵng."""

# Units that are islands: nothing of Natural Earth's mainland lies there.
_OFFSHORE = ("20333", "20434")

# Where the city's coast begins in the north (Hải Vân, border with Huế) and ends in the south (Núi Thành, border with
# Quảng Ngãi), and how far east the sea is cleared: degrees.
_COAST_NORTH = Point(108.206, 16.215)
_COAST_SOUTH = Point(108.735, 15.385)
_SEA_EAST = 109.2

# Natural Earth runs this far under the wards, so that no sliver of sea shows between them: degrees, 33 m.
_OVERLAP = 3e-4
_TOLERANCE = 2e-4


def clip_natural_earth(land_50m: Path) -> None:
    """Make CLIP from `land-50m.json` (TopoJSON) of the npm package world-atlas 2.0.2."""
    topology = json.loads(land_50m.read_text(encoding="utf-8"))
    arcs = [_decode(arc, topology["transform"]) for arc in topology["arcs"]]
    lands = [
        make_valid(Polygon(_ring(rings[0], arcs), [_ring(ring, arcs) for ring in rings[1:]]))
        for land in topology["objects"]["land"]["geometries"]
        for rings in land["arcs"]
        if _reaches_region(_ring(rings[0], arcs))
    ]
    land = rounded(union_all(lands).intersection(box(*REGION)))
    text = json.dumps(mapping(land), separators=(",", ":"))
    CLIP.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def land_areas(wards: Wards) -> list[Drawn]:
    """The land of the region without Đà Nẵng, in one row."""
    with gzip.open(CLIP, "rt", encoding="utf-8") as stream:
        natural_earth = shape(json.load(stream))
    land = natural_earth.difference(_cleared(wards))
    properties = {"code": "natural-earth-land", "layer": "land", "kind": "land", "source": "natural_earth"}
    return [(properties, rounded(MultiPolygon(polygons(land))))]


def _cleared(wards: Wards) -> BaseGeometry:
    """The city and the sea before its coast, drawn in a little, as one hole to cut. Gaps between wards stay land."""
    city = union_all([unit for code, unit in wards.shapes.items() if code not in _OFFSHORE])
    mainland = max(polygons(city), key=lambda part: float(part.area))
    hole = union_all([mainland, _sea(mainland)])
    return hole.buffer(-_OVERLAP).simplify(_TOLERANCE)


def _sea(mainland: Polygon) -> BaseGeometry:
    """The water between the city's coast and the meridian _SEA_EAST."""
    outline = LineString(mainland.exterior.coords)
    north, south = outline.project(_COAST_NORTH), outline.project(_COAST_SOUTH)
    first, last = sorted((north, south))
    arc = substring(outline, first, last)
    other = LineString([*substring(outline, last, outline.length).coords, *substring(outline, 0, first).coords[1:]])
    # Of the two ways round the city, the coast is the eastern one.
    coast = max((arc, other), key=lambda line: float(line.centroid.x))
    ends = sorted((coast.coords[0], coast.coords[-1]), key=lambda point: point[1])
    east = [(_SEA_EAST, ends[0][1]), (_SEA_EAST, ends[1][1])]
    if coast.coords[-1] == ends[1]:
        east.reverse()
    return Polygon([*coast.coords, *east]).buffer(0)


def _decode(arc: list[list[int]], transform: dict[str, Any]) -> list[tuple[float, float]]:
    """The longitudes and latitudes of a delta-encoded arc."""
    (scale_x, scale_y), (move_x, move_y) = transform["scale"], transform["translate"]
    digits = COORDINATE_DECIMALS
    points, x, y = [], 0, 0
    for step_x, step_y in arc:
        x, y = x + step_x, y + step_y
        points.append((round(x * scale_x + move_x, digits), round(y * scale_y + move_y, digits)))
    return points


def _ring(indices: list[int], arcs: list[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    """Arcs joined into a ring; ~i means arc i backwards, and each arc starts where the last one ended."""
    points: list[tuple[float, float]] = []
    for index in indices:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        points.extend(arc if not points else arc[1:])
    return points


def _reaches_region(ring: list[tuple[float, float]]) -> bool:
    west, south, east, north = REGION
    longitudes, latitudes = [point[0] for point in ring], [point[1] for point in ring]
    return max(longitudes) >= west and min(longitudes) <= east and max(latitudes) >= south and min(latitudes) <= north
