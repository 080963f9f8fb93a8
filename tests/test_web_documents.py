"""The sticker sheet: every QR code read by two independent decoders, every word inside its sticker."""

import random
import time
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from postgis import codes
from web import qr, sticker_layouts, sticker_sheets
from web.sticker_layouts import LAYOUTS, Layout, Sticker

try:
    from pyzbar import pyzbar
except ImportError as missing:
    pytest.fail(
        f"pyzbar cannot find the zbar library ({missing}); install it with: apt-get install libzbar0", pytrace=False
    )

BASE = "https://bando.hoacuong.example.vn"
SITE = "bando.hoacuong.example.vn/q"
WARD = {"code": "20257", "name": "Hòa Cường", "name_en": "Hoa Cuong", "kind": "ward"}
LONG_NAME = "Chó Cảnh Đà Nẵng - PetShop Chó Mèo Gấu Múp - Corgi, Poodle, Pom, Pug, Mèo Cảnh"
LONG_ADDRESS = "K408/88/12 đường Hoàng Diệu, tổ 15, gần cổng sau chợ, phường Bình Thuận cũ"
NAMES = ("Mì Quảng minh họa 0012", LONG_NAME, "Phở", None, "ỮẴỘ" * 40, "Массаж", "XÓM MỚI (씀모이가든)")
ADDRESSES = ("216 Núi Thành", LONG_ADDRESS, None, "12 2 Tháng 9")
DPI = 200
SHEET = LAYOUTS["a4_10"]
SERIAL, TOKEN = "K7M42", "K7M42XP2AC"


def place(**changes: Any) -> dict[str, Any]:
    return {
        "code": "K7M42XP2",
        "name": "Phở minh họa",
        "name_en": None,
        "kind": "restaurant",
        "sector_group": "food_service",
        "address": "216 Núi Thành",
        "stall": None,
        "illustrative": False,
        "ward": WARD,
    } | changes


def one_sticker(code: str = "K7M42XP2", **changes: Any) -> Sticker:
    return sticker_layouts.sticker(place(code=code, **changes), f"{BASE}/q/{code}?t={TOKEN}", serial=SERIAL)


def stickers(count: int, base: str = BASE) -> list[Sticker]:
    dice = random.Random(count)
    made = []
    for number in range(count):
        code = codes.new_code(dice)
        made.append(
            sticker_layouts.sticker(
                place(
                    code=code,
                    name=NAMES[number % len(NAMES)],
                    address=ADDRESSES[number % len(ADDRESSES)],
                    stall="12A" if number % 5 == 0 else None,
                    illustrative=number % 3 == 0,
                ),
                f"{base}/q/{code}?t={TOKEN}",
                serial=SERIAL,
            )
        )
    return made


def pages(pdf: bytes, dpi: int = DPI) -> list[Image.Image]:
    return [page.render(scale=dpi / 72, grayscale=True).to_pil() for page in pypdfium2.PdfDocument(pdf)]


def cut(page: Image.Image, index: int, layout: Layout = SHEET, dpi: int = DPI) -> Image.Image:
    """The QR code of a sticker, as a phone held before it sees it."""
    left, top = layout.box_at(index)
    box = (left - 1.5, top - 1.5, left + layout.box + 1.5, top + layout.box + 1.5)
    return page.crop(tuple(round(side * dpi / 25.4) for side in box))  # type: ignore[arg-type]


@pytest.mark.parametrize("base", [BASE, "http://127.0.0.1:8000"])
@pytest.mark.parametrize(("name", "count"), [("a4_10", 34), ("a4_4", 6), ("roll_100x60", 3), ("roll_100x150", 3)])
def test_every_qr_code_of_a_sheet_is_read_by_two_decoders(base: str, name: str, count: int) -> None:
    wanted, layout = stickers(count, base), LAYOUTS[name]
    sheet = pages(sticker_sheets.sticker_sheet(wanted, SITE, layout=layout))
    assert len(sheet) == -(-count // layout.per_page)
    for index, one in enumerate(wanted):
        seen = cut(sheet[index // layout.per_page], index % layout.per_page, layout)
        assert [found.text for found in zxingcpp.read_barcodes(seen)] == [one.address]
        assert [found.data.decode() for found in pyzbar.decode(seen)] == [one.address]
    everything = [found.text for page in sheet for found in zxingcpp.read_barcodes(page)]
    assert sorted(everything) == sorted(one.address for one in wanted)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("base", [BASE, "http://127.0.0.1:8000", "https://a.vn"])
def test_the_side_is_a_tenth_of_the_distance_and_modules_are_not_too_fine(name: str, base: str) -> None:
    layout = LAYOUTS[name]
    symbol = qr.symbol(f"{base}/q/K7M42XP2?t={TOKEN}", sticker_sheets.LEVEL)
    module = layout.box / (symbol.size + 2 * qr.QUIET_ZONE)
    assert symbol.size * module >= layout.distance / 10
    # Six dots of a 300 dpi label printer.
    assert module >= 6 * 25.4 / 300
    left, top = layout.box_at(layout.per_page - 1)
    assert left >= 0 and left + layout.box <= layout.page[0] and top + layout.box <= layout.page[1]


def test_a_cell_of_a_sticker_that_is_withdrawn_stays_empty() -> None:
    one, two = stickers(2)
    seen = pages(sticker_sheets.sticker_sheet([None, one, None, two], SITE))[0]
    assert [found.text for index in range(4) for found in zxingcpp.read_barcodes(cut(seen, index))] == [
        one.address,
        two.address,
    ]
    assert zxingcpp.read_barcodes(cut(seen, 0)) == [] == zxingcpp.read_barcodes(cut(seen, 2))


def test_a_preview_says_that_it_is_one() -> None:
    made = sticker_layouts.sticker(place(), f"{BASE}/q/K7M42XP2")
    text = pypdfium2.PdfDocument(sticker_sheets.sticker_sheet([made], SITE))[0].get_textpage().get_text_bounded()
    assert "BẢN XEM THỬ" in text and "Số tem" not in text


def test_what_a_sticker_says() -> None:
    made = one_sticker(illustrative=True, stall="12A")
    page = pypdfium2.PdfDocument(sticker_sheets.sticker_sheet([made], SITE))[0]
    words = " ".join(page.get_textpage().get_text_bounded().split())
    for expected in (
        "K7M4-2XP2",
        SITE,
        "Phường Hòa Cường",
        "Phở minh họa",
        "Quầy, sạp 12A, 216 Núi Thành",
        "Quét để tra cứu thông tin công khai",
        "Không phải mã thanh toán",
        "DỮ LIỆU MINH HỌA",
        "Trang 1/1",
        f"Số tem {SERIAL}",
    ):
        assert expected in words


def test_a_real_place_does_not_say_illustration() -> None:
    made = one_sticker()
    page = pypdfium2.PdfDocument(sticker_sheets.sticker_sheet([made], SITE))[0]
    assert "MINH HỌA" not in page.get_textpage().get_text_bounded()


@pytest.mark.parametrize("name", [LONG_NAME, "ỮẴỘ" * 60, "W" * 200, " ".join(["phở"] * 80)])
def test_a_long_name_is_whole_and_stays_inside_its_sticker(name: str) -> None:
    made = one_sticker(name=name, address=LONG_ADDRESS, illustrative=True)
    page = pypdfium2.PdfDocument(sticker_sheets.sticker_sheet([made], SITE))[0]
    text = page.get_textpage()
    squeezed = "".join(text.get_text_bounded().split()).replace("\ufffe", "").replace("\u00ad", "")
    assert "".join(name.split()) in squeezed
    assert "".join(LONG_ADDRESS.split()) in squeezed
    page_image = pages(sticker_sheets.sticker_sheet([made], SITE))[0]
    scale = DPI / 25.4
    beyond = page_image.crop(
        (
            round((SHEET.margins[0] + SHEET.width + 2) * scale),
            round((SHEET.margins[1] + 2) * scale),
            page_image.width,
            round((SHEET.margins[1] + SHEET.height - 2) * scale),
        )
    )
    assert beyond.getextrema() == (255, 255)


def test_the_qr_code_has_its_quiet_zone() -> None:
    page = pages(sticker_sheets.sticker_sheet(stickers(1), SITE))[0]
    scale = DPI / 25.4
    side = qr.symbol(stickers(1)[0].address, sticker_sheets.LEVEL).size + 2 * qr.QUIET_ZONE
    module = SHEET.box / side
    left, top = (edge * scale for edge in SHEET.box_at(0))
    quiet = page.crop((round(left), round(top), round(left + SHEET.box * scale), round(top + 3.8 * module * scale)))
    assert quiet.getextrema() == (255, 255)


def test_letters_that_the_font_lacks_leave_no_boxes() -> None:
    unwritable = one_sticker(name="Массаж 한국", kind="massage")
    page = pypdfium2.PdfDocument(sticker_sheets.sticker_sheet([unwritable], SITE))[0]
    assert "Cơ sở mát-xa" in " ".join(page.get_textpage().get_text_bounded().split())


def test_five_hundred_stickers_take_less_than_ten_seconds() -> None:
    wanted = stickers(500)
    told: list[int] = []
    started = time.process_time()
    sheet = sticker_sheets.sticker_sheet(wanted, SITE, progress=told.append)
    assert time.process_time() - started < 10
    assert told == list(range(1, 501))
    assert len(pypdfium2.PdfDocument(sheet)) == 50
