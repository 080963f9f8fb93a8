"""Geometry as all of the distilling needs it."""

from shapely import set_precision
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

COORDINATE_DECIMALS = 6
"""Degrees to 6 decimals: 11 cm at this latitude, finer than any source."""


def rounded(geometry: BaseGeometry) -> BaseGeometry:
    """The geometry on the 6-decimal grid, still valid."""
    return set_precision(geometry, 10.0**-COORDINATE_DECIMALS)


def parts(geometry: BaseGeometry) -> list[BaseGeometry]:
    """The members of a collection, at any depth, without empty ones; a single geometry is its own only part."""
    members = getattr(geometry, "geoms", None)
    if members is None:
        return [] if geometry.is_empty else [geometry]
    return [part for member in members for part in parts(member)]


def lines(geometry: BaseGeometry) -> list[LineString]:
    """The lines among the parts: points that an intersection leaves are not drawn."""
    return [part for part in parts(geometry) if isinstance(part, LineString)]


def polygons(geometry: BaseGeometry) -> list[Polygon]:
    """The areas among the parts."""
    return [part for part in parts(geometry) if isinstance(part, Polygon)]
