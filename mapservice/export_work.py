"""One export as a file, made in a process of its own: `python -m mapservice.export_work`.

GDAL, Arrow and a workbook take memory that a web worker would keep; here it ends with the file. The job comes by
standard input, and there it is also told that nobody waits any longer; the file's name comes back by standard output.
"""

import os
import pickle
import resource
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from layers.collections import COLLECTIONS, STAFF_COLLECTIONS
from layers.formats import MAX_SECONDS
from layers.formats.files import Words, write_file
from layers.query import FeatureQuery
from mapservice.reading import reading_long
from postgis.actor import Actor
from postgis.engine import open_database
from postgis.settings import DatabaseSettings
from postgis.unavailable import StoreUnavailableError

_MEMORY_MB = 4_096
"""Of addresses, not of memory: what Arrow reserves it does not use."""
_DATABASE_AWAY = 75


class ExportFailed(Exception):
    """The file could not be made; `away`: because the database is."""

    def __init__(self, *, away: bool = False) -> None:
        super().__init__()
        self.away = away


@dataclass(frozen=True, slots=True)
class Job:
    """What is wanted, by whom (None: anybody), and where the file goes."""

    store: DatabaseSettings
    actor: Actor | None
    collection: str
    query: FeatureQuery
    form: str
    words: Words
    path: Path


def in_child(job: Job, seconds: float = MAX_SECONDS) -> None:
    """Has the file made. Raises ExportFailed, also when it takes longer."""
    child = subprocess.Popen(
        [sys.executable, "-m", "mapservice.export_work"], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        # Our own process on the same machine: nobody else can write into this pipe.
        sent = pickle.dumps(job)
        stdin = child.stdin
        if stdin is None:
            raise ExportFailed
        stdin.write(len(sent).to_bytes(8, "big") + sent)
        stdin.flush()
        status = child.wait(seconds)
    except (subprocess.TimeoutExpired, BrokenPipeError):
        status = -1
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        if child.stdin is not None:
            child.stdin.close()
    if status:
        raise ExportFailed(away=status == _DATABASE_AWAY)


def main() -> int:
    """Does the job that comes by standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MB << 20, _MEMORY_MB << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    size = int.from_bytes(_read(8), "big")
    job = pickle.loads(_read(size))
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    collections = COLLECTIONS if job.actor is None else STAFF_COLLECTIONS
    try:
        with (
            open_database(job.store, prepare=False) as database,
            reading_long(database, job.actor, MAX_SECONDS) as connection,
        ):
            write_file(connection, collections[job.collection], job.query, job.form, job.path, job.words)
    except (DBAPIError, StoreUnavailableError):
        return _DATABASE_AWAY
    return 0


def _read(size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += os.read(0, size - len(found)) or _leave()
    return found


def _leave_with_parent() -> None:
    while os.read(0, 64):
        pass
    _leave()


def _leave() -> bytes:
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
