"""The record, the list and the worklists in a real browser: the pin, two officers at once, without script, a phone."""

import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from mapservice.asker import COOKIE
from postgis.actor import Actor, read_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import records, sessions
from postgis.today import today
from tests.browser.conftest import DESK, PHONE, check_page, watched_page
from tests.review_queue import serving
from tests.small_ward import SmallWard, add_staff, fill

LIST = "/staff/establishments"
CONFLICT = ("409", "422")
"""The browser notes these answers of a form in its console."""


@dataclass
class Register:
    database: Database
    ward: SmallWard
    staff: dict[str, Actor]
    url: str

    def open(self, page: Page, path: str, login: str = "lan") -> None:
        with self.database.owner.begin() as connection:
            cookie = sessions.start(connection, self.staff[login].staff_id)
        page.context.add_cookies([{"name": COOKIE, "value": cookie, "url": self.url}])
        page.goto(self.url + path)

    def values(self, code: str) -> dict[str, object]:
        with read_as(self.database, self.staff["lan"]) as connection:
            return records.get(connection, "establishments", code).values


@pytest.fixture(scope="module")
def register(server: Database, base_database: Database) -> Iterator[Register]:
    base_database.dispose()
    own = create_database(server, "record_browser", template="base")
    staff = {login: add_staff(own, login, "officer", display_name=f"Cán bộ {login}") for login in ("lan", "minh")}
    ward = fill(own, staff["lan"], 12)
    with serving(own) as url:
        yield Register(own, ward, staff, url)
    own.dispose()
    drop_database(server, "record_browser")


def record_of(code: str) -> str:
    return f"{LIST}/{code}"


def drawn(page: Page) -> None:
    page.locator("#map[data-state=drawn]").wait_for(state="attached")


def tile_at(lon: float, lat: float, zoom: int) -> str:
    side = 2**zoom
    row = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * side)
    return f"/ogc/collections/establishments/tiles/WebMercatorQuad/{zoom}/{row}/{int((lon + 180) / 360 * side)}"


@pytest.mark.alone
def test_the_pin_is_dragged_saved_and_seen_by_everybody_within_a_second(register: Register, browser: Browser) -> None:
    code = register.ward.places[0]
    with watched_page(browser) as page:
        register.open(page, record_of(code))
        drawn(page)
        before = page.get_by_label("Vĩ độ").input_value()
        pin = page.locator(".maplibregl-marker").bounding_box()
        assert pin
        x, y = pin["x"] + pin["width"] / 2, pin["y"] + pin["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 40, y - 40, steps=6)
        page.mouse.up()
        expect(page.get_by_label("Vĩ độ")).not_to_have_value(before)
        expect(page.get_by_label("Cách xác định vị trí")).to_have_value("map")
        page.locator('#record-form [name="name"]').fill("Quán Ghim Mới")
        page.locator('#record-form [name="position_accuracy_m"]').fill("25")
        expect(page.locator("#changed-count")).to_have_text(re.compile(r"^[45] ô đã sửa$"))
        page.locator('#record-form [name="reason"]').fill("đi đo lại")
        page.get_by_role("button", name="Lưu thay đổi").first.click()
        page.get_by_text("Đã lưu. Bản đồ và trang công khai đã cập nhật.").wait_for()
    saved = time.monotonic()
    lon, lat = register.values(code)["geometry"]["coordinates"]  # type: ignore[index]
    with httpx.Client(base_url=register.url, timeout=10) as public:
        item = public.get(f"/ogc/collections/establishments/items/{code}").json()
        assert item["properties"]["name"] == "Quán Ghim Mới"
        assert item["geometry"]["coordinates"] == pytest.approx([lon, lat], abs=1e-6)
        assert "Quán Ghim Mới" in public.get(f"/q/{code}").text
        assert "Quán Ghim Mới".encode() in public.get(tile_at(lon, lat, 17)).content
    assert time.monotonic() - saved < 1


def test_two_officers_at_once_see_both_values_side_by_side(register: Register, browser: Browser) -> None:
    code = register.ward.places[1]
    with watched_page(browser) as lans, watched_page(browser, expected=CONFLICT) as minhs:
        for page, login in ((lans, "lan"), (minhs, "minh")):
            register.open(page, record_of(code), login)
        for page, name, field, typed in (
            (lans, "Tên của Lan", "opening_hours", "Mo-Su 06:00-10:00"),
            (minhs, "Tên của Minh", "address", "9 Đường Thử"),
        ):
            page.locator('#record-form [name="name"]').fill(name)
            page.locator(f'#record-form [name="{field}"]').fill(typed)
            page.locator('#record-form [name="reason"]').fill(f"{name} thấy vậy")
            page.get_by_role("button", name="Lưu thay đổi").first.click()
        clash = minhs.locator(".clash")
        expect(clash).to_contain_text("Của tôi: Tên của Minh")
        expect(clash).to_contain_text("Của đồng nghiệp: Tên của Lan")
        expect(minhs.locator("[data-conflict]")).to_contain_text("Cán bộ lan")
        expect(minhs.locator('#record-form [name="address"]')).to_have_value("9 Đường Thử")
        expect(minhs.locator('#record-form [name="reason"]')).to_have_value("Tên của Minh thấy vậy")
        minhs.get_by_role("button", name="Lưu với lựa chọn này").click()
        expect(minhs.locator(".error").first).to_have_text("Hãy chọn giá trị muốn giữ ở ô Tên cơ sở.")
        minhs.get_by_text("Của đồng nghiệp: Tên của Lan").click()
        minhs.get_by_role("button", name="Lưu với lựa chọn này").click()
        minhs.get_by_text("Đã lưu.").wait_for()
    after = register.values(code)
    assert (after["name"], after["address"], after["opening_hours"]) == (
        "Tên của Lan",
        "9 Đường Thử",
        "Mo-Su 06:00-10:00",
    )


def test_everything_works_without_script(register: Register, browser: Browser) -> None:
    code = register.ward.places[2]
    with watched_page(browser, expected=CONFLICT, java_script_enabled=False) as page:
        register.open(page, LIST)
        page.locator("#q").fill("quan thu 2")
        page.get_by_role("button", name="Tìm").click()
        page.get_by_role("link", name="Quán Thử 2").click()
        page.locator('#record-form [name="lat"]').fill("16,04321")
        page.locator('#record-form [name="verified_on"]').fill("31/02/2026")
        page.locator('#record-form [name="reason"]').fill("đo bằng điện thoại")
        page.get_by_role("button", name="Lưu thay đổi").first.click()
        expect(page.locator("#e-verified_on-error")).to_have_text(
            "Chưa đọc được ngày “31/02/2026” ở ô Ngày xác minh. Hãy sửa thành ngày có thật, ví dụ 31/12/2026."
        )
        expect(page.locator("#e-lat")).to_have_value("16,04321")
        page.locator("#e-verified_on").fill("21/11/2026")
        page.get_by_role("button", name="Lưu thay đổi").first.click()
        page.get_by_text("Đã lưu.").wait_for()
        page.get_by_text("Thêm giấy phép", exact=True).first.click()
        form = page.locator('form[action$="/licences"]')
        form.get_by_label("Loại giấy").select_option("alcohol_retail")
        form.get_by_label("Ngày hết hạn").fill("1/2/2030")
        form.get_by_label("Lý do").fill("giấy mới cấp")
        form.get_by_role("button").click()
        page.get_by_text("Giấy phép bán lẻ rượu").first.wait_for()
    after = register.values(code)
    assert after["verified_on"] == "2026-11-21" and after["geometry"]["coordinates"][1] == 16.04321  # type: ignore[index]


def test_what_was_typed_is_not_left_by_accident(register: Register, browser: Browser) -> None:
    code = register.ward.places[3]
    with watched_page(browser) as page:
        register.open(page, record_of(code))
        drawn(page)
        asked: list[str] = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        page.locator('#record-form [name="name"]').press_sequentially("!")
        page.evaluate("location.href = '/staff/this-week'")
        page.wait_for_timeout(500)
        assert asked == ["beforeunload"] and page.url.endswith(code)
        page.locator('#record-form [name="name"]').press("Backspace")
        page.get_by_role("link", name="Việc tuần này").click()
        page.get_by_role("heading", name="Việc tuần này").wait_for()


def pages_of(register: Register) -> list[str]:
    first, second = register.ward.places[4:6]
    return [
        LIST,
        f"{LIST}?q=khong+co+gi",
        record_of(first),
        f"{record_of(first)}/history?as_of={today().isoformat()}",
        "/staff/figures?as_of=2026-01-31",
        f"{record_of(first)}/steps/close",
        f"{record_of(first)}/steps/change-owner",
        f"{record_of(first)}/merge?into={second}",
        f"{LIST}/new",
        "/staff/this-week",
        "/staff/this-week/poor_position",
        "/staff/this-week/duplicates",
        "/staff/stickers",
        "/staff/stickers/2A257",
        "/staff/stickers/runs",
        "/staff/stickers/runs/1",
        f"/staff/stickers/runs/new?by=chosen&chosen={first}",
    ]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_pages_fit_and_are_accessible(register: Register, browser: Browser, size: dict[str, int]) -> None:
    with watched_page(browser, expected=CONFLICT, viewport=size) as page:
        for path in pages_of(register):
            register.open(page, path)
            if page.locator("#map").count():
                drawn(page)
            check_page(page)
