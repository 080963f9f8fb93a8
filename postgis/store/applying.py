"""Applies proposals: a three-way merge into the record as it is now, with four eyes on what can harm somebody.

Nothing is overwritten silently: what truly conflicts is refused until a person has chosen, for the very values that
stand against each other now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from postgis.actor import Actor, note_source
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.merge import Conflict, Merge, same, three_way
from postgis.risk import ENDED, RANK, Risk, risk_of
from postgis.store import records
from postgis.store.proposals import (
    REVIEWERS,
    AlreadyDecided,
    Proposal,
    RecordEnded,
    checked,
    close,
    pending,
    snapshot,
    spoken,
)
from postgis.store.record_types import RECORD_TYPES
from postgis.store.records import Record

APPROVERS = ("approver", "admin")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value of the reviewer's own, in place of the two that conflict."""

    value: Any


Resolutions = Mapping[str, Literal["current", "wanted"] | Chosen]


class Conflicts(Exception):
    """Fields on which the register and the proposal disagree, and the version of the record that they were found in."""

    def __init__(self, conflicts: Sequence[Conflict], version: int) -> None:
        super().__init__(", ".join(conflict.field for conflict in conflicts))
        self.conflicts, self.version = tuple(conflicts), version


class ApproverNeeded(Exception):
    """An adverse change, which only an approver may apply."""


class SecondPersonNeeded(Exception):
    """An adverse change, which its own proposer may not apply."""


class BasisNeeded(Exception):
    """An adverse change without legal basis or evidence; `missing` names them."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(", ".join(missing))
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a proposal would do now. `current` is None for a record to be made."""

    current: Record | None
    merge: Merge
    risk: Risk

    @property
    def changes(self) -> dict[str, Any]:
        """The fields that would change, conflicts left out."""
        now = snapshot(self.current) if self.current else {}
        return {name: value for name, value in self.merge.values.items() if not same(now.get(name), value)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one of many went: `refusal` is None when it was applied."""

    receipt: str
    refusal: Exception | None


def plan(connection: Connection, proposal: Proposal, chosen: Mapping[str, Any] | None = None) -> Plan:
    """What applying would do, with `chosen` for fields in conflict. Raises NotFound when the record is out of sight."""
    if proposal.record_code is None:
        made = dict(proposal.patch)
        told = records.superseded(connection, proposal.collection, made)
        return Plan(None, Merge(made, ()), risk_of(proposal.collection, told, made, proposal.proposer_kind))
    current = records.get(connection, proposal.collection, proposal.record_code)
    now = snapshot(current)
    merge = three_way(proposal.base or {}, now, proposal.wanted)
    if chosen:
        open_ = tuple(conflict for conflict in merge.conflicts if conflict.field not in chosen)
        merge = Merge({**merge.values, **chosen}, open_)
    # As it would be if every wish came true: a conflict must not hide what is at stake.
    wish = {**merge.values, **{conflict.field: conflict.wanted for conflict in merge.conflicts}}
    return Plan(current, merge, risk_of(proposal.collection, now, wish, proposal.proposer_kind))


def apply(
    connection: Connection,
    receipt: str,
    actor: Actor,
    resolutions: Resolutions | None = None,
    *,
    seen_version: int | None = None,
    evidence: str | None = None,
    legal_basis: str | None = None,
    note: str | None = None,
) -> Record:
    """Applies a proposal and returns the record as it is then.

    `resolutions` says for each field in conflict which value holds, judged on version `seen_version` of the record;
    `evidence` and `legal_basis` complete an adverse proposal that has none. Raises NotFound, AlreadyDecided, Conflicts,
    RecordEnded, InvalidValues, Forbidden; for adverse ones ApproverNeeded, SecondPersonNeeded, BasisNeeded.
    """
    proposal = pending(connection, receipt)
    if actor.role not in REVIEWERS:
        raise Forbidden
    words = spoken(connection, evidence=evidence, legal_basis=legal_basis, **({"note": note} if note else {}))
    said = {name: getattr(proposal, name) or words[name] for name in ("evidence", "legal_basis")}
    planned = plan(connection, proposal)
    if resolutions:
        planned = plan(connection, proposal, _chosen(connection, proposal, planned, resolutions, seen_version))
    risk = max(planned.risk, proposal.risk, key=lambda each: RANK[each])
    if risk == "adverse":
        _check_four_eyes(proposal, actor, said)
    if planned.merge.conflicts:
        raise Conflicts(planned.merge.conflicts, planned.current.version if planned.current else 0)
    # The history says why and from where, and by which proposal; the receipt leads back to all that was said.
    note_source(connection, reason=f"{proposal.reason} [{receipt}]", source=proposal.source)
    record = _write(connection, proposal, planned)
    close(connection, proposal, actor, "applied", words.get("note"), risk=risk, **said)
    return record


def apply_many(connection: Connection, receipts: Sequence[str], actor: Actor) -> list[Outcome]:
    """Applies proposals of low risk, each for itself: one that cannot be applied keeps none of the others back."""
    outcomes = []
    for receipt in dict.fromkeys(receipts):
        refusal: Exception | None = None
        try:
            with connection.begin_nested():
                proposal = pending(connection, receipt)
                if proposal.risk != "low" or plan(connection, proposal).risk != "low":
                    raise Forbidden
                apply(connection, receipt, actor)
        except (AlreadyDecided, Conflicts, RecordEnded, InvalidValues, Forbidden, NotFound, Stale) as error:
            refusal = error
        outcomes.append(Outcome(receipt, refusal))
    return outcomes


def _chosen(
    connection: Connection, proposal: Proposal, planned: Plan, resolutions: Resolutions, seen_version: int | None
) -> dict[str, Any]:
    """The value for each field in conflict. A choice made for other values than today's is asked for again."""
    conflicts = {conflict.field: conflict for conflict in planned.merge.conflicts}
    if planned.current is None or planned.current.version != seen_version:
        raise Conflicts(planned.merge.conflicts, planned.current.version if planned.current else 0)
    strange = [name for name in resolutions if name not in conflicts]
    if strange:
        raise InvalidValues([FieldError(name, "not_in_conflict") for name in strange])
    own = {name: choice.value for name, choice in resolutions.items() if isinstance(choice, Chosen)}
    if own:
        own = checked(connection, RECORD_TYPES[proposal.collection], own, new=False)
    return {
        name: own[name] if name in own else conflict.current if resolutions[name] == "current" else conflict.wanted
        for name, conflict in conflicts.items()
        if name in resolutions
    }


def _check_four_eyes(proposal: Proposal, actor: Actor, said: Mapping[str, Any]) -> None:
    if proposal.proposed_by == actor.staff_id:
        raise SecondPersonNeeded
    if actor.role not in APPROVERS:
        raise ApproverNeeded
    missing = [name for name in ("legal_basis", "evidence") if not said[name]]
    if missing:
        raise BasisNeeded(missing)


def _write(connection: Connection, proposal: Proposal, planned: Plan) -> Record:
    current = planned.current
    place = planned.merge.values.get("establishment")
    if ENDED not in planned.changes and place is not None and records.get(connection, "establishments", place).ended:
        # Merged or withdrawn meanwhile: written here it would be seen by nobody.
        raise RecordEnded
    if current is None:
        return records.create(connection, proposal.collection, planned.merge.values, ward_id=proposal.ward_id)
    changes = planned.changes
    if not changes:
        return current
    if ENDED in changes:
        if changes[ENDED]:
            return records.end(connection, current.collection, current.code, current.version, proposal.reason)
        return records.bring_back(connection, current.collection, current.code, current.version)
    if current.ended:
        raise RecordEnded
    return records.change(connection, current.collection, current.code, current.version, changes)
