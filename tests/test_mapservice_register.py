"""The staff's list over HTTP: search, filters with counts, saved views, files for Excel, worklists."""

import csv
import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import openpyxl
import pytest

from layers.formats.spreadsheets import Column, csv_stream
from layers.register import FILTERS
from layers.worklists import WORKLISTS
from postgis.actor import Actor, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import records
from tests.record_pages import fill_in, send
from tests.small_ward import MIDDLE, WARD, SmallWard, add_staff, fill
from tests.staff_clients import Browser, add_member, location

LIST = "/staff/establishments"
WEEK = "/staff/this-week"
FORMULA = '=HYPERLINK("http://example.invalid","Bấm")'


@dataclass
class World:
    database: Database
    ward: SmallWard
    planter: Actor
    officer: Browser
    surveyor: Browser
    special: str


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "register_list", template="base")
    planter = add_staff(own, "planter", "officer")
    ward = fill(own, planter, 60)
    lon, lat = MIDDLE[WARD]
    with write_as(own, planter, reason="thử") as connection:
        special = records.create(
            connection,
            "establishments",
            {
                "name": FORMULA, "address": "+84 Nguyễn Hữu Thọ", "offering": "@SUM(A1)", "sector_group": "cafe_drinks",
                "geometry": {"type": "Point", "coordinates": [lon + 0.01, lat]}, "position_method": "generated",
                "source": "field_survey", "verified_on": "2020-01-01", "operating_status": "active",
            },
            ward_id=planter.ward_id,
        ).code  # fmt: skip
        licence = {"establishment": special, "kind": "karaoke", "checked_on": "2024-01-01", "expires_on": "2024-06-01"}
        records.create(connection, "licences", {**licence, "source": "office"}, ward_id=planter.ward_id)
    browsers = []
    for login, role in (("lan", "officer"), ("an", "surveyor")):
        add_member(own, login, role)
        browsers.append(Browser(own))
        location(browsers[-1].sign_in(login))
    yield World(own, ward, planter, browsers[0], browsers[1], special)
    own.dispose()
    drop_database(server, "register_list")


def total(page: str) -> int:
    found = re.search(r'id="count"[^>]*>([\d.]+) cơ sở', page)
    assert found
    return int(found[1].replace(".", ""))


def codes_in(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/staff/establishments/([0-9A-Z]{8})', page)


@pytest.mark.parametrize("typed", ["nguyen huu tho", "NGUYỄN HỮU THỌ", "huu tho", "{code}", "{code_with_hyphen}"])
def test_a_place_is_found_however_it_is_typed(world: World, typed: str) -> None:
    code = world.special
    q = typed.format(code=code.lower(), code_with_hyphen=f"{code[:4]}-{code[4:]}")
    assert codes_in(world.officer.client.get(LIST, params={"q": q}).text) == [code]
    found = world.officer.client.post(f"{LIST}/find", data={"q": q, "sector_group": ["cafe_drinks", "market"]})
    assert codes_in(world.officer.get(location(found)).text) == [code]


def test_a_registered_name_finds_its_places(world: World) -> None:
    found = codes_in(world.officer.get(f"{LIST}?q=ho+kinh+doanh+thu+7").text)
    assert found == [world.ward.places[7]]


def test_counts_say_what_each_filter_would_leave(world: World) -> None:
    page = world.officer.get(LIST).text
    assert total(page) == 61
    for name in FILTERS:
        options = re.findall(
            rf'(?:name="{name}" value="([^"]*)"|<option value="([^"]+)")[^>]*>(?:(?!facet-count|</option>).)*?'
            r'(?:facet-count">|\()([\d.]+)',
            facet_of(page, name),
            re.S,
        )
        for box, option, count in options:
            left = total(world.officer.client.get(LIST, params={name: box or option}).text)
            assert left == int(count.replace(".", "")), (name, box or option)
    both = world.officer.client.get(LIST, params={"sector_group": "cafe_drinks,food_service", "stale": "address"}).text
    assert codes_in(both) == [world.special]


def facet_of(page: str, name: str) -> str:
    for facet in page.split('<details class="facet"')[1:]:
        if f'name="{name}"' in facet:
            return facet
    return ""


def test_pages_follow_one_another_in_every_order(world: World) -> None:
    for sort in ("updated", "name", "street", "verified", "expiry"):
        seen: list[str] = []
        address: str | None = f"{LIST}?sort={sort}"
        while address:
            page = world.officer.get(address).text
            seen += codes_in(page)
            following = re.search(r'rel="next" href="([^"]*)"', page)
            address = html.unescape(following[1]) if following else None
        assert len(seen) == len(set(seen)) == 61, sort
        if sort in ("verified", "expiry"):
            # Never verified comes first; without a day of expiry comes last.
            assert seen.index(world.special) == (60 if sort == "verified" else 0)


@pytest.mark.parametrize(
    "query", ["sort=best-of", "cursor=abc", "sector_group=cafes", "stale=all", "nonsense=1", "live_warning=ja", "q=%00"]
)
def test_what_cannot_be_read_is_said_above_the_whole_list(world: World, query: str) -> None:
    answer = world.officer.get(f"{LIST}?{query}")
    assert answer.status_code == 400
    assert total(answer.text) == 61 and "đang hiện toàn bộ danh sách" in answer.text


def test_filters_are_saved_renamed_and_deleted(world: World) -> None:
    narrowed = f"{LIST}?q=thu&sector_group=food_service"
    answer = fill_in(world.officer, narrowed, f"{LIST}/views", name=" Ăn uống  của tôi ")
    back = location(answer)
    assert "q=thu" in back and "sector_group=food_service" in back
    page = world.officer.get(back).text
    assert "Ăn uống của tôi" in page
    taken = fill_in(world.officer, f"{narrowed}&operating_status=active", f"{LIST}/views", name="Ăn uống của tôi")
    assert taken.status_code == 422 and "đã có danh sách cùng tên" in taken.text.lower()
    view = re.search(r"/views/(\d+)/rename", page)
    assert view
    location(send(world.officer, page, f"{LIST}/views/{view[1]}/rename", name="Hàng ăn"))
    assert "Hàng ăn" in world.officer.get(LIST).text
    assert "Hàng ăn" not in world.surveyor.get(LIST).text
    location(send(world.officer, page, f"{LIST}/views/{view[1]}/delete"))
    assert "Hàng ăn" not in world.officer.get(LIST).text
    assert send(world.officer, page, f"{LIST}/views/{view[1]}/delete").status_code == 404


def test_the_csv_opens_in_excel_and_starts_no_formula(world: World) -> None:
    answer = world.officer.get(f"{LIST}/export?f=csv")
    assert answer.content.startswith(b"\xef\xbb\xbf") and "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 61
    row = next(row for row in rows if row["Mã tra cứu"] == world.special)
    assert row["Tên cơ sở"] == f"'{FORMULA}"
    assert row["Địa chỉ"] == "'+84 Nguyễn Hữu Thọ" and row["Mặt hàng, món"] == "'@SUM(A1)"
    assert (row["Nhóm ngành"], row["Nhóm ngành (mã)"]) == ("Cà phê, đồ uống", "cafe_drinks")
    assert row["Ngày xác minh"] == "01/01/2020"
    assert "Hộ kinh doanh Thử" not in answer.text  # may be an owner's name


def test_the_workbook_holds_what_the_list_shows(world: World) -> None:
    answer = world.officer.get(f"{LIST}/export?f=xlsx&sector_group=cafe_drinks")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    rows = list(book.worksheets[0].iter_rows())
    titles = [str(cell.value) for cell in rows[0]]
    assert len(rows) == 2
    row: dict[str, Any] = dict(zip(titles, rows[1], strict=True))
    assert row["Tên cơ sở"].value == FORMULA and row["Tên cơ sở"].data_type == "s"
    assert row["Ngày xác minh"].value.year == 2020
    about = {str(key.value): str(value.value) for key, value in book.worksheets[1].iter_rows()}
    assert about["Điều kiện lọc"] == "Nhóm ngành: Cà phê, đồ uống" and about["Số dòng"] == "1"
    assert world.surveyor.get(f"{LIST}/export?f=csv").status_code == 403
    assert world.officer.get(f"{LIST}/export?f=pdf").status_code == 400


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_starts_a_formula(start: str) -> None:
    lines = b"".join(csv_stream([Column("a", f"{start}title")], [{"a": f"{start}cmd|' /C calc'!A0"}, {"a": -1.5}]))
    cells = [row[0] for row in csv.reader(io.StringIO(lines.decode("utf-8-sig"), newline=""))]
    assert cells == [f"'{start}title", f"'{start}cmd|' /C calc'!A0", "-1.5"]


def test_the_worklists_count_and_list_what_they_say(world: World) -> None:
    week = world.officer.get(WEEK).text
    for name in WORKLISTS:
        page = world.officer.get(f"{WEEK}/{name}").text
        listed = set(re.findall(r'href="/staff/establishments/([0-9A-Z]{8})"', page))
        said = re.search(rf'this-week/{name}">[^<]*</a> <span class="week-count">([\d.]+) cơ sở', week)
        assert bool(listed) == bool(said), name
        if name in ("licence_expired", "stale_address", "poor_position"):
            assert world.special in listed, name
    rows = list(
        csv.DictReader(io.StringIO(world.officer.get(f"{WEEK}/licence_expired?f=csv").content.decode("utf-8-sig")))
    )
    assert [row["Mã tra cứu"] for row in rows] == [world.special] and rows[0]["Hạn"] == "01/06/2024"
    assert world.officer.get(f"{WEEK}/no-such-list").status_code == 404
    assert world.officer.get(f"{WEEK}/duplicates").status_code == 200


def test_what_is_looked_for_goes_by_likeness_until_another_order_is_chosen(world: World) -> None:
    def find(**typed: str) -> str:
        return location(world.officer.post(f"{LIST}/find", typed))

    # The page sends the order it had; before a search that is the list's own, which nobody has chosen.
    assert find(q="pho", was_q="", sort="updated") == f"{LIST}?q=pho"
    assert find(q="pho", was_q="", sort="name") == f"{LIST}?q=pho&sort=name"
    assert find(q="pho", was_q="pho", sort="updated") == f"{LIST}?q=pho&sort=updated"
    assert 'name="was_q" value="pho"' in world.officer.get(f"{LIST}?q=pho").text
