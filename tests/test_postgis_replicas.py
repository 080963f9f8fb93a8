"""Read replicas by PostgreSQL's own streaming replication: two real clusters, and what a reader is told meanwhile."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, make_url, text

from postgis.engine import Database, open_database
from postgis.migrate import upgrade
from postgis.replicas import position_number
from postgis.settings import DatabaseSettings
from postgis.store import tokens
from tests.conftest import start_service, stop_service
from tests.replica_cluster import ReplicaCluster, follow
from tests.small_ward import WARD, add_staff, fill

pytestmark = pytest.mark.alone


class Pair:
    """A primary with a replica, the ward's officer, and the database as a service with replicas has it."""

    def __init__(self, primary: Database, replica: ReplicaCluster) -> None:
        self.primary, self.replica = primary, replica
        self.place, self.token = "", ""

    def where(self, database: Database, since: str | None = None) -> str:
        """Which of the two answers now."""
        with database.reading(since) as connection:
            return _where(connection)

    def administer(self, statement: str) -> None:
        """On the replica."""
        url = make_url(self.replica.url).set(drivername="postgresql+psycopg2")
        other = Database(url, self.primary.settings)
        with other.administrator() as connection:
            connection.execute(text(statement))
        other.dispose()


def _where(connection: Connection) -> str:
    return "replica" if connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one() else "primary"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        root = Path(f"{os.environ.get('MAPSERVICE_TEST_DIR', f'/tmp/mapservice-test-{os.getpid()}')}-replica")
        shutil.rmtree(root, ignore_errors=True)
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.mkdir(mode=0o755)
        primary = stack.enter_context(open_database(DatabaseSettings(data_dir=root / "primary", database_url=None)))
        upgrade(primary)
        officer = add_staff(primary, "canbo", "officer")
        ward = fill(primary, officer, 2)
        replica = follow(primary, root / "replica")
        stack.callback(lambda: replica.home.account.run(
            replica.server.program("pg_ctl"), "stop", "-m", "immediate", "-D", str(replica.path / "data")))  # fmt: skip
        made = Pair(primary, replica)
        made.place = ward.places[0]
        with primary.owner.begin() as connection:
            made.token = tokens.issue(connection, officer.staff_id, "thử", "write", 1)
        yield made


@pytest.fixture
def reading(pair: Pair) -> Iterator[Database]:
    """The primary's database with the replica in its settings, once the replica has been found well."""
    settings = pair.primary.settings.model_copy(update={"replica_urls": pair.replica.url})
    database = Database(pair.primary.url, settings, pair.primary.cluster)
    _until(lambda: pair.where(database) == "replica", 10)
    yield database
    database.dispose()


def _until(met: Callable[[], bool], seconds: float) -> float:
    began = time.monotonic()
    while not met():
        assert time.monotonic() - began < seconds
        time.sleep(0.02)
    return time.monotonic() - began


def _write(database: Database) -> str:
    """Something that the primary writes down; returns how far it is afterwards."""
    with database.owner.begin() as connection:
        connection.execute(text("UPDATE register.ward SET population = population + 1 WHERE code = :c"), {"c": WARD})
    position = database.position()
    assert position is not None
    return position


def test_positions_are_numbers_that_grow() -> None:
    assert position_number("16/B374D848") == 0x16_B374D848
    assert position_number("0/FFFFFFFF") < position_number("1/0")
    for wrong in ("", "/", "16", "x/y", "123456789/0"):
        with pytest.raises(ValueError):
            position_number(wrong)


def test_whoever_has_written_is_never_told_the_past(pair: Pair, reading: Database) -> None:
    population = text("SELECT population FROM published.wards WHERE code = :c")
    for _ in range(30):
        position = _write(reading)
        with reading.reading(position) as connection, pair.primary.public.connect() as primary:
            assert (
                connection.execute(population, {"c": WARD}).scalar()
                == primary.execute(population, {"c": WARD}).scalar()
            )
    assert pair.where(reading, "no position") == "primary"
    assert pair.where(reading, "FFFFFFFF/FFFFFFFF") == "primary"


def test_a_replica_that_lags_is_left_out_within_a_second_and_comes_back(pair: Pair, reading: Database) -> None:
    pair.administer("SELECT pg_wal_replay_pause()")
    try:
        _write(reading)
        assert _until(lambda: pair.where(reading) == "primary", 2) < 1.2
    finally:
        pair.administer("SELECT pg_wal_replay_resume()")
    _until(lambda: pair.where(reading) == "replica", 10)


def test_a_dead_replica_costs_nobody_an_answer(pair: Pair, reading: Database) -> None:
    stopped, failures, answers = threading.Event(), [], []

    def read() -> None:
        while not stopped.is_set():
            try:
                with reading.reading() as connection:
                    answers.append(_where(connection))
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    pair.replica.stop()
    try:
        _until(lambda: pair.where(reading) == "primary", 1.2)
        time.sleep(0.5)
        stopped.set()
        for thread in threads:
            thread.join()
        assert "replica" in answers and answers[-1] == "primary"
        # Who was in the middle of an answer when it died, at most one a reader.
        assert len(failures) <= len(threads)
    finally:
        stopped.set()
        pair.replica.start()
    _until(lambda: pair.where(reading) == "replica", 15)


def test_a_service_with_a_replica_shows_each_writer_their_write(pair: Pair) -> None:
    service = start_service(
        pair.primary.settings.data_dir, MAPSERVICE_SAMPLE="none", MAPSERVICE_REPLICA_URLS=pair.replica.url
    )
    try:
        with httpx.Client(base_url=service.url, timeout=30) as client:
            sent = {
                "collection": "establishments", "id": pair.place, "patch": {"website": "https://1.example.vn"},
                "reason": "Thêm trang web", "proposer_kind": "owner",
            }  # fmt: skip
            for _ in range(5):
                answered = client.post("/proposals", json=sent)
                assert answered.status_code == 201, answered.text
                # A replica would not know the receipt for some milliseconds.
                assert client.get(answered.headers["location"]).status_code == 200
            report = {"kind": "hygiene", "words": "Sàn bếp rất bẩn, thấy sáng nay."}
            for _ in range(5):
                answered = client.post(f"/q/{pair.place}/report", data=report, files={"photo": ("", b"")})
                assert answered.status_code == 303, answered.text
                assert client.get(answered.headers["location"]).status_code == 200
            client.post("/owner", data={"place": pair.place, "code": "2222222222"})
            client.post(f"/q/{pair.place}/payment", files={"photo": ("", b"")})
            assert list(client.cookies.jar) == []
            told = client.post("/proposals", json=sent, headers={"Authorization": f"Bearer {pair.token}"})
            assert told.status_code == 201 and "mapservice_written" in client.cookies
            assert client.get("/ogc/collections/establishments/items?limit=1").status_code == 200
    finally:
        stop_service(service)
