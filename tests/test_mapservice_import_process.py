"""The job process beside the service: it works by itself, one job at a time, and no file takes it down."""

import os
import signal
import time
from pathlib import Path

import pytest

from postgis.actor import Actor, prepare_as
from postgis.engine import Database
from postgis.store import imports, imports_ask
from tests.import_process import at_rest, batch_of, children_of, job_process, kill, send, sheet_of, until
from tests.small_ward import add_staff


@pytest.fixture
def officer(database: Database) -> Actor:
    return add_staff(database, "can-bo", "officer")


def test_what_is_sent_in_is_read_by_itself(database: Database, officer: Actor, tmp_path: Path) -> None:
    first = send(database, officer, sheet_of(3), tmp_path)
    with job_process(database, tmp_path) as process:
        assert at_rest(database, officer, first).state == "planned", "what waited before it started"
        second = send(database, officer, sheet_of(3, first=10), tmp_path)
        assert at_rest(database, officer, second).state == "planned"
        process.terminate()
        assert process.wait(10) == 0


def test_two_services_on_one_database_do_each_job_once(database: Database, officer: Actor, tmp_path: Path) -> None:
    with job_process(database, tmp_path) as one, job_process(database, tmp_path) as other:
        codes = [send(database, officer, sheet_of(3, first=10 * n), tmp_path) for n in range(2)]
        assert [at_rest(database, officer, code).version for code in codes] == [2, 2], "each was planned once"
        watching = [process for process in (one, other) if children_of(process.pid)]
        assert len(watching) <= 1
        kill(one.pid)
        last = send(database, officer, sheet_of(3, first=30), tmp_path)
        assert at_rest(database, officer, last).state == "planned", "the one left takes over"


def test_it_ends_with_whoever_started_it(database: Database, officer: Actor, tmp_path: Path) -> None:
    with job_process(database, tmp_path) as process:
        code = send(database, officer, sheet_of(3_000), tmp_path)
        until(lambda: children_of(process.pid))
        (child,) = children_of(process.pid)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(15) == 0
        until(lambda: not Path(f"/proc/{child}").exists())
        batch = batch_of(database, officer, code)
        assert (batch.state, batch.job) == ("reading", "read"), "nothing is lost: the next one reads it"


def test_a_killed_reader_is_begun_again(database: Database, officer: Actor, tmp_path: Path) -> None:
    code = send(database, officer, sheet_of(1_500), tmp_path)
    with job_process(database, tmp_path) as process:
        until(lambda: _progress(database, officer, code) == "matching")
        kill(*children_of(process.pid))
        batch = at_rest(database, officer, code)
    assert (batch.state, batch.counts["rows_read"]) == ("planned", 1_501)
    with prepare_as(database, officer) as connection:
        assert sum(imports.counts(connection, code).verdicts.values()) == 1_501


@pytest.mark.alone
def test_who_cancels_need_not_wait(database: Database, officer: Actor, tmp_path: Path) -> None:
    code = send(database, officer, sheet_of(20_000), tmp_path)
    with job_process(database, tmp_path):
        until(lambda: _progress(database, officer, code) == "matching")
        asked = time.monotonic()
        with prepare_as(database, officer) as connection:
            imports_ask.ask_cancel(connection, code)
        assert time.monotonic() - asked < 1, "the request does not wait for the job"
        batch = at_rest(database, officer, code)
    assert time.monotonic() - asked < 10
    assert (batch.state, batch.error) == ("failed", {"code": "cancelled", "values": {}})


@pytest.mark.alone
def test_a_file_that_needs_too_much_memory_takes_nothing_down(
    database: Database, officer: Actor, tmp_path: Path
) -> None:
    # One cell as long as the file: each way of reading it needs it whole, as text.
    wide = ("Tên cơ sở,Địa chỉ\n" + '"' + "Quán " * 40_000_000 + '",1 Núi Thành\n').encode()[: imports.MOST_BYTES - 10]
    code = send(database, officer, wide, tmp_path, "lớn.csv")
    with job_process(database, tmp_path, MAPSERVICE_IMPORT_MEMORY_MB="768") as process:
        batch = at_rest(database, officer, code)
        assert (batch.state, batch.error) == ("failed", {"code": "too_large_here", "values": {}})
        after = send(database, officer, sheet_of(3), tmp_path)
        assert at_rest(database, officer, after).state == "planned"
        assert process.poll() is None


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGABRT, "too_large_here"), (signal.SIGSEGV, "reader_crashed")]
)  # fmt: skip
def test_a_crash_of_native_code_is_said(
    database: Database, officer: Actor, tmp_path: Path, number: signal.Signals, code: str
) -> None:
    batch = send(database, officer, sheet_of(5_000), tmp_path)
    with job_process(database, tmp_path) as process:
        until(lambda: _progress(database, officer, batch) == "matching")
        for child in children_of(process.pid):
            os.kill(child, number)
        found = at_rest(database, officer, batch)
    assert (found.state, found.error) == ("failed", {"code": code, "values": {}})


def _progress(database: Database, officer: Actor, code: str) -> str | None:
    with prepare_as(database, officer) as connection:
        found = imports.progress(connection, code)
    return None if found is None else found.step
