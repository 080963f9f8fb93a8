"""The job process of imports on a test database, and what tests look at while it works and dies."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from postgis.actor import Actor, prepare_as
from postgis.cluster_config import PORT, SUPERUSER
from postgis.engine import Database
from postgis.secrets import open_secrets
from postgis.store import imports
from tests import workbook_writers as write
from tests.workbook_writers import Grid

SECONDS = 90.0
HEAD = ["Tên cơ sở", "Địa chỉ kinh doanh", "Điện thoại", "Loại hình"]


def sheet_of(rows: int, first: int = 0) -> bytes:
    """A list of so many new places, each with a name and a door of its own."""
    doors = ("Núi Thành", "Trưng Nữ Vương", "Tiểu La", "Lê Đình Lý", "Phan Đăng Lưu")
    made = [
        [f"Cửa hàng Thử {number}", f"{number // 5 + 1} {doors[number % 5]}", f"0905{number:06d}", "Hộ kinh doanh"]
        for number in range(first, first + rows)
    ]  # fmt: skip
    return write.xlsx(Grid("Danh sách", [HEAD, *made]))


def send(database: Database, officer: Actor, data: bytes, data_dir: Path, name: str = "ds.xlsx") -> str:
    """Sends a file in, as an officer does."""
    with prepare_as(database, officer) as connection:
        return imports.start(connection, officer, file_name=name, data=data, secrets=open_secrets(data_dir)).code


def batch_of(database: Database, officer: Actor, code: str) -> imports.Batch:
    with prepare_as(database, officer) as connection:
        return imports.get(connection, code)


def until(true: Callable[[], object], seconds: float = SECONDS, pause: float = 0.02) -> None:
    """Waits for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(pause)


def at_rest(database: Database, officer: Actor, code: str) -> imports.Batch:
    """The batch once nothing is being done with it any more."""
    until(lambda: batch_of(database, officer, code).job is None, pause=0.1)
    return batch_of(database, officer, code)


@contextlib.contextmanager
def job_process(database: Database, data_dir: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m mapservice.import_jobs` on a database of the test's server."""
    sockets = database.url.query["host"]
    url = f"postgresql://{SUPERUSER}@/{database.name}?host={sockets}&port={PORT}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAPSERVICE_")}
    environment |= {"MAPSERVICE_DATA_DIR": str(data_dir), "MAPSERVICE_DATABASE_URL": url, **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "mapservice.import_jobs"], env=environment, stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return found


def web_workers_of(pid: int) -> list[int]:
    """The web workers of a service with several: forked, they have its command line."""
    return [child for child in children_of(pid) if _command_line(child) == _command_line(pid)]


def _command_line(pid: int) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def kill(*pids: int) -> None:
    """`kill -9`, whether or not they are still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
