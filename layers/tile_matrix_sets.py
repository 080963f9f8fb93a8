"""WebMercatorQuad: the one tile matrix set we serve (OGC Two Dimensional Tile Matrix Set 2.0, annex D.1)."""

import math
from collections.abc import Mapping
from typing import Any

from layers.collections import Collection

ID = "WebMercatorQuad"
URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
CRS = "http://www.opengis.net/def/crs/EPSG/0/3857"
MAX_ZOOM = 22
"""The deepest tile that is answered."""
HALF_WORLD_M = 20037508.342789244
SCALE_0 = 559082264.0287178
Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
_WORLD: Bounds = (-180.0, -85.05112877980659, 180.0, 85.05112877980659)


def is_tile(z: int, x: int, y: int) -> bool:
    """Whether the tile exists in the matrix set."""
    return 0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z


def definition() -> dict[str, Any]:
    """The tile matrix set as OGC's JSON."""
    return {
        "id": ID,
        "title": "Google Maps Compatible for the World",
        "uri": URI,
        "crs": CRS,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [
            {
                "id": str(z),
                "scaleDenominator": SCALE_0 / 2**z,
                "cellSize": HALF_WORLD_M * 2 / 256 / 2**z,
                "pointOfOrigin": [-HALF_WORLD_M, HALF_WORLD_M],
                "tileWidth": 256,
                "tileHeight": 256,
                "matrixWidth": 2**z,
                "matrixHeight": 2**z,
            }
            for z in range(MAX_ZOOM + 1)
        ],
    }


def tilejson(
    collection: Collection, tiles_url: str, bounds: Bounds | None, attribution: str, descriptions: Mapping[str, str]
) -> dict[str, Any]:
    """TileJSON 3.0.0 of a collection. `bounds` in degrees; `descriptions`: words for its fields, and for "" itself."""
    west, south, east, north = bounds or _WORLD
    first, last = collection.drawn.zooms
    layer = {
        "id": collection.id,
        "description": descriptions[""],
        "minzoom": first,
        "maxzoom": last,
        "fields": {name: descriptions[name] for name in tile_fields(collection)},
    }
    return {
        "tilejson": "3.0.0",
        "name": collection.id,
        "description": descriptions[""],
        "scheme": "xyz",
        "tiles": [tiles_url],
        "minzoom": first,
        "maxzoom": last,
        "fillzoom": last,
        "bounds": [west, max(south, _WORLD[1]), east, min(north, _WORLD[3])],
        "attribution": attribution,
        "vector_layers": [layer],
    }


def tile_fields(collection: Collection) -> tuple[str, ...]:
    """The properties that features of its tiles have; `count` says how many places a point stands for."""
    return (*collection.drawn.fields, *(("count",) if collection.drawn.cluster_below else ()))


def limits(zooms: tuple[int, int], bounds: Bounds | None) -> list[dict[str, Any]]:
    """Which tiles there can be anything in: tileMatrixSetLimits (OGC 17-083r4, 7.2.2). `bounds` in degrees."""
    west, south, east, north = bounds or _WORLD
    found = []
    for z in range(zooms[0], zooms[1] + 1):
        (first_column, first_row), (last_column, last_row) = _at(west, north, z), _at(east, south, z)
        found.append(
            {
                "tileMatrix": str(z),
                "minTileRow": first_row,
                "maxTileRow": last_row,
                "minTileCol": first_column,
                "maxTileCol": last_column,
            }
        )
    return found


def _at(lon: float, lat: float, z: int) -> tuple[int, int]:
    """Column and row of the tile that a position lies in."""
    side = 2**z
    angle = math.radians(min(max(lat, _WORLD[1]), _WORLD[3]))
    row = (1 - math.asinh(math.tan(angle)) / math.pi) / 2 * side
    return min(max(int((lon + 180) / 360 * side), 0), side - 1), min(max(int(row), 0), side - 1)
