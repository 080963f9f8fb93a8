"""Connections: each role as itself, a private server, and somebody else's server by URL."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from postgis.cluster_home import locate
from postgis.engine import Database, create_database, drop_database, open_database
from postgis.settings import DatabaseSettings
from postgis.unavailable import StoreUnavailableError
from tests.cluster_holders import remove_cluster

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as other users")


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """One prepared database for the tests that do no harm."""
    directory = Path(tempfile.mkdtemp(prefix="cluster-test-", dir="/tmp"))
    directory.chmod(0o755)
    with open_database(DatabaseSettings(data_dir=directory)) as opened:
        yield opened
    remove_cluster(directory)


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
            connection.execution_options(isolation_level="READ COMMITTED").exec_driver_sql("SET TRANSACTION READ WRITE")
            connection.exec_driver_sql(statement)


def test_a_slow_public_query_is_cancelled(database: Database) -> None:
    hurried = Database(database.url, DatabaseSettings(statement_timeout_ms=50), database.cluster)
    with hurried.public.connect() as connection, pytest.raises(OperationalError, match="statement timeout"):
        connection.exec_driver_sql("SELECT pg_sleep(5)")
    hurried.dispose()


def test_a_public_statement_stands_alone_unless_a_snapshot_is_asked_for(database: Database) -> None:
    begun = "SELECT transaction_timestamp()"
    with database.public.connect() as connection:
        assert connection.exec_driver_sql(begun).scalar_one() < connection.exec_driver_sql(begun).scalar_one()
    with database.public.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        assert connection.exec_driver_sql(begun).scalar_one() == connection.exec_driver_sql(begun).scalar_one()
    with database.public.connect() as connection:
        assert connection.exec_driver_sql(begun).scalar_one() < connection.exec_driver_sql(begun).scalar_one()


@pytest.mark.parametrize("role", ["public", "staff"])
def test_a_connection_that_the_server_has_closed_is_replaced(database: Database, role: str) -> None:
    own = Database(database.url, DatabaseSettings(pool_size=2), database.cluster)
    engine = getattr(own, role)
    number = "SELECT pg_backend_pid()"
    with engine.connect() as one, engine.connect() as other:
        closed = {connection.exec_driver_sql(number).scalar_one() for connection in (one, other)}
    with engine.connect() as one:
        assert one.exec_driver_sql(number).scalar_one() in closed
    with database.administrator() as connection:
        for pid in closed:
            assert connection.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)").scalar_one()
    with engine.connect() as one, engine.connect() as other:
        found = {connection.exec_driver_sql(number).scalar_one() for connection in (one, other)}
    assert not found & closed
    own.dispose()


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


def test_an_unreachable_server_is_named_without_its_password() -> None:
    said: list[str] = []
    settings = DatabaseSettings(database_url="postgresql://user:geheim@127.0.0.1:9/x")
    with (
        pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1:9 can't be used") as refusal,
        open_database(settings, said.append, patience=0.6),
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
