"""Imports over HTTP: files are sent, their rows told with what is personal masked, decided and applied."""

import io
import json
from collections.abc import Iterator
from datetime import datetime

import openpyxl
import pytest
from sqlalchemy import text

from mapservice.import_masking import masked
from postgis.engine import Database, create_database, drop_database
from postgis.secrets import open_secrets
from postgis.store import imports
from tests.import_desk import PAGE, WORKBOOKS, Desk, forget, open_desk
from tests.record_pages import form_to
from tests.small_ward import OTHER_WARD
from tests.staff_clients import Browser, add_member, location
from tests.workbook_writers import Grid, xlsx
from web import labels

SIX = ("new", "changed", "same", "doubtful", "wrong", "skipped")
FILES = (
    "all_at_once.xls", "coordinates.xlsx", "food_safety.xlsx", "hidden.xlsx", "map.dwg", "password.xlsx", "points.kml",
    "semicolon_bom.csv", "several_sheets.xlsx", "table.ods", "tcvn3.xlsx", "vn2000.xlsx", "zip_bomb.xlsx",
)  # fmt: skip
HEAD = ["STT", "Tên cơ sở", "Chủ hộ", "Điện thoại", "CCCD", "Địa chỉ", "Ngày cấp", "Ghi chú"]
PEOPLE = ("Zyxbimat Riêng Tư", "0905771234", "048077123456", "zyx.bimat@example.vn")
ROWS = [
    [1, "Quán Minh Họa Một", PEOPLE[0], PEOPLE[1], PEOPLE[2], "12 Núi Thành", "31/12/2024", f"gọi {PEOPLE[1]}"],
    [2, "Quán Minh Họa Hai", PEOPLE[0], "0905 77", PEOPLE[2], "14 Núi Thành", "31/02/2024", f"thư {PEOPLE[3]}"],
    [3, "=1+1", PEOPLE[0], PEOPLE[1], PEOPLE[2], "16 Núi Thành", "32/13/2024", "00123"],
]


def people_list(rows: list[list[object]] = ROWS) -> bytes:  # type: ignore[assignment]
    return xlsx(Grid("Tổ 12", [["DANH SÁCH MINH HỌA"], HEAD, ["I. Phường Hòa Cường Bắc"], *rows]))


@pytest.fixture(scope="module")
def desk(server: Database, base_database: Database) -> Iterator[Desk]:
    base_database.dispose()
    own = create_database(server, "imports_http", template="base")
    yield open_desk(own)
    own.dispose()
    drop_database(server, "imports_http")


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_any_kind_is_told_or_refused_in_words(desk: Desk, name: str) -> None:
    batch = desk.read(name)
    assert batch["state"] in ("planned", "failed"), batch
    page = desk.signed_in().get(f"{PAGE}/{batch['id']}")
    assert page.status_code == 200
    if batch["state"] == "failed":
        assert batch["error"]["message"] in page.text
        assert batch["error"]["message"] in desk.signed_in().get(PAGE).text
        return
    assert sum(batch[verdict] for verdict in SIX) == batch["rows_read"]
    rows = desk.rows(batch["id"])
    for verdict in SIX[:5]:
        assert sum(row["verdict"] == verdict for row in rows) == batch[verdict]
        shown = desk.signed_in().get(f"{PAGE}/{batch['id']}?verdict={verdict}&lang=en")
        assert shown.status_code == 200
        assert shown.text.count('<li class="import-row') == min(batch[verdict], 20)


def test_the_same_file_again_is_the_same_import(desk: Desk) -> None:
    first, second = desk.send("plain.xlsx"), desk.send("plain.xlsx")
    assert first == second
    assert desk.send("plain.xlsx", again="true") != first
    page = desk.signed_in()
    sent = page.client.post(
        PAGE,
        data={"csrf_token": page.proof(PAGE)},
        files={"file": ("tên khác.xlsx", (WORKBOOKS / "plain.xlsx").read_bytes())},
    )
    assert location(sent).endswith("done=known")
    desk.work()


def test_progress_and_state_are_told_while_it_is_read(desk: Desk) -> None:
    code = desk.send("abbreviations.xlsx")
    before = desk.batch(code)
    assert (before["state"], before["job"], before["rows_read"]) == ("reading", "read", 0)
    assert datetime.fromisoformat(before["created_at"]).tzinfo and "T" in before["created_at"]
    page = desk.signed_in().get(f"{PAGE}/{code}").text
    assert 'http-equiv="refresh"' in page and "Đang chờ đến lượt" in page
    desk.work()
    after = desk.batch(code)
    assert after["state"] == "planned" and after["job"] is None and after["progress"] is None
    assert "http-equiv" not in desk.signed_in().get(f"{PAGE}/{code}").text


def test_a_cancelled_reading_can_be_begun_again(desk: Desk) -> None:
    code = desk.send("cp1258.csv")
    assert desk.api("POST", f"/imports/{code}/cancel").status_code == 202
    desk.work()
    assert desk.batch(code)["error"]["code"] == "cancelled"
    version = _version(desk, code)
    desk.signed_in().send(f"{PAGE}/{code}", f"{PAGE}/{code}/choices", part="again", version=version)
    desk.work()
    assert desk.batch(code)["state"] == "planned"


def test_nothing_personal_is_in_any_answer(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    batch = desk.read("nguoi.xlsx", people_list())
    bodies = [json.dumps(batch, ensure_ascii=False), json.dumps(desk.rows(batch["id"]), ensure_ascii=False)]
    page = desk.signed_in()
    for path in (PAGE, f"{PAGE}/{batch['id']}", *(f"{PAGE}/{batch['id']}?verdict={verdict}" for verdict in SIX)):
        bodies.append(page.get(path).text)
    everything = "\n".join([*bodies, caplog.text])
    assert "Quán Minh Họa Hai" in everything
    for secret in (*PEOPLE, "Zyxbimat", "0905 77", "905771234"):
        assert secret not in everything, secret
    assert "Z*** R*** T***" in everything and "048*****3456" in everything
    assert "Số định danh cá nhân" in everything, "told among what will be written, masked"
    with desk.database.owner.connect() as connection:
        stored = connection.exec_driver_sql("SELECT r::text FROM register.import_row r").scalars().all()
        stored += connection.exec_driver_sql("SELECT b::text FROM register.import_batch b").scalars().all()
    assert not [secret for secret in PEOPLE if any(secret in row for row in stored)]


@pytest.mark.parametrize(
    ("field", "text", "shown"),
    [
        ("phone", "0905 771 234", "09*****234"),
        ("phone", "không có", "***"),
        (None, "gọi +84 905.771.234 nhé", "gọi 84******234 nhé"),
        ("note", "zyx@example.vn", "z***@***.vn"),
        ("name", "Quán 0905771234", "Quán 09*****234"),
        ("licence_number", "048077123456", "048*****3456"),
        ("licence_number", "32A8000001", "32A8000001"),
        ("tax_code", "0400101394", "0400101394"),
        ("tax_code", "8000000011", "80*****011"),
        ("capital", "1500000000", "1500000000"),
        ("address", "123 - 125 Núi Thành", "123 - 125 Núi Thành"),
        ("business_line", "5610", "5610"),
        ("birth_date", "01/02/1980", "***"),
    ],
)
def test_cells_are_masked_by_what_they_hold(field: str | None, text: str, shown: str) -> None:
    assert masked(field, text) == shown


def test_the_senders_rows_come_back_as_a_file_that_can_be_sent_again(desk: Desk) -> None:
    batch = desk.read("sua.xlsx", people_list([*ROWS, [4, "Quán Đúng", "", "", "", "18 Núi Thành", "01/02/2024", ""]]))
    assert batch["wrong"] == 2
    file = desk.api("GET", f"/imports/{batch['id']}/errors.xlsx")
    assert file.status_code == 200 and file.headers["cache-control"] == "no-store"
    book = openpyxl.load_workbook(io.BytesIO(file.content))
    sheet = book["Tổ 12"]
    lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert lines[0][1] == "DANH SÁCH MINH HỌA"
    assert lines[1] == ["Cần sửa", *HEAD]
    assert lines[2][1] == "I. Phường Hòa Cường Bắc"
    assert [line[2] for line in lines[3:]] == ["Quán Minh Họa Hai", "=1+1"]
    assert "Ngày cấp: Ngày không có thật" in str(lines[3][0])
    assert sheet.cell(5, 3).data_type == "s" and sheet.cell(5, 9).value == "00123"
    assert sheet.cell(4, 6).value == PEOPLE[2]
    assert sheet.cell(4, 8).fill.fgColor.rgb == "FFFBE3E0" and sheet.cell(4, 3).fill.fgColor.rgb != "FFFBE3E0"
    with desk.database.owner.connect() as connection:
        taken = imports.get(connection, batch["id"]).taken
    assert [(each["login"], each["rows"]) for each in taken] == [("can.bo", 2)]

    # Mended by the sender, it is of the same shape, and the column that we added is passed over.
    for line in (4, 5):
        sheet.cell(line, 5).value, sheet.cell(line, 8).value = "0905771234", "15/02/2024"
        sheet.cell(line, 3).value = f"Quán Đã Sửa {line}"
    mended = io.BytesIO()
    book.save(mended)
    again = desk.read("sua-lai.xlsx", mended.getvalue())
    assert again["wrong"] == 0 and again["new"] + again["doubtful"] == 2
    assert again["columns"][0]["field"] == "to_mend"
    assert [sheet["signature"] for sheet in again["sheets"]] == [sheet["signature"] for sheet in batch["sheets"]]
    with desk.database.owner.connect() as connection:
        found = imports.get(connection, again["id"])
        (row, *_) = imports.rows(connection, again["id"], verdicts=("new", "doubtful"))
    cells = imports.unseal(open_secrets(desk.database.settings.data_dir), found, row)["cells"]
    assert cells["6"] == PEOPLE[2]


def test_a_list_without_headers_gets_ours_in_the_error_file(desk: Desk) -> None:
    rows = [[f"Quán Số {n}", f"{n} Núi Thành", f"09057712{n:02d}", "31/02/2024" if n == 3 else "01/02/2024"]
            for n in range(10, 40)]  # fmt: skip
    rows[4][3] = "31/02/2024"
    rows[4][2] = "09"
    batch = desk.read("khong-tieu-de.xlsx", xlsx(Grid("Trang", rows)))
    file = desk.api("GET", f"/imports/{batch['id']}/errors.xlsx")
    lines = [
        [cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(file.content)).active.iter_rows()
    ]
    assert lines[0][0] == "Cần sửa" and labels.text("import_fields.address", "vi") in lines[0]
    assert any("14 Núi Thành" in line for line in lines[1:])


def test_a_column_is_corrected_and_remembered(desk: Desk) -> None:
    head = ["Tên", "Địa chỉ", "Cột lạ"]
    data = xlsx(Grid("Trang", [head, *([f"Quán {n}", f"{n} Núi Thành", f"Món {n}"] for n in range(1, 9))]))
    batch = desk.read("mau.xlsx", data)
    page = desk.signed_in()
    form = form_to(page.get(f"{PAGE}/{batch['id']}").text, f"{PAGE}/{batch['id']}/choices")
    answer = page.client.post(form.action, data=form.values(**{"field.0.3": "business_line"}))
    assert "chosen" in location(answer)
    desk.work()
    assert desk.batch(batch["id"])["columns"][2]["field"] == "business_line"
    other = xlsx(Grid("Trang", [head, *([f"Quán {n}", f"{n} Tiểu La", f"Món {n}"] for n in range(1, 7))]))
    remembered = desk.read("mau-2.xlsx", other)["columns"][2]
    assert (remembered["field"], remembered["by_person"]) == ("business_line", True)


def test_points_in_metres_wait_for_a_person(desk: Desk) -> None:
    batch = desk.read("vn2000.xlsx")
    assert batch["points"]["needs_confirmation"]
    version, page = _version(desk, batch["id"]), desk.signed_in()
    shown = page.get(f"{PAGE}/{batch['id']}").text
    assert "Chưa xác nhận" in shown and "Đúng vị trí" in shown and '"points": [[108.' in shown
    page.send(f"{PAGE}/{batch['id']}", f"{PAGE}/{batch['id']}/choices", part="points", points="confirmed",
              version=version)  # fmt: skip
    desk.work()
    rows = desk.rows(batch["id"], verdict="new")
    assert rows and all(row["proposed"]["position_method"] == "typed" for row in rows)


def test_rows_are_decided_one_by_one_and_many_at_once(desk: Desk) -> None:
    batch = desk.read("market_traders.xlsx")
    number = desk.rows(batch["id"], verdict="doubtful")[0]["number"]
    path = f"/imports/{batch['id']}/rows/{number}"
    assert desk.api("PATCH", path, json={"decision": "leave"}).status_code == 428
    stale = desk.api("PATCH", path, json={"decision": "leave"}, headers={"If-Match": '"999-x"'})
    assert stale.status_code == 412
    seen = {"If-Match": desk.etag(batch["id"])}
    for body, status in (
        ({"decision": "maybe"}, 422), ({"decision": "update"}, 422), ({"decision": 1}, 422), ({"x": 1}, 422),
        ({"decision": "update", "target": "AAAAAAAA"}, 422),
    ):  # fmt: skip
        answer = desk.api("PATCH", path, json=body, headers=seen)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json()["errors"][0]["detail"]
    done = desk.api("PATCH", path, json={"decision": "leave"}, headers=seen)
    assert done.status_code == 200 and done.json()["undecided"] == batch["doubtful"] - 1
    page = desk.signed_in()
    page.send(f"{PAGE}/{batch['id']}", f"{PAGE}/{batch['id']}/rows", many="true", decision="new", verdict="doubtful")
    after = desk.batch(batch["id"])
    assert after["undecided"] == 0 and after["to_apply"] == batch["doubtful"] - 1
    assert {row["decision"] for row in desk.rows(batch["id"], verdict="doubtful")} == {"leave", "new"}
    # Whoever decides on a later page of the list stays there.
    page = desk.signed_in()
    later = f"{PAGE}/{batch['id']}?verdict=doubtful&after={number - 1}"
    assert f'name="after" value="{number - 1}"' in page.get(later).text
    sent = page.send(later, f"{PAGE}/{batch['id']}/rows", number=str(number), decision="", after=str(number - 1))
    assert f"after={number - 1}" in sent.headers["location"]


def test_a_plan_is_applied_as_a_whole_and_told(desk: Desk) -> None:
    batch = desk.read("list.xlsx", people_list())
    assert desk.api("POST", f"/imports/{batch['id']}/apply", json={"reason": 5}).status_code == 422
    assert desk.api("POST", f"/imports/{batch['id']}/apply", json={"reason": "x" * 501}).status_code == 422
    page = desk.signed_in()
    answer = page.send(f"{PAGE}/{batch['id']}", f"{PAGE}/{batch['id']}/apply", reason="thử", version="1")
    assert answer.status_code == 412 and "vừa đổi" in answer.text
    asked = desk.api("POST", f"/imports/{batch['id']}/apply", json={"reason": "Danh sách thử"},
                     headers={"If-Match": desk.etag(batch["id"])})  # fmt: skip
    assert asked.status_code == 202 and asked.json()["state"] == "applying"
    assert desk.api("POST", f"/imports/{batch['id']}/apply", json={}).status_code == 409
    desk.work()
    after = desk.batch(batch["id"])
    assert after["state"] == "applied" and sum(after["outcomes"].values()) >= batch["new"]
    made = [row["outcome_values"]["code"] for row in desk.rows(batch["id"], outcome="applied")]
    assert len(made) == batch["to_apply"] > 0
    shown = desk.signed_in().get(f"{PAGE}/{batch['id']}?outcome=applied").text
    assert "Đã áp dụng ngày" in shown and f"/staff/establishments/{made[0]}" in shown
    assert not any(secret in shown for secret in PEOPLE)


def test_what_was_edited_since_stays_until_a_person_says_so(desk: Desk) -> None:
    batch = desk.read("hoan-tac.xlsx", people_list([[n, f"Quán Hoàn Tác {n}", "", "", "", f"{n} Tiểu La", "", ""]
                                                    for n in range(40, 46)]))  # fmt: skip
    desk.api("POST", f"/imports/{batch['id']}/apply", json={})
    desk.work()
    made = [row["outcome_values"]["code"] for row in desk.rows(batch["id"], outcome="applied")]
    assert len(made) == 6
    item = f"/ogc/collections/establishments/items/{made[0]}"
    etag = desk.api("GET", item).headers["etag"]
    edited = desk.api("PATCH", item, headers={"If-Match": etag}, json={"properties": {"name": "Tên Người Sửa"}})
    assert edited.status_code == 200, edited.text
    version = _version(desk, batch["id"])
    desk.signed_in().send(f"{PAGE}/{batch['id']}", f"{PAGE}/{batch['id']}/undo", version=version, reason="nhầm tệp")
    desk.work()
    after = desk.batch(batch["id"])
    assert after["state"] == "undone"
    assert made[0] in {each["code"] for each in after["undo_kept"]}
    assert desk.api("GET", item).json()["properties"]["name"] == "Tên Người Sửa"
    assert _living(desk, made) == made[:1]
    page = desk.signed_in().get(f"{PAGE}/{batch['id']}").text
    assert "Đã giữ lại vì có người sửa sau" in page and f'name="also" value="{made[0]}"' in page
    for also in (["x y"], "x", [5]):
        assert desk.api("POST", f"/imports/{batch['id']}/undo", json={"also": also}).status_code == 422, also
    assert desk.api("POST", f"/imports/{batch['id']}/undo", json={"also": [made[0]]}).status_code == 202
    desk.work()
    assert _living(desk, made) == []
    assert not [each for each in desk.batch(batch["id"])["undo_kept"] or () if each["code"] == made[0]]


def test_what_cannot_be_understood_is_refused_on_its_field(desk: Desk) -> None:
    code = desk.read("abbreviations.xlsx")["id"]
    seen = {"If-Match": desk.etag(code)}
    for choices in ([], {"points": "maybe"}, {"encodings": {"Trang": {"x": "utf-99"}}}, {"legal_form": "x"}, {"zz": 1}):
        answer = desk.api("PATCH", f"/imports/{code}", json={"choices": choices}, headers=seen)
        assert answer.status_code == 422, choices
        assert answer.json()["errors"][0]["pointer"] == "/choices"
    page = desk.signed_in()
    form = form_to(page.get(f"{PAGE}/{code}").text, f"{PAGE}/{code}/choices")
    answer = page.client.post(form.action, data=form.values(as_of="31/02/2026"))
    assert answer.status_code == 422 and "as_of-error" in answer.text and "31/02/2026" in answer.text
    for query in ("verdict=maybe", "outcome=x", "decided=2", "limit=0", "after=x", "unknown=1"):
        assert desk.api("GET", f"/imports/{code}/rows?{query}").status_code == 400, query
    for other in ("IMXXXXXXXX", "IM-1", "%00", "x" * 50):
        assert desk.api("GET", f"/imports/{other}").status_code == 404, other


def test_a_file_that_is_too_large_is_refused_early(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(desk, "officer", Browser(desk.database, import_megabytes=1))
        answer = desk.api("POST", "/imports", files={"file": ("to.csv", b"a" * (1 << 21))})
        assert answer.status_code == 413 and "1 MB" in answer.json()["detail"]
    assert desk.api("POST", "/imports", files={"file": ("rong.csv", b"")}).status_code == 422
    assert desk.api("POST", "/imports", json={}).status_code == 415
    page = desk.signed_in()
    empty = page.client.post(PAGE, data={"csrf_token": page.proof(PAGE)}, files={"file": ("", b"")})
    assert empty.status_code == 422 and "Hãy chọn một tệp" in empty.text


def test_another_wards_imports_are_not_there(desk: Desk) -> None:
    code = desk.read("plain.xlsx")["id"]
    add_member(desk.database, "elsewhere", "officer", ward=OTHER_WARD)
    other = Browser(desk.database)
    other.sign_in("elsewhere")
    for path in (f"{PAGE}/{code}", f"/imports/{code}", f"/imports/{code}/rows", f"/imports/{code}/errors.xlsx"):
        assert other.get(path, Accept="application/json").status_code == 404
    assert desk.api("POST", "/imports", files={"file": ("a.csv", b"a")}, data={"ward": OTHER_WARD}).status_code == 403
    assert desk.api("GET", "/imports").json()["imports"]


def test_an_empty_ward_is_told_what_to_do(desk: Desk) -> None:
    forget(desk.database)
    shown = desk.signed_in().get(PAGE).text
    assert "Chưa có lần nhập nào" in shown


def _living(desk: Desk, codes: list[str]) -> list[str]:
    wanted = text("SELECT code FROM register.establishment WHERE ended_at IS NULL AND code = ANY(:codes)")
    with desk.database.owner.connect() as connection:
        return list(connection.execute(wanted, {"codes": codes}).scalars())


def _version(desk: Desk, code: str) -> str:
    return desk.etag(code).strip('"').partition("-")[0]


def test_a_line_of_business_is_confirmed_once_for_the_list(desk: Desk) -> None:
    rows = [[n, f"Quán {n}", f"{n} Núi Thành", "Món gì đó rất lạ"] for n in range(60, 70)]
    data = xlsx(Grid("Trang", [["STT", "Tên cơ sở", "Địa chỉ", "Ngành nghề"], *rows]))
    batch = desk.read("nganh.xlsx", data)
    assert [sector["count"] for sector in batch["sectors"]] == [10]
    path, version = f"{PAGE}/{batch['id']}", _version(desk, batch["id"])
    sent = {"part": "sectors", "version": version, "confirm.0": "true"}
    refused = desk.signed_in().send(path, f"{path}/choices", **sent, **{"sector.0": "9999"})
    assert refused.status_code == 422 and "sector.0-error" in refused.text and "9999" in refused.text
    assert "chosen" in location(desk.officer.send(path, f"{path}/choices", **sent, **{"sector.0": "5610"}))
    desk.work()
    after = desk.batch(batch["id"])
    assert after["sectors"][0]["by_person"] and after["sectors"][0]["proposal"] == "VSIC2025 5610"
    assert {row["proposed"].get("sector_code") for row in desk.rows(batch["id"], verdict="new")} == {"5610"}


def test_the_addresses_are_described(desk: Desk) -> None:
    document = desk.api("GET", "/ogc/api").json()
    assert set(document["paths"]["/imports"]) == {"get", "post"}
    assert "multipart/form-data" in document["paths"]["/imports"]["post"]["requestBody"]["content"]
    headers = document["paths"]["/imports/{batch_id}"]["patch"]["parameters"]
    assert any(each["name"] == "If-Match" and each["required"] for each in headers)
