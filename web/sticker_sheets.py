"""Stickers as PDF: A4 sheets with cut marks, or labels of a roll. Loads what draws PDFs, which is large."""

from collections.abc import Callable, Sequence

from web import labels, qr
from web.documents import Document
from web.render import format_code, format_date
from web.sticker_layouts import INSET, LAYOUTS, Layout, Pages, Sticker

LEVEL: qr.Level = "H"
"""Error level of every sticker: 30 % of a symbol may be lost. At these sizes it costs nothing that decoders notice
(tests/benchmarks/qr_decoding.py), so markets and all others get the same."""
_PADDING = 3.0
_FRAME_HEIGHT = 7.0


def sticker_sheet(
    stickers: Sequence[Sticker | None],
    site: str,
    lang: str = "vi",
    *,
    layout: Layout = LAYOUTS["a4_10"],
    pages: Pages | None = None,
    progress: Callable[[int], None] = lambda _done: None,
) -> bytes:
    """The stickers in order, row by row; None leaves the cell of one that is no longer to be printed empty.

    `site` is the address that people may type instead of scanning, such as bando.example.vn/q. `progress` is told
    after each sticker how many are done. Raises MissingAssetError without the fonts that set-up copies.
    """
    sheet = _Sheet(lang, layout)
    shown = pages or Pages(1, -(-len(stickers) // layout.per_page))
    for index, one in enumerate(stickers):
        place = index % layout.per_page
        if place == 0:
            on_page = min(layout.per_page, len(stickers) - index)
            sheet.start_page(on_page, shown.first + index // layout.per_page, shown)
        if one is not None:
            sheet.draw(one, place, site)
        progress(index + 1)
    return bytes(sheet.output())


class _Sheet(Document):
    """A PDF that knows how to draw one sticker at its place on the page."""

    def __init__(self, lang: str, layout: Layout) -> None:
        super().__init__(labels.text("documents.sticker.title", lang), lang, layout.page)
        self.layout = layout

    def start_page(self, on_page: int, page: int, pages: Pages) -> None:
        """A new page; of a sheet with its number, and cut marks for the stickers that will be on it."""
        self.add_page()
        layout = self.layout
        if layout.per_page == 1:
            return
        said = self._words("page", page=page, pages=pages.of)
        if pages.run is not None:
            said = f"{self._words('run', run=pages.run)} · {said}"
        if pages.as_of is not None:
            said += f" · {self._words('as_of', date=format_date(pages.as_of))}"
        left, top = layout.margins
        self.text_line(said, layout.page[0] / 2, layout.page[1] - 2.5, 7, align="C")
        rows = -(-on_page // layout.columns)
        mark = min(5.0, left - 1.5, top - 4)
        self.set_line_width(0.15)
        self.set_draw_color(120)
        for column in range(layout.columns + 1):
            x = left + column * layout.width
            self.line(x, top - 1 - mark, x, top - 1)
            self.line(x, top + rows * layout.height + 1, x, top + rows * layout.height + 1 + mark)
        for row in range(rows + 1):
            y = top + row * layout.height
            self.line(left - 1 - mark, y, left - 1, y)
            self.line(layout.page[0] - left + 1, y, layout.page[0] - left + 1 + mark, y)
            for column in range(1, layout.columns):
                x = left + column * layout.width
                self.line(x - 1.5, y, x + 1.5, y)
                self.line(x, y - 1.5, x, y + 1.5)

    def draw(self, one: Sticker, index: int, site: str) -> None:
        """One sticker at the place with that index on its page."""
        row, column = divmod(index, self.layout.columns)
        left, top = self.layout.margins
        x, y = left + column * self.layout.width, top + row * self.layout.height
        box_x, box_y = self.layout.box_at(index)
        self.symbol_at(qr.symbol(one.address, LEVEL), box_x, box_y, self.layout.box)
        (self._draw_upright if self.layout.upright else self._draw_beside)(one, x, y, site)

    def _draw_beside(self, one: Sticker, x: float, y: float, site: str) -> None:
        layout = self.layout
        middle, below = x + INSET + layout.box / 2, y + INSET + layout.box
        self.text_line(format_code(one.code), middle, below + 4.5, 15, bold=True, align="C")
        self.text_line(site, middle, below + 8.6, 7.5, align="C", width=layout.box - 2)
        self.text_line(self._serial(one), middle, below + 12, 7.5, align="C", width=layout.box - 2)
        left, right = x + layout.box + 3.5, x + layout.width - _PADDING
        width = right - left
        self.text_line(one.ward or self._words("heading"), left, y + 6.6, 8.5, bold=True, width=width)
        self._name(one, left, y + 9.2, width, y + layout.height - 17.5)
        self.text_line(self._words("scan"), left, y + layout.height - 13, 8, width=width)
        self.frame(self._words("not_payment"), left, y + layout.height - 10.6, width)

    def _draw_upright(self, one: Sticker, x: float, y: float, site: str) -> None:
        layout = self.layout
        left, width = x + _PADDING, layout.width - 2 * _PADDING
        middle, below, foot = x + layout.width / 2, y + 7 + layout.box, y + layout.height
        self.text_line(one.ward or self._words("heading"), middle, y + 5.6, 11, bold=True, align="C", width=width)
        self.text_line(format_code(one.code), middle, below + 7, 22, bold=True, align="C")
        self.text_line(f"{site} · {self._serial(one)}", middle, below + 12, 9.5, align="C", width=width)
        self._name(one, left, below + 14.5, width, foot - 15.5)
        self.text_line(self._words("scan"), middle, foot - 11.5, 9, align="C", width=width)
        self.frame(self._words("not_payment"), left, foot - _FRAME_HEIGHT - 2, width)

    def _name(self, one: Sticker, left: float, top: float, width: float, bottom: float) -> None:
        """Name and street address, as large as the room allows."""
        if one.illustrative or one.serial is None:
            self.banner(self._words("illustrative" if one.serial is not None else "preview"), left, top, width)
            top += 7
        name = one.name if any(letter.isalnum() for letter in self.writable(one.name)) else one.kind
        room = bottom - top
        below = 1 + self.text_height(one.street_address, width, 8) if one.street_address else 0
        taken = self.text_block(name, left, top, width, max(room - below, room / 2), 14, bold=True)
        if one.street_address:
            self.text_block(one.street_address, left, top + taken + 1, width, room - taken - 1, 9)

    def _serial(self, one: Sticker) -> str:
        return self._words("serial", serial=one.serial) if one.serial else self._words("no_serial")

    def _words(self, key: str, **values: object) -> str:
        plain = {name: str(value) for name, value in values.items()}
        return labels.text(f"documents.sticker.{key}", self.language, **plain)
