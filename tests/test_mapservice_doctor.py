"""`mapservice doctor`: tells what is missing in words, changes nothing, and never breaks itself."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapservice import doctor
from mapservice.settings import HttpSettings
from postgis import debian
from postgis.cluster_home import locate
from postgis.engine import open_database
from postgis.local_cluster import LocalCluster
from postgis.migrate import upgrade
from postgis.settings import DatabaseSettings


@pytest.fixture(scope="module")
def store() -> Iterator[DatabaseSettings]:
    """A data directory with an upgraded, stopped database."""
    directory = Path(tempfile.mkdtemp(prefix="doctor-test-", dir="/tmp"))
    directory.chmod(0o755)
    settings = DatabaseSettings(data_dir=directory, database_url=None)
    with open_database(settings) as database:
        upgrade(database)
    yield settings
    LocalCluster(directory).remove()
    shutil.rmtree(directory)


@pytest.fixture
def http() -> HttpSettings:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return HttpSettings(host="127.0.0.1", port=int(probe.getsockname()[1]), public_url="https://bando.example.vn")


def test_a_database_in_order(http: HttpSettings, store: DatabaseSettings, capsys: pytest.CaptureFixture[str]) -> None:
    code = doctor.run_doctor(http, store)
    told = capsys.readouterr().out
    assert code == 0, told
    assert "Tables: those of this version" in told
    assert "published views, nothing else" in told
    assert "QR codes will say https://bando.example.vn" in told
    assert LocalCluster(store.data_dir).status().pid is None, "it must stop what it started"


def test_an_empty_machine(
    http: HttpSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "installed_servers", lambda: [])
    code = doctor.run_doctor(http, DatabaseSettings(data_dir=tmp_path / "x", database_url=None))
    told = capsys.readouterr().out
    assert code == 1
    assert "PostGIS is not installed" in told
    assert "apt-get install -y" in told
    assert not (tmp_path / "x").exists(), "it must change nothing"


def test_rights_that_leak_are_a_problem(
    http: HttpSettings, store: DatabaseSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_database(store) as database, database.administrator() as connection:
        connection.exec_driver_sql("GRANT USAGE ON SCHEMA register TO mapservice_public")
        connection.exec_driver_sql("GRANT SELECT ON register.licence TO mapservice_public")
    assert doctor.run_doctor(http, store) == 1
    assert "more than what is published: register.licence" in capsys.readouterr().out
    with open_database(store) as database:
        upgrade(database)
    assert doctor.run_doctor(http, store) == 0


def test_an_older_schema_is_a_problem(
    http: HttpSettings, store: DatabaseSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_database(store) as database, database.administrator() as connection:
        connection.exec_driver_sql("UPDATE register.schema_version SET version_num = version_num || '-older'")
    assert doctor.run_doctor(http, store) == 1
    assert "Run: mapservice migrate" in capsys.readouterr().out
    with open_database(store) as database, database.administrator() as connection:
        connection.exec_driver_sql(
            "UPDATE register.schema_version SET version_num = replace(version_num, '-older', '')"
        )


def test_a_database_of_another_version_is_a_problem(
    http: HttpSettings, store: DatabaseSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    home = locate(store.data_dir)
    assert home is not None
    version = home.pgdata / "PG_VERSION"
    kept = version.read_text()
    version.write_text("14\n")
    try:
        assert doctor.run_doctor(http, store) == 1
    finally:
        version.write_text(kept)
    assert "Database of PostgreSQL 14" in capsys.readouterr().out


def test_a_port_in_use_and_an_unreachable_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        http = HttpSettings(host="127.0.0.1", port=int(other.getsockname()[1]))
        store = DatabaseSettings(data_dir=tmp_path, database_url="postgresql://u:geheim@127.0.0.1:9/x")
        assert doctor.run_doctor(http, store) == 1
    told = capsys.readouterr().out
    assert "is in use by another program" in told
    assert "The database server at 127.0.0.1:9 can't be used" in told
    assert "Before printing stickers" in told
    assert "geheim" not in told
    assert "Traceback" not in told


def test_a_check_that_breaks_is_a_finding(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_path: Path) -> object:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(shutil, "disk_usage", broken)
    assert doctor.run_doctor(HttpSettings(port=1024), DatabaseSettings(data_dir=Path("/tmp"), database_url=None)) == 1
    assert "A check could not be made: RuntimeError: no such thing" in capsys.readouterr().out
