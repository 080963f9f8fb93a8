"""Decisions on proposals, made alike by the API and the review screens: rights, the store, what a refusal means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mapservice.errors import Problem
from mapservice.rights import can
from mapservice.security import require
from postgis.actor import Actor, write_as
from postgis.engine import Database
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.merge import Conflict
from postgis.store import applying, proposals, suggestions
from postgis.store.applying import (
    ApproverNeeded,
    BasisNeeded,
    Conflicts,
    Outcome,
    Resolutions,
    SecondPersonNeeded,
)
from postgis.store.proposals import AlreadyDecided, Proposal, RecordEnded
from postgis.store.suggestions import TooManyProposals

ACTIONS = ("apply", "return", "reject", "withdraw")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer says with an action; `seen_version` is the record's version that the choices were made on."""

    note: str | None = None
    evidence: str | None = None
    legal_basis: str | None = None
    resolutions: Resolutions = field(default_factory=dict)
    seen_version: int | None = None


class Refused(Problem):
    """A problem with what belongs to it: wrong fields, or fields in conflict and the version they conflict with."""

    def __init__(
        self,
        code: str,
        *,
        errors: Sequence[FieldError] = (),
        conflicts: Sequence[Conflict] = (),
        version: int | None = None,
    ) -> None:
        super().__init__(code)
        self.errors, self.conflicts, self.version = tuple(errors), tuple(conflicts), version


def decide(database: Database, actor: Actor, receipt: str, action: str, decision: Decision) -> Proposal:
    """Applies, sends back, rejects or withdraws, in a transaction of its own. Raises Problem, Refused."""
    require(actor, *(("propose", "establishments") if action == "withdraw" else ("review", "proposals")))
    try:
        with write_as(database, actor, reason=None) as connection:
            if action == "return":
                return proposals.send_back(connection, receipt, actor, decision.note or "")
            if action == "reject":
                return proposals.reject(connection, receipt, actor, decision.note or "")
            if action == "withdraw":
                return proposals.withdraw(connection, receipt, actor)
            applying.apply(
                connection,
                receipt,
                actor,
                decision.resolutions,
                seen_version=decision.seen_version,
                evidence=decision.evidence,
                legal_basis=decision.legal_basis,
                note=decision.note,
            )
            return proposals.get(connection, receipt)
    except REFUSALS as refusal:
        raise problem_of(refusal) from refusal


def apply_low_risk(database: Database, actor: Actor, receipts: Sequence[str]) -> list[Outcome]:
    """Applies many of low risk, each for itself. Raises Problem when the actor may not review."""
    require(actor, "review", "proposals")
    with write_as(database, actor, reason=None) as connection:
        return applying.apply_many(connection, receipts, actor)


def propose(database: Database, actor: Actor, values: Mapping[str, Any]) -> str:
    """Notes what a member of staff wants; `values` as `postgis.store.proposals.propose` takes them. Raises Problem."""
    require(actor, "propose", values["collection"])
    try:
        with write_as(database, actor, reason=None) as connection:
            return proposals.propose(connection, actor, **values).receipt
    except NotFound:
        raise Problem("unknown_feature", value=values["record_code"], collection=values["collection"]) from None
    except REFUSALS as refusal:
        raise problem_of(refusal) from refusal


def suggest(database: Database, values: Mapping[str, Any]) -> str:
    """Notes what somebody without an account wants. Raises Problem."""
    if not can(None, "propose", values["collection"]):
        raise Problem("sign_in_required")
    try:
        with database.staff.begin() as connection:
            return suggestions.suggest(connection, **values)
    except NotFound:
        raise Problem("unknown_feature", value=values["establishment"], collection="establishments") from None
    except REFUSALS as refusal:
        raise problem_of(refusal) from refusal


def withdraw_suggestion(database: Database, receipt: str) -> None:
    """Takes back what somebody without an account has suggested; the receipt is the proof. Raises Problem."""
    with database.staff.begin() as connection:
        if not suggestions.withdraw(connection, receipt):
            raise Problem("not_yours_to_withdraw")


REFUSALS = (
    AlreadyDecided,
    ApproverNeeded,
    BasisNeeded,
    Conflicts,
    Forbidden,
    InvalidValues,
    NotFound,
    RecordEnded,
    SecondPersonNeeded,
    Stale,
    TooManyProposals,
)
_CODES: Mapping[type[Exception], str] = {
    ApproverNeeded: "approver_needed",
    Forbidden: "forbidden",
    NotFound: "unknown_proposal",
    RecordEnded: "record_ended",
    SecondPersonNeeded: "second_person_needed",
    Stale: "proposal_outdated",
    TooManyProposals: "too_many_proposals",
}


def problem_of(refusal: Exception) -> Problem:
    """What a refusal of the store means to whoever asked."""
    if isinstance(refusal, AlreadyDecided):
        return Refused("already_decided")
    if isinstance(refusal, BasisNeeded):
        return Refused("basis_needed", errors=[FieldError(name, "required") for name in refusal.missing])
    if isinstance(refusal, Conflicts):
        return Refused("proposal_conflicts", conflicts=refusal.conflicts, version=refusal.version)
    if isinstance(refusal, InvalidValues):
        return Refused("invalid_proposal", errors=refusal.errors)
    return Refused(_CODES[type(refusal)])
