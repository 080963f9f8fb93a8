"""Citizens' reports end to end: sent without a name, read by the ward's officers alone, answered by a private link.

Attacked too: wrong types, photos that are none or too large, hostile words, too many, receipts guessed, two officers at
once, another site's page.
"""

import io
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import httpx
import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mapservice.forgetting import forget
from mapservice.photo_files import MAX_PHOTO_BYTES
from postgis.actor import Actor, prepare_as
from postgis.engine import Database, create_database, drop_database
from postgis.errors import Stale
from postgis.secrets import open_secrets
from postgis.store import reports
from postgis.store.proposals import new_receipt
from postgis.today import today
from postgis.working_days import answer_deadline, request_deadline
from tests.small_ward import OTHER_WARD, SmallWard, add_staff, fill
from tests.staff_clients import Browser, add_member, location
from tests.test_mapservice_photos import SECRET, camera_photo

WORDS = "Quán Thử dán tem của nơi khác, thấy sáng nay ở cửa chính."
KINDS = ("wrong_information", "hygiene", "fake_sticker", "wrong_payment_qr", "other", "personal_data")


@dataclass
class World:
    database: Database
    ward: SmallWard
    officer: Browser
    colleague: Browser
    surveyor: Browser
    stranger: Browser
    nobody: Browser

    def send(self, place: str, *, photo: bytes | None = None, **fields: str) -> httpx.Response:
        files = {"photo": ("anh.jpg", photo or b"", "image/jpeg")}
        sent = {"kind": "fake_sticker", "words": WORDS, **fields}
        return self.nobody.client.post(f"/q/{place}/report", data=sent, files=files)

    def receipt(self, place: str, **fields: str) -> str:
        return location(self.send(place, **fields)).split("?")[0].removeprefix("/reports/")

    def number(self, receipt: str) -> int:
        with self.database.owner.connect() as owner:
            found = owner.execute(
                text("SELECT id FROM register.citizen_report WHERE receipt = :receipt"), {"receipt": receipt}
            )
            return int(found.scalar_one())

    def act(self, number: int, action: str, by: Browser | None = None, **fields: str) -> httpx.Response:
        browser = by or self.officer
        page = f"/staff/reports/{number}"
        shown = browser.get(page).text
        version = re.search(r'name="version" value="(\d+)"', shown)
        return browser.post(
            page,
            {"csrf_token": browser.proof("/staff/account"), "version": version[1] if version else "1", "action": action}
            | fields,
        )


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "reports", template="base")
    ward = fill(own, add_staff(own, "planter", "officer"), 9)
    members = {"lan": "officer", "binh": "officer", "an": "surveyor"}
    for login, role in members.items():
        add_member(own, login, role)
    add_member(own, "xa", "admin", ward=OTHER_WARD)
    browsers = [Browser(own) for _ in range(5)]
    for browser, login in zip(browsers, [*members, "xa"], strict=False):
        location(browser.sign_in(login))
    yield World(own, ward, browsers[0], browsers[1], browsers[2], browsers[3], browsers[4])
    own.dispose()
    drop_database(server, "reports")


@pytest.fixture(autouse=True)
def earlier(world: World) -> None:
    """Each test starts in an hour of its own: what others sent was sent before it."""
    with world.database.owner.begin() as owner:
        owner.execute(text("UPDATE register.citizen_report SET received_at = received_at - interval '2 hours'"))


def test_a_report_is_sent_taken_up_answered_and_closed(world: World) -> None:
    place = world.ward.places[0]
    form = world.nobody.get(f"/q/{place}/report?kind=hygiene")
    assert form.status_code == 200 and 'value="hygiene" required checked' in form.text
    assert form.headers["cache-control"] == "no-store" and "set-cookie" not in form.headers
    receipt = world.receipt(place, photo=camera_photo(800, 600))  # type: ignore[arg-type]
    due = answer_deadline(today()).day
    ticket = world.nobody.get(f"/reports/{receipt}?sent=1")
    assert ticket.status_code == 200 and "Đã tiếp nhận" in ticket.text and f"{due:%d/%m/%Y}" in ticket.text
    assert WORDS not in ticket.text and receipt in ticket.text and "Phường đã nhận phản ánh" in ticket.text
    assert ticket.headers["referrer-policy"] == "no-referrer" and ticket.headers["x-robots-tag"] == "noindex"
    number = world.number(receipt)
    assert "Phản ánh (" in world.officer.get("/staff/account").text
    inbox = world.officer.get("/staff/reports").text
    assert f"/staff/reports/{number}" in inbox and WORDS not in inbox
    page = world.officer.get(f"/staff/reports/{number}").text
    assert WORDS in page and "Quán Thử 0" in page
    photo = world.officer.get(f"/staff/reports/{number}/photo")
    assert photo.status_code == 200 and SECRET.encode() not in photo.content
    with Image.open(io.BytesIO(photo.content)) as kept:
        assert not kept.getexif()
    assert location(world.act(number, "take")).endswith("?done=take")
    assert "Đang xử lý" in world.nobody.get(f"/reports/{receipt}").text
    assert location(world.act(number, "answer", outcome="sticker_replaced", answer="Đã gỡ tem.\nCảm ơn."))
    # Who kept the address with its `sent` is not told again that the report has come in.
    answered = world.nobody.get(f"/reports/{receipt}?sent=1").text
    assert "Phường đã nhận phản ánh" not in answered
    assert "Tem không đúng, đã gỡ hoặc thay" in answered and "Đã gỡ tem.\nCảm ơn." in answered
    assert (
        "Người thử" not in answered
        and world.act(number, "answer", outcome="inspected", answer="Khác").status_code == 409
    )
    assert location(world.act(number, "close"))
    assert (
        world.nobody.client.get(f"/reports/{receipt}", headers={"Accept": "application/json"}).json()["state"]
        == "closed"
    )
    steps = world.officer.get(f"/staff/reports/{number}").text
    for words in (
        "Nhận phản ánh (người dân)",
        "Nhận xử lý (Người thử lan)",
        "Trả lời (Người thử lan)",
        "Kết thúc (Người thử lan)",
    ):
        assert words in steps


def test_what_was_reported_is_erased_after_two_years(world: World) -> None:
    place, data_dir = world.ward.places[7], world.database.settings.data_dir
    alone, shared = camera_photo(640, 480), camera_photo(480, 640)
    sent = {
        "old": world.receipt(place, photo=alone), "turned down": world.receipt(place, photo=shared),
        "open": world.receipt(place, photo=shared), "young": world.receipt(place),
        "at a sticker": world.receipt("22222222"),
    }  # fmt: skip
    for name, receipt in sent.items():
        if name == "turned down":
            assert location(world.act(world.number(receipt), "reject", reason="Không đúng sự thật."))
        elif name != "open":
            assert location(world.act(world.number(receipt), "answer", outcome="inspected", answer="Đã đến xem."))
    assert location(world.act(world.number(sent["old"]), "close"))
    old = {"receipts": [sent[name] for name in ("old", "turned down", "at a sticker")]}
    with world.database.owner.begin() as owner:
        asked = text("SELECT receipt, photo FROM register.citizen_report")
        photos = dict(owner.execute(asked).tuples().all())
        aged = """UPDATE register.citizen_report SET received_at = received_at - interval '25 months',
                         answered_at = answered_at - interval '25 months', closed_at = closed_at - interval '25 months'
                   WHERE receipt = ANY (:receipts)"""
        owner.execute(text(aged), old)
    file = data_dir / "photos" / f"{photos[sent['old']]}.jpg"
    kept = data_dir / "photos" / f"{photos[sent['open']]}.jpg"
    assert file.is_file() and kept.is_file() and photos[sent["open"]] == photos[sent["turned down"]]
    forget(world.database)
    forget(world.database)
    assert not file.exists() and kept.is_file()
    with world.database.owner.connect() as owner:
        erased = (
            owner.execute(text("SELECT * FROM register.citizen_report WHERE erased_at IS NOT NULL")).mappings().all()
        )
    assert {row["receipt"] for row in erased} == set(old["receipts"])
    for row in erased:
        assert (row["words_sealed"], row["photo"], row["answer"]) == (None, None, "") and row["typed_code"] in (
            None,
            "?",
        )
        assert row["kind"] == "fake_sticker" and row["answered_at"] and row["handled_by"]
    ticket = world.nobody.get(f"/reports/{sent['old']}")
    assert ticket.status_code == 200 and "đã được xóa" in ticket.text and "Đã đến xem" not in ticket.text
    page = world.officer.get(f"/staff/reports/{world.number(sent['old'])}")
    assert page.status_code == 200 and "để thống kê" in page.text and WORDS not in page.text
    assert "Đã đến xem" in world.nobody.get(f"/reports/{sent['young']}").text
    assert WORDS in world.officer.get(f"/staff/reports/{world.number(sent['open'])}").text
    assert world.officer.get("/staff/reports?state=closed").status_code == 200
    with pytest.raises(DBAPIError), prepare_as(world.database, _actor(world.database, "lan")) as connection:
        connection.execute(text("UPDATE register.citizen_report SET words_sealed = NULL, erased_at = now()"))


def test_what_was_reported_is_in_no_clear_and_no_history(world: World) -> None:
    receipt = world.receipt(world.ward.places[1], words="Zyxphananh gặp ông 0905771234 ở quán.")
    number = world.number(receipt)
    world.act(number, "take")
    with world.database.owner.connect() as owner:
        tables = owner.execute(
            text("SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables "
                 "WHERE table_schema IN ('register', 'account') AND table_type = 'BASE TABLE'")
        ).scalars().all()  # fmt: skip
        for table in tables:
            if table in ("register.basemap_area", "register.street", "register.ward"):
                continue
            found = owner.execute(text(f"SELECT 1 FROM {table} t WHERE t::text ~* :plain LIMIT 1"), {
                "plain": "zyxphananh|" + b"Zyxphananh".hex()}).first()  # fmt: skip
            assert found is None, table
        noted = owner.execute(text("SELECT count(*) FROM register.change WHERE collection ILIKE '%report%'"))
        assert noted.scalar_one() == 0
    for path in ("/changes", "/staff/changes", f"/q/{world.ward.places[1]}", f"/q/{world.ward.places[1]}.json"):
        answer = world.officer.get(path)
        assert "zyxphananh" not in answer.text.lower() and receipt not in answer.text


def test_only_officers_of_the_ward_read_it(world: World) -> None:
    number = world.number(world.receipt(world.ward.places[2]))
    for browser, status in ((world.surveyor, 403), (world.stranger, 404)):
        for path in (f"/staff/reports/{number}", f"/staff/reports/{number}/photo"):
            answer = browser.get(path)
            assert answer.status_code == status and WORDS not in answer.text
        assert world.act(number, "take", browser).status_code == status
    assert "/staff/reports" not in world.surveyor.get("/staff/account").text
    assert str(number) not in re.findall(r"/staff/reports/(\d+)", world.stranger.get("/staff/reports").text)
    assert world.nobody.client.get(f"/staff/reports/{number}").status_code == 303


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": ""}, "Hãy chọn một mục"),
        ({"kind": "drop table"}, "Hãy chọn một mục"),
        ({"words": "  "}, "Hãy điền ô Nội dung."),
        ({"words": "ngắn"}, "ít nhất 10 ký tự"),
        ({"words": "a" * 2001}, "dài quá 2.000 ký tự"),
        ({"words": "đảo \u202e ngược chữ trong câu"}, "ký tự không đọc được"),
        ({"words": "\u200b" * 20}, "Hãy điền ô Nội dung."),
        ({"kind": "", "words": ""}, "Hãy chọn một mục"),
    ],
)
def test_what_is_wrong_is_told_beside_the_field_and_what_was_typed_stays(
    world: World, fields: dict[str, str], told: str
) -> None:
    answer = world.send(world.ward.places[3], **fields)
    assert answer.status_code == 422 and told in answer.text
    if "words" not in fields:
        assert WORDS in answer.text


def test_hostile_words_are_only_words(world: World) -> None:
    hostile = "<script>alert(1)</script> {{ 7*7 }} '; DROP TABLE register.citizen_report; -- \\ %s %(x)s"
    number = world.number(world.receipt(world.ward.places[3], words=hostile))
    page = world.officer.get(f"/staff/reports/{number}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }}" in page and "<script>alert(1)" not in page
    assert world.act(number, "reject", reason="<b>đậm</b>").status_code == 303
    world.send(world.ward.places[3], kind='"><script>', words=hostile)


@pytest.mark.parametrize(
    ("photo", "status", "told"),
    [
        (b"GIF89a" + b"\0" * 100, 422, "không phải ảnh"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 4000, 422, "không phải ảnh"),
        (b"\0" * (MAX_PHOTO_BYTES + 1000), 422, "quá 8 MB"),
        (b"\0" * (20 * 1024 * 1024), 413, "8 MB"),
    ],
    ids=["gif", "broken", "large", "20 MB"],
)
def test_photos_that_are_none_are_refused_in_words(world: World, photo: bytes, status: int, told: str) -> None:
    answer = world.send(world.ward.places[3], photo=photo)
    assert answer.status_code == status and told in answer.text


def test_a_busy_machine_refuses_another_photo_and_keeps_the_words(world: World) -> None:
    from mapservice import photo_files

    taken = [photo_files._AT_A_TIME.acquire() for _ in range(2)]
    try:
        answer = world.send(world.ward.places[3], photo=camera_photo(300, 200))
    finally:
        for _ in taken:
            photo_files._AT_A_TIME.release()
    assert answer.status_code == 422 and "nhiều ảnh" in answer.text and WORDS in answer.text


@pytest.mark.parametrize("body", [b"", b"kind=other", b'{"kind": "other"}', b"--x\r\n\r\n"])
@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x"]
)
def test_bodies_that_are_no_form_are_refused(world: World, body: bytes, kind: str) -> None:
    answer = world.nobody.client.post(
        f"/q/{world.ward.places[3]}/report", content=body, headers={"Content-Type": kind, "Accept": "application/json"}
    )
    assert answer.status_code in (400, 415, 422), answer.text


def test_a_sticker_that_leads_nowhere_can_be_reported(world: World) -> None:
    for code in ("K7M42XPA", "23456789", "x'; --", "Ă" * 60):
        form = world.nobody.client.get(f"/q/{code}/report")
        assert form.status_code == 200 and 'value="fake_sticker" required checked' in form.text, code
    receipt = world.receipt("K7M42XPA")
    assert "K7M42XPA" in world.nobody.get(f"/reports/{receipt}").text
    number = world.number(receipt)
    assert "K7M42XPA" in world.officer.get(f"/staff/reports/{number}").text
    assert world.act(number, "propose", field="name", value="Gì đó").status_code == 404


def test_receipts_cannot_be_guessed(world: World) -> None:
    known = world.receipt(world.ward.places[4])
    for typed in (known[:-1], known[:-1] + ("2" if known[-1] != "2" else "3"), new_receipt(), "%", "1", "' OR 1=1 --"):
        answer = world.nobody.get(f"/reports/{typed}")
        assert answer.status_code == 404 and "Không có phản ánh này" in answer.text
    assert world.nobody.get(f"/reports/{known.lower().replace('-', '')}").status_code == 200


def test_too_many_about_a_place_are_turned_away_and_others_are_not(world: World) -> None:
    place, other = world.ward.places[5], world.ward.places[6]
    statuses = [world.send(place).status_code for _ in range(12)]
    assert statuses == [303] * 10 + [429] * 2
    refused = world.send(place)
    assert "quá nhiều phản ánh" in refused.text and WORDS in refused.text and refused.headers["retry-after"] == "3600"
    assert world.send(other).status_code == 303


def test_together_they_cannot_pass_the_bound(world: World) -> None:
    place, statuses = world.ward.places[7], []

    def send() -> None:
        with Browser(world.database).client as client:
            sent = {"kind": "other", "words": WORDS}
            files = {"photo": ("", b"", "application/octet-stream")}
            statuses.append(client.post(f"/q/{place}/report", data=sent, files=files).status_code)

    threads = [threading.Thread(target=send) for _ in range(14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303] * 10 + [429] * 4


def test_another_sites_page_sends_nothing_and_an_old_browser_does(world: World) -> None:
    place = world.ward.places[8]
    sent = {"kind": "other", "words": WORDS}
    files = {"photo": ("", b"", "application/octet-stream")}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
    ):
        client = Browser(world.database).client
        client.headers.pop("Sec-Fetch-Site")
        assert client.post(f"/q/{place}/report", data=sent, files=files, headers=headers).status_code == 403
    client = Browser(world.database).client
    client.headers.pop("Sec-Fetch-Site")
    assert client.post(f"/q/{place}/report", data=sent, files=files).status_code == 303


def test_two_officers_at_once_do_not_both_answer(world: World) -> None:
    receipt = world.receipt(world.ward.places[0])
    number, results = world.number(receipt), []
    officers = [_actor(world.database, login) for login in ("lan", "binh")]
    ready = threading.Barrier(2)

    def answer(actor: Actor) -> None:
        try:
            with prepare_as(world.database, actor) as connection:
                ready.wait()
                reports.answer(connection, actor, number, 1, outcome="inspected", words=f"Trả lời của {actor.login}.")
                results.append(actor.login)
        except Stale:
            results.append("stale")

    threads = [threading.Thread(target=answer, args=(actor,)) for actor in officers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results)[-1] == "stale" and len(set(results) & {"lan", "binh"}) == 1
    shown = world.nobody.get(f"/reports/{receipt}").text
    assert sum(f"Trả lời của {login}." in shown for login in ("lan", "binh")) == 1


def test_what_a_colleague_did_is_shown_and_what_was_typed_stays(world: World) -> None:
    number = world.number(world.receipt(world.ward.places[1]))
    token = world.officer.proof("/staff/account")
    assert location(world.act(number, "take", world.colleague))
    late = world.officer.post(
        f"/staff/reports/{number}",
        {"csrf_token": token, "version": "1", "action": "answer", "outcome": "inspected", "answer": "Đã xem tại chỗ."},
    )
    assert late.status_code == 409 and "Người khác vừa xử lý" in late.text and "Đã xem tại chỗ." in late.text
    assert "Nhận xử lý thay Người thử binh" in late.text
    assert world.officer.post(f"/staff/reports/{number}", {"version": "2", "action": "take"}).status_code == 403


@pytest.mark.parametrize(
    ("action", "fields", "status"),
    [
        ("answer", {}, 422), ("answer", {"outcome": "inspected"}, 422), ("answer", {"answer": "Xong."}, 422),
        ("answer", {"outcome": "nothing", "answer": "Xong."}, 422),
        ("answer", {"outcome": "inspected", "answer": "a" * 2001}, 422), ("reject", {"reason": " "}, 422),
        ("extend", {}, 403), ("close", {}, 409), ("dance", {}, 400),
        ("propose", {"field": "tax_code", "value": "1"}, 422),
        ("propose", {"field": "name", "value": "Quán Thử 0"}, 422), ("take", {"version": "x"}, 409),
        ("take", {"version": "99999999999999999999"}, 409),
    ],
)  # fmt: skip
def test_steps_that_cannot_be_are_refused(world: World, action: str, fields: dict[str, str], status: int) -> None:
    number = world.number(world.ward.report)
    assert world.act(number, action, **fields).status_code == status


def test_a_change_is_proposed_from_a_report(world: World) -> None:
    place = world.ward.places[2]
    number = world.number(world.receipt(place, kind="wrong_information"))
    assert location(world.act(number, "propose", field="opening_hours", value="06:00-21:00"))
    shown = world.officer.get(f"/staff/reports/{number}").text
    receipt = re.search(r"/staff/proposals/([A-Z0-9-]{19})", shown)
    assert receipt is not None and "Lập đề xuất sửa hồ sơ (Người thử lan)" in shown
    proposal = world.officer.get(f"/staff/proposals/{receipt[1]}").text
    assert f"Theo phản ánh số {number}" in proposal and WORDS not in proposal
    assert world.act(number, "propose", field="name", value="Khác").status_code in (403, 422)


def test_a_request_about_ones_data_has_its_own_deadlines(world: World) -> None:
    receipt = world.receipt(world.ward.places[3], kind="personal_data", words="Xin xem dữ liệu của tôi tại quán.")
    number, received = world.number(receipt), today()

    def due() -> date:
        with world.database.owner.connect() as owner:
            found = owner.execute(text("SELECT due_on FROM register.citizen_report WHERE id = :id"), {"id": number})
            day: date = found.scalar_one()
            return day

    assert due() == answer_deadline(received).day
    assert location(world.act(number, "take")) and due() == request_deadline(received).day
    assert location(world.act(number, "extend")) and due() == request_deadline(received, extended=True).day
    assert world.act(number, "extend").status_code == 403
    assert location(world.act(number, "answer", outcome="request_met", answer="Đã giao bản in tại trụ sở."))


def test_overdue_reports_are_marked_and_counted(world: World) -> None:
    receipt = world.receipt(world.ward.places[4])
    number = world.number(receipt)
    with world.database.owner.begin() as owner:
        owner.execute(
            text("UPDATE register.citizen_report SET due_on = :day WHERE id = :id"),
            {"id": number, "day": today() - timedelta(days=3)},
        )
    assert "Đã quá hạn trả lời" in world.nobody.get(f"/reports/{receipt}").text
    assert "1 quá hạn" in world.officer.get("/staff/account").text
    page = world.officer.get("/staff/reports?overdue=1").text
    assert re.findall(r"/staff/reports/(\d+)", page) == [str(number)]
    first = re.findall(r"/staff/reports/(\d+)", world.officer.get("/staff/reports").text)
    assert first[0] == str(number)


@pytest.mark.parametrize(
    "query", ["state=x", "kind=x", "after=x", "after=2026-01-01_x", "after=2026-13-01_1", "page=1"]
)
def test_wrong_filters_are_refused(world: World, query: str) -> None:
    assert world.officer.get(f"/staff/reports?{query}").status_code == 400
    for fine in ("state=closed", "kind=other", "overdue=1", "establishment=xyz", "after=2026-01-01_1", "lang=en"):
        assert world.officer.get(f"/staff/reports?{fine}").status_code == 200


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 18, "9" * 30, "١"])
def test_numbers_that_are_none_are_not_found(world: World, number: str) -> None:
    assert world.officer.get(f"/staff/reports/{number}").status_code == 404


def test_words_under_another_key_are_told_not_guessed(world: World) -> None:
    number = world.number(world.ward.report)
    page = world.officer.get(f"/staff/reports/{number}")
    assert page.status_code == 200 and "Không mở được nội dung" in page.text
    secrets = open_secrets(world.database.settings.data_dir)
    sealed = secrets.encrypt(WORDS.encode(), context="report:OTHER")
    with world.database.owner.begin() as owner:
        owner.execute(
            text("UPDATE register.citizen_report SET words_sealed = :s WHERE id = :id"), {"s": sealed, "id": number}
        )
    assert WORDS not in world.officer.get(f"/staff/reports/{number}").text


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'hygiene'", "words_sealed = '\\x01'", "receipt = 'X'", "establishment_id = NULL",
        "due_on = '2030-01-01'",
        "state = 'closed', closed_at = now()",
        "handled_by = (SELECT id FROM account.staff WHERE login = 'binh'), state = 'in_progress'",
    ],
)  # fmt: skip
def test_the_database_holds_the_steps_whatever_the_code_does(world: World, change: str) -> None:
    number = world.number(world.receipt(world.ward.places[6]))
    lan = _actor(world.database, "lan")
    with pytest.raises(DBAPIError), prepare_as(world.database, lan) as connection:
        connection.execute(text(f"UPDATE register.citizen_report SET {change} WHERE id = :id"), {"id": number})


def _actor(database: Database, login: str) -> Actor:
    with database.owner.connect() as connection:
        row = connection.execute(
            text("SELECT s.*, w.code AS ward_code FROM account.staff s JOIN register.ward w ON w.id = s.ward_id "
                 "WHERE login = :login"), {"login": login},
        ).one()  # fmt: skip
    return Actor(row.id, row.login, row.display_name, row.role, row.ward_id, row.ward_code)


def test_the_inbox_goes_by_deadline_and_says_in_words_what_is_late_or_not_certain(world: World) -> None:
    days = {3: True, -40: True, 0: True, 60: False, -1: True, 1: True}
    due = {}
    for number, (days_on, certain) in enumerate(days.items()):
        receipt = world.receipt(world.ward.places[number % 3], kind="other")
        due[world.number(receipt)] = (today() + timedelta(days=days_on), certain, receipt)
    with world.database.owner.begin() as owner:
        for number, (day, certain, _) in due.items():
            changed = "UPDATE register.citizen_report SET due_on = :day, due_certain = :certain WHERE id = :id"
            owner.execute(text(changed), {"day": day, "certain": certain, "id": number})
    page = world.officer.get("/staff/reports?kind=other").text
    found = re.finditer(r'<tr>(?:(?!</tr>).)*reports/(\d+)".*?</tr>', page, re.S)
    rows = {int(row[1]): re.sub(r"<[^>]+>", " ", row[0]) for row in found}
    assert [number for number in rows if number in due] == sorted(due, key=lambda number: due[number][0])
    for number, (day, certain, receipt) in due.items():
        late, words = day < today(), rows[number]
        # What comes on the day itself is in time.
        assert f"{day:%d/%m/%Y}" in words and ("Quá hạn" in words) is late
        assert ("tạm tính vì lịch nghỉ chưa công bố" in words) is not certain
        ticket = world.nobody.get(f"/reports/{receipt}").text
        assert f"{day:%d/%m/%Y}" in ticket and ("Đã quá hạn trả lời" in ticket) is late
        assert (f"Lịch nghỉ lễ, Tết năm {day.year} chưa được công bố" in ticket) is not certain
        data = world.nobody.client.get(f"/reports/{receipt}", headers={"Accept": "application/json"}).json()
        assert (data["due_on"], data["due_certain"]) == (day.isoformat(), certain)
    narrowed = world.officer.get("/staff/reports?kind=other&overdue=1").text
    assert {int(shown) for shown in re.findall(r"/staff/reports/(\d+)", narrowed)} & set(due) == {
        number for number, (day, _, _) in due.items() if day < today()
    }
    english = world.officer.get("/staff/reports?kind=other&lang=en").text
    assert "Overdue" in english
