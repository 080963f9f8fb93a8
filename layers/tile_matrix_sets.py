"""WebMercatorQuad: the one tile matrix set we serve (OGC Two Dimensional Tile Matrix Set 2.0, annex D.1)."""

from typing import Any

from layers.collections import Collection

ID = "WebMercatorQuad"
URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
CRS = "http://www.opengis.net/def/crs/EPSG/0/3857"
MAX_ZOOM = 22
"""The deepest tile that is answered."""
DATA_MAX_ZOOM = 16
"""The deepest tile that says more than its parent: clients overzoom from here."""
HALF_WORLD_M = 20037508.342789244
SCALE_0 = 559082264.0287178


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
    collection: Collection, tiles_url: str, bounds: tuple[float, float, float, float] | None, attribution: str
) -> dict[str, Any]:
    """TileJSON 3.0.0 of a collection. `bounds` in degrees."""
    west, south, east, north = bounds or (-180.0, -85.05112877980659, 180.0, 85.0511287798066)
    names = list(collection.drawn.fields) + (["count"] if collection.drawn.cluster_below else [])
    return {
        "tilejson": "3.0.0",
        "name": collection.id,
        "tiles": [tiles_url],
        "minzoom": 0,
        "maxzoom": DATA_MAX_ZOOM,
        "bounds": [west, max(south, -85.05112877980659), east, min(north, 85.0511287798066)],
        "attribution": attribution,
        "vector_layers": [
            {"id": collection.id, "fields": {name: _tile_field_type(collection, name) for name in names}}
        ],
    }


def _tile_field_type(collection: Collection, name: str) -> str:
    field = collection.field_by_name.get(name)
    kind = field.type if field else "integer"
    return {"boolean": "Boolean", "integer": "Number", "number": "Number"}.get(kind, "String")
