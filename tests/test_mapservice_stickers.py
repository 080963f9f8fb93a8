"""The officers' screens of stickers: a run made once, pages taken and printed, and what becomes of each sticker."""

import io
import re
from collections.abc import Iterator

import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import text

from postgis.actor import write_as
from postgis.engine import Database, create_database, drop_database
from postgis.secrets import open_secrets
from postgis.store import records, stickers
from postgis.store.stickers import RunOrder
from postgis.today import today
from tests.page_order import read
from tests.small_ward import OTHER_WARD, SmallWard, add_staff, fill
from tests.staff_clients import Browser, add_member, hidden, location
from web.render import format_date

PAGE = "/staff/stickers"
RUNS = f"{PAGE}/runs"


class World:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.ward: SmallWard = fill(database, add_staff(database, "planter", "officer"), 13)
        fill(database, add_staff(database, "foreign", "officer", OTHER_WARD), 1)
        self.officer, self.colleague, self.surveyor = (
            self._browser(login, role) for login, role in (("lan", "officer"), ("hoa", "officer"), ("minh", "surveyor"))
        )

    def _browser(self, login: str, role: str) -> Browser:
        add_member(self.database, login, role)
        browser = Browser(self.database)
        browser.sign_in(login)
        return browser

    def make(self, codes: list[str], only_missing: bool = False) -> str:
        """Looks how many there would be, and makes the run; returns its path."""
        missing = "&only_missing=true" if only_missing else ""
        page = self.officer.get(f"{RUNS}/new?by=chosen&chosen={'%20'.join(codes)}&layout=a4_10{missing}")
        assert page.status_code == 200
        form = {name: hidden(page.text, name) for name in ("csrf_token", "key", "by", "chosen", "layout")}
        answer = self.officer.post(RUNS, form | ({"only_missing": "true"} if only_missing else {}))
        # The same form sent twice, as by an impatient finger.
        assert location(self.officer.post(RUNS, form)) == location(answer)
        return location(answer).partition("?")[0]

    def by_place(self, run: str) -> dict[str, str]:
        """The serials of a run by the codes of their places: a run goes along the street."""
        with self.database.public.connect() as connection:
            asked = text("SELECT code, serial FROM published.stickers WHERE serial = ANY (:serials)")
            return {row.code: row.serial for row in connection.execute(asked, {"serials": self.serials(run)})}

    def serials(self, run: str) -> list[str]:
        return re.findall(rf'href="{PAGE}/([0-9A-Z]{{5}})"', self.officer.get(run).text)


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "sticker_screens", template="base")
    yield World(own)
    own.dispose()
    drop_database(server, "sticker_screens")


def _read(pdf: bytes) -> list[str]:
    pages = [page.render(scale=250 / 72, grayscale=True).to_pil() for page in pypdfium2.PdfDocument(pdf)]
    return [found.text for page in pages for found in zxingcpp.read_barcodes(page)]


def test_a_run_is_counted_made_once_and_printed_page_by_page(world: World) -> None:
    counted = world.officer.get(f"{RUNS}/new?by=chosen&chosen={'+'.join(world.ward.places)}&layout=a4_10")
    assert "13 tem" in counted.text and "2 trang" in counted.text
    run = world.make(world.ward.places)
    serials = world.serials(run)
    assert len(serials) == 13
    answer = world.officer.send(run, f"{run}/prints", do="next", pages="1")
    page = world.officer.get(location(answer))
    assert "Tải trang 1 (PDF)" in page.text and "còn" not in page.text
    (href,) = set(re.findall(rf'href="({run}/prints/\d+\.pdf)"', page.text))
    pdf = world.officer.get(href)
    assert pdf.headers["content-type"] == "application/pdf" and pdf.headers["cache-control"] == "no-store"
    addresses = _read(pdf.content)
    assert sorted(address.partition("?t=")[2][:5] for address in addresses) == sorted(serials[:10])
    for address in addresses[:3]:
        opened = world.officer.get(address[address.index("/q/") :])
        assert opened.status_code == 200
    # A colleague gets what is left, and then nothing.
    second = world.colleague.send(run, f"{run}/prints", do="next", pages="5")
    assert len(_read(world.colleague.get(f"{run}/prints/{location(second).rpartition('=')[2]}.pdf").content)) == 3
    third = world.officer.send(run, f"{run}/prints", do="next", pages="1")
    assert third.status_code == 422 and "đã được lấy hết" in third.text


def test_pages_are_printed_again_for_a_reason_and_without_what_is_spoilt(world: World) -> None:
    run = world.make(world.ward.places[:3])
    serials = world.serials(run)
    assert world.officer.send(run, f"{run}/prints", do="again", first="1", reason="kẹt giấy").status_code == 422
    world.officer.send(run, f"{run}/prints", do="next", pages="1")
    assert world.officer.send(run, f"{run}/prints", do="again", first="1", reason="").status_code == 422
    spoilt = world.officer.send(f"{PAGE}/{serials[1]}", f"{PAGE}/{serials[1]}/spoilt", version="1", reason="lem mực")
    assert location(spoilt) == f"{PAGE}/{serials[1]}?done=spoilt"
    answer = world.officer.send(run, f"{run}/prints", do="again", first="1", reason="kẹt giấy")
    number = location(answer).rpartition("=")[2]
    seen = _read(world.officer.get(f"{run}/prints/{number}.pdf").content)
    assert sorted(address.partition("?t=")[2][:5] for address in seen) == sorted([serials[0], serials[2]])
    assert "In lại: kẹt giấy" in world.officer.get(run).text


def test_a_sticker_is_installed_seen_replaced(world: World) -> None:
    serial = world.serials(world.make(world.ward.places[:1]))[0]
    page = f"{PAGE}/{serial}"
    assert "Đã in, chưa dán" in world.officer.get(page).text
    photo = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(photo, "JPEG")
    sent = {"csrf_token": world.officer.proof(page), "version": "1"}
    answer = world.officer.client.post(f"{page}/install", data=sent, files={"photo": ("a.jpg", photo.getvalue())})
    assert location(answer) == f"{page}?done=installed"
    shown = world.officer.get(page).text
    assert "Đang dán" in shown and "Người thử lan" in shown
    (file,) = re.findall(r"/photos/([0-9a-f]{64})-480.jpg", shown)
    assert world.surveyor.get(f"/photos/{file}.jpg").status_code == 200
    assert location(world.officer.send(page, f"{page}/seen", reason="còn rõ")).endswith("done=seen")
    # A colleague's page from before: nothing is written over.
    assert world.colleague.send(page, f"{page}/lost", version="1", reason="không thấy").status_code == 409
    run = location(world.officer.send(page, f"{page}/replace", key="k" * 20)).partition("?")[0]
    (new,) = world.serials(run)
    assert new in world.officer.get(page).text
    sent = {"csrf_token": world.officer.proof(f"{PAGE}/{new}"), "version": "1"}
    world.officer.client.post(f"{PAGE}/{new}/install", data=sent, files={"photo": ("", b"")})
    after = world.officer.get(page).text
    assert "Đã thay" in after and f"{PAGE}/{new}" in after
    assert "/install" not in after and "/withdrawn" not in after


def test_surveyors_note_which_stickers_they_saw_and_nothing_else(world: World) -> None:
    serial = world.serials(world.make(world.ward.places[5:6]))[0]
    page = f"{PAGE}/{serial}"
    shown = world.surveyor.get(page).text
    assert f"{page}/seen" in shown and f"{page}/lost" not in shown and f"{page}/install" not in shown
    assert location(world.surveyor.send(page, f"{page}/seen", reason="bị che khuất")) == f"{page}?done=seen"
    noted = world.officer.get(page).text
    assert "bị che khuất" in noted and "Người thử minh" in noted
    for action in ("lost", "withdrawn", "spoilt", "replace"):
        answer = world.surveyor.send(page, f"{page}/{action}", version="1", reason="thử", key="k" * 20)
        assert answer.status_code == 403, action
    assert "Đã in, chưa dán" in world.officer.get(page).text


def test_the_list_finds_by_serial_address_scanned_code_and_name(world: World) -> None:
    code = world.ward.places[4]
    serial = world.serials(world.make([code]))[0]
    for q in (
        serial,
        serial.lower(),
        f"https://x.vn/q/{code}?t={serial}22222",
        f"http://localhost/q/{code}?t={serial}ACEFH",
    ):
        answer = world.officer.client.get(PAGE, params={"q": q})
        assert location(answer) == f"{PAGE}/{serial}", q
    for q in (code, f"https://x.vn/q/{code}", "quan thu 4"):
        assert f"{PAGE}/{serial}" in world.officer.client.get(PAGE, params={"q": q}).text, q
    assert f"{PAGE}/{serial}" in world.officer.get(f"{PAGE}?place={code}&state=printed").text
    assert f"{PAGE}/{serial}" not in world.officer.get(f"{PAGE}?place={code}&state=lost").text
    assert world.officer.get(f"{PAGE}?state=nonsense").status_code == 400
    assert "%" not in world.officer.client.get(PAGE, params={"q": "100%_"}).text.partition("<table")[2]


def test_what_is_wrong_with_a_choice_is_said_beside_it(world: World) -> None:
    for query, words in (
        ("by=street", "Hãy điền hoặc chọn"),
        ("by=street&street=Không+Có", "Không có cơ sở nào như vậy"),
        ("by=chosen&chosen=K7M42XPA", "không phải mã tra cứu"),
        ("by=chosen&chosen=22222222", "không có cơ sở nào trong phường"),
        ("by=residential_group&residential_group=x", "Không có cơ sở nào"),
    ):
        page = world.officer.get(f"{RUNS}/new?{query}")
        assert page.status_code == 200 and words in page.text, query
        assert 'name="key"' not in page.text
    world.make([world.ward.places[5]])
    page = world.officer.get(f"{RUNS}/new?by=chosen&chosen={world.ward.places[5]}&only_missing=true")
    assert "đều đã có tem" in page.text


@pytest.mark.parametrize(
    "path",
    [
        f"{PAGE}?q=%00", f"{PAGE}?q={'9' * 5000}", f"{PAGE}?q=%2Fq%2F%3Ft%3D%00",
        f"{PAGE}?place=%00", f"{PAGE}?cursor=x",
        f"{PAGE}?q=http%3A%2F%2F%5B%2Fq%2Fx", f"{PAGE}/%00%00%00%00%00", f"{PAGE}/22222", f"{RUNS}/999999999",
        f"{RUNS}/99999999999999999999", f"{RUNS}/-1", f"{RUNS}/1/prints/999999999.pdf", f"{RUNS}?cursor=%00",
        f"{RUNS}/new?by=street&street=%00", f"{RUNS}/new?by=model_site&model_site=%00", f"{RUNS}/new?by=x&layout=x",
        f"{RUNS}/new?by=chosen&chosen={'22222222+' * 400}",
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_words(world: World, path: str) -> None:
    answer = world.officer.get(path)
    assert answer.status_code in (200, 400, 404), path
    assert "<main" in answer.text


def test_surveyors_look_at_print_runs_and_take_no_page(world: World) -> None:
    run = world.make([world.ward.places[6]])
    page = world.surveyor.get(run).text
    assert "<form" not in page.partition("<main")[2]


def test_nothing_is_noted_of_who_scans(world: World) -> None:
    run = world.make([world.ward.places[7]])
    answer = world.officer.send(run, f"{run}/prints", do="next", pages="1")
    number = location(answer).rpartition("=")[2]
    (address,) = _read(world.officer.get(f"{run}/prints/{number}.pdf").content)
    with world.database.owner.connect() as connection:
        rows = text("SELECT count(*) FROM register.sticker_event")
        before = connection.execute(rows).scalar_one()
        for _ in range(3):
            assert world.surveyor.get(address[address.index("/q/") :]).status_code == 200
        assert connection.execute(rows).scalar_one() == before


def test_pages_are_printed_as_the_register_stands_and_changed_places_are_marked(world: World) -> None:
    """Printed today, the names are today's; whoever prints on is told what has changed since, and what to do."""
    officer = add_staff(world.database, "doi", "officer")
    renamed, moved, closed, later = world.ward.places[2:6]
    run = world.make([renamed, moved, closed, later])
    serials = world.by_place(run)
    assert 'id="changed"' not in world.officer.get(run).text
    answer = world.officer.send(run, f"{run}/prints", do="next", pages="1")
    first = f"{run}/prints/{location(answer).rpartition('=')[2]}.pdf"
    assert "Quán Thử 2" in _words(world.officer.get(first).content)
    world.officer.send(f"{PAGE}/{serials[moved]}", f"{PAGE}/{serials[moved]}/install", version="1")
    with write_as(world.database, officer, reason="đổi", source="office") as connection:
        for code, values in (
            (renamed, {"name": "Quán Tên Mới"}),
            (moved, {"address": "99 Đường Thử"}),
            (closed, {"operating_status": "closed", "closed_on": "2026-11-01", "status_reason": "nghỉ"}),
        ):
            version = records.version(connection, "establishments", code)
            records.change(connection, "establishments", code, version or 0, values)
    shown = read(world.officer.get(run).text)
    told = {
        serial: " ".join(each.text for each in shown.said if each.row == row)
        for serial in serials.values()
        for row in [next((each.row for each in shown.said if each.text == serial and "entry" in each.classes), -1)]
    }
    assert "Tên trước: Quán Thử 2" in told[serials[renamed]] and "in lại trang 1" in told[serials[renamed]]
    assert "Địa chỉ trước: 3 Đường Thử" in told[serials[moved]]
    assert "Đã đóng cửa" in told[serials[closed]] and "đừng dán" in told[serials[closed]]
    assert told[serials[later]] == ""
    again = world.officer.get(first).content
    said = _words(again)
    assert "Quán Tên Mới" in said and "Quán Thử 2" not in said and "99 Đường Thử" in said
    assert "Quán Thử 4" not in said, "closed since: its cell stays empty"
    assert f"theo sổ ngày {format_date(today())}" in said
    assert {address.partition("?t=")[2][:5] for address in _read(again)} == set(serials.values()) - {serials[closed]}
    # Printed again, the sheet says what the register says: only what hangs at a door is left to be told of.
    world.officer.send(run, f"{run}/prints", do="again", first="1", reason="đổi tên")
    marked = world.officer.get(run).text.partition('id="changed"')[2].partition("</section>")[0]
    assert serials[renamed] not in marked
    # Who asks for the sticker of a closed place by its code gets it.
    wanted = world.make([closed])
    answer = world.officer.send(wanted, f"{wanted}/prints", do="next", pages="1")
    file = f"{wanted}/prints/{location(answer).rpartition('=')[2]}.pdf"
    assert "Quán Thử 4" in _words(world.officer.get(file).content)


def test_a_printer_that_stopped_goes_on_from_the_sheet_that_failed(world: World) -> None:
    """Jammed at the second of three sheets: the rest of that lot, with the same serials, and nothing of others'."""
    with world.database.owner.connect() as connection:
        asked = text("SELECT id, ward_id FROM account.staff WHERE login = 'lan'")
        staff_id, ward_id = connection.execute(asked).one()
    order = RunOrder(ward_id, staff_id, "a jam", "chosen", {}, "a4_4", 4)
    with world.database.owner.begin() as connection:
        secrets = open_secrets(world.database.settings.data_dir)
        made = stickers.make_run(connection, secrets, order, world.ward.places, only_missing=False)
    run = f"{RUNS}/{made}"
    lot = location(world.officer.send(run, f"{run}/prints", do="next", pages="3")).rpartition("=")[2]
    world.colleague.send(run, f"{run}/prints", do="next", pages="1")
    whole = _read(world.officer.get(f"{run}/prints/{lot}.pdf").content)
    shown = world.officer.get(run).text
    assert f'name="print" value="{lot}"' in shown and "Máy in dừng giữa chừng?" in shown
    jam = {"do": "again", "print": lot, "last": "", "reason": "máy in dừng giữa chừng"}
    answer = world.officer.send(run, f"{run}/prints", **jam, first="2")
    page = world.officer.get(location(answer)).text
    assert "Tải trang 2–3 (PDF)" in page and "In lại: máy in dừng giữa chừng" in page
    rest = _read(world.officer.get(f"{run}/prints/{location(answer).rpartition('=')[2]}.pdf").content)
    assert rest and set(rest) < set(whole)
    assert len(whole) - len(rest) == 4
    for wrong in ("4", "0", "x"):
        refused = world.officer.send(run, f"{run}/prints", **jam, first=wrong)
        assert refused.status_code == 422, wrong
    assert world.officer.send(run, f"{run}/prints", **{**jam, "print": "999999"}, first="1").status_code == 404


def _words(pdf: bytes) -> str:
    return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in pypdfium2.PdfDocument(pdf))
