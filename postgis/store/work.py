"""Writes lists of places to visit: made, handed to somebody else, closed. Works inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from postgis import tables
from postgis.actor import Actor
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale, refused_by_database
from postgis.store.record_types import RecordType, WritableField
from postgis.store.record_values import columns
from postgis.today import today
from postgis.vocabulary import WORK_SCOPES

MOST_ITEMS = 500
"""More than anybody visits in a month; the order of the walk is found among them in well under a second."""
_LIST, _ITEM, _STAFF = tables.work_list, tables.work_item, tables.staff
FIELDS = (
    WritableField("title", "text", required=True, max_length=200),
    WritableField("due_on", "date", required=True),
    WritableField("responsibility", "text", required=True, max_length=500),
    WritableField("product", "text", required=True, max_length=500),
    WritableField("expected_result", "text", required=True, max_length=500),
)
"""What the one who makes a list says of it, and may say otherwise later; besides, who is to do it (`assignee`)."""
HISTORY = (*FIELDS, WritableField("scope", "text", codes=WORK_SCOPES, code_list="work_scope"))
"""For whoever tells what was changed."""
_TYPE = RecordType("work_lists", _LIST, FIELDS)
_OUTCOME = RecordType("work_lists", _LIST, (WritableField("end_reason", "text", required=True, max_length=2_000),))


@dataclass(frozen=True, slots=True)
class Gap:
    """What a list is made for: an indicator that lags in one group, street or site."""

    indicator: str
    scope: str
    scope_code: str
    target: Decimal | None
    """Per cent."""
    needed: int | None
    """How many more places have to say yes."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A place on the way, and where it stands with the indicator."""

    establishment_id: int
    standing: str


def make(
    connection: Connection, actor: Actor, gap: Gap, said: Mapping[str, Any], assignee: str, stops: Sequence[Stop]
) -> str:
    """Makes a list of the stops, in their order, for the member of staff with this login; its code.

    Raises InvalidValues, also on `places` where there is no stop or more than MOST_ITEMS; Forbidden.
    """
    stored, staff_id = _checked(connection, actor, said, assignee, day_to_come=True)
    if not 0 < len(stops) <= MOST_ITEMS:
        code = "too_many_stops" if stops else "no_stops"
        raise InvalidValues([FieldError("places", code, {"most": MOST_ITEMS, "count": len(stops)})])
    row = {
        "ward_id": actor.ward_id, "indicator": gap.indicator, "scope": gap.scope, "scope_code": gap.scope_code,
        "target": gap.target, "needed": gap.needed, "assignee_id": staff_id, "made_by": actor.staff_id, **stored,
    }  # fmt: skip
    made = _guarded(connection, insert(_LIST).values(**row).returning(_LIST.c.id, _LIST.c.code)).one()
    items = [
        {"list_id": made.id, "establishment_id": stop.establishment_id, "position": position, "standing": stop.standing}
        for position, stop in enumerate(stops, start=1)
    ]
    _guarded(connection, insert(_ITEM), items)
    return str(made.code)


def change(
    connection: Connection, actor: Actor, code: str, version: int, said: Mapping[str, Any], assignee: str
) -> None:
    """Says otherwise what is to be done, by when, by whom. Raises NotFound, Stale, InvalidValues, Forbidden."""
    was = _open(connection, code, version)
    stored, staff_id = _checked(connection, actor, said, assignee, day_to_come=said.get("due_on") != was.isoformat())
    _update(connection, code, version, {**stored, "assignee_id": staff_id})


def close(connection: Connection, code: str, version: int, outcome: str) -> None:
    """Closes a list, with what came of it (rõ kết quả). Raises NotFound, Stale, InvalidValues, Forbidden."""
    stored = columns(connection, _OUTCOME, {"end_reason": outcome}, new=False)
    _open(connection, code, version)
    _update(connection, code, version, {**stored, "ended_at": func.clock_timestamp()})


def _checked(
    connection: Connection, actor: Actor, said: Mapping[str, Any], assignee: str, *, day_to_come: bool
) -> tuple[dict[str, Any], int]:
    """The columns, and whose list it is: all that is wrong at once."""
    errors: list[FieldError] = []
    stored: dict[str, Any] = {}
    try:
        stored = columns(connection, _TYPE, {field.name: said.get(field.name) for field in FIELDS}, new=True)
        if day_to_come and stored["due_on"] < today():
            errors.append(FieldError("due_on", "due_gone_by"))
    except InvalidValues as invalid:
        errors += invalid.errors
    wanted = select(_STAFF.c.id).where(
        _STAFF.c.login == assignee, _STAFF.c.ward_id == actor.ward_id, _STAFF.c.disabled_at.is_(None)
    )
    staff_id = connection.execute(wanted).scalar_one_or_none()
    if staff_id is None:
        errors.append(FieldError("assignee", "no_such_colleague" if assignee else "required"))
    if errors:
        raise InvalidValues(errors)
    return stored, int(staff_id or 0)


def _open(connection: Connection, code: str, version: int) -> date:
    """Until when the list is to be done. Raises NotFound; Stale where it is closed or a colleague was faster."""
    shown = select(_LIST.c.version, _LIST.c.ended_at, _LIST.c.due_on).where(_LIST.c.code == code)
    row = connection.execute(shown).one_or_none()
    if row is None:
        raise NotFound
    if row.version != version or row.ended_at is not None:
        raise Stale(row)
    due_on: date = row.due_on
    return due_on


def _update(connection: Connection, code: str, version: int, values: Mapping[str, Any]) -> None:
    matching = update(_LIST).where(_LIST.c.code == code, _LIST.c.version == version)
    if _guarded(connection, matching.values(**values)).rowcount != 1:
        # Row-level security hides rows from an UPDATE without a word: seen but not changed means not allowed.
        raise Forbidden


def _guarded(connection: Connection, statement: Any, rows: Any = None) -> Any:
    try:
        with connection.begin_nested():
            return connection.execute(statement, rows)
    except DBAPIError as error:
        refusal = refused_by_database(error, _LIST.name)
        if refusal is None:
            raise
        raise refusal from error
