"""Charts: what they show, said once. Screen, PDF and Word draw the same marks of it (`web.chart_marks`).

A chart never stands alone: `described` says in words what it shows, and the page has its table beside it.
"""

from dataclasses import dataclass
from datetime import date

from web import labels
from web.render import format_date


@dataclass(frozen=True, slots=True)
class TimePoint:
    """A figure as of a day. None: nobody knows. `low` to `high`: where it lies whatever is not known turns out to be,
    or, of a forecast, where it is expected to lie."""

    on: date
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached, and by when."""

    value: float
    due: date | None = None


@dataclass(frozen=True, slots=True)
class LineChart:
    """A figure through time: measured, then forecast, which is drawn apart and never joined into one line."""

    title: str
    measured: tuple[TimePoint, ...]
    forecast: tuple[TimePoint, ...] = ()
    target: Target | None = None
    unit: str = "%"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. `note` is written after its figure, such as how many were asked."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class BarChart:
    """Figures side by side, lying, each with the range in which it lies whatever is not known turns out to be."""

    title: str
    bars: tuple[Bar, ...]
    target: Target | None = None
    unit: str = "%"


Chart = LineChart | BarChart


def written(value: float | None, unit: str, lang: str) -> str:
    """A figure of a chart, with one decimal where it has any; of nobody's knowledge, the word for that."""
    if value is None:
        return labels.text("charts.unknown", lang)
    number = labels.number(value, lang, 0 if abs(value - round(value)) < 0.05 else 1)
    return f"{number}{chr(0xA0)}{unit}" if unit else number


def written_range(low: float | None, high: float | None, unit: str, lang: str) -> str:
    """From where to where a figure lies; nothing where that is not known."""
    if low is None or high is None:
        return ""
    return f"{written(low, '', lang)}\N{EN DASH}{written(high, unit, lang)}"


def described(chart: Chart, lang: str) -> str:
    """The chart in words, for who does not see it."""
    parts = [_said_of_line(chart, lang)] if isinstance(chart, LineChart) else _said_of_bars(chart, lang)
    if chart.target is not None:
        value = written(chart.target.value, chart.unit, lang)
        if chart.target.due is None:
            parts.append(labels.text("charts.said.target", lang, value=value))
        else:
            due = format_date(chart.target.due)
            parts.append(labels.text("charts.said.target_due", lang, value=value, due=due))
    if isinstance(chart, LineChart) and (last := _last(chart.forecast)) is not None:
        parts.append(
            labels.text(
                "charts.said.forecast",
                lang,
                on=format_date(last.on),
                value=written(last.value, chart.unit, lang),
                range=written_range(last.low, last.high, chart.unit, lang),
            )
        )
    return f"{chart.title}. {' '.join(parts)}"


def _said_of_line(chart: LineChart, lang: str) -> str:
    known = [point for point in chart.measured if point.value is not None]
    if not known:
        last = next((point for point in reversed(chart.measured) if point.low is not None), None)
        if last is None:
            return labels.text("charts.nothing", lang)
        spread = written_range(last.low, last.high, chart.unit, lang)
        return labels.text("charts.said.unknown", lang, last=format_date(last.on), range=spread)
    first, last = known[0], known[-1]
    return labels.text(
        "charts.said.one" if first is last else "charts.said.line",
        lang,
        first=format_date(first.on),
        last=format_date(last.on),
        start=written(first.value, chart.unit, lang),
        end=written(last.value, chart.unit, lang),
        range=written_range(last.low, last.high, chart.unit, lang) or written(last.value, chart.unit, lang),
    )


def _said_of_bars(chart: BarChart, lang: str) -> list[str]:
    if not chart.bars:
        return [labels.text("charts.nothing", lang)]
    return [f"{bar.label}: {bar_words(bar, chart.unit, lang)}." for bar in chart.bars]


def bar_words(bar: Bar, unit: str, lang: str) -> str:
    """What stands beside a bar: figure, range, note."""
    spread = written_range(bar.low, bar.high, unit, lang) if bar.low != bar.high else ""
    said = written(bar.value, unit, lang) + (f" ({spread})" if spread else "")
    return f"{said}, {bar.note}" if bar.note else said


def _last(points: tuple[TimePoint, ...]) -> TimePoint | None:
    return next((point for point in reversed(points) if point.value is not None), None)
