"""Whatever stands on a sticker or is typed: a page that helps, with the right status, and what it tells besides."""

import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from postgis import codes
from postgis.actor import Actor, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import life_cycle, lookup_codes, records
from tests.small_ward import SmallWard, add_staff, fill, lift_warnings
from tests.staff_clients import Browser
from web.lookup import style

READERS = {"w3m": ["-dump", "-cols", "70", "-T", "text/html"], "lynx": ["-dump", "-stdin", "-width=70"]}
"""Browsers that show text alone, and how they are given a page."""


@dataclass
class World:
    database: Database
    officer: Actor
    ward: SmallWard
    web: Browser

    def version(self, code: str) -> int:
        with self.database.owner.connect() as connection:
            found = records.version(connection, "establishments", code)
        assert found is not None
        return found

    def page(self, code: str, lang: str = "vi") -> str:
        answer = self.web.get(f"/q/{code}" + ("?lang=en" if lang == "en" else ""))
        assert answer.status_code == 200
        return answer.text

    def with_photo(self) -> tuple[str, str]:
        """The place that has a photo, and the photo's file."""
        asked = "SELECT e.code, p.file FROM register.photo p JOIN register.establishment e ON e.id = p.establishment_id"
        with self.database.owner.connect() as connection:
            code, file = connection.execute(text(asked)).one()
        return code, file


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "dead_ends", template="base")
    officer = add_staff(own, "officer", "officer")
    yield World(own, officer, fill(own, officer, 8), Browser(own))
    own.dispose()
    drop_database(server, "dead_ends")


def beside(code: str) -> str:
    """The code with a sign that lies beside the right one on the keyboard."""
    place = next(place for place, sign in enumerate(code) if sign in "8HJ23")
    return code[:place] + {"8": "B", "H": "J", "J": "H", "2": "Z", "3": "4"}[code[place]] + code[place + 1 :]


def swapped(code: str) -> str:
    """The code with two neighbours swapped."""
    swap = next(place for place in range(7) if code[place] != code[place + 1])
    return code[:swap] + code[swap + 1] + code[swap] + code[swap + 2 :]


def test_a_likely_slip_is_asked_about_and_never_led_on(world: World) -> None:
    code = next(code for code in world.ward.places if set(code) & set("8HJ23"))
    name = f"Quán Thử {world.ward.places.index(code)}"
    for typed in (beside(code), swapped(code)):
        answer = world.web.get(f"/q/{typed}")
        assert answer.status_code == 404
        assert f"Có phải “{name}”?" in answer.text and "Đường Thử" in answer.text
        assert f'href="/q/{code}"' in answer.text
        assert f"Do you mean “{name}”?" in world.web.get(f"/q/{typed}?lang=en").text


def test_nothing_is_asked_where_two_could_be_meant_or_none_was_issued(world: World) -> None:
    typed, other = next(
        (typed, other)
        for code in world.ward.places
        for place in range(codes.LENGTH)
        for typed in (code[:place] + sign + code[place + 1 :] for sign in codes.ALPHABET)
        for other in codes.one_slip_away(typed)
        if other != code and code in codes.one_slip_away(typed)
    )
    assert "Có phải" in world.web.get(f"/q/{typed}").text
    with world.database.owner.begin() as connection:
        connection.execute(text("INSERT INTO register.lookup_code (code) VALUES (:code)"), {"code": other})
    assert "Có phải" not in world.web.get(f"/q/{typed}").text
    never = codes.code_for("test/never issued")
    assert "Có phải" not in world.web.get(f"/q/{swapped(never)}").text


def test_a_code_that_no_place_has_yet(world: World) -> None:
    with world.database.owner.begin() as connection:
        unused = lookup_codes.issue(connection, 1)[0]
    answer = world.web.get(f"/q/{unused}")
    assert answer.status_code == 404
    assert "chưa gắn với cơ sở nào" in answer.text and "có thể là giả" not in answer.text
    data = world.web.get(f"/q/{unused}.json", Accept="*/*")
    assert data.status_code == 404 and data.json()["type"].endswith("unused_code")


def test_merged_ended_closed_and_moved_lead_on(world: World) -> None:
    twin, into, mistake, closed, moved = [place for place in world.ward.places[3:] if place != world.with_photo()[0]][
        :5
    ]
    for place in (twin, mistake):
        lift_warnings(world.database, place)
    with write_as(world.database, world.officer, reason="thử", source="office") as connection:
        life_cycle.merge(connection, twin, world.version(twin), into=into, reason="trùng")
        records.end(connection, "establishments", mistake, world.version(mistake), "lập nhầm")
        life_cycle.close(connection, closed, world.version(closed), reason="nghỉ bán")
    answer = world.web.get(f"/q/{twin}")
    assert answer.status_code == 308 and answer.headers["location"] == f"/q/{into}?from={twin}"
    assert f"Mã {codes.display(twin)} là bản trùng" in world.web.get(answer.headers["location"]).text
    gone = world.web.get(f"/q/{mistake}")
    assert gone.status_code == 410 and "không còn dùng" in gone.text and "có thể là giả" not in gone.text
    assert "đã đóng cửa" in world.page(closed)
    assert moved in world.ward.places


def test_former_names_that_were_public_for_a_month(world: World) -> None:
    place = world.ward.places[0]
    with write_as(world.database, world.officer, reason="đổi biển hiệu", source="office") as connection:
        records.change(connection, "establishments", place, world.version(place), {"name": "Quán Mới"})
    assert "Trước đây" not in world.page(place)
    with world.database.administrator() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(
            text(
                "UPDATE register.change SET at = at - interval '40 days' WHERE record_code = :code AND kind = 'insert'"
            ),
            {"code": place},
        )
    assert "Trước đây: Quán Thử 0" in world.page(place)
    assert "Formerly: Quán Thử 0" in world.page(place, "en")
    assert world.web.get(f"/q/{place}.json").json()["former_names"] == ["Quán Thử 0"]


def test_a_photo_is_shown_while_it_is_published(world: World) -> None:
    place, file = world.with_photo()
    assert f'src="/photos/{file}-480.jpg"' in world.page(place)
    assert world.web.get(f"/q/{place}.json").json()["photo"].endswith(f"/photos/{file}-480.jpg")
    with world.database.owner.begin() as connection:
        connection.execute(text("UPDATE register.photo SET ended_at = now(), end_reason = 'thử'"))
    assert "<img" not in world.page(place)


def test_a_place_of_a_dissolved_ward_names_what_that_became(world: World) -> None:
    place = world.ward.places[1]
    with world.database.administrator() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        old = connection.execute(
            text("SELECT id, name FROM register.ward WHERE code = '20258' AND valid_to IS NOT NULL")
        ).one()
        connection.execute(
            text("UPDATE register.establishment SET ward_id = :ward WHERE code = :code"),
            {"ward": old.id, "code": place},
        )
    page = world.page(place)
    assert "Phường Hòa Cường" in page
    assert f"thuộc {old.name}, nay thuộc phường Hòa Cường" in page


def test_words_of_the_inspection_and_who_said_them(world: World) -> None:
    place = world.ward.places[2]
    with world.database.owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE register.inspection SET official_words = 'Đạt yêu cầu tại thời điểm kiểm tra.' "
                "WHERE establishment_id = (SELECT id FROM register.establishment WHERE code = :code)"
            ),
            {"code": place},
        )
    page = world.page(place)
    assert "Đạt yêu cầu tại thời điểm kiểm tra." in page and "Đoàn thử" in page
    found = world.web.get(f"/q/{place}.json").json()["last_inspection"]
    assert found == {
        "code": world.ward.codes["inspections"][2],
        "inspected_on": "2026-01-02",
        "result": "pass",
        "agency": "Đoàn thử",
        "official_words": "Đạt yêu cầu tại thời điểm kiểm tra.",
    }


@pytest.mark.parametrize("reader", READERS)
def test_browsers_that_show_text_alone(world: World, reader: str, tmp_path: Path) -> None:
    program = shutil.which(reader)
    assert program, f"install {reader}: scripts/setup.sh test does"
    place = world.ward.places[2]
    shown = subprocess.run(
        [program, *READERS[reader]],
        input=world.page(place).encode(),
        capture_output=True,
        check=True,
        env={"LANG": "C.UTF-8", "HOME": str(tmp_path)},
    ).stdout.decode()
    told = " ".join(shown.split())
    wanted = ("Cảnh báo đang có hiệu lực", "Cảnh báo thử", "Quán Thử 2", "Bạn có đang đứng trước cửa hàng này?",
              "Đăng ký kinh doanh", "An toàn thực phẩm", "Thanh toán", "Đây không phải mã thanh toán",
              codes.display(place))  # fmt: skip
    positions = [told.find(part) for part in wanted]
    assert -1 not in positions and positions == sorted(positions)
    assert str(style())[:40] not in shown


def test_no_random_or_mutated_code_resolves_to_a_shop_it_should_not(world: World) -> None:
    chance = random.Random(20261122)
    issued = set(world.ward.places)
    signs = codes.ALPHABET + "01ILOSZBGDQUV"
    typed = ["".join(chance.choices(signs, k=8)) for _ in range(50_000)]
    for _ in range(50_000):
        code = list(chance.choice(world.ward.places))
        for place in chance.sample(range(8), chance.choice((1, 1, 2, 3))):
            code[place] = chance.choice(signs)
        typed.append("".join(code))
    resolved = {sign: code for sign in typed if (code := codes.normalise(sign)) is not None}
    with world.database.public.connect() as connection:
        statement = text("SELECT code FROM published.establishments WHERE code = ANY (:codes)")
        found = set(connection.execute(statement, {"codes": list(resolved.values())}).scalars())
    assert all(sign == code for sign, code in resolved.items())
    assert found <= issued
    for code in world.ward.places:
        for place in range(8):
            assert not any(
                codes.is_valid(code[:place] + sign + code[place + 1 :]) for sign in signs if sign != code[place]
            )
        for place in range(7):
            other = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
            assert other == code or codes.normalise(other) is None
    asked = [sign for sign in chance.sample(typed, 300) if codes.normalise(sign) is None]
    for text_typed in asked:
        page = world.web.get(f"/q/{text_typed}")
        assert page.status_code == 404
        if "Có phải" in page.text:
            assert any(f'href="/q/{code}"' in page.text for code in codes.one_slip_away(text_typed) if code in issued)
