"""A batch is applied whole or not at all, by the rules of single writes, and nothing is overwritten silently."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database
from postgis.errors import NotFound, NotNow
from postgis.store import personal_data, records
from postgis.store.changes import verify
from postgis.store.imports_apply import Applied, Cancelled, apply
from postgis.store.imports_foresee import Foresight
from postgis.store.imports_wanted import CHUNK
from tests.import_batches import (
    SECRETS,
    add_batch,
    change,
    inspection,
    licence,
    new_entity,
    new_place,
    point,
    record,
    results,
    row,
)
from tests.small_ward import OTHER_WARD, WARD, SmallWard, add_staff, fill


@pytest.fixture
def officer(database: Database) -> Actor:
    return add_staff(database, "officer", "officer")


@pytest.fixture
def small(database: Database, officer: Actor) -> Iterator[SmallWard]:
    yield fill(database, officer, 3)


def _count(database: Database, table: str, where: str = "true") -> int:
    with database.owner.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM register.{table} WHERE {where}")).scalar_one())


def _one(database: Database, statement: str, **values: Any) -> Any:
    with database.owner.connect() as connection:
        return connection.execute(text(statement), values).scalar_one()


def _get(database: Database, actor: Actor, collection: str, code: str) -> records.Record:
    with read_as(database, actor) as connection:
        return records.get(connection, collection, code)


def _whole(database: Database) -> None:
    with database.owner.connect() as connection:
        found = verify(connection)
    assert found.whole, found


def test_a_new_place_with_everything(database: Database, officer: Actor) -> None:
    personal = {"owner_phone": "0905123456", "owner_name": "Nguyễn Thị Thử", "household_tax_code": "048300000017"}
    wishes = [
        new_entity(1, registered_on="2024-05-06"), new_place(WARD, 1), licence(expires_on="2030-01-01"), inspection(),
        record("food_safety_records", kind="commitment", checked_on="2026-01-02"),
        record("payment_acceptances", method="momo", accepted=True, evidence_level="declared", checked_on="2026-01-02"),
        record("digital_uses", kind="e_invoice", used=True, checked_on="2026-01-02"),
    ]  # fmt: skip
    code = add_batch(database, officer, [row(wishes, personal=personal), row([new_place(WARD, 2)], verdict="wrong")])
    before = _one(database, "SELECT max(seq) FROM register.change")
    found = apply(database, SECRETS, officer, code)
    assert found.outcomes == {"applied": 1, "left": 1}
    (outcome, values), _ = results(database, code)
    assert outcome == "applied"
    place = _get(database, officer, "establishments", values["code"])
    assert place.values["name"] == "Quán Nhập 1" and place.values["verified_on"] is None
    assert place.values["sector_group"] == "other" and place.values["source"] == "import"
    assert (found.first_seq, found.last_seq) == (before + 1, before + 10)
    assert _one(database, "SELECT count(DISTINCT reason) FROM register.change WHERE seq > :before", before=before) == 1
    said = _one(database, "SELECT reason || '|' || source || '|' || actor_name FROM register.change WHERE seq = :s",
                s=found.first_seq)  # fmt: skip
    assert said == f"danh sách của chợ [{code}]|import|officer officer"
    with read_as(database, officer) as connection:
        entity = str(place.values["legal_entity"])
        assert records.get(connection, "legal_entities", entity).values["registered_on"] == "2024-05-06"
        kept = {each.field: each.mask for each in personal_data.masked(connection, entity)}
        assert set(kept) == set(personal) and kept["owner_phone"] == "09*****456"
        assert personal_data.find_by_identifier(connection, SECRETS, "0905 123 456") == [entity]
    with write_as(database, officer, reason=None) as connection:
        shown = personal_data.reveal(connection, SECRETS, officer, entity, "owner_name", "kiểm tra")
        assert shown == "Nguyễn Thị Thử"
    with database.public.connect() as connection:
        shown = connection.execute(
            text("SELECT accepts_cashless, licence_status, food_safety_status, last_inspection_result "
                 "FROM published.establishments WHERE code = :code"), {"code": place.code},
        ).one()  # fmt: skip
        assert tuple(shown) == ("yes", "valid", "committed", "pass")
    with database.owner.connect() as connection:
        history = "".join(
            connection.execute(text("SELECT CAST(row_to_json(c) AS text) FROM register.change c")).scalars()
        )
    assert not any(value in history for value in personal.values())
    _whole(database)


def test_applied_twice_changes_nothing(database: Database, officer: Actor) -> None:
    rows = [row([new_place(WARD, 1)]), row([new_place(WARD, 2, name=None)])]
    codes = [add_batch(database, officer, rows) for _ in range(2)]
    first = apply(database, SECRETS, officer, codes[0])
    changes = _count(database, "change")
    assert apply(database, SECRETS, officer, codes[0]) == first
    assert _count(database, "change") == changes
    # The same file, planned before the first was applied: even a place without a name is known by its row.
    again = apply(database, SECRETS, officer, codes[1])
    assert again.outcomes == {"same": 2} and (again.first_seq, again.last_seq) == (None, None)
    assert results(database, codes[1])[1][1]["code"] == results(database, codes[0])[1][1]["code"]
    assert _count(database, "change") == changes
    # Another file that names the same place.
    other = add_batch(database, officer, rows[:1], sha256=b"\x02")
    assert apply(database, SECRETS, officer, other).outcomes == {"conflict": 1}
    assert _count(database, "change") == changes


def test_changes_conflicts_and_what_holds_already(database: Database, officer: Actor, small: SmallWard) -> None:
    one, two, three = small.places
    entity, theirs = small.entities[0], small.codes["licences"]
    rows = [
        row([change("establishments", one, {"name": "Quán Thử 0"}, {"name": "Quán Đổi"}),
             change("legal_entities", entity, {}, {}), licence(number="MỚI-1", checked_on="2026-03-04")],
            target=one, personal={"owner_email": "a@b.vn"}),
        row([change("establishments", two, {"name": "Quán Khác"}, {"name": "Quán Đổi 2"}),
             change("licences", theirs[1], {"number": None}, {"number": "X"})], target=two),
        row([change("establishments", three, {"name": "Quán Thử 2"}, {"name": "Quán Thử 2"})], target=three),
        row([change("establishments", one, {"name": "Quán Thử 0"}, {"name": "Quán Đổi Nữa"})], target=one),
        row([change("licences", theirs[2], {"number": None}, {"number": "Y"})], target=three),
        row([change("licences", theirs[2], {"number": "Y"}, {"issuer": "Ủy ban"})], target=three),
    ]  # fmt: skip
    code = add_batch(database, officer, rows)
    apply(database, SECRETS, officer, code)
    found = results(database, code)
    assert [outcome for outcome, _ in found] == ["applied", "conflict", "same", "conflict", "applied", "applied"]
    assert found[1][1]["conflicts"][0] == {
        "why": "edited", "collection": "establishments", "code": two, "field": "name", "before": "Quán Khác",
        "current": "Quán Thử 1", "wanted": "Quán Đổi 2",
    }  # fmt: skip
    assert _get(database, officer, "establishments", one).values["name"] == "Quán Đổi"
    assert _get(database, officer, "licences", theirs[1]).values["number"] is None, "a row goes in whole or not at all"
    assert _get(database, officer, "licences", theirs[2]).values["issuer"] == "Ủy ban"
    assert _count(database, "licence", "number = 'MỚI-1'") == 1
    assert _count(database, "personal_datum", "field = 'owner_email'") == 1
    again = add_batch(database, officer, rows[:1], sha256=b"\x02")
    apply(database, SECRETS, officer, again)
    assert results(database, again)[0][0] == "same", "the licence is there already"
    _whole(database)


@pytest.mark.parametrize("foreseen", [True, False])
def test_what_is_refused_leaves_out_only_its_row(
    database: Database, officer: Actor, foreseen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not foreseen:
        monkeypatch.setattr(Foresight, "refuse", lambda _self, _rows: [])
    far = {"type": "Point", "coordinates": [105.85, 21.03]}
    rows = [row([new_entity(number), new_place(WARD, number), licence()]) for number in range(1, 21)]
    rows[3] = row([new_entity(4), new_place(WARD, 4, geometry=far), licence()])
    rows[7] = row([new_entity(8), new_place(WARD, 8), licence(issued_on="2026-02-02", expires_on="2026-01-01")])
    rows[9] = row([new_entity(10), new_place(WARD, 10, position_method=None)])
    rows[11] = row([new_place(WARD, 12, sector_scheme="VSIC2025", sector_code="0000")])
    rows[13] = row([new_entity(14), new_place(WARD, 14)], personal={"owner_phone": "không phải số"})
    code = add_batch(database, officer, rows)
    assert apply(database, SECRETS, officer, code).outcomes == {"applied": 15, "refused": 5}
    said = {number: values["errors"][0] for number, (outcome, values) in enumerate(results(database, code))
            if outcome == "refused"}  # fmt: skip
    assert {number: (error["field"], error["code"]) for number, error in said.items()} == {
        3: ("geometry", "outside_ward"), 7: ("expires_on", "before"), 9: ("position_method", "required"),
        11: ("sector_code", "not_in_scheme"), 13: ("owner_phone", "not_a_phone"),
    }  # fmt: skip
    assert "không phải số" not in str(results(database, code))
    assert _count(database, "establishment") == 15 and _count(database, "legal_entity") == 15
    assert _count(database, "licence") == 15
    _whole(database)


def test_what_may_harm_is_proposed_to_a_second_person(database: Database, officer: Actor, small: SmallWard) -> None:
    held = small.codes["licences"][0]
    rows = [
        row([new_place(WARD, 1), inspection(result="fail"), licence()]),
        row([change("legal_entities", small.entities[0], {"registry_status": "unknown"},
                    {"registry_status": "revoked"})], target=small.places[0]),
        row([new_entity(3, registry_status="not_at_address"), new_place(WARD, 3)]),
        row([record("food_safety_records", kind="missing", checked_on="2026-06-01")], target=small.places[1]),
        row([change("licences", held, {"number": None}, {"number": "41"})], target=small.places[2]),
    ]  # fmt: skip
    code = add_batch(database, officer, rows)
    assert apply(database, SECRETS, officer, code).outcomes == {"proposed": 4, "applied": 1}
    found = results(database, code)
    assert _count(database, "inspection", "result = 'fail'") == 0
    assert _count(database, "legal_entity", "registry_status <> 'unknown'") == 0
    assert _count(database, "food_safety_record", "kind = 'missing'") == 0
    with database.owner.connect() as connection:
        waiting = {
            each.receipt: each
            for each in connection.execute(text("SELECT * FROM register.proposal WHERE source = 'import'"))
        }
    assert set(waiting) == {receipt for _, values in found for receipt in values.get("receipts", ())}
    first = waiting[found[0][1]["receipts"][0]]
    assert (first.collection, first.risk, first.proposer_kind, first.state) == (
        "inspections",
        "adverse",
        "import",
        "pending",
    )
    assert first.patch["establishment"] == found[0][1]["code"] and first.base is None
    assert code in first.reason
    third = waiting[found[2][1]["receipts"][0]]
    assert (third.patch, third.base_version) == ({"registry_status": "not_at_address"}, 1)
    # Sent again and planned again, nothing is proposed twice.
    again = add_batch(database, officer, rows[1:2], sha256=b"\x02")
    apply(database, SECRETS, officer, again)
    assert results(database, again)[0][1] == {"waiting": found[1][1]["receipts"]}
    assert _count(database, "proposal", "source = 'import'") == 4


def test_decided_rows_and_same_owners(database: Database, officer: Actor, small: SmallWard) -> None:
    place = small.places[0]
    both = {"new": [new_place(WARD, 1)], "update": {place: [change("establishments", place, {}, {"stall": "12"})]}}
    doubtful: dict[str, Any] = {"ways": both, "verdict": "doubtful", "place_code": place}
    owner = {**new_entity(9, tax_code="0100109106", legal_form="enterprise")}
    rows = [
        row(**doubtful), row(**doubtful, decision="new"), row(**doubtful, decision="update", target_code=place),
        row(**doubtful, decision="leave"), row(**doubtful, decision="update", target_code=small.places[1]),
        row([new_place(WARD, 6)], decision="leave"),
        row([owner, new_place(WARD, 7)], personal={"owner_phone": "0905123456"}),
        row([{**owner, "same_as": 7}, new_place(WARD, 8)], personal={"owner_phone": "0905999999"}),
    ]  # fmt: skip
    code = add_batch(database, officer, rows)
    apply(database, SECRETS, officer, code)
    found = results(database, code)
    assert [outcome for outcome, _ in found] == [
        "left", "applied", "applied", "left", "refused", "left", "applied", "applied"
    ]  # fmt: skip
    assert _get(database, officer, "establishments", place).values["stall"] == "12"
    assert _count(database, "legal_entity", "tax_code = '0100109106'") == 1
    owners = {
        _get(database, officer, "establishments", values["code"]).values["legal_entity"] for _, values in found[6:]
    }
    assert len(owners) == 1 and found[7][1]["unwritten"] == ["owner_phone"]


def test_others_neither_see_nor_apply_it(database: Database, officer: Actor) -> None:
    code = add_batch(database, officer, [row([new_place(WARD, 1)])])
    for stranger in (add_staff(database, "khac", "admin", OTHER_WARD), add_staff(database, "khao.sat", "surveyor")):
        with pytest.raises(NotFound):
            apply(database, SECRETS, stranger, code)
    waiting = add_batch(database, officer, [row([new_place(WARD, 1)])])
    with database.owner.begin() as connection:
        connection.execute(text("UPDATE register.import_batch SET state = 'planned', job = NULL, job_by = NULL "
                                "WHERE code = :code"), {"code": waiting})  # fmt: skip
    with pytest.raises(NotNow):
        apply(database, SECRETS, officer, waiting)
    assert _count(database, "establishment") == 0


def test_cancelled_it_leaves_nothing(database: Database, officer: Actor) -> None:
    code = add_batch(database, officer, [row([new_place(WARD, number)]) for number in range(4_100)])
    asked: list[str] = []

    def cancelled() -> bool:
        return asked.count("writing") >= 2

    with pytest.raises(Cancelled):
        apply(database, SECRETS, officer, code, progress=lambda step, *_: asked.append(step), cancelled=cancelled)
    assert asked.count("matching") == 3 and asked.count("writing") == 2
    assert _count(database, "establishment") == _count(database, "change", "collection <> 'accounts'") == 0
    assert {outcome for outcome, _ in results(database, code)} == {None}
    assert apply(database, SECRETS, officer, code).outcomes == {"applied": 4_100}


@pytest.mark.parametrize("edit", ["name", "phone", "end", "twin"])
def test_what_somebody_edits_meanwhile_is_not_overwritten(
    database: Database, officer: Actor, small: SmallWard, edit: str
) -> None:
    place, entity = small.places[1], small.entities[1]
    rows = [
        row([change("establishments", place, {"name": "Quán Thử 1"}, {"name": "Từ tệp"})], target=place,
            personal={"owner_phone": "0905111111"},
            changes=[{"collection": "legal_entities", "field": "owner_phone", "before": None, "after": "09*****111"}]),
        row([new_place(WARD, 1)]), row([new_place(WARD, 2)]),
    ]  # fmt: skip
    code = add_batch(database, officer, rows)
    with write_as(database, officer, reason="sửa tay") as connection:
        thread = threading.Thread(target=apply, args=(database, SECRETS, officer, code))
        thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 20257002"
        deadline = time.monotonic() + 30
        while not _one(database, waiting):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        # It has judged its rows and waits for its turn.
        record_now = records.get(connection, "establishments", place)
        if edit == "name":
            records.change(connection, "establishments", place, record_now.version, {"name": "Sửa Tay"})
        elif edit == "phone":
            personal_data.keep(connection, SECRETS, entity, "owner_phone", "0905222222")
        elif edit == "end":
            connection.execute(text("UPDATE register.warning SET lifted_on = current_date"))
            records.end(connection, "establishments", place, record_now.version, "trùng")
        else:
            made = {**new_place(WARD, 2)["values"], "sector_group": "other"}
            records.create(connection, "establishments", made, ward_id=officer.ward_id)
    thread.join(30)
    found = [outcome for outcome, _ in results(database, code)]
    if edit == "twin":
        assert found == ["applied", "applied", "conflict"]
    else:
        assert found == ["conflict", "applied", "applied"]
        assert _get(database, officer, "establishments", place).values["name"] != "Từ tệp"
    _whole(database)


def test_an_edit_waits_for_the_batch_and_comes_after_it(database: Database, officer: Actor, small: SmallWard) -> None:
    code = add_batch(database, officer, [row([new_place(WARD, number)]) for number in range(3_000)])
    writing = threading.Event()

    def progress(step: str, done: int, _total: int | None) -> None:
        if step == "writing" and done:
            writing.set()

    thread = threading.Thread(target=apply, args=(database, SECRETS, officer, code), kwargs={"progress": progress})
    thread.start()
    assert writing.wait(60)
    with write_as(database, officer, reason="sửa tay") as connection:
        found = records.get(connection, "establishments", small.places[0])
        records.change(connection, "establishments", found.code, found.version, {"name": "Sau Lô Nhập"})
    thread.join(60)
    batch = _batch(database, officer, code)
    said = _one(database, "SELECT seq FROM register.change ORDER BY seq DESC LIMIT 1")
    assert said == (batch.last_seq or 0) + 1
    assert (batch.last_seq or 0) - (batch.first_seq or 0) == 2_999
    _whole(database)


def _batch(database: Database, actor: Actor, code: str) -> Applied:
    return apply(database, SECRETS, actor, code)


def test_the_point_of_a_place_is_kept_and_its_group_found(database: Database, officer: Actor) -> None:
    with database.owner.begin() as connection:
        connection.execute(
            text("INSERT INTO register.residential_group (code, ward_id, number, name, geom) SELECT '20257-001', "
                 ":ward, 1, 'Tổ 1', ST_Multi(ST_Buffer(ST_SetSRID(ST_GeomFromGeoJSON(:point), 4326), 0.001))"),
            {"ward": officer.ward_id, "point": str(point(WARD)).replace("'", '"')},
        )  # fmt: skip
    code = add_batch(database, officer, [row([new_place(WARD, 1)])])
    apply(database, SECRETS, officer, code)
    place = results(database, code)[0][1]["code"]
    assert _get(database, officer, "establishments", place).values["geometry"] == point(WARD, 1)
    found = "SELECT residential_group FROM published.establishments WHERE code = :code"
    assert _one(database, found, code=place) == "20257-001"


_CHILD = """
import sys
from pathlib import Path
from postgis.actor import Actor
from postgis.engine import open_database
from postgis.settings import DatabaseSettings
from postgis.store.imports_apply import apply
from tests.import_batches import SECRETS

folder, name, staff, ward, code = sys.argv[1:]
with open_database(DatabaseSettings(data_dir=Path(folder), database_url=None), prepare=False) as server:
    database = server.named(name)
    print("begun", flush=True)
    apply(database, SECRETS, Actor(int(staff), "officer", "officer", "officer", int(ward), "20257"), code)
"""


def test_killed_at_any_moment_it_is_wholly_there_or_not_at_all(database: Database, officer: Actor) -> None:
    """`kill -9` at twenty moments, from the start to after the end of the work; then it is done once more."""
    rows = [row([new_entity(number), new_place(WARD, number), licence()], personal=_PHONE) for number in range(800)]
    rng = random.Random(20257)
    began = time.monotonic()
    _child(database, officer, add_batch(database, officer, rows, sha256=b"whole")).wait(120)
    whole = time.monotonic() - began
    killed = 0
    for number in range(20):
        code = add_batch(database, officer, _renamed(rows, number), sha256=number.to_bytes(2))
        before = _figures(database)
        child = _child(database, officer, code)
        assert child.stdout is not None and child.stdout.readline() == b"begun\n"
        time.sleep(rng.uniform(0, whole))
        child.kill()
        killed += child.wait(60) == -signal.SIGKILL
        after = _settled(database)
        assert after in (before, _applied(before, 800)), (number, before, after)
        assert {outcome for outcome, _ in results(database, code)} == ({None} if after == before else {"applied"})
        assert apply(database, SECRETS, officer, code).outcomes == {"applied": 800}
        assert _figures(database) == _applied(before, 800)
    assert killed >= 5, "or this has tried nothing"
    _whole(database)


_PHONE = {"owner_phone": "0905123456"}


def _renamed(rows: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    return [
        row([{**wish, "values": {**wish["values"], "name": f"{wish['values']['name']} lô {number}"}}
             if wish["collection"] == "establishments" else wish for wish in each["wishes"]["new"]], personal=_PHONE)
        for each in rows
    ]  # fmt: skip


def test_a_large_batch_is_counted_while_it_is_written(database: Database, officer: Actor) -> None:
    """Else the planner believes in the few rows that were there before, and joins each new row with each."""
    rows = [row([new_place(WARD, number), inspection()]) for number in range(CHUNK + 1)]
    assert set(apply(database, SECRETS, officer, add_batch(database, officer, rows)).outcomes) == {"applied"}
    counted = "SELECT reltuples FROM pg_class WHERE oid = 'register.{}'::regclass"
    for table in ("establishment", "establishment_fact", "inspection"):
        assert _one(database, counted.format(table)) >= CHUNK
    fraction = "SELECT most_common_freqs[1] FROM pg_stats WHERE tablename = 'establishment' AND attname = 'ward_id'"
    assert _one(database, fraction) == 1, "that a ward has nearly all of the places is known too"


def _child(database: Database, officer: Actor, code: str) -> "subprocess.Popen[bytes]":
    arguments = [str(database.settings.data_dir), database.name, str(officer.staff_id), str(officer.ward_id), code]
    root = Path(__file__).parent.parent
    return subprocess.Popen([sys.executable, "-c", _CHILD, *arguments], stdout=subprocess.PIPE, cwd=root)


_Figures = tuple[int, int, int, int, int]


def _figures(database: Database) -> _Figures:
    tables = ("establishment", "legal_entity", "licence", "personal_datum", "change")
    found = [_count(database, table) for table in tables]
    return (found[0], found[1], found[2], found[3], found[4])


def _applied(before: _Figures, rows: int) -> _Figures:
    return (before[0] + rows, before[1] + rows, before[2] + rows, before[3] + rows, before[4] + 4 * rows)


def _settled(database: Database) -> _Figures:
    """When the killed one's transaction has come to its end: its server process may still be at work."""
    busy = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 20257004"
    deadline = time.monotonic() + 60
    while _one(database, busy):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return _figures(database)
