"""The sticker sheet: every QR code read by two independent decoders, every word inside its sticker."""

import random
import time
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from postgis import codes
from web import documents
from web.documents import COLUMNS, HEIGHT, MARGIN_X, MARGIN_Y, QR_SIDE, ROWS, WIDTH, Sticker

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


def stickers(count: int, base: str = BASE) -> list[Sticker]:
    dice = random.Random(count)
    made = []
    for number in range(count):
        code = codes.new_code(dice)
        made.append(
            documents.sticker(
                place(
                    code=code,
                    name=NAMES[number % len(NAMES)],
                    address=ADDRESSES[number % len(ADDRESSES)],
                    stall="12A" if number % 5 == 0 else None,
                    illustrative=number % 3 == 0,
                ),
                f"{base}/q/{code}",
            )
        )
    return made


def pages(pdf: bytes, dpi: int = DPI) -> list[Image.Image]:
    return [page.render(scale=dpi / 72, grayscale=True).to_pil() for page in pypdfium2.PdfDocument(pdf)]


def cut(page: Image.Image, index: int, dpi: int = DPI) -> Image.Image:
    """The QR corner of a sticker, as a phone held before it sees it."""
    row, column = divmod(index, COLUMNS)
    left, top = MARGIN_X + column * WIDTH, MARGIN_Y + row * HEIGHT
    box = (left, top, left + QR_SIDE + 3, top + QR_SIDE + 3)
    return page.crop(tuple(round(side * dpi / 25.4) for side in box))  # type: ignore[arg-type]


@pytest.mark.parametrize("base", [BASE, "http://127.0.0.1:8000"])
def test_every_qr_code_of_a_sheet_is_read_by_two_decoders(base: str) -> None:
    wanted = stickers(34, base)
    sheet = pages(documents.sticker_sheet(wanted, SITE))
    per_page = COLUMNS * ROWS
    assert len(sheet) == 4
    for index, one in enumerate(wanted):
        seen = cut(sheet[index // per_page], index % per_page)
        assert [found.text for found in zxingcpp.read_barcodes(seen)] == [one.address]
        assert [found.data.decode() for found in pyzbar.decode(seen)] == [one.address]
    everything = [found.text for page in sheet for found in zxingcpp.read_barcodes(page)]
    assert sorted(everything) == sorted(one.address for one in wanted)


def test_what_a_sticker_says() -> None:
    made = documents.sticker(place(illustrative=True, stall="12A"), f"{BASE}/q/K7M42XP2")
    page = pypdfium2.PdfDocument(documents.sticker_sheet([made], SITE))[0]
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
    ):
        assert expected in words


def test_a_real_place_does_not_say_illustration() -> None:
    made = documents.sticker(place(), f"{BASE}/q/K7M42XP2")
    page = pypdfium2.PdfDocument(documents.sticker_sheet([made], SITE))[0]
    assert "MINH HỌA" not in page.get_textpage().get_text_bounded()


@pytest.mark.parametrize("name", [LONG_NAME, "ỮẴỘ" * 60, "W" * 200, " ".join(["phở"] * 80)])
def test_a_long_name_is_whole_and_stays_inside_its_sticker(name: str) -> None:
    made = documents.sticker(place(name=name, address=LONG_ADDRESS, illustrative=True), f"{BASE}/q/K7M42XP2")
    page = pypdfium2.PdfDocument(documents.sticker_sheet([made], SITE))[0]
    text = page.get_textpage()
    squeezed = "".join(text.get_text_bounded().split()).replace("\ufffe", "").replace("\u00ad", "")
    assert "".join(name.split()) in squeezed
    assert "".join(LONG_ADDRESS.split()) in squeezed
    page_image = pages(documents.sticker_sheet([made], SITE))[0]
    scale = DPI / 25.4
    beyond = page_image.crop(
        (
            round((MARGIN_X + WIDTH + 2) * scale),
            round((MARGIN_Y + 2) * scale),
            page_image.width,
            round((MARGIN_Y + HEIGHT - 2) * scale),
        )
    )
    assert beyond.getextrema() == (255, 255)


def test_the_qr_code_is_large_and_has_its_quiet_zone() -> None:
    assert QR_SIDE >= 32
    page = pages(documents.sticker_sheet(stickers(1), SITE))[0]
    scale = DPI / 25.4
    module = QR_SIDE / (37 + 8)
    left, top = (MARGIN_X + 1.5) * scale, (MARGIN_Y + 1.5) * scale
    quiet = page.crop((round(left), round(top), round(left + QR_SIDE * scale), round(top + 3.8 * module * scale)))
    assert quiet.getextrema() == (255, 255)


def test_letters_that_the_font_lacks_leave_no_boxes() -> None:
    unwritable = documents.sticker(place(name="Массаж 한국", kind="massage"), f"{BASE}/q/K7M42XP2")
    page = pypdfium2.PdfDocument(documents.sticker_sheet([unwritable], SITE))[0]
    assert "Cơ sở mát-xa" in " ".join(page.get_textpage().get_text_bounded().split())


def test_five_hundred_stickers_take_less_than_ten_seconds() -> None:
    wanted = stickers(500)
    told: list[int] = []
    started = time.process_time()
    sheet = documents.sticker_sheet(wanted, SITE, progress=told.append)
    assert time.process_time() - started < 10
    assert told == list(range(1, 501))
    assert len(pypdfium2.PdfDocument(sheet)) == 50
