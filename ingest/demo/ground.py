"""The ward's ground in metres: its outline, its street lines, and the part of it that is built up."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import shapely
from shapely.affinity import affine_transform
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from postgis.store.base_map import StreetLine

Point = tuple[float, float]
"""East and north of the ward's centre, in metres."""

DECIMALS = 7
"""Of a degree: about a centimetre."""

_GAP_M = 180.0
"""Streets with a gap up to this in between still enclose a block."""

_LARGEST_BLOCK_M2 = 1_500_000.0
"""A block behind main roads; what lies in a larger ring of roads is an airfield or a lake."""

_TRADING_KINDS = frozenset({"primary", "secondary", "tertiary", "residential", "unclassified", "alley"})
_NO_TRADE = re.compile(r"\b(cầu|ga|lối vào|sân bay)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RoadLine:
    """One piece of a real street, in metres."""

    code: str
    name: str | None
    kind: str
    line: LineString

    @property
    def is_for_trade(self) -> bool:
        """Whether shops may stand along it: not a service road or footpath, a bridge or a ramp of the airport."""
        return self.kind in _TRADING_KINDS and not (self.name and _NO_TRADE.search(self.name))


@dataclass
class Ground:
    """The ward in a plane of its own.

    A local scaling of degrees is enough: across one ward it is off by less than a metre, and what stands on it is
    invented anyway.
    """

    origin: Point
    scale: Point
    outline: BaseGeometry
    roads: list[RoadLine]

    @classmethod
    def of(cls, outline: bytes, streets: Sequence[StreetLine]) -> "Ground":
        """The ground of a ward from WKB in WGS 84."""
        ward = shapely.from_wkb(outline)
        longitude, latitude = ward.centroid.x, ward.centroid.y
        angle = math.radians(latitude)
        scale = (
            111412.84 * math.cos(angle) - 93.5 * math.cos(3 * angle),
            111132.92 - 559.82 * math.cos(2 * angle),
        )
        ground = cls((longitude, latitude), scale, ward, [])
        ground.outline = ground._in_metres(ward)
        for street in sorted(streets, key=lambda street: street.code):
            for line in _lines(ground._in_metres(shapely.from_wkb(street.wkb))):
                if line.length > 1:
                    ground.roads.append(RoadLine(street.code, street.name, street.kind, line))
        return ground

    @cached_property
    def inside(self) -> BaseGeometry:
        """Where a point may lie: the ward less a metre, so that rounding never carries a place across its edge."""
        inside = self.outline.buffer(-1)
        shapely.prepare(inside)
        return inside

    @cached_property
    def built_up(self) -> BaseGeometry:
        """The blocks that streets enclose: not the far side of the last road, where the river or the airfield begins.

        Empty where streets are too few or too far apart to enclose any.
        """
        lines = [road.line.simplify(4) for road in self.roads if road.is_for_trade]
        near = shapely.union_all(shapely.buffer(lines, _GAP_M / 2, quad_segs=4)) if lines else Polygon()
        filled = shapely.union_all([_without_small_holes(part) for part in polygons(near)])
        closed = filled.buffer(-_GAP_M / 2, quad_segs=4).intersection(self.inside)
        shapely.prepare(closed)
        return closed

    def to_degrees(self, x: float, y: float) -> Point:
        """Longitude and latitude of a point in metres."""
        return (
            round(self.origin[0] + x / self.scale[0], DECIMALS),
            round(self.origin[1] + y / self.scale[1], DECIMALS),
        )

    def shape_in_degrees(self, shape: BaseGeometry) -> BaseGeometry:
        """A shape in metres as WGS 84."""
        (x0, y0), (east, north) = self.origin, self.scale
        return affine_transform(shape, [1 / east, 0, 0, 1 / north, x0, y0])

    def _in_metres(self, shape: BaseGeometry) -> BaseGeometry:
        (x0, y0), (east, north) = self.origin, self.scale
        return affine_transform(shape, [east, 0, 0, north, -x0 * east, -y0 * north])


def ewkt(shape: BaseGeometry) -> str:
    """EWKT of a shape in WGS 84."""
    return f"SRID=4326;{shapely.to_wkt(shape, rounding_precision=DECIMALS)}"


def polygons(shape: BaseGeometry) -> list[Polygon]:
    """The polygons that a shape consists of; points and lines in it are left out."""
    if isinstance(shape, Polygon):
        return [] if shape.is_empty else [shape]
    return list(chain.from_iterable(polygons(part) for part in getattr(shape, "geoms", ())))


def multipolygon(parts: Sequence[Polygon]) -> MultiPolygon:
    """The parts joined where they touch, as one multipolygon."""
    return MultiPolygon(polygons(shapely.union_all(parts)))


def _without_small_holes(polygon: Polygon) -> Polygon:
    holes = [ring for ring in polygon.interiors if Polygon(ring).area > _LARGEST_BLOCK_M2]
    return Polygon(polygon.exterior, holes)


def _lines(shape: BaseGeometry) -> Iterator[LineString]:
    if isinstance(shape, LineString):
        if not shape.is_empty:
            yield shape
        return
    for part in getattr(shape, "geoms", ()):
        yield from _lines(part)
