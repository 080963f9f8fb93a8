"""The register as staff look through it: search, filters with their counts, order, pages. Under row-level security."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    TableClause,
    Text,
    and_,
    any_,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from layers.collections import Collection, Field, TileRule
from layers.keyset import VIETNAMESE, Date, Integer, Key, Keyset, Numeric, decode_cursor
from layers.search import Search
from postgis import tables

FILTERS: Mapping[str, str] = MappingProxyType(
    {
        "sector_group": "code",
        "operating_status": "code",
        "licence_status": "code",
        "food_safety_status": "code",
        "accepts_cashless": "code",
        "payment_methods": "array",
        "residential_group": "code",
        "model_site": "code",
        "source": "code",
        "stale": "array",
        "missing": "array",
        "position_quality": "code",
        "live_warning": "boolean",
        "illustrative": "boolean",
    }
)
"""What the list can be narrowed by: the column and how its values are compared."""

SHOWN = (
    "id", "code", "name", "name_en", "sector_group", "kind", "address", "residential_group", "model_site", "stall",
    "operating_status", "licence_status", "licence_valid_until", "food_safety_status", "food_safety_valid_until",
    "payment_methods", "accepts_cashless", "live_warning", "verified_on", "updated_at", "source", "illustrative",
    "position_quality", "stale", "ended_at",
)  # fmt: skip

EXPORTED = (
    "code", "name", "name_en", "legal_form", "tax_code", "registry_status", "sector_group", "sector_scheme",
    "sector_code", "offering", "address", "house_number", "alley", "street_name", "residential_group", "model_site",
    "model_site_name", "stall", "operating_status", "opened_on", "closed_on", "live_warning", "licence_status",
    "licence_valid_until", "food_safety_status", "food_safety_valid_until", "last_inspection_result",
    "last_inspection_on", "payment_methods", "accepts_cashless", "active_acceptance", "payment_checked_on",
    "on_digital_platform", "position_method", "position_accuracy_m", "verified_on", "source", "illustrative",
    "updated_at",
)  # fmt: skip
"""No personal field: registered names and numbers of households may be their owners'."""

OVERVIEW: TableClause = table(
    "establishment_overview",
    *(
        column(name)
        for name in dict.fromkeys(
            (
                *SHOWN,
                *EXPORTED,
                "version",
                "missing",
                "legal_entity_id",
                "legal_entity",
                "registered_name",
                "suspended_until",
                "outside_accepted",
                "merged_into_id",
                "end_reason",
                *(f"{fact}_fresh_until" for fact in ("payment", "licence", "address", "food_safety", "digital")),
                "name_key",
                "search_key",
                "geom",
            )
        )
    ),
    schema="register",
)
"""The view of functions/300_register_overview.sql."""


class _Overview(Collection):
    @cached_property
    def view(self) -> TableClause:
        return OVERVIEW


_COLLECTION = _Overview("establishment_overview", "Point", (Field("code"),), TileRule(fields=()), searchable=True)


@dataclass(frozen=True, slots=True)
class RegisterQuery:
    """What staff ask of the list, already checked.

    `equals` maps a filter to the values of which any may hold. `entities` are the legal entities that `q` names by a
    tax code or a telephone number (`personal_data.find_by_identifier`); with `of_entities` only their places are
    meant. `ended` shows records that no longer count.
    """

    q: str | None = None
    equals: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    entities: tuple[str, ...] = ()
    of_entities: tuple[str, ...] | None = None
    ended: bool = False
    sort: str | None = None
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class RegisterPage:
    """One page of the list."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many establishments match, and by filter how many each value would leave."""

    total: int
    by_filter: Mapping[str, Mapping[str, int]]


SORTS = ("best", "updated", "name", "street", "verified", "expiry")


def page(connection: Connection, query: RegisterQuery) -> RegisterPage:
    """One page of what matches. Raises InvalidCursor."""
    found = _Found(connection, query)
    order = found.order()
    statement = select(*(OVERVIEW.c[name] for name in SHOWN)).where(*found.searched, *found.narrowed.values())
    cursor = None if query.cursor is None else decode_cursor(query.cursor)
    rows = connection.execute(order.page(statement, cursor, query.limit)).mappings().all()
    shown = rows[: query.limit]
    return RegisterPage(
        [{name: row[name] for name in SHOWN} for row in shown],
        order.after(shown[-1]) if len(rows) > query.limit else None,
    )


def counts(connection: Connection, query: RegisterQuery) -> Counts:
    """The total, and for each filter the counts of its values with all the other filters in force."""
    found = _Found(connection, query)
    tests = {name: found.narrowed.get(name, true()) for name in FILTERS}
    base = (
        select(*(OVERVIEW.c[name] for name in FILTERS), *(test.label(f"ok_{name}") for name, test in tests.items()))
        .where(*found.searched)
        .cte("base")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    parts: list[Any] = []
    for name, kind in FILTERS.items():
        value = func.unnest(base.c[name]) if kind == "array" else base.c[name]
        others = [base.c[f"ok_{other}"] for other in FILTERS if other != name]
        chosen = select(cast(value, Text).label("value")).where(*others).subquery()
        parts.append(
            select(literal(name).label("filter"), chosen.c.value, func.count().label("count")).group_by(chosen.c.value)
        )
    everything = [base.c[f"ok_{name}"] for name in FILTERS]
    parts.append(select(literal(""), cast(None, Text), func.count()).select_from(base).where(*everything))
    by_filter: dict[str, dict[str, int]] = {name: {} for name in FILTERS}
    total = 0
    for name, value, count in connection.execute(union_all(*parts)):
        if name == "":
            total = count
        elif value is not None:
            by_filter[name][value] = count
    return Counts(total, by_filter)


def export_rows(connection: Connection, query: RegisterQuery) -> Iterator[dict[str, Any]]:
    """Everything that matches, in the list's order, with the columns of EXPORTED and the point as `lon`, `lat`."""
    found = _Found(connection, query)
    order = [key.expression for key in found.order().keys]
    point = (func.public.st_x(OVERVIEW.c.geom).label("lon"), func.public.st_y(OVERVIEW.c.geom).label("lat"))
    statement = select(*(OVERVIEW.c[name] for name in EXPORTED), *point)
    statement = statement.where(*found.searched, *found.narrowed.values()).order_by(*order)
    for row in connection.execution_options(yield_per=500).execute(statement).mappings():
        yield {**row}


def brief(connection: Connection, codes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Name and address of some establishments, by code; also of ended ones."""
    wanted = select(OVERVIEW.c.code, OVERVIEW.c.name, OVERVIEW.c.address).where(OVERVIEW.c.code.in_(codes))
    return {row["code"]: {**row} for row in connection.execute(wanted).mappings()} if codes else {}


def choices(connection: Connection) -> dict[str, dict[str, str]]:
    """The ward's own lists: residential groups and model sites, code to name, in order."""
    groups = tables.residential_group
    sites = tables.model_site
    return {
        "residential_group": {
            row.code: row.name
            for row in connection.execute(
                select(groups.c.code, groups.c.name).where(groups.c.valid_to.is_(None)).order_by(groups.c.number)
            )
        },
        "model_site": {
            row.code: row.name
            for row in connection.execute(
                select(sites.c.code, sites.c.name).where(sites.c.ended_at.is_(None)).order_by(sites.c.name)
            )
        },
    }


class _Found:
    """A query's conditions: those of the search, which every count keeps, and those of each filter."""

    def __init__(self, connection: Connection, query: RegisterQuery) -> None:
        self.query = query
        self.search = Search(connection, _COLLECTION, query.q) if query.q else None
        ended = OVERVIEW.c.ended_at.is_not(None) if query.ended else OVERVIEW.c.ended_at.is_(None)
        self.searched: list[ColumnElement[bool]] = [ended]
        if self.search is not None:
            self.searched.append(or_(self.search.condition(), *_of_entities(self.search, query)))
        if query.of_entities is not None:
            self.searched.append(OVERVIEW.c.legal_entity == any_(cast(list(query.of_entities), ARRAY(Text))))
        self.narrowed = {name: _condition(name, values) for name, values in query.equals.items()}

    def order(self) -> Keyset:
        """The order asked for; else the best match first, or what changed last."""
        sort = self.query.sort or ("best" if self.search else "updated")
        if sort == "best" and self.search is None:
            sort = "updated"
        return Keyset(sort, [*self._keys(sort), Key(OVERVIEW.c.id, BigInteger())])

    def _keys(self, sort: str) -> Sequence[Key]:
        view = OVERVIEW.c
        if sort == "best" and self.search is not None:
            return [Key(self.search.rank(), Integer()), Key(self.search.distance(), Numeric())]
        if sort == "updated":
            return [Key(-func.extract("epoch", view.updated_at), Numeric())]
        if sort == "street":
            number = func.coalesce(func.lpad(func.substring(view.house_number, "[0-9]+"), 8, "0"), "")
            return [
                Key(cast(view.street_name.is_(None), Integer), Integer()),
                Key(func.coalesce(view.street_name, ""), Text(), VIETNAMESE),
                Key(number, Text()),
            ]
        if sort == "verified":
            return [Key(func.coalesce(view.verified_on, cast("0001-01-01", Date)), Date())]
        if sort == "expiry":
            return [Key(func.coalesce(view.licence_valid_until, cast("9999-12-31", Date)), Date())]
        return [
            Key(cast(view.name.is_(None), Integer), Integer()),
            Key(func.coalesce(view.name, ""), Text(), VIETNAMESE),
        ]


def _of_entities(search: Search, query: RegisterQuery) -> list[ColumnElement[bool]]:
    """Establishments whose legal entity has the registered name or the number looked for."""
    entity = tables.legal_entity
    wanted: list[ColumnElement[bool]] = [entity.c.code == any_(cast(list(query.entities), ARRAY(Text)))]
    if search.folded:
        wanted.append(func.published.search_key(entity.c.registered_name).like(f"%{search.folded}%"))
    return [OVERVIEW.c.legal_entity_id.in_(select(entity.c.id).where(or_(*wanted)))]


def _condition(name: str, values: Sequence[str]) -> ColumnElement[bool]:
    wanted = OVERVIEW.c[name]
    if FILTERS[name] == "array":
        return and_(true(), wanted.op("&&", is_comparison=True)(cast(list(values), ARRAY(Text))))
    if FILTERS[name] == "boolean":
        return wanted.in_([value == "true" for value in values])
    return wanted == any_(cast(list(values), ARRAY(Text)))
