"""How a record and the ward's figures stood on a past day, on screen and for programs."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from postgis.engine import Database
from postgis.today import today
from tests.register_api import ITEMS, Api, code_of, register_api
from tests.staff_clients import Browser, add_member

LAST_WEEK = (today() - timedelta(days=7)).isoformat()
BEFORE = (today() - timedelta(days=30)).isoformat()
TOMORROW = (today() + timedelta(days=1)).isoformat()
WRONG = ("31/12/2025", "2025-02-30", "20250101", "2025-W01-1", "hôm qua", "1900-01-01", TOMORROW)


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "past_days") as found:
        # As if all that `fill` has made had been made ten days ago.
        with found.database.administrator() as connection:
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text("UPDATE register.change SET at = at - interval '10 days'"))
        yield found


@pytest.fixture(scope="module")
def browser(api: Api) -> Browser:
    add_member(api.database, "xem-lai", "surveyor")
    found = Browser(api.database)
    assert found.sign_in("xem-lai").status_code == 303
    return found


@pytest.fixture(scope="module")
def place(api: Api) -> str:
    """A place of last week whose name, pin and licence have changed today; its address in the API."""
    path = f"{ITEMS.format('establishments')}/{api.ward.places[0]}"
    body = {"properties": {"name": "Quán Mới Đổi"}, "geometry": {"type": "Point", "coordinates": [108.2139, 16.0435]}}
    assert api.ask("PATCH", path, "officer", seen=api.etag(path), body=body).status_code == 200
    licence = {"establishment": api.ward.places[0], "kind": "alcohol_retail", "number": "12/GP-MOI"}
    api.add("licences", **licence, checked_on="2026-10-01", source="office")
    return path


def test_a_record_as_a_program_reads_it(api: Api, place: str) -> None:
    answer = api.ask("GET", f"{place}?as_of={LAST_WEEK}", "surveyor")
    assert answer.status_code == 200 and answer.headers["cache-control"] == "private, no-cache"
    then, now = answer.json(), api.get(place, "surveyor")
    assert then["as_of"] == LAST_WEEK and then["properties"]["name"] == "Quán Thử 0"
    assert now["properties"]["name"] == "Quán Mới Đổi" and now["geometry"] != then["geometry"]
    assert then["properties"]["version"] == 1 and then["properties"]["ended"] is False
    as_of_today = api.get(f"{place}?as_of={today().isoformat()}", "officer")
    assert as_of_today["properties"]["name"] == "Quán Mới Đổi"
    assert as_of_today["geometry"]["coordinates"] == pytest.approx(now["geometry"]["coordinates"])
    assert api.ask("GET", f"{place}?as_of={BEFORE}", "officer").status_code == 404, "before it was there"
    assert "Quán Thử 0" in api.ask("GET", f"{place}?as_of={LAST_WEEK}&f=html", "officer").text


def test_who_may_read_the_past(api: Api, place: str) -> None:
    assert api.ask("GET", f"{place}?as_of={LAST_WEEK}").status_code == 401
    assert api.ask("GET", f"{place}?as_of={LAST_WEEK}", "other").status_code in (404, 410)
    streets = api.ask("GET", f"{ITEMS.format('wards')}/20257?as_of={LAST_WEEK}", "officer")
    assert streets.status_code == 400 and streets.json()["type"].endswith("unknown_parameter")
    assert api.get("/staff/figures", "other")["figures"]["operating_status"] == {"active": 1}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_day_is_told(api: Api, place: str, browser: Browser, wrong: str) -> None:
    for path in (place, "/staff/figures", f"/staff/establishments/{code_of(place)}/history"):
        answer = api.ask("GET", f"{path}?as_of={wrong}", "officer")
        assert answer.status_code == 400, path
        problem = answer.json()
        assert problem["type"].endswith("invalid_as_of") and problem["errors"][0]["pointer"] == "as_of"
    for path in ("/staff/figures", f"/staff/establishments/{code_of(place)}/history"):
        page = browser.get(f"{path}?as_of={wrong}")
        if wrong == "31/12/2025":  # as people write it
            assert page.status_code == 200 and 'value="31/12/2025"' in page.text
            continue
        assert page.status_code == 422 and "không phải là hôm nay hay một ngày đã qua" in page.text
        assert f'name="as_of" value="{wrong}"' in page.text, "what was typed is kept"


def test_a_record_on_screen(browser: Browser, place: str) -> None:
    address = f"/staff/establishments/{code_of(place)}/history"
    plain = browser.get(address).text
    assert 'name="as_of"' in plain and 'id="past"' not in plain
    then = _past(browser.get(f"{address}?as_of={LAST_WEEK}").text)
    assert "Quán Thử 0" in then and "Quán Mới Đổi" not in then and "12/GP-MOI" not in then
    assert "Cảnh báo thử" in then and "Giấy phép" in then
    now = _past(browser.get(f"{address}?as_of={today().isoformat()}").text)
    assert "Quán Mới Đổi" in now and "12/GP-MOI" in now
    assert "chưa có trong sổ" in _past(browser.get(f"{address}?as_of={BEFORE}").text)
    english = browser.get(f"{address}?as_of={LAST_WEEK}&lang=en").text
    assert "The record at the end of" in english


def _past(page: str) -> str:
    return page.partition('<section id="past"')[2].partition("</section>")[0]


def test_figures_of_a_past_day(api: Api, browser: Browser, place: str) -> None:
    then = api.get(f"/staff/figures?as_of={LAST_WEEK}", "officer")
    assert then["ward"] == "20257" and then["as_of"] == LAST_WEEK
    assert then["figures"]["operating_status"] == {"active": 2}
    suspended = api.act(place, "suspend", reason="sửa quán")
    assert suspended.status_code == 200
    assert api.get("/staff/figures", "officer")["figures"]["operating_status"] == {"active": 1, "suspended": 1}
    assert api.get(f"/staff/figures?as_of={LAST_WEEK}", "officer") == then, "the past stays as it was"
    assert api.get(f"/staff/figures?as_of={BEFORE}", "officer")["figures"]["operating_status"] == {}
    page = browser.get(f"/staff/figures?as_of={LAST_WEEK}").text
    row = page.partition("Tạm ngừng</th>")[2].partition("</tr>")[0]
    assert row == "<td>0</td><td>1</td>"
    assert "chưa có cơ sở nào" in browser.get(f"/staff/figures?as_of={BEFORE}").text and "chưa có cơ sở" not in page
    assert "/staff/figures" in browser.get("/staff/establishments").text
