"""The rollout: documents that prove criteria, signed and withdrawn, and what is noted about a phase. Under row-level
security; the database keeps who, in which role and when (functions/995_rollout.sql).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from postgis import tables
from postgis.actor import Actor
from postgis.criteria import criteria_of
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale, refused_by_database
from postgis.store.record_types import RecordType, WritableField
from postgis.store.record_values import columns
from postgis.vocabulary import PHASE_STATES

MOST_WORDS = 1000
PROOF = RecordType(
    "criterion_proofs",
    tables.criterion_proof,
    (
        WritableField("title", "text", required=True, max_length=300),
        WritableField("number", "text", required=True, max_length=60),
        WritableField("dated_on", "date", required=True, has_happened=True),
    ),
)
"""What people say about a document."""

STATE = RecordType(
    "phase_notes",
    tables.phase_note,
    (
        WritableField("state", "text", required=True, codes=PHASE_STATES, code_list="phase_state"),
        WritableField("words", "text", required=True, max_length=MOST_WORDS),
    ),
)
BLOCKER = RecordType(
    "phase_notes", tables.phase_note, (WritableField("words", "text", required=True, max_length=MOST_WORDS),)
)
"""What stands in the way of a phase; also how it was removed."""

_PROOF, _NOTE, _PHASE = tables.criterion_proof, tables.phase_note, tables.phase


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A document's file, kept already (`store.documents`): its name, its kind and its size in bytes."""

    name: str
    kind: str
    size: int


def wrong(connection: Connection, record_type: RecordType, values: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """What is wrong with values that somebody has typed."""
    try:
        columns(connection, record_type, values, new=True)
    except InvalidValues as invalid:
        return invalid.errors
    return ()


def attach(connection: Connection, actor: Actor, criterion: str, values: Mapping[str, Any], file: KeptFile) -> int:
    """Adds a document to a criterion of the actor's ward, and returns its number; it proves nothing until it is signed.

    The same file again is the document that is there. Raises NotFound for no such criterion, InvalidValues, Forbidden.
    """
    if criterion not in {each.code for each in criteria_of(actor.ward_code)}:
        raise NotFound
    row = columns(connection, PROOF, values, new=True)
    row |= {"ward_id": actor.ward_id, "criterion": criterion, "added_by": actor.staff_id}
    row |= {"file": file.name, "file_kind": file.kind, "file_bytes": file.size}
    adding = insert(_PROOF).values(**row)
    adding = adding.on_conflict_do_nothing(
        index_elements=["ward_id", "criterion", "file"], index_where=_PROOF.c.withdrawn_at.is_(None)
    )
    try:
        with connection.begin_nested():
            made = connection.execute(adding.returning(_PROOF.c.id)).scalar_one_or_none()
    except DBAPIError as error:
        raise refused_by_database(error, "criterion_proof") or error from None
    if made is not None:
        return int(made)
    there = (_PROOF.c.criterion == criterion, _PROOF.c.file == file.name, _PROOF.c.withdrawn_at.is_(None))
    return int(connection.execute(select(_PROOF.c.id).where(*there)).scalar_one())


def sign(connection: Connection, actor: Actor, number: int) -> None:
    """The actor answers for a document. Signed already: nothing changes. Raises NotFound, Stale when it was withdrawn,
    Forbidden for who may not sign."""
    row = _seen(connection, number)
    if row.withdrawn_at is not None:
        raise Stale("withdrawn")
    if row.signed_by is None:
        by = {"signed_by": actor.staff_id, "signed_name": "", "signed_role": actor.role, "signed_at": func.now()}
        _change(connection, number, **by)


def withdraw(connection: Connection, actor: Actor, number: int, reason: str) -> None:
    """A document proves nothing any more; its row and file stay. Withdrawn already: nothing changes.

    Raises NotFound, InvalidValues on `reason`, Forbidden for who may not.
    """
    row = _seen(connection, number)
    try:
        words = columns(connection, BLOCKER, {"words": reason}, new=True)
    except InvalidValues as invalid:
        raise InvalidValues([FieldError("reason", each.code, each.values) for each in invalid.errors]) from None
    if row.withdrawn_at is None:
        by = {"withdrawn_by": actor.staff_id, "withdrawn_at": func.now()}
        _change(connection, number, withdrawn_reason=words["words"], **by)


def document(connection: Connection, number: int) -> KeptFile:
    """The file of a document of the own ward, withdrawn or not. Raises NotFound."""
    row = connection.execute(
        select(_PROOF.c.file, _PROOF.c.file_kind, _PROOF.c.file_bytes).where(_PROOF.c.id == number)
    ).one_or_none()
    if row is None:
        raise NotFound
    return KeptFile(*row)


def note_state(connection: Connection, actor: Actor, phase: str, key: str, values: Mapping[str, Any]) -> None:
    """Notes how a phase goes. Raises NotFound for no such phase, InvalidValues, Forbidden."""
    _note(connection, actor, phase, key, {"kind": "state", **columns(connection, STATE, values, new=True)})


def note_blocker(connection: Connection, actor: Actor, phase: str, key: str, values: Mapping[str, Any]) -> None:
    """Notes what stands in the way of a phase. Raises as `note_state`."""
    _note(connection, actor, phase, key, {"kind": "blocker", **columns(connection, BLOCKER, values, new=True)})


def note_solved(connection: Connection, actor: Actor, number: int, key: str, values: Mapping[str, Any]) -> None:
    """Notes that a blocker is gone, and how; gone already: nothing changes. Raises as `note_state`."""
    row = connection.execute(select(_NOTE.c.phase).where(_NOTE.c.id == number, _NOTE.c.kind == "blocker")).one_or_none()
    if row is None:
        raise NotFound
    found = columns(connection, BLOCKER, values, new=True)
    _note(connection, actor, row.phase, key, {"kind": "solved", "solves_id": number, **found})


def _note(connection: Connection, actor: Actor, phase: str, key: str, row: dict[str, Any]) -> None:
    there = select(_PHASE.c.code).where(_PHASE.c.ward_code == actor.ward_code, _PHASE.c.code == phase)
    if connection.execute(there).one_or_none() is None:
        raise NotFound
    who = {"staff_id": actor.staff_id, "staff_name": "", "staff_role": actor.role}
    adding = insert(_NOTE).values(ward_id=actor.ward_id, phase=phase, request_key=key, **who, **row)
    try:
        with connection.begin_nested():
            # The same form again, or the same blocker ended by two: noted once.
            connection.execute(adding.on_conflict_do_nothing())
    except DBAPIError as error:
        raise refused_by_database(error, "phase_note") or error from None


def _seen(connection: Connection, number: int) -> Any:
    columns_ = (_PROOF.c.signed_by, _PROOF.c.withdrawn_at)
    row = connection.execute(select(*columns_).where(_PROOF.c.id == number).with_for_update()).one_or_none()
    if row is None:
        raise NotFound
    return row


def _change(connection: Connection, number: int, **values: Any) -> None:
    try:
        with connection.begin_nested():
            changed = connection.execute(update(_PROOF).where(_PROOF.c.id == number).values(**values))
    except DBAPIError as error:
        raise refused_by_database(error, "criterion_proof") or error from None
    if changed.rowcount != 1:
        raise Forbidden
