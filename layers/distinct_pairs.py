"""Pairs that an officer has judged to be two places: which, who, when and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, exists, or_, select
from sqlalchemy.sql.elements import ColumnElement

from layers.register import OVERVIEW
from postgis import tables

_PAIR = tables.distinct_pair


@dataclass(frozen=True, slots=True)
class Decision:
    """Two places that look alike; `one` is the older record."""

    one: dict[str, Any]
    other: dict[str, Any]
    reason: str
    who: str
    at: datetime


def decided(one: ColumnElement[int], other: ColumnElement[int]) -> ColumnElement[bool]:
    """The condition that the pair of these ids, the smaller first, was judged to be two places."""
    return exists().where(_PAIR.c.establishment_id == one, _PAIR.c.other_id == other, _PAIR.c.ended_at.is_(None))


def decisions(connection: Connection, limit: int) -> list[Decision]:
    """The latest decisions that stand and whose records both still count, latest first."""
    return _found(connection, None, limit)


def decision(connection: Connection, one: str, other: str) -> Decision | None:
    """The decision about a pair, by the codes of its records in any order."""
    return next(iter(_found(connection, (one, other), 1)), None)


def _found(connection: Connection, codes: tuple[str, str] | None, limit: int) -> list[Decision]:
    one, other, staff = OVERVIEW.alias("one"), OVERVIEW.alias("other"), tables.staff
    names = ("code", "name", "address", "stall", "operating_status")
    places = [side.c[name].label(f"{side.name}_{name}") for side in (one, other) for name in names]
    statement = (
        select(_PAIR.c.reason, _PAIR.c.decided_at, staff.c.display_name, *places)
        .join(one, one.c.id == _PAIR.c.establishment_id)
        .join(other, other.c.id == _PAIR.c.other_id)
        .join(staff, staff.c.id == _PAIR.c.decided_by)
        .where(_PAIR.c.ended_at.is_(None), one.c.ended_at.is_(None), other.c.ended_at.is_(None))
        .order_by(_PAIR.c.decided_at.desc(), _PAIR.c.id.desc())
        .limit(limit)
    )
    if codes is not None:
        first, second = codes
        statement = statement.where(
            or_(*(and_(one.c.code == a, other.c.code == b) for a, b in ((first, second), (second, first))))
        )

    def place(row: RowMapping, side: str) -> dict[str, Any]:
        return {name: row[f"{side}_{name}"] for name in names}

    return [
        Decision(place(row, "one"), place(row, "other"), row["reason"], row["display_name"], row["decided_at"])
        for row in connection.execute(statement).mappings()
    ]
