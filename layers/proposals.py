"""Proposals as people see them: the review queue with what each would change now, and what a receipt tells."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, case, func, or_, select, text

from postgis import tables
from postgis.errors import NotFound
from postgis.merge import same
from postgis.risk import ENDED, RANK
from postgis.store.applying import Plan, plan
from postgis.store.proposals import Proposal, snapshot
from postgis.store.record_types import RECORD_TYPES

PAGE_SIZE = 50

_TABLE, _PLACE = tables.proposal, tables.establishment
_PROPOSER, _DECIDER = tables.staff.alias("proposer"), tables.staff.alias("decider")
_rank: ColumnElement[int] = case(RANK, value=_TABLE.c.risk)
_place_code: ColumnElement[Any] = func.register.proposal_place(text("proposal"))

FieldState = Literal["new", "change", "done", "conflict"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a proposal. `done`: the register says so already. `current` is None for a record to be made."""

    field: str
    kind: str
    code_list: str | None
    base: Any
    current: Any
    wanted: Any
    state: FieldState


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A proposal with all that a reviewer needs to decide."""

    proposal: Proposal
    place_code: str | None
    place_name: str | None
    place_ended: bool
    """The place no longer counts: withdrawn, or merged into another."""
    illustrative: bool
    proposer: str | None
    decider: str | None
    changes: tuple[FieldChange, ...]
    plan: Plan | None
    """None once it is decided, or when the record is out of sight."""

    @property
    def risk(self) -> str:
        """As noted, or higher when the record has changed since in a way that makes the change graver."""
        noted = self.proposal.risk
        return noted if self.plan is None else max(noted, self.plan.risk, key=lambda risk: RANK[risk])

    @property
    def conflicts(self) -> tuple[FieldChange, ...]:
        """The fields on which a person must choose."""
        return tuple(change for change in self.changes if change.state == "conflict")


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which proposals to list; what is None does not narrow the choice. `proposed_by` is a member of staff."""

    state: str = "pending"
    risk: str | None = None
    collection: str | None = None
    proposer_kind: str | None = None
    place: str | None = None
    proposed_by: int | None = None


def queue(
    connection: Connection, chosen: QueueFilter, *, after: str | None = None, limit: int = PAGE_SIZE
) -> tuple[list[Reviewed], str | None]:
    """One page of the queue and the mark of the next: gravest first, then longest waiting; decided ones latest first.

    `after` is a mark that this function gave; another one starts from the beginning.
    """
    pending = chosen.state == "pending"
    order = (_rank.desc(), _TABLE.c.id) if pending else (_TABLE.c.id.desc(),)
    statement = _statement().where(*_conditions(chosen), _beyond(after, pending)).order_by(*order).limit(limit + 1)
    rows = connection.execute(statement).mappings().all()
    found = [_reviewed(connection, row) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return found, f"{RANK[last['risk']]}-{last['id']}" if last else None


def counts(connection: Connection, chosen: QueueFilter) -> list[dict[str, Any]]:
    """How many there are by `risk`, `collection` and `proposer_kind`, whatever of those three is chosen."""
    names = ("risk", "collection", "proposer_kind")
    wide = QueueFilter(state=chosen.state, place=chosen.place, proposed_by=chosen.proposed_by)
    columns = [_TABLE.c[name] for name in names]
    statement = select(*columns, func.count().label("count")).where(*_conditions(wide)).group_by(*columns)
    return [dict(row) for row in connection.execute(statement).mappings()]


def one(connection: Connection, receipt: str) -> Reviewed:
    """A single proposal for a reviewer or its proposer. Raises NotFound."""
    row = connection.execute(_statement().where(_TABLE.c.receipt == receipt)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return _reviewed(connection, row)


def receipt_state(connection: Connection, receipt: str) -> dict[str, Any] | None:
    """What the holder of a receipt may see, read as the public: state, what was asked, the note; no names of staff."""
    row = connection.execute(text("SELECT * FROM published.proposal(:receipt)"), {"receipt": receipt})
    found = row.mappings().one_or_none()
    return None if found is None else dict(found)


def field_changes(
    collection: str, base: Mapping[str, Any] | None, current: Mapping[str, Any] | None, patch: Mapping[str, Any]
) -> tuple[FieldChange, ...]:
    """What a patch does to each of its fields; with `current` None, compared with `base` alone."""
    now = base if current is None else current
    # The database keeps the members of an object in no order that means anything to people.
    order = {field.name: place for place, field in enumerate(RECORD_TYPES[collection].fields)}
    names = sorted((name for name in patch if name != "establishment"), key=lambda name: order.get(name, -1))
    return tuple(_field_change(collection, name, patch[name], base, now) for name in names)


def _field_change(
    collection: str, name: str, wanted: Any, base: Mapping[str, Any] | None, now: Mapping[str, Any] | None
) -> FieldChange:
    field = RECORD_TYPES[collection].field(name)
    kind = "boolean" if name == ENDED else field.kind if field else "text"
    was, is_ = (base or {}).get(name), (now or {}).get(name)
    state: FieldState = "change"
    if now is None:
        state = "new"
    elif same(is_, wanted):
        state = "done"
    elif not same(was, is_):
        state = "conflict"
    return FieldChange(name, kind, field.code_list if field else None, was, is_, wanted, state)


def _statement() -> Select[Any]:
    own = [_TABLE.c[field.name] for field in fields(Proposal)]
    return (
        select(
            _TABLE.c.id,
            *own,
            _PLACE.c.code.label("place_code"),
            _PLACE.c.name.label("place_name"),
            _PLACE.c.ended_at.is_not(None).label("place_ended"),
            func.coalesce(_PLACE.c.illustrative, False).label("illustrative"),
            _PROPOSER.c.display_name.label("proposer"),
            _DECIDER.c.display_name.label("decider"),
        )
        .select_from(_TABLE)
        .outerjoin(_PLACE, _PLACE.c.code == _place_code)
        .outerjoin(_PROPOSER, _PROPOSER.c.id == _TABLE.c.proposed_by)
        .outerjoin(_DECIDER, _DECIDER.c.id == _TABLE.c.decided_by)
    )


def _conditions(chosen: QueueFilter) -> list[ColumnElement[bool]]:
    conditions = [_TABLE.c.state == chosen.state]
    for name in ("risk", "collection", "proposer_kind", "proposed_by"):
        value = getattr(chosen, name)
        if value is not None:
            conditions.append(_TABLE.c[name] == value)
    if chosen.place is not None:
        conditions.append(_place_code == chosen.place)
    return conditions


def _beyond(after: str | None, pending: bool) -> ColumnElement[bool]:
    rank, _, number = (after or "").partition("-")
    if not (rank in ("0", "1", "2") and number.isdecimal() and len(number) <= 18):
        return _TABLE.c.id > 0
    if not pending:
        return _TABLE.c.id < int(number)
    return or_(_rank < int(rank), and_(_rank == int(rank), _TABLE.c.id > int(number)))


def _reviewed(connection: Connection, row: RowMapping) -> Reviewed:
    proposal = Proposal(**{field.name: row[field.name] for field in fields(Proposal)})
    planned, current = None, None
    if proposal.state == "pending":
        try:
            planned = plan(connection, proposal)
            current = snapshot(planned.current) if planned.current else None
        except NotFound:
            pass
    return Reviewed(
        proposal=proposal,
        place_code=row["place_code"],
        place_name=row["place_name"],
        place_ended=row["place_ended"],
        illustrative=row["illustrative"],
        proposer=row["proposer"],
        decider=row["decider"],
        changes=field_changes(proposal.collection, proposal.base, current, proposal.patch),
        plan=planned,
    )
