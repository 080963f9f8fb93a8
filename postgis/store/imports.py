"""Files that were sent in: begun, looked up, and their rows read.

Every function works inside the caller's transaction: `postgis.actor.prepare_as` to begin one, `read_as` to look.
What may be decided about a batch stands in `imports_decide.py`, what may be asked in `imports_ask.py`; the job process
(`imports_queue.py`) does it.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    String,
    and_,
    cast,
    func,
    insert,
    or_,
    select,
    text,
)

from postgis import tables
from postgis.actor import Actor
from postgis.codes import new_code
from postgis.errors import FieldError, InvalidValues, NotFound
from postgis.folding import search_key
from postgis.secrets import Secrets

MOST_BYTES = 64 * 2**20
"""Of a file: a ward's longest list is far below, and the database takes it as one value."""
LONGEST_NAME = 200
CHANNEL = "mapservice_imports"
"""What the job process listens on."""

BATCH, ROW, PROGRESS = tables.import_batch, tables.import_row, tables.import_progress
_STANDING = ("reading", "planned", "applying", "applied")
_UNWANTED = ("file_sealed", "corrections_sealed", "file_sha256", "attempts")
_ROWS = select(*(each for each in ROW.c if each.name != "batch_id"))


@dataclass(frozen=True, slots=True)
class Batch:
    """A file that was sent in, without its rows. Times are with time zone; `counts` has the six verdicts' and
    `rows_read`."""

    id: int
    code: str
    ward_id: int
    file_name: str
    file_size: int
    choices: dict[str, Any]
    state: str
    job: str | None
    job_by: int | None
    cancel_asked: bool
    error: dict[str, Any] | None
    summary: dict[str, Any] | None
    counts: dict[str, int]
    reason: str | None
    created_by: int
    created_by_name: str | None
    created_at: datetime
    applied_by: int | None
    applied_by_name: str | None
    applied_at: datetime | None
    undo_reason: str | None
    undo_also: list[str]
    undone_by: int | None
    undone_by_name: str | None
    undone_at: datetime | None
    first_seq: int | None
    last_seq: int | None
    undo_first_seq: int | None
    undo_last_seq: int | None
    undo_kept: list[dict[str, Any]] | None
    taken: list[dict[str, Any]]
    version: int
    has_file: bool
    """Whether the file is still kept."""
    known: bool = False
    """Of `start`: the same file was there already, and this is its batch."""


@dataclass(frozen=True, slots=True, repr=False)
class ImportRow:
    """A row of a file as it was planned. `sealed` holds what the sender wrote: `unseal` opens it."""

    number: int
    sheet: str
    row: int
    verdict: str
    reason: str | None
    place_code: str | None
    decision: str | None
    target_code: str | None
    proposed: dict[str, Any] | None
    changes: list[dict[str, Any]]
    wishes: dict[str, Any] | None
    matches: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    sealed: bytes | None
    outcome: str | None
    outcome_values: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows have each verdict, each decision of a verdict (`None`: nobody has decided), each outcome."""

    verdicts: Counter[str]
    decisions: Counter[tuple[str, str | None]]
    outcomes: Counter[str]

    @property
    def to_apply(self) -> int:
        """How many rows applying would write: what is clear and not left out, and what a person has decided."""
        clear = sum(self.decisions[verdict, None] for verdict in ("new", "changed"))
        return clear + sum(
            count
            for (verdict, decision), count in self.decisions.items()
            if decision in ("new", "update") and verdict in ("new", "changed", "doubtful")
        )

    @property
    def undecided(self) -> int:
        """How many doubtful rows wait for a person."""
        return self.decisions["doubtful", None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work on a batch has come; `total` is None where it is not known yet."""

    step: str
    done: int
    total: int | None
    at: datetime


def start(
    connection: Connection, actor: Actor, *, file_name: str, data: bytes, secrets: Secrets,
    choices: Mapping[str, Any] | None = None, again: bool = False,
) -> Batch:  # fmt: skip
    """Keeps a file and asks for its reading.

    The same file is not taken twice: the ward's batch of it that has not failed or been undone is the answer, with
    `known`, unless `again`. Raises InvalidValues for `file`, Forbidden by the database's own rules.
    """
    name = " ".join(re.split(r"[\\/]", file_name)[-1].split())[-LONGEST_NAME:]
    if not data:
        raise InvalidValues([FieldError("file", "required")])
    if len(data) > MOST_BYTES:
        raise InvalidValues([FieldError("file", "file_too_large", {"most": MOST_BYTES // 2**20})])
    digest = hashlib.sha256(data).digest()
    # Two who send one file at the same moment get one batch.
    key = int.from_bytes(digest[:7], "big")
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
    if not again and (standing := _standing(connection, actor.ward_id, digest)) is not None:
        return replace(get(connection, standing), known=True)
    code = f"IM{new_code()}"
    values = {
        "code": code,
        "ward_id": actor.ward_id,
        "file_name": name or code,
        "file_size": len(data),
        "file_sha256": digest,
        "file_sealed": secrets.encrypt(data, context=_file_context(code)),
        "choices": dict(choices or {}),
        "job": "read",
        "job_by": actor.staff_id,
        "created_by": actor.staff_id,
    }
    connection.execute(insert(BATCH).values(**values))
    wake(connection)
    return get(connection, code)


def get(connection: Connection, code: str, *, lock: bool = False) -> Batch:
    """A batch of the actor's ward. `lock` holds it for the rest of the transaction. Raises NotFound."""
    if lock:
        connection.execute(select(BATCH.c.id).where(BATCH.c.code == code).with_for_update())
    row = connection.execute(_batches().where(BATCH.c.code == code)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return Batch(**row)


def list_batches(connection: Connection, limit: int, before: int | None = None) -> list[Batch]:
    """The ward's batches, the newest first; `before`: the id of the last one seen."""
    statement = _batches().order_by(BATCH.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(BATCH.c.id < before)
    return [Batch(**row) for row in connection.execute(statement).mappings()]


def rows(
    connection: Connection, code: str, *, verdicts: Sequence[str] | None = None, outcomes: Sequence[str] | None = None,
    decided: bool | None = None, sheet: str | None = None, problem: str | None = None, q: str | None = None,
    after_number: int = 0, limit: int | None = 100,
) -> list[ImportRow]:  # fmt: skip
    """Rows in reading order after a number. `problem`: of which this is said. `q` finds words of name and address, a
    code, or the number of a row. Raises NotFound."""
    batch_id = id_of(connection, code)
    statement = _ROWS.where(ROW.c.batch_id == batch_id, ROW.c.number > after_number).order_by(ROW.c.number)
    if verdicts is not None:
        statement = statement.where(ROW.c.verdict.in_(verdicts))
    if outcomes is not None:
        statement = statement.where(ROW.c.outcome.in_(outcomes))
    if decided is not None:
        statement = statement.where(ROW.c.decision.is_not(None) if decided else ROW.c.decision.is_(None))
    if sheet is not None:
        statement = statement.where(ROW.c.sheet == sheet)
    if problem is not None:
        statement = statement.where(ROW.c.problems.contains([{"code": problem}]))
    if q is not None and q.strip():
        statement = statement.where(_found(q))
    return [_row(found) for found in connection.execute(statement.limit(limit)).mappings()]


def row(connection: Connection, code: str, number: int) -> ImportRow:
    """One row. Raises NotFound."""
    this = (ROW.c.batch_id == id_of(connection, code)) & (ROW.c.number == number)
    found = connection.execute(_ROWS.where(this)).mappings().one_or_none()
    if found is None:
        raise NotFound
    return _row(found)


def counts(connection: Connection, code: str) -> Counts:
    """How many rows stand how. Raises NotFound."""
    grouped = (
        select(ROW.c.verdict, ROW.c.decision, ROW.c.outcome, func.count())
        .where(ROW.c.batch_id == id_of(connection, code))
        .group_by(ROW.c.verdict, ROW.c.decision, ROW.c.outcome)
    )
    found = Counts(Counter(), Counter(), Counter())
    for verdict, decision, outcome, count in connection.execute(grouped):
        found.verdicts[verdict] += count
        found.decisions[verdict, decision] += count
        if outcome is not None:
            found.outcomes[outcome] += count
    return found


def progress(connection: Connection, code: str) -> Progress | None:
    """How far the present or last job has come; None before the first has begun. Raises NotFound."""
    statement = select(PROGRESS.c.step, PROGRESS.c.done, PROGRESS.c.total, PROGRESS.c.at)
    found = connection.execute(statement.where(PROGRESS.c.batch_id == id_of(connection, code))).one_or_none()
    return None if found is None else Progress(*found)


def unseal(secrets: Secrets, batch: Batch, found: ImportRow) -> dict[str, Any]:
    """What the sender wrote in a row and what is personal in it: {"cells", "personal"}; empty once it is no longer
    kept. Raises Undecipherable.
    """
    if found.sealed is None:
        return {"cells": {}, "personal": {}}
    opened: dict[str, Any] = json.loads(secrets.decrypt(found.sealed, context=row_context(batch.code, found.number)))
    return opened


def file_of(connection: Connection, secrets: Secrets, code: str) -> bytes | None:
    """The file as it was sent; None once it is no longer kept. Raises NotFound, Undecipherable."""
    sealed = connection.execute(select(BATCH.c.file_sealed).where(BATCH.c.code == code)).one_or_none()
    if sealed is None:
        raise NotFound
    return None if sealed[0] is None else secrets.decrypt(sealed[0], context=_file_context(code))


def row_context(code: str, number: int) -> str:
    """Where a row's sealed content belongs: copied elsewhere it does not open."""
    return f"import_row:{code}:{number}"


def id_of(connection: Connection, code: str) -> int:
    """The surrogate key of a batch of the actor's ward. Raises NotFound."""
    found = connection.execute(select(BATCH.c.id).where(BATCH.c.code == code)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return int(found)


def wake(connection: Connection) -> None:
    """Tells the job process, once this transaction is committed, that there is something to do."""
    connection.execute(text(f"NOTIFY {CHANNEL}"))


def _standing(connection: Connection, ward_id: int, digest: bytes) -> str | None:
    same = (BATCH.c.ward_id == ward_id) & (BATCH.c.file_sha256 == digest) & BATCH.c.state.in_(_STANDING)
    newest = select(BATCH.c.code).where(same).order_by(BATCH.c.id.desc()).limit(1)
    found: str | None = connection.execute(newest).scalar_one_or_none()
    return found


def _batches() -> Select[Any]:
    wanted: list[ColumnElement[Any]] = [each for each in BATCH.c if each.name not in _UNWANTED]
    person = tables.staff.c
    for what in ("created_by", "applied_by", "undone_by"):
        name = select(person.display_name).where(person.id == BATCH.c[what]).scalar_subquery()
        wanted.append(name.label(f"{what}_name"))
    return select(*wanted, BATCH.c.file_sealed.is_not(None).label("has_file"))


def _row(found: RowMapping) -> ImportRow:
    sealed = found["sealed"]
    return ImportRow(**{**found, "sealed": None if sealed is None else bytes(sealed)})


def _file_context(code: str) -> str:
    return f"import_file:{code}"


def _found(q: str) -> ColumnElement[bool]:
    wanted = q.strip()[:100]
    texts = [func.coalesce(ROW.c.proposed[name].as_string(), "") for name in ("name", "registered_name", "address")]
    key = func.published.search_key(func.concat_ws(" ", *texts))
    words = [key.contains(word, autoescape=True) for word in search_key(wanted).split()]
    numbered = or_(ROW.c.place_code == wanted.upper(), cast(ROW.c.row, String) == wanted)
    return or_(numbered, and_(*words)) if words else numbered
