"""`mapservice ingest`: what it prints, what it refuses, and that it writes nothing."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from ingest.identity import Identities
from layers.register_places import register_of
from mapservice import ingest_command
from mapservice.cli import main
from postgis import tables
from postgis.actor import write_as
from postgis.engine import Database
from postgis.secrets import open_secrets
from postgis.store import personal_data
from tests import workbook_writers as write
from tests.small_ward import WARD, add_staff, fill
from tests.workbook_corpus import FOLDER
from tests.workbook_writers import Grid

Run = Callable[..., tuple[int, str, str]]
SIX = ("new", "changed", "same", "doubtful", "wrong", "skipped")


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setattr(ingest_command, "open_database", lambda _store: nullcontext(database))
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
        (["plain.xlsx", "--apply"], "chạy thử"),
        (["plain.xlsx", "--ward", "1"], "không biết phường 1"),
    ],
)
def test_what_is_refused_says_why_on_standard_error(run: Run, arguments: list[str], reason: str) -> None:
    code, out, err = run(FOLDER / arguments[0], *arguments[1:])
    assert (code, out) == (1, "")
    assert reason in err


def test_dry_run_and_apply_exclude_one_another(run: Run) -> None:
    with pytest.raises(SystemExit) as left:
        run(FOLDER / "plain.xlsx", "--apply", "--dry-run")
    assert left.value.code == 2


def _state(database: Database) -> tuple[Any, ...]:
    with database.owner.connect() as connection:
        return tuple(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.establishment, tables.legal_entity, tables.personal_datum, tables.change)
        )
