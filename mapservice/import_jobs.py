"""The process that reads, applies or undoes one import: `python -m mapservice.import_jobs CODE`, started by job_watch.

Without a code it looks for jobs itself, as `mapservice serve` does. Standard input is the thread that the processes
hang by: when it ends, whoever held its other end is gone.
"""

import logging
import resource
import signal
import sys
import threading
import time

from sqlalchemy.exc import DBAPIError

from mapservice import logs
from mapservice.beside import leave_with_parent, until_end_of_input
from mapservice.job_watch import AGAIN, Stopping, work_off
from mapservice.settings import HttpSettings
from postgis.engine import open_database
from postgis.settings import DatabaseSettings
from postgis.store import imports_queue
from postgis.unavailable import StoreUnavailableError

logger = logging.getLogger(__name__)

_MOST_SECONDS = 3600
"""Of one core's time for one job; the longest list takes minutes."""


def main() -> int:
    """Do one batch's job once; without a code: work until told to stop, or until the parent is gone."""
    logs.configure()
    http, store = HttpSettings(), DatabaseSettings()
    if len(sys.argv) > 1:
        return _child(store, sys.argv[1], http.import_memory_mb)
    stopping = Stopping()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    threading.Thread(target=_stop_with_parent, args=(stopping,), daemon=True).start()
    try:
        work_off(store, stopping)
    except StoreUnavailableError:
        logger.error("The import process cannot reach the database.")
        return 1
    return 0


def _stop_with_parent(stopping: Stopping) -> None:
    until_end_of_input()
    stopping.set()


def _child(store: DatabaseSettings, code: str, memory_mb: int) -> int:
    """Do one batch's job within bounds."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS + 5))
    # A file is somebody's list: no copy of this memory may be left on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    leave_with_parent(AGAIN)
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
        return AGAIN
    return 0


if __name__ == "__main__":
    sys.exit(main())
