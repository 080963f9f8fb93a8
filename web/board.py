"""The leaders' board in words: figures against targets, from the same document that machines are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Any

from markupsafe import Markup

from web import labels
from web.chart_svg import svg
from web.charts import LineChart, Target, TimePoint
from web.render import format_date

_NBSP = chr(0xA0)
LARGE = 3
"""How many indicators stand in the first line."""


@dataclass(frozen=True, slots=True)
class IndicatorView:
    """One indicator as the board shows it. Texts are empty where there is nothing to say."""

    code: str
    title: str
    short: str
    value: str
    known: bool
    """Whether there is a figure at all."""
    summary: tuple[str, ...]
    """What stands under the figure: what is needed, by when, what nobody knows."""
    verdict: str
    state: str
    """met, missed (whatever the unknown are), open; or none where nothing can be said."""
    definition: str
    counts: tuple[tuple[str, str], ...]
    """What the figure is made of: title and words."""
    row: Mapping[str, str]
    """The figure in the cells of the table."""
    forecast: str
    forecast_method: str
    entered: str
    trend: tuple[tuple[str, str, str, str], ...]
    """Month ends, latest first: day, share, range, known of how many."""
    chart: Markup | None


def indicator_view(told: Mapping[str, Any], lang: str) -> IndicatorView:
    """From one indicator of `/indicators`."""
    known = told["value"] is not None
    return IndicatorView(
        code=told["code"],
        title=told["title"],
        short=told["short_title"],
        value=share(told["value"], lang, told["target"]) if known else _nothing(told, lang),
        known=known,
        summary=tuple(_summary(told, lang)),
        verdict=_verdict(told, lang)[1],
        state=_verdict(told, lang)[0],
        definition=told["definition"],
        counts=tuple(_counts(told, lang)),
        row=_row(told, lang),
        forecast=_forecast(told, lang),
        forecast_method=told["forecast"]["method"] if told["forecast"] else "",
        entered=_entered(told, lang),
        trend=tuple(_month(point, lang) for point in reversed(told["trend"])),
        chart=chart(told, lang),
    )


def share(value: float | None, lang: str, target: float | None = None) -> str:
    """A share as 48,2 %: with so many decimals that what misses its target does not look as if it met it."""
    if value is None:
        return labels.text("board.unknown", lang)
    decimals = 1
    while decimals < 4 and target is not None and value < target <= round(value, decimals):
        decimals += 1
    return f"{labels.number(value, lang, decimals)}{_NBSP}%"


def spread(low: float | None, high: float | None, lang: str) -> str:
    """From the share if all unknown are no to that if all are yes."""
    if low is None or high is None:
        return ""
    return labels.text("board.range", lang, low=share(low, lang), high=share(high, lang))


def part_row(name: str | None, figure: Any, target: float | None, lang: str) -> dict[str, str]:
    """A part of an indicator in the cells of its table; `figure` is a count as the indicators are counted.

    The gap is how many more must say yes, were all unknown no.
    """
    gap = None if target is None else max(0, ceil(target * figure.population / 100) - figure.yes)
    return {
        "name": name or labels.text("board.member_unknown", lang),
        "value": share(figure.value, lang, target),
        "range": spread(figure.low, figure.high, lang),
        "of": labels.text("board.of", lang, yes=figure.yes, known=figure.denominator),
        "not_surveyed": labels.number(figure.not_surveyed, lang),
        "refused": labels.number(figure.refused, lang),
        "gap": labels.text("board.no_target", lang) if gap is None else labels.number(gap, lang),
    }


def chart(told: Mapping[str, Any], lang: str) -> Markup | None:
    """The trend with its target and forecast; None where there is no month yet."""
    if not told["trend"]:
        return None
    points = [
        TimePoint(date.fromisoformat(each["as_of"]), each["value"], each["low"], each["high"]) for each in told["trend"]
    ]
    if points[-1].on < date.fromisoformat(told["as_of"]) and told["value"] is not None:
        points.append(TimePoint(date.fromisoformat(told["as_of"]), told["value"], told["low"], told["high"]))
    ahead, due = told["forecast"], told["due"] and date.fromisoformat(told["due"])
    foretold = (TimePoint(due, ahead["value"], ahead["low"], ahead["high"]),) if ahead else ()
    target = Target(told["target"], due) if told["target"] is not None else None
    return svg(LineChart(told["short_title"], tuple(points), foretold, target), lang)


def target_words(told: Mapping[str, Any], lang: str) -> str:
    """ "cần 50 %" or "cần trên 50 %"; nothing where the plan states no number."""
    if told["target"] is None:
        return ""
    wanted = f"{labels.number(told['target'], lang, 0 if told['target'] == int(told['target']) else 1)}{_NBSP}%"
    return labels.text(f"board.target.{told['comparator']}", lang, value=wanted)


def _nothing(told: Mapping[str, Any], lang: str) -> str:
    if told["suppressed"]:
        return labels.text("board.suppressed", lang)
    return labels.text("board.not_entered" if told["measured_by"] == "entered" else "board.unknown", lang)


def _summary(told: Mapping[str, Any], lang: str) -> Sequence[str]:
    found = [target_words(told, lang) or labels.text("board.no_target", lang)]
    if told["days_left"] is not None:
        which = "left" if told["days_left"] > 0 else "due_today" if told["days_left"] == 0 else "over"
        found.append(labels.text(f"board.days.{which}", lang, count=abs(told["days_left"])))
    if told["population"]:
        for name in ("not_surveyed", "refused"):
            if told[name] or name == "not_surveyed":
                part = share(100 * told[name] / told["population"], lang)
                found.append(labels.text(f"board.{name}_share", lang, value=part))
    return found


def _verdict(told: Mapping[str, Any], lang: str) -> tuple[str, str]:
    if told["met"] is None:
        return "none", ""
    if told["met"]:
        state = "met" if told["met_if_unknown_no"] in (True, None) else "met_so_far"
    else:
        state = "missed" if told["met_if_unknown_yes"] in (False, None) else "open"
    return state, labels.text(f"board.verdict.{state}", lang)


def _counts(told: Mapping[str, Any], lang: str) -> Sequence[tuple[str, str]]:
    found = []
    for name in ("numerator", "denominator", "population", "not_surveyed", "refused"):
        if told[name] is not None:
            found.append((labels.text(f"board.counts.{name}", lang), labels.number(told[name], lang)))
    if told["low"] is not None:
        found.append((labels.text("board.counts.range", lang), spread(told["low"], told["high"], lang)))
    found.append((labels.text("board.counts.as_of", lang), format_date(told["as_of"])))
    if told["due"]:
        found.append((labels.text("board.counts.due", lang), format_date(told["due"])))
    found.append((labels.text("board.counts.source", lang), told["source"]))
    if told["evidence"]:
        found.append((labels.text("board.counts.evidence", lang), told["evidence"]))
    found.append((labels.text("board.counts.report", lang), labels.text(f"board.report.{told['report']}", lang)))
    return found


def _row(told: Mapping[str, Any], lang: str) -> Mapping[str, str]:
    unknown = labels.text("board.unknown", lang)

    def number(name: str) -> str:
        return unknown if told[name] is None else labels.number(told[name], lang)

    known = told["denominator"] is not None
    return {
        "value": share(told["value"], lang, told["target"]) if told["value"] is not None else _nothing(told, lang),
        "range": spread(told["low"], told["high"], lang) or labels.text("board.unknown", lang),
        "of": labels.text("board.of", lang, yes=told["numerator"], known=told["denominator"]) if known else unknown,
        "not_surveyed": number("not_surveyed"),
        "refused": number("refused"),
        "target": target_words(told, lang) or labels.text("board.no_target", lang),
        "due": format_date(told["due"]) if told["due"] else labels.text("board.no_due", lang),
    }  # fmt: skip


def _forecast(told: Mapping[str, Any], lang: str) -> str:
    found = told["forecast"]
    if found is None:
        return str(told["forecast_reason"])
    return labels.text(
        "board.forecast_words",
        lang,
        due=format_date(found["due"]),
        value=share(found["value"], lang, told["target"]),
        low=share(found["low"], lang),
        high=share(found["high"], lang),
    )


def _entered(told: Mapping[str, Any], lang: str) -> str:
    if told["entered"] is None:
        return ""
    words = labels.text("board.entered_by_ward", lang, day=format_date(told["as_of"]), source=told["entered"]["source"])
    document = told["entered"]["document"]
    return words + (labels.text("board.entered_document", lang, document=document) if document else "")


def _month(point: Mapping[str, Any], lang: str) -> tuple[str, str, str, str]:
    known = point["denominator"] is not None and point["population"] is not None
    return (
        format_date(point["as_of"]),
        share(point["value"], lang),
        spread(point["low"], point["high"], lang),
        labels.text("board.known_of", lang, known=point["denominator"], all=point["population"]) if known else "",
    )
