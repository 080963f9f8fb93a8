"""Fixtures: for each worker one embedded cluster, databases cloned from loaded templates, one live service."""

import logging
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from mapservice.sample import ensure_sample
from mapservice.settings import HttpSettings
from postgis.engine import Database, create_database, drop_database, open_database
from postgis.migrate import upgrade
from postgis.settings import DatabaseSettings
from postgis.store import documents
from postgis.store.photos import FOLDER
from tests.workers import WORKER, ByFile, Room

START_SECONDS = 300


def pytest_configure(config: pytest.Config) -> None:
    """Workers keep out of the way of tests that need the machine alone."""
    # A line for each of its calls buries what a failing test has to say.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if WORKER:
        config.pluginmanager.register(Room())


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Which worker runs what."""
    return ByFile(config, log)


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    """The data directory of the worker's cluster. Outside pytest's 0700 folders: the postgres user must reach it."""
    root = Path(os.environ.get("MAPSERVICE_TEST_DIR", f"/tmp/mapservice-test-{os.getpid()}"))
    root = root.with_name(f"{root.name}-{WORKER}") if WORKER else root
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(mode=0o755)
    yield root
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def server(data_dir: Path) -> Iterator[Database]:
    """The worker's PostGIS server, with a database that holds no tables yet."""
    with open_database(DatabaseSettings(data_dir=data_dir, database_url=None)) as database:
        with database.administrator() as connection:
            # Databases come and go with every test; what they hold need not outlive the machine.
            connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        yield database


@pytest.fixture(scope="session")
def base_database(server: Database) -> Iterator[Database]:
    """A database with all migrations and base data, and no establishment."""
    database = create_database(server, "base")
    upgrade(database)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def demo_database(server: Database) -> Iterator[Database]:
    """A database with the demo sample. Shared: only read it."""
    database = create_database(server, "demo")
    upgrade(database)
    ensure_sample(database, HttpSettings(sample="demo"))
    yield database
    database.dispose()


@pytest.fixture
def database(server: Database, base_database: Database) -> Iterator[Database]:
    """A database of the test's own, with base data and no establishment: commit as you like."""
    base_database.dispose()
    name = f"test_{time.monotonic_ns()}"
    own = create_database(server, name, template="base")
    yield own
    own.dispose()
    drop_database(server, name)


@pytest.fixture
def no_photos(server: Database) -> None:
    """A backup takes every photo and document of the data directory, which is the whole run's: what other tests left
    there goes.
    """
    for folder in (FOLDER, documents.FOLDER):
        for left in (server.settings.data_dir / folder).glob("*"):
            left.unlink()


@pytest.fixture
def owner_connection(base_database: Database) -> Iterator[Connection]:
    """A connection as owner to the base data, rolled back at the end."""
    with base_database.owner.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def demo_connection(demo_database: Database) -> Iterator[Connection]:
    """A connection as the public, to the demo sample."""
    with demo_database.public.connect() as connection:
        yield connection


@dataclass
class Service:
    """A running `mapservice serve`."""

    process: "subprocess.Popen[bytes]"
    url: str
    data_dir: Path
    log: Path


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_service(data_dir: Path, ready: Callable[[Service], None] | None = None, **settings: str) -> Service:
    """Starts `mapservice serve` on a free port and waits until it is ready, or until `ready` returns."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAPSERVICE_")}
    environment |= {"MAPSERVICE_PORT": str(port), "MAPSERVICE_DATA_DIR": str(data_dir), **settings}
    log = data_dir.parent / f"{data_dir.name}-service-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mapservice.cli", "serve"], env=environment, stdout=output, stderr=output
        )
    service = Service(process, f"http://127.0.0.1:{port}", data_dir, log)
    try:
        (ready or wait_until_ready)(service)
    except BaseException:
        stop_service(service)
        raise
    return service


def wait_until_ready(service: Service, seconds: float = START_SECONDS) -> None:
    """Waits for /readyz; fails with the service's log when it ends or takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and service.process.poll() is None:
        # Not httpx: it reads every certificate of the machine for each call outside a client.
        try:
            with urllib.request.urlopen(f"{service.url}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail(f"The service did not become ready:\n{service.log.read_text(errors='replace')[-4000:]}")


def stop_service(service: Service) -> int:
    """Stops the service as Ctrl-C does, and returns its exit code."""
    if service.process.poll() is None:
        service.process.terminate()
    return service.process.wait(timeout=60)


@pytest.fixture(scope="session")
def live_service() -> Iterator[Service]:
    """`mapservice serve` with the demo sample, in a data directory of its own. Shared: only read from it."""
    with ExitStack() as stack:
        root = Path(f"/tmp/mapservice-live-{os.getpid()}")
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.mkdir(mode=0o755)
        service = start_service(root / "data", MAPSERVICE_SAMPLE="demo")
        stack.callback(stop_service, service)
        yield service


@pytest.fixture(scope="session")
def live_server(live_service: Service) -> str:
    """The address of the live service."""
    return live_service.url


@pytest.fixture(scope="session")
def client(live_server: str) -> Iterator[httpx.Client]:
    """An HTTP client of the live service, as an anonymous machine."""
    with httpx.Client(base_url=live_server, timeout=30) as found:
        yield found
