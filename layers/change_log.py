"""The ward's change log: who changed what in the register, when and why, latest first. Under row-level security."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Text, cast, func, select, table, true
from sqlalchemy import column as sql_column
from sqlalchemy.dialects.postgresql import JSONB

from layers.errors import InvalidCursor
from layers.history import Change, change_of
from postgis import tables
from postgis.today import VIETNAM

ROWS_PER_PAGE = 50
_ROWS_PER_READ = 1_000
_CHANGE = tables.change
_STAFF = table("staff", *map(sql_column, ("id", "display_name", "ward_id")), schema="account")
COLLECTIONS = (
    "establishments", "legal_entities", "licences", "food_safety_records", "inspections", "warnings",
    "payment_acceptances", "digital_uses", "outreach", "visits", "model_sites", "photos", "personal_data",
    "shelf_lives", "work_lists",
)  # fmt: skip
"""What the log is about, by the names that changes carry."""
KINDS = ("insert", "update", "end", "restore", "delete")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes: None means any. Days are those of Viet Nam, both included."""

    person: int | None = None
    """The member of staff who did it, by id."""
    by_people: bool = False
    """Leaves out what no person did: samples and base data."""
    collection: str | None = None
    kind: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A change and the place that it belongs to, as that is called now; None for one that belongs to no place."""

    change: Change
    place_code: str | None
    place_name: str | None


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of the log; the cursor is the number of its last change."""

    entries: list[Entry]
    next_cursor: str | None


def page(connection: Connection, wanted: Wanted, cursor: str | None = None, limit: int = ROWS_PER_PAGE) -> LogPage:
    """The changes wanted, latest first. Raises InvalidCursor."""
    statement = _statement(wanted).order_by(_CHANGE.c.seq.desc()).limit(limit + 1)
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise InvalidCursor
        statement = statement.where(_CHANGE.c.seq < int(cursor))
    rows = connection.execute(statement).mappings().all()
    shown = rows[:limit]
    return LogPage([_entry(row) for row in shown], str(shown[-1]["seq"]) if len(rows) > limit else None)


def every_entry(connection: Connection, wanted: Wanted) -> Iterator[Entry]:
    """All changes wanted, latest first: for a file."""
    cursor: str | None = None
    while True:
        found = page(connection, wanted, cursor, _ROWS_PER_READ)
        yield from found.entries
        cursor = found.next_cursor
        if cursor is None:
            return


def people(connection: Connection) -> dict[int, str]:
    """The members of the acting person's ward by id, in alphabetical order."""
    own = _STAFF.c.ward_id == select(func.account.actor_ward()).scalar_subquery()
    statement = select(_STAFF.c.id, _STAFF.c.display_name).where(own)
    found = [(int(row.id), str(row.display_name)) for row in connection.execute(statement)]
    return dict(sorted(found, key=lambda each: each[1].rpartition(" ")[2]))


def _statement(wanted: Wanted) -> Any:
    names = ("seq", "at", "collection", "record_code", "kind", "actor_name", "reason", "source", "establishment_code")
    states = [cast(func.register.wire_state(_CHANGE.c[name]), JSONB).label(name) for name in ("before", "after")]
    place = tables.establishment
    name = select(place.c.name).where(place.c.code == _CHANGE.c.establishment_code).scalar_subquery()
    return select(*(_CHANGE.c[each] for each in names), *states, name.label("place_name")).where(*_conditions(wanted))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    # Of accounts only their administrators read (mapservice/routes/staff/accounts.py).
    found: list[ColumnElement[bool]] = [true(), _CHANGE.c.collection.in_(COLLECTIONS)]
    if wanted.person is not None:
        found.append(_CHANGE.c.actor_id == wanted.person)
    if wanted.by_people:
        found.append(_CHANGE.c.actor_id.is_not(None))
    if wanted.collection is not None:
        found.append(_CHANGE.c.collection == cast(wanted.collection, Text))
    if wanted.kind is not None:
        found.append(_CHANGE.c.kind == cast(wanted.kind, Text))
    if wanted.first is not None:
        found.append(_CHANGE.c.at >= _midnight(wanted.first))
    if wanted.last is not None:
        found.append(_CHANGE.c.at < _midnight(wanted.last + timedelta(days=1)))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, VIETNAM)


def _entry(row: RowMapping) -> Entry:
    return Entry(change_of(row), row["establishment_code"], row["place_name"])
