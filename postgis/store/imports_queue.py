"""The job process's part of imports: which job is next, in whose name, how far it is, how it ends, what is forgotten.

All as owner, since jobs are of every ward, on a connection beside the job's own transaction: what stands here must be
seen, and must stay, whatever becomes of that.
"""

import contextlib
import select as readable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, delete, func, literal, null, select, text, update

from postgis import tables
from postgis.actor import Actor
from postgis.engine import Database
from postgis.store.imports import BATCH, CHANNEL, PROGRESS, ROW

MOST_ATTEMPTS = 3
"""How often a job is begun that dies without a word, before it is given up."""
KEPT_DAYS = 90
"""How long the file and what its rows say in the sender's words are kept once a batch has ended."""
_WORK_LOCK = 20257_004
"""Held by who works on a job, in any process: one at a time, also when a killed one has not quite ended."""
_WATCH_LOCK = 20257_005
"""Held by the one job process that looks for jobs, where several services share a database."""
_WORKERS = ("officer", "approver", "admin")
_KEPT = tables.import_kept_datum


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with a batch; `attempts`: how often it was begun."""

    code: str
    kind: str
    attempts: int


@contextlib.contextmanager
def beside(database: Database) -> Iterator[Connection]:
    """A connection whose every statement counts at once. What it holds it gives up at the end."""
    with database.owner.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            yield connection
        finally:
            if not connection.invalidated:
                # Not back into the pool: its locks are the session's, and so is what it listens on.
                connection.invalidate()


def take_work(connection: Connection, *, wait: bool = True) -> bool:
    """Waits until nobody else works on a job, and keeps others from it for as long as the connection lasts."""
    if not wait:
        return _try(connection, _WORK_LOCK)
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _WORK_LOCK})
    return True


def take_watch(connection: Connection) -> bool:
    """Whether this process is the one that looks for jobs from now on; then it is also told of new ones."""
    if not _try(connection, _WATCH_LOCK):
        return False
    connection.execute(text(f"LISTEN {CHANNEL}"))
    return True


def wait_for_news(connection: Connection, seconds: float, also: Sequence[int] = ()) -> None:
    """Waits until somebody asks for something, one of the file descriptors can be read, or the time is over.

    Raises OperationalError when the database is gone.
    """
    raw: Any = connection.connection.driver_connection
    raw.notifies.clear()
    readable.select([raw, *also], [], [], seconds)
    connection.execute(select(literal(1)))


def next_job(connection: Connection, code: str | None = None) -> Job | None:
    """The oldest job that waits, or that of one batch."""
    statement = select(BATCH.c.code, BATCH.c.job, BATCH.c.attempts).where(BATCH.c.job.is_not(None))
    if code is not None:
        statement = statement.where(BATCH.c.code == code)
    found = connection.execute(statement.order_by(BATCH.c.id).limit(1)).one_or_none()
    return None if found is None else Job(*found)


def begin(connection: Connection, job: Job) -> None:
    """Counts that a job is begun; what an earlier attempt has said of its progress no longer holds."""
    connection.execute(update(BATCH).where(BATCH.c.code == job.code).values(attempts=BATCH.c.attempts + 1))
    connection.execute(delete(PROGRESS).where(PROGRESS.c.batch_id == _id(job.code)))


def put_back(connection: Connection, job: Job) -> None:
    """The service was told to stop in the middle: that speaks not against the job."""
    fewer = func.greatest(BATCH.c.attempts - 1, 0)
    connection.execute(update(BATCH).where(BATCH.c.code == job.code, BATCH.c.job == job.kind).values(attempts=fewer))


def actor_of(connection: Connection, code: str) -> Actor | None:
    """Who asked for the job, as they are now; None when they may no longer do it."""
    person, ward = tables.staff.c, tables.ward.c
    statement = (
        select(person.id, person.login, person.display_name, person.role, person.ward_id, ward.code)
        .join(BATCH, BATCH.c.job_by == person.id)
        .join(tables.ward, ward.id == person.ward_id)
        .where(
            BATCH.c.code == code, person.disabled_at.is_(None), person.role.in_(_WORKERS),
            person.ward_id == BATCH.c.ward_id,
        )
    )  # fmt: skip
    found = connection.execute(statement).one_or_none()
    return None if found is None else Actor(*found)


def note_progress(connection: Connection, code: str, step: str, done: int, total: int | None = None) -> None:
    """Says how far the work has come."""
    connection.execute(_NOTE, {"code": code, "step": step, "done": done, "total": total})


def cancel_asked(connection: Connection, code: str) -> bool:
    """Whether somebody wants the job to be given up."""
    return bool(connection.execute(select(BATCH.c.cancel_asked).where(BATCH.c.code == code)).scalar_one_or_none())


def give_up(connection: Connection, job: Job, code: str, **values: Any) -> None:
    """Ends a job without its result: nothing of it stands. `code` says why (import_failures, import_refusals).

    A file that was not read has failed; a plan that was not applied is still a plan, and what was not undone still
    applied: both may be asked for again.
    """
    state = case((BATCH.c.job == "read", "failed"), (BATCH.c.job == "apply", "planned"), else_=BATCH.c.state)
    ended = update(BATCH).where(BATCH.c.code == job.code, BATCH.c.job == job.kind)
    connection.execute(
        ended.values(
            state=state, job=null(), job_by=null(), cancel_asked=False, error={"code": code, "values": values},
            version=BATCH.c.version + 1,
        )
    )  # fmt: skip


def forget_old(connection: Connection) -> int:
    """Empties what was sealed of batches that ended long ago, and says how many. The history keeps what was applied.

    A plan that nobody applied in that time has ended too: it compares with a register that has moved on.
    """
    over = func.now() - func.make_interval(0, 0, 0, KEPT_DAYS)
    expired = {"code": "expired", "values": {}}
    left = update(BATCH).where(BATCH.c.state == "planned", BATCH.c.job.is_(None), BATCH.c.created_at < over)
    connection.execute(left.values(state="failed", error=expired, version=BATCH.c.version + 1))
    ended = func.greatest(BATCH.c.created_at, BATCH.c.applied_at, BATCH.c.undone_at)
    old = (
        BATCH.c.state.in_(("applied", "undone", "failed")) & BATCH.c.job.is_(None) & (ended < over)
        & BATCH.c.file_sealed.is_not(None)
    )  # fmt: skip
    found = list(connection.execute(select(BATCH.c.id).where(old)).scalars())
    for batch_id in found:
        # The file last: should this be cut off, the next time finds the batch again.
        rows = update(ROW).where(ROW.c.batch_id == batch_id, ROW.c.sealed.is_not(None))
        connection.execute(rows.values(sealed=None))
        # Nor a telephone number that the batch replaced: an undo so late leaves the new one.
        replaced = (_KEPT.c.batch_id == batch_id) & _KEPT.c.ciphertext.is_not(None)
        connection.execute(delete(_KEPT).where(replaced))
        connection.execute(
            update(BATCH).where(BATCH.c.id == batch_id).values(file_sealed=None, corrections_sealed=None)
        )
    return len(found)


def _try(connection: Connection, lock: int) -> bool:
    return bool(connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": lock}).scalar_one())


def _id(code: str) -> Any:
    return select(BATCH.c.id).where(BATCH.c.code == code).scalar_subquery()


_NOTE = text("""
    INSERT INTO register.import_progress AS p (batch_id, step, done, total, at)
    SELECT id, :step, :done, :total, clock_timestamp() FROM register.import_batch WHERE code = :code
        ON CONFLICT (batch_id) DO UPDATE SET step = excluded.step, done = excluded.done,
                                             total = excluded.total, at = excluded.at""")
