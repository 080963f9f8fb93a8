"""One job of an import, done in this process in the name of who asked: reading a file, applying a plan, undoing it."""

import logging
import time
import traceback
from collections.abc import Callable
from pathlib import PurePath

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from ingest.choices import Choices
from ingest.identity import Identities
from ingest.plan import Cancelled, plan_rows
from ingest.plan_summary import PlanSummary
from ingest.planned import PlannedRow
from ingest.refusal import Refusal
from ingest.row_places import Locator
from ingest.workbook import Workbook
from ingest.workbook_reader import read
from layers.gazetteer import surroundings
from layers.register_places import register_of
from mapservice.geocoding import gazetteer
from mapservice.sealed import secrets_of
from postgis.actor import Actor, prepare_as
from postgis.engine import Database
from postgis.errors import NotNow
from postgis.store import imports, imports_apply, imports_queue, imports_read, imports_undo
from postgis.store.imports_correct import corrections_of
from postgis.store.imports_decide import shapes

logger = logging.getLogger(__name__)

Shown = Callable[[str, int, int | None], None]
"""Told how far the work is, beside the database: the step, how much is done, of how much where that is known."""
_EVERY = 0.3  # seconds between two looks at what others want and two notes of how far it is

_LOOK_EVERY = 2_000  # rows
_OUT_OF_MEMORY = ("out of memory", "cannot allocate memory")
"""How libpq says it, and then that the connection is lost: the file is too large, and a second try would not help."""


class Interrupted(Exception):
    """The database is gone: nothing of the job stands, and it is to be begun again."""


def work_off(database: Database) -> int:
    """Does every job that waits, one after the other, in this process; how many there were."""
    done = 0
    with imports_queue.beside(database) as side:
        imports_queue.take_work(side)
        while (job := imports_queue.next_job(side)) is not None:
            do(database, side, job)
            done += 1
    return done


def do(
    database: Database, side: Connection, job: imports_queue.Job, *, shown: Shown = lambda *_: None,
    stop: Callable[[], bool] = lambda: False,
) -> None:  # fmt: skip
    """Does one job. It ends well or is given up with a reason; in both cases the batch says so.

    `side` is the connection beside the job's own (`imports_queue.beside`), which has taken the work; `stop` may cancel
    as a person does on the screen. Raises Interrupted.
    """
    if job.attempts >= imports_queue.MOST_ATTEMPTS:
        return imports_queue.give_up(side, job, "interrupted", attempts=job.attempts)
    imports_queue.begin(side, job)
    actor = imports_queue.actor_of(side, job.code)
    if actor is None:
        return imports_queue.give_up(side, job, "not_allowed")
    beside = _Beside(side, job.code, shown, stop)
    try:
        _DO[job.kind](database, actor, job.code, beside)
    except (Cancelled, imports_apply.Cancelled):
        imports_queue.give_up(side, job, "cancelled")
    except Refusal as refusal:
        imports_queue.give_up(side, job, refusal.code, **refusal.values)
    except _GivenUp as given_up:
        imports_queue.give_up(side, job, str(given_up))
    except NotNow as error:
        # Else it would stay the next job for ever. Where another process has ended it meanwhile, this changes nothing.
        _failed(side, job, error)
    except MemoryError:
        imports_queue.give_up(side, job, "too_large_here")
    except DBAPIError as error:
        if any(words in str(error.orig) for words in _OUT_OF_MEMORY):
            imports_queue.give_up(side, job, "too_large_here")
        elif error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError)):
            raise Interrupted from None
        else:
            _failed(side, job, error)
    except Exception as error:
        _failed(side, job, error)
    return None


class _GivenUp(Exception):
    """The job cannot be done; the message is the code (`import_failures.CODE`)."""


class _Beside:
    """What a job tells and hears while it works, over the connection beside its own."""

    def __init__(self, side: Connection, code: str, shown: Shown, stop: Callable[[], bool]) -> None:
        self._side, self._code, self._shown, self._stop = side, code, shown, stop
        self._noted = self._asked = -_EVERY
        self._step = ""

    def progress(self, step: str, done: int, total: int | None = None) -> None:
        """Notes how far the work is: not more often than somebody can read."""
        now = time.monotonic()
        if step != self._step or now - self._noted >= _EVERY:
            self._step, self._noted = step, now
            self._shown(step, done, total)
            imports_queue.note_progress(self._side, self._code, step, done, total)

    def plan_progress(self, total: int) -> Callable[[str, int], None]:
        """The same for a plan, of so many rows; finding out the columns goes by sheets, which tells nobody much."""
        return lambda step, done: self.progress(step, done, total) if step == "matching" else None

    def cancelled(self) -> bool:
        """Whether the job is to be given up."""
        if self._stop():
            return True
        now = time.monotonic()
        if now - self._asked < _EVERY:
            return False
        self._asked = now
        return imports_queue.cancel_asked(self._side, self._code)


def _read(database: Database, actor: Actor, code: str, beside: _Beside) -> None:
    """Reads the file and stores its plan, in one transaction of the actor's."""
    secrets = secrets_of(database)
    with prepare_as(database, actor) as connection:
        imports_read.take_time(connection)
        beside.progress("reading", 0)
        batch = imports.get(connection, code)
        data = imports.file_of(connection, secrets, code)
        if data is None:
            raise _GivenUp("expired")
        around = surroundings(connection, actor.ward_code)
        if around is None:
            raise _GivenUp("no_outline")
        remembered = {**batch.choices, "columns": {**shapes(connection), **(batch.choices.get("columns") or {})}}
        workbook, summary = read(data, batch.file_name), PlanSummary()
        total = batch.counts.get("rows_read") or _rows_of(workbook, beside)
        rows = plan_rows(
            workbook, Locator(gazetteer(around)), register_of(connection, actor.ward_code), Identities(secrets),
            Choices.from_json(remembered), beside.plan_progress(total), beside.cancelled, summary,
            corrections_of(connection, secrets, code),
        )  # fmt: skip
        # A blank row is only counted: a sheet may have a million of them.
        kept = (row for row in rows if isinstance(row, PlannedRow) or row.skipped.cells)
        imports_read.replace_rows(connection, secrets, batch, ((row.as_json(), row.sealed()) for row in kept))
        imports_read.finish(connection, batch, summary.as_json(), summary.stored_counts)


def _apply(database: Database, actor: Actor, code: str, beside: _Beside) -> None:
    imports_apply.apply(
        database, secrets_of(database), actor, code, progress=beside.progress, cancelled=beside.cancelled
    )  # fmt: skip


def _undo(database: Database, actor: Actor, code: str, beside: _Beside) -> None:
    imports_undo.undo(database, actor, code, progress=beside.progress, cancelled=beside.cancelled)


def _rows_of(workbook: Workbook, beside: _Beside) -> int:
    """How many rows there are: going through them takes a small part of the time, and tells how long the rest takes.

    Raises Cancelled.
    """
    count = 0
    for sheet in workbook.sheets:
        for _ in sheet.rows():
            count += 1
            if count % _LOOK_EVERY == 0:
                beside.progress("reading", count)
                if beside.cancelled():
                    raise Cancelled
    return count


_DO: dict[str, Callable[[Database, Actor, str, _Beside], None]] = {
    "read": _read,
    "apply": _apply,
    "undo": _undo,
}


def _failed(side: Connection, job: imports_queue.Job, error: Exception) -> None:
    """Something of ours is broken: the log says where, never with which value."""
    frames = [f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    logger.error("An import's job failed.", extra={"error": type(error).__name__, "frames": frames[-12:]})
    imports_queue.give_up(side, job, "internal")
