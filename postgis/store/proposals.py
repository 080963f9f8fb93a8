"""Wanted changes of the ward's own people: made, sent back, rejected, withdrawn.

`applying.py` applies them; `suggestions.py` takes those of people without an account. Every function works inside the
caller's transaction (`postgis.actor.write_as`): row-level security and the trigger `guard` hold what stands here.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, insert, null, select, update

from postgis import tables
from postgis.actor import Actor
from postgis.codes import ALPHABET
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.merge import same
from postgis.risk import ENDED, risk_of
from postgis.store import records
from postgis.store.record_types import RECORD_TYPES, RecordType, WritableField
from postgis.store.record_values import columns

_TABLE = tables.proposal
REVIEWERS = ("officer", "approver", "admin")
RECEIPT_GROUPS, RECEIPT_GROUP = 4, 4
"""16 letters of 23: 72 bits, since whoever holds a receipt sees its state."""

_WORDS = {
    name: WritableField(name, "text", required=name in ("reason", "note"))
    for name in ("reason", "evidence", "legal_basis", "note")
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A wanted change as it is stored. `base` and `patch` use the wire names of the collection."""

    receipt: str
    ward_id: int
    collection: str
    record_code: str | None
    base_version: int | None
    base: dict[str, Any] | None
    patch: dict[str, Any]
    reason: str
    evidence: str | None
    legal_basis: str | None
    source: str
    risk: str
    state: str
    proposed_by: int | None
    proposer_kind: str
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decision_note: str | None
    version: int

    @property
    def wanted(self) -> dict[str, Any]:
        """The whole record as the proposer wants it, from what they saw."""
        return {**(self.base or {}), **self.patch}


class AlreadyDecided(Exception):
    """Somebody has decided it, or it was withdrawn. `proposal` is what it is now."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(proposal.state)
        self.proposal = proposal


class RecordEnded(Exception):
    """The record that the change is about no longer counts."""


def new_receipt() -> str:
    """A receipt such as K7M4-2XPA-9HTC-W3RN: unguessable, and without letters that look alike."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(RECEIPT_GROUP)) for _ in range(RECEIPT_GROUPS))
    return "-".join(groups)


def read_receipt(typed: str) -> str | None:
    """A receipt as it is stored, from what somebody typed; None when it can be none."""
    letters = "".join(letter for letter in typed.upper() if not letter.isspace() and letter != "-")
    if len(letters) != RECEIPT_GROUPS * RECEIPT_GROUP or not set(letters) <= set(ALPHABET):
        return None
    return "-".join(letters[start : start + RECEIPT_GROUP] for start in range(0, len(letters), RECEIPT_GROUP))


def propose(
    connection: Connection,
    actor: Actor,
    *,
    collection: str,
    record_code: str | None,
    patch: Mapping[str, Any],
    reason: str,
    evidence: str | None = None,
    legal_basis: str | None = None,
    source: str = "office",
    base: Mapping[str, Any] | None = None,
    base_version: int | None = None,
    proposer_kind: str = "staff",
) -> Proposal:
    """Notes a wanted change: of the fields in `patch`, of `ended`, or a new record where `record_code` is None.

    `base` holds the changed fields as the proposer saw them; without it, the record as it is now. Raises InvalidValues,
    NotFound, RecordEnded, and Stale when only a version is given and that is not the present one.
    """
    record_type = RECORD_TYPES[collection]
    words = spoken(connection, reason=reason, evidence=evidence, legal_basis=legal_basis)
    if record_code is None:
        if record_type.field("source") is not None:
            patch = {"source": source, **patch}
        wish, seen, version = checked(connection, record_type, patch, new=True), None, None
        told = records.superseded(connection, collection, wish)
    else:
        current = records.get(connection, collection, record_code)
        wish = checked(connection, record_type, patch, new=False)
        seen, version = _base(connection, record_type, current, wish, base, base_version)
        told = seen
    values = {
        "receipt": new_receipt(),
        "ward_id": actor.ward_id,
        "collection": collection,
        "record_code": record_code,
        "base_version": version,
        "base": null() if seen is None else seen,
        "patch": wish,
        "source": source,
        "risk": risk_of(collection, told, {**(seen or {}), **wish}, proposer_kind),
        "proposed_by": actor.staff_id,
        "proposer_kind": proposer_kind,
        **words,
    }
    receipt = connection.execute(insert(_TABLE).values(**values).returning(_TABLE.c.receipt)).scalar_one()
    return get(connection, receipt)


def get(connection: Connection, receipt: str, *, lock: bool = False) -> Proposal:
    """A proposal of the actor's ward. `lock` holds it for the rest of the transaction. Raises NotFound."""
    names = [field.name for field in fields(Proposal)]
    statement = select(*(_TABLE.c[name] for name in names)).where(_TABLE.c.receipt == receipt)
    row = connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
    if row is None:
        raise NotFound
    return Proposal(**row)


def pending(connection: Connection, receipt: str) -> Proposal:
    """The same, held for a decision. Raises NotFound, AlreadyDecided."""
    proposal = get(connection, receipt, lock=True)
    if proposal.state != "pending":
        raise AlreadyDecided(proposal)
    return proposal


def send_back(connection: Connection, receipt: str, actor: Actor, note: str) -> Proposal:
    """Gives it back to the proposer, who is told what is missing. Raises NotFound, AlreadyDecided, InvalidValues."""
    return _refuse(connection, receipt, actor, note, "returned")


def reject(connection: Connection, receipt: str, actor: Actor, note: str) -> Proposal:
    """Turns it down, with the reason. Raises NotFound, AlreadyDecided, InvalidValues, Forbidden."""
    return _refuse(connection, receipt, actor, note, "rejected")


def withdraw(connection: Connection, receipt: str, actor: Actor) -> Proposal:
    """Takes it back, as only its proposer may. Raises NotFound, AlreadyDecided, Forbidden."""
    proposal = pending(connection, receipt)
    if proposal.proposed_by != actor.staff_id:
        raise Forbidden
    connection.execute(update(_TABLE).where(_TABLE.c.receipt == receipt).values(state="withdrawn"))
    return get(connection, receipt)


def close(connection: Connection, proposal: Proposal, actor: Actor, state: str, note: str | None, **more: Any) -> None:
    """Writes a decision down: who, when, with which note."""
    values = {"state": state, "decided_by": actor.staff_id, "decided_at": func.clock_timestamp(), **more}
    connection.execute(update(_TABLE).where(_TABLE.c.receipt == proposal.receipt).values(**values, decision_note=note))


def checked(connection: Connection, record_type: RecordType, values: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    """The wanted fields as the register would have them: a merge compares like with like. Raises InvalidValues."""
    wish = dict(values)
    if ENDED not in wish:
        if not wish:
            raise InvalidValues([FieldError("patch", "required")])
        return as_wire(record_type, wish, columns(connection, record_type, wish, new=new))
    if new or len(wish) > 1:
        raise InvalidValues([FieldError(ENDED, "stands_alone")])
    if not isinstance(wish[ENDED], bool):
        raise InvalidValues([FieldError(ENDED, "not_yes_or_no", {"value": str(wish[ENDED])})])
    return wish


def spoken(connection: Connection, **words: Any) -> dict[str, Any]:
    """What is said for or against a change, checked as the fields of a record are. Raises InvalidValues."""
    said = {name: value.strip() if isinstance(value, str) else value for name, value in words.items()}
    record_type = RecordType("proposals", _TABLE, tuple(_WORDS[name] for name in words))
    return columns(connection, record_type, said, new=True)


def snapshot(record: records.Record) -> dict[str, Any]:
    """A record's values with `ended`, which is a field like others to a merge."""
    return {**record.values, ENDED: record.ended}


def _base(
    connection: Connection,
    record_type: RecordType,
    current: records.Record,
    wish: Mapping[str, Any],
    base: Mapping[str, Any] | None,
    version: int | None,
) -> tuple[dict[str, Any], int]:
    if current.ended and ENDED not in wish:
        raise RecordEnded
    if base is None:
        if version not in (None, current.version):
            raise Stale(current)
        seen = snapshot(current)
    else:
        seen = _as_seen(connection, record_type, base)
        missing = [name for name in wish if name not in seen]
        if missing:
            raise InvalidValues([FieldError(name, "base_missing") for name in missing])
        if "establishment" in current.values:
            seen["establishment"] = current.values["establishment"]
    if all(same(seen.get(name), value) for name, value in wish.items()):
        raise InvalidValues([FieldError("patch", "no_change")])
    return seen, version or current.version


def _as_seen(connection: Connection, record_type: RecordType, base: Mapping[str, Any]) -> dict[str, Any]:
    """What the proposer says they saw: the types are checked, whether it was ever so shows in the merge."""
    fields_seen = tuple(replace(field, required=False, fixed=False) for field in record_type.fields)
    plain = {name: value for name, value in base.items() if name != ENDED}
    stored = columns(connection, replace(record_type, fields=fields_seen), plain, new=False, past=True)
    seen = as_wire(record_type, plain, stored)
    return {**seen, ENDED: base.get(ENDED) is True}


def as_wire(record_type: RecordType, given: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """`given` in the one spelling that its columns stand for."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        field = record_type.field(name)
        kind = field.kind if field else "text"
        if kind in ("point", "shape"):
            shape = json.loads(value) if isinstance(value, str) and value.strip() else value or None
            if kind == "point" and shape:
                shape = {"type": "Point", "coordinates": [float(number) for number in shape["coordinates"][:2]]}
            found[name] = shape
        elif kind == "reference":
            found[name] = None if stored[f"{name}_id"] is None else str(value).strip()
        else:
            value = stored[name]
            found[name] = float(value) if isinstance(value, Decimal) else value
            if isinstance(value, date):
                found[name] = value.isoformat()
    return found


def _refuse(connection: Connection, receipt: str, actor: Actor, note: str, state: str) -> Proposal:
    words = spoken(connection, note=note)
    proposal = pending(connection, receipt)
    if actor.role not in REVIEWERS:
        raise Forbidden
    close(connection, proposal, actor, state, words["note"])
    return get(connection, receipt)
