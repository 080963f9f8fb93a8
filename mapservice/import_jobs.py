"""The process that reads, applies and undoes imports, beside the web workers: `python -m mapservice.import_jobs`.

It looks for jobs and does each in a child process with a limit on its memory, so that no file takes the service down.
Whoever is killed, the batch is as it was, and the job is begun again. Standard input is the thread that the processes
hang by: when it ends, whoever held its other end is gone.
"""

import contextlib
import logging
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from types import FrameType

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from mapservice import logs
from mapservice.beside import end, leave_with_parent, start_jobs, until_end_of_input
from mapservice.settings import HttpSettings
from postgis.engine import Database, open_database
from postgis.settings import DatabaseSettings
from postgis.store import imports_queue
from postgis.unavailable import StoreUnavailableError

logger = logging.getLogger(__name__)

_AGAIN = 75  # exit of a child that could not reach the database
_POLL = 5.0  # seconds between two looks, should a notice have been missed
_STANDBY = 5.0
_TIDY_EVERY = 6 * 3600.0
_MOST_SECONDS = 3600
"""Of one core's time for one job; the longest list takes minutes."""
_CRASHES = {
    signal.SIGABRT: "too_large_here",  # how native code ends that gets no more memory
    signal.SIGXCPU: "took_too_long",
    signal.SIGSEGV: "reader_crashed",
    signal.SIGBUS: "reader_crashed",
    signal.SIGFPE: "reader_crashed",
    signal.SIGILL: "reader_crashed",
}


def main() -> int:
    """Work until told to stop, or until the parent is gone; with a batch's code: do its job once, as the child."""
    logs.configure()
    http, store = HttpSettings(), DatabaseSettings()
    try:
        if len(sys.argv) > 1:
            return _child(store, sys.argv[1], http.import_memory_mb)
        stopping = _Stopping()
        with open_database(store) as database:
            while not stopping.is_set:
                try:
                    _watch(database, stopping)
                except DBAPIError:
                    # The database is gone or going; the service starts it again.
                    database.dispose()
                    stopping.wait(1.0)
    except StoreUnavailableError:
        logger.error("The import process cannot reach the database.")
        return 1
    return 0


class _Stopping:
    """Set by a signal, or by the end of standard input."""

    def __init__(self) -> None:
        self.is_set = False
        self.news, self._tell = os.pipe()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        threading.Thread(target=self._parent_gone, daemon=True).start()

    def wait(self, seconds: float) -> None:
        if not self.is_set:
            select.select([self.news], [], [], seconds)

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._set()

    def _parent_gone(self) -> None:
        until_end_of_input()
        self._set()

    def _set(self) -> None:
        if not self.is_set:
            self.is_set = True
            os.write(self._tell, b".")


def _watch(database: Database, stopping: _Stopping) -> None:
    """Take the jobs one after the other for as long as the connection lasts. Raises DBAPIError when it is lost."""
    with imports_queue.beside(database) as connection:
        while not imports_queue.take_watch(connection):
            stopping.wait(_STANDBY)
            if stopping.is_set:
                return
        tidied = -_TIDY_EVERY
        while not stopping.is_set:
            if time.monotonic() - tidied > _TIDY_EVERY:
                tidied = time.monotonic()
                if emptied := imports_queue.forget_old(connection):
                    logger.info("Old imports were emptied.", extra={"rows": emptied})
            job = imports_queue.next_job(connection)
            if job is None:
                imports_queue.wait_for_news(connection, _POLL, [stopping.news])
            else:
                _in_child(connection, job, stopping)


def _in_child(connection: Connection, job: imports_queue.Job, stopping: _Stopping) -> None:
    """Let a child do the job, and say of the batch what the child could not say itself."""
    process = start_jobs(job.code)
    while process.poll() is None and not stopping.is_set:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    if stopping.is_set and process.poll() is None:
        end(process, 0.0)
        imports_queue.put_back(connection, job)
        return
    status = process.wait()
    if status == 0:
        return
    code = _CRASHES.get(signal.Signals(-status)) if status < 0 else None
    logger.warning("An import's job died.", extra={"step": job.kind, "status": status, "error": code})
    if code is not None:
        imports_queue.give_up(connection, job, code)
    elif 0 < status != _AGAIN:
        imports_queue.give_up(connection, job, "internal")
    else:
        stopping.wait(1.0)


def _child(store: DatabaseSettings, code: str, memory_mb: int) -> int:
    """Do one batch's job within bounds."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS + 5))
    # A file is somebody's list: no copy of this memory may be left on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    leave_with_parent(_AGAIN)
    # Imported here: the readers are large, and the process that only waits needs none of them.
    from mapservice.import_work import Interrupted, do

    try:
        with open_database(store, prepare=False) as database, imports_queue.beside(database) as side:
            imports_queue.take_work(side)
            if (job := imports_queue.next_job(side, code)) is not None:
                began = time.monotonic()
                do(database, side, job)
                logger.info("import job", extra={"step": job.kind, "seconds": round(time.monotonic() - began, 2)})
    except (Interrupted, DBAPIError, StoreUnavailableError):
        return _AGAIN
    return 0


if __name__ == "__main__":
    sys.exit(main())
