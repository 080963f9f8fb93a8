"""How often places were looked up: for the staff of their ward, and by month for anybody.

No number that leaves this module is exact (`published.told_lookups`), and none is of a day that is not over. None
stands for fewer than FEWEST. No sum less its parts tells a number that is not told: the ward's sum is that of what is
told of its places, and days are told only where what is left for the hidden ones could be any (`hides`).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, text

from postgis import tables
from postgis.today import today

DAYS = 30
"""As far back as staff are told, up to yesterday."""
FEWEST = 5
"""Fewer look-ups than this are not told: they could be those of one person. Others are told to the nearest of it."""
MONTHS_TO = 50
"""To which months are rounded (published.lookup_months)."""
MOST_SHOWN = 20

_DAY, _PLACE = tables.lookup_day, tables.establishment
_SUM = func.coalesce(func.sum(_DAY.c.lookups), 0)
_TOLD = func.published.told_lookups(_SUM, FEWEST)


def of_place(connection: Connection, code: str) -> int | None:
    """About how often a place was looked up in the last DAYS days."""
    found: int | None = connection.execute(_counted(_TOLD).where(_PLACE.c.code == code)).scalar_one()
    return found


def of_ward(connection: Connection) -> int | None:
    """The same of all places of the own ward, added up: those that are too seldom looked up are not in it."""
    places = _counted(_TOLD.label("told")).group_by(_PLACE.c.id).subquery()
    found: int | None = connection.execute(select(func.sum(places.c.told))).scalar_one()
    return found if found is None else int(found)


def by_day(connection: Connection) -> list[tuple[date, int | None]] | None:
    """The ward's look-ups by day, latest first; each of the days is there. None where they would tell too much."""
    asked = _counted(_DAY.c.day, _SUM.label("sum"), _TOLD.label("told")).group_by(_DAY.c.day)
    found = {row.day: row for row in connection.execute(asked)}
    days = [today() - timedelta(days=back) for back in range(1, DAYS + 1)]
    few = [found[day].sum if day in found else 0 for day in days if day not in found or found[day].told is None]
    places = _counted(_SUM.label("sum")).group_by(_PLACE.c.id).subquery()
    few_at, told_of = connection.execute(
        select(
            func.coalesce(func.sum(places.c.sum).filter(places.c.sum < FEWEST), 0),
            func.count().filter(places.c.sum >= FEWEST),
        )
    ).one()
    known_places = connection.execute(select(func.count()).select_from(_PLACE)).scalar_one()
    if not hides(int(few_at), known_places - told_of) or not hides(sum(few), len(few)):
        return None
    return [(day, found[day].told if day in found else None) for day in days]


def hides(left: int, hidden: int) -> bool:
    """Whether each of so many hidden numbers could be any below FEWEST, even knowing what is left for all.

    With two each on average, any one of them may be 0, the others taking all, or FEWEST - 1.
    """
    return hidden == 0 or FEWEST <= left <= (FEWEST - 1) // 2 * hidden


def most_viewed(connection: Connection) -> Sequence[Any]:
    """The places that were looked up most, of those that were FEWEST times or more: `code`, `name`, `address`,
    `lookups`. Equals by code, since their order must not tell what their numbers do not.
    """
    columns = (_PLACE.c.code, _PLACE.c.name, _PLACE.c.address)
    statement = _counted(*columns, _TOLD.label("lookups")).where(_PLACE.c.ended_at.is_(None)).group_by(*columns)
    told = statement.having(func.sum(_DAY.c.lookups) >= FEWEST)
    return connection.execute(told.order_by(_TOLD.desc(), _PLACE.c.code).limit(MOST_SHOWN)).all()


def by_month(connection: Connection, ward: str) -> list[tuple[date, int | None]]:
    """About how often the ward's pages were viewed in each of the last months that are over, latest first."""
    asked = text("SELECT month, lookups FROM published.lookup_months WHERE ward = :ward ORDER BY month DESC")
    return [(row.month, row.lookups) for row in connection.execute(asked, {"ward": ward})]


def _counted(*columns: ColumnElement[Any]) -> Select[Any]:
    window = (_DAY.c.day >= today() - timedelta(days=DAYS), _DAY.c.day < today())
    return select(*columns).select_from(_DAY.join(_PLACE, _PLACE.c.id == _DAY.c.establishment_id)).where(*window)
