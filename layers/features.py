"""Pages of features and single features. GeoJSON is made in PostGIS and passed through as text."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    bindparam,
    func,
    null,
    select,
)

from layers.boxed import BoxPage, box_page
from layers.collections import Collection
from layers.feature_text import COORDINATE_DIGITS, feature_columns, feature_text, shown_fields
from layers.filters import asked
from layers.keyset import encode_cursor
from layers.matched import AS_REGISTERED, EXACT_UP_TO, Matched
from layers.query import FeatureQuery
from layers.statements import Shapes

__all__ = [
    "COORDINATE_DIGITS",
    "EXACT_UP_TO",
    "WHOLE_AT_ONCE",
    "Feature",
    "FeaturePage",
    "Matched",
    "RowPage",
    "one",
    "page",
    "rows",
]

WHOLE_AT_ONCE = 1_000
"""A page of up to so many features is made as a whole; a longer one is better streamed (`layers.formats`)."""
_SHAPES = Shapes()


@dataclass(frozen=True, slots=True)
class FeaturePage:
    """One page of GeoJSON features: `features` is the text between the brackets of the array."""

    features: str
    number_returned: int
    number_matched: int | None
    """Only counted for a first page; a later page would repeat the work for a figure the client already has."""
    next_cursor: str | None
    estimated: bool = False
    """Whether `number_matched` is an estimate."""


@dataclass(frozen=True, slots=True)
class RowPage:
    """One page as plain rows (properties plus `lon` and `lat` of a point on the feature), for pages made for people."""

    rows: list[dict[str, Any]]
    number_matched: int | None
    next_cursor: str | None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its GeoJSON text, and the version of its record where records have one."""

    text: str
    version: int | None


def page(connection: Connection, collection: Collection, query: FeatureQuery) -> FeaturePage:
    """The features that match, in a stable order: that of `sortby`, else the best match first with `q`, else as
    registered.

    Raises InvalidCursor for a cursor that was not made for this kind of query.
    """
    boxed = box_page(connection, collection, query)
    if boxed is not None:
        return _boxed(query, boxed)
    matched = Matched(connection, collection, query)
    found = matched.run("page", _page_of_texts)
    shown = found[: query.limit]
    number, estimated = matched.count(len(found))
    return FeaturePage(
        features=",\n".join(row[0] for row in shown),
        number_returned=len(shown),
        number_matched=number,
        next_cursor=matched.order.after(shown[-1]._mapping) if len(found) > query.limit else None,
        estimated=estimated,
    )


def _boxed(query: FeatureQuery, found: BoxPage) -> FeaturePage:
    """What lies in a box, as registered."""
    more = found.number_matched > query.offset + found.number_returned and found.last is not None
    return FeaturePage(
        features=found.features,
        number_returned=found.number_returned,
        number_matched=found.number_matched,
        next_cursor=encode_cursor(AS_REGISTERED, [found.last]) if more else None,
    )


def rows(connection: Connection, collection: Collection, query: FeatureQuery) -> RowPage:
    """The same page as plain dictionaries."""
    matched = Matched(connection, collection, query)
    found = [row._mapping for row in matched.run("rows", _page_of_rows)]
    shown = found[: query.limit]
    number, estimated = matched.count(len(found))
    keys = set(matched.order.labels)
    return RowPage(
        rows=[{name: value for name, value in row.items() if name not in keys} for row in shown],
        number_matched=number,
        next_cursor=matched.order.after(shown[-1]) if len(found) > query.limit else None,
        estimated=estimated,
    )


def one(
    connection: Connection, collection: Collection, feature_id: str, query: FeatureQuery | None = None
) -> Feature | None:
    """One feature, or None when there is none by that id. Staff get their own ward's whole, others' as published.

    Of the query only `crs`, `properties` and what is `asked` count.
    """
    how = query or FeatureQuery()
    if collection.seen_by == "staff":
        own = _one(connection, collection.own, feature_id, how)
        if own is not None or collection.access == "staff":
            return own
        collection = collection.face("public")
    return _one(connection, collection, feature_id, how)


def _one(connection: Connection, collection: Collection, feature_id: str, query: FeatureQuery) -> Feature | None:
    shape = ("one", collection.id, collection.seen_by, query.properties, query.crs)
    statement = _SHAPES.statement(shape, lambda: _single(collection, query))
    found = statement.run_planned(connection, {"feature_id": feature_id, **asked(collection, query)})
    return Feature(*found[0]) if found else None


def _single(collection: Collection, query: FeatureQuery) -> Select[Any]:
    columns = feature_columns(collection, query.properties)
    if collection.versioned:
        columns.append(collection.view.c.version.label("_version"))
    named = collection.column(collection.id_field) == bindparam("feature_id", None, Text())
    chosen = select(*columns).where(named).subquery("chosen")
    version: ColumnElement[Any] = chosen.c["_version"] if collection.versioned else null()
    return select(feature_text(collection, chosen, query).label("text"), version.label("version")).select_from(chosen)


def _page_of_texts(matched: Matched) -> Select[Any]:
    collection, query = matched.collection, matched.query
    chosen = matched.page_rows(feature_columns(collection, query.properties))
    text = feature_text(collection, chosen, query)
    return select(text, *(chosen.c[name] for name in matched.order.labels)).order_by(*matched.placed(chosen))


def _page_of_rows(matched: Matched) -> Select[Any]:
    collection = matched.collection
    inside = func.public.st_pointonsurface(collection.view.c.geom)
    shown = [collection.column(field.name) for field in shown_fields(collection, matched.query.properties)]
    point = [func.public.st_x(inside).label("lon"), func.public.st_y(inside).label("lat")]
    chosen = matched.page_rows([*shown, *point])
    return select(chosen).order_by(*matched.placed(chosen))
