"""What the office exports comes back as changes only: nothing where nothing was edited, and exactly what was."""

import io
import random
from collections.abc import Callable, Iterator
from typing import Any

import openpyxl
import pytest

from layers.register import EXPORTED
from postgis.actor import write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import records
from tests.import_desk import Desk, open_desk
from tests.small_ward import MIDDLE, WARD, add_staff
from web import labels, staff_export

SIX = ("new", "changed", "same", "doubtful", "wrong", "skipped")
STREETS = ("Núi Thành", "Tiểu La", "2 Tháng 9")


@pytest.fixture(scope="module")
def desk(server: Database, base_database: Database) -> Iterator[Desk]:
    base_database.dispose()
    own = create_database(server, "round_trip", template="base")
    _fill(own)
    yield open_desk(own)
    own.dispose()
    drop_database(server, "round_trip")


def _fill(database: Database) -> None:
    actor, chance = add_staff(database, "planter", "officer"), random.Random(7)
    lon, lat = MIDDLE[WARD]
    with write_as(database, actor, reason="thử") as connection:
        for number in range(120):
            street = STREETS[number % 3]
            firm = number % 4 == 0
            entity = records.create(
                connection, "legal_entities",
                {"registered_name": f"Thử Nghiệm {number}",
                 "legal_form": "enterprise" if firm else "household_business",
                 "registry_status": chance.choice(("active", "suspended", "unknown", "dissolving"))},
                ward_id=actor.ward_id,
            ).code  # fmt: skip
            point = [round(lon + number % 20 * 0.0004, 6), round(lat + number // 20 * 0.0004, 6)]
            place = records.create(
                connection, "establishments",
                {"name": f"Tiệm Minh Họa {number}", "name_en": f"Sample {number}" if number % 9 == 0 else None,
                 "sector_group": "food_service", "sector_scheme": "VSIC2025", "sector_code": "5610",
                 "offering": "Mì Quảng, chè" if number % 2 else None, "house_number": str(number + 1),
                 "street_name": street, "address": f"{number + 1} {street}" if number % 5 else None,
                 "operating_status": chance.choice(("active", "suspended", "not_found", "unknown")),
                 "opened_on": "2020-02-03" if number % 3 else None, "stall": "A12" if number == 7 else None,
                 "geometry": {"type": "Point", "coordinates": point}, "position_method": "surveyed",
                 "legal_entity": entity, "source": "office"},
                ward_id=actor.ward_id,
            ).code  # fmt: skip
            if number % 3 == 0:
                for method in ("vietqr", "pos_card"):
                    paid = {
                        "establishment": place, "method": method, "accepted": True, "evidence_level": "observed",
                        "checked_on": "2026-01-02", "source": "office",
                    }  # fmt: skip
                    records.create(connection, "payment_acceptances", paid, ward_id=actor.ward_id)


def export(desk: Desk, lang: str = "vi", query: str = "") -> openpyxl.Workbook:
    answer = desk.signed_in().get(f"/staff/establishments/export?lang={lang}&{query}")
    assert answer.status_code == 200
    return openpyxl.load_workbook(io.BytesIO(answer.content))


def sent_back(desk: Desk, book: openpyxl.Workbook) -> dict[str, Any]:
    file = io.BytesIO()
    book.save(file)
    return desk.read("danh-sach.xlsx", file.getvalue())


@pytest.mark.parametrize("lang", labels.LANGUAGES)
@pytest.mark.parametrize("query", ["", "operating_status=active", "q=nui+thanh"])
def test_an_unedited_export_changes_nothing(desk: Desk, lang: str, query: str) -> None:
    batch = sent_back(desk, export(desk, lang, query))
    assert batch["state"] == "planned"
    told = [row for row in desk.rows(batch["id"]) if row["verdict"] not in ("same", "skipped")]
    assert not told, [(row["verdict"], row["problems"], row["changes"]) for row in told[:5]]
    assert batch["same"] > 10 and sum(batch[verdict] for verdict in SIX) == batch["rows_read"]


@pytest.mark.parametrize("lang", labels.LANGUAGES)
def test_every_exported_column_is_recognised(desk: Desk, lang: str) -> None:
    batch = sent_back(desk, export(desk, lang))
    columns = {column["header"]: column["field"] for column in batch["columns"] if column["header"]}
    written = dict(staff_export.columns(EXPORTED, lang))
    unknown = [title for title in written.values() if columns.get(title) is None]
    assert not unknown
    for name in ("licence_status", "food_safety_status", "live_warning", "accepts_cashless", "updated_at", "source"):
        assert columns[written[name]] == "computed"
    assert "machine_code" in {columns[written[name]] for name in written if name.endswith("_code")}
    page = desk.signed_in().get(f"/staff/imports/{batch['id']}?lang={lang}").text
    assert labels.text("import_fields.computed", lang) in page


EDITS: list[tuple[str, Any, Callable[[Any], bool]]] = [
    ("name", "Tiệm Đã Đổi Tên", lambda change: change["field"] == "name" and change["after"] == "Tiệm Đã Đổi Tên"),
    ("operating_status", "Đã đóng cửa", lambda change: change["after"] == "closed"),
    ("legal_form", "Hợp tác xã", lambda change: change["field"] == "legal_form" and change["after"] == "cooperative"),
    ("stall", "B7", lambda change: change["field"] == "stall" and change["after"] == "B7"),
    ("offering", "Bánh bèo", lambda change: change["field"] == "offering" and change["after"] == "Bánh bèo"),
    ("house_number", "99", lambda change: change["field"] == "address" and change["after"]["house_number"] == "99"),
    ("opened_on", "05/06/2021", lambda change: change["after"] == "2021-06-05"),
    ("payment_methods", "VietQR, MoMo", lambda change: change["collection"] == "payment_acceptances"),
]


@pytest.mark.parametrize(("name", "value", "expected"), EDITS, ids=[edit[0] for edit in EDITS])
def test_an_edited_cell_is_exactly_one_change(
    desk: Desk, name: str, value: Any, expected: Callable[[Any], bool]
) -> None:
    book = export(desk, query="sort=name")
    sheet = book.worksheets[0]
    title = dict(staff_export.columns(EXPORTED, "vi"))[name]
    column = next(cell.column for cell in sheet[1] if cell.value == title)
    code = sheet.cell(14, 1).value
    sheet.cell(14, column).value = value
    batch = sent_back(desk, book)
    rows = [row for row in desk.rows(batch["id"]) if row["verdict"] not in ("same", "skipped")]
    assert [row["matches"][0]["code"] for row in rows] == [code], [row["problems"] for row in rows]
    (row,) = rows
    assert row["verdict"] == "changed", row["problems"]
    assert any(expected(change) for change in row["changes"]), row["changes"]
    # A legal form is the place's and its owner's; of a method that is paid by, the record is told field by field.
    told = {change["field"] for change in row["changes"]} - {"method", "accepted"}
    assert len(told) <= 1, row["changes"]


def test_emptied_cells_change_nothing(desk: Desk) -> None:
    book = export(desk)
    sheet = book.worksheets[0]
    for column in range(2, sheet.max_column + 1):
        sheet.cell(5, column).value = None
    batch = sent_back(desk, book)
    assert batch["changed"] == batch["new"] == batch["wrong"] == 0
    row = next(row for row in desk.rows(batch["id"]) if row["row"] == 5)
    assert not row["changes"]
