"""How often places were looked up of late, for the staff of their ward. Small numbers never leave this module."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, func, select

from postgis import tables
from postgis.today import today

DAYS = 30
FEWEST = 5
"""Fewer look-ups than this are not told: they could be those of one person."""

_DAY, _PLACE = tables.lookup_day, tables.establishment


def of_place(connection: Connection, code: str) -> int | None:
    """The look-ups of a place in the last DAYS days, today among them; None for fewer than FEWEST."""
    return _total(connection, _PLACE.c.code == code)


def of_ward(connection: Connection) -> int | None:
    """The same of all places that the reader's row-level security lets them see: those of the own ward."""
    return _total(connection)


def _total(connection: Connection, *conditions: ColumnElement[bool]) -> int | None:
    statement = (
        select(func.coalesce(func.sum(_DAY.c.lookups), 0))
        .select_from(_DAY.join(_PLACE, _PLACE.c.id == _DAY.c.establishment_id))
        .where(_DAY.c.day > today() - timedelta(days=DAYS), *conditions)
    )
    found = int(connection.execute(statement).scalar_one())
    return found if found >= FEWEST else None
