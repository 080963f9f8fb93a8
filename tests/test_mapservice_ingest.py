"""`mapservice ingest`: what it prints, what it refuses, and that it writes nothing."""

import json
import signal
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from ingest.identity import Identities
from layers.register_places import register_of
from mapservice import import_work, ingest_apply, ingest_command, passwords
from mapservice.cli import main
from postgis import tables
from postgis.actor import prepare_as, write_as
from postgis.engine import Database
from postgis.secrets import open_secrets
from postgis.store import imports, personal_data, staff
from tests import workbook_writers as write
from tests.small_ward import WARD, add_staff, fill
from tests.workbook_corpus import FOLDER
from tests.workbook_writers import Grid

Run = Callable[..., tuple[int, str, str]]
SIX = ("new", "changed", "same", "doubtful", "wrong", "skipped")


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    for module in (ingest_command, ingest_apply):
        monkeypatch.setattr(module, "open_database", lambda _store: nullcontext(database))
    monkeypatch.setattr(database.settings, "data_dir", tmp_path)
    monkeypatch.setenv("MAPSERVICE_DATA_DIR", str(tmp_path))

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main(["ingest", *map(str, arguments)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def _file(folder: Path, *rows: list[Any]) -> Path:
    head = ["Tên cơ sở", "Địa chỉ kinh doanh", "Điện thoại", "Mã số thuế", "Tình trạng hoạt động", "Ghi chú nội bộ xyz"]
    path = folder / "danh_sach.xlsx"
    path.write_bytes(write.xlsx(Grid("Danh sách", [head, *rows])))
    return path


@pytest.mark.parametrize("name", ["plain.xlsx", "groups_nested.xlsx", "tcvn3_bytes.csv", "points.gpkg", "totals.ods"])
def test_one_object_whose_counts_add_up(run: Run, name: str) -> None:
    code, out, err = run(FOLDER / name, "--ward", WARD, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert out.count("\n") == 1
    assert sum(found[verdict] for verdict in SIX) == found["rows_read"] > 0
    assert sum(sheet["rows_read"] for sheet in found["sheets"]) == found["rows_read"]
    assert {"sheet", "header", "field", "confidence"} <= set(found["columns"][0])
    assert "name" in {column["field"] for column in found["columns"]}
    for problem in found["problems"]:
        assert {"sheet", "row", "column", "code", "message"} <= set(problem)
        assert problem["message"] and "{" not in problem["message"]


def test_rows_are_compared_with_the_register_and_nothing_is_written(
    run: Run, database: Database, tmp_path: Path
) -> None:
    officer = add_staff(database, "can-bo", "officer")
    small = fill(database, officer, 4)
    secrets = open_secrets(tmp_path)
    with write_as(database, officer, reason="a number", source="office") as connection:
        personal_data.keep(connection, secrets, small.entities[1], "owner_phone", "0905111222")
    before = _state(database)
    path = _file(
        tmp_path,
        ["Quán Thử 0", "0 Đường Thử", None, None, "Đang hoạt động", "a"],
        ["Quán Thử 1", "1 Đường Thử", "0905.111.222", None, "Tạm đóng cửa", None],
        ["Tạp hóa Giả Định", "99 Núi Thành", "0905333444", "048203001234", "Đang hoạt động", None],
        ["Tạp hóa Giả Định", "99 Núi Thành", "0905333444", "048203001234", "Đang hoạt động", None],
    )
    code, out, err = run(path, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    counts = {verdict: found[verdict] for verdict in SIX}
    assert counts == {"new": 1, "changed": 1, "same": 1, "doubtful": 1, "wrong": 0, "skipped": 1}, found["problems"]
    assert {column["header"]: column["field"] for column in found["columns"]}["Địa chỉ kinh doanh"] == "address"
    assert _state(database) == before
    for secret in ("048203001234", "48203001234", "0905"):
        assert secret not in out


def test_the_register_is_read_with_hashes_and_no_numbers(database: Database, tmp_path: Path) -> None:
    officer = add_staff(database, "can-bo", "officer")
    small = fill(database, officer, 2)
    secrets = open_secrets(tmp_path)
    with write_as(database, officer, reason="a number", source="office") as connection:
        personal_data.keep(connection, secrets, small.entities[1], "personal_id", "048203001234")
    with database.owner.connect() as connection:
        places = {place.code: place for place in register_of(connection, WARD).places}
        assert list(register_of(connection, "1").places) == []
    assert set(places) == set(small.places)
    place = places[small.places[1]]
    assert place.entity_values["registered_name"] == "Hộ kinh doanh Thử 1"
    assert {collection: len(found) for collection, found in place.records.items()} == {
        "licences": 1, "food_safety_records": 1, "inspections": 1, "payment_acceptances": 1, "digital_uses": 1,
    }  # fmt: skip
    assert place.records["payment_acceptances"][0]["method"] == "vietqr"
    assert all(record["code"] for found in place.records.values() for record in found)
    assert "048203001234" not in repr(place)
    identities = Identities(secrets)
    identities.learn(place)
    assert identities.tax_mark(place) == f"entity {small.entities[1]}"


def test_people_read_vietnamese(run: Run) -> None:
    code, out, _ = run(FOLDER / "dates.xlsx")
    assert code == 0
    assert "Chạy thử dates.xlsx" in out
    assert "Có lỗi: 1" in out
    assert "Ngày không có thật" in out
    assert "Mã số thuế" in out


def test_what_was_decoded_and_what_was_unusual_is_said(run: Run) -> None:
    code, out, _ = run(FOLDER / "tcvn3.xlsx", "--json")
    assert code == 0
    assert ["tcvn3"] in [column["encodings"] for column in json.loads(out)["columns"]]
    assert "đã chuyển từ TCVN3" in run(FOLDER / "tcvn3.xlsx")[1]
    _, out, _ = run(FOLDER / "really_csv.xlsx", "--json")
    (note,) = json.loads(out)["notes"]
    assert note["code"] == "other_ending"
    assert "csv" in note["message"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["zip_bomb.xlsx"], "Tệp nén"),
        (["truncated.xlsx"], "cắt cụt"),
        (["map.dwg"], "DWG"),
        (["there_is_none.xlsx"], "không mở được tệp"),
        (["zip_bomb.xlsx", "--apply"], "Tệp nén"),
        (["there_is_none.xlsx", "--apply"], "không mở được tệp"),
        (["plain.xlsx", "--apply", "--ward", "1"], "không biết phường 1"),
        (["--undo", "IM00000000"], "không có lô nhập"),
        (["plain.xlsx", "--ward", "1"], "không biết phường 1"),
    ],
)
def test_what_is_refused_says_why_on_standard_error(run: Run, arguments: list[str], reason: str) -> None:
    named = [FOLDER / arguments[0], *arguments[1:]] if arguments[0] != "--undo" else arguments
    code, out, err = run(*named)
    assert (code, out) == (1, "")
    assert reason in err


def test_dry_run_and_apply_exclude_one_another(run: Run) -> None:
    with pytest.raises(SystemExit) as left:
        run(FOLDER / "plain.xlsx", "--apply", "--dry-run")
    assert left.value.code == 2


def test_applied_once_and_the_history_names_the_command(run: Run, database: Database, tmp_path: Path) -> None:
    fill(database, add_staff(database, "can-bo", "officer"), 4)
    path = _file(
        tmp_path,
        ["Quán Thử 1", "1 Đường Thử", None, None, "Tạm đóng cửa", None],
        ["Tạp hóa Giả Định", "99 Núi Thành", None, None, "Đang hoạt động", None],
        ["Tạp hóa Giả Định", "99 Núi Thành", None, None, "Đang hoạt động", None],
    )
    before = _state(database)
    code, out, err = run(path, "--apply", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert sum(found[verdict] for verdict in SIX) == found["rows_read"] == 4
    assert (found["state"], found["unchanged"], found["outcomes"]["applied"]) == ("applied", False, 2), found
    assert found["outcomes"]["left"] == 1, "the twin, which waits for a person, and not the head of the table"
    assert {"sheet", "row", "column", "code", "message"} <= set(found["problems"][0])
    after = _state(database)
    assert after[0] == before[0] + 1
    with database.owner.connect() as connection:
        change = tables.change.c
        newest = select(change.source, change.reason, tables.staff.c.login)
        newest = newest.join(tables.staff, tables.staff.c.id == change.actor_id)
        newest = newest.where(change.collection == "establishments").order_by(change.seq.desc()).limit(1)
        source, reason, login = connection.execute(newest).one()
    assert (source, login) == ("import", f"mapservice-ingest.{WARD}") and "danh_sach.xlsx" in reason

    code, out, err = run(path, "--apply", "--json")
    assert (code, err) == (0, "")
    again = json.loads(out)
    assert (again["batch"], again["unchanged"], again["rows_read"]) == (found["batch"], True, 4)
    assert _state(database) == after
    assert "không thay đổi gì" in run(path, "--apply")[1]


def test_an_import_is_taken_back_by_its_code(run: Run, database: Database, tmp_path: Path) -> None:
    fill(database, add_staff(database, "can-bo", "officer"), 2)
    path = _file(
        tmp_path,
        ["Quán Thử 1", "1 Đường Thử", None, None, "Tạm đóng cửa", None],
        ["Tạp hóa Giả Định", "99 Núi Thành", None, None, "Đang hoạt động", None],
    )
    place = select(tables.establishment.c.name, tables.establishment.c.operating_status)
    place = place.where(tables.establishment.c.ended_at.is_(None)).order_by(tables.establishment.c.id)
    with database.owner.connect() as connection:
        before = connection.execute(place).all()
    batch = json.loads(run(path, "--apply", "--json")[1])["batch"]
    with database.owner.connect() as connection:
        assert len(connection.execute(place).all()) == len(before) + 1
    code, out, err = run("--undo", batch.lower(), "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"batch": batch, "state": "undone", "kept": []}
    with database.owner.connect() as connection:
        assert connection.execute(place).all() == before
    code, out, err = run("--undo", batch)
    assert (code, out) == (1, "") and "“Đã hoàn tác”" in err
    assert json.loads(run(path, "--apply", "--json")[1])["unchanged"] is False, "it may be imported again"


def test_nobody_can_sign_in_as_the_command_and_it_can_be_shut(run: Run, database: Database, tmp_path: Path) -> None:
    path = _file(tmp_path, ["Tạp hóa Giả Định", "99 Núi Thành", None, None, "Đang hoạt động", None])
    assert run(path, "--apply")[0] == 0
    with database.owner.begin() as connection:
        member = staff.find(connection, staff.command_login(WARD))
        assert member is not None and (member.role, staff.anybody(connection)) == ("officer", False)
        kept = connection.execute(select(tables.staff.c.password_hash)).scalar_one()
        assert not any(passwords.verify(kept, typed) for typed in ("", "!", kept))
        staff.disable(connection, member.id)
    code, out, err = run(path, "--apply")
    assert (code, out) == (1, "") and "đã bị khóa" in err


def test_a_file_that_a_colleague_works_on_is_left_to_them(run: Run, database: Database, tmp_path: Path) -> None:
    officer = add_staff(database, "can-bo", "officer", display_name="Chị Thử")
    path = _file(tmp_path, ["Tạp hóa Giả Định", "99 Núi Thành", None, None, "Đang hoạt động", None])
    with prepare_as(database, officer) as connection:
        imports.start(
            connection, officer, file_name=path.name, data=path.read_bytes(), secrets=open_secrets(tmp_path)
        )  # fmt: skip
    code, out, err = run(path, "--apply")
    assert (code, out) == (1, "") and "Chị Thử" in err


def test_ctrl_c_leaves_nothing_and_the_next_run_goes_on(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _file(tmp_path, ["Tạp hóa Giả Định", "99 Núi Thành", None, None, "Đang hoạt động", None])
    before = _state(database)
    work = import_work._DO["apply"]

    def interrupted(*arguments: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        work(*arguments)

    with monkeypatch.context() as patched:
        patched.setitem(import_work._DO, "apply", interrupted)
        code, out, err = run(path, "--apply")
    assert (code, out) == (130, "") and "đã hủy" in err
    assert _state(database)[:3] == before[:3]
    code, out, _ = run(path, "--apply", "--json")
    assert code == 0 and json.loads(out)["outcomes"]["applied"] == 1


@pytest.mark.parametrize("arguments", [[], ["plain.xlsx", "--undo", "IM2"], ["--apply"], ["--undo"]])
def test_wrong_usage(run: Run, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run(*arguments)
    assert left.value.code == 2 and "usage" in capsys.readouterr().err


def _state(database: Database) -> tuple[Any, ...]:
    with database.owner.connect() as connection:
        return tuple(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.establishment, tables.legal_entity, tables.personal_datum, tables.change)
        )
