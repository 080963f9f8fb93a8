"""Printed documents as PDF: A4 sheets of look-up stickers, ready to be cut.

Plain data in, bytes out. QR codes are drawn as outlines, so they stay sharp at any printer's resolution, and nothing on
a sticker needs colour.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.fonts import TTFFont

from web import labels, lookup, qr
from web.assets import MissingAssetError
from web.render import format_code

_FONTS = Path(__file__).parent / "static" / "vendor" / "fonts"
_FAMILY = "be-vietnam-pro"

COLUMNS, ROWS = 2, 5
WIDTH, HEIGHT = 92.0, 54.0
"""Millimetres of one sticker, cut to size."""
MARGIN_X, MARGIN_Y = (210.0 - COLUMNS * WIDTH) / 2, (297.0 - ROWS * HEIGHT) / 2
QR_SIDE = 38.0
"""Millimetres of the QR code with its quiet zone: read from arm's length by an old phone."""
_PADDING = 3.0
_POINT_MM = 25.4 / 72
_LEADING = 1.28 * _POINT_MM
"""Millimetres from line to line for each point of size: capitals with two marks (Ẵ) must not touch the line above."""
_EMPTY_BRACKETS = re.compile(r"\s*[(\[]\s*[)\]]")


@dataclass(frozen=True, slots=True)
class Sticker:
    """What is printed for one place."""

    code: str
    address: str
    """The absolute address in the QR code."""
    name: str
    kind: str
    """What stands in place of a name whose letters the font lacks."""
    street_address: str | None
    ward: str | None
    illustrative: bool


def sticker(place: Mapping[str, Any], address: str, lang: str = "vi") -> Sticker:
    """The sticker of an establishment.

    `place` has `code`, `name`, `name_en`, `kind`, `sector_group`, `address`, `stall`, `illustrative` and `ward`, a row
    or None.
    """
    ward = lookup.ward_title(place["ward"], lang)
    stall = labels.text("documents.sticker.stall", lang, stall=str(place["stall"])) if place["stall"] else None
    return Sticker(
        code=place["code"],
        address=address,
        name=lookup.place_name(place, lang),
        kind=lookup.trade(place, lang),
        street_address=", ".join(part for part in (stall, place["address"]) if part) or None,
        ward=ward,
        illustrative=bool(place["illustrative"]),
    )


def sticker_sheet(
    stickers: Sequence[Sticker], site: str, lang: str = "vi", progress: Callable[[int], None] = lambda _done: None
) -> bytes:
    """The stickers in order, ten to an A4 page, row by row, with cut marks.

    `site` is the address that people may type instead of scanning, such as bando.example.vn/q. `progress` is told
    after each sticker how many are done. Raises MissingAssetError without the fonts that set-up copies.
    """
    sheet = _Sheet(lang)
    per_page = COLUMNS * ROWS
    for index, one in enumerate(stickers):
        place = index % per_page
        if place == 0:
            on_page = min(per_page, len(stickers) - index)
            sheet.start_page(on_page, index // per_page + 1, -(-len(stickers) // per_page))
        row, column = divmod(place, COLUMNS)
        sheet.draw(one, MARGIN_X + column * WIDTH, MARGIN_Y + row * HEIGHT, site)
        progress(index + 1)
    return bytes(sheet.output())


class _Sheet(FPDF):
    """A PDF that knows how to draw one sticker at a place on the page."""

    def __init__(self, lang: str) -> None:
        super().__init__(format="A4")
        self.language = lang
        self.set_auto_page_break(False)
        self.set_title(self._words("title"))
        self.set_lang("vi-VN" if lang == "vi" else "en-GB")
        for style, weight in (("", 400), ("B", 600)):
            file = _FONTS / f"{_FAMILY}-{weight}.ttf"
            if not file.exists():
                raise MissingAssetError(f"{file} is missing; `npm ci` and `node web/vendor.mjs` put it there")
            self.add_font(_FAMILY, style, file)
        self._letters = frozenset[int]().union(
            *(font.cmap for font in self.fonts.values() if isinstance(font, TTFFont))
        )

    def start_page(self, on_page: int, page: int, pages: int) -> None:
        """A new page with its number and cut marks for the stickers that will be on it."""
        self.add_page()
        self._line(self._words("page", page=page, pages=pages), MARGIN_X + WIDTH / 2, 291, 7, align="C")
        rows = -(-on_page // COLUMNS)
        self.set_line_width(0.15)
        self.set_draw_color(120)
        for column in range(COLUMNS + 1):
            x = MARGIN_X + column * WIDTH
            self.line(x, MARGIN_Y - 6, x, MARGIN_Y - 1)
            self.line(x, MARGIN_Y + rows * HEIGHT + 1, x, MARGIN_Y + rows * HEIGHT + 6)
        for row in range(rows + 1):
            y = MARGIN_Y + row * HEIGHT
            self.line(MARGIN_X - 6, y, MARGIN_X - 1, y)
            self.line(210 - MARGIN_X + 1, y, 210 - MARGIN_X + 6, y)
            for column in range(1, COLUMNS):
                x = MARGIN_X + column * WIDTH
                self.line(x - 1.5, y, x + 1.5, y)
                self.line(x, y - 1.5, x, y + 1.5)

    def draw(self, one: Sticker, x: float, y: float, site: str) -> None:
        """One sticker with its upper left corner at (x, y)."""
        self._symbol(one.address, x + 1.5, y + 1.5)
        middle = x + 1.5 + QR_SIDE / 2
        self._line(format_code(one.code), middle, y + 44.6, 15, bold=True, align="C")
        self._line(site, middle, y + 49.4, 7.5, align="C", width=QR_SIDE - 2)
        left, right = x + QR_SIDE + 3.5, x + WIDTH - _PADDING
        width = right - left
        self._line(one.ward or self._words("heading"), left, y + 6.6, 8.5, bold=True, width=width)
        top, bottom = y + 9.2, y + 36.5
        if one.illustrative:
            self._banner(self._words("illustrative"), left, top, width)
            top += 7
        name = one.name if any(letter.isalnum() for letter in self._writable(one.name)) else one.kind
        room = bottom - top
        below = 1 + self._height(one.street_address, width, 8) if one.street_address else 0
        taken = self._block(name, left, top, width, max(room - below, room / 2), 14, bold=True)
        if one.street_address:
            self._block(one.street_address, left, top + taken + 1, width, room - taken - 1, 9)
        self._line(self._words("scan"), left, y + 41, 8, width=width)
        self._frame(self._words("not_payment"), left, y + 43.4, width)

    def _words(self, key: str, **values: object) -> str:
        plain = {name: str(value) for name, value in values.items()}
        return labels.text(f"documents.sticker.{key}", self.language, **plain)

    def _symbol(self, address: str, x: float, y: float) -> None:
        """The QR code as one filled path, with its quiet zone inside a square of QR_SIDE at (x, y)."""
        drawn = qr.symbol(address)
        module = QR_SIDE / (drawn.size + 2 * qr.QUIET_ZONE)
        left, top = x + qr.QUIET_ZONE * module, y + qr.QUIET_ZONE * module
        path = []
        for outline in drawn.outlines():
            first, *others = [
                f"{(left + column * module) * self.k:.2f} {(self.h - top - row * module) * self.k:.2f}"
                for column, row in outline
            ]
            path.append(f"{first} m {' '.join(f'{point} l' for point in others)} h")
        # One even-odd fill: a rectangle for each run of modules would show hairlines between the rows.
        self._out("q 0 g " + "\n".join(path) + " f* Q")

    def _line(
        self,
        text: str,
        x: float,
        baseline: float,
        size: float,
        *,
        bold: bool = False,
        align: str = "L",
        width: float | None = None,
    ) -> None:
        """One line of text from or around x, made smaller where it would be wider than `width`."""
        written = self._writable(text)
        wide = self._width_at_1(written, bold) * size
        if width is not None and wide > width:
            size, wide = size * width / wide, width
        self.set_font(_FAMILY, "B" if bold else "", size)
        self.text(x - (wide / 2 if align == "C" else 0), baseline, written)

    def _block(
        self, text: str, x: float, top: float, width: float, height: float, size: float, *, bold: bool = False
    ) -> float:
        """Text in lines, as large as fits the width and height, never cut off; returns the height it took."""
        words = self._writable(text).split()
        while True:
            lines = self._wrapped(words, width / size, bold)
            leading = size * _LEADING
            if len(lines) * leading <= height or size < 3:
                break
            size -= 0.5
        for number, line in enumerate(lines):
            self._line(line, x, top + number * leading + size * _POINT_MM, size, bold=bold, width=width)
        return len(lines) * leading

    def _height(self, text: str, width: float, size: float) -> float:
        return len(self._wrapped(self._writable(text).split(), width / size, bold=False)) * size * _LEADING

    def _wrapped(self, words: Sequence[str], width: float, bold: bool) -> list[str]:
        """Lines no wider than `width` at 1 point; a word wider than that is broken where the line ends."""
        lines = [""]
        for word in words:
            joined = f"{lines[-1]} {word}" if lines[-1] else word
            if self._width_at_1(joined, bold) <= width:
                lines[-1] = joined
                continue
            if lines[-1]:
                lines.append("")
            for letter in word:
                if lines[-1] and self._width_at_1(lines[-1] + letter, bold) > width:
                    lines.append("")
                lines[-1] += letter
        return lines

    def _width_at_1(self, text: str, bold: bool) -> float:
        """Millimetres at a size of one point. Widths grow with the size, so one measure serves all sizes."""
        self.set_font(_FAMILY, "B" if bold else "", 100)
        return self.get_string_width(text) / 100

    def _banner(self, text: str, x: float, top: float, width: float) -> None:
        """White on black, to be seen on any printer."""
        self.set_fill_color(0)
        self.rect(x, top, width, 5.4, style="F")
        self.set_text_color(255)
        self._line(text, x + width / 2, top + 3.9, 9, bold=True, align="C", width=width - 2)
        self.set_text_color(0)

    def _frame(self, text: str, x: float, top: float, width: float) -> None:
        self.set_draw_color(0)
        self.set_line_width(0.4)
        self.rect(x, top, width, 7)
        self._line(text, x + width / 2, top + 4.8, 9.5, bold=True, align="C", width=width - 3)

    def _writable(self, text: str) -> str:
        """The text without what the font cannot draw (Hangul, emoji): a row of empty boxes would help nobody."""
        whole = unicodedata.normalize("NFC", text)
        kept = "".join(letter if ord(letter) in self._letters else " " for letter in whole)
        return _EMPTY_BRACKETS.sub("", " ".join(kept.split())).strip()
