"""Processes that hold a cluster, and how its server is seen from outside; for tests that kill both."""

import os
import pwd
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from postgis.cluster_home import locate
from postgis.cluster_process import find_postmaster
from postgis.engine import open_database
from postgis.local_cluster import LocalCluster
from postgis.settings import DatabaseSettings

REPOSITORY = Path(__file__).parents[1]
HOLDER = """
    import sys
    from pathlib import Path
    from postgis.local_cluster import LocalCluster
    with LocalCluster(Path(sys.argv[1]), say=lambda line: print(line, flush=True)):
        print("held", flush=True)
        sys.stdin.read()
"""


class Holder:
    """Another process that holds the cluster of a data directory until told to leave, or killed."""

    def __init__(
        self,
        data_dir: Path,
        uid: int | None = None,
        python: str = sys.executable,
        code: Path = REPOSITORY,
        through: Sequence[str] = (),
    ) -> None:
        self.process = subprocess.Popen(
            [*through, python, "-c", textwrap.dedent(HOLDER), str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"},
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
        )

    def wait_until_held(self) -> str:
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if line.strip() == "held":
                return said
        raise AssertionError(f"the other process ended early: {said}")

    def leave(self) -> None:
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def remove_cluster(directory: Path) -> None:
    LocalCluster(directory).remove()
    shutil.rmtree(directory)


def nobodys_holder(data_dir: Path) -> Holder:
    """A holder that runs as an ordinary user, with the machine's Python and a copy of the code that it can read."""
    uid = pwd.getpwnam("nobody").pw_uid
    python = next((path for path in (sys.executable, "/usr/bin/python3") if _may_run(path, uid)), None)
    if python is None:
        pytest.skip("no Python on this machine that an ordinary user may run")
    code = data_dir / "code"
    (code / "postgis").mkdir(parents=True, exist_ok=True)
    for module in (REPOSITORY / "postgis").glob("*.py"):
        shutil.copy(module, code / "postgis")
    return Holder(data_dir, uid, python, code)


def _may_run(python: str, uid: int) -> bool:
    try:
        return subprocess.run([python, "-c", "from typing import Self"], user=uid, cwd="/").returncode == 0
    except OSError:
        return False


def postmaster_of(data_dir: Path) -> int:
    home = locate(data_dir)
    assert home is not None
    found = find_postmaster(home)
    assert found is not None, "no server runs"
    return found.pid


def no_server_of(data_dir: Path) -> bool:
    home = locate(data_dir)
    return home is None or find_postmaster(home) is None


def another_server_of(data_dir: Path, killed: int) -> bool:
    """Whether a server runs that is not the one killed, which for a moment may still seem to."""
    home = locate(data_dir)
    found = None if home is None else find_postmaster(home)
    return found is not None and found.pid != killed


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def run_sql(data_dir: Path, statement: str) -> str:
    """Run a statement as the superuser and commit it."""
    with open_database(DatabaseSettings(data_dir=data_dir)) as opened, opened.administrator() as connection:
        result = connection.exec_driver_sql(statement)
        return str(result.scalar()) if result.returns_rows else ""
