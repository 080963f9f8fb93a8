"""FlatGeobuf, GeoPackage and GeoParquet from batches of Arrow columns: GDAL or pyarrow write them, in flat memory."""

import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from layers.collections import Collection, Field
from layers.crs import WGS84, Crs

GEOMETRY = "geometry"
_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "date-time": pa.timestamp("ms", tz="UTC"),
    "array": pa.list_(pa.string()),
}
_GEO_VERSION = "1.1.0"
_OPTIONS = {("FlatGeobuf", True): {"SPATIAL_INDEX": "NO"}}
"""By driver, and whether there is no geometry: its index would want one."""

Batches = Iterable[Sequence[tuple[Any, ...]]]


def write_gdal(
    path: Path, driver: str, collection: Collection, fields: Sequence[Field], crs: Crs, batches: Batches, title: str
) -> None:
    """Writes a file by one of GDAL's drivers. They have no lists: their values are joined by commas."""
    from pyogrio.raw import write_arrow

    schema = _schema(collection, fields, lists=False)
    reader = pa.RecordBatchReader.from_batches(schema, _record_batches(schema, batches))
    # GDAL makes "Point" of a nullable geometry; the register's lines and areas are all multi-part.
    geometry = {"geometry_name": GEOMETRY, "geometry_type": collection.geometry} if collection.geometry else {}
    if geometry.get("geometry_type") == "Geometry":
        geometry["geometry_type"] = "Unknown"
    write_arrow(
        reader, str(path), layer=collection.id, driver=driver,
        layer_options=_OPTIONS.get((driver, collection.geometry is None)), crs=f"EPSG:{crs.srid}" if geometry else None,
        layer_metadata={"DESCRIPTION": title} if driver == "GPKG" else None, **geometry,
    )  # fmt: skip


def write_parquet(path: Path, collection: Collection, fields: Sequence[Field], crs: Crs, batches: Batches) -> None:
    """Writes GeoParquet 1.1, a group of rows for each batch; plain Parquet for a collection without a place."""
    import pyarrow.parquet as pq

    schema = _schema(collection, fields, lists=True)
    if collection.geometry:
        schema = schema.with_metadata({"geo": json.dumps(_geo(collection, crs))})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _record_batches(schema, batches):
            writer.write_batch(batch)


def _schema(collection: Collection, fields: Sequence[Field], *, lists: bool) -> pa.Schema:
    columns = [
        pa.field(field.name, pa.string() if field.type == "array" and not lists else _TYPES[field.type])
        for field in fields
    ]
    return pa.schema([*columns, *([pa.field(GEOMETRY, pa.binary())] if collection.geometry else [])])


def _record_batches(schema: pa.Schema, batches: Batches) -> Iterator[pa.RecordBatch]:
    for rows in batches:
        columns = [
            pa.array([_plain(value, kind) for value in values], kind)
            for values, kind in zip(zip(*rows, strict=True), schema.types, strict=True)
        ]
        yield pa.record_batch(columns, schema=schema)


def _plain(value: Any, kind: pa.DataType) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, memoryview):
        return bytes(value)
    return ",".join(map(str, value)) if isinstance(value, list) and pa.types.is_string(kind) else value


def _geo(collection: Collection, crs: Crs) -> dict[str, Any]:
    """The metadata of GeoParquet. Without `crs` it is CRS84: longitude, latitude in WGS 84."""
    kinds = [] if collection.geometry == "Geometry" else [collection.geometry]
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": kinds}
    if crs.srid != WGS84:
        from pyproj import CRS

        column["crs"] = CRS.from_epsg(crs.srid).to_json_dict()
    return {"version": _GEO_VERSION, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
