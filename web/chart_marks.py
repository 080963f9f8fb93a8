"""A chart laid out as marks.

Nothing is told by colour alone: the target line is dashed, a forecast is dotted and hatched, and each has its words.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from web import labels
from web.charts import Bar, BarChart, Chart, LineChart, TimePoint, bar_words, described, written
from web.marks import BRAND, GREY, INK, PALE, RULE, Area, Dot, Drawing, Mark, Place, Stroke, Words, wide, wrapped

_TARGET_DASH, _FORECAST_DASH = (5.0, 3.0), (1.5, 2.5)


def drawing(chart: Chart, lang: str, width: float = 360.0) -> Drawing:
    """The marks of a chart; bars take the height that they need."""
    marks, height = _line_chart(chart, lang, width) if isinstance(chart, LineChart) else _bars(chart, lang, width)
    return Drawing(width, height, tuple(marks), described(chart, lang))


class _Plane:
    """Where days and figures lie."""

    def __init__(self, chart: LineChart, width: float, top: float, height: float) -> None:
        points = (*chart.measured, *chart.forecast)
        days = [point.on for point in points] + ([chart.target.due] if chart.target and chart.target.due else [])
        self.first = min(days, default=date.min)
        self.days = (max(days, default=date.min) - self.first).days
        figures = [f for point in points for f in (point.value, point.high) if f is not None]
        self.most = _top(max([*figures, chart.target.value if chart.target else 0.0], default=0.0), chart.unit)
        left = max(34.0, 10 + wide(_scale(self.most, self.most, "vi"), 9))
        right = width - 12.0
        if (end := _last(chart.forecast)) is not None:
            right -= wide(written(end.value, chart.unit, "vi"), 9) + 2
        self.left, self.right, self.top, self.bottom = left, right, top, top + height

    def x(self, on: date) -> float:
        share = (on - self.first).days / self.days if self.days else 0.5
        return self.left + (self.right - self.left) * share

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * value / self.most


def _top(most: float, unit: str) -> float:
    """The top of a scale from 0: shares end at 100; so that what is small can be seen, at a round figure below that."""
    step = 1.0
    while True:
        for round_figure in (1, 2, 4, 5, 8, 10):
            found = round_figure * step
            if found >= most * 1.05 and found >= 4:
                return min(found, 100.0) if unit == "%" else found
        step *= 10


def _line_chart(chart: LineChart, lang: str, width: float) -> tuple[list[Mark], float]:
    plane = _Plane(chart, width, 16.0, 150.0)
    marks: list[Mark] = []
    if not chart.measured:
        return [Words((width / 2, 30), labels.text("charts.nothing", lang), anchor="middle", colour=GREY)], 48.0
    for quarter in range(5):
        value = plane.most * quarter / 4
        y = plane.y(value)
        marks.append(Stroke(((plane.left, y), (plane.right, y)), RULE, 0.7))
        marks.append(Words((plane.left - 4, y + 3.3), _scale(value, plane.most, lang), 9, "end", colour=GREY))
    marks.append(Words((2, 8), chart.unit, 9, colour=GREY))
    marks += _days(chart, plane)
    for run in _runs(chart.measured, ranged=True):
        marks += _band(run, plane)
    ahead = _ahead(chart)
    for run in _runs(ahead, ranged=True):
        marks += _hatching(run, plane)
    for run in _runs(chart.measured):
        marks.append(Stroke(tuple(_at(point, plane) for point in run), BRAND, 2.2))
    marks += [Dot(_at(point, plane), 2.4) for run in _runs(chart.measured) for point in run]
    for run in _runs(ahead):
        marks.append(Stroke(tuple(_at(point, plane) for point in run), INK, 1.4, _FORECAST_DASH))
    if (end := _last(chart.forecast)) is not None:
        x, y = _at(end, plane)
        marks.append(Dot((x, y), 2.8, INK, hollow=True))
        marks.append(Words((x + 5, y + 3.2), written(end.value, chart.unit, lang), 9))
    if chart.target is not None:
        marks += _target(chart, plane, lang)
    if (last := _last(chart.measured)) is not None:
        marks += _on_paper(_beside(last, chart, plane, lang))
    below, height = _legend(chart, lang, width, plane.bottom + 30)
    return marks + below, height


def _ahead(chart: LineChart) -> tuple[TimePoint, ...]:
    """The forecast from where it sets out: one day ahead alone would be a mark beside the line, joined to nothing."""
    last = chart.measured[-1]
    if not chart.forecast or last.value is None:
        return tuple(chart.forecast)
    return (TimePoint(last.on, last.value, last.value, last.value), *chart.forecast)


def _scale(value: float, most: float, lang: str) -> str:
    return labels.number(value, lang, 0 if most % 4 == 0 else 1)


def _days(chart: LineChart, plane: _Plane) -> Iterator[Mark]:
    """Months below the axis, as many as there is room for; the last one measured always has its own."""
    shown: list[float] = []
    last = chart.measured[-1].on
    others = [point.on for point in (*reversed(chart.forecast), *reversed(chart.measured[:-1]))]
    for on in (last, *others):
        x = min(max(plane.x(on), plane.left + 8), plane.right - 10)
        if all(abs(x - other) > 46 for other in shown):
            shown.append(x)
            yield Stroke(((plane.x(on), plane.bottom), (plane.x(on), plane.bottom + 3)), GREY, 0.7)
            yield Words((x, plane.bottom + 13), f"{on:%m/%Y}", 9, "middle", colour=GREY)


def _at(point: TimePoint, plane: _Plane) -> Place:
    assert point.value is not None
    return plane.x(point.on), plane.y(point.value)


def _runs(points: Sequence[TimePoint], *, ranged: bool = False) -> list[list[TimePoint]]:
    """Points without a gap between them: a line through a month that nobody knows would invent it."""
    runs: list[list[TimePoint]] = [[]]
    for point in points:
        if (point.low is None or point.high is None) if ranged else point.value is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def _edges(run: Sequence[TimePoint], plane: _Plane) -> tuple[list[Place], list[Place]]:
    low = [(plane.x(point.on), plane.y(point.low or 0.0)) for point in run]
    high = [(plane.x(point.on), plane.y(min(point.high or 0.0, plane.most))) for point in run]
    if len(run) == 1:
        low, high = ([(x - 3, y), (x + 3, y)] for ((x, y),) in (low, high))
    return low, high


def _band(run: Sequence[TimePoint], plane: _Plane) -> list[Mark]:
    low, high = _edges(run, plane)
    return [Area((*low, *reversed(high)), PALE), Stroke(tuple(low), GREY, 0.5), Stroke(tuple(high), GREY, 0.5)]


def _hatching(run: Sequence[TimePoint], plane: _Plane) -> Iterator[Mark]:
    """Upright lines between the edges: no printer makes grey of them that looks like the band of what is measured."""
    low, high = _edges(run, plane)
    first, last = low[0][0], low[-1][0]
    steps = max(2, int((last - first) / 3.5))
    for number in range(steps + 1):
        x = first + (last - first) * number / steps
        yield Stroke(((x, _between(low, x)), (x, _between(high, x))), GREY, 0.6)
    yield Stroke(tuple(low), GREY, 0.6)
    yield Stroke(tuple(high), GREY, 0.6)


def _between(edge: Sequence[Place], x: float) -> float:
    for (x0, y0), (x1, y1) in pairwise(edge):
        if x <= x1 or (x1, y1) == edge[-1]:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0 or 1)
    return edge[-1][1]


def _target(chart: LineChart, plane: _Plane, lang: str) -> Iterator[Mark]:
    assert chart.target is not None
    y = plane.y(chart.target.value)
    yield Stroke(((plane.left, y), (plane.right, y)), INK, 1.2, _TARGET_DASH)
    if chart.target.due is not None:
        x = plane.x(chart.target.due)
        yield Stroke(((x, y - 4), (x, y + 4)), INK, 1.4)
    said = labels.text("charts.target", lang, value=written(chart.target.value, chart.unit, lang))
    # Over the line, or under it where what is measured runs through the words.
    through = [_at(point, plane) for run in _runs(chart.measured) for point in run]
    over = y > plane.top + 12 and not any(x < plane.left + wide(said, 9) + 24 and y - 14 < at < y for x, at in through)
    yield Words((plane.left + 3, y - 3 if over else y + 10), said, 9)


def _beside(last: TimePoint, chart: LineChart, plane: _Plane, lang: str) -> Words:
    """The latest figure, over or under its dot: where the target line and its words are not."""
    x, y = _at(last, plane)
    said = written(last.value, chart.unit, lang)
    line = plane.y(chart.target.value) if chart.target else -100.0
    above = not line - 6 < y - 6 < line + 22 and y > plane.top + 10
    half = wide(said, 11) / 2
    x = min(max(x, plane.left + half), plane.right - half)
    return Words((x, y - 6 if above else min(y + 15, plane.bottom - 3)), said, 11, "middle", bold=True)


def _on_paper(words: Words) -> Iterator[Mark]:
    """Words with nothing behind them: bands, hatching and lines run through them otherwise."""
    (x, y), length = words.at, wide(words.text, words.size)
    left = x - (length / 2 if words.anchor == "middle" else 0)
    top, bottom = y - words.size * 0.82, y + words.size * 0.22
    yield Area(((left, top), (left + length, top), (left + length, bottom), (left, bottom)), "#ffffff")
    yield words


def _legend(chart: LineChart, lang: str, width: float, top: float) -> tuple[list[Mark], float]:
    """What each kind of mark means, of those that are there."""
    kinds = ["measured"]
    if any(point.low != point.high for point in chart.measured):
        kinds.append("range")
    if chart.forecast:
        kinds.append("forecast")
    marks: list[Mark] = []
    y = top
    for kind in kinds:
        marks += _sample(kind, y)
        for line in wrapped(labels.text(f"charts.legend.{kind}", lang), width - 42, 9):
            marks.append(Words((34, y), line, 9))
            y += 12
    return marks, y - 4


def _sample(kind: str, y: float) -> list[Mark]:
    left, right, middle = 4.0, 28.0, y - 3
    if kind == "measured":
        return [Stroke(((left, middle), (right, middle)), BRAND, 2.2), Dot((16, middle), 2.4)]
    box = ((left, middle - 4), (right, middle - 4), (right, middle + 4), (left, middle + 4))
    if kind == "range":
        return [Area(box, PALE, GREY)]
    lines = [Stroke(((x, middle - 4), (x, middle + 4)), GREY, 0.6) for x in (4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0)]
    return [*lines, Stroke(((left, middle), (right, middle)), INK, 1.4, _FORECAST_DASH)]


def _last(points: Sequence[TimePoint]) -> TimePoint | None:
    return next((point for point in reversed(points) if point.value is not None), None)


_BAR = 9.0


def _bars(chart: BarChart, lang: str, width: float) -> tuple[list[Mark], float]:
    if not chart.bars:
        return [Words((width / 2, 30), labels.text("charts.nothing", lang), anchor="middle", colour=GREY)], 48.0
    left, right = 2.0, width - 8.0
    figures = [f for bar in chart.bars for f in (bar.value, bar.high) if f is not None]
    most = 100.0 if chart.unit == "%" else _top(max(figures, default=1.0), chart.unit)
    marks: list[Mark] = []
    y = 14.0 if chart.target else 4.0
    for bar in chart.bars:
        below, y = _bar(bar, chart, lang, (left, right, most), y)
        marks += below
    if chart.target is not None:
        x = left + (right - left) * min(chart.target.value / most, 1.0)
        said = labels.text("charts.target", lang, value=written(chart.target.value, chart.unit, lang))
        half = wide(said, 9) / 2
        marks.append(Words((min(max(x, left + half), right - half), 10), said, 9, "middle"))
    if any(bar.low != bar.high for bar in chart.bars):
        for line in wrapped(labels.text("charts.legend.whisker", lang), width - 8, 9):
            marks.append(Words((left, y + 8), line, 9, colour=GREY))
            y += 12
    return marks, y + 4


def _bar(bar: Bar, chart: BarChart, lang: str, room: tuple[float, float, float], y: float) -> tuple[list[Mark], float]:
    """One bar with its words over it: beside it, long names would leave no room on a telephone."""
    left, right, most = room
    marks: list[Mark] = []
    said = bar_words(bar, chart.unit, lang)
    lines = wrapped(bar.label, right - left)
    if len(lines) > 1 or wide(lines[0]) + wide(said) + 8 > right - left:
        lines += wrapped(said, right - left)
        said = ""
    for line in lines:
        y += 11.5
        marks.append(Words((left, y), line))
    if said:
        marks.append(Words((right, y), said, anchor="end", bold=True))
    top, bottom = y + 3.5, y + 3.5 + _BAR

    def at(value: float) -> float:
        return left + (right - left) * min(value / most, 1.0)

    box = ((left, top), (right, top), (right, bottom), (left, bottom))
    marks.append(Area(box, "#ffffff", GREY))
    if bar.value is not None:
        marks.append(Area(((left, top), (at(bar.value), top), (at(bar.value), bottom), (left, bottom)), BRAND))
    if bar.low is not None and bar.high is not None and bar.low != bar.high:
        middle = (top + bottom) / 2
        # White below black: the line is seen on the bar and beside it.
        for colour, thick in (("#ffffff", 3.2), (INK, 1.2)):
            marks.append(Stroke(((at(bar.low), middle), (at(bar.high), middle)), colour, thick))
            for end in (bar.low, bar.high):
                marks.append(Stroke(((at(end), middle - 3), (at(end), middle + 3)), colour, thick))
    if chart.target is not None:
        x = at(chart.target.value)
        for colour, thick in (("#ffffff", 3.4), (INK, 1.4)):
            marks.append(Stroke(((x, top - 2.5), (x, bottom + 2.5)), colour, thick))
    return marks, bottom + 5
