"""Charts: one specification, the same marks on the screen, in PDF and as a picture; nothing outside its room."""

import random
import xml.etree.ElementTree as ElementTree
from datetime import date, timedelta
from io import BytesIO

import pypdfium2
import pytest
from fpdf import FPDF
from PIL import Image

from web import labels
from web.chart_marks import drawing
from web.chart_paper import FONTS, draw_in_pdf, picture
from web.chart_svg import svg
from web.charts import Bar, BarChart, Chart, LineChart, Target, TimePoint, described
from web.marks import Area, Dot, Drawing, Stroke, Words, wide

LONG = "Tổ dân phố Hòa Cường Bắc số 112 (sáp nhập từ các tổ 45, 46, 47), khu chung cư Ữẵng Nghĩa " * 3


def months(*values: float | None, spread: float = 8.0) -> tuple[TimePoint, ...]:
    first = date(2026, 1, 31)
    return tuple(
        TimePoint(
            first + timedelta(days=30 * number),
            value,
            None if value is None else max(value - spread, 0),
            None if value is None else min(value + spread, 100),
        )
        for number, value in enumerate(values)
    )


FORECAST = (TimePoint(date(2026, 12, 31), 57.0, 51.0, 63.0),)
CHARTS: dict[str, Chart] = {
    "line": LineChart("Dùng nền tảng số", months(30, 34, None, 41.25), FORECAST, Target(50, date(2026, 12, 31))),
    "nothing": LineChart("Dùng nền tảng số", ()),
    "one": LineChart("Dùng nền tảng số", months(3.2), target=Target(100)),
    "unknown": LineChart("Dùng nền tảng số", (TimePoint(date(2026, 1, 31), None, 0, 100),)),
    "counts": LineChart("Lượt tra cứu", months(1_204_000, 7, spread=0), unit=""),
    "bars": BarChart(
        "Theo tổ",
        (Bar("Tổ 12", 48.25, 40, 62, "312 cơ sở"), Bar(LONG, 0, 0, 100), Bar("Tổ 13", None, 0, 100)),
        Target(50),
    ),
    "no bars": BarChart("Theo tổ", ()),
    "one word": BarChart("Theo tổ", (Bar("W" * 400, 100, 100, 100),)),
}
each_chart = pytest.mark.parametrize("name", CHARTS)


def boxes(drawn: Drawing) -> list[tuple[float, float, float, float]]:
    found = []
    for mark in drawn.marks:
        if isinstance(mark, Words):
            width = wide(mark.text, mark.size)
            left = mark.at[0] - {"start": 0.0, "middle": width / 2, "end": width}[mark.anchor]
            found.append((left, mark.at[1] - mark.size, left + width, mark.at[1] + mark.size * 0.25))
        elif isinstance(mark, Dot):
            (x, y), r = mark.middle, mark.radius
            found.append((x - r, y - r, x + r, y + r))
        else:
            xs, ys = zip(*mark.places, strict=True)
            found.append((min(xs), min(ys), max(xs), max(ys)))
    return found


@each_chart
@pytest.mark.parametrize("width", [300.0, 360.0, 454.0])
def test_nothing_is_drawn_outside(name: str, width: float) -> None:
    drawn = drawing(CHARTS[name], "vi", width)
    for left, top, right, bottom in boxes(drawn):
        assert left >= -2.5 and right <= drawn.width + 2.5 and top >= -3 and bottom <= drawn.height + 2.5


@each_chart
@pytest.mark.parametrize("lang", labels.LANGUAGES)
def test_svg_is_sound_and_says_in_words_what_it_shows(name: str, lang: str) -> None:
    root = ElementTree.fromstring(svg(CHARTS[name], lang))
    assert root.get("role") == "img" and root.get("aria-label") == described(CHARTS[name], lang)
    assert root.get("style") is None and root.find(".//{*}style") is None  # the page's policy allows none


def test_the_description_holds_every_figure() -> None:
    said = described(CHARTS["line"], "vi")
    for figure in ("30 %", "41,2 %", "50 %", "31/12/2026", "57 %", "51–63 %"):
        assert figure.replace(" %", "\xa0%") in said, figure
    assert "Chưa rõ (0–100\xa0%)" in described(CHARTS["bars"], "vi")
    assert "48.2\xa0% (40–62\xa0%), 312 cơ sở" in described(CHARTS["bars"], "en")
    assert "0–100" in described(CHARTS["unknown"], "vi")


def test_a_gap_stays_a_gap_and_a_forecast_is_never_joined_to_what_is_measured() -> None:
    drawn = drawing(CHARTS["line"], "vi")
    measured = [mark for mark in drawn.marks if isinstance(mark, Stroke) and mark.width == 2.2 and len(mark.places) > 1]
    assert max(len(mark.places) for mark in measured) == 2  # 30, 34, then nothing, then 41,25 by itself
    assert not [mark for mark in measured if mark.dash]
    words = [mark.text for mark in drawn.marks if isinstance(mark, Words)]
    assert any("Dự báo" in text for text in words) and "Chỉ tiêu 50\xa0%" in words


def test_text_of_people_does_not_become_markup() -> None:
    chart = BarChart("<b>", (Bar('"><script>alert(1)</script>', 1.0, 1.0, 1.0),))
    root = ElementTree.fromstring(svg(chart, "vi"))
    assert root.find(".//{*}script") is None


@each_chart
def test_paper_has_the_same_words_and_stays_in_its_room(name: str) -> None:
    drawn = drawing(CHARTS[name], "vi", 454)
    pdf = FPDF()
    for style, weight in (("", "400"), ("B", "700")):
        pdf.add_font("tinos", style, FONTS / f"tinos-{weight}.ttf")
    pdf.add_page()
    height = draw_in_pdf(pdf, drawn, 30, 20, 160, "tinos")
    page = pypdfium2.PdfDocument(bytes(pdf.output()))[0]
    text = page.get_textpage()
    read = " ".join(text.get_text_range().split())
    for mark in drawn.marks:
        if isinstance(mark, Words):
            assert " ".join(mark.text.split()) in read, mark.text
    k = 72 / 25.4
    for number in range(text.count_chars()):
        left, bottom, right, top = text.get_charbox(number)
        if right > left:
            assert left >= 29 * k and right <= 191 * k and top <= (297 - 18) * k and bottom >= (297 - 22 - height) * k
    image = Image.open(BytesIO(picture(drawn, 160)))
    assert abs(image.width - 160 / 25.4 * 240) < 2
    assert picture(drawn, 160) == picture(drawn, 160)


def test_any_figures_can_be_drawn() -> None:
    dice = random.Random(7)
    for _ in range(200):
        values = [dice.choice((None, 0.0, 100.0, dice.random() * 100)) for _ in range(dice.randint(0, 14))]
        target = dice.choice((None, Target(dice.choice((0, 30, 100)), dice.choice((None, date(2027, 6, 30))))))
        chart = LineChart("Thử", months(*values), dice.choice(((), FORECAST)), target)
        drawn = drawing(chart, "vi")
        for mark in drawn.marks:
            if isinstance(mark, (Area, Stroke)):
                assert all(-3 <= x <= drawn.width + 3 and -3 <= y <= drawn.height for x, y in mark.places)
        ElementTree.fromstring(svg(chart, "en"))
