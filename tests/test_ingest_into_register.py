"""What rows propose is what the register's own writers take, and a list that was written is known again."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ingest.choices import Choices
from ingest.identity import Identities
from ingest.row_places import Locator
from ingest.workbook_reader import read
from layers.gazetteer import surroundings
from layers.register_places import register_of
from mapservice.geocoding import gazetteer
from postgis.actor import write_as
from postgis.engine import Database
from postgis.secrets import Secrets, open_secrets
from postgis.store import personal_data, records
from tests import workbook_writers as write
from tests.plans import Plan, plan
from tests.small_ward import WARD, add_staff, fill
from tests.workbook_writers import Grid

HEAD = [
    "Tên cơ sở", "Tên đăng ký", "Loại hình", "Họ tên chủ hộ", "Điện thoại", "Mã số thuế", "Địa chỉ kinh doanh",
    "Ngành nghề kinh doanh", "Tình trạng hoạt động", "Số GCN ĐKKD", "Ngày cấp GCN ĐKKD", "Ngày hết hạn GCN ATTP",
    "Ngày kiểm tra", "Kết quả kiểm tra", "Hình thức thanh toán", "Máy POS", "Hóa đơn điện tử", "Chợ", "Số quầy",
    "Giờ mở cửa", "Tọa độ",
]  # fmt: skip
ROWS: list[list[Any]] = [
    ["Quán Giả Định", "HKD Giả Định", "Hộ kinh doanh", "Trần Giả Định", "0905111222", "048203001234",
     "12 Núi Thành, phường Hòa Cường", "Quán ăn", "Đang hoạt động", "32A8000001", "01/02/2020", "31/12/2027",
     "05/03/2026", "Đạt", "Chuyển khoản, momo", "không", "có", None, None, "7h-22h", None],
    ["Công ty Giả Định", "Công ty TNHH Giả Định", None, None, None, "0400101394", "99 Tiểu La", "Khách sạn",
     "Tạm nghỉ", "0400101394", "03/04/2019", None, None, None, "Chỉ tiền mặt", None, "không", None, None, None,
     "16.0440, 108.2140"],
    ["Sạp cô Giả Định", None, "Buôn bán nhỏ", "Lê Thị Giả Định", None, None, "Chợ Thử", None, "Đang bán", None, None,
     None, None, None, None, None, None, "Chợ Thử", "A-12", None, "16.0433, 108.2137"],
]  # fmt: skip
CHOICES = Choices(agency="Đoàn kiểm tra phường")


def _plan(connection: Connection, secrets: Secrets, rows: list[list[Any]]) -> Plan:
    around = surroundings(connection, WARD)
    assert around is not None
    book = read(write.xlsx(Grid("Danh sách", [HEAD, *rows])), "a.xlsx")
    return plan(book, Locator(gazetteer(around)), register_of(connection, WARD), Identities(secrets), CHOICES)


def _write(connection: Connection, secrets: Secrets, found: Plan, ward_id: int) -> None:
    """As a writer of batches would, row by row."""
    for row in found.rows:
        owner = place = None
        for wish in row.wishes.new or ():
            values = dict(wish.values)
            if wish.collection == "establishments":
                values.setdefault("legal_entity", owner)
            elif wish.collection != "legal_entities":
                values["establishment"] = place
            code = records.create(connection, wish.collection, values, ward_id=ward_id).code
            owner = code if wish.collection == "legal_entities" else owner
            place = code if wish.collection == "establishments" else place
        for name, value in row.personal.items():
            assert owner is not None
            personal_data.keep(connection, secrets, owner, name, value)


def test_a_list_that_was_written_is_the_same_when_it_comes_again(database: Database, tmp_path: Path) -> None:
    officer = add_staff(database, "can-bo", "officer")
    fill(database, officer, 2)
    secrets = open_secrets(tmp_path)
    with database.owner.connect() as connection:
        first = _plan(connection, secrets, ROWS)
    told = [(row.verdict, {each.code for each in row.read.findings if each.weight != "note"}) for row in first.rows]
    assert told == [("new", set())] * 3
    assert [len(row.wishes.new or ()) for row in first.rows] == [9, 5, 2]
    with write_as(database, officer, reason="a list", source="import") as connection:
        _write(connection, secrets, first, officer.ward_id)
    with database.owner.connect() as connection:
        again = _plan(connection, secrets, ROWS)
    assert [row.verdict for row in again.rows] == ["same"] * 3, [
        (change.collection, change.field, change.before, change.after) for row in again.rows for change in row.changes
    ]


def test_what_changed_is_taken_by_the_writers_too(database: Database, tmp_path: Path) -> None:
    officer = add_staff(database, "can-bo", "officer")
    secrets = open_secrets(tmp_path)
    with database.owner.connect() as connection:
        first = _plan(connection, secrets, ROWS)
    with write_as(database, officer, reason="a list", source="import") as connection:
        _write(connection, secrets, first, officer.ward_id)
    rows = [list(row) for row in ROWS]
    rows[0][8], rows[0][10], rows[0][11], rows[0][19] = "Tạm nghỉ", "02/02/2021", "31/12/2028", "8h-21h"
    rows[1][20] = "16.0450, 108.2150"
    with database.owner.connect() as connection:
        found = _plan(connection, secrets, rows)
    assert [row.verdict for row in found.rows] == ["changed", "changed", "same"]
    assert all(json.loads(json.dumps(row.as_json())) == row.as_json() for row in found.rows)
    assert json.dumps(found.summary.as_json())
    with write_as(database, officer, reason="the list again", source="import") as connection:
        for row in found.rows:
            for wish in [wish for wishes in row.wishes.update.values() for wish in wishes]:
                assert wish.code is not None
                before = records.get(connection, wish.collection, wish.code)
                assert {name: before.values[name] for name in wish.values} == dict(wish.before or {})
                records.change(connection, wish.collection, wish.code, before.version, wish.values)
    with database.owner.connect() as connection:
        assert {row.verdict for row in _plan(connection, secrets, rows).rows} == {"same"}
