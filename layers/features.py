"""Pages of features and single features. GeoJSON is made in PostGIS and passed through as text."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Numeric,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    tuple_,
)
from sqlalchemy.types import TypeEngine

from layers.collections import Collection, Field
from layers.crs import CRS84, Crs, geometry_json
from layers.errors import InvalidCursor
from layers.filters import conditions
from layers.query import FeatureQuery
from layers.search import Search

COORDINATE_DIGITS = 6
"""About 0.1 m: finer than any position in the register."""
STAFF_COORDINATE_DIGITS = 7
"""As `postgis.store.records` reads them: who sends a position back as it was sent has not moved it."""


@dataclass(frozen=True, slots=True)
class FeaturePage:
    """One page of GeoJSON features: `features` is the text between the brackets of the array."""

    features: str
    number_returned: int
    number_matched: int | None
    """Only counted for a first page; a later page would repeat the work for a figure the client already has."""
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class RowPage:
    """One page as plain rows (properties plus `lon` and `lat` of a point on the feature), for pages made for people."""

    rows: list[dict[str, Any]]
    number_matched: int | None
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its GeoJSON text, and the version of its record where records have one."""

    text: str
    version: int | None


def page(connection: Connection, collection: Collection, query: FeatureQuery) -> FeaturePage:
    """The features that match, in a stable order (best match first with `q`, else as registered).

    Raises InvalidCursor for a cursor that was not made for this kind of query.
    """
    plan = _Plan(connection, collection, query)
    chosen = plan.page_rows(_feature_columns(collection))
    feature = _feature_text(collection, chosen, query.crs)
    rows = connection.execute(
        select(feature, *(chosen.c[name] for name in plan.key_names)).order_by(*_order(chosen, plan))
    )
    found = rows.all()
    shown = found[: query.limit]
    return FeaturePage(
        features=",\n".join(row[0] for row in shown),
        number_returned=len(shown),
        number_matched=plan.count(connection),
        next_cursor=_encode(shown[-1][1:]) if len(found) > query.limit else None,
    )


def rows(connection: Connection, collection: Collection, query: FeatureQuery) -> RowPage:
    """The same page as plain dictionaries."""
    plan = _Plan(connection, collection, query)
    inside = func.public.st_pointonsurface(collection.view.c.geom)
    chosen = plan.page_rows(
        [
            *(collection.column(field.name) for field in collection.fields),
            func.public.st_x(inside).label("lon"),
            func.public.st_y(inside).label("lat"),
        ]
    )
    found = connection.execute(select(chosen).order_by(*_order(chosen, plan))).mappings().all()
    shown = found[: query.limit]
    return RowPage(
        rows=[{name: value for name, value in row.items() if name not in plan.key_names} for row in shown],
        number_matched=plan.count(connection),
        next_cursor=_encode([shown[-1][name] for name in plan.key_names]) if len(found) > query.limit else None,
    )


def one(connection: Connection, collection: Collection, feature_id: str, crs: Crs = CRS84) -> Feature | None:
    """One feature, or None when there is none by that id. Staff get their own ward's whole, others' as published."""
    if collection.seen_by == "staff":
        own = _one(connection, collection.own, feature_id, crs)
        if own is not None or collection.access == "staff":
            return own
        collection = collection.face("public")
    return _one(connection, collection, feature_id, crs)


def _one(connection: Connection, collection: Collection, feature_id: str, crs: Crs) -> Feature | None:
    key = (collection.id, collection.seen_by, crs.uri)
    statement = _SINGLE.get(key)
    if statement is None:
        statement = _SINGLE[key] = _single(collection, crs)
    found = connection.execute(statement, {"feature_id": feature_id}).one_or_none()
    return None if found is None else Feature(found[0], found[1])


_SINGLE: dict[tuple[str, str, str], Select[Any]] = {}
"""The statement for one feature, by collection, face and CRS: to put it together takes longer than to run it."""


def _single(collection: Collection, crs: Crs) -> Select[Any]:
    columns = _feature_columns(collection)
    if collection.versioned:
        columns.append(collection.view.c.version.label("_version"))
    named = collection.column(collection.id_field) == bindparam("feature_id", type_=Text)
    chosen = select(*columns).where(named).subquery("chosen")
    version = chosen.c["_version"] if collection.versioned else null()
    return select(_feature_text(collection, chosen, crs), version)


def extent(connection: Connection, collection: Collection) -> tuple[float, float, float, float] | None:
    """West, south, east, north of everything published of the collection, in degrees; None where there is no place in
    it. Asked of the index, by what lies next to each edge of the world: it costs the same however much there is."""
    if collection.geometry is None:
        return None
    view = collection.face("public").view if collection.access == "public" else collection.view
    edges = {
        func.public.st_xmin: "LINESTRING(-180 -90, -180 90)",
        func.public.st_ymin: "LINESTRING(-180 -90, 180 -90)",
        func.public.st_xmax: "LINESTRING(180 -90, 180 90)",
        func.public.st_ymax: "LINESTRING(-180 90, 180 90)",
    }
    found = connection.execute(
        select(
            *(
                select(side(view.c.geom))
                .order_by(view.c.geom.op("OPERATOR(public.<->)")(func.public.st_geomfromtext(line, 4326)))
                .limit(1)
                .scalar_subquery()
                for side, line in edges.items()
            )
        )
    ).one()
    return None if found[0] is None else (found[0], found[1], found[2], found[3])


class _Plan:
    """The rows a query matches, the order they come in, and where the page starts."""

    def __init__(self, connection: Connection, collection: Collection, query: FeatureQuery) -> None:
        self.view, self.query = collection.view, query
        self.conditions = conditions(collection, query)
        self.keys: list[tuple[str, ColumnElement[Any], TypeEngine[Any]]] = []
        if query.q is not None:
            search = Search(connection, collection, query.q)
            self.conditions = [search.best(self.conditions), *self.conditions]
            self.keys = [("_rank", search.rank(), Integer()), ("_distance", search.distance(), Numeric())]
        self.keys.append(("_id", self.view.c.id, BigInteger()))
        self.key_names = [name for name, _, _ in self.keys]

    def page_rows(self, columns: Sequence[ColumnElement[Any]]) -> Any:
        """The page's rows (one more than asked for, to know whether there is a next page) as a subquery."""
        expressions = [expression for _, expression, _ in self.keys]
        labelled = [expression.label(name) for name, expression, _ in self.keys]
        statement: Select[Any] = select(*columns, *labelled).where(*self.conditions)
        if self.query.cursor is not None:
            statement = statement.where(tuple_(*expressions) > tuple_(*self._start()))
        statement = statement.order_by(*expressions).limit(self.query.limit + 1)
        return (statement.offset(self.query.offset) if self.query.offset else statement).subquery("chosen")

    def _start(self) -> list[ColumnElement[Any]]:
        values = self.query.cursor or ()
        if len(values) != len(self.keys):
            raise InvalidCursor
        try:
            numbers = [
                str(float(value)) if isinstance(kind, Numeric) else str(int(value))
                for value, (_, _, kind) in zip(values, self.keys, strict=True)
            ]
        except ValueError as error:
            raise InvalidCursor from error
        if any(len(number) > 19 for number in numbers):
            raise InvalidCursor
        return [cast(number, kind) for number, (_, _, kind) in zip(numbers, self.keys, strict=True)]

    def count(self, connection: Connection) -> int | None:
        """How many features match in all, for a first page."""
        if self.query.cursor is not None:
            return None
        found: int = connection.execute(
            select(func.count()).select_from(self.view).where(*self.conditions)
        ).scalar_one()
        return found


def _order(chosen: Any, plan: _Plan) -> list[ColumnElement[Any]]:
    return [chosen.c[name] for name in plan.key_names]


def _feature_columns(collection: Collection) -> list[ColumnElement[Any]]:
    columns: list[ColumnElement[Any]] = [collection.column(field.name) for field in collection.fields]
    if collection.geometry:
        columns.append(collection.view.c.geom)
    if collection.seen_by == "staff":
        columns.append(collection.view.c.own)
    return columns


def _feature_text(collection: Collection, chosen: Any, crs: Crs) -> ColumnElement[str]:
    geometry: Any = "null"
    if collection.geometry:
        digits = COORDINATE_DIGITS if collection.seen_by == "public" else STAFF_COORDINATE_DIGITS
        geometry = func.coalesce(geometry_json(chosen.c.geom, crs, digits), "null")
    properties = _properties(collection.fields)
    if collection.seen_by == "staff":
        # Of other wards' records staff see what everybody sees, under the names that everybody sees.
        others = _properties([field for field in collection.fields if field.access == "public"])
        properties = case((chosen.c.own, properties), else_=others)
    return func.concat(
        '{"type":"Feature","id":',
        cast(func.to_json(chosen.c[collection.id_field]), Text),
        ',"geometry":',
        geometry,
        ',"properties":',
        properties,
        "}",
    )


def _properties(fields: Sequence[Field]) -> ColumnElement[str]:
    names = ", ".join(f"chosen.{field.name}" for field in fields)
    return cast(literal_column(f"row_to_json((SELECT p FROM (SELECT {names}) AS p))"), Text)


def _encode(key: Sequence[Any]) -> str:
    text = json.dumps([str(value) for value in key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str) -> tuple[str, ...]:
    """The position in an opaque cursor. Raises InvalidCursor."""
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidCursor from error
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidCursor
    return tuple(values)
