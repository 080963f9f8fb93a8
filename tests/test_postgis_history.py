"""The history is whole, finds what was done past it, and tells how things stood."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from layers import history
from postgis.actor import read_as, write_as
from postgis.engine import Database
from postgis.store import records
from postgis.store.changes import verify
from tests.conftest import start_service, stop_service
from tests.small_ward import OTHER_WARD, WARD, SmallWard, add_staff, fill, lift_warnings

FACTS = (
    "licence_state", "licence_valid_until", "licence_checked_on", "food_safety_kind", "food_safety_valid_until",
    "food_safety_checked_on", "last_inspection_result", "last_inspection_on", "live_warning", "payment_methods",
    "payment_checked_on", "accepts_cashless", "active_acceptance", "on_digital_platform", "digital_checked_on",
)  # fmt: skip


@pytest.fixture
def small(database: Database) -> Iterator[SmallWard]:
    actor = add_staff(database, "officer", "officer")
    yield fill(database, actor, 3)


def _tamper(database: Database, statement: str, **values: object) -> None:
    """As somebody who owns the server would: triggers off, then on again."""
    with database.administrator() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text(statement), values)


def test_the_demo_is_whole(demo_database: Database) -> None:
    with demo_database.owner.connect() as connection:
        found = verify(connection)
    assert found.whole and found.changes > found.records > 50_000
    assert len(found.head_hash) == 64


def test_facts_as_of_now_are_the_facts(demo_database: Database) -> None:
    """The same definition once over the tables, once over the history."""
    columns, of_facts = ", ".join(FACTS), ", ".join(f"f.{name}" for name in FACTS)
    with demo_database.owner.connect() as connection:
        for ward, expected in connection.execute(
            text("SELECT w.code, count(*) FROM register.establishment e JOIN register.ward w ON w.id = e.ward_id "
                 "WHERE e.ended_at IS NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 2")
        ).all():  # fmt: skip
            then = connection.execute(
                text(f"SELECT code, {columns} FROM register.establishments_as_of(:ward, clock_timestamp()) ORDER BY 1"),
                {"ward": ward},
            ).all()
            now = connection.execute(
                text(f"SELECT e.code, {of_facts} FROM register.establishment e "
                     "JOIN register.establishment_fact f ON f.establishment_id = e.id "
                     "JOIN register.ward w ON w.id = e.ward_id WHERE w.code = :ward ORDER BY 1"), {"ward": ward},
            ).all()  # fmt: skip
            assert len(then) == expected > 0
            assert then == now


def test_published_statuses_as_of_now_are_those_shown(demo_database: Database) -> None:
    statuses = "operating_status, licence_status, food_safety_status, accepts_cashless, residential_group, model_site"
    with demo_database.owner.connect() as connection:
        then = connection.execute(
            text(f"SELECT code, {statuses} FROM register.establishments_as_of(:ward, clock_timestamp()) ORDER BY 1"),
            {"ward": WARD},
        ).all()
        now = connection.execute(
            text(f"SELECT code, {statuses} FROM published.establishments WHERE ward = :ward ORDER BY 1"), {"ward": WARD}
        ).all()
    assert then == now


def test_figures_and_records_as_of_a_past_moment(database: Database, small: SmallWard) -> None:
    officer = add_staff(database, "second", "officer")
    place = small.places[0]
    lift_warnings(database, small.places[1])
    before = datetime.now(UTC)
    with read_as(database, officer) as connection:
        assert history.figures_as_of(connection, WARD, before)["accepts_cashless"] == {"yes": 3}
    with write_as(database, officer, reason="khảo sát lại") as connection:
        values = {"establishment": place, "method": "cash_only", "accepted": True, "evidence_level": "observed"}
        values |= {"checked_on": "2026-11-01", "source": "office"}
        records.create(connection, "payment_acceptances", values, ward_id=officer.ward_id)
        found = records.get(connection, "establishments", place)
        records.change(connection, "establishments", place, found.version, {"name": "Quán Đổi Tên"})
        gone = records.get(connection, "establishments", small.places[1])
        records.end(connection, "establishments", gone.code, gone.version, "lập nhầm")
    now = datetime.now(UTC)
    with read_as(database, officer) as connection:
        assert history.figures_as_of(connection, WARD, now)["accepts_cashless"] == {"yes": 1, "no": 1}
        assert history.figures_as_of(connection, WARD, before)["accepts_cashless"] == {"yes": 3}
        assert history.figures_as_of(connection, WARD, before - timedelta(days=365))["accepts_cashless"] == {}
        was = history.as_of(connection, "establishments", place, before)
        became = history.as_of(connection, "establishments", place, now)
        assert was is not None and became is not None
        assert (was["name"], became["name"]) == ("Quán Thử 0", "Quán Đổi Tên")
        assert was["ward"] == WARD and was["legal_entity"] == small.entities[0]
        assert history.as_of(connection, "establishments", place, before - timedelta(days=365)) is None


def test_the_timeline_says_who_what_when_and_why(database: Database, small: SmallWard) -> None:
    officer = add_staff(database, "second", "officer")
    place = small.places[0]
    with write_as(database, officer, reason="theo biển hiệu") as connection:
        found = records.get(connection, "establishments", place)
        new = {"name": "Quán Mới", "geometry": {"type": "Point", "coordinates": [108.2137, 16.0433]}}
        records.change(connection, "establishments", place, found.version, new)
        licence = records.get(connection, "licences", small.codes["licences"][0])
        records.end(connection, "licences", licence.code, licence.version, "cấp nhầm")
    with read_as(database, officer) as connection:
        ended, changed, *rest = history.timeline(connection, place)
        assert (ended.collection, ended.kind) == ("licences", "end")
        assert [(field.field, field.after) for field in ended.fields] == [("end_reason", "cấp nhầm")]
        assert (changed.actor_name, changed.reason, changed.source) == ("officer second", "theo biển hiệu", "office")
        by_name = {field.field: (field.before, field.after) for field in changed.fields}
        assert by_name.pop("name") == ("Quán Thử 0", "Quán Mới")
        assert by_name.pop("geometry")[1] == new["geometry"]
        assert not by_name.keys() - {"residential_group"}
        assert {change.collection for change in rest} >= {"establishments", "licences", "inspections", "outreach"}
        assert rest[-1].kind == "insert" and rest[-1].collection == "establishments"
        assert history.timeline(connection, place, limit=1) == [ended]
        entity = history.entity_timeline(connection, small.entities[0])
        assert {change.collection for change in entity} == {"legal_entities", "personal_data"}
    stranger = add_staff(database, "stranger", "officer", OTHER_WARD)
    with read_as(database, stranger) as connection:
        assert history.timeline(connection, place) == []
        assert history.as_of(connection, "establishments", place, datetime.now(UTC)) is None


@pytest.mark.parametrize(
    ("statement", "seq", "why"),
    [
        ("UPDATE register.change SET reason = 'khác' WHERE seq = 5", 5, "altered"),
        ("UPDATE register.change SET after = after || '{\"name\": \"x\"}' WHERE seq = 3", 3, "altered"),
        ("UPDATE register.change SET actor_name = 'ai đó' WHERE seq = 1", 1, "altered"),
        ("UPDATE register.change SET at = at - interval '1 day' WHERE seq = 7", 7, "altered"),
        ("DELETE FROM register.change WHERE seq = 4", 5, "missing"),
        ("UPDATE register.change SET seq = 9999 WHERE seq = (SELECT max(seq) FROM register.change)", 9999, "missing"),
        ("UPDATE register.change SET hash = previous_hash WHERE seq = 6", 6, "altered"),
    ],
)  # fmt: skip
def test_a_tampered_history_is_found(database: Database, small: SmallWard, statement: str, seq: int, why: str) -> None:
    assert small.places
    _tamper(database, statement)
    with database.owner.connect() as connection:
        found = verify(connection)
    assert not found.whole
    assert found.broken_seq == seq and why in (found.broken_why or "")


def test_a_rehashed_forgery_breaks_the_chain_after_it(database: Database, small: SmallWard) -> None:
    """Somebody who knows how the hashes are made still cannot alter one change without all that follow."""
    assert small.places
    _tamper(
        database,
        "UPDATE register.change SET reason = 'khác', hash = register.change_hash(previous_hash, seq, at, ward_id, "
        "collection, record_code, establishment_code, kind, actor_id, actor_name, 'khác', source, before, after) "
        "WHERE seq = 5",
    )
    with database.owner.connect() as connection:
        assert verify(connection).broken_seq == 6


@pytest.mark.parametrize(
    ("statement", "collection", "why"),
    [
        ("UPDATE register.licence SET number = '123' WHERE code = :licence", "licences", "altered"),
        ("UPDATE register.licence SET ended_at = now() WHERE code = :licence", "licences", "altered"),
        ("DELETE FROM register.outreach WHERE code = :outreach", "outreach", "removed"),
        ("UPDATE register.establishment SET name = 'Tên giả' WHERE code = :place", "establishments", "altered"),
        ("UPDATE register.establishment SET geom = ST_Translate(geom, 0.001, 0) WHERE code = :place", "establishments",
         "altered"),
        ("INSERT INTO register.digital_use (establishment_id, kind, used, checked_on, source) "
         "SELECT id, 'website', true, current_date, 'office' FROM register.establishment WHERE code = :place",
         "digital_uses", "not in the history"),
        ("UPDATE register.personal_datum SET field = 'owner_email'", "personal_data", "not in the history"),
    ],
)  # fmt: skip
def test_a_record_altered_past_the_history_is_found(
    database: Database, small: SmallWard, statement: str, collection: str, why: str
) -> None:
    names = {"licence": small.codes["licences"][0], "outreach": small.codes["outreach"][0], "place": small.places[0]}
    _tamper(database, statement, **{name: value for name, value in names.items() if f":{name}" in statement})
    with database.owner.connect() as connection:
        found = verify(connection)
    assert found.broken_seq is None, "the chain itself is whole"
    assert any(altered.collection == collection and why in altered.why for altered in found.altered)


def test_a_history_cut_off_at_its_end_is_found(database: Database, small: SmallWard) -> None:
    """The chain before the cut is whole; the records know of more."""
    assert small.places
    _tamper(database, "DELETE FROM register.change WHERE seq > (SELECT max(seq) - 3 FROM register.change)")
    with database.owner.connect() as connection:
        found = verify(connection)
    assert found.broken_seq is None and len(found.altered) == 3


def test_updates_that_change_nothing_are_no_alteration(database: Database, small: SmallWard) -> None:
    with database.owner.begin() as connection:
        connection.execute(text("UPDATE register.licence SET number = number"))
        assert verify(connection).whole
    assert small.places


def test_the_command_proves_and_names_what_is_wrong(tmp_path: Path) -> None:
    del tmp_path
    root = Path(tempfile.mkdtemp(prefix="mapservice-verify-", dir="/tmp"))
    root.chmod(0o755)
    service = start_service(root / "data", MAPSERVICE_SAMPLE="places")
    try:
        proved = _verify_changes(root / "data")
        assert proved.returncode == 0, proved.stderr
        assert "unbroken" in proved.stdout and "head " in proved.stdout
        from postgis.engine import open_database
        from postgis.settings import DatabaseSettings

        with open_database(DatabaseSettings(data_dir=root / "data", database_url=None)) as database:
            _tamper(database, "UPDATE register.establishment SET name = 'x' WHERE id = 7")
            found = _verify_changes(root / "data")
            assert found.returncode == 1 and "establishments" in found.stderr and "altered" in found.stderr
            _tamper(database, "UPDATE register.change SET reason = 'x' WHERE seq = 9")
            broken = _verify_changes(root / "data")
            assert broken.returncode == 1 and "change 9" in broken.stderr
    finally:
        stop_service(service)
        subprocess.run(["rm", "-rf", str(root)], check=False)


def _verify_changes(data_dir: Path) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "MAPSERVICE_DATA_DIR": str(data_dir)}
    return subprocess.run(
        [sys.executable, "-m", "mapservice.cli", "verify-changes"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
