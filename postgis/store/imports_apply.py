"""Applies a batch: all its rows in one transaction of the person who asked, each whole or not at all.

What can be made ready is made ready before the history's lock is taken, since nobody else writes while it is held:
rows are opened, checked against the register and encrypted, codes are issued. Under the lock only what somebody has
changed meanwhile is looked at again; then the rows are written, set by set.
"""

import pickle
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from sqlalchemy import Connection, text

from postgis import codes
from postgis.actor import Actor, prepare_as, take_turn
from postgis.engine import Database
from postgis.errors import NotFound, NotNow
from postgis.secrets import Secrets
from postgis.store import imports_wanted, lookup_codes
from postgis.store.imports_foresee import Foresight
from postgis.store.imports_judge import Judge
from postgis.store.imports_judged import Judged
from postgis.store.imports_present import ENTITIES, PLACES, look
from postgis.store.imports_write import Writer, outcomes
from postgis.store.records import PREFIXES

Progress = Callable[[str, int, int | None], None]
"""Step, how many rows are done, of how many."""


class Cancelled(Exception):
    """Somebody asked for the work to stop; nothing was written."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A batch that is applied: rows by outcome, and its range of the history (None where it changed nothing)."""

    code: str
    outcomes: dict[str, int]
    first_seq: int | None
    last_seq: int | None


def apply(
    database: Database,
    secrets: Secrets,
    actor: Actor,
    code: str,
    *,
    progress: Progress = lambda _step, _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Applied:
    """Applies the batch that is in state `applying`; one that is applied already stays as it is.

    `progress` and `cancelled` use connections of their own. Raises NotFound, NotNow, Cancelled (nothing is written).
    """
    with prepare_as(database, actor, source="import") as connection:
        batch = begin(connection, code, ("applying",), "apply")
        if batch is None:
            return _applied(connection, code)
        connection.execute(_REASON, {"reason": _reason(batch.reason, code)})
        with tempfile.TemporaryFile() as spool:
            run = _Run(connection, secrets, actor, batch, spool, progress, cancelled)
            run.prepare()
            run.write()
    return _applied_again(database, actor, code)


@dataclass(slots=True)
class _Run:
    connection: Connection
    secrets: Secrets
    actor: Actor
    batch: Any
    spool: IO[bytes]
    """Judged rows, chunk by chunk: of 200,000 they would fill the memory. Personal values are encrypted by then."""
    progress: Progress
    cancelled: Callable[[], bool]
    total: int = 0
    seen_seq: int = 0
    judge: Judge = field(init=False)
    codes: "_Codes" = field(init=False)

    def prepare(self) -> None:
        """Judges every row by what the register holds now."""
        connection, batch = self.connection, self.batch
        self.seen_seq = _last_seq(connection)
        self.total = imports_wanted.count(connection, batch.id)
        self.codes = _Codes(connection)
        groups = {(row.scheme, row.class_code): row.sector_group for row in connection.execute(_GROUPS)}
        self.judge = Judge(self.secrets, self.codes.draw, groups, batch.created_at)
        foresight = Foresight(connection, self.actor.ward_id)
        imports_wanted.leave_others(connection, batch.id)
        already = {row.number: row.code for row in connection.execute(_ALREADY, {"batch": batch.id})}
        done = 0
        for rows in imports_wanted.chunks(connection, self.secrets, batch.id, batch.code):
            self._go_on("matching", done)
            present = look(connection, rows)
            judged = [
                Judged(row.number, "same", {"code": already[row.number]})
                if row.target is None and not row.decided and row.number in already
                else self.judge.judge(row, present)
                for row in rows
            ]
            for refused in foresight.refuse(judged):
                for code in refused.touches:
                    self.judge.forget(code)
            # Noted as if all went well: what does not is put right afterwards, under the lock.
            outcomes(connection, batch.id, judged, hopeful=True)
            pickle.dump(judged, self.spool, protocol=pickle.HIGHEST_PROTOCOL)
            done += len(rows)
        self.spool.seek(0)

    def write(self) -> None:
        """Waits for its turn, and writes."""
        connection, batch = self.connection, self.batch
        self._go_on("writing", 0)
        take_turn(connection, patience_s=0)
        before = _last_seq(connection)
        changed = _changed_since(connection, self.seen_seq) if before > self.seen_seq else _Changed()
        writer = Writer(connection, self.actor, batch.id, _reason(batch.reason, batch.code))
        done, uncounted = 0, 0
        for judged in self._spooled():
            rows = self._again(judged, changed)
            noted = {old.number: old.outcome or "applied" for old in judged}
            writer.write(rows)
            late = [
                new for new, old in zip(rows, judged, strict=True) if new is not old or new.outcome != noted[new.number]
            ]
            if late:
                outcomes(connection, batch.id, late)
            for row in writer.refused:
                # Later rows counted on what this one would have written.
                changed.codes.update(change.code for change in row.changes)
            writer.refused.clear()
            done, uncounted = done + len(rows), uncounted + len(rows)
            # After the first rows, and again when there are many times as many.
            if uncounted >= done * 7 / 8 and done < self.total:
                connection.execute(_COUNT_WRITTEN)
                uncounted = 0
            self._go_on("writing", done)
        connection.execute(_DONE, {"batch": batch.id, "before": before, "staff": self.actor.staff_id})

    def _spooled(self) -> Iterator[list[Judged]]:
        while True:
            try:
                yield pickle.load(self.spool)
            except EOFError:
                return

    def _again(self, judged: Sequence[Judged], changed: "_Changed") -> list[Judged]:
        """The same rows, those anew that somebody has touched since they were judged."""
        stale = {row.number for row in judged if row.outcome is None and changed.touches(row)}
        if not stale:
            return list(judged)
        rows = imports_wanted.these(self.connection, self.secrets, self.batch.id, self.batch.code, sorted(stale))
        for row in judged:
            if row.number in stale:
                for code in row.touches:
                    self.judge.forget(code)
        # One by one: each must see what those before it have written.
        found = {row.number: self.judge.judge(row, look(self.connection, [row])) for row in rows}
        return [found.get(row.number, row) for row in judged]

    def _go_on(self, step: str, done: int) -> None:
        if self.cancelled():
            raise Cancelled
        self.progress(step, done, self.total)


class _Codes:
    """Codes for records that are made, issued some thousand at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._places: list[str] = []
        self._entities: list[str] = []
        self._drawn: set[str] = set()

    def draw(self, collection: str) -> str:
        """A code that nobody ever had."""
        if collection == PLACES:
            if not self._places:
                self._places = lookup_codes.issue(self._connection, imports_wanted.CHUNK)
            return self._places.pop()
        while not self._entities:
            self._entities = self._free()
        return self._entities.pop()

    def _free(self) -> list[str]:
        """Among 50,000 codes two are alike every third time: only tables can tell which are free."""
        rng = random.SystemRandom()
        drawn = {f"{PREFIXES[ENTITIES]}{codes.new_code(rng)}" for _ in range(imports_wanted.CHUNK)} - self._drawn
        taken = self._connection.execute(_TAKEN, {"codes": list(drawn)}).scalars()
        free = drawn.difference(taken)
        self._drawn |= free
        return list(free)


@dataclass(slots=True)
class _Changed:
    """What others have changed in the ward since the rows were judged."""

    codes: set[str] = field(default_factory=set)
    places: set[tuple[str | None, str | None]] = field(default_factory=set)
    """Names and addresses of the places that were made."""

    def touches(self, row: Judged) -> bool:
        """Whether a row has to be judged again."""
        place = row.new_place or {}
        return not self.codes.isdisjoint(row.touches) or (
            bool(self.places) and (place.get("name"), place.get("address")) in self.places
        )


def _changed_since(connection: Connection, seq: int) -> _Changed:
    found = _Changed()
    for row in connection.execute(_CHANGES, {"seq": seq}):
        found.codes |= {row.record_code.partition(":")[0], row.establishment_code}
        if row.is_new_place:
            found.places.add((row.name, row.address))
    return found


def begin(connection: Connection, code: str, states: tuple[str, ...], job: str) -> Any:
    """The batch, held for this job against another that does the same; None where the job is done already.

    Not its row: whoever asks for the job to stop writes there. Raises NotFound, NotNow.
    """
    connection.execute(_NO_LIMITS)
    found = connection.execute(_BATCH, {"code": code}).one_or_none()
    if found is None:
        raise NotFound
    connection.execute(_HOLD, {"batch": found.id})
    batch = connection.execute(_BATCH, {"code": code}).one()
    if batch.state in {"apply": ("applied", "undone"), "undo": ("undone",)}[job] and batch.job != job:
        return None
    if batch.state not in states or batch.job != job:
        raise NotNow(batch.state, batch.job)
    return batch


def _reason(reason: str | None, code: str) -> str:
    return f"{reason or ''} [{code}]".strip()


def _applied_again(database: Database, actor: Actor, code: str) -> Applied:
    with prepare_as(database, actor) as connection:
        return _applied(connection, code)


def _applied(connection: Connection, code: str) -> Applied:
    batch = connection.execute(_BATCH, {"code": code}).one()
    counted = connection.execute(_COUNTED, {"batch": batch.id})
    return Applied(code, {row.outcome: row.rows for row in counted}, batch.first_seq, batch.last_seq)


def _last_seq(connection: Connection) -> int:
    """Of the ward's changes: others are not for this actor to see."""
    return int(connection.execute(_LAST_SEQ).scalar_one_or_none() or 0)


# A batch takes longer than a person would wait, and is killed by nobody's clock but its own job's. Its changes are
# sorted and hashed some thousand at a time, in memory.
_NO_LIMITS = text(
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL work_mem = '64MB'"
)
_HOLD = text("SELECT pg_advisory_xact_lock(20257004, CAST(:batch AS int))")
_BATCH = text("""
    SELECT id, code, state, job, reason, created_at, first_seq, last_seq, undo_reason, undo_also, undo_first_seq,
           undo_last_seq, undo_kept
      FROM register.import_batch WHERE code = :code
""")
_REASON = text("SELECT set_config('mapservice.reason', :reason, true)")
_GROUPS = text("SELECT scheme, class_code, sector_group FROM register.sector_group_class")
_TAKEN = text("SELECT code FROM register.legal_entity WHERE code = ANY (:codes)")
_LAST_SEQ = text("SELECT seq FROM register.change ORDER BY seq DESC LIMIT 1")
_CHANGES = text("""
    SELECT record_code, coalesce(establishment_code, record_code) AS establishment_code,
           collection = 'establishments' AND kind = 'insert' AS is_new_place,
           after ->> 'name' AS name, after ->> 'address' AS address
      FROM register.change WHERE seq > :seq
""")
# The same file, sent twice and planned twice before the first was applied: its rows are there.
_ALREADY = text("""
    SELECT r.number, o.outcome_values ->> 'code' AS code
      FROM register.import_batch b
      JOIN register.import_batch t ON t.ward_id = b.ward_id AND t.file_sha256 = b.file_sha256 AND t.id <> b.id
                                  AND t.state = 'applied'
      JOIN register.import_row r ON r.batch_id = b.id
      JOIN register.import_row o ON o.batch_id = t.id AND o.number = r.number AND o.sheet = r.sheet AND o.row = r.row
                                AND o.outcome IN ('applied', 'proposed') AND o.outcome_values ? 'code'
     WHERE b.id = :batch AND r.verdict = 'new'
""")
_COUNT_WRITTEN = text("SELECT register.count_written()")
_DONE = text("""
    UPDATE register.import_batch b
       SET state = 'applied', job = NULL, job_by = NULL, cancel_asked = false, error = NULL, version = version + 1,
           applied_by = :staff, applied_at = clock_timestamp(), first_seq = c.first_seq, last_seq = c.last_seq
      FROM (SELECT min(seq) AS first_seq, max(seq) AS last_seq FROM register.change WHERE seq > :before) c
     WHERE b.id = :batch
""")
_COUNTED = text("SELECT outcome, count(*) AS rows FROM register.import_row WHERE batch_id = :batch GROUP BY 1")
