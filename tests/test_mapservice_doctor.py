"""`mapservice doctor`: tells what is missing in words, changes nothing, and never breaks itself."""

import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from mapservice import doctor, second_factor, totp
from mapservice.settings import HttpSettings
from postgis import debian, secrets
from postgis.actor import write_as
from postgis.cluster_home import locate
from postgis.engine import open_database
from postgis.local_cluster import LocalCluster
from postgis.migrate import upgrade
from postgis.settings import DatabaseSettings
from postgis.store import personal_data, records, stickers
from tests.small_ward import add_staff


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


def test_the_key_that_opens_nothing_is_a_problem(
    http: HttpSettings, store: DatabaseSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    file = store.data_dir / secrets.FILE_NAME
    assert doctor.run_doctor(http, store) == 0
    assert "There is no secret key yet" in capsys.readouterr().out
    assert not file.exists(), "it must change nothing"
    kept = secrets.open_secrets(store.data_dir)
    with open_database(store) as database:
        actor = add_staff(database, "lan", "admin")
        with write_as(database, actor, reason=None) as connection:
            values = {"registered_name": "Hộ Thử", "legal_form": "household_business"}
            entity = records.create(connection, "legal_entities", values, ward_id=actor.ward_id).code
            personal_data.keep(connection, kept, entity, "owner_phone", "0905123456")
        assert second_factor.confirm(database, actor, b"x" * 20, totp.code_at(b"x" * 20, int(time.time()) // 30))
    assert doctor.run_doctor(http, store) == 0
    told = capsys.readouterr().out
    assert f"{file} (fingerprint {kept.fingerprint})" in told and "all of which it opens: 2" in told
    assert "keep a copy in another place" in told
    right = file.read_bytes()
    for wrong, words in ((bytes(secrets.KEY_BYTES), "is not the key they need"), (None, "is missing")):
        file.unlink()
        if wrong:
            file.write_bytes(wrong)
        secrets._open.cache_clear()
        assert doctor.run_doctor(http, store) == 1
        told = capsys.readouterr().out
        assert "2 of 2 encrypted values cannot be opened" in told and words in told
        assert f"copy the key that was kept apart from the backups to {file}" in told
        assert "0905123456" not in told and right.hex() not in told
    file.write_bytes(right)
    secrets._open.cache_clear()
    assert doctor.run_doctor(http, store) == 0
    with open_database(store) as database, database.owner.begin() as connection:
        stickers.rotate_key(connection, secrets.Secrets(bytes(secrets.KEY_BYTES)))
    capsys.readouterr()
    assert doctor.run_doctor(http, store) == 1
    assert "The marks of 0 stickers cannot be checked" in capsys.readouterr().out


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


@pytest.mark.parametrize(
    ("day", "told"),
    [("2026-03-02", "OK       Deadlines: the days off until 01/04/2026 are announced"),
     ("2026-12-15", "note     Deadlines: the days off of 2027 are not announced"),
     ("2031-12-15", "note     Deadlines: the days off of 2031 and 2032 are not announced")],
)  # fmt: skip
def test_days_off_that_deadlines_lack_are_named(
    day: str, told: str, http: HttpSettings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "today", lambda: date.fromisoformat(day))
    monkeypatch.setattr(doctor, "_cluster", lambda _: iter(()))
    monkeypatch.setattr(doctor, "_database", lambda _: iter(()))
    doctor.run_doctor(http, DatabaseSettings(data_dir=Path("/tmp/none"), database_url=None))
    said = capsys.readouterr().out
    assert told in said and ("working_calendar.toml" in said) is told.startswith("note")
