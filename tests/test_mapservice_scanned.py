"""The look-up page for who comes by a sticker: a false one is called so, a withdrawn one says since when."""

import random
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import text

from mapservice.app import create_app
from mapservice.settings import HttpSettings
from postgis import codes
from postgis.actor import Actor, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.secrets import open_secrets
from postgis.store import life_cycle, records
from tests.printed_stickers import PrintedStickers
from tests.small_ward import MIDDLE, WARD, SmallWard, add_staff, fill, lift_warnings

FALSE = "Tem này không do phường phát hành"


class World:
    """A ward whose first places have a sticker each, and a phone."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.officer: Actor = add_staff(database, "officer", "officer")
        self.ward: SmallWard = fill(database, self.officer, 6)
        secrets = open_secrets(database.settings.data_dir)
        stickers = PrintedStickers(database, self.officer, secrets, self.ward.places)
        self.serials, self.path, self.move = stickers.serials, stickers.path, stickers.move
        self.token = stickers.token
        self.phone = TestClient(create_app(HttpSettings(sample="none"), database), follow_redirects=False)

    def report(self, form: str, kind: str, words: str) -> Response:
        return self.phone.post(form, data={"kind": kind, "words": words}, files={"photo": ("", b"")})


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "scanned", template="base")
    yield World(own)
    own.dispose()
    drop_database(server, "scanned")


def test_a_genuine_sticker_opens_its_place_and_tells_its_serial(world: World) -> None:
    code = world.ward.places[0]
    answer = world.phone.get(world.path(code))
    assert answer.status_code == 200
    assert "Quán Thử 0" in answer.text and f"số tem {world.serials[code]}" in answer.text
    assert 'class="gone"' not in answer.text
    assert "set-cookie" not in answer.headers
    plain = world.phone.get(f"/q/{code}")
    assert plain.status_code == 200 and "số tem" not in plain.text
    other_language = f"?t={world.path(code).partition('t=')[2]}&amp;lang=en"
    assert other_language in answer.text


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (("withdrawn",), "đã bị thu hồi ngày"),
        (("lost",), "đã được báo mất ngày"),
        (("installed", "replaced"), "đã được thay bằng tem mới ngày"),
        (("spoilt",), "bản in hỏng"),
    ],
)
def test_a_sticker_out_of_use_says_so_with_its_date(world: World, states: tuple[str, ...], words: str) -> None:
    code = world.ward.places[1 + ["withdrawn", "lost", "replaced", "spoilt"].index(states[-1])]
    world.move(code, *states)
    answer = world.phone.get(world.path(code))
    assert answer.status_code == 200
    notice = answer.text.partition('class="gone">')[2].partition("</p>")[0]
    assert words in notice and "hôm nay" in notice
    assert "Quán Thử" in answer.text
    english = world.phone.get(world.path(code) + "&lang=en").text
    assert "This sticker" in english.partition('class="gone">')[2].partition("</p>")[0]


@pytest.mark.parametrize("wrong", ["2222222222", "x", "K7M42XP2AC", "%00", "<b>", "Ａ" * 10, "A" * 4000])
def test_a_made_up_sticker_is_called_false_and_leads_on(world: World, wrong: str) -> None:
    code = world.ward.places[0]
    answer = world.phone.get(f"/q/{code}?t={wrong}")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    assert FALSE in answer.text and "OTP" in answer.text
    assert f'href="/q/{code}"' in answer.text  # the plain page of the real place
    assert "Quán Thử" not in answer.text
    form = answer.text.partition("/report?")[0].rpartition('href="')[2] + "/report?kind=fake_sticker"
    assert form in answer.text and 'value="fake_sticker" required checked' in world.phone.get(form).text
    assert "<b>" not in answer.text and len(answer.content) < 8000
    english = world.phone.get(f"/q/{code}?t={wrong}&lang=en")
    assert "The ward has not issued this sticker" in english.text
    # Who changes the language is still told.
    follow = answer.text.partition(' hreflang="en"')[0].rpartition('href="')[2].partition('"')[0]
    assert world.phone.get(follow.replace("&amp;", "&")).status_code == 404


def test_a_false_sticker_with_a_code_that_leads_nowhere(world: World) -> None:
    for code in (codes.new_code(random.Random(5)), "K7M42XPA", "nonsense"):
        answer = world.phone.get(f"/q/{code}?t=2222222222")
        assert answer.status_code == 404
        assert FALSE in answer.text and f'href="/q/{code}"' not in answer.text
    assert FALSE not in world.phone.get(f"/q/{codes.new_code(random.Random(5))}").text


def test_a_mark_does_not_move_to_another_place(world: World) -> None:
    one, other = world.ward.places[0], world.ward.places[5]
    assert world.phone.get(world.path(one).replace(one, other)).status_code == 404


def test_a_sticker_of_a_duplicate_leads_on_with_its_mark(world: World) -> None:
    kept, duplicate = world.ward.places[0], world.ward.places[5]
    lift_warnings(world.database, duplicate)
    with write_as(world.database, world.officer, reason="trùng") as connection:
        connection.execute(
            text("UPDATE register.establishment SET ended_at = now(), end_reason = 'trùng', merged_into_id = "
                 "(SELECT id FROM register.establishment WHERE code = :kept) WHERE code = :code"),
            {"kept": kept, "code": duplicate},
        )  # fmt: skip
    answer = world.phone.get(world.path(duplicate))
    assert answer.status_code == 308
    onward = answer.headers["location"]
    assert f"/q/{kept}?" in onward and f"from={duplicate}" in onward and "t=" in onward
    page = world.phone.get(onward)
    assert page.status_code == 200 and "Quán Thử 0" in page.text
    assert f"số tem {world.serials[duplicate]}" in page.text
    # A false one of the duplicate's code is false before it leads anywhere.
    assert world.phone.get(f"/q/{duplicate}?t=2222222222").status_code == 404


def test_a_report_of_a_genuine_sticker_as_false_is_noted_with_it_and_names_nobody(world: World) -> None:
    code, other = world.ward.places[0], world.ward.places[4]
    with world.database.owner.connect() as owner:
        noted = text("SELECT s.serial, e.staff_id, e.note FROM register.sticker_event e "
                     "JOIN register.sticker s ON s.id = e.sticker_id WHERE e.kind = 'reported'")  # fmt: skip
        assert owner.execute(noted).all() == []
    page = world.phone.get(world.path(code)).text
    form = page.partition("/report?t=")[2].partition('"')[0]
    form = f"/q/{code}/report?t={form}"
    assert world.phone.get(form).status_code == 200
    words = "Tem này dán ở quầy khác, không phải quán ghi trên trang."
    elsewhere = form.replace(code, other)
    made_up = f"/q/{code}/report?t=2222222222"
    for address, kind in ((elsewhere, "fake_sticker"), (made_up, "fake_sticker"), (form, "hygiene")):
        answer = world.report(address, kind, words)
        assert answer.status_code == 303, address
    with world.database.owner.connect() as owner:
        assert owner.execute(noted).all() == []
    answer = world.report(form, "fake_sticker", words)
    assert answer.status_code == 303 and answer.headers["location"].endswith("?sent=1")
    with world.database.owner.connect() as owner:
        assert owner.execute(noted).all() == [(world.serials[code], None, None)]
    # What was typed wrong keeps the sticker.
    again = world.report(form, "fake_sticker", "")
    assert again.status_code == 422 and f'action="{form}"' in again.text
    # Who comes by a link has no sticker in hand.
    assert f'href="/q/{code}/report"' in world.phone.get(f"/q/{code}").text


def test_a_sticker_of_a_duplicate_of_a_duplicate_leads_to_the_end(world: World) -> None:
    """Found one after the other: the first leads on to the last, with its mark and its own code."""
    with write_as(world.database, world.officer, reason="thử", source="office") as connection:
        lon, lat = MIDDLE[WARD]
        made = [
            records.create(
                connection, "establishments",
                {"name": f"Quán Trùng {number}", "sector_group": "food_service", "source": "office",
                 "operating_status": "active", "geometry": {"type": "Point", "coordinates": [lon, lat]},
                 "position_method": "surveyed"},
                ward_id=world.officer.ward_id,
            )
            for number in range(3)
        ]  # fmt: skip
        first, second, last = (record.code for record in made)
        life_cycle.merge(connection, first, made[0].version, into=second, reason="trùng")
        life_cycle.merge(connection, second, made[1].version, into=last, reason="trùng")
    token = world.token(first, "AAAAA")
    answer = world.phone.get(f"/q/{first}?t={token}")
    assert answer.headers["location"] == f"/q/{last}?t={token}&from={first}"
    shown = world.phone.get(answer.headers["location"])
    assert shown.status_code == 200 and ">Quán Trùng 2</h1>" in shown.text
    assert FALSE not in shown.text and f"Mã {codes.display(first)}" in shown.text
    with write_as(world.database, world.officer, reason="nhầm", source="office") as connection:
        version = records.version(connection, "establishments", second)
        life_cycle.undo_merge(connection, second, version or 0)
    assert world.phone.get(f"/q/{first}").headers["location"] == f"/q/{second}?from={first}"


def test_a_sticker_of_a_code_that_a_restored_register_lacks_is_no_false_one(world: World) -> None:
    code = codes.new_code(random.Random(7))
    answer = world.phone.get(f"/q/{code}?t={world.token(code, 'AAAAA')}")
    assert answer.status_code == 404
    assert "mang dấu của phường" in answer.text and "giả" not in answer.text
    assert f'href="/q/{code}/report"' in answer.text.replace("-", "")
    assert world.phone.get(f"/q/{code}/report").status_code == 200
    english = world.phone.get(f"/q/{code}?t={world.token(code, 'AAAAA')}&lang=en").text
    assert "carries the ward" in english
    # A mark of a key that came after the backup.
    place = world.ward.places[0]
    later = world.phone.get(f"/q/{place}?t={world.token(place, 'AAAAA', version=2)}")
    assert later.status_code == 200 and "chưa có trong sổ tem" in later.text
