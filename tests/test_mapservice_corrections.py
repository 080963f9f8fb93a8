"""The correction form: only what was changed is proposed, within the bounds of every proposal; and attacked."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text

from postgis.actor import write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import records
from tests.record_pages import form_to
from tests.small_ward import SmallWard, add_staff, fill
from tests.staff_clients import Browser, add_member, location


@dataclass
class World:
    database: Database
    ward: SmallWard
    officer: Browser
    nobody: Browser

    def fill_in(self, place: str, **typed: str) -> httpx.Response:
        """The form as a browser without script sends it, with some inputs filled anew."""
        page = self.nobody.get(f"/q/{place}/correct")
        found = form_to(page.text, f"/q/{place}/correct")
        return self.nobody.client.post(found.action, data=found.values(**typed))


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "corrections", template="base")
    ward = fill(own, add_staff(own, "planter", "officer"), 7)
    add_member(own, "lan", "officer")
    officer = Browser(own)
    location(officer.sign_in("lan"))
    yield World(own, ward, officer, Browser(own))
    own.dispose()
    drop_database(server, "corrections")


def test_only_what_was_changed_is_proposed_and_applied(world: World) -> None:
    place = world.ward.places[0]
    way = location(world.fill_in(place, opening_hours="06:00-21:00", reason="Vừa ăn sáng ở đây, giờ đã đổi."))
    receipt = way.removeprefix("/proposals/")
    page = world.nobody.get(way).text
    assert "06:00–21:00" in page and "Quán Thử 0" in page
    with world.database.owner.connect() as owner:
        row = owner.execute(
            text("SELECT patch, proposer_kind, proposed_by FROM register.proposal WHERE receipt = :r"), {"r": receipt}
        ).one()
    assert row == ({"opening_hours": "06:00-21:00"}, "citizen", None)
    done = world.officer.send("/staff/account", f"/staff/proposals/{receipt}", action="apply")
    assert done.status_code == 303
    assert "06:00–21:00" in world.nobody.get(f"/q/{place}").text


def test_what_somebody_else_changed_meanwhile_is_not_taken_back(world: World) -> None:
    place = world.ward.places[1]
    page = world.nobody.get(f"/q/{place}/correct")
    found = form_to(page.text, f"/q/{place}/correct")
    officer = add_staff(world.database, "khac", "officer")
    with write_as(world.database, officer, reason="thử") as connection:
        version = records.get(connection, "establishments", place).version
        records.change(connection, "establishments", place, version, {"name": "Quán Tên Mới"})
    sent = world.nobody.client.post(found.action, data=found.values(address="9 Đường Thử", reason="biển số nhà mới"))
    receipt = location(sent).removeprefix("/proposals/")
    with world.database.owner.connect() as owner:
        patch = owner.execute(
            text("SELECT patch FROM register.proposal WHERE receipt = :r"), {"r": receipt}
        ).scalar_one()
    assert patch == {"address": "9 Đường Thử"}


def test_what_is_published_is_shown_as_people_write_it_and_not_proposed(world: World) -> None:
    place = world.ward.places[6]
    officer = add_staff(world.database, "gio", "officer")
    values = {"offering": "bubble_tea;beef_noodle;bánh ép", "opening_hours": "Mo-Su 07:00-21:00"}
    with write_as(world.database, officer, reason="thử") as connection:
        version = records.get(connection, "establishments", place).version
        records.change(connection, "establishments", place, version, values)
    shown = form_to(world.nobody.get(f"/q/{place}/correct").text, f"/q/{place}/correct").values()
    assert shown["offering"] == ["trà sữa, bún bò, bánh ép"] and shown["opening_hours"] == ["07:00-21:00"]
    receipt = location(world.fill_in(place, stall="B7", reason="quầy mới")).removeprefix("/proposals/")
    with world.database.owner.connect() as owner:
        asked = text("SELECT patch FROM register.proposal WHERE receipt = :r")
        assert owner.execute(asked, {"r": receipt}).scalar_one() == {"stall": "B7"}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"reason": "tôi thấy vậy"}, "Chưa có ô nào được sửa"),
        ({"name": "Quán Khác"}, "Hãy điền ô Lý do"),
        ({"name": "Quán Khác", "reason": "a" * 501}, "dài quá 500 ký tự"),
        ({"name": "a" * 201, "reason": "thử"}, "dài quá 200 ký tự"),
        ({"name": "Quán \u202e Khác", "reason": "thử"}, "ký tự không đọc được"),
        ({"sector_group": "weapons", "reason": "thử"}, "không nhận “weapons”"),
        ({"operating_status": "burnt", "reason": "thử"}, "không nhận “burnt”"),
        ({"seen": "[" * 15_000, "name": "Quán Khác", "reason": ""}, "Hãy điền ô Lý do"),
        ({"seen": "x", "reason": "thử"}, "Chưa có ô nào được sửa"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_stays(world: World, typed: dict[str, str], told: str) -> None:
    answer = world.fill_in(world.ward.places[2], **typed)
    assert answer.status_code == 422 and told in answer.text
    if typed.get("reason"):
        assert typed["reason"] in answer.text


def test_fields_that_are_not_public_are_not_proposed(world: World) -> None:
    place = world.ward.places[3]
    hostile = {
        "tax_code": "0100109106",
        "ended": "true",
        "legal_entity": "LE",
        "live_warning": "false",
        "geometry": "x",
    }
    assert "Chưa có ô nào" in world.fill_in(place, reason="thử", **hostile).text
    receipt = location(world.fill_in(place, name="<b>Quán</b> '; --", reason="thử", **hostile))
    page = world.nobody.get(receipt).text
    assert "&lt;b&gt;Quán&lt;/b&gt;" in page and "<b>Quán" not in page


def test_it_is_bounded_and_other_sites_cannot_send_it(world: World) -> None:
    place = world.ward.places[4]
    statuses = [world.fill_in(place, name=f"Quán {number}", reason="thử").status_code for number in range(22)]
    assert statuses == [303] * 20 + [429] * 2
    refused = world.fill_in(place, name="Quán Cuối", reason="thử")
    assert "đang chờ duyệt" in refused.text and "Quán Cuối" in refused.text and refused.headers["retry-after"]
    client = Browser(world.database).client
    client.headers["Sec-Fetch-Site"] = "cross-site"
    form = {"name": "Quán Khác", "reason": "thử"}
    assert client.post(f"/q/{world.ward.places[5]}/correct", data=form).status_code == 403


def test_codes_of_no_place_say_so(world: World) -> None:
    for code in ("K7M42XPA", "23456789", "%20"):
        assert world.nobody.get(f"/q/{code}/correct").status_code == 404
        assert world.nobody.post(f"/q/{code}/correct", {"name": "x"}).status_code == 404
