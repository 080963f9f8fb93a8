"""Who looks for the jobs of imports, and has each done in a child process of its own.

A thread of the process that keeps the service: while nobody sends anything in, there is no process. Each child has
a limit on its memory, so that no file takes the service down. Whoever is killed, the batch is as it was, and the job is
begun again.
"""

import contextlib
import logging
import os
import select
import signal
import subprocess
import threading
import time

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from mapservice.beside import end, start_job
from postgis.engine import Database, open_database
from postgis.settings import DatabaseSettings
from postgis.store import imports_queue

logger = logging.getLogger(__name__)

AGAIN = 75
"""Exit code of a child that could not reach the database."""
_POLL = 5.0  # seconds between two looks, should a notice have been missed
_STANDBY = 5.0
_TIDY_EVERY = 6 * 3600.0
_CRASHES = {
    signal.SIGABRT: "too_large_here",  # how native code ends that gets no more memory
    signal.SIGXCPU: "took_too_long",
    signal.SIGSEGV: "reader_crashed",
    signal.SIGBUS: "reader_crashed",
    signal.SIGFPE: "reader_crashed",
    signal.SIGILL: "reader_crashed",
}


class Stopping:
    """Set once, from a thread or a signal handler; wakes whoever waits for it or for `news`, a file descriptor."""

    def __init__(self) -> None:
        self.is_set = False
        self.news, self._tell = os.pipe()

    def set(self) -> None:
        """From now on it is time to end."""
        if not self.is_set:
            self.is_set = True
            os.write(self._tell, b".")

    def wait(self, seconds: float) -> None:
        """Until it is set, or the time is over."""
        if not self.is_set:
            select.select([self.news], [], [], seconds)


class JobWatch(threading.Thread):
    """Works off the jobs from `start` to `stop`."""

    def __init__(self, store: DatabaseSettings) -> None:
        super().__init__(name="import-jobs", daemon=True)
        self._store = store
        self._stopping = Stopping()

    def run(self) -> None:
        """Begins again whatever happens, more and more slowly while it does."""
        pause = 1.0
        while not self._stopping.is_set:
            began = time.monotonic()
            try:
                work_off(self._store, self._stopping)
            except Exception as error:  # without this thread no import would ever be read
                pause = 1.0 if time.monotonic() - began > 60 else min(2 * pause, 30.0)
                logger.warning("Imports are not worked off; trying again.", extra={"error": type(error).__name__})
                self._stopping.wait(pause)

    def stop(self, patience: float = 10.0) -> None:
        """Ends the job under way, to be begun again by the next service, and waits for that."""
        self._stopping.set()
        if self.is_alive():
            self.join(patience)


def work_off(store: DatabaseSettings, stopping: Stopping) -> None:
    """Takes the jobs one after the other until `stopping`. Raises StoreUnavailableError without a database."""
    with open_database(store, prepare=False) as database:
        while not stopping.is_set:
            try:
                _watch(database, stopping)
            except DBAPIError:
                # The database is gone or going; the service starts it again.
                database.dispose()
                stopping.wait(1.0)


def _watch(database: Database, stopping: Stopping) -> None:
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


def _in_child(connection: Connection, job: imports_queue.Job, stopping: Stopping) -> None:
    """Let a child do the job, and say of the batch what the child could not say itself."""
    process = start_job(job.code)
    while process.poll() is None and not stopping.is_set:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    stopped = process.poll() is None
    end(process, 0.0)
    if stopped:
        imports_queue.put_back(connection, job)
        return
    status = process.returncode
    if status == 0:
        return
    code = _CRASHES.get(signal.Signals(-status)) if status < 0 else None
    logger.warning("An import's job died.", extra={"step": job.kind, "status": status, "error": code})
    if code is not None:
        imports_queue.give_up(connection, job, code)
    elif 0 < status != AGAIN:
        imports_queue.give_up(connection, job, "internal")
    else:
        stopping.wait(1.0)
