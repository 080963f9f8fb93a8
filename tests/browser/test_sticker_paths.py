"""A sticker's ways through a real browser: the citizen who scans it, the office that prints it, the shop's owner.

Every page on the way is looked at by axe and must fit a small phone.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from mapservice.asker import COOKIE
from mapservice.sealed import secrets_of
from postgis.engine import Database, create_database, drop_database
from tests.browser.conftest import PHONE, check_page, check_width, watched_page
from tests.printed_stickers import PrintedStickers
from tests.review_queue import Queue, new_ward, serving

SCANNED, PRINTED, OWNED = range(3)
"""Which place each way is about."""
DPI = 200
SEEN = "Sáng nay tôi thấy rác để ngay cạnh bếp, ruồi nhiều."
ANSWER = "Phường đã đến kiểm tra sáng nay, chủ quán đã dọn và ký cam kết."


@dataclass
class Doors:
    queue: Queue
    stickers: PrintedStickers
    url: str

    def sign_in(self, page: Page) -> None:
        page.context.add_cookies([{"name": COOKIE, "value": self.queue.cookie("officer"), "url": self.url}])

    def go(self, page: Page, path: str) -> None:
        page.goto(self.url + path)
        check_page(page)


@pytest.fixture(scope="module")
def doors(server: Database, base_database: Database) -> Iterator[Doors]:
    base_database.dispose()
    own = create_database(server, "sticker_paths", template="base")
    queue = new_ward(own, 3)
    stickers = PrintedStickers(own, queue.staff["officer"], secrets_of(own), [queue.places[SCANNED]])
    stickers.move(queue.places[SCANNED], "installed")
    with serving(own) as url:
        yield Doors(queue, stickers, url)
    own.dispose()
    drop_database(server, "sticker_paths")


def shop_sign() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (640, 480), "#a92117").save(file, "JPEG")
    return file.getvalue()


def scan(pdf: Path) -> list[str]:
    """The addresses that the codes on the sheets lead to."""
    sheets = pypdfium2.PdfDocument(pdf)
    return [
        found.text
        for sheet in sheets
        for found in zxingcpp.read_barcodes(sheet.render(scale=DPI / 72, grayscale=True).to_pil())
    ]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no_script"])
def test_a_citizen_reports_from_a_sticker(doors: Doors, browser: Browser, script: bool) -> None:
    look = check_page if script else check_width
    code = doors.queue.places[SCANNED]
    with watched_page(browser, ("422",), viewport=PHONE, java_script_enabled=script) as page:
        page.goto(doors.url + doors.stickers.path(code))
        look(page)
        expect(page.get_by_text(f"số tem {doors.stickers.serials[code]}")).to_be_visible()
        page.get_by_role("link", name="Gửi phản ánh").click()
        look(page)
        expect(page.get_by_text(f"Bạn vừa quét tem số {doors.stickers.serials[code]}.")).to_be_visible()
        # Past the browser's own check, as an old one would send it.
        page.locator("form").evaluate("(form) => form.setAttribute('novalidate', '')")
        page.get_by_role("button", name="Gửi phản ánh").click()
        expect(page.get_by_role("alert")).to_contain_text("Phiếu chưa gửi được.")
        look(page)
        page.get_by_label("Vệ sinh, an toàn thực phẩm").check()
        page.get_by_label("Bạn thấy gì, ở đâu, lúc nào?").fill(SEEN)
        photo = {"name": "sau bếp.jpg", "mimeType": "image/jpeg", "buffer": shop_sign()}
        page.get_by_label("Ảnh kèm theo").set_input_files([photo])
        page.get_by_role("button", name="Gửi phản ánh").click()
        expect(page.get_by_text("Phường đã nhận phản ánh của bạn.")).to_be_visible()
        look(page)
        expect(page.locator("main")).to_contain_text("có ảnh kèm theo")
        expect(page.locator("main")).not_to_contain_text(SEEN)
        assert not page.context.cookies()
        ticket = page.url.partition("?")[0]
        expect(page.locator(".link")).to_contain_text(urlsplit(ticket).path)
    with watched_page(browser, java_script_enabled=script) as elsewhere:
        elsewhere.goto(ticket)
        expect(elsewhere.locator(".words")).to_have_text("Đã tiếp nhận")
        look(elsewhere)


def test_an_officer_prints_hangs_and_answers(doors: Doors, browser: Browser, tmp_path: Path) -> None:
    code = doors.queue.places[PRINTED]
    with (
        watched_page(browser, viewport=PHONE) as office,
        watched_page(browser, viewport=PHONE) as street,
    ):
        doors.sign_in(office)
        scanned = print_sticker(doors, office, code, tmp_path)
        hang(doors, office, scanned)
        ticket = report(doors, street, scanned)
        doors.go(office, "/staff/establishments")
        office.get_by_role("link", name="Phản ánh").click()
        row = office.get_by_role("row").filter(has_text="Ví Dụ 2")
        expect(row).to_contain_text("Chưa ai nhận")
        check_page(office)
        row.get_by_role("link").click()
        expect(office.locator(".report-words")).to_have_text(SEEN)
        check_page(office)
        office.get_by_role("button", name="Nhận xử lý").click()
        expect(office.get_by_role("status")).to_contain_text("Bạn đã nhận xử lý phản ánh này.")
        street.goto(ticket)
        expect(street.locator(".words")).to_have_text("Đang xử lý")
        office.get_by_label("Kết quả").select_option("inspected")
        office.get_by_label("Lời trả lời").fill(ANSWER)
        office.get_by_role("button", name="Gửi trả lời").click()
        expect(office.get_by_role("status")).to_contain_text("Đã gửi trả lời.")
        check_page(office)
        street.reload()
        expect(street.locator(".words")).to_have_text("Đã trả lời")
        expect(street.locator(".answer")).to_have_text(ANSWER)
        check_page(street)


def print_sticker(doors: Doors, page: Page, code: str, folder: Path) -> str:
    """Makes a print run for one place, takes its page and scans it: the path that the sticker opens."""
    doors.go(page, "/staff/stickers")
    page.get_by_role("link", name="Lập đợt in").click()
    check_page(page)
    page.get_by_label("Theo mã từng cơ sở").first.check()
    page.locator("#chosen").fill(code)
    page.get_by_role("button", name="Xem số lượng").click()
    expect(page.locator("#foreseen")).to_contain_text("1 tem · 1 trang")
    check_page(page)
    page.get_by_role("button", name="Lập đợt in này").click()
    expect(page.get_by_text("Đã lập đợt in.")).to_be_visible()
    check_page(page)
    page.get_by_role("button", name="Lấy trang để in").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải trang 1 (PDF)").click()
    check_page(page)
    pdf = folder / "tem.pdf"
    download.value.save_as(pdf)
    (scanned,) = scan(pdf)
    parts = urlsplit(scanned)
    assert parts.path == f"/q/{code}"
    return f"{parts.path}?{parts.query}"


def hang(doors: Doors, page: Page, scanned: str) -> None:
    """On patrol: what the phone scanned is pasted, the sticker found and noted with a photo of the door."""
    doors.go(page, "/staff/stickers")
    page.get_by_label("Tìm tem").fill(doors.url + scanned)
    page.get_by_role("button", name="Tìm").click()
    expect(page.locator("h1")).to_have_text(re.compile("^Tem .{5}$"))
    check_page(page)
    photo = {"name": "cửa.jpg", "mimeType": "image/jpeg", "buffer": shop_sign()}
    page.get_by_label("Ảnh tem ở cửa hàng").set_input_files([photo])
    page.get_by_role("button", name="Ghi nhận đã dán").click()
    expect(page.get_by_text("Đã ghi nhận tem đang dán.")).to_be_visible()
    check_page(page)


def report(doors: Doors, page: Page, scanned: str) -> str:
    """A citizen scans and reports; returns the ticket's address."""
    doors.go(page, scanned)
    expect(page.locator("figure img")).to_be_visible()
    page.get_by_role("link", name="Gửi phản ánh").click()
    page.get_by_label("Vệ sinh, an toàn thực phẩm").check()
    page.get_by_label("Bạn thấy gì, ở đâu, lúc nào?").fill(SEEN)
    page.get_by_role("button", name="Gửi phản ánh").click()
    expect(page.get_by_text("Phường đã nhận phản ánh của bạn.")).to_be_visible()
    return page.url.partition("?")[0]


def test_an_owner_proposes_and_the_door_shows_it(doors: Doors, browser: Browser) -> None:
    code = doors.queue.places[OWNED]
    with (
        watched_page(browser, viewport=PHONE) as office,
        watched_page(browser, ("403", "422"), viewport=PHONE) as shop,
    ):
        doors.sign_in(office)
        doors.go(office, f"/staff/establishments/{code}")
        office.get_by_role("link", name="Cấp mã cho chủ cơ sở").click()
        check_page(office)
        office.get_by_role("button", name="Cấp mã mới").click()
        check_page(office)
        secret = office.locator("code.secret").inner_text()
        doors.go(shop, "/owner")
        for typed in ("22222-22222", secret):
            shop.get_by_label("Mã tra cứu của cơ sở").fill(code)
            shop.get_by_label("Mã dùng một lần").fill(typed)
            shop.get_by_role("button", name="Vào trang").click()
            expect(shop.locator("h1")).not_to_be_empty()
            check_page(shop)
        expect(shop.locator("h1")).to_have_text(re.compile("3$"))
        shop.get_by_role("link", name="Đề nghị sửa thông tin").click()
        check_page(shop)
        shop.get_by_label("Tên cơ sở").fill("Quán Chủ Đặt Tên")
        shop.get_by_label("Vì sao bạn biết?").fill("Tôi là chủ quán, vừa đổi bảng hiệu.")
        shop.get_by_role("button", name="Gửi đề nghị").click()
        expect(shop.get_by_text("Đã gửi.")).to_be_visible()
        expect(shop.locator("main")).to_contain_text("Đề nghị sửa thông tin")
        check_page(shop)
        doors.go(office, "/staff/proposals")
        card = office.locator("article.proposal").filter(has_text="Quán Chủ Đặt Tên")
        receipt = card.get_attribute("data-receipt")
        card.get_by_role("button", name="Áp dụng").click()
        office.locator(f"#p-{receipt}.decided-now").wait_for(state="attached")
        shop.get_by_role("link", name="Xem", exact=True).click()
        expect(shop.locator(".receipt-state-word")).to_contain_text("Đã áp dụng")
        check_page(shop)
        doors.go(shop, f"/q/{code}")
        expect(shop.locator("h1")).to_have_text("Quán Chủ Đặt Tên")
