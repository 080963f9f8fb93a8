"""A worker, or the database, killed in the middle of a write leaves nothing half written and the history unbroken."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from postgis.store.changes import verify
from tests.cluster_holders import postmaster_of
from tests.import_process import web_workers_of
from tests.live_register import LiveRegister, etag_of, live_register, patch

SECONDS = 60.0


@pytest.fixture(scope="module")
def register() -> Iterator[LiveRegister]:
    with live_register(places=2) as found:
        yield found


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def _waiting_writers(register: LiveRegister) -> int:
    """Backends that have changed a row and now wait to note it in the history."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = CAST('register.change' AS regclass)"
    with register.database.owner.connect() as connection:
        return int(connection.execute(text(waiting)).scalar_one())


def _ready(register: LiveRegister) -> bool:
    try:
        return httpx.get(f"{register.url}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _names(register: LiveRegister, code: str) -> list[str]:
    """What the history says that the place was called, in order."""
    said = "SELECT after ->> 'name' FROM register.change WHERE collection = 'establishments' AND record_code = :code"
    with register.database.owner.connect() as connection:
        return list(connection.execute(text(said + " ORDER BY seq"), {"code": code}).scalars())


def _goes_on(register: LiveRegister, code: str, etag: str, name: str) -> None:
    """Nothing of the killed write stands anywhere, and the same version is still good for the next one."""
    token = register.tokens[0]
    with httpx.Client(base_url=register.url, timeout=30) as client:
        assert etag_of(client, code, token) == etag, "the record is as it was"
        answer = patch(client, code, etag, token, {"properties": {"name": name}})
        assert answer.status_code == 200, answer.text
    assert _names(register, code)[-2:] == ["Quán Thử " + str(register.ward.places.index(code)), name]
    with register.database.owner.connect() as connection:
        found = verify(connection)
    assert found.whole, found


@pytest.mark.parametrize("killed", ["worker", "database"])
def test_killed_in_the_middle_of_a_write(register: LiveRegister, killed: str) -> None:
    code = register.ward.places[0 if killed == "worker" else 1]
    token, answers = register.tokens[0], []
    with httpx.Client(base_url=register.url, timeout=30) as client:
        etag = etag_of(client, code, token)

    def write() -> None:
        with httpx.Client(base_url=register.url, timeout=SECONDS) as client:
            try:
                answers.append(patch(client, code, etag, token, {"properties": {"name": "Nửa Chừng"}}).status_code)
            except httpx.HTTPError:
                answers.append(0)

    blocker = register.database.owner.connect()
    try:
        # The row is changed by then; the history's row cannot be added while this lock is held.
        blocker.execute(text("LOCK TABLE register.change IN SHARE ROW EXCLUSIVE MODE"))
        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        _until(lambda: _waiting_writers(register) == 1)
        if killed == "worker":
            workers = web_workers_of(register.process.pid)
            assert len(workers) == 2
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
        else:
            os.kill(postmaster_of(register.data_dir), signal.SIGKILL)
        thread.join(SECONDS)
        assert answers and answers[0] in (0, 503), "nobody was told that it was written"
    finally:
        try:
            blocker.rollback()
        except DBAPIError:
            blocker.invalidate()
        blocker.close()
    _until(lambda: _ready(register))
    register.database.dispose()
    _until(lambda: _waiting_writers(register) == 0)
    assert "Nửa Chừng" not in _names(register, code)
    _goes_on(register, code, etag, "Quán Sau Đó")
