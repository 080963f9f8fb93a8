"""The embedded cluster: real servers, real `kill -9`, every way a start or a stop can go wrong."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from postgis.cluster_home import locate, server_account
from postgis.engine import Database, open_database
from postgis.local_cluster import ClusterSupervisor, LocalCluster
from postgis.settings import DatabaseSettings
from postgis.unavailable import StoreUnavailableError
from tests.cluster_holders import (
    Holder,
    another_server_of,
    no_server_of,
    nobodys_holder,
    postmaster_of,
    remove_cluster,
    run_sql,
    until,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as other users")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A directory that the server's user can enter (pytest's own are private to root)."""
    directory = Path(tempfile.mkdtemp(prefix="cluster-test-", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    remove_cluster(directory)


# Who keeps it running


def test_the_last_to_leave_stops_it(data_dir: Path) -> None:
    first, second = Holder(data_dir), Holder(data_dir)  # at once, on an empty directory
    first.wait_until_held()
    second.wait_until_held()
    pid = postmaster_of(data_dir)
    first.leave()
    assert postmaster_of(data_dir) == pid
    with LocalCluster(data_dir):
        second.leave()
        assert postmaster_of(data_dir) == pid
    assert no_server_of(data_dir)


def test_kill_9_of_the_service_leaves_a_server_that_the_next_start_adopts(data_dir: Path) -> None:
    holder = Holder(data_dir)
    holder.wait_until_held()
    pid = postmaster_of(data_dir)
    holder.kill()
    assert postmaster_of(data_dir) == pid
    with LocalCluster(data_dir):
        assert postmaster_of(data_dir) == pid
    assert no_server_of(data_dir)


@as_root
def test_root_in_a_container_adopts_a_server_too(data_dir: Path) -> None:
    contained = ("setpriv", "--bounding-set=-sys_ptrace")  # Docker's root may not look at others' processes
    holder = Holder(data_dir, through=contained)
    holder.wait_until_held()
    pid = postmaster_of(data_dir)
    holder.kill()
    again = Holder(data_dir, through=contained)
    again.wait_until_held()
    assert postmaster_of(data_dir) == pid
    again.leave()
    assert no_server_of(data_dir)


def test_kill_9_of_everything_in_the_middle_of_work_loses_nothing(data_dir: Path) -> None:
    holder = Holder(data_dir)
    holder.wait_until_held()
    run_sql(data_dir, "CREATE TABLE kept AS SELECT 42 AS answer")
    with open_database(DatabaseSettings(data_dir=data_dir)) as opened:
        busy = threading.Thread(target=_burn, args=(opened,))
        busy.start()
        until(lambda: run_sql(data_dir, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%burn%%'") > "1")
        holder.kill()
        os.kill(postmaster_of(data_dir), signal.SIGKILL)  # its busy backend lives on and holds the shared memory
        began = time.monotonic()
        with LocalCluster(data_dir):
            assert time.monotonic() - began < 15
            assert run_sql(data_dir, "SELECT answer FROM kept") == "42"
        busy.join(timeout=20)
        assert not busy.is_alive()


def _burn(opened: Database) -> None:
    with opened.administrator() as connection, pytest.raises(OperationalError):
        connection.exec_driver_sql("/* burn */ SELECT count(*) FROM generate_series(1, 100000000000)")


def test_a_stale_lock_file_that_names_a_living_process_is_no_obstacle(data_dir: Path) -> None:
    run_sql(data_dir, "CREATE TABLE kept AS SELECT 42 AS answer")
    home = locate(data_dir)
    assert home is not None
    account = server_account()
    # The number of the killed server now belongs to something else of the same user, as after a container restart.
    with subprocess.Popen(["sleep", "60"], user=account.uid if os.geteuid() == 0 else None) as stranger:
        lines = f"{stranger.pid}\n{home.pgdata}\n{int(time.time())}\n5432\n{home.sockets}\n\n  1 1\nready   \n"
        for lock in (home.pgdata / "postmaster.pid", home.sockets / ".s.PGSQL.5432.lock"):
            lock.write_text(lines)
            os.chown(lock, account.uid, account.gid)
        assert no_server_of(data_dir)
        assert run_sql(data_dir, "SELECT answer FROM kept") == "42"
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("moment", ["new-*", "new-*/base/1", "data", "data/postmaster.pid"])
def test_kill_9_while_the_cluster_is_being_made(data_dir: Path, moment: str) -> None:
    holder = Holder(data_dir)
    until(lambda: any((data_dir / "postgis").glob(moment)))
    holder.kill()
    with LocalCluster(data_dir) as cluster:
        assert cluster.running()
    assert [path.name for path in (data_dir / "postgis").glob("new-*")] == []


def test_the_supervisor_starts_a_killed_server_again(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_database(DatabaseSettings(data_dir=data_dir)) as opened:
        assert opened.cluster is not None
        with opened.public.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
        supervisor = ClusterSupervisor(opened.cluster, interval=0.1)
        supervisor.start()
        killed = postmaster_of(data_dir)
        os.kill(killed, signal.SIGKILL)
        until(lambda: opened.cluster.running() and another_server_of(data_dir, killed))  # type: ignore[union-attr]
        with opened.public.connect() as connection:  # a dead pooled connection is replaced without anyone noticing
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
        supervisor.stop()
    assert "The database server is gone" in caplog.text
    assert no_server_of(data_dir)


# Where it lives


def test_a_server_whose_socket_was_cleaned_away_is_started_again(data_dir: Path) -> None:
    deep = data_dir / "đường dẫn rất dài" / ("x" * 90)
    with LocalCluster(deep) as cluster:
        assert str(cluster.sockets).startswith("/tmp/mapservice-")
        assert cluster.sockets.stat().st_mode & 0o777 == 0o700
        sockets = cluster.sockets
        shutil.rmtree(sockets)
        assert not cluster.running()
        cluster.restart()
        assert cluster.running()
        assert cluster.sockets == sockets
    LocalCluster(deep).remove()
    assert not sockets.exists()


@as_root
def test_a_directory_closed_to_the_servers_user_has_its_cluster_elsewhere(tmp_path: Path) -> None:
    assert tmp_path.parent.stat().st_mode & 0o077 == 0  # pytest's directories are root's alone
    said: list[str] = []
    original, copy, moved = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    with LocalCluster(original, said.append):
        home = Path(json.loads((original / "cluster.json").read_text())["home"])
        assert home.parent == Path("/var/lib/mapservice")
        assert any(str(home) in line for line in said)
    run_sql(original, "CREATE TABLE kept AS SELECT 42 AS answer")
    shutil.copytree(original, copy)
    with pytest.raises(StoreUnavailableError, match="is a copy of"):
        LocalCluster(copy).hold()
    original.rename(moved)
    assert run_sql(moved, "SELECT answer FROM kept") == "42"
    LocalCluster(moved).remove()
    assert not home.exists()
    with pytest.raises(StoreUnavailableError, match="there is nothing"):
        LocalCluster(copy).hold()


@as_root
def test_an_ordinary_user_runs_it_without_help(data_dir: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(data_dir, nobody.pw_uid, nobody.pw_gid)
    holder = nobodys_holder(data_dir)
    holder.wait_until_held()
    assert Path(f"/proc/{postmaster_of(data_dir)}").stat().st_uid == nobody.pw_uid
    with pytest.raises(StoreUnavailableError, match=r"belongs to the user 'nobody'.*Start the service as nobody"):
        LocalCluster(data_dir).hold()
    holder.kill()
    again = nobodys_holder(data_dir)
    again.wait_until_held()
    again.leave()
    assert no_server_of(data_dir)


@as_root
def test_an_ordinary_user_is_refused_roots_database(data_dir: Path) -> None:
    with LocalCluster(data_dir):
        holder = nobodys_holder(data_dir)
        said, _ = holder.process.communicate(timeout=30)
        assert holder.process.returncode != 0
        assert "belongs to the user 'root'" in said
