"""The report of a period on paper: the layout of Decree 30/2020/NĐ-CP, the same words in PDF, Word and workbook."""

import os
import shutil
import subprocess
import unicodedata
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from docx import Document
from docx.shared import Pt
from openpyxl import load_workbook

from tests.brief_samples import ALL, EMPTY, SAMPLE, share
from web.brief import BriefData, fingerprint
from web.brief_blocks import Heading, Table
from web.brief_content import BriefContent
from web.brief_docx import FONT, brief_docx
from web.brief_pdf import BOTTOM, LEFT, RIGHT, TOP, brief_pdf
from web.brief_xlsx import brief_xlsx
from web.chart_paper import FONTS

MM = 72 / 25.4
FONTS_CONF = """<?xml version="1.0"?><fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir>
<alias binding="same"><family>Times New Roman</family><prefer><family>Tinos</family></prefer></alias></fontconfig>"""
each = pytest.mark.parametrize("name", ALL)


@pytest.fixture(scope="module")
def papers() -> dict[str, bytes]:
    return {name: brief_pdf(data) for name, data in ALL.items()}


def words_of(pdf: bytes) -> str:
    pages = (page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    return " ".join(unicodedata.normalize("NFC", " ".join(pages)).split())


@each
def test_every_letter_of_the_pdf_lies_within_the_margins(papers: dict[str, bytes], name: str) -> None:
    for page in pypdfium2.PdfDocument(papers[name]):
        width, height = page.get_size()
        text = page.get_textpage()
        for number in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(number)
            if right <= left or not text.get_text_range(number, 1).strip():
                continue
            said = text.get_text_range(max(number - 20, 0), 40)
            assert left >= (LEFT - 0.6) * MM and right <= width - (RIGHT - 0.6) * MM, said
            # Above and below the margins there is the page's number and what it says of its figures.
            assert bottom >= (BOTTOM - 4) * MM and top <= height - 9 * MM, said


@each
def test_the_pdf_embeds_its_fonts_and_the_words_can_be_selected(papers: dict[str, bytes], name: str) -> None:
    raw = papers[name]
    assert raw.count(b"/FontFile2") >= 3 and b"Tinos" in raw
    read, said = words_of(raw), BriefContent(ALL[name])
    for line in (said.words("head.country"), said.words("head.motto"), "BÁO CÁO", "Nơi nhận:", "TM. ỦY BAN NHÂN DÂN",
                 "I. KẾT QUẢ", "II. TỒN TẠI, HẠN CHẾ", "III. NGUYÊN NHÂN", "IV. GIẢI PHÁP"):  # fmt: skip
        assert line in read, line


def test_the_head_is_that_of_an_administrative_paper(papers: dict[str, bytes]) -> None:
    document = pypdfium2.PdfDocument(papers["sample"])
    first = " ".join(document[0].get_textpage().get_text_range().split())
    for line in ("ỦY BAN NHÂN DÂN", "PHƯỜNG HÒA CƯỜNG", "/BC-UBND", "Hòa Cường, ngày tháng năm 2026",
                 "tháng 10 năm 2026", "Thực hiện chế độ báo cáo"):  # fmt: skip
        assert line in first, line
    size = document[0].get_size()
    assert (round(size[0] / MM), round(size[1] / MM)) == (210, 297)
    assert 20 <= TOP <= 25 and 20 <= BOTTOM <= 25 and 30 <= LEFT <= 35 and 15 <= RIGHT <= 20
    # No number on the first page; then in the middle of the top.
    for index, page in enumerate(document, 1):
        top = page.get_textpage().get_text_bounded(
            0, page.get_height() - 16.5 * MM, page.get_width(), page.get_height()
        )
        assert top.strip() == ("" if index == 1 else str(index))


def test_provisional_figures_and_a_sample_say_so_on_every_page(papers: dict[str, bytes]) -> None:
    for name, warning in (("empty", "SỐ LIỆU TẠM TÍNH"), ("extreme", "SỐ LIỆU MINH HỌA")):
        for page in pypdfium2.PdfDocument(papers[name]):
            assert warning in page.get_textpage().get_text_range()
    assert "TẠM TÍNH" not in words_of(papers["sample"])


def test_a_report_without_figures_says_so_in_sentences(papers: dict[str, bytes]) -> None:
    read, content = words_of(papers["empty"]), BriefContent(EMPTY)
    for key in ("no_indicators", "no_trend", "no_breakdown", "no_map"):
        assert content.words(f"body.{key}") in read


@each
def test_the_same_figures_are_the_same_bytes(papers: dict[str, bytes], name: str) -> None:
    assert brief_pdf(ALL[name]) == papers[name]
    assert brief_docx(ALL[name]) == brief_docx(ALL[name])
    assert brief_xlsx(ALL[name]) == brief_xlsx(ALL[name])


def test_the_fingerprint_is_of_the_figures_and_of_nothing_else() -> None:
    whole = fingerprint(SAMPLE)
    assert whole[:16] in "".join(words_of(brief_pdf(SAMPLE)).split())
    assert fingerprint(replace(SAMPLE, texts={}, texts_version=9)) == whole
    other_words = tuple(replace(part, title="Khác", note="Khác", headings=()) for part in SAMPLE.parts)
    other_names = tuple(
        replace(part, rows=tuple(("Tên mới", row[1]) for row in part.rows)) for part in SAMPLE.breakdowns
    )
    assert fingerprint(replace(SAMPLE, parts=other_words, breakdowns=other_names)) == whole
    first = SAMPLE.figures[0]
    changed: list[BriefData] = [
        replace(SAMPLE, figures=(replace(first, now=share(9500, 4101, 7500, 40)), *SAMPLE.figures[1:])),
        replace(SAMPLE, figures=(replace(first, now=share(9500, 4100, 7500, 41)), *SAMPLE.figures[1:])),
        replace(SAMPLE, head=(123457, "ab" * 32)),
        replace(SAMPLE, known="now"),
        replace(SAMPLE, breakdowns=()),
        replace(SAMPLE, map=None),
        replace(SAMPLE, parts=(replace(SAMPLE.parts[0], facts=(("qr_issued", 90, 1, 2, False),)), *SAMPLE.parts[1:])),
    ]
    assert len({whole, *map(fingerprint, changed)}) == 1 + len(changed)


@each
def test_word_gets_the_layout_and_every_word(name: str) -> None:
    data = ALL[name]
    paper = Document(BytesIO(brief_docx(data)))
    section = paper.sections[0]
    margins = (section.left_margin, section.right_margin, section.top_margin, section.bottom_margin)
    assert [round(each.mm) for each in margins if each is not None] == [30, 20, 20, 20]
    style = paper.styles["Normal"]
    assert (style.font.name, style.font.size) == (FONT, Pt(13)) and FONT == "Times New Roman"
    assert paper.core_properties.created.isoformat() == "2026-10-31T16:59:59+00:00"
    blocks = [line.text for line in paper.paragraphs]
    content = BriefContent(data)
    headings = [content.words(f"body.{part}") for part in ("results", "shortcomings", "causes", "solutions")]
    assert [text for text in blocks if text in headings] == headings
    if name == "sample":
        pictures = [shape._inline.docPr.get("descr") for shape in paper.inline_shapes]
        assert len(pictures) == 3 and all(pictures), "a picture without words"


def test_word_as_libreoffice_draws_it(tmp_path: Path) -> None:
    """The same words in the same order as in the PDF, nothing outside the margins."""
    office = shutil.which("soffice") or pytest.fail("LibreOffice is missing: scripts/setup.sh test", pytrace=False)
    (tmp_path / "brief.docx").write_bytes(brief_docx(SAMPLE))
    # Times New Roman is nobody's to give away: Tinos, letter by letter as wide, stands in for it.
    (tmp_path / "fonts.conf").write_text(FONTS_CONF.format(fonts=FONTS, cache=tmp_path / "cache"))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), "brief.docx"]
    environment = {**os.environ, "FONTCONFIG_FILE": str(tmp_path / "fonts.conf")}
    subprocess.run(command, check=True, capture_output=True, timeout=300, cwd=tmp_path, env=environment)
    drawn = (tmp_path / "brief.pdf").read_bytes()
    # A line may end within "4.100/7.500".
    read = words_of(drawn).replace(" ", "")
    content = BriefContent(SAMPLE)
    for block in (*content.body(), *content.annex()):
        for text in (getattr(block, "text", ""), getattr(block, "caption", "")):
            assert "".join(text.split()) in read, text
    assert "54,7\xa0%" in "".join(line.text for line in Document(BytesIO(brief_docx(SAMPLE))).paragraphs)
    # Lines are broken by another hand; a table or a picture with a page to itself would show here.
    assert abs(len(pypdfium2.PdfDocument(drawn)) - len(pypdfium2.PdfDocument(brief_pdf(SAMPLE)))) <= 1
    for page in pypdfium2.PdfDocument(drawn):
        text = page.get_textpage()
        for number in range(text.count_chars()):
            left, _, right, _ = text.get_charbox(number)
            if text.get_text_range(number, 1).strip() and right > left:
                assert left >= 28 * MM and right <= page.get_width() - 18 * MM


@each
def test_the_workbook_holds_the_figures_as_numbers(name: str) -> None:
    data = ALL[name]
    book = load_workbook(BytesIO(brief_xlsx(data)))
    about = {row[0].value: row[1].value for row in book["Thông tin"].iter_rows(max_col=2)}
    assert about["Mã kiểm chứng"] == fingerprint(data)
    assert ("SỐ LIỆU TẠM TÍNH" in about) == data.provisional
    rows = list(book["Chỉ tiêu"].iter_rows(min_row=2, values_only=True))
    assert len(rows) == len(data.figures)
    for row, figure in zip(rows, data.figures, strict=True):
        now = figure.now
        known = (now.population, now.yes, now.denominator, now.unknown, now.refused, now.value, now.low, now.high)
        assert row[:1] + row[2:10] == (
            figure.code,
            *(pytest.approx(each) if each is not None else None for each in known),
        )
    places = list(book["Theo địa bàn"].iter_rows(min_row=2, values_only=True))
    assert len(places) == sum(len(part.rows) for part in data.breakdowns)


def test_every_table_beside_the_indicators_stands_in_all_three_files(papers: dict[str, bytes]) -> None:
    paper, word = words_of(papers["sample"]), Document(BytesIO(brief_docx(SAMPLE)))
    said = " ".join(
        " ".join([*(line.text for line in word.paragraphs), *(c.text for t in word.tables for c in t._cells)]).split()
    )
    book = load_workbook(BytesIO(brief_xlsx(SAMPLE)))
    for part in SAMPLE.parts:
        sheet = [
            list(row) for row in book[BriefContent(SAMPLE).words(f"sheet.{part.code}")].iter_rows(values_only=True)
        ]
        assert part.note in paper and part.note in said and sheet[-1][0] == part.note
        shown = [list(row) for row in part.sheet or (part.headings, *part.rows) if row]
        assert sheet[: len(shown)] == [row + [None] * (len(sheet[0]) - len(row)) for row in shown]
        for row in part.rows[: part.most]:
            assert str(row[0]) in paper and str(row[0]) in said
        for title, definition in part.definitions:
            assert f"{title}. {definition}" in paper and f"{title}. {definition}" in said
    assert "Bảng ghi 10 trong 39 dòng" in paper and "95,7 %" in paper.replace("\xa0", " ")


@each
def test_no_heading_stands_apart_from_what_it_heads_and_the_signature_below_the_last_sentence(
    papers: dict[str, bytes], name: str
) -> None:
    content = BriefContent(ALL[name])
    headings = {" ".join(block.text.split()) for block in content.body() if isinstance(block, Heading)}
    captions = {" ".join(block.caption.split()) for block in content.body() if isinstance(block, Table)}
    last = [line for block in content.body() for line in [getattr(block, "text", "")]][-1]
    pages = [page.get_textpage() for page in pypdfium2.PdfDocument(papers[name])]
    signed = next(words for page in pages if "TM. ỦY BAN" in (words := " ".join(page.get_text_range().split())))
    assert " ".join(last.split())[-30:] in signed
    for page in pages:
        # What stands right above the foot.
        body = unicodedata.normalize("NFC", page.get_text_bounded(0, (BOTTOM + 0.5) * MM, 210 * MM, 297 * MM)).split(
            "\r\n"
        )
        assert " ".join(body[-1].split()) not in headings | captions, body[-1]


def test_what_looks_like_a_formula_stays_text() -> None:
    book = load_workbook(BytesIO(brief_xlsx(ALL["extreme"])))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink]
    assert sum(cell.data_type == "s" and str(cell.value).startswith("=") for cell in cells) >= 100


def test_a_report_as_known_now_says_that_its_trend_is_as_known_then() -> None:
    words = BriefContent(SAMPLE).words("body.trend_known")
    assert words in words_of(brief_pdf(replace(SAMPLE, known="now"))) and words not in words_of(brief_pdf(SAMPLE))
