"""Every page of the board in a real browser: on screen and telephone, for everybody and for staff, in a ward that has
nothing yet and in one whose names are as long as they get; and on paper, in the demo.

What stands on one page is looked at together: axe, nothing past the edge, no part over another, nobody else asked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from urllib.parse import urlencode

import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from mapservice.asker import COOKIE
from postgis.actor import write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import records
from tests.browser.conftest import DESK, PHONE, check_page, watched_page
from tests.conftest import Service
from tests.live_register import PASSWORD, command
from tests.review_queue import Queue, new_ward, serving
from tests.small_ward import WARD
from tests.work_ward import INDICATOR, STREET, add_street, plan

LONG = ("Cơ sở sản xuất, kinh doanh và dịch vụ tổng hợp " + "Nguyễn Thị Ngọc Huyền Trang " * 6)[:200].strip()
STALLS = 30
TOLD = (
    "/board", "/board?as_of=2026-09-30&known=now", f"/board/indicators/{INDICATOR}", "/board/adoption",
    "/board/adoption?sector_group=food_service", "/board/rollout", "/board/model-sites", "/board/widget",
)  # fmt: skip
INSIDE = (
    "/board", f"/board/indicators/{INDICATOR}?group=street", f"/board/indicators/{INDICATOR}?group=model_site",
    "/board/adoption?resolution=11", "/board/adoption?by=street", "/board/adoption?by=model_site&method=vietqr",
    "/board/adoption?by=residential_group&evidence_level=documented", "/board/rollout", "/board/data-quality",
    "/board/model-sites", "/board/work", "/board/reports", "/staff/figures/entered",
)  # fmt: skip
# What stands one below another in the page, each with all that it draws.
PARTS = """() => [...document.querySelectorAll("main > *, .content > *")].filter((part) => part.offsetHeight
  && !part.querySelector(".content")).map((part) => {
    const box = part.getBoundingClientRect();
    return [part.className || part.tagName, box.top, Math.max(box.bottom, box.top + part.scrollHeight)];
  })"""
# What paper cannot scroll to: boxes that keep back some of what they hold, and what reaches past the sheet.
CUT = """() => [...document.querySelectorAll("main *")].filter((part) => part.offsetHeight
  && !part.closest("svg, .skip, .visually-hidden")
  && (part.getBoundingClientRect().right > document.documentElement.clientWidth + 1
      || (part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).overflowX !== "visible"
          && getComputedStyle(part).display !== "inline"))).map((part) => part.outerHTML.slice(0, 120))"""
A4 = {"width": 680, "height": 1000}
"""What margins of 15 mm leave of A4, in CSS pixels."""


@dataclass
class Ward:
    queue: Queue
    url: str
    pages: list[str] = field(default_factory=list)

    def open(self, page: Page, path: str, who: str | None, *, scripts: bool = True) -> None:
        """As somebody of the ward's staff; None: as anybody."""
        page.context.clear_cookies()
        if who is not None:
            page.context.add_cookies([{"name": COOKIE, "value": self.queue.cookie(who), "url": self.url}])
        answer = page.goto(self.url + path)
        assert answer is not None and answer.status == 200, (path, answer and answer.status)
        if scripts and page.locator("#adoption-map").count():
            expect(page.locator("#adoption-map")).to_have_attribute("data-shown", re.compile("[0-9]+"), timeout=60_000)


@pytest.fixture(scope="module", params=["empty", "extreme"])
def ward(request: pytest.FixtureRequest, server: Database, base_database: Database) -> Iterator[Ward]:
    base_database.dispose()
    own = create_database(server, f"board_{request.param}", template="base")
    queue = new_ward(own, 0 if request.param == "empty" else 12)
    plan(own, WARD)
    pages = [] if request.param == "empty" else _extreme(own, queue)
    with serving(own) as url:
        yield Ward(queue, url, pages)
    own.dispose()
    drop_database(server, f"board_{request.param}")


def _extreme(database: Database, queue: Queue) -> list[str]:
    """Names as long as they may be, a site of many stalls, shares of 0 and 100 %; gives the pages of what was made."""
    officer = queue.staff["officer"]
    shops = add_street(database, officer)
    with write_as(database, officer, reason="thử") as connection:
        ring = [[108.2136, 16.0432], [108.2146, 16.0432], [108.2146, 16.0442], [108.2136, 16.0442], [108.2136, 16.0432]]
        site = {"kind": "market", "name": LONG, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        market = records.create(connection, "model_sites", site, ward_id=officer.ward_id).code
        for number, code in shops.items():
            values = {"name": LONG, "model_site": market, "stall": f"Sạp {number}"}
            records.change(connection, "establishments", code, 1, values)
        for number in range(STALLS):
            stall = {
                "name": f"{number} {LONG}"[:200].strip(), "sector_group": "food_retail", "source": "office",
                "operating_status": "active", "model_site": market, "stall": f"Lô {number}", "street_name": LONG[:80],
                "geometry": {"type": "Point", "coordinates": [108.2137 + number * 0.00002, 16.0433]},
                "position_method": "surveyed",
            }  # fmt: skip
            records.create(connection, "establishments", stall, ward_id=officer.ward_id)
    asked = urlencode({"indicator": INDICATOR, "scope": "street", "code": STREET})
    return [f"/board/model-sites/{market}", f"/board/work/new?{asked}"]


def check_parts(page: Page) -> None:
    """No part of the page lies over another."""
    for (one, top, bottom), (other, next_top, next_bottom) in combinations(page.evaluate(PARTS), 2):
        assert bottom <= next_top + 1 or next_bottom <= top + 1, (page.url, one, other)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_pages_fit_and_are_accessible(ward: Ward, browser: Browser, size: dict[str, int]) -> None:
    with watched_page(browser, viewport=size, locale="vi-VN") as page:
        for who, paths in ((None, TOLD), ("officer", (*INSIDE, *ward.pages))):
            for path in paths:
                ward.open(page, path, who)
                check_parts(page)
                check_page(page)


def test_pages_tell_the_same_without_script(ward: Ward, browser: Browser) -> None:
    with watched_page(browser, viewport=PHONE, java_script_enabled=False) as page:
        for who, paths in ((None, TOLD), ("officer", INSIDE)):
            for path in paths:
                ward.open(page, path, who, scripts=False)
                assert page.locator("h1").inner_text().strip(), path
                if "adoption" in path:
                    expect(page.locator("#adoption-figures")).to_be_attached()


def test_pages_print_whole(live_service: Service, browser: Browser) -> None:
    login = ("staff", "add", "leader", "--role", "approver", "--ward", WARD, "--password-stdin")
    command(live_service.data_dir, *login, typed=PASSWORD)
    with watched_page(browser, viewport=A4, locale="vi-VN") as page:
        for path in TOLD[:-1]:
            check_print(page, live_service.url + path)
        page.goto(f"{live_service.url}/staff/sign-in")
        page.fill("[name=login]", "leader")
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url("**/staff/**")
        for path in INSIDE:
            check_print(page, live_service.url + path)
        page.goto(live_service.url + "/board/model-sites")
        site = page.locator("main table a").first.get_attribute("href")
        check_print(page, f"{live_service.url}{site}")
        page.goto(live_service.url + "/board")
        told = page.locator("#adoption-figures tbody tr[data-code]").count()
        sheets = pypdfium2.PdfDocument(page.pdf(format="A4"))
        printed = "".join(sheet.get_textpage().get_text_range() for sheet in sheets)
        # Of a table that is folded on the screen each row stands on paper.
        assert told > 20 and printed.count("(ô") >= told


def check_print(page: Page, address: str) -> None:
    """Nothing on the page is cut off where it is printed on A4."""
    answer = page.goto(address.replace(INDICATOR, "digital_platform_use"))
    assert answer is not None and answer.status == 200, address
    page.emulate_media(media="print")
    assert not page.evaluate(CUT), address
    page.emulate_media(media="null")
