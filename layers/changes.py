"""The change feed: what changed in the records that the asker may see, in the order of commits."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    cast,
    column,
    false,
    func,
    null,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from layers.collections import STAFF_COLLECTIONS

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
_COLUMNS = ("seq", "at", "collection", "id", "ward", "kind", "before", "after")
_PERSONS = ("actor", "reason", "source")
_PUBLIC = table("changes", *map(column, _COLUMNS), schema="published")
_HEAD = table("change_heads", column("seq"), schema="published")
_WARD = table("ward", column("id"), column("code"), schema="register")
_CHANGE = table(
    "change",
    *map(column, ("seq", "at", "collection", "record_code", "ward_id", "kind", "actor_name", "reason", "source")),
    column("before", JSONB),
    column("after", JSONB),
    schema="register",
)


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One page of the feed."""

    changes: list[dict[str, Any]]
    last_seq: int
    """Up to here the feed has been read, whether or not the asker may see the last changes."""
    more: bool


def page(connection: Connection, since: int, limit: int, *, staff: bool) -> ChangePage:
    """The changes after `since`, at most `limit` of them.

    The whole history has one writer at a time, which takes the next number and commits before the next writer begins:
    no change can appear later below a number that was read.

    Staff see their own ward's changes with actor, reason and source, and of other wards what everybody sees.
    """
    # First: what is committed after this is for the next page, not to be passed over.
    head = connection.execute(select(func.coalesce(func.max(_HEAD.c.seq), 0))).scalar_one()

    def slice_of(statement: Select[Any], seq: ColumnElement[Any]) -> Select[Any]:
        return statement.where(seq > since, seq <= head).order_by(seq).limit(limit + 1)

    statement = slice_of(select(_PUBLIC), _PUBLIC.c.seq)
    if staff:
        # Each part cut to a page by itself: together they could only be sorted whole.
        parts = (slice_of(_own(), _CHANGE.c.seq), slice_of(_others(), _PUBLIC.c.seq))
        view = union_all(*(select(part.subquery()) for part in parts)).subquery("changes")
        statement = select(view).order_by(view.c.seq).limit(limit + 1)
    rows = connection.execute(statement).mappings().all()
    shown = rows[:limit]
    more = len(rows) > limit
    return ChangePage(
        changes=[_change(dict(row)) for row in shown],
        last_seq=shown[-1]["seq"] if more else max(head, since),
        more=more,
    )


def _own() -> Select[Any]:
    """The own ward's changes whole, which row-level security picks out."""
    return (
        select(
            _CHANGE.c.seq,
            _CHANGE.c.at,
            _CHANGE.c.collection,
            _CHANGE.c.record_code.label("id"),
            _WARD.c.code.label("ward"),
            _CHANGE.c.kind,
            func.register.wire_state(_CHANGE.c.before).label("before"),
            func.register.wire_state(_CHANGE.c.after).label("after"),
            _CHANGE.c.actor_name.label("actor"),
            _CHANGE.c.reason,
            _CHANGE.c.source,
            true().label("own"),
        )
        .select_from(_CHANGE.outerjoin(_WARD, _WARD.c.id == _CHANGE.c.ward_id))
        .where(_CHANGE.c.collection.in_(list(STAFF_COLLECTIONS)))
    )


def _others() -> Select[Any]:
    """Of other wards what is published."""
    nobody = [cast(null(), Text).label(name) for name in _PERSONS]
    foreign = _PUBLIC.c.ward.is_distinct_from(select(func.register.own_ward_code()).scalar_subquery())
    return select(*_PUBLIC.c, *nobody, false().label("own")).where(foreign)


def _change(row: dict[str, Any]) -> dict[str, Any]:
    own = row.pop("own", False)
    row["at"] = row["at"].isoformat()
    names = (*_COLUMNS, *_PERSONS) if own else _COLUMNS
    return {name: row[name] for name in names}
