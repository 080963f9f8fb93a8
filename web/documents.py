"""Printed documents as PDF: a page that writes Vietnamese, fits text into its room and draws QR codes as outlines.

Plain data in, bytes out. QR codes are drawn as outlines, so they stay sharp at any printer's resolution, and nothing
needs colour.
"""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import TTFFont

from web import qr
from web.assets import MissingAssetError

_FONTS = Path(__file__).parent / "static" / "vendor" / "fonts"
_FAMILY = "be-vietnam-pro"
_POINT_MM = 25.4 / 72
_LEADING = 1.28 * _POINT_MM
"""Millimetres from line to line for each point of size: capitals with two marks (Ẵ) must not touch the line above."""
_EMPTY_BRACKETS = re.compile(r"\s*[(\[]\s*[)\]]")


class Document(FPDF):
    """A PDF in the house's type. Millimetres from the upper left corner of the page; sizes of type in points.

    Raises MissingAssetError without the fonts that set-up copies.
    """

    def __init__(self, title: str, lang: str, size: tuple[float, float] = (210.0, 297.0)) -> None:
        super().__init__(format=size)
        self.language = lang
        self.set_auto_page_break(False)
        self.set_title(title)
        self.set_lang("vi-VN" if lang == "vi" else "en-GB")
        for style, weight in (("", 400), ("B", 600)):
            file = _FONTS / f"{_FAMILY}-{weight}.ttf"
            if not file.exists():
                raise MissingAssetError(f"{file} is missing; `npm ci` and `node web/vendor.mjs` put it there")
            self.add_font(_FAMILY, style, file)
        self._advances: dict[tuple[str, bool], float] = {}
        self._letters = frozenset[int]().union(
            *(font.cmap for font in self.fonts.values() if isinstance(font, TTFFont))
        )

    def symbol_at(self, symbol: qr.Symbol, x: float, y: float, side: float) -> None:
        """A QR code as one filled path, with its quiet zone inside a square at (x, y)."""
        module = side / (symbol.size + 2 * qr.QUIET_ZONE)
        left, top = x + qr.QUIET_ZONE * module, y + qr.QUIET_ZONE * module
        path = []
        for outline in symbol.outlines():
            first, *others = [
                f"{(left + column * module) * self.k:.2f} {(self.h - top - row * module) * self.k:.2f}"
                for column, row in outline
            ]
            path.append(f"{first} m {' '.join(f'{point} l' for point in others)} h")
        # One even-odd fill: a rectangle for each run of modules would show hairlines between the rows.
        self._out("q 0 g " + "\n".join(path) + " f* Q")

    def text_line(
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
        written = self.writable(text)
        wide = self._width_at_1(written, bold) * size
        if width is not None and wide > width:
            size, wide = size * width / wide, width
        self.set_font(_FAMILY, "B" if bold else "", size)
        self.text(x - (wide / 2 if align == "C" else 0), baseline, written)

    def text_block(
        self, text: str, x: float, top: float, width: float, height: float, size: float, *, bold: bool = False
    ) -> float:
        """Text in lines, as large as fits the width and height, never cut off; returns the height it took."""
        words = self.writable(text).split()
        while True:
            lines = self._wrapped(words, width / size, bold)
            leading = size * _LEADING
            if len(lines) * leading <= height or size < 3:
                break
            size -= 0.5
        for number, line in enumerate(lines):
            self.text_line(line, x, top + number * leading + size * _POINT_MM, size, bold=bold, width=width)
        return len(lines) * leading

    def text_height(self, text: str, width: float, size: float) -> float:
        """Millimetres that a text takes in lines of that width."""
        return len(self._wrapped(self.writable(text).split(), width / size, bold=False)) * size * _LEADING

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
        """Millimetres at a size of one point: widths grow with the size, and no letter moves towards its neighbour."""
        return sum(self._advances.get((letter, bold)) or self._advance(letter, bold) for letter in text)

    def _advance(self, letter: str, bold: bool) -> float:
        self.set_font(_FAMILY, "B" if bold else "", 100)
        self._advances[letter, bold] = float(self.get_string_width(letter)) / 100
        return self._advances[letter, bold]

    def banner(self, text: str, x: float, top: float, width: float) -> None:
        """White on black, to be seen on any printer."""
        self.set_fill_color(0)
        self.rect(x, top, width, 5.4, style="F")
        self.set_text_color(255)
        self.text_line(text, x + width / 2, top + 3.9, 9, bold=True, align="C", width=width - 2)
        self.set_text_color(0)

    def frame(self, text: str, x: float, top: float, width: float) -> None:
        """A line of text in a box of seven millimetres."""
        self.set_draw_color(0)
        self.set_line_width(0.4)
        self.rect(x, top, width, 7)
        self.text_line(text, x + width / 2, top + 4.8, 9.5, bold=True, align="C", width=width - 3)

    def writable(self, text: str) -> str:
        """The text without what the font cannot draw (Hangul, emoji): a row of empty boxes would help nobody."""
        whole = unicodedata.normalize("NFC", text)
        kept = "".join(letter if ord(letter) in self._letters else " " for letter in whole)
        return _EMPTY_BRACKETS.sub("", " ".join(kept.split())).strip()
