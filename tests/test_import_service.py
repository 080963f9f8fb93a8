"""Imports of a running service: no process while there is no job, and what was under way goes on whatever ends."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from postgis.actor import Actor, prepare_as
from postgis.engine import Database, open_database
from postgis.settings import DatabaseSettings
from postgis.store import imports
from tests.cluster_holders import postmaster_of
from tests.conftest import Service, start_service, stop_service
from tests.import_process import at_rest, batch_of, children_of, kill, send, sheet_of, until
from tests.small_ward import add_staff


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that the postgres user can reach."""
    root = Path(tempfile.mkdtemp(prefix="import-service-", dir="/tmp"))
    root.chmod(0o755)
    yield root / "data"
    shutil.rmtree(root, ignore_errors=True)


def _jobs(service: Service) -> list[int]:
    """The processes that do a job of the service."""
    return [pid for pid in children_of(service.process.pid) if _is(pid, "mapservice.import_jobs")]


def _is(pid: int, module: str) -> bool:
    try:
        return module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _matching(database: Database, officer: Actor, code: str) -> bool:
    with prepare_as(database, officer) as connection:
        found = imports.progress(connection, code)
    return found is not None and found.step == "matching"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_jobs_go_on_whatever_ends(data_dir: Path, workers: str) -> None:
    settings = {"MAPSERVICE_SAMPLE": "none", "MAPSERVICE_WORKERS": workers}
    service = start_service(data_dir, **settings)
    try:
        with open_database(DatabaseSettings(data_dir=data_dir, database_url=None)) as database:
            officer = add_staff(database, "can-bo", "officer")
            assert _jobs(service) == []
            code = send(database, officer, sheet_of(20), data_dir)
            until(lambda: _jobs(service))
            kill(*_jobs(service))
            assert at_rest(database, officer, code).state == "planned", "another has taken its place"
            until(lambda: not _jobs(service))

            code = send(database, officer, sheet_of(3_000, first=100), data_dir)
            until(lambda: _matching(database, officer, code))
            if workers == "1":
                os.kill(postmaster_of(data_dir), signal.SIGKILL)
                until(lambda: _reachable(database))
            else:
                orphans = _jobs(service)
                kill(service.process.pid)
                service.process.wait()
                until(lambda: not any(_is(pid, "mapservice.import_jobs") for pid in orphans))
                assert batch_of(database, officer, code).job == "read", "nobody is left who could have done it"
                service = start_service(data_dir, **settings)
            batch = at_rest(database, officer, code)
            assert (batch.state, batch.counts["rows_read"]) == ("planned", 3_001)
            jobs = _jobs(service)
            assert stop_service(service) == 0
            assert not any(_is(pid, "mapservice.import_jobs") for pid in jobs), "nothing is left behind"
    finally:
        stop_service(service)


def _reachable(database: Database) -> bool:
    database.dispose()
    try:
        with closing(database.owner.connect()):
            return True
    except Exception:
        return False
