"""The ward's change log over HTTP: who, what, when, why; filters, paging, the file; nothing of other wards."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from layers.change_log import COLLECTIONS
from postgis.actor import Actor, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import records
from tests.small_ward import OTHER_WARD, WARD, SmallWard, add_staff, fill
from tests.staff_clients import Browser, add_member

LOG = "/staff/changes"
CHANGES = 120


@dataclass
class World:
    database: Database
    ward: SmallWard
    planter: Actor
    officer: Browser
    surveyor: Browser
    stranger: Browser


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "change_log", template="base")
    planter = add_staff(own, "planter", "officer", display_name="Trần Thị Trồng")
    ward = fill(own, planter, 3)
    foreign = add_staff(own, "foreign", "officer", OTHER_WARD, display_name="Lê Văn Khác")
    fill(own, foreign, 1)
    place = ward.places[0]
    for number in range(CHANGES):
        with write_as(own, planter, reason=f"lý do số {number}") as connection:
            version = records.get(connection, "establishments", place).version
            records.change(connection, "establishments", place, version, {"offering": f"món {number}"})
    browsers = []
    for login, role, of_ward in (("lan", "officer", WARD), ("an", "surveyor", WARD), ("xa", "officer", OTHER_WARD)):
        add_member(own, login, role, ward=of_ward)
        browser = Browser(own)
        browser.sign_in(login)
        browsers.append(browser)
    yield World(own, ward, planter, *browsers)
    own.dispose()
    drop_database(server, "change_log")


def _moments(page: str) -> list[str]:
    _, found, timeline = page.partition('<ol class="timeline">')
    if not found:
        return []
    timeline = timeline.partition("</ol>")[0]
    return [re.sub(r"<[^>]+>", "", moment) for moment in timeline.split("<li>")[1:]]


def test_the_log_says_who_what_and_why_latest_first(world: World) -> None:
    answer = world.officer.get(LOG)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    moments = _moments(answer.text)
    assert len(moments) == 50
    for number, moment in enumerate(moments):
        assert f"lý do số {CHANGES - 1 - number}" in moment
        assert "Trần Thị Trồng" in moment and "Quán Thử 0" in moment
        assert f"món {CHANGES - 1 - number}" in moment
    assert f'href="/staff/establishments/{world.ward.places[0]}"' in answer.text
    assert world.surveyor.get(LOG).status_code == 200


def test_every_change_is_on_exactly_one_page(world: World) -> None:
    address, seen = f"{LOG}?person=people", 0
    while address:
        page = world.officer.get(address).text
        seen += len(_moments(page))
        onward = re.search(r'href="([^"]+)">Cũ hơn', page)
        address = onward[1].replace("&amp;", "&") if onward else ""
    with world.database.owner.connect() as connection:
        own = connection.exec_driver_sql(
            "SELECT count(*) FROM register.change c JOIN register.ward w ON w.id = c.ward_id "
            "WHERE w.code = '20257' AND c.actor_id IS NOT NULL AND c.collection <> 'accounts'"
        ).scalar_one()
    assert seen == own > CHANGES


def test_filters_narrow_the_log(world: World) -> None:
    of_licences = _moments(world.officer.get(f"{LOG}?collection=licences").text)
    assert len(of_licences) == 3
    assert all("giấy phép" in moment for moment in of_licences)
    assert _moments(world.officer.get(f"{LOG}?kind=end").text) == []
    by_planter = world.officer.get(f"{LOG}?person={world.planter.staff_id}&kind=insert&collection=establishments").text
    assert len(_moments(by_planter)) == 3
    assert f'value="{world.planter.staff_id}" selected' in by_planter
    assert _moments(world.officer.get(f"{LOG}?first=01/01/2000&last=31/12/2001").text) == []
    assert len(_moments(world.officer.get(f"{LOG}?first=01/01/2001").text)) == 50


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_field_and_kind_has_words(world: World, collection: str) -> None:
    page = world.officer.get(f"{LOG}?collection={collection}").text
    assert _moments(page), "the small ward holds a record of every kind"
    raw = re.findall(r"<dt>([a-z_]+)</dt>|<strong>[^<]*: ([a-z_]+_[a-z_]+)</strong>", page)
    assert not raw, raw


def test_another_ward_sees_its_own_changes_only(world: World) -> None:
    page = world.stranger.get(LOG).text
    assert "Lê Văn Khác" in page
    for word in ("Trần Thị Trồng", "lý do số", world.ward.places[0]):
        assert word not in page
    # A person of another ward is no filter here: nothing is told of whether they exist.
    assert "Trần Thị Trồng" not in world.stranger.get(f"{LOG}?person={world.planter.staff_id}").text


@pytest.mark.parametrize(
    "typed", ["31/12/9999", "01/01/0001", "2026-W01-1", "31/02/2026", "hôm qua", "<script>", "2026-13-01"]
)
def test_a_day_that_is_none_is_told_at_its_input_and_kept(world: World, typed: str) -> None:
    answer = world.officer.client.get(LOG, params={"first": typed, "kind": "update"})
    assert answer.status_code == 422
    assert "không phải là một ngày" in answer.text
    assert "<script>" not in answer.text.split("<main")[1]
    assert 'value="update" selected' in answer.text
    assert f'value="{typed.replace("<", "&lt;").replace(">", "&gt;")}"' in answer.text


def test_days_in_the_wrong_order_and_strange_cursors(world: World) -> None:
    wrong = world.officer.get(f"{LOG}?first=02/01/2026&last=01/01/2026")
    assert wrong.status_code == 422 and "Ngày đầu phải trước ngày cuối" in wrong.text
    for cursor in ("x", "-1", "1" * 40, "٣"):
        assert world.officer.client.get(LOG, params={"cursor": cursor}).status_code == 400
    assert world.officer.get(f"{LOG}?persom=1").status_code == 400


def test_the_file_holds_all_that_is_wanted(world: World) -> None:
    answer = world.officer.get(f"{LOG}?collection=establishments&f=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == CHANGES + 3
    first = rows[0]
    assert first["Người làm"] == "Trần Thị Trồng"
    assert first["Lý do"] == f"lý do số {CHANGES - 1}"
    assert f"món {CHANGES - 2} → món {CHANGES - 1}" in first["Nội dung thay đổi"]
    assert world.surveyor.get(f"{LOG}?f=csv").status_code == 403
    assert world.officer.get(f"{LOG}?first=x&f=csv").status_code == 400


def test_in_english(world: World) -> None:
    page = world.officer.get(f"{LOG}?lang=en&kind=update").text
    assert "Change log" in page and "Until the end of" in page
    assert re.search(r'href="[^"]*lang=en[^"]*">Older', page)
