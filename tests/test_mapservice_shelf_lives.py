"""How long facts stay fresh: chosen by a ward's leaders, counted by at once, noted in the history."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from postgis.actor import read_as
from postgis.engine import Database, create_database, drop_database
from postgis.vocabulary import FRESHNESS_FACTS
from tests.record_pages import errors_at, fill_in, holds, send
from tests.small_ward import OTHER_WARD, SmallWard, add_staff, fill
from tests.staff_clients import Browser, add_member, location

PAGE = "/staff/shelf-lives"
DEFAULTS = {"payment": 6, "licence": 24, "address": 24, "food_safety": 12, "digital": 12}
STALE = text("SELECT count(*) FROM register.establishment_overview WHERE 'payment' = ANY (stale)")
UNTIL = text("SELECT payment_checked_on, payment_fresh_until FROM register.establishment_overview ORDER BY id LIMIT 1")


@dataclass
class World:
    database: Database
    ward: SmallWard
    leader: Browser
    officer: Browser


@pytest.fixture
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "shelf_lives", template="base")
    ward = fill(own, add_staff(own, "planter", "officer"), 2)
    fill(own, add_staff(own, "foreign", "officer", OTHER_WARD), 1)
    browsers = []
    for login, role in (("hoa", "approver"), ("lan", "officer")):
        add_member(own, login, role)
        browser = Browser(own)
        browser.sign_in(login)
        browsers.append(browser)
    yield World(own, ward, *browsers)
    own.dispose()
    drop_database(server, "shelf_lives")


def test_a_choice_counts_at_once_in_the_ward_and_nowhere_else(world: World) -> None:
    with world.database.owner.begin() as connection:
        connection.execute(text("UPDATE register.payment_acceptance SET checked_on = current_date - 100"))
    near, far = (
        add_staff(world.database, name, "officer", ward) for name, ward in (("near", "20257"), ("far", OTHER_WARD))
    )
    for actor in (near, far):
        with read_as(world.database, actor) as connection:
            assert connection.execute(STALE).scalar_one() == 0
    answer = fill_in(world.leader, PAGE, PAGE, payment="3", reason="theo kết luận giao ban")
    assert location(answer) == f"{PAGE}?done=saved"
    with read_as(world.database, near) as connection:
        assert connection.execute(STALE).scalar_one() == 2
        checked, until = connection.execute(UNTIL).one()
        assert (until.year * 12 + until.month) - (checked.year * 12 + checked.month) == 3
    with read_as(world.database, far) as connection:
        assert connection.execute(STALE).scalar_one() == 0
    # The same on the record's own sections and in the ward's log, with the reason.
    assert "theo kết luận giao ban" in world.leader.get("/staff/changes?collection=shelf_lives").text
    with world.database.owner.connect() as connection:
        assert connection.execute(text("SELECT broken_seq FROM register.verify_changes()")).scalar_one() is None
        assert connection.execute(text("SELECT count(*) FROM register.altered_records()")).scalar_one() == 0
    again = fill_in(world.leader, PAGE, PAGE, reason="không đổi gì")
    assert location(again) == f"{PAGE}?done=unchanged"


@pytest.mark.parametrize("typed", ["0", "241", "-3", "6,5", "sáu", "", "9" * 30, "<b>", "٣"])
@pytest.mark.parametrize("fact", FRESHNESS_FACTS)
def test_what_is_no_number_of_months_is_told_at_its_input_and_kept(world: World, fact: str, typed: str) -> None:
    answer = fill_in(world.leader, PAGE, PAGE, **{fact: typed, "reason": "thử"})
    assert answer.status_code == 422
    assert errors_at(answer.text, fact) == ["Số tháng phải là số nguyên từ 1 đến 240."]
    assert holds(answer.text, fact, typed)
    assert world.leader.get(PAGE).text.count(f'value="{DEFAULTS[fact]}"') >= 2


def test_a_reason_is_needed(world: World) -> None:
    answer = fill_in(world.leader, PAGE, PAGE, payment="9")
    assert answer.status_code == 422
    assert errors_at(answer.text, "reason")
    assert holds(answer.text, "payment", "9")


def test_a_reason_that_nobody_can_read_is_refused(world: World) -> None:
    answer = fill_in(world.leader, PAGE, PAGE, payment="9", reason="vì\x01sao")
    assert answer.status_code == 422
    assert errors_at(answer.text, "reason")


def test_two_leaders_at_once(world: World) -> None:
    page = world.leader.get(PAGE).text
    fill_in(world.leader, PAGE, PAGE, payment="4", reason="người nhanh hơn")
    late = send(world.leader, page, PAGE, payment="9", reason="người chậm hơn")
    assert late.status_code == 409
    assert "Hiện nay: 4 tháng" in late.text and holds(late.text, "payment", "9")
    assert location(send(world.leader, late.text, PAGE)) == f"{PAGE}?done=saved"
    assert 'value="9"' in world.leader.get(PAGE).text


def test_others_read_only(world: World) -> None:
    page = world.officer.get(PAGE)
    assert page.status_code == 200
    assert "<form method" not in page.text.split("<main")[1]
    assert "6 tháng" in page.text
    assert world.officer.send(PAGE, PAGE, payment="1", reason="x").status_code == 403
