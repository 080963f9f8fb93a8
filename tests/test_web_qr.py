"""QR codes: that independent decoders read exactly the address, as drawn for pages and for printing."""

import io
import random
import re

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from postgis import codes
from web import qr
from web.lookup import QR_MASK

ADDRESS = "https://bando.hoacuong.example.vn/q/K7M42XP2"
ADDRESSES = st.from_regex(r"https?://[a-z0-9.-]{1,40}(:[0-9]{2,5})?/q/[2-9A-Y]{8}", fullmatch=True)


def decoded(image: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(image)]


@settings(max_examples=30, deadline=None)
@given(ADDRESSES)
def test_the_png_decodes_to_its_address_letter_by_letter(address: str) -> None:
    assert decoded(Image.open(io.BytesIO(qr.png(address, box=4)))) == [address]


@settings(max_examples=30, deadline=None)
@given(ADDRESSES)
def test_the_outlines_fill_exactly_the_dark_modules(address: str) -> None:
    symbol = qr.symbol(address)
    image = Image.new("1", (symbol.size, symbol.size))
    for outline in symbol.outlines():
        # Even-odd: each outline turns over what lies inside it.
        corners = [(column - 0.5, row - 0.5) for column, row in outline]
        for row in range(symbol.size):
            for column in range(symbol.size):
                if _inside(corners, column, row):
                    image.putpixel((column, row), 0 if image.getpixel((column, row)) else 1)
    assert [[bool(image.getpixel((c, r))) for c in range(symbol.size)] for r in range(symbol.size)] == [
        list(row) for row in symbol.modules
    ]


def _inside(corners: list[tuple[float, float]], x: int, y: int) -> bool:
    """Whether a point is inside a polygon of upright and level edges: count the upright edges to its right."""
    crossings = 0
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if x1 == x2 and x1 > x and min(y1, y2) < y < max(y1, y2):
            crossings += 1
    return crossings % 2 == 1


def test_the_svg_is_one_small_path_with_a_title_and_a_quiet_zone() -> None:
    svg = qr.svg(ADDRESS, 'Mã "QR" <của> trang')
    side = qr.symbol(ADDRESS).size + 8
    assert f'viewBox="0 0 {side} {side}"' in svg
    assert "<title>Mã &quot;QR&quot; &lt;của&gt; trang</title>" in svg
    assert svg.count("<path") == 2  # the light ground and the dark modules
    assert len(svg) < 3_500


def test_the_svg_path_draws_the_symbol() -> None:
    """The path as a browser follows it: relative moves along the middle of each row, a stroke for each run."""
    symbol = qr.symbol(ADDRESS)
    data = re.findall(r' d="(m[^"]+)"', qr.svg(ADDRESS, "QR"))[0]
    dark, column, row = set[tuple[int, int]](), 0, 0.0
    strokes = re.findall(r"m(-?\d+)\s?(-?[\d.]+)h(\d+)", data)
    assert "".join(f"m{right} {down}h{long}" for right, down, long in strokes).replace(" -", "-") == data
    for right, down, long in strokes:
        column, row = column + int(right), row + float(down)
        dark |= {(column + more - qr.QUIET_ZONE, int(row - 0.5) - qr.QUIET_ZONE) for more in range(int(long))}
        column += int(long)
    assert (row - 0.5).is_integer()
    assert dark == {(c, r) for r in range(symbol.size) for c in range(symbol.size) if symbol.modules[r][c]}


def test_error_level_is_q() -> None:
    """The format bits beside the upper left finder: the level is 11 for Q, after the standard's mask (101…)."""
    modules = qr.symbol(ADDRESS).modules
    level = (modules[8][0], modules[8][1])
    assert (level[0] ^ True, level[1] ^ False) == (True, True)


def test_a_tenth_of_the_symbol_may_be_soiled() -> None:
    """Level Q restores a quarter of the codewords; a blot touches more of them than its area says."""
    box = 8
    symbol = qr.symbol(ADDRESS)
    image = Image.open(io.BytesIO(qr.png(ADDRESS, box))).convert("L")
    blot = round(symbol.size * 0.1**0.5) * box
    end = (qr.QUIET_ZONE + symbol.size - 1) * box
    for colour in (0, 255):
        soiled = image.copy()
        soiled.paste(colour, (end - blot, end - 2 * blot, end, end - blot))
        assert decoded(soiled) == [ADDRESS]


def test_an_address_that_no_sticker_could_carry_is_refused() -> None:
    for address in ("", "https://example.vn/" + "x" * 300):
        with pytest.raises(ValueError, match="1 to 300 bytes"):
            qr.symbol(address)


def test_the_symbol_of_a_page_is_read_as_its_address() -> None:
    for number in range(60):
        address = f"https://bando.example.vn/q/{codes.new_code(random.Random(number))}"
        modules = qr.symbol(address, mask=QR_MASK).modules
        side = len(modules) + 2 * qr.QUIET_ZONE
        image = Image.new("L", (side, side), 255)
        for row, line in enumerate(modules, start=qr.QUIET_ZONE):
            for column, dark in enumerate(line, start=qr.QUIET_ZONE):
                image.putpixel((column, row), 0 if dark else 255)
        drawn = image.resize((side * 4, side * 4), Image.Resampling.NEAREST)
        assert [found.text for found in zxingcpp.read_barcodes(drawn)] == [address]
