"""The rows of an export, from a server-side cursor: a thousand at a time, however many there are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from layers.collections import Collection, Field
from layers.crs import Crs, geometry_xy
from layers.feature_text import coordinate_digits, shown_fields
from layers.features import Matched
from layers.query import FeatureQuery
from layers.statements import Statement

AT_A_TIME = 1_000


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of an export: its fields, the id first, then where it lies."""

    fields: tuple[Field, ...]
    place: tuple[str, ...]
    """`lon`, `lat` of points; `easting`, `northing` where the CRS has metres; `geometry` (WKT) of other shapes."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""
        return (*(field.name for field in self.fields), *self.place)


def fields_of(collection: Collection, query: FeatureQuery) -> tuple[Field, ...]:
    """The fields of a table: those that are shown, and always the id."""
    shown = shown_fields(collection, query.properties)
    first = collection.field_by_name[collection.id_field]
    return (first, *(field for field in shown if field.name != first.name))


def table_of(collection: Collection, query: FeatureQuery, *, shapes: bool = True) -> Table:
    """What a table of these features is made of; without `shapes` only points say where they lie."""
    place: tuple[str, ...] = ()
    if collection.geometry == "Point":
        place = ("easting", "northing") if query.crs.projected else ("lon", "lat")
    elif collection.geometry and shapes:
        place = ("geometry",)
    return Table(fields_of(collection, query), place)


def table_rows(
    connection: Connection, collection: Collection, query: FeatureQuery, table: Table
) -> Iterator[Mapping[str, Any]]:
    """The features as flat rows: lists joined by commas, a point as two numbers, other shapes as WKT."""
    digits = query.crs.digits(coordinate_digits(collection))
    for row in _rows(connection, collection, query, _placed(collection, query.crs, table.place, digits)):
        yield dict(zip(table.names, (_flat(value, digits) for value in row), strict=True))


def batches(connection: Connection, collection: Collection, query: FeatureQuery) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The values of the fields in their own types, and last the geometry as WKB (x before y) where there is one."""
    geometry = [func.public.st_asbinary(geometry_xy(collection.view.c.geom, query.crs))] if collection.geometry else []
    held: list[tuple[Any, ...]] = []
    for row in _rows(connection, collection, query, geometry):
        held.append(row)
        if len(held) == AT_A_TIME:
            yield held
            held = []
    if held:
        yield held


def _rows(
    connection: Connection, collection: Collection, query: FeatureQuery, place: Sequence[ColumnElement[Any]]
) -> Iterator[tuple[Any, ...]]:
    matched = Matched(connection, collection, query)
    columns: list[ColumnElement[Any]] = [collection.column(field.name) for field in fields_of(collection, query)]
    wanted: Select[Any] = select(*columns, *place)
    statement = Statement(matched.order.page(matched.narrowed(wanted), query.cursor, query.limit))
    values = matched.bound() | matched.order.values(query.cursor, query.limit - 1, query.offset)
    reading = connection.execution_options(stream_results=True, max_row_buffer=AT_A_TIME)
    width = len(columns) + len(place)
    for row in statement.run(reading, values):
        yield tuple(row[:width])


def _placed(collection: Collection, crs: Crs, names: Sequence[str], digits: int) -> list[ColumnElement[Any]]:
    if not names:
        return []
    told = geometry_xy(collection.view.c.geom, crs)
    if len(names) == 1:
        return [func.public.st_astext(told, digits)]
    return [func.public.st_x(told), func.public.st_y(told)]


def _flat(value: object, digits: int) -> object:
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return round(value, digits) if isinstance(value, float) else value


def written_days(rows: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The rows with days and moments as ISO 8601 writes them, for readers that are programs."""
    for row in rows:
        yield {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
