"""`mapservice serve` as a process: starts, stops, and gets up again after every kind of `kill -9`."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from postgis.cluster_home import locate
from postgis.cluster_process import find_postmaster
from postgis.engine import open_database
from postgis.local_cluster import LocalCluster
from postgis.settings import DatabaseSettings


class Service:
    """`mapservice serve` on a port and data directory of its own."""

    def __init__(self, data_dir: Path, port: int, **settings: str) -> None:
        self.data_dir, self.port = data_dir, port
        self.log = data_dir / "service.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAPSERVICE_")}
        environment |= {
            "MAPSERVICE_PORT": str(port),
            "MAPSERVICE_DATA_DIR": str(data_dir / "data"),
            "MAPSERVICE_SAMPLE": "none",
            **settings,
        }
        self.began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mapservice.cli", "serve"], env=environment, stdout=log, stderr=log
            )

    def ready_after(self, limit: float = 120.0) -> float:
        """Wait for /readyz; seconds since the start."""
        while (passed := time.monotonic() - self.began) < limit and self.process.poll() is None:
            if self.is_ready():
                return passed
            time.sleep(0.05)
        raise AssertionError(f"not ready:\n{self.said()}")

    def is_ready(self) -> bool:
        try:
            # Not httpx.get: it reads all certificates each time, which would be most of the time measured here.
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def postmaster(self) -> int | None:
        home = locate(self.data_dir / "data")
        found = find_postmaster(home) if home is not None else None
        return found.pid if found is not None else None


@pytest.fixture
def directory() -> Iterator[Path]:
    """Not pytest's own: the server's user must reach it."""
    made = Path(tempfile.mkdtemp(prefix="serve-test-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    LocalCluster(made / "data").remove()
    shutil.rmtree(made)


@pytest.fixture
def start(directory: Path) -> Iterator[Callable[..., Service]]:
    """Starts a service on the directory; whatever still runs at the end is killed."""
    started: list[Service] = []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])

    def begin(**settings: str) -> Service:
        started.append(Service(directory, port, **settings))
        return started[-1]

    yield begin
    for service in started:
        if service.process.poll() is None:
            service.kill()


def _until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def test_it_starts_from_nothing_stops_cleanly_and_starts_again_quickly(start: Callable[..., Service]) -> None:
    first = start(MAPSERVICE_SAMPLE="places")
    first.ready_after()
    _until(lambda: "Ctrl-C" in first.said())
    assert f"http://127.0.0.1:{first.port}/ogc" in first.said()
    assert first.stop(signal.SIGINT) == 0
    assert first.postmaster() is None
    first.log.unlink()
    second = start(MAPSERVICE_SAMPLE="places")
    assert second.ready_after() < 10
    httpx.get(f"http://127.0.0.1:{second.port}/?q=Nguyen+Van+Secret")
    httpx.get(f"http://127.0.0.1:{second.port}/ogc/collections/establishments/items?q=0905secret")
    assert second.stop(signal.SIGTERM) == 0
    assert second.postmaster() is None
    assert "is loaded" not in second.said()
    assert "Traceback" not in second.said()
    assert "ecret" not in second.said(), "what people search for is in the log"


def test_ctrl_c_during_the_set_up_leaves_nothing_running(start: Callable[..., Service]) -> None:
    for moment in ("Creating the database", "Preparing tables", "The database is ready"):
        service = start()
        _until(lambda service=service, moment=moment: moment in service.said())  # type: ignore[misc]
        assert service.stop(signal.SIGINT) == 0
        assert service.postmaster() is None
        service.log.unlink()
    again = start()
    again.ready_after()
    assert again.stop() == 0


def test_kill_9_needs_no_repair(start: Callable[..., Service]) -> None:
    service = start(MAPSERVICE_SAMPLE="places")
    service.ready_after()
    before = _establishments(service)
    assert before > 0
    killed = service.postmaster()
    assert killed is not None
    os.kill(killed, signal.SIGKILL)  # the database alone: the service starts it again
    _until(lambda: service.postmaster() not in (None, killed))
    _until(service.is_ready)
    assert "The database server is gone" in service.said()
    service.kill()
    postmaster = service.postmaster()
    assert postmaster is not None, "the server should have outlived the service"
    os.kill(postmaster, signal.SIGKILL)  # and everything
    again = start(MAPSERVICE_SAMPLE="places")
    again.ready_after()
    assert _establishments(again) == before
    assert again.stop() == 0


def _establishments(service: Service) -> int:
    settings = DatabaseSettings(data_dir=service.data_dir / "data", database_url=None)
    with open_database(settings) as database, database.owner.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM register.establishment").scalar_one())


def test_a_port_in_use_is_refused_before_anything_slow_happens(directory: Path, start: Callable[..., Service]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        service = start(MAPSERVICE_PORT=str(other.getsockname()[1]))
        assert service.process.wait(timeout=120) == 1
    assert "is in use by another program" in service.said()
    assert "MAPSERVICE_PORT=" in service.said()
    assert not (directory / "data").exists()


def test_worker_processes_share_the_port_and_end_with_their_parent(start: Callable[..., Service]) -> None:
    service = start(MAPSERVICE_WORKERS="2")
    service.ready_after()
    workers = _children(service.process.pid)
    figures = httpx.get(f"http://127.0.0.1:{service.port}/metrics").text
    assert "mapservice_requests_total" in figures
    assert list((service.data_dir / "data" / "prometheus").iterdir())
    service.kill()
    again = start(MAPSERVICE_WORKERS="2")  # at once: it waits for the orphans to leave the port
    # The orphans answer on the shared port while they last: only after them is "ready" said by the new service.
    _until(lambda: not any(Path(f"/proc/{pid}").exists() and _is_python(pid) for pid in workers))
    again.ready_after()
    assert again.stop() == 0
    assert again.postmaster() is None
    assert list((service.data_dir / "data" / "prometheus").iterdir()) == []


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_python(pid: int) -> bool:
    """Whether it still runs: a zombie has no command line."""
    with contextlib.suppress(OSError):
        return b"python" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def test_a_store_that_cannot_start_is_told_in_one_message(directory: Path, start: Callable[..., Service]) -> None:
    (directory / "data").write_text("not a directory")
    service = start()
    assert service.process.wait(timeout=30) == 1
    assert "mapservice: The data directory" in service.said()
    assert "Traceback" not in service.said()
    (directory / "data").unlink()
