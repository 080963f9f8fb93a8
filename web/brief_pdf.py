"""A report as PDF in the layout of Decree 30/2020/NĐ-CP, Appendix I. Loads what draws PDFs, which is large.

Tinos stands in for Times New Roman: letter by letter as wide. The signer's office, signature and name, the number and
the day stay empty: they are the signer's.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from itertools import zip_longest

from fpdf import FPDF
from fpdf.enums import MethodReturnValue
from fpdf.fonts import FontFace, TTFFont

from web.assets import MissingAssetError
from web.brief import BriefData
from web.brief_blocks import Block, Heading, Para, Picture, Table
from web.brief_content import BriefContent
from web.chart_paper import FONTS, POINT_MM, draw_in_pdf
from web.marks import Drawing, Words

LEFT, RIGHT, TOP, BOTTOM = 30.0, 20.0, 20.0, 20.0
"""Margins in mm: the decree wants 30-35, 15-20, 20-25, 20-25."""
_FAMILY = "tinos"
_BODY, _TABLE, _SMALL = 13.0, 11.0, 11.0
_LINE = 1.25 * POINT_MM
_INDENT = 12.7


def brief_pdf(data: BriefData, lang: str = "vi") -> bytes:
    """The report, the same bytes for the same data. Raises MissingAssetError without the fonts that set-up copies."""
    content = BriefContent(data, lang)
    paper = _Paper(content)
    paper.add_page()
    paper.head()
    *body, last = content.body()
    paper.blocks(body)
    paper.signature(last)
    paper.add_page()
    paper.named(content.words("annex.heading"), content.words("annex.subject"))
    paper.blocks(content.annex())
    return bytes(paper.output())


class _Paper(FPDF):
    """A4 pages with their number on top from the second, and what each says of its figures at the foot."""

    def __init__(self, content: BriefContent) -> None:
        super().__init__(format="A4")
        self.content = content
        for style, name in (("", "400"), ("B", "700"), ("I", "400-italic"), ("BI", "700-italic")):
            file = FONTS / f"tinos-{name}.ttf"
            if not file.exists():
                raise MissingAssetError(f"{file} is missing; `npm ci` and `node web/vendor.mjs` put it there")
            self.add_font(_FAMILY, style, file)
        self._letters = frozenset[int]().union(
            *(font.cmap for font in self.fonts.values() if isinstance(font, TTFFont))
        )
        self.set_margins(LEFT, TOP, RIGHT)
        self.set_auto_page_break(True, BOTTOM + 1)
        self.set_title(content.subject)
        self.set_author(" ".join(content.authority))
        self.set_subject(content.fingerprint)
        self.set_lang("vi-VN" if content.lang == "vi" else "en-GB")
        self.set_creation_date(content.data.moment)
        self._number = 0

    def header(self) -> None:
        """The page's number; of provisional figures and of a sample, that they are such."""
        if self.page_no() > 1:
            self.set_font(_FAMILY, "", _BODY)
            self.set_y(10)
            self.cell(self.epw, 6, str(self.page_no()), align="C")
        warning = "provisional" if self.content.data.provisional else ""
        if self.content.data.illustrative:
            warning = "illustrative"
        if warning:
            said = self.content.words(f"head.{warning}")
            if warning == "illustrative" and self.content.data.provisional:
                said = f"{self.content.words('head.provisional')}. {said}"
            self._centred(said, LEFT, 14.5 if self.page_no() > 1 else 11, self.epw, "B", 10)
        self.set_y(TOP + (2 if warning else 0))

    def footer(self) -> None:
        """As of when, and the beginning of the fingerprint: a page by itself can still be traced."""
        self.set_y(-BOTTOM)
        self.set_font(_FAMILY, "I", 9)
        self.cell(self.epw, 4, self.content.foot, align="C")

    def head(self) -> None:
        """Who issues it, under which country's name, number, place and day, what it is and about what."""
        words, top = self.content.words, self.get_y()
        left, right = 64.0, self.epw - 64.0
        self.set_font(_FAMILY, "B", 12.5)
        lines = [line for text in self.content.authority for line in self._lines(text, left, 6)]
        for number, line in enumerate(lines):
            self._centred(line.strip(), LEFT, top + number * 6, left, "B", 12.5)
        under = top + 6 * len(lines) + 1
        self._rule(LEFT + left / 2, under, left * 0.4)
        self._centred(words("head.country"), LEFT + left, top, right, "B", 12.5)
        self._centred(words("head.motto"), LEFT + left, top + 6, right, "B", 13.5)
        self.set_font(_FAMILY, "B", 13.5)
        self._rule(LEFT + left + right / 2, top + 13, self.get_string_width(words("head.motto")))
        below = max(top + 17, under + 4)
        self._centred(words("head.number"), LEFT, below, left, "", 13)
        data = self.content.data
        day = words("head.place_and_day", place=data.place, year=self.content.signed_year)
        self._centred(day, LEFT + left, below, right, "I", 13.5)
        self.set_y(below + 11)
        self.named(words("head.type"), self.content.subject)

    def named(self, name: str, about: str) -> None:
        """The kind of paper in capitals, below it what it is about, below that a line."""
        self.set_font(_FAMILY, "B", 14)
        self.multi_cell(self.epw, 14 * _LINE, name, align="C", new_x="LMARGIN", new_y="NEXT")
        self.multi_cell(self.epw, 14 * _LINE, self._writable(about), align="C", new_x="LMARGIN", new_y="NEXT")
        self._rule(LEFT + self.epw / 2, self.get_y() + 1, 60)
        self.ln(5)

    def blocks(self, blocks: Iterable[Block]) -> None:
        """Blocks one below the other; a heading on the page of what it is of."""
        for block, after in zip_longest(found := list(blocks), found[1:]):
            self._block(block, after)

    def _block(self, block: Block, after: Block | None) -> None:
        if isinstance(block, Heading):
            self._keep(26 + self._height_after(after))
            self.ln(2)
            self._text(block.text, "B", _BODY, indent=0 if block.level == 1 else _INDENT)
        elif isinstance(block, Para):
            size = _SMALL if block.small else _BODY
            self._text(block.text, "I" if block.italic else "", size, indent=_INDENT)
        elif isinstance(block, Picture):
            self._picture(block)
        else:
            self._table(block)

    def _height_after(self, block: Block | None) -> float:
        """What must stand below a heading: a whole picture, or the caption, the headings and a row of a table."""
        if isinstance(block, Picture):
            return self._height(block)[1]
        return self._height_begun(block) - 12 if isinstance(block, Table) else 0.0

    def _height_begun(self, block: Table) -> float:
        self.set_font(_FAMILY, "B", 12)
        caption = len(self._lines(block.caption, self.epw, 12 * _LINE)) * 12 * _LINE
        rows = 0.0
        self.set_font(_FAMILY, "B", _TABLE)
        for row in (block.headings, *block.rows[:1]):
            # As fpdf2 divides the width, less the padding and the margin within each cell.
            lines = (
                len(self._lines(text, width / sum(block.widths) * self.epw - 3.7, 5))
                for text, width in zip(row, block.widths, strict=True)
            )
            rows += max(lines) * _TABLE * _LINE + 1.6
        return caption + rows + 6

    def signature(self, last: Block) -> None:
        """Below the last sentence, on its page: who gets it, on the left; who signs, on the right, with room for it."""
        words = self.content.words
        self.set_font(_FAMILY, "", _BODY)
        said = last.text if isinstance(last, Para) else ""
        self._keep(64 + (len(self._lines(said, self.epw, _BODY * _LINE)) + 1) * _BODY * _LINE)
        self._block(last, None)
        self.ln(6)
        top, half = self.get_y(), self.epw / 2
        self.set_font(_FAMILY, "BI", 12)
        self.text(LEFT, top + 4, words("end.receivers"))
        self.set_font(_FAMILY, "", 11)
        for number in range(1, 4):
            self.text(LEFT, top + 4 + number * 5.2, words(f"end.receiver_{number}"))
        self._centred(words("end.authority"), LEFT + half, top, half, "B", 13.5)
        self._centred(words("end.office"), LEFT + half, top + 6.5, half, "B", 13.5)
        self._centred(words("end.name"), LEFT + half, top + 42, half, "B", 13.5)
        self.set_y(top + 52)

    def _picture(self, block: Picture) -> None:
        width, height = self._height(block)
        lines = self._lines(block.caption, self.epw, 12 * _LINE)
        self._keep(height + 12 + 12 * _LINE * len(lines))
        self.ln(2)
        top = self.get_y()
        with self.local_context():
            draw_in_pdf(self, self._drawable(block.drawing), LEFT + (self.epw - width) / 2, top, width, _FAMILY)
        self.set_y(top + height + 1)
        self._text(block.caption, "I", 12, indent=0, align="C")

    def _height(self, block: Picture) -> tuple[float, float]:
        """Width and height of a picture in mm: as wide as the text, or as high as a page lets it be."""
        height = self.epw / block.drawing.width * block.drawing.height
        room = self.h - TOP - BOTTOM - 40
        return (self.epw, height) if height <= room else (self.epw * room / height, room)

    def _table(self, block: Table) -> None:
        self._keep(self._height_begun(block))
        self.ln(1)
        self._text(block.caption, "B", 12, indent=0, align="L")
        self.set_font(_FAMILY, "", _TABLE)
        self.set_draw_color(90)
        self.set_line_width(0.2)
        align = tuple("LEFT" if number in block.left else "CENTER" for number in range(len(block.headings)))
        with self.table(
            col_widths=block.widths,
            width=self.epw,
            # Centred would be: in the middle of the sheet, whose margins differ.
            align="LEFT",
            text_align=align,
            line_height=_TABLE * _LINE,
            padding=0.8,
            headings_style=FontFace(emphasis="BOLD"),
            repeat_headings=1,
        ) as table:
            for number, line in enumerate((block.headings, *block.rows), -1):
                row = table.row(style=FontFace(emphasis="BOLD") if number in block.strong else None)
                for text in line:
                    row.cell(self._writable(text))
        self.ln(2)

    def _text(self, text: str, style: str, size: float, *, indent: float, align: str = "J") -> None:
        """A paragraph. Its first line begins further in: by spaces, since fpdf2 indents whole paragraphs alone."""
        self.set_font(_FAMILY, style, size)
        space = self.get_string_width("\xa0")
        shown = "\xa0" * round(indent / space) + self._writable(text)
        self.multi_cell(self.epw, size * _LINE, shown, align=align, new_x="LMARGIN", new_y="NEXT")
        self.ln(2)

    def _keep(self, height: float) -> None:
        """A new page where what belongs together has no room."""
        if self.will_page_break(min(height, self.h - TOP - BOTTOM - 14)):
            self.add_page()

    def _centred(self, text: str, x: float, y: float, width: float, style: str, size: float) -> None:
        """A line in the middle of its room, smaller where it is too long: names of wards differ."""
        self.set_font(_FAMILY, style, size)
        wide = self.get_string_width(text)
        if wide > width - 1:
            self.set_font(_FAMILY, style, size * (width - 1) / wide)
            wide = width - 1
        self.text(x + (width - wide) / 2, y + 4.6, self._writable(text))

    def _rule(self, middle: float, y: float, width: float) -> None:
        self.set_draw_color(0)
        self.set_line_width(0.3)
        self.line(middle - width / 2, y, middle + width / 2, y)

    def _lines(self, text: str, width: float, height: float) -> list[str]:
        """The lines of a text in the font that is set."""
        return self.multi_cell(  # type: ignore[return-value]
            width, height, self._writable(text), dry_run=True, output=MethodReturnValue.LINES
        )

    def _drawable(self, drawn: Drawing) -> Drawing:
        marks = (
            replace(mark, text=self._writable(mark.text)) if isinstance(mark, Words) else mark for mark in drawn.marks
        )
        return replace(drawn, marks=tuple(marks))

    def _writable(self, text: str) -> str:
        """Without what the font cannot draw: a row of empty boxes would help nobody."""
        whole = unicodedata.normalize("NFC", text)
        return "".join(letter if ord(letter) in self._letters or letter == "\n" else " " for letter in whole)
