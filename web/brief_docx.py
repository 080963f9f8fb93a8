"""A report as a Word file, to be edited and signed: the blocks of the PDF.

Loads what writes such files, which is large.
"""

from datetime import UTC
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as Paper
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import Table as WordTable
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from web.brief import BriefData
from web.brief_blocks import Block, Heading, Para, Picture, Table
from web.brief_content import BriefContent
from web.chart_paper import picture

FONT = "Times New Roman"
_CENTRE, _LEFT, _BOTH = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.JUSTIFY
_WIDTH = 160.0


def brief_docx(data: BriefData, lang: str = "vi") -> bytes:
    """The report, the same bytes for the same data."""
    content = BriefContent(data, lang)
    paper = Document()
    _set_up(paper, content)
    _head(paper, content)
    for block in content.body():
        _block(paper, block)
    # The signature stands on the page of the last sentence.
    paper.paragraphs[-1].paragraph_format.keep_with_next = True
    _signature(paper, content)
    title = _line(paper, content.words("annex.heading"), "B", 14, _CENTRE)
    title.paragraph_format.page_break_before = True
    _underlined(_line(paper, content.words("annex.subject"), "B", 14, _CENTRE))
    for block in content.annex():
        _block(paper, block)
    out = BytesIO()
    paper.save(out)
    return _stamped(out, data)


def _set_up(paper: Paper, content: BriefContent) -> None:
    data = content.data
    style = paper.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(13)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    style.paragraph_format.space_after = Pt(6)
    style.paragraph_format.space_before = Pt(0)
    section = paper.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin, section.top_margin, section.bottom_margin = (
        Mm(30),
        Mm(20),
        Mm(20),
        Mm(20),
    )
    section.header_distance, section.footer_distance = Mm(9), Mm(9)
    section.different_first_page_header_footer = True
    _page_number(section.header.paragraphs[0])
    for header in (section.header, section.first_page_header):
        first = header.paragraphs[0]
        for words in _warnings(content):
            line = first if not first.runs and header is section.first_page_header else header.add_paragraph()
            _write(line, words, "B", 10, _CENTRE)
    for footer in (section.footer, section.first_page_footer):
        _write(footer.paragraphs[0], content.foot, "I", 9, _CENTRE)
    about = paper.core_properties
    about.title, about.author, about.subject = content.subject, " ".join(content.authority), content.fingerprint
    about.created = about.modified = data.moment.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    about.last_modified_by, about.comments, about.language = "", "", "vi-VN" if content.lang == "vi" else "en-GB"


def _warnings(content: BriefContent) -> list[str]:
    shown = (("provisional", content.data.provisional), ("illustrative", content.data.illustrative))
    return [content.words(f"head.{name}") for name, holds in shown if holds]


def _page_number(line: Paragraph) -> None:
    line.alignment = _CENTRE
    run = line.add_run()
    run.font.size = Pt(13)
    for kind, words in (("begin", None), (None, "PAGE"), ("end", None)):
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.text = words
        run._r.append(mark)


def _head(paper: Paper, content: BriefContent) -> None:
    table = _grid(paper, (64.0, 96.0), 2)
    left, right = table.rows[0].cells
    for number, words in enumerate(content.authority):
        _write(left.paragraphs[0] if number == 0 else left.add_paragraph(), words, "B", 12.5, _CENTRE, after=0)
    _underlined(left.paragraphs[-1], 20)
    _write(right.paragraphs[0], content.words("head.country"), "B", 12, _CENTRE, after=0)
    _underlined(_write(right.add_paragraph(), content.words("head.motto"), "B", 13.5, _CENTRE, after=0), 22)
    left, right = table.rows[1].cells
    _write(left.paragraphs[0], content.words("head.number"), "", 13, _CENTRE)
    day = content.words("head.place_and_day", place=content.data.place, year=content.signed_year)
    _write(right.paragraphs[0], day, "I", 13, _CENTRE)
    _line(paper, content.words("head.type"), "B", 14, _CENTRE).paragraph_format.space_before = Pt(10)
    _underlined(_line(paper, content.subject, "B", 14, _CENTRE))


def _block(paper: Paper, block: Block) -> None:
    if isinstance(block, Heading):
        line = _line(paper, block.text, "B", 13, _LEFT)
        line.paragraph_format.keep_with_next = True
        line.paragraph_format.first_line_indent = Mm(0 if block.level == 1 else 12.7)
        line.paragraph_format.space_before = Pt(6)
        _as_heading(line, block.level)
    elif isinstance(block, Para):
        line = _line(paper, block.text, "I" if block.italic else "", 11 if block.small else 13, _BOTH)
        line.paragraph_format.first_line_indent = Mm(12.7)
    elif isinstance(block, Picture):
        _picture(paper, block)
    else:
        _table(paper, block)


def _picture(paper: Paper, block: Picture) -> None:
    drawn = block.drawing
    width = min(_WIDTH, 225.0 * drawn.width / drawn.height)
    line = paper.add_paragraph()
    line.alignment = _CENTRE
    line.paragraph_format.keep_with_next = True
    shape = line.add_run().add_picture(BytesIO(picture(drawn, width)), width=Mm(width))
    # What Word reads aloud in the picture's place.
    shape._inline.docPr.set("descr", drawn.description)
    _line(paper, block.caption, "I", 12, _CENTRE)


def _table(paper: Paper, block: Table) -> None:
    _line(paper, block.caption, "B", 12, _LEFT).paragraph_format.keep_with_next = True
    table = _grid(paper, block.widths, 1 + len(block.rows), style="Table Grid")
    for place, (row, texts) in enumerate(zip(table._tbl.tr_lst, (block.headings, *block.rows), strict=True), -1):
        heads = texts is block.headings
        style = "B" if heads or place in block.strong else ""
        about = row.get_or_add_trPr()
        about.append(OxmlElement("w:cantSplit"))
        if heads:
            about.append(OxmlElement("w:tblHeader"))
        # Cells by the row's own elements: python-docx counts through the whole table for each it is asked for.
        for number, (element, text) in enumerate(zip(row.tc_lst, texts, strict=True)):
            cell = _Cell(element, table)
            align = _LEFT if number in block.left else _CENTRE
            line = _write(cell.paragraphs[0], text, style, 11, align, after=2)
            line.paragraph_format.keep_with_next = bool(style)
    paper.add_paragraph().paragraph_format.space_after = Pt(0)


def _signature(paper: Paper, content: BriefContent) -> None:
    table = _grid(paper, (80.0, 80.0), 1)
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    left, right = table.rows[0].cells
    _write(left.paragraphs[0], content.words("end.receivers"), "BI", 12, _LEFT, after=0)
    for number in range(1, 4):
        _write(left.add_paragraph(), content.words(f"end.receiver_{number}"), "", 11, _LEFT, after=0)
    _write(right.paragraphs[0], content.words("end.authority"), "B", 13.5, _CENTRE, after=0)
    _write(right.add_paragraph(), content.words("end.office"), "B", 13.5, _CENTRE, after=80)
    _write(right.add_paragraph(), content.words("end.name"), "B", 13.5, _CENTRE)


def _grid(paper: Paper, widths: tuple[float, ...], rows: int, style: str | None = None) -> WordTable:
    """A table of fixed widths (mm)."""
    table: WordTable = paper.add_table(rows, len(widths), style=style)
    table.autofit, table.alignment = False, WD_TABLE_ALIGNMENT.CENTER
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    for row in table._tbl.tr_lst:
        for element, width in zip(row.tc_lst, widths, strict=True):
            element.width = Mm(width)
    return table


def _line(paper: Paper, text: str, style: str, size: float, align: WD_ALIGN_PARAGRAPH) -> Paragraph:
    return _write(paper.add_paragraph(), text, style, size, align)


def _write(
    line: Paragraph, text: str, style: str, size: float, align: WD_ALIGN_PARAGRAPH, *, after: float = 6
) -> Paragraph:
    # A space that does not break is not printable to Python, yet stands before each "%".
    run = line.add_run("".join(letter for letter in text if letter.isprintable() or letter in "\n\xa0"))
    run.font.size = Pt(size)
    run.bold, run.italic = "B" in style, "I" in style
    line.alignment = align
    line.paragraph_format.space_after = Pt(after)
    line.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    return line


def _as_heading(line: Paragraph, level: int) -> None:
    """Makes a paragraph a heading to whoever goes through the file by its headings, without another look."""
    mark = OxmlElement("w:outlineLvl")
    mark.set(qn("w:val"), str(level - 1))
    line._p.get_or_add_pPr().append(mark)


def _underlined(line: Paragraph, indent: float = 50) -> None:
    """A line below a paragraph, `indent` mm from either side."""
    line.paragraph_format.space_after = Pt(2)
    below = line.insert_paragraph_before()
    line._p.addnext(below._p)
    below.paragraph_format.left_indent = below.paragraph_format.right_indent = Mm(indent)
    below.paragraph_format.space_after = Pt(8)
    below.paragraph_format.line_spacing = Pt(3)
    borders = OxmlElement("w:pBdr")
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        top.set(qn(f"w:{name}"), value)
    borders.append(top)
    about = below._p.get_or_add_pPr()
    about.insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def _stamped(made: BytesIO, data: BriefData) -> bytes:
    """The same file with the report's moment on all its members, which python-docx gives the time of day."""
    at = data.moment.timetuple()[:6]
    out = BytesIO()
    with ZipFile(made) as before, ZipFile(out, "w") as after:
        for name in sorted(before.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            member = ZipInfo(name, at)
            member.compress_type = ZIP_DEFLATED
            after.writestr(member, before.read(name))
    return out.getvalue()
