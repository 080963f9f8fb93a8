"""Layers of GIS files as sheets: GeoPackage, zipped Shapefile, GeoJSON, KML.

Row 1 holds the names of the attributes, then `lon`, `lat` (or `easting`, `northing`, by the layer's own coordinate
system) of each shape's own point, and `geometry`, the whole shape as text, where it is not a point. Coordinates stay as
they are: which system they are in is for a person to confirm.
"""

import datetime
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyogrio
import shapely
from pyogrio import raw as gis
from pyogrio.errors import DataLayerError, DataSourceError, FieldError

from ingest.refusal import Refusal
from ingest.workbook import FileKind, Row, Sheet, Value, Workbook, is_empty

_AT_ONCE = 5_000
_MOST_LAYERS = 50
_MOST_FEATURES = 1_000_000
_POINT = 0

# Shapes of unknown types read as none: the row and its cells are there all the same.
warnings.filterwarnings("ignore", module="pyogrio")
# Nothing of a file may make GDAL open another: no virtual formats, no addresses outside this machine.
pyogrio.set_gdal_config_options({
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "OGR_SQLITE_LIST_VIRTUAL_OGR": "NO",
    "GDAL_NUM_THREADS": "1",
    "OGR_GEOJSON_MAX_OBJ_SIZE": "50",
})  # fmt: skip


def read_gis(path: Path, inner: str, filename: str, kind: FileKind, keeper: object) -> Workbook:
    """Read a GIS file. For a zip (Shapefile, KMZ) `inner` is the folder or file within it.

    `keeper` is what must live as long as the rows may be read: it removes the file when it goes.
    """
    address = f"/vsizip/{path}/{inner}".rstrip("/") if path.suffix == ".zip" else str(path)
    notes: list[tuple[str, dict[str, Any]]] = []
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(address)]
        if len(layers) > _MOST_LAYERS:
            raise Refusal("too_many_sheets", sheets=len(layers), most=_MOST_LAYERS)
        sheets = [_sheet(address, layer, kind, keeper) for layer in layers]
    except (DataSourceError, DataLayerError, FieldError, ValueError, OSError) as error:
        raise Refusal("damaged") from error
    return Workbook(filename, kind, sheets, notes)


def _sheet(address: str, layer: str, kind: FileKind, keeper: object) -> Sheet:
    info = pyogrio.read_info(address, layer=layer)
    count = int(info["features"])
    if count > _MOST_FEATURES:
        raise Refusal("too_large", rows=count, columns=len(info["fields"]))
    crs = info["crs"] and str(info["crs"])
    names = [str(name) for name in info["fields"]]
    return Sheet(layer, _rows_of(address, layer, names, crs, kind, keeper), header_row=1, crs=crs)


def _rows_of(
    address: str, layer: str, fields: list[str], crs: str | None, kind: FileKind, keeper: object
) -> Callable[[], Iterator[Row]]:
    geographic = kind in ("geojson", "kml") or crs in ("EPSG:4326", "OGC:CRS84", "EPSG:4756")
    axes = ["lon", "lat"] if geographic else ["easting", "northing"]

    def rows() -> Iterator[Row]:
        assert keeper is not None
        yield Row(1, [*fields, *axes, "geometry"])
        start = 0
        while True:
            try:
                _, _, shapes, columns = gis.read(
                    address, layer=layer, skip_features=start, max_features=_AT_ONCE, datetime_as_string=True
                )
            except (DataSourceError, DataLayerError, ValueError) as error:
                raise Refusal("damaged") from error
            count = len(columns[0]) if len(columns) else (0 if shapes is None else len(shapes))
            for index in range(count):
                values = [_value(column[index]) for column in columns]
                place = _place(shapes[index]) if shapes is not None else [None, None, None]
                yield Row(start + index + 2, [*values, *place])
            start += count
            if count < _AT_ONCE:
                return

    return rows


def _place(shape: bytes | None) -> list[Value | None]:
    if shape is None:
        return [None, None, None]
    try:
        geometry: Any = shapely.from_wkb(shape)
    except shapely.errors.ShapelyError:
        return [None, None, bytes(shape).hex()]
    if geometry.is_empty:
        return [None, None, None]
    if shapely.get_type_id(geometry) == _POINT:
        return [float(geometry.x), float(geometry.y), None]
    point = shapely.point_on_surface(geometry)
    return [float(point.x), float(point.y), str(shapely.to_wkt(geometry, rounding_precision=9))]


def _value(value: Any) -> Value | None:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        # An attribute may be a list: its members in one cell.
        value = "; ".join(str(member) for member in value)
    if is_empty(value) or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str | int | float | datetime.date | datetime.time):
        return value
    return str(value)
