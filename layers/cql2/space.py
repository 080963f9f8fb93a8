"""Places in a filter: GeoJSON, well-known text and boxes, and how they may lie to one another (S_*)."""

import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, func, literal, not_
from sqlalchemy.types import LargeBinary

from layers.cql2.limits import MAX_DEPTH, MAX_VERTICES
from layers.cql2.operands import Context, Operand
from layers.crs import WGS84, to_crs84
from layers.errors import InvalidFilter

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Relation = Callable[[Any, Any], ColumnElement[bool]]

RELATIONS: Mapping[str, Relation] = {
    "s_intersects": func.public.st_intersects,
    "s_disjoint": lambda one, other: not_(func.public.st_intersects(one, other)),
    "s_equals": func.public.st_equals,
    "s_touches": func.public.st_touches,
    "s_within": func.public.st_within,
    "s_overlaps": func.public.st_overlaps,
    "s_crosses": func.public.st_crosses,
    "s_contains": func.public.st_contains,
}
"""OGC 06-103r4, as PostGIS has them."""
_OF_MIXED = ("s_intersects", "s_disjoint")
"""The relations that PostGIS has for geometry collections."""
TYPES = (
    "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"
)  # fmt: skip


def relate(name: str, one: Operand, other: Operand) -> ColumnElement[bool]:
    """Whether two places lie to one another so. Raises InvalidFilter where they are none."""
    for operand in (one, other):
        if operand.kind != "geometry":
            raise InvalidFilter("filter_operand", operation=name.upper(), expected="geometry", given=operand.kind)
        if operand.mixed and name not in _OF_MIXED:
            raise InvalidFilter("filter_geometry", value="GEOMETRYCOLLECTION", reason=name.upper())
    return RELATIONS[name](one.sql, other.sql)


def from_wkt(text: str) -> dict[str, Any]:
    """Well-known text as GeoJSON. Raises InvalidFilter."""
    import shapely

    try:
        found = shapely.from_wkt(text)
        told: dict[str, Any] = json.loads(shapely.to_geojson(shapely.force_2d(found)))
    except (shapely.GEOSException, ValueError, TypeError):
        raise InvalidFilter("filter_geometry", value=text, reason="WKT") from None
    return told


def geometry(context: Context, value: Mapping[str, Any]) -> Operand:
    """A GeoJSON geometry in the filter's CRS. Raises InvalidFilter for what is none, or reaches beyond the world."""
    import shapely

    vertices = _count(value, MAX_DEPTH)
    if vertices > MAX_VERTICES:
        raise InvalidFilter("filter_too_large", most=MAX_VERTICES)
    try:
        found = shapely.force_2d(shapely.from_geojson(json.dumps(value)))
        if found.is_empty:
            raise ValueError("empty")
        placed = _placed(context, found)
    except (shapely.GEOSException, ValueError, TypeError):
        raise InvalidFilter("filter_geometry", value=value.get("type"), reason="GeoJSON") from None
    if not placed.is_valid:
        raise InvalidFilter("filter_geometry", value=value["type"], reason=shapely.is_valid_reason(placed))
    sql = func.public.st_geomfromwkb(literal(shapely.to_wkb(placed), LargeBinary()), WGS84)
    return Operand("geometry", sql, value, vertices=vertices, mixed=value["type"] == "GeometryCollection")


def box(context: Context, numbers: object) -> Operand:
    """BBOX(west, south, east, north), or with heights, which are set aside. West > east crosses the antimeridian."""
    if not isinstance(numbers, list) or len(numbers) not in (4, 6) or not all(map(_is_number, numbers)):
        raise InvalidFilter("filter_geometry", value=str(numbers), reason="BBOX")
    west, south, east, north = numbers if len(numbers) == 4 else [numbers[0], numbers[1], numbers[3], numbers[4]]
    spans = [(west, east)]
    if west > east and not context.crs.projected and not context.crs.northing_first:
        spans = [(west, 180), (-180, east)]
    rings = [[[[a, south], [b, south], [b, north], [a, north], [a, south]]] for a, b in spans]
    if south > north or any(a > b for a, b in spans):
        raise InvalidFilter("filter_geometry", value=str(numbers), reason="BBOX")
    if west == east and south == north:
        return geometry(context, {"type": "Point", "coordinates": [west, south]})
    if west == east or south == north:
        return geometry(context, {"type": "LineString", "coordinates": [[west, south], [east, north]]})
    return geometry(context, {"type": "MultiPolygon", "coordinates": rings})


def _placed(context: Context, found: "BaseGeometry") -> "BaseGeometry":
    """The geometry in degrees, longitude first."""
    import shapely

    def turn(coordinates: Any) -> Any:
        placed = to_crs84(context.crs, [(float(x), float(y)) for x, y in coordinates])
        if any(abs(lon) > 180 or abs(lat) > 90 for lon, lat in placed):
            raise ValueError("beyond the world")
        return placed

    return shapely.transform(found, turn)


def _count(value: object, depth: int) -> int:
    """The vertices of a GeoJSON geometry. Raises InvalidFilter for members that are none of a geometry's."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    members = "geometries" if kind == "GeometryCollection" else "coordinates"
    if depth == 0 or not isinstance(value, Mapping) or kind not in TYPES or set(value) != {"type", members}:
        raise InvalidFilter("filter_geometry", value=str(value), reason="GeoJSON")
    if kind != "GeometryCollection":
        return _positions(value["coordinates"], 4)
    if not isinstance(value["geometries"], list):
        raise InvalidFilter("filter_geometry", value=kind, reason="GeoJSON")
    return sum(_count(part, depth - 1) for part in value["geometries"])


def _positions(value: object, depth: int) -> int:
    if not isinstance(value, list) or depth == 0:
        raise InvalidFilter("filter_geometry", value=str(value), reason="GeoJSON")
    if all(map(_is_number, value)):
        if not 2 <= len(value) <= 4:
            raise InvalidFilter("filter_geometry", value=str(value), reason="GeoJSON")
        return 1
    return sum(_positions(part, depth - 1) for part in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
