"""The import screens in a real browser: a list dropped in, a column corrected, rows decided, applied and undone."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from mapservice.asker import COOKIE
from mapservice.import_work import work_off
from postgis.engine import Database, create_database, drop_database
from postgis.store import sessions
from tests.browser.conftest import DESK, PHONE, watched_page
from tests.import_desk import PAGE, WORKBOOKS
from tests.review_queue import serving
from tests.small_ward import add_staff
from tests.workbook_writers import Grid, xlsx

AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HEAD = ["STT", "Tên cơ sở", "Chủ hộ", "Điện thoại", "Địa chỉ", "Cột lạ", "Ngày cấp"]
SECRETS = ("Zyxbimat", "0905771234")


@dataclass
class Importing:
    database: Database
    url: str
    cookie: str

    def open(self, page: Page, path: str = PAGE) -> None:
        page.context.add_cookies([{"name": COOKIE, "value": self.cookie, "url": self.url}])
        page.goto(self.url + path)

    def work(self) -> None:
        work_off(self.database)

    def places(self) -> int:
        with self.database.owner.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM register.establishment WHERE ended_at IS NULL"))
                       .scalar_one())  # fmt: skip


@pytest.fixture
def importing(server: Database, base_database: Database) -> Iterator[Importing]:
    base_database.dispose()
    name = f"imports_{time.monotonic_ns()}"
    own = create_database(server, name, template="base")
    officer = add_staff(own, "officer", "officer")
    with own.owner.begin() as connection:
        cookie = sessions.start(connection, officer.staff_id)
    with serving(own) as url:
        yield Importing(own, url, cookie)
    own.dispose()
    drop_database(server, name)


@pytest.fixture
def list_file(tmp_path: Path) -> Path:
    rows = [[n, f"Quán Minh Họa {n}", "Zyxbimat Riêng Tư", "0905771234", f"{n} Núi Thành", f"Món {n}",
             "31/02/2024" if n == 4 else "01/02/2024"] for n in range(1, 9)]  # fmt: skip
    rows.append([9, "Quán Minh Họa 9", "", "", "5 Đường Không Có Thật Đâu", "Món 9", "01/02/2024"])
    path = tmp_path / "danh-sach.xlsx"
    path.write_bytes(xlsx(Grid("Danh sách", [["DANH SÁCH MINH HỌA"], HEAD, *rows])))
    return path


def finish(importing: Importing, page: Page) -> None:
    """The job is done while the page watches; it loads itself anew."""
    expect(page.locator("#working")).to_be_visible()
    importing.work()
    expect(page.locator("#working")).to_have_count(0, timeout=20_000)


def check_reach(page: Page, where: str) -> None:
    """Nothing reaches past the screen, and axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], where  # type: ignore[index]
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    wrong = [(each["id"], each["nodes"][0]["target"], each["help"]) for each in found["violations"]]
    assert not wrong, (where, wrong)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_an_officer_imports_a_list_and_takes_it_back(
    importing: Importing, browser: Browser, list_file: Path, size: dict[str, int]
) -> None:
    with watched_page(browser, viewport=size) as page:
        importing.open(page)
        check_reach(page, "list")
        page.set_input_files("#file", str(list_file))
        expect(page.locator("#drop-said")).to_contain_text("danh-sach.xlsx")
        page.get_by_role("button", name="Tải lên và đọc thử").click()
        expect(page.locator("progress")).to_be_visible()
        check_reach(page, "reading")
        finish(importing, page)

        page.locator("tr", has_text="Cột lạ").locator("select").first.select_option("business_line")
        page.get_by_role("button", name="Đọc lại theo lựa chọn này").click()
        finish(importing, page)
        expect(page.locator("tr", has_text="Cột lạ")).to_contain_text("Do bạn chọn")
        check_reach(page, "planned")

        six = [int(found.inner_text()) for found in page.locator(".six").first.locator("a strong").all()]
        assert sum(six) == 11 and page.locator(".six .sum strong").inner_text() == "= 11"
        page.locator(".six a", has_text="Cần xem lại").click()
        row = page.locator(".import-row.verdict-doubtful").first
        row.get_by_role("button", name="Không nhập dòng này").click()
        expect(page.locator(".import-row .decided").first).to_contain_text("Không nhập")
        assert not any(secret in page.content() for secret in SECRETS)

        page.fill("#reason", "Danh sách thử")
        page.locator("#apply").get_by_role("button", name="Áp dụng").click()
        finish(importing, page)
        expect(page.locator("#apply")).to_contain_text("Đã áp dụng ngày")
        assert importing.places() >= 7
        check_reach(page, "applied")
        with page.expect_download() as download:
            page.get_by_role("link", name="Tải tệp trả lại người gửi").click()
        assert download.value.suggested_filename.endswith(".xlsx")

        page.locator("details.undo summary").click()
        page.get_by_role("button", name="Hoàn tác cả lần nhập").click()
        finish(importing, page)
        expect(page.locator("#apply")).to_contain_text("đã trở về như trước")
        assert importing.places() == 0
        check_reach(page, "undone")


def test_it_works_without_javascript_and_by_keyboard(importing: Importing, browser: Browser, list_file: Path) -> None:
    with watched_page(browser, java_script_enabled=False) as page:
        importing.open(page)
        page.set_input_files("#file", str(list_file))
        page.keyboard.press("Tab")
        page.get_by_role("button", name="Tải lên và đọc thử").press("Enter")
        expect(page.locator("#working")).to_be_visible()
        assert page.locator('meta[http-equiv="refresh"]').count() == 1
        importing.work()
        page.get_by_role("link", name="Xem tiến độ mới nhất").press("Enter")
        expect(page.locator("#working")).to_have_count(0)
        page.locator("#reason").press("Enter")
        expect(page.locator("#working")).to_be_visible()
        page.get_by_role("button", name="Dừng lại").press("Enter")
        expect(page.locator("#working")).to_contain_text("Đã yêu cầu dừng")
        importing.work()
        page.get_by_role("link", name="Xem tiến độ mới nhất").press("Enter")
        expect(page.locator(".page-head")).to_contain_text("Chờ áp dụng")
        assert importing.places() == 0


def test_points_in_metres_are_shown_on_a_map_and_in_words(importing: Importing, browser: Browser) -> None:
    with watched_page(browser) as page:
        importing.open(page)
        page.set_input_files("#file", str(WORKBOOKS / "vn2000.xlsx"))
        page.get_by_role("button", name="Tải lên và đọc thử").click()
        finish(importing, page)
        page.locator('#map[data-state="drawn"]').wait_for(state="attached")
        page.get_by_text("Điểm nào, địa chỉ nào").click()
        expect(page.locator("#points tbody tr").first).to_contain_text("Tiểu La")
        check_reach(page, "points")
        page.get_by_role("button", name="Đúng vị trí").click()
        finish(importing, page)
        expect(page.locator("#points")).to_contain_text("Đã xác nhận")


@pytest.mark.parametrize("name", ["password.xlsx", "tcvn3.xlsx", "hidden.xlsx"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_other_states_reach_everybody(importing: Importing, browser: Browser, name: str, size: dict[str, int]) -> None:
    with watched_page(browser, viewport=size) as page:
        importing.open(page)
        page.set_input_files("#file", str(WORKBOOKS / name))
        page.get_by_role("button", name="Tải lên và đọc thử").click()
        finish(importing, page)
        check_reach(page, name)
        page.goto(page.url.partition("?")[0] + "?lang=en")
        expect(page.get_by_role("heading", name="Result")).to_be_visible()
