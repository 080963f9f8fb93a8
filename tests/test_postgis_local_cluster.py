"""The embedded cluster: real servers, real `kill -9`, every way a start or a stop can go wrong."""

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from postgis import debian
from postgis.cluster_home import locate, server_account
from postgis.cluster_process import find_postmaster
from postgis.debian import Server
from postgis.engine import Database, create_database, drop_database, open_database
from postgis.local_cluster import ClusterSupervisor, LocalCluster
from postgis.settings import DatabaseSettings
from postgis.unavailable import StoreUnavailableError

REPOSITORY = Path(__file__).parents[1]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as other users")

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


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A directory that the server's user can enter (pytest's own are private to root)."""
    directory = Path(tempfile.mkdtemp(prefix="cluster-test-", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    _clean(directory)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """One prepared database for the tests that do no harm."""
    directory = Path(tempfile.mkdtemp(prefix="cluster-test-", dir="/tmp"))
    directory.chmod(0o755)
    with open_database(DatabaseSettings(data_dir=directory)) as opened:
        yield opened
    _clean(directory)


def _clean(directory: Path) -> None:
    LocalCluster(directory).remove()
    shutil.rmtree(directory)


def _nobodys_holder(data_dir: Path) -> Holder:
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


def _postmaster(data_dir: Path) -> int:
    home = locate(data_dir)
    assert home is not None
    found = find_postmaster(home)
    assert found is not None, "no server runs"
    return found.pid


def _no_server(data_dir: Path) -> bool:
    home = locate(data_dir)
    return home is None or find_postmaster(home) is None


def _until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def _sql(data_dir: Path, statement: str) -> str:
    """Run a statement as the superuser and commit it."""
    with open_database(DatabaseSettings(data_dir=data_dir)) as opened, opened.administrator() as connection:
        result = connection.exec_driver_sql(statement)
        return str(result.scalar()) if result.returns_rows else ""


# How it is made


def test_it_listens_on_a_private_socket_only(database: Database) -> None:
    assert database.cluster is not None
    with database.administrator() as connection:
        assert connection.exec_driver_sql("SHOW listen_addresses").scalar() == ""
    assert database.cluster.sockets.stat().st_mode & 0o777 == 0o700
    assert database.cluster.status().answers


def test_it_is_utf8_with_checksums_and_icu_collations(database: Database) -> None:
    with database.administrator() as connection:
        assert connection.exec_driver_sql("SHOW server_encoding").scalar() == "UTF8"
        assert connection.exec_driver_sql("SHOW data_checksums").scalar() == "on"
        sorted_names = "SELECT string_agg(n, '' ORDER BY n COLLATE \"vi-x-icu\") FROM unnest('{d,đ,e,a,ă,â}'::text[]) n"
        assert connection.exec_driver_sql(sorted_names).scalar() == "aăâdđe"


def test_each_role_logs_in_as_itself_in_vietnams_time(database: Database) -> None:
    for engine, role in (
        (database.owner, "mapservice_owner"),
        (database.public, "mapservice_public"),
        (database.staff, "mapservice_staff"),
    ):
        with engine.connect() as connection:
            row = connection.exec_driver_sql("SELECT session_user, current_user, current_setting('timezone')").one()
            assert tuple(row) == (role, role, "Asia/Ho_Chi_Minh")


def test_the_public_role_can_change_nothing(database: Database) -> None:
    for statement in ("CREATE TABLE public.x (i int)", "CREATE TEMP TABLE x (i int)", "CREATE SCHEMA x"):
        with database.public.connect() as connection, pytest.raises(DBAPIError):
            connection.exec_driver_sql(statement)
        with database.public.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
            connection.exec_driver_sql("SET TRANSACTION READ WRITE")
            connection.exec_driver_sql(statement)


def test_a_slow_public_query_is_cancelled(database: Database) -> None:
    hurried = Database(database.url, DatabaseSettings(statement_timeout_ms=50), database.cluster)
    with hurried.public.connect() as connection, pytest.raises(OperationalError, match="statement timeout"):
        connection.exec_driver_sql("SELECT pg_sleep(5)")
    hurried.dispose()


@as_root
def test_no_other_user_of_the_machine_gets_in(database: Database) -> None:
    assert database.cluster is not None
    home = locate(database.cluster.data_dir)
    assert home is not None
    home.path.chmod(0o755)  # even when every directory is open, peer authentication is not
    home.sockets.chmod(0o755)
    (home.sockets / ".s.PGSQL.5432").chmod(0o777)
    psql = [str(Path("/usr/bin/psql")), "-h", str(home.sockets), "-d", "mapservice", "-c", "SELECT 1", "-U"]
    try:
        for role in ("postgres", "mapservice_public"):
            nobody = pwd.getpwnam("nobody").pw_uid
            done = subprocess.run([*psql, role], user=nobody, capture_output=True, text=True, cwd="/")
            assert done.returncode != 0
            assert "eer authentication failed" in done.stderr
    finally:
        home.path.chmod(0o700)
        home.sockets.chmod(0o700)


def test_its_log_quotes_no_values(database: Database) -> None:
    assert database.cluster is not None
    home = locate(database.cluster.data_dir)
    assert home is not None
    with database.owner.connect() as connection, pytest.raises(DBAPIError):
        connection.exec_driver_sql("SELECT 'Nguyen Van Secret'::date")
    with database.owner.connect() as connection, pytest.raises(DBAPIError):
        connection.exec_driver_sql("SELECT %s::int", ("0905secret",))
    logs = "".join(path.read_text() for path in home.log_dir.iterdir())
    assert "ready to accept connections" in logs
    assert "ecret" not in logs


def test_a_database_is_copied_from_a_template_with_its_rights(database: Database) -> None:
    template = create_database(database, "test_template")
    with template.owner.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA published")
        connection.exec_driver_sql("CREATE TABLE published.t AS SELECT 7 AS seven")
        connection.exec_driver_sql("GRANT USAGE ON SCHEMA published TO mapservice_public")
        connection.exec_driver_sql("GRANT SELECT ON published.t TO mapservice_public")
    template.dispose()
    copy = create_database(database, "test_copy", template="test_template")
    with copy.public.connect() as connection:
        assert connection.exec_driver_sql("SELECT seven FROM published.t").scalar() == 7
    drop_database(database, "test_copy")
    drop_database(database, "test_template")
    copy.dispose()


# Who keeps it running


def test_the_last_to_leave_stops_it(data_dir: Path) -> None:
    first, second = Holder(data_dir), Holder(data_dir)  # at once, on an empty directory
    first.wait_until_held()
    second.wait_until_held()
    pid = _postmaster(data_dir)
    first.leave()
    assert _postmaster(data_dir) == pid
    with LocalCluster(data_dir):
        second.leave()
        assert _postmaster(data_dir) == pid
    assert _no_server(data_dir)


def test_kill_9_of_the_service_leaves_a_server_that_the_next_start_adopts(data_dir: Path) -> None:
    holder = Holder(data_dir)
    holder.wait_until_held()
    pid = _postmaster(data_dir)
    holder.kill()
    assert _postmaster(data_dir) == pid
    with LocalCluster(data_dir):
        assert _postmaster(data_dir) == pid
    assert _no_server(data_dir)


@as_root
def test_root_in_a_container_adopts_a_server_too(data_dir: Path) -> None:
    contained = ("setpriv", "--bounding-set=-sys_ptrace")  # Docker's root may not look at others' processes
    holder = Holder(data_dir, through=contained)
    holder.wait_until_held()
    pid = _postmaster(data_dir)
    holder.kill()
    again = Holder(data_dir, through=contained)
    again.wait_until_held()
    assert _postmaster(data_dir) == pid
    again.leave()
    assert _no_server(data_dir)


def test_kill_9_of_everything_in_the_middle_of_work_loses_nothing(data_dir: Path) -> None:
    holder = Holder(data_dir)
    holder.wait_until_held()
    _sql(data_dir, "CREATE TABLE kept AS SELECT 42 AS answer")
    with open_database(DatabaseSettings(data_dir=data_dir)) as opened:
        busy = threading.Thread(target=_burn, args=(opened,))
        busy.start()
        _until(lambda: _sql(data_dir, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%burn%%'") > "1")
        holder.kill()
        os.kill(_postmaster(data_dir), signal.SIGKILL)  # its busy backend lives on and holds the shared memory
        began = time.monotonic()
        with LocalCluster(data_dir):
            assert time.monotonic() - began < 15
            assert _sql(data_dir, "SELECT answer FROM kept") == "42"
        busy.join(timeout=20)
        assert not busy.is_alive()


def _burn(opened: Database) -> None:
    with opened.administrator() as connection, pytest.raises(OperationalError):
        connection.exec_driver_sql("/* burn */ SELECT count(*) FROM generate_series(1, 100000000000)")


def test_a_stale_lock_file_that_names_a_living_process_is_no_obstacle(data_dir: Path) -> None:
    _sql(data_dir, "CREATE TABLE kept AS SELECT 42 AS answer")
    home = locate(data_dir)
    assert home is not None
    account = server_account()
    # The number of the killed server now belongs to something else of the same user, as after a container restart.
    with subprocess.Popen(["sleep", "60"], user=account.uid if os.geteuid() == 0 else None) as stranger:
        lines = f"{stranger.pid}\n{home.pgdata}\n{int(time.time())}\n5432\n{home.sockets}\n\n  1 1\nready   \n"
        for lock in (home.pgdata / "postmaster.pid", home.sockets / ".s.PGSQL.5432.lock"):
            lock.write_text(lines)
            os.chown(lock, account.uid, account.gid)
        assert _no_server(data_dir)
        assert _sql(data_dir, "SELECT answer FROM kept") == "42"
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("moment", ["new-*", "new-*/base/1", "data", "data/postmaster.pid"])
def test_kill_9_while_the_cluster_is_being_made(data_dir: Path, moment: str) -> None:
    holder = Holder(data_dir)
    _until(lambda: any((data_dir / "postgis").glob(moment)))
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
        killed = _postmaster(data_dir)
        os.kill(killed, signal.SIGKILL)
        _until(lambda: opened.cluster.running() and _postmaster(data_dir) != killed)  # type: ignore[union-attr]
        with opened.public.connect() as connection:  # a dead pooled connection is replaced without anyone noticing
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
        supervisor.stop()
    assert "The database server is gone" in caplog.text
    assert _no_server(data_dir)


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
    _sql(original, "CREATE TABLE kept AS SELECT 42 AS answer")
    shutil.copytree(original, copy)
    with pytest.raises(StoreUnavailableError, match="is a copy of"):
        LocalCluster(copy).hold()
    original.rename(moved)
    assert _sql(moved, "SELECT answer FROM kept") == "42"
    LocalCluster(moved).remove()
    assert not home.exists()
    with pytest.raises(StoreUnavailableError, match="there is nothing"):
        LocalCluster(copy).hold()


@as_root
def test_an_ordinary_user_runs_it_without_help(data_dir: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(data_dir, nobody.pw_uid, nobody.pw_gid)
    holder = _nobodys_holder(data_dir)
    holder.wait_until_held()
    assert Path(f"/proc/{_postmaster(data_dir)}").stat().st_uid == nobody.pw_uid
    with pytest.raises(StoreUnavailableError, match=r"belongs to the user 'nobody'.*Start the service as nobody"):
        LocalCluster(data_dir).hold()
    holder.kill()
    again = _nobodys_holder(data_dir)
    again.wait_until_held()
    again.leave()
    assert _no_server(data_dir)


@as_root
def test_an_ordinary_user_is_refused_roots_database(data_dir: Path) -> None:
    with LocalCluster(data_dir):
        holder = _nobodys_holder(data_dir)
        said, _ = holder.process.communicate(timeout=30)
        assert holder.process.returncode != 0
        assert "belongs to the user 'root'" in said


# What it refuses


def test_a_cluster_of_another_version_is_refused(data_dir: Path) -> None:
    with LocalCluster(data_dir):
        pass
    home = locate(data_dir)
    assert home is not None
    made_by = (home.pgdata / "PG_VERSION").read_text()
    (home.pgdata / "PG_VERSION").write_text("14\n")
    message = r"made by PostgreSQL 14.*\(installed: .*postgresql-14-postgis-3"
    with pytest.raises(StoreUnavailableError, match=re.compile(message, re.S)):
        LocalCluster(data_dir).hold()
    assert LocalCluster(data_dir).status().made_by == 14
    (home.pgdata / "PG_VERSION").write_text(made_by)
    with LocalCluster(data_dir) as cluster:
        assert cluster.running()


def test_a_directory_that_is_no_cluster_is_refused_and_left_alone(data_dir: Path) -> None:
    account = server_account()
    strange = data_dir / "postgis" / "data"
    strange.mkdir(parents=True)
    (strange / "holiday.txt").write_text("photos")
    for path in (strange.parent, strange):
        os.chown(path, account.uid, account.gid)
    with pytest.raises(StoreUnavailableError, match="is not a PostgreSQL data directory"):
        LocalCluster(data_dir).hold()
    assert (strange / "holiday.txt").read_text() == "photos"


def test_a_broken_configuration_is_told_in_the_servers_own_words(data_dir: Path) -> None:
    with LocalCluster(data_dir):
        pass
    home = locate(data_dir)
    assert home is not None
    local = home.pgdata / "local.conf"
    local.write_text("shared_buffers = 'plenty'\n")
    local.chmod(0o644)
    with pytest.raises(StoreUnavailableError, match=r"did not start[^$]*shared_buffers"):
        LocalCluster(data_dir).hold()
    local.unlink()
    with LocalCluster(data_dir) as cluster:
        assert cluster.running()


def test_a_file_in_place_of_the_data_directory_is_refused(data_dir: Path) -> None:
    (data_dir / "file").write_text("")
    with pytest.raises(StoreUnavailableError, match="MAPSERVICE_DATA_DIR"):
        LocalCluster(data_dir / "file").hold()


def test_without_postgis_and_without_rights_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "installed_servers", lambda: [])
    monkeypatch.setattr(debian, "_privilege", lambda: None)
    with pytest.raises(StoreUnavailableError, match=r"apt-get install -y postgresql-\d+-postgis-3"):
        debian.ensure_server(print)


def test_packages_are_installed_without_a_cluster_nobody_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands that an installation runs; the installation itself is too slow to repeat in every run."""
    ran: list[str] = []

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        ran.append(" ".join(command))
        return subprocess.CompletedProcess(command, 0, "")

    found = [None, Server(15, Path("/usr/lib/postgresql/15/bin"), ())]
    monkeypatch.setattr(debian, "find_server", lambda _major=None: found.pop(0))
    monkeypatch.setattr(debian, "installed_servers", lambda: [Server(15, Path("/x"), ("postgis",))])
    monkeypatch.setattr(debian, "_privilege", lambda: ())
    monkeypatch.setattr(debian, "_packages_wanted", lambda _major: ["postgresql-15-postgis-3"])
    monkeypatch.setattr(debian, "_as_root", run)
    assert debian.ensure_server(print).major == 15
    before, install, after = ran
    assert "create_main_cluster = false" in before
    assert install.endswith("--no-install-recommends install postgresql-15-postgis-3")
    assert after.startswith("sh -c rm -f /etc/postgresql-common/createcluster.d/mapservice.conf")


# Somebody else's server


def test_any_server_can_be_used_by_url(database: Database) -> None:
    assert database.cluster is not None
    url = f"postgres://postgres@/test_external?host={database.cluster.sockets}&port=5432"
    with open_database(DatabaseSettings(database_url=url)) as external:
        assert external.cluster is None
        with external.public.connect() as connection:
            row = connection.exec_driver_sql("SELECT session_user, current_user, current_database()").one()
            assert tuple(row) == ("postgres", "mapservice_public", "test_external")
            with pytest.raises(DBAPIError):
                connection.exec_driver_sql("CREATE TABLE public.x (i int)")
        with external.owner.begin() as connection:
            connection.exec_driver_sql("CREATE SCHEMA register")
    with open_database(DatabaseSettings(database_url=url)):
        pass
    drop_database(database, "test_external")


def test_a_user_without_rights_is_told_which_extension_is_missing(database: Database) -> None:
    assert database.cluster is not None
    with database.administrator("postgres") as connection:
        connection.exec_driver_sql("CREATE DATABASE test_bare OWNER mapservice_owner")
    url = f"postgresql://mapservice_owner@/test_bare?host={database.cluster.sockets}&port=5432"
    with database.administrator("postgres") as connection:
        connection.exec_driver_sql("GRANT mapservice_public, mapservice_staff TO mapservice_owner")
    with (
        pytest.raises(StoreUnavailableError, match=r"may not create the extension 'postgis'.*CREATE EXTENSION postgis"),
        open_database(DatabaseSettings(database_url=url)),
    ):
        pass
    with database.administrator("postgres") as connection:
        connection.exec_driver_sql("REVOKE mapservice_public, mapservice_staff FROM mapservice_owner")
    with (
        pytest.raises(StoreUnavailableError, match=r"may not create roles[^$]*GRANT mapservice_public TO"),
        open_database(DatabaseSettings(database_url=url)),
    ):
        pass
    drop_database(database, "test_bare")


def test_an_unreachable_server_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postgis.engine._PATIENCE", 0.6)
    said: list[str] = []
    settings = DatabaseSettings(database_url="postgresql://user:geheim@127.0.0.1:9/x")
    with (
        pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1:9 can't be used") as refusal,
        open_database(settings, said.append),
    ):
        pass
    assert said == ["Waiting for the database server at 127.0.0.1:9 ..."]
    assert "geheim" not in f"{refusal.value} {settings!r}"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSERVICE_DATABASE_URL", "")
    monkeypatch.setenv("MAPSERVICE_DATA_DIR", "somewhere")
    settings = DatabaseSettings()
    assert settings.database_url is None
    assert settings.data_dir == Path.cwd() / "somewhere"
    with pytest.raises(ValueError, match="must start with postgresql://"):
        DatabaseSettings(database_url="mysql://x")
