"""A sticker that was rightly reported as false: marked in one transaction, on its page and on the page it opens."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from postgis.actor import prepare_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import reports, stickers
from postgis.store.reports import StickerFinding
from postgis.today import today
from tests.staff_clients import Browser, add_member, location
from tests.test_mapservice_scanned import World as Scanned

WORDS = "Tem này dán ở quầy khác, không phải quán ghi trên trang."
MISUSED = "phường xác nhận có tem mang số này bị sao chép hoặc dán sai chỗ"


class World(Scanned):
    """With an officer's browser."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        add_member(database, "lan", "officer")
        self.browser = Browser(database)
        location(self.browser.sign_in("lan"))

    def reported(self, code: str, *, scanned: bool = True, kind: str = "fake_sticker") -> int:
        """The number of a report that was sent from the page of the scanned sticker."""
        page = self.path(code) if scanned else f"/q/{code}"
        form = re.search(rf'href="(/q/{code}/report[^"]*)"', self.phone.get(page).text)
        assert form is not None
        sent = self.report(form[1].replace("&amp;", "&"), kind, WORDS)
        assert sent.status_code == 303, sent.text
        with self.database.owner.connect() as owner:
            return int(owner.execute(text("SELECT max(id) FROM register.citizen_report")).scalar_one())

    def answer(self, number: int, outcome: str = "sticker_replaced", **fields: str) -> None:
        page = f"/staff/reports/{number}"
        version = re.search(r'name="version" value="(\d+)"', self.browser.get(page).text)
        assert version is not None
        sent = {"action": "answer", "outcome": outcome, "answer": "Đã gỡ.", "version": version[1], **fields}
        assert location(self.browser.send("/staff/account", page, **sent)) == f"{page}?done=answer"

    def events(self, code: str) -> list[tuple[str, str | None, str | None]]:
        """What happened to a place's sticker: kind, by whom, note."""
        asked = text("SELECT v.kind, a.login, v.note FROM register.sticker_event v "
                     "JOIN register.sticker s ON s.id = v.sticker_id LEFT JOIN account.staff a ON a.id = v.staff_id "
                     "WHERE s.serial = :serial ORDER BY v.id")  # fmt: skip
        with self.database.owner.connect() as owner:
            return [tuple(row) for row in owner.execute(asked, {"serial": self.serials[code]})]

    def notice(self, code: str, lang: str = "") -> str:
        page = self.phone.get(self.path(code) + lang)
        assert page.status_code == 200
        return page.text.partition('<p class="gone">')[2].partition("</p>")[0]


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "reported_stickers", template="base")
    yield World(own)
    own.dispose()
    drop_database(server, "reported_stickers")


def test_the_form_says_which_sticker_goes_along(world: World) -> None:
    code = world.ward.places[0]
    serial, token = world.serials[code], world.path(code).partition("t=")[2]
    assert f"tem số {serial}" in world.phone.get(f"/q/{code}/report?t={token}").text
    assert f"sticker {serial}" in world.phone.get(f"/q/{code}/report?t={token}&lang=en").text
    for without in ("", "?t=2222222222", f"?t={token[::-1]}"):
        assert "tem số" not in world.phone.get(f"/q/{code}/report{without}").text


def test_a_right_report_marks_the_sticker_with_its_day_and_withdraws_it_only_when_told(world: World) -> None:
    code = world.ward.places[0]
    serial, number = world.serials[code], world.reported(code)
    assert world.notice(code) == "" and [event[0] for event in world.events(code)] == ["printed", "reported"]
    page = world.browser.get(f"/staff/reports/{number}").text
    assert f'href="/staff/stickers/{serial}"' in page and 'name="withdraw"' in page
    world.answer(number)
    note = f"Theo phản ánh số {number}"
    assert world.events(code)[2:] == [("misused", "lan", note)]
    day = f"{today():%d/%m/%Y}"
    assert MISUSED in world.notice(code) and f"Ngày {day} (hôm nay)" in world.notice(code)
    assert f"On {day} (today) the ward found" in world.notice(code, "&lang=en")
    shown = world.browser.get(f"/staff/stickers/{serial}").text
    assert note in shown and "Người thử lan" in shown
    assert '<p class="message caution">Phường xác nhận tem bị sao chép hoặc dán sai chỗ, ' + day in shown
    # The place itself is none the worse for it.
    assert MISUSED not in world.phone.get(f"/q/{code}").text
    second = world.reported(code)
    world.answer(second, withdraw="true")
    assert [event[0] for event in world.events(code)[3:]] == ["reported", "misused", "withdrawn"]
    assert MISUSED in world.notice(code) and f"Tem này đã bị thu hồi ngày {day} (hôm nay)" in world.notice(code)
    # There is nothing left to withdraw: another right report is only noted.
    third = world.reported(code)
    assert 'name="withdraw"' not in world.browser.get(f"/staff/reports/{third}").text
    world.answer(third, withdraw="true")
    assert [event[0] for event in world.events(code)[6:]] == ["reported", "misused"]


@pytest.mark.parametrize(
    ("outcome", "scanned", "kind"),
    [("sticker_genuine", True, "fake_sticker"), ("nothing_found", True, "fake_sticker"),
     ("sticker_replaced", False, "fake_sticker"), ("sticker_replaced", True, "hygiene")],
)  # fmt: skip
def test_no_other_report_marks_a_sticker(world: World, outcome: str, scanned: bool, kind: str) -> None:
    code = world.ward.places[1]
    world.answer(world.reported(code, scanned=scanned, kind=kind), outcome, withdraw="true")
    assert {event[0] for event in world.events(code)} <= {"printed", "reported"} and world.notice(code) == ""


def test_a_refused_answer_marks_nothing(world: World) -> None:
    """Report and sticker in one transaction: what fails after the answer takes the answer back, and the other way."""
    code = world.ward.places[2]
    number = world.reported(code)
    page = f"/staff/reports/{number}"
    sent = {"action": "answer", "outcome": "sticker_replaced", "version": "1", "answer": "  "}
    assert world.browser.send("/staff/account", page, **sent).status_code == 422
    assert world.browser.send("/staff/account", page, **(sent | {"answer": "Gỡ", "version": "7"})).status_code == 409
    assert [event[0] for event in world.events(code)] == ["printed", "reported"]
    finding = StickerFinding("Theo phản ánh", withdraw=True)
    with pytest.MonkeyPatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr(stickers, "move", lambda *_, **__: 1 // 0)
        with prepare_as(world.database, world.officer) as connection:
            reports.answer(
                connection, world.officer, number, 1, outcome="sticker_replaced", words="Đã gỡ.", finding=finding
            )
    assert [event[0] for event in world.events(code)] == ["printed", "reported"]
    with world.database.owner.connect() as owner:
        state = text("SELECT state FROM register.citizen_report WHERE id = :number")
        assert owner.execute(state, {"number": number}).scalar_one() == "received"
