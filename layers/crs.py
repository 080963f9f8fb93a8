"""The coordinate reference systems that features are told in and asked for (OGC API Features Part 2).

The register stores WGS 84. VN-2000 is another datum: leaving its shift out misplaces a point by some 225 m. PostGIS and
pyproj both take it from PROJ's EPSG data (Decision 05/2007/QĐ-BTNMT).
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, func

if TYPE_CHECKING:
    from pyproj import Transformer

_OGC, _EPSG = "http://www.opengis.net/def/crs/OGC/1.3/", "http://www.opengis.net/def/crs/EPSG/0/"
WGS84 = 4326
_EDGE_M = 20037508.342789244
"""Half the length of the equator in EPSG:3857: the map's edge on all sides."""
_POINTS_A_SIDE = 64
"""A box's side is a curve in another CRS: followed so closely, it is off by millimetres over a ward's width."""

Box = tuple[float, float, float, float]
Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Crs:
    """A CRS by its URI; `northing_first` where the authority puts latitude before longitude."""

    uri: str
    srid: int
    northing_first: bool = False
    projected: bool = False
    """Whether its coordinates are metres."""
    plain_metres: bool = False
    """Whether its axes run along meridians and parallels everywhere, so that a box stays a box."""

    def digits(self, of_degrees: int) -> int:
        """Digits of its coordinates where degrees get so many; metres get four fewer, which is finer."""
        return max(of_degrees - 4, 0) if self.projected else of_degrees


CRS84 = Crs(f"{_OGC}CRS84", WGS84)
_VN2000 = (5899, 5897, 9209, 9210, 3405, 3406)
SUPPORTED: tuple[Crs, ...] = (
    CRS84,
    Crs(f"{_EPSG}4326", WGS84, northing_first=True),
    Crs(f"{_EPSG}3857", 3857, projected=True, plain_metres=True),
    # All of them have the easting first on the wire (EPSG), although Vietnamese survey files call the northing X.
    *(Crs(f"{_EPSG}{code}", code, projected=True) for code in _VN2000),
)
URIS = tuple(crs.uri for crs in SUPPORTED)
NAMES = tuple(uri.rpartition("/")[2] for uri in URIS)


def find(name: str) -> Crs | None:
    """The CRS by its URI, or by its safe CURIE such as `[EPSG:5899]` or `EPSG:5899`; None when it is not supported."""
    bare = name.strip("[]")
    for crs in SUPPORTED:
        authority, code = ("OGC", "CRS84") if crs is CRS84 else ("EPSG", crs.uri.rpartition("/")[2])
        if name == crs.uri or bare == f"{authority}:{code}" or name == f"urn:ogc:def:crs:{authority}::{code}":
            return crs
    return None


def geometry_json(column: ColumnElement[Any], crs: Crs, digits: int) -> ColumnElement[str]:
    """The GeoJSON text of a stored geometry in a CRS, axes in the authority's order.

    `digits` are those of degrees: the public's six are a centimetre where there are metres.
    """
    told = geometry_xy(column, crs)
    if crs.northing_first:
        told = func.public.st_flipcoordinates(told)
    # Option 0: no member `crs`, which RFC 7946 does not have.
    return func.public.st_asgeojson(told, crs.digits(digits), 0)


def geometry_xy(column: ColumnElement[Any], crs: Crs) -> ColumnElement[Any]:
    """A stored geometry in a CRS, the easting or longitude first: as binary formats have it, whatever the authority."""
    return column if crs.srid == WGS84 else func.public.st_transform(column, crs.srid)


def to_crs84(crs: Crs, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points of a CRS, axes in its order, as longitude and latitude. Raises ValueError for ones that have no place."""
    if crs.northing_first:
        points = [(second, first) for first, second in points]
    if crs.srid != WGS84:
        east, north = zip(*points, strict=True)
        points = list(zip(*_transformer(crs.srid).transform(east, north), strict=True))
    if not all(math.isfinite(x) and math.isfinite(y) for x, y in points):
        raise ValueError(crs.uri)
    return points


def box_to_crs84(crs: Crs, box: Box) -> tuple[Box, Ring | None]:
    """A box as west, south, east, north in degrees, and its outline where that is not the box itself.

    The box is given with the axes in the order of the CRS. Raises ValueError.
    """
    first, second, third, fourth = box
    if not crs.projected:
        return (second, first, fourth, third) if crs.northing_first else box, None
    if crs.plain_metres:
        # Beyond its edge the world begins anew, and a map that shows a margin asks for it.
        if max(map(abs, box)) > 1.5 * _EDGE_M:
            raise ValueError(crs.uri)
        first, second, third, fourth = (max(-_EDGE_M, min(value, _EDGE_M)) for value in box)
        (west, south), (east, north) = to_crs84(crs, [(first, second), (third, fourth)])
        return (west, south, east, north), None
    corners = [(first, second), (third, second), (third, fourth), (first, fourth), (first, second)]
    outline = [
        (x1 + (x2 - x1) * step / _POINTS_A_SIDE, y1 + (y2 - y1) * step / _POINTS_A_SIDE)
        for (x1, y1), (x2, y2) in pairwise(corners)
        for step in range(_POINTS_A_SIDE)
    ]
    ring = to_crs84(crs, [*outline, outline[0]])
    longitudes, latitudes = [x for x, _ in ring], [y for _, y in ring]
    return (min(longitudes), min(latitudes), max(longitudes), max(latitudes)), tuple(ring)


@cache
def _transformer(srid: int) -> "Transformer":
    # Brings a database of its own into memory: only for who asks so.
    from pyproj import Transformer

    return Transformer.from_crs(srid, WGS84, always_xy=True)
