"""The page that makes reports: which can be chosen, what stands in the one chosen, in words."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from web import labels
from web.brief import BriefData, short_fingerprint
from web.brief_content import BriefContent, trend_chart
from web.brief_content import period_words as written_period
from web.chart_svg import svg
from web.charts import written, written_range
from web.periods import KINDS, REPORT_DAY, Period, latest
from web.render import VIETNAM, format_date, local

PAGE = "/board/reports"
_CHOICES = {"monthly": 14, "quarterly": 6, "half_yearly": 4, "yearly": 3}


def brief_view(
    asked: Period, as_of: date, data: BriefData | None, query: Mapping[str, str], today: date, lang: str
) -> dict[str, Any]:
    """What the page shows; `data`: None where the day is not closed."""
    after = asked.last + timedelta(days=1)
    view: dict[str, Any] = {
        "kinds": [
            {"kind": kind, "title": labels.code_label("brief_kind", kind, lang), "chosen": kind == asked.kind,
             "href": local(lang, PAGE, kind=kind)}
            for kind in KINDS
        ],
        "periods": _periods(asked, today, lang),
        "period": written_period(asked, lang),
        "due": format_date(after.replace(day=REPORT_DAY)) if asked.kind == "monthly" else "",
        "as_of": format_date(as_of),
        "known": labels.code_label("known_mode", query["known"], lang),
        "data": data is not None,
    }  # fmt: skip
    if data is not None:
        content = BriefContent(data, lang)
        files = {**query, "texts": str(data.texts_version)}
        view |= {
            "fingerprint": short_fingerprint(content.fingerprint),
            "files": [
                {"form": form, "href": local(lang, f"{PAGE}/file.{form}", **files)} for form in ("pdf", "docx", "xlsx")
            ],
            "illustrative": data.illustrative,
            "figures": [_figure(each, lang) for each in data.figures],
        }
    return view


def _periods(asked: Period, today: date, lang: str) -> list[dict[str, Any]]:
    found = latest(asked.kind, today, _CHOICES[asked.kind])
    if asked not in found:
        found.append(asked)
    return [{"text": each.text, "title": written_period(each, lang), "chosen": each == asked} for each in found]


def _figure(each: Any, lang: str) -> dict[str, Any]:
    drawn = sum(share.value is not None for _, share in each.trend) > 1
    return {
        "title": each.title,
        "value": written(each.now.value, "%", lang),
        "range": written_range(each.now.low, each.now.high, "%", lang),
        "target": labels.text(f"brief.sentence.{each.comparator}", lang, value=written(each.target, "%", lang))
        if each.due
        else "",
        "due": format_date(each.due) if each.due else "",
        "unknown": each.now.unknown,
        "chart": svg(trend_chart(each), lang) if drawn else "",
    }


def versions_view(versions: Sequence[Any], query: Mapping[str, str], lang: str) -> list[dict[str, Any]]:
    """Who wrote which version and when, newest first, with the address of the report with those texts."""
    return [
        {
            "words": labels.text(
                "brief.page.version",
                lang,
                version=each.version,
                who=each.written_by,
                when=f"{format_date(each.written_at)} {each.written_at.astimezone(VIETNAM):%H:%M}",
            ),
            "href": local(lang, f"{PAGE}/file.pdf", **query, texts=str(each.version)),
            "parts": each.parts,
        }
        for each in versions
    ]
