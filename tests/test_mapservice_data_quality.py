"""Data quality: each figure is what its words say, the list behind it has as many places, one pass tells each month."""

import csv
import html
import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from layers import data_quality
from layers.data_quality import MEASURES, month_ends
from postgis.actor import Actor, read_as
from postgis.engine import Database, create_database, drop_database
from postgis.today import today
from tests.small_ward import WARD, SmallWard, add_staff, fill, ward_id_of
from tests.staff_clients import OTHER_WARD, Browser, add_member

PAGE = "/board/data-quality"
DAYS = 10
"""Some of the days of a trend that are asked for by themselves: each is a scan of its own."""


@pytest.fixture(scope="module")
def ward(server: Database, base_database: Database) -> Iterator[tuple[Database, Actor, SmallWard]]:
    base_database.dispose()
    own = create_database(server, "data_quality", template="base")
    for role in ("surveyor", "officer"):
        add_member(own, role, role)
    add_member(own, "other", "officer", ward=OTHER_WARD)
    worker = add_staff(own, "worker", "officer")
    made = fill(own, worker, 8)
    edits = (
        "UPDATE register.establishment SET position_accuracy_m = 10 WHERE code = '{0}'",
        "UPDATE register.establishment SET position_accuracy_m = 200 WHERE code = '{1}'",
        "UPDATE register.establishment SET position_method = 'generated', position_accuracy_m = 10 WHERE code = '{2}'",
        "UPDATE register.establishment SET operating_status = 'closed' WHERE code = '{3}'",
        "UPDATE register.establishment SET sector_group = 'public_place' WHERE code = '{4}'",
        "UPDATE register.establishment SET name = NULL, address = NULL, sector_group = 'repair' WHERE code = '{5}'",
        "UPDATE register.establishment SET verified_on = current_date - 3 WHERE code = '{5}'",
        "UPDATE register.establishment SET verified_on = current_date - 4000 WHERE code = '{6}'",
        "UPDATE register.establishment SET residential_group_id = (SELECT id FROM register.residential_group LIMIT 1) "
        "WHERE code IN ('{6}', '{7}')",
        "UPDATE register.licence SET ended_at = now() WHERE establishment_id = "
        "(SELECT id FROM register.establishment WHERE code = '{7}')",
    )
    with own.owner.begin() as connection:
        for edit in edits:
            connection.execute(text(edit.format(*made.places)))
    yield own, worker, made
    own.dispose()
    drop_database(server, "data_quality")


def test_figures_are_what_their_words_say(ward: tuple[Database, Actor, SmallWard]) -> None:
    database, worker, _ = ward
    with read_as(database, worker) as connection:
        found = data_quality.quality(connection, worker.ward_id, today())
    # Eight places, one closed, one a public place: six count.
    figures = {code: (each.population, each.yes, each.no, each.unknown) for code, each in found.ward.items()}
    assert figures["position"] == (6, 1, 2, 3)
    assert figures["name"] == figures["address"] == (6, 5, 1, 0)
    assert figures["residential_group"] == (6, 2, 4, 0)
    assert figures["sector_code"] == (6, 0, 6, 0)
    assert figures["licence"] == (6, 5, 1, 0)
    # Five places of food: one of the six mends things.
    assert figures["food_safety"] == (5, 5, 0, 0)
    assert figures["fresh_address"] == (6, 1, 1, 4)
    assert found.ward["position"].share == pytest.approx(100 / 3), "what is unknown is no part of a share"
    assert found.ward["fresh_digital"].share in (0.0, 100.0)
    assert {code: each["name"].population for code, each in found.groups.items()} == {None: 4, f"{WARD}-901": 2}


def test_the_list_behind_each_figure_has_as_many_places(ward: tuple[Database, Actor, SmallWard]) -> None:
    database, *_ = ward
    officer = Browser(database)
    officer.sign_in("officer")
    links = 0
    for code in MEASURES:
        page = officer.get(f"{PAGE}?measure={code}")
        assert page.status_code == 200
        for href, number in re.findall(r'<a href="(/staff/[^"]+)" aria-label="[^"]*">([\d.]+)</a>', page.text):
            listed = officer.get(html.unescape(href))
            assert listed.status_code == 200, href
            if href.startswith("/staff/establishments"):
                assert len(set(re.findall(r'/staff/establishments/([2-9A-Y]{8})"', listed.text))) == int(number), (
                    code,
                    href,
                )
                links += 1
    assert links > 30


def test_one_pass_tells_what_each_day_tells_by_itself(demo_database: Database) -> None:
    with demo_database.owner.connect() as connection:
        ward_id = ward_id_of(connection, WARD)
        trend = data_quality.trend(connection, ward_id, today())
        assert [day for day, _ in trend] == month_ends(today(), 12)[-len(trend) :]
        assert len(trend) >= DAYS
        for day, figures in trend[-DAYS:]:
            assert figures == data_quality.quality(connection, ward_id, day).ward, day
    populations = [figures["name"].population for _, figures in trend]
    assert len(set(populations)) > 3, "the sample's register grew"
    assert any(figures["fresh_payment"].no for _, figures in trend)


def test_month_ends() -> None:
    days = month_ends(today(), 12)
    assert days == sorted(set(days)) and days[-1] == today() and len(days) == 13
    assert all((day + timedelta(days=1)).day == 1 for day in days[:-1])


def test_the_page_says_definition_denominator_day_and_records(ward: tuple[Database, Actor, SmallWard]) -> None:
    database, *_ = ward
    officer = Browser(database)
    officer.sign_in("officer")
    page = officer.get(PAGE).text
    assert f"{today():%d/%m/%Y}" in page and "6 cơ sở đang tính" in page
    assert (
        "33,3" in page
        and "sai số ghi rõ, không quá 50 m" in page
        and "Tổ Thử" in page
        and "Chưa gắn tổ dân phố" in page
    )
    for title in ("Đúng", "Đủ", "Sạch", "Sống"):
        assert f">{title}</h2>" in page
    past = officer.get(f"{PAGE}?as_of={today() - timedelta(days=1)}")
    assert past.status_code == 200 and "Sổ chưa có cơ sở nào" in past.text and "/staff/establishments?" not in past.text
    assert officer.get(f"{PAGE}?lang=en").status_code == 200


def test_as_a_file_every_figure_of_every_group(ward: tuple[Database, Actor, SmallWard]) -> None:
    database, *_ = ward
    officer = Browser(database)
    officer.sign_in("officer")
    answer = officer.get(f"{PAGE}?f=csv")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 1 + 3 * len(MEASURES)
    positions = [row for row in rows if row[2] == "position"]
    assert [row[5:9] for row in positions] == [["6", "1", "2", "3"], ["2", "0", "0", "2"], ["4", "1", "2", "1"]]


def test_who_sees_it(ward: tuple[Database, Actor, SmallWard]) -> None:
    database, *_ = ward
    assert Browser(database).get(PAGE).status_code in (303, 401)
    surveyor, other = Browser(database), Browser(database)
    surveyor.sign_in("surveyor")
    other.sign_in("other")
    assert surveyor.get(PAGE).status_code == 200
    # Row-level security: of another ward's places nothing, whoever asks.
    page = other.get(PAGE)
    assert page.status_code == 200 and "Sổ chưa có cơ sở nào" in page.text
    for query in ("measure=nothing", "as_of=31/12/2026", "as_of=2999-01-01", "as_of=2026-02-30", "what=1"):
        assert surveyor.get(f"{PAGE}?{query}").status_code == 400, query
