"""Citizens' reports: one by its receipt for anybody, the inbox and each of its reports for the ward's officers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from postgis import tables

PAGE_SIZE = 50
OPEN = ("received", "in_progress")
VIEWS = {"open": OPEN, "answered": ("answered",), "closed": ("closed",), "rejected": ("rejected",)}
"""What the inbox can show, each with the states in it."""

_REPORT, _PLACE, _STAFF, _EVENT = tables.citizen_report, tables.establishment, tables.staff, tables.report_event
_STICKER = tables.sticker


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Which reports of the ward are shown."""

    view: str = "open"
    kind: str | None = None
    overdue: bool = False
    place: str | None = None


def by_receipt(connection: Connection, receipt: str) -> dict[str, Any] | None:
    """What whoever holds a receipt may see; None when there is none."""
    found = select(func.published.report(receipt).table_valued(*_HELD))
    row = connection.execute(found).mappings().one_or_none()
    return None if row is None else dict(row)


_HELD = (
    "receipt", "kind", "place_code", "place_name", "typed_code", "with_photo", "state", "received_at", "due_on",
    "due_certain", "extended", "outcome", "answer", "answered_at", "closed_at", "erased_at", "ward",
)  # fmt: skip


def inbox(
    connection: Connection, chosen: InboxFilter, after: tuple[date, int] | None = None
) -> tuple[Sequence[Any], tuple[date, int] | None]:
    """A page of reports, those that wait by deadline, the others latest first; and where the next page starts."""
    waiting = chosen.view == "open"
    statement = _statement().where(*_conditions(chosen))
    order = (_REPORT.c.due_on, _REPORT.c.id)
    if after is not None:
        due, number = after
        beyond = (
            or_(_REPORT.c.due_on > due, and_(_REPORT.c.due_on == due, _REPORT.c.id > number))
            if waiting
            else or_(_REPORT.c.due_on < due, and_(_REPORT.c.due_on == due, _REPORT.c.id < number))
        )
        statement = statement.where(beyond)
    statement = statement.order_by(*(order if waiting else (column.desc() for column in order))).limit(PAGE_SIZE + 1)
    rows: Sequence[Any] = connection.execute(statement).all()
    last = rows[PAGE_SIZE - 1] if len(rows) > PAGE_SIZE else None
    return rows[:PAGE_SIZE], None if last is None else (last.due_on, last.id)


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """How many there are by view and kind; `overdue` counts those that wait past their deadline."""
    states: list[tuple[str, ColumnElement[bool]]] = [("overdue", _overdue())]
    states += [(view, _REPORT.c.state.in_(found)) for view, found in VIEWS.items()]
    columns = [func.count().filter(condition).label(view) for view, condition in states]
    found: dict[str, dict[str, int]] = {view: {} for view, _ in states}
    for row in connection.execute(select(_REPORT.c.kind, *columns).group_by(_REPORT.c.kind)):
        for view, _ in states:
            if number := getattr(row, view):
                found[view][row.kind] = number
    return found


def waiting(connection: Connection) -> tuple[int, int]:
    """How many reports wait, and how many of them past their deadline: what the bar of the staff screens says."""
    statement = select(func.count(), func.count().filter(_REPORT.c.due_on < func.current_date()))
    row = connection.execute(statement.where(_REPORT.c.state.in_(OPEN))).one()
    return int(row[0]), int(row[1])


def one(connection: Connection, number: int) -> Any:
    """One report of the ward, with `words_sealed` (None once erased) and the sticker that is reported as false.

    None when the actor may see none.
    """
    scanned = (_STICKER.c.serial.label("sticker_serial"), _STICKER.c.state.label("sticker_state"))
    statement = (
        _statement()
        .add_columns(_REPORT.c.words_sealed, _REPORT.c.answer, _REPORT.c.receipt, *scanned)
        .outerjoin(_STICKER, _STICKER.c.id == _REPORT.c.sticker_id)
    )
    return connection.execute(statement.where(_REPORT.c.id == number)).one_or_none()


def events(connection: Connection, number: int) -> Sequence[Any]:
    """What was done about it: `at`, `kind`, `display_name` (None: the reporter), in order."""
    statement = select(_EVENT.c.at, _EVENT.c.kind, _STAFF.c.display_name).outerjoin(
        _STAFF, _STAFF.c.id == _EVENT.c.staff_id
    )
    return connection.execute(statement.where(_EVENT.c.report_id == number).order_by(_EVENT.c.id)).all()


def _statement() -> Select[Any]:
    columns = (
        "id", "kind", "state", "received_at", "due_on", "due_certain", "extended", "typed_code", "photo", "outcome",
        "answered_at", "closed_at", "proposal_receipt", "version", "erased_at",
    )  # fmt: skip
    return (
        select(
            *(_REPORT.c[name] for name in columns),
            _overdue().label("overdue"),
            _PLACE.c.code.label("place_code"),
            _PLACE.c.name.label("place_name"),
            _PLACE.c.address,
            _PLACE.c.illustrative,
            _PLACE.c.ended_at.label("place_ended_at"),
            _STAFF.c.display_name.label("handler"),
        )
        .select_from(_REPORT)
        .outerjoin(_PLACE, _PLACE.c.id == _REPORT.c.establishment_id)
        .outerjoin(_STAFF, _STAFF.c.id == _REPORT.c.handled_by)
    )


def _overdue() -> ColumnElement[bool]:
    return and_(_REPORT.c.state.in_(OPEN), _REPORT.c.due_on < func.current_date())


def _conditions(chosen: InboxFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_REPORT.c.state.in_(VIEWS[chosen.view])]
    if chosen.kind is not None:
        conditions.append(_REPORT.c.kind == chosen.kind)
    if chosen.overdue:
        conditions.append(_overdue())
    if chosen.place is not None:
        conditions.append(_PLACE.c.code == chosen.place)
    return conditions
