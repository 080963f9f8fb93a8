"""Jobs of imports, worked off in this process: in whose name, with what in the store, and how they end."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from mapservice import import_work
from mapservice.import_work import work_off
from postgis import tables
from postgis.actor import Actor, prepare_as
from postgis.engine import Database
from postgis.store import imports, imports_ask, imports_decide, imports_queue
from postgis.store import staff as staff_store
from tests import workbook_writers as write
from tests.small_ward import OTHER_WARD, add_staff, fill
from tests.workbook_corpus import FOLDER
from tests.workbook_writers import Grid

HEAD = ["Tên cơ sở", "Địa chỉ kinh doanh", "Điện thoại", "Tình trạng hoạt động", "Ghi chú xyz"]
ROWS = [
    ["Quán Thử 0", "0 Đường Thử", None, "Đang hoạt động", "a"],
    ["Quán Thử 1", "1 Đường Thử", None, "Tạm đóng cửa", None],
    ["Tạp hóa Giả Định", "99 Núi Thành", "0905333444", "Đang hoạt động", None],
]


@pytest.fixture
def officer(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Actor:
    monkeypatch.setattr(database.settings, "data_dir", tmp_path)
    found = add_staff(database, "can-bo", "officer")
    fill(database, found, 3)
    with database.owner.begin() as connection:  # the ward's own batch, of `fill`, is nobody's job here
        connection.execute(text("UPDATE register.import_batch SET state = 'failed'"))
    return found


def _sheet(*rows: list[Any]) -> bytes:
    return write.xlsx(Grid("Danh sách", [HEAD, *rows]))


def _start(database: Database, officer: Actor, data: bytes, name: str = "danh sách.xlsx") -> str:
    with prepare_as(database, officer) as connection:
        secrets = import_work.secrets_of(database)
        return imports.start(connection, officer, file_name=name, data=data, secrets=secrets).code


def _batch(database: Database, officer: Actor, code: str) -> imports.Batch:
    with prepare_as(database, officer) as connection:
        return imports.get(connection, code)


def test_a_file_is_read_into_a_plan(database: Database, officer: Actor) -> None:
    code = _start(database, officer, _sheet(*ROWS))
    assert work_off(database) == 1
    batch = _batch(database, officer, code)
    assert (batch.state, batch.job, batch.error) == ("planned", None, None)
    counts = dict(batch.counts)
    assert counts.pop("rows_read") == sum(counts.values()) == 4
    assert (counts["new"] + counts["doubtful"], counts["changed"], counts["same"], counts["skipped"]) == (1, 1, 1, 1)
    assert batch.summary is not None and {"sheets", "columns", "notes"} <= set(batch.summary)
    with prepare_as(database, officer) as connection:
        rows = imports.rows(connection, code)
        assert [row.row for row in rows] == [1, 2, 3, 4]
        opened = imports.unseal(import_work.secrets_of(database), batch, rows[3])
        assert "0905333444" in opened["cells"].values() and "0905333444" in opened["personal"].values()
        assert imports.progress(connection, code) is not None
        kept = connection.execute(select(func.jsonb_agg(func.to_jsonb(tables.import_row.table_valued())))).scalar_one()
    assert "0905333444" not in str(kept) and "0905333444" not in str(batch.summary)


def test_nothing_of_the_register_is_changed_by_reading(database: Database, officer: Actor) -> None:
    with database.owner.connect() as connection:
        before = connection.execute(text("SELECT max(seq) FROM register.change")).scalar_one()
    _start(database, officer, _sheet(*ROWS))
    work_off(database)
    with database.owner.connect() as connection:
        assert connection.execute(text("SELECT max(seq) FROM register.change")).scalar_one() == before


def test_a_second_reading_keeps_what_was_decided(database: Database, officer: Actor) -> None:
    code = _start(database, officer, _sheet(*ROWS))
    work_off(database)
    with prepare_as(database, officer) as connection:
        imports_decide.decide(connection, code, 3, "leave")
        batch = imports_decide.choose(connection, code, {"columns": {"Danh sách": {"ghi chu xyz": None}}})
        assert batch.state == "reading"
    work_off(database)
    with prepare_as(database, officer) as connection:
        assert imports.get(connection, code).state == "planned"
        assert [row.decision for row in imports.rows(connection, code)] == [None, None, "leave", None]


@pytest.mark.parametrize(
    ("name", "code"), [("zip_bomb.xlsx", "zip_bomb"), ("truncated.xlsx", "truncated"), ("map.dwg", "cad")]
)
def test_a_refused_file_says_why(database: Database, officer: Actor, name: str, code: str) -> None:
    batch = _start(database, officer, (FOLDER / name).read_bytes(), name)
    work_off(database)
    found = _batch(database, officer, batch)
    assert found.state == "failed" and found.error is not None and found.error["code"] == code
    with prepare_as(database, officer) as connection:
        assert imports.rows(connection, batch) == []


def test_a_cancelled_reading_can_be_begun_again(database: Database, officer: Actor) -> None:
    code = _start(database, officer, _sheet(*ROWS))
    with prepare_as(database, officer) as connection:
        imports_ask.ask_cancel(connection, code)
    work_off(database)
    batch = _batch(database, officer, code)
    assert (batch.state, batch.error) == ("failed", {"code": "cancelled", "values": {}})
    with prepare_as(database, officer) as connection:
        assert imports.rows(connection, code) == []
        imports_decide.choose(connection, code, batch.choices)
    work_off(database)
    assert _batch(database, officer, code).state == "planned"


@pytest.mark.parametrize("since", ["disabled", "demoted"])
def test_who_may_no_longer_do_it_does_nothing(database: Database, officer: Actor, since: str) -> None:
    code = _start(database, officer, _sheet(*ROWS))
    with database.owner.begin() as connection:
        if since == "disabled":
            staff_store.disable(connection, officer.staff_id)
        else:
            connection.execute(tables.staff.update().values(role="surveyor"))
    work_off(database)
    with database.owner.connect() as connection:
        batch = imports.get(connection, code)
        assert (batch.state, batch.job, batch.error) == ("failed", None, {"code": "not_allowed", "values": {}})
        assert imports.rows(connection, code) == []


def test_a_job_of_another_ward_reads_that_ward(database: Database, officer: Actor) -> None:
    stranger = add_staff(database, "phuong-khac", "officer", OTHER_WARD)
    own, other = _start(database, officer, _sheet(*ROWS)), _start(database, stranger, _sheet(*ROWS))
    assert work_off(database) == 2
    assert _batch(database, officer, own).counts["same"] == 1
    assert _batch(database, stranger, other).counts["same"] == 0, "the places of another ward are not known here"
    with prepare_as(database, stranger) as connection, pytest.raises(imports.NotFound):
        imports.get(connection, own)


def test_a_job_that_keeps_dying_is_given_up(database: Database, officer: Actor) -> None:
    code = _start(database, officer, _sheet(*ROWS))
    with imports_queue.beside(database) as side:
        for attempt in range(imports_queue.MOST_ATTEMPTS):
            job = imports_queue.next_job(side)
            assert job is not None and job.attempts == attempt
            imports_queue.begin(side, job)
    work_off(database)
    batch = _batch(database, officer, code)
    assert batch.state == "failed" and batch.error == {"code": "interrupted", "values": {"attempts": 3}}


def test_too_little_memory_is_said(database: Database, officer: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setitem(import_work._DO, "read", full)
    code = _start(database, officer, _sheet(*ROWS))
    work_off(database)
    batch = _batch(database, officer, code)
    assert batch.error == {"code": "too_large_here", "values": {}}


def test_a_fault_of_ours_is_said_without_its_words(
    database: Database, officer: Actor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("0905333444")

    monkeypatch.setitem(import_work._DO, "read", broken)
    code = _start(database, officer, _sheet(*ROWS))
    work_off(database)
    batch = _batch(database, officer, code)
    assert batch.state == "failed" and batch.error == {"code": "internal", "values": {}}
    assert "0905333444" not in caplog.text and "RuntimeError" in str([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize(
    ("state", "days", "emptied"),
    [("failed", 91, True), ("failed", 89, False), ("planned", 91, True), ("applied", 91, True), ("reading", 91, False)],
)
def test_what_the_sender_wrote_is_forgotten_after_ninety_days(
    database: Database, officer: Actor, state: str, days: int, emptied: bool
) -> None:
    code = _start(database, officer, _sheet(*ROWS))
    work_off(database)
    with database.owner.begin() as connection:
        connection.execute(
            text("UPDATE register.import_batch SET created_at = now() - make_interval(days => :days), state = :state, "
                 "applied_at = now() - make_interval(days => :days), applied_by = :by WHERE code = :code"),
            {"days": days, "state": state, "code": code, "by": officer.staff_id},
        )  # fmt: skip
        connection.execute(
            text("INSERT INTO register.import_kept_datum SELECT id, 'LE2222222A', field, was, was, mask, '\\x01' "
                 "FROM register.import_batch, (VALUES ('owner_phone', '\\x02'::bytea, '09*****222'), "
                 "('owner_name', NULL, NULL)) k (field, was, mask) WHERE code = :code"),
            {"code": code},
        )  # fmt: skip
    with imports_queue.beside(database) as side:
        assert imports_queue.forget_old(side) == (1 if emptied else 0)
        assert imports_queue.forget_old(side) == 0
    batch = _batch(database, officer, code)
    assert batch.has_file is not emptied
    with database.owner.connect() as connection:
        kept = select(tables.import_kept_datum.c.field).where(tables.import_kept_datum.c.entity_code == "LE2222222A")
        kept = kept.join(tables.import_batch).where(tables.import_batch.c.code == code)
        fields = set(connection.execute(kept).scalars())
    assert fields == ({"owner_name"} if emptied else {"owner_name", "owner_phone"}), "that there was none may be known"
    with prepare_as(database, officer) as connection:
        rows = imports.rows(connection, code)
        assert len(rows) == 4 and all((row.sealed is None) is emptied for row in rows)
        assert imports.unseal(import_work.secrets_of(database), batch, replace(rows[3], sealed=None))["cells"] == {}
    if state == "planned":
        assert batch.state == "failed" and batch.error == {"code": "expired", "values": {}}
