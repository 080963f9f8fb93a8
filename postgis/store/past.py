"""Adds establishments as a register would hold them that had been kept all the while: each fact noted in its own week.

For samples only: the database lets no person say when a change was made (register.add_changes).
"""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from postgis.bulk import copy_rows
from postgis.store.establishments import RECORD_TABLES, NewEstablishment, add_many

_WEEK = timedelta(days=7)
_NOTED = time(17, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
_DAYS = {"inspection": ("signed_on", "inspected_on"), "warning": ("issued_on",)}
"""When a record was noted, by table: on the first of these days that is known; elsewhere on `checked_on`."""
_GONE = ("closed", "not_found", "suspended")

# All of a week in one statement: each statement is a chain of triggers.
_SEEN_AGAIN = text("""
    UPDATE register.establishment e
       SET operating_status = n.operating_status, closed_on = n.closed_on, verified_on = n.verified_on
      FROM json_to_recordset(:rows) AS n (code text, operating_status text, closed_on date, verified_on date)
     WHERE e.code = n.code
""")
_LIFTED = text("""
    UPDATE register.warning w SET lifted_on = n.lifted_on
      FROM json_to_recordset(:rows) AS n (code text, issued_on date, lifted_on date, headline text)
      JOIN register.establishment e ON e.code = n.code
     WHERE e.id = w.establishment_id AND w.issued_on = n.issued_on AND w.headline = n.headline AND w.lifted_on IS NULL
""")


class _Week:
    """What was noted in one week."""

    def __init__(self) -> None:
        self.places: list[NewEstablishment] = []
        self.records: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.seen_again: list[dict[str, Any]] = []
        self.lifted: list[dict[str, Any]] = []


def add_with_past(connection: Connection, establishments: Iterable[NewEstablishment], since: date, until: date) -> int:
    """Adds establishments; what is older than `since` was there at the start. Returns how many.

    In the caller's transaction, as owner.
    """
    ends = [since]
    while ends[-1] < until:
        ends.append(min(ends[-1] + _WEEK, until))
    weeks = [_Week() for _ in ends]

    def week_of(day: date | None) -> int:
        """The week that ends on the day or next after it."""
        return 0 if day is None else min(bisect_left(ends, day), len(ends) - 1)

    for new in establishments:
        _tell(new, weeks, week_of)
    added = 0
    for end, week in zip(ends, weeks, strict=True):
        with noted_on(connection, end):
            added += _note(connection, week)
    return added


@contextmanager
def noted_on(connection: Connection, day: date) -> Iterator[None]:
    """What is written in this context was noted on that day, says the history, as far as it is not older than that."""
    _set_moment(connection, datetime.combine(day, _NOTED).isoformat())
    yield
    _set_moment(connection, "")


def _set_moment(connection: Connection, moment: str) -> None:
    connection.execute(text("SELECT set_config('mapservice.at', :at, true)"), {"at": moment})


def _tell(new: NewEstablishment, weeks: Sequence[_Week], week_of: Callable[[date | None], int]) -> None:
    """Puts what is known of a place into the weeks in which it became known."""
    values, code = new.values, new.values["code"]
    begun = week_of(values.get("opened_on"))
    known = max(begun, week_of(values.get("closed_on")), week_of(values.get("verified_on")))
    at_first = dict(values)
    if known > begun:
        # Until somebody came again it stood as it had been.
        gone = values.get("operating_status") in _GONE
        at_first |= {"verified_on": None, "closed_on": None, **({"operating_status": "active"} if gone else {})}
        changed = {name: values.get(name) for name in ("operating_status", "closed_on", "verified_on")}
        weeks[known].seen_again.append({"code": code, **changed})
    weeks[begun].places.append(replace(new, values=at_first, records={}))
    for table, rows in new.records.items():
        for row in rows:
            days = (row.get(name) for name in _DAYS.get(table, ("checked_on",)))
            noted = max(begun, week_of(next((day for day in days if day is not None), None)))
            if table == "warning" and (lifted := max(noted, week_of(row.get("lifted_on")))) > noted:
                weeks[lifted].lifted.append(
                    {"code": code, **{name: row[name] for name in ("issued_on", "lifted_on", "headline")}}
                )
                row = {**row, "lifted_on": None}
            weeks[noted].records[table].append({**row, "code": code})


def _note(connection: Connection, week: _Week) -> int:
    added = add_many(connection, week.places)
    codes = sorted({row["code"] for rows in week.records.values() for row in rows})
    found = connection.execute(
        text("SELECT code, id FROM register.establishment WHERE code = ANY (:codes)"), {"codes": codes}
    )
    ids = {row.code: row.id for row in found}
    for table, columns in RECORD_TABLES.items():
        if table in week.records:
            copy_rows(connection, f"register.{table}", ("establishment_id", *columns), _rows(week.records[table], ids))
    for statement, rows in ((_SEEN_AGAIN, week.seen_again), (_LIFTED, week.lifted)):
        if rows:
            connection.execute(statement, {"rows": json.dumps(rows, default=date.isoformat)})
    return added


def _rows(records: Iterable[Mapping[str, Any]], ids: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for record in records:
        yield {**record, "establishment_id": ids[record["code"]]}
