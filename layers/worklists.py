"""What officers should look at this week: lists of places with something to check, counted and paged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Numeric,
    Text,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from layers.keyset import Key, Keyset, decode_cursor
from layers.register import OVERVIEW
from postgis import tables
from postgis.vocabulary import FRESHNESS_FACTS

ROWS_PER_PAGE = 50
POOR_FROM_M = 50
_SAME_POINT_DECIMALS = 5
"""Of a degree, about a metre: two fronts are never so close; the same pin was used twice."""
_LAST = "9999-12-31"

COLUMNS = (
    "id", "code", "name", "sector_group", "kind", "address", "residential_group", "operating_status", "illustrative",
    "version",
)  # fmt: skip


@dataclass(frozen=True)
class Worklist:
    """One list: which places, and the day they are ordered by (the most pressing first)."""

    name: str
    section: str
    condition: ColumnElement[bool]
    due: ColumnElement[Any]


def _due_in(day: ColumnElement[Any], first: int, last: int) -> ColumnElement[bool]:
    today = func.current_date()
    return and_(day >= today + first, day <= today + last)


def _expiring(section: str, day: ColumnElement[Any]) -> list[Worklist]:
    gone = day < func.current_date()
    return [
        Worklist(f"{section}_expired", section, gone, day),
        Worklist(f"{section}_30", section, _due_in(day, 0, 30), day),
        Worklist(f"{section}_90", section, _due_in(day, 31, 90), day),
        Worklist(f"{section}_180", section, _due_in(day, 91, 180), day),
    ]


def _stale(fact: str) -> Worklist:
    condition = OVERVIEW.c.stale.op("@>", is_comparison=True)(cast([fact], ARRAY(Text)))
    return Worklist(f"stale_{fact}", "stale", condition, OVERVIEW.c[f"{fact}_fresh_until"])


def _outside_ward() -> ColumnElement[bool]:
    place, ward = tables.establishment.alias("of_place"), tables.ward
    # A join, and not a test for each row: PostGIS then prepares the ward's outline once. No outline, no outside.
    outside = (
        select(place.c.id)
        .select_from(place.join(ward, ward.c.id == place.c.ward_id))
        .where(~func.public.st_intersects(ward.c.geom, place.c.geom))
    )
    return OVERVIEW.c.id.in_(outside)


def _shares_point() -> ColumnElement[bool]:
    place = tables.establishment.alias("at_point")
    # By rounding and not by distance: row-level security keeps spatial indexes out of a self-join.
    spot = [
        func.round(cast(side(place.c.geom), Numeric), _SAME_POINT_DECIMALS)
        for side in (func.public.st_x, func.public.st_y)
    ]
    together = (
        select(func.unnest(func.array_agg(place.c.id)))
        .where(place.c.ended_at.is_(None))
        .group_by(*spot)
        .having(func.count() > 1)
    )
    # Stalls of one market are drawn where somebody could stand; they are told apart by their numbers.
    return and_(OVERVIEW.c.stall.is_(None), OVERVIEW.c.id.in_(together))


_NO_DAY = cast(literal(None), Date)
WORKLISTS: Mapping[str, Worklist] = {
    worklist.name: worklist
    for worklist in (
        *_expiring("licence", OVERVIEW.c.licence_valid_until),
        *_expiring("food_safety", OVERVIEW.c.food_safety_valid_until),
        *(_stale(fact) for fact in FRESHNESS_FACTS),
        Worklist(
            "suspension_over",
            "status",
            and_(OVERVIEW.c.operating_status == "suspended", OVERVIEW.c.suspended_until < func.current_date()),
            OVERVIEW.c.suspended_until,
        ),
        Worklist("outside_ward", "position", _outside_ward(), _NO_DAY),
        Worklist(
            "poor_position",
            "position",
            or_(OVERVIEW.c.position_method == "generated", OVERVIEW.c.position_accuracy_m > POOR_FROM_M),
            _NO_DAY,
        ),
        Worklist("same_point", "position", _shares_point(), _NO_DAY),
    )
}
"""Every list by its name, in the order of the page."""

SECTIONS = ("licence", "food_safety", "stale", "status", "position")


@dataclass(frozen=True, slots=True)
class WorklistPage:
    """One page of a list. Each row has the columns of COLUMNS, `due` (a day or None), `lon` and `lat`."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


def counts(connection: Connection) -> dict[str, int]:
    """How many places stand in each list."""
    statement = select(*(func.count().filter(each.condition).label(each.name) for each in WORKLISTS.values()))
    return dict(connection.execute(statement.where(*_in_business())).mappings().one())


def count(connection: Connection, name: str) -> int:
    """How many places stand in one list. Raises KeyError for no list."""
    return _number(connection, WORKLISTS[name].condition)


def population(connection: Connection) -> int:
    """How many places could stand in a list."""
    return _number(connection)


def _number(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    counted = select(func.count()).select_from(OVERVIEW).where(*_in_business(), *conditions)
    return int(connection.execute(counted).scalar_one())


def page(connection: Connection, name: str, cursor: str | None = None, limit: int = ROWS_PER_PAGE) -> WorklistPage:
    """One page of a list, the most pressing first. Raises KeyError for no list, InvalidCursor."""
    worklist = WORKLISTS[name]
    day = func.coalesce(worklist.due, cast(_LAST, Date))
    order = Keyset(name, [Key(day, Date()), Key(OVERVIEW.c.id, BigInteger())])
    statement = select(*_shown(worklist)).where(*_in_business(), worklist.condition)
    after = None if cursor is None else decode_cursor(cursor)
    rows = connection.execute(order.page(statement, after, limit)).mappings().all()
    shown = rows[:limit]
    names = (*COLUMNS, "due", "lon", "lat")
    return WorklistPage(
        [{column: row[column] for column in names} for row in shown],
        order.after(shown[-1]) if len(rows) > limit else None,
    )


def every_row(connection: Connection, name: str) -> Iterator[dict[str, Any]]:
    """All places of a list, in its order: for a file."""
    worklist = WORKLISTS[name]
    statement = select(*_shown(worklist)).where(*_in_business(), worklist.condition)
    for row in connection.execute(statement.order_by(worklist.due.nulls_last(), OVERVIEW.c.id)).mappings():
        yield {**row}


def _shown(worklist: Worklist) -> list[ColumnElement[Any]]:
    point = (func.public.st_x(OVERVIEW.c.geom).label("lon"), func.public.st_y(OVERVIEW.c.geom).label("lat"))
    return [*(OVERVIEW.c[name] for name in COLUMNS), worklist.due.label("due"), *point]


def _in_business() -> list[ColumnElement[bool]]:
    """What is gone, or is no business, needs no check."""
    return [
        OVERVIEW.c.ended_at.is_(None),
        OVERVIEW.c.sector_group != "public_place",
        OVERVIEW.c.operating_status.not_in(("closed", "moved")),
    ]
