"""Worker processes: forked from one that has loaded everything, replaced when they end or hang, gone with it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Service, start_service, stop_service
from tests.import_process import children_of, kill, until, web_workers_of

_PATIENCE = "import sys, time; from mapservice import workers; workers.PATIENCE = 3.0\n"
SLEEPING = _PATIENCE + "sys.exit(workers.Workers(2, lambda: time.sleep(600), 1.0).run())"
STUBBORN = (
    _PATIENCE + "import signal; all_ = workers.Workers(2, lambda: (signal.signal(15, signal.SIG_IGN), "
    "time.sleep(600)), 1.0); signal.signal(15, lambda *_: all_.stop()); sys.exit(all_.run())"
)
FAILING = _PATIENCE + "sys.exit(workers.Workers(2, lambda: sys.exit(3), 1.0).run())"
HOLDING = """
import sys, time
from pathlib import Path
from mapservice import workers
from postgis.local_cluster import LocalCluster
cluster = LocalCluster(Path(sys.argv[1]))
with cluster._start_lock():  # as while another thread starts the database again
    all_ = workers.Workers(0, lambda: time.sleep(600), 1.0)
    all_._start()
all_.run()
"""
NEVER_LOADED = (
    "alembic", "cql2", "docx", "fpdf", "lxml", "numpy", "openpyxl", "pandas", "PIL", "pyarrow", "pyogrio", "pyproj",
    "qrcode", "segno", "shapely", "xlsxwriter",
)  # fmt: skip
"""What only exports, imports, documents and migrations need."""


@pytest.fixture
def run() -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Starts a script; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(script: str, *arguments: str) -> "subprocess.Popen[bytes]":
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", script, *arguments], stderr=subprocess.DEVNULL, start_new_session=True
            )
        )
        return started[-1]

    yield begin
    for process in started:
        left = children_of(process.pid)
        process.kill()
        process.wait()
        kill(*left)


def workers_of(process: "subprocess.Popen[bytes]", number: int = 2) -> set[int]:
    """The workers, once there are so many."""
    until(lambda: len(children_of(process.pid)) == number, 30)
    return set(children_of(process.pid))


def test_a_worker_that_is_killed_is_replaced(run: Callable[..., "subprocess.Popen[bytes]"]) -> None:
    process = run(SLEEPING)
    first, second = workers_of(process)
    kill(first)
    until(lambda: first not in children_of(process.pid))
    assert second in workers_of(process), "the other one goes on"


def test_a_worker_that_hangs_is_replaced(run: Callable[..., "subprocess.Popen[bytes]"]) -> None:
    process = run(SLEEPING)
    first, second = workers_of(process)
    os.kill(first, signal.SIGSTOP)
    until(lambda: first not in children_of(process.pid), 30)
    assert second in workers_of(process)


def test_workers_end_with_a_parent_that_is_killed(run: Callable[..., "subprocess.Popen[bytes]"]) -> None:
    process = run(SLEEPING)
    found = workers_of(process)
    process.kill()
    process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in found), 10)


def test_one_that_does_not_end_is_ended(run: Callable[..., "subprocess.Popen[bytes]"]) -> None:
    process = run(STUBBORN)
    found = workers_of(process)
    time.sleep(0.5)
    process.terminate()
    assert process.wait(10) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in found)


def test_one_that_cannot_start_ends_all(run: Callable[..., "subprocess.Popen[bytes]"]) -> None:
    assert run(FAILING).wait(30) == 1


def test_a_worker_holds_no_lock_of_its_parent(run: Callable[..., "subprocess.Popen[bytes]"], tmp_path: Path) -> None:
    process = run(HOLDING, str(tmp_path))
    workers_of(process, 1)
    free = ["flock", "--exclusive", "--timeout", "5", str(tmp_path / "cluster.lock"), "true"]
    assert subprocess.run(free, check=False).returncode == 0


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    root = Path(tempfile.mkdtemp(prefix="workers-", dir="/tmp"))
    root.chmod(0o755)
    found = start_service(root / "data", MAPSERVICE_SAMPLE="places", MAPSERVICE_WORKERS="2")
    try:
        yield found
    finally:
        stop_service(found)
        subprocess.run(["rm", "-rf", str(root)], check=True)


def _ask(service: Service) -> None:
    items = "/ogc/collections/establishments/items"
    for address in ("/", "/q", "/board", "/staff", "/ogc", "/ogc/api", "/ogc/conformance", "/changes", "/metrics",
                    "/ogc/collections", "/ogc/collections/establishments/schema", f"{items}?limit=50&f=html",
                    f"{items}?limit=50&q=quan", f"{items}?limit=5000", f"{items}?filter=name+LIKE+'%25a%25'",
                    "/ogc/collections/establishments/tiles/WebMercatorQuad/14/7424/13119"):  # fmt: skip
        for _ in range(4):  # a connection of its own each time: the kernel gives it to either worker
            try:
                with urllib.request.urlopen(f"{service.url}{address}", timeout=60) as answer:
                    answer.read()
            except urllib.error.HTTPError as refused:
                assert refused.code < 500, address


def test_no_worker_loads_what_only_exports_and_imports_need(service: Service) -> None:
    _ask(service)
    workers = web_workers_of(service.process.pid)
    assert len(workers) == 2
    for pid in (service.process.pid, *workers):
        mapped = Path(f"/proc/{pid}/maps").read_text()
        loaded = set(re.findall(r"/site-packages/([A-Za-z0-9]+)", mapped))
        assert "psycopg2" in loaded, "compiled packages are seen"
        assert not loaded.intersection(NEVER_LOADED)


def test_the_application_imports_nothing_of_that() -> None:
    script = "import sys, mapservice.serve, mapservice.app, mapservice.job_watch; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {name.partition(".")[0] for name in done.stdout.split()}.intersection(NEVER_LOADED)


def test_workers_share_what_was_loaded_once(service: Service) -> None:
    _ask(service)
    for pid in web_workers_of(service.process.pid):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        sizes = {name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB$", rollup, re.MULTILINE)}
        assert sizes["Shared_Dirty"] > 25_000, "kB; a worker that was started from nothing shares none"


def test_an_idle_service_is_its_workers_and_nothing_more(service: Service) -> None:
    started = {
        pid for pid in children_of(service.process.pid) if b"python" in Path(f"/proc/{pid}/cmdline").read_bytes()
    }
    assert started == set(web_workers_of(service.process.pid))


def test_the_service_goes_on_when_a_worker_is_killed(service: Service) -> None:
    first, second = web_workers_of(service.process.pid)
    kill(first)
    until(lambda: len(found := web_workers_of(service.process.pid)) == 2 and first not in found and second in found)
    _ask(service)
    assert "Traceback" not in service.log.read_text(errors="replace")
