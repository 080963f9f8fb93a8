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
    cast,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.types import TypeEngine

from layers.collections import Collection
from layers.errors import InvalidCursor
from layers.filters import Search, conditions
from layers.query import FeatureQuery

COORDINATE_DIGITS = 6
"""About 0.1 m: finer than any position in the register."""


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


def page(connection: Connection, collection: Collection, query: FeatureQuery) -> FeaturePage:
    """The features that match, in a stable order (best match first with `q`, else as registered).

    Raises InvalidCursor for a cursor that was not made for this kind of query.
    """
    plan = _Plan(connection, collection, query)
    view = collection.view
    chosen = plan.page_rows([view.c.geom, *(collection.column(field.name) for field in collection.fields)])
    feature = _feature_text(collection, chosen)
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


def one(connection: Connection, collection: Collection, feature_id: str) -> str | None:
    """One feature as GeoJSON text, or None when there is none by that id."""
    view = collection.view
    chosen = (
        select(view.c.geom, *(collection.column(field.name) for field in collection.fields))
        .where(collection.column(collection.id_field) == feature_id)
        .subquery("chosen")
    )
    text: str | None = connection.execute(select(_feature_text(collection, chosen))).scalar_one_or_none()
    return text


def extent(connection: Connection, collection: Collection) -> tuple[float, float, float, float] | None:
    """West, south, east, north of everything in the collection, in degrees; None when it is empty."""
    box = func.public.st_extent(collection.view.c.geom)
    found = connection.execute(
        select(func.public.st_xmin(box), func.public.st_ymin(box), func.public.st_xmax(box), func.public.st_ymax(box))
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
            self.conditions.append(search.condition())
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


def _feature_text(collection: Collection, chosen: Any) -> ColumnElement[str]:
    names = ", ".join(f"chosen.{field.name}" for field in collection.fields)
    return func.concat(
        '{"type":"Feature","id":',
        cast(func.to_json(chosen.c[collection.id_field]), Text),
        ',"geometry":',
        func.coalesce(func.public.st_asgeojson(chosen.c.geom, COORDINATE_DIGITS), "null"),
        ',"properties":',
        literal_column(f"row_to_json((SELECT p FROM (SELECT {names}) AS p))", Text),
        "}",
    )


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
