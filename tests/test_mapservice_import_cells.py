"""Wrong cells of a list, corrected on the screen and by a program: the file stays as it was sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from mapservice.sealed import secrets_of
from postgis.engine import Database, create_database, drop_database
from postgis.store import imports_queue
from postgis.store.personal_data import context
from tests.import_desk import PAGE, Desk, forget, open_desk
from tests.record_pages import form_to
from tests.small_ward import OTHER_WARD
from tests.staff_clients import Browser, add_member, location
from tests.workbook_writers import Grid, xlsx

HEAD = ["STT", "Tên cơ sở", "Chủ hộ", "Điện thoại", "Địa chỉ", "Ngày cấp", "Ghi chú", "Số GPKD", "Loại hình"]
OWNER, PHONE, RIGHT_PHONE = "Zyxbimat Riêng Tư", "0905 77", "0905771234"
DAY, TELEPHONE = 6, 4
FORM = "Hộ kinh doanh"
FILE = xlsx(
    Grid(
        "Tổ 12",
        [
            ["DANH SÁCH MINH HỌA"],
            HEAD,
            [1, "Quán Ô Một", OWNER, RIGHT_PHONE, "12 Núi Thành", "31/12/2024", "", "32A8000001", FORM],
            [2, "Quán Ô Hai", OWNER, PHONE, "14 Núi Thành", "31/02/2024", "00123", "32A8000002", FORM],
            [3, "Quán Ô Ba", OWNER, PHONE, "16 Núi Thành", "31/12/2024", "", "32A8000003", FORM],
        ],
    )
)


@pytest.fixture(scope="module")
def desk(server: Database, base_database: Database) -> Iterator[Desk]:
    base_database.dispose()
    own = create_database(server, "import_cells", template="base")
    yield open_desk(own)
    own.dispose()
    drop_database(server, "import_cells")


@pytest.fixture
def code(desk: Desk) -> str:
    forget(desk.database)
    batch = desk.read("o.xlsx", FILE)
    assert (batch["new"], batch["wrong"]) == (1, 2)
    return str(batch["id"])


def row_of(desk: Desk, code: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in desk.rows(code) if row["proposed"].get("name") == name)
    return found


def patch(desk: Desk, code: str, number: int, cells: object, **more: object) -> Any:
    path, seen = f"/imports/{code}/rows/{number}", {"If-Match": desk.etag(code)}
    return desk.api("PATCH", path, json={"cells": cells, **more}, headers=seen)


def typed_in(desk: Desk, code: str, number: int, query: str = "", **fields: str) -> Any:
    """What the form of that row on the page leads to."""
    browser = desk.signed_in()
    page = browser.get(f"{PAGE}/{code}?verdict=wrong{query.replace('?', '&')}").text
    row = page[page.index(f'id="r{number}"') :]
    form = form_to(
        row[row.index('<details class="cells"') : row.index("</form></details>")], f"{PAGE}/{code}/rows{query}"
    )
    return browser.client.post(form.action, data=form.values(**fields))


def sealed(desk: Desk) -> tuple[bytes | None, bytes | None]:
    with desk.database.owner.connect() as connection:
        found = connection.execute(text("SELECT file_sealed, corrections_sealed FROM register.import_batch")).one()
    return found[0], found[1]


def test_the_form_fills_in_nothing_personal_and_leaves_what_is_left_empty(desk: Desk, code: str) -> None:
    row = row_of(desk, code, "Quán Ô Hai")
    page = desk.signed_in().get(f"{PAGE}/{code}?verdict=wrong").text
    assert page.count('<details class="cells">') == 2
    assert OWNER not in page and PHONE not in page and "Để trống là giữ nguyên" in page
    assert 'value="31/02/2024"' in page and 'value="00123"' in page
    answer = typed_in(desk, code, row["number"], **{f"cell.{DAY}": "28/02/2024", f"clear.{TELEPHONE}": "true"})
    assert answer.status_code == 303
    desk.work()
    after = row_of(desk, code, "Quán Ô Hai")
    assert after["verdict"] == "new" and "Điện thoại" not in after["raw"] and after["raw"]["Chủ hộ"] == "Z*** R*** T***"
    assert "Leave empty to keep it" in desk.signed_in().get(f"{PAGE}/{code}?verdict=wrong&lang=en").text


def test_what_the_file_says_takes_a_correction_back(desk: Desk, code: str) -> None:
    number = row_of(desk, code, "Quán Ô Hai")["number"]
    assert patch(desk, code, number, {str(DAY): "31/02/2024"}).status_code == 200
    assert desk.batch(code)["state"] == "planned" and sealed(desk)[1] is None
    assert patch(desk, code, number, {str(DAY): "28/02/2024"}).status_code == 202
    desk.work()
    assert row_of(desk, code, "Quán Ô Hai")["raw"]["Ngày cấp"] == "28/02/2024"
    assert patch(desk, code, number, {str(DAY): " 31/02/2024 "}).status_code == 202
    desk.work()
    after = row_of(desk, code, "Quán Ô Hai")
    assert after["raw"]["Ngày cấp"] == "31/02/2024" and sealed(desk)[1] is None
    assert "corrected_by_person" not in {each["code"] for each in after["problems"]}


def test_a_decision_about_another_row_stays(desk: Desk, code: str) -> None:
    one, two = row_of(desk, code, "Quán Ô Một"), row_of(desk, code, "Quán Ô Hai")
    seen = {"If-Match": desk.etag(code)}
    desk.api("PATCH", f"/imports/{code}/rows/{one['number']}", json={"decision": "leave"}, headers=seen)
    assert patch(desk, code, two["number"], {str(TELEPHONE): ""}).status_code == 202
    desk.work()
    assert row_of(desk, code, "Quán Ô Một")["decision"] == "leave"


def test_what_cannot_be_written_is_refused_on_its_cell(desk: Desk, code: str) -> None:
    number = row_of(desk, code, "Quán Ô Hai")["number"]
    for cells, pointer in (
        ({str(DAY): "x" * 2_001}, f"/cells/{DAY}"), ({str(DAY): "a\u0007b"}, f"/cells/{DAY}"),
        ({"99": "x"}, "/cells/99"), ({"F": "x"}, "/cells/F"), ({str(DAY): 5}, f"/cells/{DAY}"), ({}, "/cells"),
        ("x", "/cells"), (None, "/cells"),
    ):  # fmt: skip
        answer = patch(desk, code, number, cells)
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == pointer, cells
        assert "{" not in answer.json()["errors"][0]["detail"]
    assert patch(desk, code, number, {str(DAY): "1/2/2024"}, decision="new").status_code == 422
    too_long = typed_in(desk, code, number, **{f"cell.{DAY}": "x" * 2_001, f"cell.{TELEPHONE}": RIGHT_PHONE})
    assert too_long.status_code == 422 and f'id="cell-{number}-{DAY}-error"' in too_long.text
    assert '<details class="cells" open>' in too_long.text and "x" * 2_001 in too_long.text
    assert RIGHT_PHONE not in too_long.text
    english = typed_in(desk, code, number, "?lang=en", **{f"cell.{DAY}": "x" * 2_001})
    assert "longer than 2,000 characters" in english.text or "longer than 2000 characters" in english.text
    assert desk.batch(code)["state"] == "planned" and sealed(desk)[1] is None


def test_a_skipped_row_and_an_unseen_version_are_refused(desk: Desk, code: str) -> None:
    skipped = desk.rows(code, verdict="skipped")[0]
    refused = patch(desk, code, skipped["number"], {"1": "x"})
    assert refused.status_code == 422 and refused.json()["errors"][0]["code"] == "row_not_correctable"
    assert patch(desk, code, 99_999, {"1": "x"}).status_code == 404
    number = row_of(desk, code, "Quán Ô Hai")["number"]
    path, body = f"/imports/{code}/rows/{number}", {"cells": {str(DAY): "28/02/2024"}}
    assert desk.api("PATCH", path, json=body, headers={"If-Match": '"999-x"'}).status_code == 412
    assert desk.api("PATCH", path, json=body).status_code == 428
    stale = typed_in(desk, code, number, version="1", **{f"cell.{DAY}": "28/02/2024"})
    assert stale.status_code == 412 and "vừa đổi" in stale.text and 'value="28/02/2024"' in stale.text
    assert patch(desk, code, number, {str(DAY): "28/02/2024"}).status_code == 202
    assert patch(desk, code, number, {str(DAY): "27/02/2024"}).status_code == 409
    desk.work()


def test_another_ward_and_a_surveyor_correct_nothing(desk: Desk, code: str) -> None:
    number = row_of(desk, code, "Quán Ô Hai")["number"]
    add_member(desk.database, "cells.elsewhere", "officer", ward=OTHER_WARD)
    add_member(desk.database, "cells.surveyor", "surveyor")
    for login, status in (("cells.elsewhere", 404), ("cells.surveyor", 403)):
        other = Browser(desk.database)
        other.sign_in(login)
        sent = {"csrf_token": other.proof("/staff/account"), "part": "cells", "number": str(number), "version": "2"}
        answer = other.client.post(f"{PAGE}/{code}/rows", data={**sent, f"cell.{DAY}": "28/02/2024"})
        assert answer.status_code == status, login
    assert desk.batch(code)["state"] == "planned" and sealed(desk)[1] is None


def test_corrections_go_with_the_file(desk: Desk, code: str) -> None:
    number = row_of(desk, code, "Quán Ô Hai")["number"]
    patch(desk, code, number, {str(TELEPHONE): RIGHT_PHONE})
    desk.work()
    with desk.database.owner.begin() as connection:
        connection.execute(text("UPDATE register.import_batch SET created_at = now() - interval '91 days'"))
        assert imports_queue.forget_old(connection) == 1
    assert sealed(desk) == (None, None)


def test_wrong_cells_are_corrected_on_screen_and_by_a_program_and_applied(
    desk: Desk, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    two, three = row_of(desk, code, "Quán Ô Hai"), row_of(desk, code, "Quán Ô Ba")
    before, _ = sealed(desk)
    fields = {f"cell.{DAY}": "29/02/2024", f"cell.{TELEPHONE}": RIGHT_PHONE}
    answer = typed_in(desk, code, two["number"], **fields)
    assert answer.status_code == 303 and "done=corrected" in location(answer)
    assert "Hệ thống đang đọc lại tệp" in desk.officer.get(f"{PAGE}/{code}?done=corrected").text
    assert desk.batch(code)["state"] == "reading"
    desk.work()
    after = row_of(desk, code, "Quán Ô Hai")
    assert after["verdict"] == "new"
    assert {each["column"] for each in after["problems"] if each["code"] == "corrected_by_person"} == {DAY, TELEPHONE}
    assert after["raw"]["Ngày cấp"] == "29/02/2024" and after["raw"]["Ghi chú"] == "00123"
    sent = patch(desk, code, three["number"], {str(TELEPHONE): "0905 771 999"})
    assert sent.status_code == 202 and sent.json()["state"] == "reading"
    desk.work()
    batch = desk.batch(code)
    assert (batch["new"], batch["wrong"]) == (3, 0)
    page = desk.signed_in().get(f"{PAGE}/{code}?verdict=new").text
    assert "Cán bộ đã sửa ô này" in page
    desk.api("POST", f"/imports/{code}/apply", json={})
    desk.work()
    assert desk.batch(code)["outcomes"]["applied"] == 3
    made = row_of(desk, code, "Quán Ô Hai")["outcome_values"]["code"]
    secrets = secrets_of(desk.database)
    wanted = text("SELECT l.code, d.ciphertext FROM register.personal_datum d JOIN register.legal_entity l "
                  "ON l.id = d.legal_entity_id WHERE d.field = 'owner_phone'")  # fmt: skip
    with desk.database.owner.connect() as connection:
        phones = {
            secrets.decrypt(found[1], context=context(found[0], "owner_phone")) for found in connection.execute(wanted)
        }
        history = "".join(connection.exec_driver_sql("SELECT c::text FROM register.change c").scalars())
        issued = connection.exec_driver_sql("SELECT issued_on::text FROM register.licence").scalars().all()
    assert phones == {b"0905771234", b"0905771999"}
    assert "2024-02-29" in issued
    pages = [desk.signed_in().get(path).text for path in (f"{PAGE}/{code}", f"/staff/establishments/{made}")]
    told = "\n".join([*pages, page, json.dumps(desk.rows(code), ensure_ascii=False), caplog.text, history])
    for secret in (RIGHT_PHONE, "905771234", "0905 771 999", "905771999", "Zyxbimat"):
        assert secret not in told, secret
    kept, corrections = sealed(desk)
    assert kept == before and corrections is not None and b"0905" not in corrections
