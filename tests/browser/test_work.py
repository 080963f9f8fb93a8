"""From a gap to the door and back, in a real browser: the officer's screen, the surveyor's phone, the printed list.

Every page on the way is looked at by axe and must fit a small phone; names and places are as long as they get.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from mapservice.asker import COOKIE
from postgis.actor import write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import records
from tests.browser.conftest import PHONE, check_page, check_width, watched_page
from tests.review_queue import Queue, new_ward, serving
from tests.small_ward import WARD
from tests.work_ward import INDICATOR, STREET, add_street, plan

LONG = "Cơ sở sản xuất, kinh doanh và dịch vụ tổng hợp " + "Nguyễn Thị Ngọc Huyền Trang " * 5


@dataclass
class Office:
    queue: Queue
    shops: dict[str, str]
    url: str

    def sign_in(self, page: Page, who: str) -> None:
        page.context.add_cookies([{"name": COOKIE, "value": self.queue.cookie(who), "url": self.url}])


@pytest.fixture(scope="module")
def office(server: Database, base_database: Database) -> Iterator[Office]:
    base_database.dispose()
    own = create_database(server, "work_paths", template="base")
    queue = new_ward(own, 1)
    plan(own, WARD)
    shops = add_street(own, queue.staff["officer"])
    with write_as(own, queue.staff["officer"], reason="thử") as connection:
        ring = [[108.2136, 16.0432], [108.2146, 16.0432], [108.2146, 16.0442], [108.2136, 16.0442], [108.2136, 16.0432]]
        shape = {"type": "Polygon", "coordinates": [ring]}
        site = {"kind": "market", "name": LONG[:200].strip(), "geometry": shape}
        market = records.create(connection, "model_sites", site, ward_id=queue.staff["officer"].ward_id).code
        for number in ("4", "9"):
            values = {"name": LONG[:200].strip(), "model_site": market, "stall": f"Sạp {number}"}
            records.change(connection, "establishments", shops[number], 1, values)
    with serving(own) as url:
        yield Office(queue, shops, url)
    own.dispose()
    drop_database(server, "work_paths")


def test_from_the_gap_to_the_door_and_back(office: Office, browser: Browser) -> None:
    with watched_page(browser) as page:
        office.sign_in(page, "officer")
        page.goto(f"{office.url}/board/work?{urlencode({'indicator': INDICATOR, 'scope': 'street'})}")
        check_page(page)
        page.get_by_role("link", name=re.compile(f"Lập danh sách.*{STREET}")).click()
        page.wait_for_url("**/board/work/new?*")
        check_page(page)
        page.get_by_label("Người thực hiện").select_option("surveyor")
        page.get_by_role("button", name="Giao việc").click()
        expect(page.get_by_role("status")).to_have_text("Đã giao việc.")
        check_page(page)
        path = re.sub(r"\?.*", "", page.url)
        sheets = pypdfium2.PdfDocument(page.pdf(format="A4"))
        text = "".join(sheet.get_textpage().get_text_range() for sheet in sheets)
        for words in ("Sáu rõ", "Thời hạn", "Kết quả cần đạt", "Quán số 5", "Quán số 12", "Người thực hiện ký"):
            assert words in text, words
        assert "Sửa việc được giao" not in text
    with watched_page(browser, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        office.sign_in(page, "surveyor")
        page.goto(path)
        check_page(page)
        page.get_by_role("link", name=re.compile("Đến cơ sở tiếp theo")).tap()
        page.wait_for_url("**/places/1")
        check_page(page)
        for button in page.locator(".tap").all():
            box = button.bounding_box()
            assert box is not None and box["height"] >= 44, "a finger hits it"
        page.get_by_role("button", name="Không gặp ai").tap()
        expect(page.get_by_role("status")).to_contain_text("Đã ghi kết quả")
        page.get_by_label("VietQR").check()
        page.get_by_label("Đã thấy có giao dịch").check()
        page.get_by_role("button", name="Lưu: có nhận").tap()
        expect(page.get_by_role("status")).to_contain_text("chờ phường duyệt")
        check_page(page)
        page.get_by_role("link", name="Cả danh sách").tap()
        expect(page.get_by_text("Đã đến 2/9")).to_be_visible()
    with watched_page(browser, viewport=PHONE, java_script_enabled=False) as page:
        office.sign_in(page, "officer")
        page.goto(f"{path}/places/5")
        check_width(page)
        page.get_by_role("button", name="Chỉ nhận tiền mặt").click()
        expect(page.get_by_role("status")).to_contain_text("Đã ghi kết quả")
        page.goto(f"{office.url}/board")
        expect(page.get_by_text("Đã đến 3/9")).to_be_visible()


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_a_model_site_fits_and_its_outline_is_drawn(office: Office, browser: Browser, size: str) -> None:
    with watched_page(browser, **({"viewport": PHONE} if size == "phone" else {})) as page:
        page.goto(f"{office.url}/board/model-sites")
        check_page(page)
        office.sign_in(page, "officer")
        page.goto(f"{office.url}/board/model-sites")
        check_page(page)
        page.get_by_role("link", name=re.compile("Cơ sở sản xuất")).click()
        page.wait_for_url("**/board/model-sites/MS*")
        check_page(page)
        page.get_by_role("button", name="Vẽ trên sơ đồ").click()
        drawing = page.locator("#drawing")
        for x, y in ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.5, 0.9)):
            box = drawing.bounding_box()
            assert box is not None
            drawing.click(position={"x": box["width"] * x, "y": box["height"] * y})
        page.get_by_role("button", name="Bỏ điểm cuối").click()
        drawn = json.loads(page.get_by_label("Đường bao (GeoJSON)").input_value())
        assert drawn["type"] == "Polygon" and len(drawn["coordinates"][0]) == 4
        lons, lats = zip(*drawn["coordinates"][0], strict=True)
        assert 108.213 < min(lons) < max(lons) < 108.217 and 16.042 < min(lats) < max(lats) < 16.046
        page.get_by_label("Lý do").fill("đo lại")
        page.get_by_role("button", name="Lưu phạm vi").click()
        expect(page.get_by_role("status").first).to_have_text("Đã lưu phạm vi.")
