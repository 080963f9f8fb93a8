"""Pages of features and single features. GeoJSON is made in PostGIS and passed through as text."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Integer,
    Numeric,
    Select,
    Text,
    bindparam,
    func,
    literal_column,
    null,
    select,
)
from sqlalchemy.types import TypeEngine

from layers import filters
from layers.collections import Collection, Field
from layers.feature_text import COORDINATE_DIGITS, feature_columns, feature_text, shown_fields
from layers.filters import conditions
from layers.keyset import VIETNAMESE, Key, Keyset
from layers.query import FeatureQuery
from layers.search import Search
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
EXACT_UP_TO = 20_000
"""So many matches are counted, in a few milliseconds; of more the planner's estimate is told, and called one."""
_SORTED_LETTERS = 120
"""Letters of a text that decide its place; what differs only further on keeps the order of registration."""

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

    Of the query only `crs` and `properties` count.
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
    run = statement.run_planned if query.properties is None else statement.run
    found = run(connection, {"feature_id": feature_id}).one_or_none()
    return None if found is None else Feature(found.text, found.version)


def _single(collection: Collection, query: FeatureQuery) -> Select[Any]:
    columns = feature_columns(collection, query.properties)
    if collection.versioned:
        columns.append(collection.view.c.version.label("_version"))
    named = collection.column(collection.id_field) == bindparam("feature_id", None, Text())
    chosen = select(*columns).where(named).subquery("chosen")
    version: ColumnElement[Any] = chosen.c["_version"] if collection.versioned else null()
    return select(feature_text(collection, chosen, query).label("text"), version.label("version")).select_from(chosen)


class Matched:
    """The rows that a query matches, and the order they come in."""

    def __init__(self, connection: Connection, collection: Collection, query: FeatureQuery) -> None:
        self.connection, self.collection, self.query = connection, collection, query
        self.search = Search(connection, collection, query.q) if query.q is not None else None
        self.brief = False
        """Whether only those matches of a search are asked for that are ranked."""
        others = conditions(collection, query)
        if self.search is not None and others and not query.sortby:
            self.search.narrow(connection, others)
        self.order = _order(collection, query, self.search)

    def run(self, kind: str, build: Any) -> Sequence[Any]:
        """The rows of one page and one more, by `build(self)`."""
        if self.search is not None and self.search.cut and not self.query.sortby:
            self.brief = True
            found = self._run(kind, build)
            if len(found) > self.query.limit:
                return found
            self.brief = False
        return self._run(kind, build)

    def _run(self, kind: str, build: Any) -> Sequence[Any]:
        query = self.query
        statement = _SHAPES.statement(self.shape(kind, self.order.shape(query.cursor)), lambda: build(self))
        values = self.bound() | self.order.values(query.cursor, query.limit, query.offset)
        return statement.run(self.connection, values).all()

    def shape(self, *parts: Hashable) -> Hashable | None:
        """What makes a statement about these rows differ; None where the words of `q` stand in the statement."""
        query, search = self.query, None
        if self.search is not None:
            search = self.search.shape(brief=self.brief)
            if search is None:
                return None
        seen = self.collection.id, self.collection.seen_by
        return (*parts, *seen, search, filters.shape(query), query.properties, query.crs)

    def bound(self) -> dict[str, Any]:
        """The values of the conditions' bind parameters."""
        found = filters.bound(self.collection, self.query)
        return found if self.search is None else found | self.search.bound

    def narrowed(self, statement: Select[Any]) -> Select[Any]:
        """The statement with all conditions but the cursor's."""
        found = statement.where(*conditions(self.collection, self.query))
        if self.search is None:
            return found
        return found.where(self.search.best() if self.brief else self.search.condition())

    def page_rows(self, columns: Sequence[ColumnElement[Any]]) -> Any:
        """The page's rows (one more than asked for, to know whether there is a next page) as a subquery.

        Chosen by their ids first: what a view joins to every row that matches, it then joins to the page's rows alone.
        """
        query, view = self.query, self.collection.view
        ids = self.order.page(self.narrowed(select(view.c.id)), query.cursor, query.limit, query.offset)
        picked = ids.subquery("picked")
        keys = (picked.c[label] for label in self.order.labels)
        statement = select(*columns, *keys).select_from(view.join(picked, view.c.id == picked.c.id))
        return statement.subquery("chosen")

    def placed(self, chosen: Any) -> list[ColumnElement[Any]]:
        """The order of `page_rows`, which a subquery's own is nobody's promise."""
        return [
            replace(key, expression=chosen.c[label]).order
            for label, key in zip(self.order.labels, self.order.keys, strict=True)
        ]

    def more_than(self, most: int) -> bool:
        """Whether more than so many rows match."""
        return self._some(most + 1) > most

    def count(self, found: int) -> tuple[int | None, bool]:
        """How many features match in all, for a first page that `found` so many rows; and whether that is estimated."""
        query = self.query
        if query.cursor is not None:
            return None, False
        if found <= query.limit and (found or not query.offset):
            return query.offset + found, False
        if self.brief:
            # To count what a letter matches would take as long as to rank it.
            self.brief = False
            return max(query.offset + found, self._estimate()), True
        estimate = self._estimate()
        if estimate > 10 * EXACT_UP_TO:
            # To count only so far would still read a thousand pages, each time others.
            return estimate, True
        number = self._some(EXACT_UP_TO + 1)
        return (number, False) if number <= EXACT_UP_TO else (max(number, estimate), True)

    def _some(self, most: int) -> int:
        """How many rows match; counting ends at `most`."""
        bound = bindparam("most", most, Integer())
        matching = _SHAPES.statement(
            self.shape("some"),
            lambda: select(func.count()).select_from(
                self.narrowed(select(literal_column("1")).select_from(self.collection.view))
                .limit(bound)
                .subquery("some")
            ),
        )
        number: int = matching.run(self.connection, {**self.bound(), "most": most}).scalar_one()
        return number

    def _estimate(self) -> int:
        every = _SHAPES.statement(
            self.shape("every"),
            lambda: self.narrowed(select(literal_column("1")).select_from(self.collection.view)),
        )
        plan = every.explained(self.connection, self.bound())
        return int(plan["Plan"]["Plan Rows"])


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


def _order(collection: Collection, query: FeatureQuery, search: Search | None) -> Keyset:
    last = Key(collection.view.c.id, BigInteger())
    if query.sortby:
        name = ",".join(f"{'-' if key.descending else ''}{key.name}" for key in query.sortby)
        keys = [_sort_key(collection, collection.field_by_name[key.name], key.descending) for key in query.sortby]
        return Keyset(f"sort:{name}", [*keys, last])
    if search is not None:
        return Keyset("match", [Key(search.rank(), Integer()), Key(search.distance(), Numeric()), last])
    return Keyset("", [last])


_KINDS: Mapping[str, TypeEngine[Any]] = {
    "integer": BigInteger(),
    "number": Numeric(),
    "boolean": Boolean(),
    "date": Date(),
    "date-time": DateTime(timezone=True),
    "array": ARRAY(Text),
}


def _sort_key(collection: Collection, field: Field, descending: bool) -> Key:
    column = collection.column(field.name)
    if field.type != "string":
        return Key(column, _KINDS[field.type], descending=descending, nullable=True)
    # Words for people in the order of the Vietnamese alphabet; codes as they are.
    words = None if field.code_list or field.filterable else VIETNAMESE
    return Key(func.left(column, _SORTED_LETTERS), Text(), words, descending, nullable=True)
