"""The rows that a query matches: in which order, which of them make a page, and how many there are."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
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
    select,
)
from sqlalchemy.types import TypeEngine

from layers import filters, ranked
from layers.collections import Collection, Field
from layers.filters import conditions
from layers.keyset import VIETNAMESE, Key, Keyset
from layers.query import FeatureQuery
from layers.search import Search
from layers.statements import Shapes

EXACT_UP_TO = 20_000
"""So many matches are counted, in a few milliseconds; of more the planner's estimate is told, and called one."""
AS_REGISTERED = ""
"""The name of the order by id alone."""
_SORTED_LETTERS = 120
"""Letters of a text that decide its place; what differs only further on keeps the order of registration."""

_SHAPES = Shapes()


class Matched:
    """The rows that a query matches, and the order they come in."""

    def __init__(self, connection: Connection, collection: Collection, query: FeatureQuery) -> None:
        self.connection, self.collection, self.query = connection, collection, query
        self.search = Search(connection, collection, query.q) if query.q is not None else None
        self.brief = False
        """Whether only those matches of a search are asked for that are ranked."""
        self.picked: list[ranked.Place] = []
        self.ranked = 0
        if self.search is not None and not query.sortby and (others := conditions(collection, query)):
            self.search.narrow(connection, others)
        self.order = _order(collection, query, self.search)

    def run(self, kind: str, build: Any) -> Sequence[Any]:
        """The rows of one page and one more, by `build(self)`. Raises TooBroad."""
        search, query = self.search, self.query
        if search is None or search.ids is None or query.sortby:
            return self._run(kind, build)
        self.brief = True
        best = self._ranked(search)
        page = ranked.page_of(best, self.order, query.cursor, query.limit, query.offset)
        if search.cut and len(page) <= query.limit:
            # The rest follow as registered.
            self.brief = False
            return self._run(kind, build)
        self.ranked = len(best)
        if not page:
            return []
        self.picked = page
        statement = _SHAPES.statement(self.shape(kind, "ranked"), lambda: build(self))
        return statement.run(self.connection, self.bound() | ranked.bound(page)).all()

    def _ranked(self, search: Search) -> list[ranked.Place]:
        """All that are ranked, in order."""

        def build() -> Select[Any]:
            keys = search.rank_among(), search.distance_among(), self.collection.view.c.id
            return self.narrowed(select(*keys)).order_by(*keys)

        statement = _SHAPES.statement(self.shape("rank"), build)
        found = statement.run(self.connection, self.bound()).all()
        return [ranked.Place(*tuple(row)) for row in found]

    def _run(self, kind: str, build: Any) -> Sequence[Any]:
        query = self.query
        statement = _SHAPES.statement(self.shape(kind, self.order.shape(query.cursor)), lambda: build(self))
        values = self.bound() | self.order.values(query.cursor, query.limit, query.offset)
        if query.sortby:
            tests = filters.spatial_tests(query)
            return statement.run_bounded(self.connection, values, "sortby", spatial_tests=tests).all()
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
        if self.picked:
            table = ranked.picked(self.picked, self.order.labels)
            chosen = select(*columns, *table.c).select_from(
                view.join(table, view.c.id == table.c[self.order.labels[-1]])
            )
            return chosen.subquery("chosen")
        ids = self.order.page(self.narrowed(select(view.c.id)), query.cursor, query.limit, query.offset)
        picked = ids.subquery("picked")
        keys = (picked.c[label] for label in self.order.labels)
        statement = select(*columns, *keys).select_from(view.join(picked, view.c.id == picked.c.id))
        return statement.subquery("chosen")

    def all_rows(self, columns: Sequence[ColumnElement[Any]]) -> Any:
        """The same rows as `page_rows`, for a page so long that to choose their ids first means to read them twice.

        As registered they come one by one, and so the first of them at once; any other order has to be made first.
        """
        query, view = self.query, self.collection.view
        if query.sortby or self.search is not None:
            return self.page_rows(columns)
        every = self.narrowed(select(*columns).select_from(view))
        return self.order.page(every, query.cursor, query.limit, query.offset).subquery("chosen")

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
        if self.brief and self.search is not None and not self.search.cut:
            return self.ranked, False
        if self.brief:
            # To count what a letter matches would take as long as to rank it.
            self.brief = False
            return max(query.offset + found, self.estimate), True
        estimate = self.estimate
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

    @cached_property
    def estimate(self) -> int:
        """How many rows the planner thinks will match."""
        every = _SHAPES.statement(
            self.shape("every"),
            lambda: self.narrowed(select(literal_column("1")).select_from(self.collection.view)),
        )
        plan = every.explained(self.connection, self.bound())
        return int(plan["Plan"]["Plan Rows"])


def _order(collection: Collection, query: FeatureQuery, search: Search | None) -> Keyset:
    last = Key(collection.view.c.id, BigInteger())
    if query.sortby:
        name = ",".join(f"{'-' if key.descending else ''}{key.name}" for key in query.sortby)
        keys = [_sort_key(collection, collection.field_by_name[key.name], key.descending) for key in query.sortby]
        return Keyset(f"sort:{name}", [*keys, last])
    if search is not None:
        return Keyset("match", [Key(search.rank(), Integer()), Key(search.distance(), Numeric()), last])
    return Keyset(AS_REGISTERED, [last])


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
    if field.code_list or field.filterable:
        return Key(column, Text(), None, descending, nullable=field.name != collection.id_field)
    return Key(func.left(column, _SORTED_LETTERS), Text(), VIETNAMESE, descending, nullable=True)
