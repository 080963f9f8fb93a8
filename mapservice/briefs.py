"""Fills the report of a period from the register: indicators, parts of the ward, map; and which report is asked for."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection

from layers import briefs, indicators, states
from layers.forecasts import CONFIDENCE, Forecast, forecast
from layers.indicators import Figure, Indicator
from mapservice.brief_parts import Asked, parts
from mapservice.indicator_documents import words
from postgis.store import board_reports
from postgis.today import end_of, today
from web import labels
from web.brief import Ahead, Breakdown, BriefData, BriefFigure, BriefMap, Cell, Share, widest
from web.periods import Period

PARTS = ("residential_group", "street", "model_site")


SUFFIXES = ("pdf", "docx", "xlsx")
"""The formats of a report."""


class NotFinal(Exception):
    """The day is not over, or somebody is still writing what belongs to it: its figures are provisional."""


class NoTexts(Exception):
    """There is no version of that number."""


def made(data: BriefData, form: str) -> bytes:
    """The file in one of SUFFIXES. Loads what writes it, which is large. Raises MissingAssetError."""
    if form == "pdf":
        from web.brief_pdf import brief_pdf as write
    elif form == "docx":
        from web.brief_docx import brief_docx as write
    else:
        from web.brief_xlsx import brief_xlsx as write
    return write(data)


def usual_day(period: Period) -> date:
    """The day whose figures a report of a period shows if nobody chooses: its last, or yesterday while it runs."""
    return min(period.last, today() - timedelta(days=1))


def brief_data(connection: Connection, asked: Asked, lang: str = "vi") -> BriefData:
    """All that the report says.

    The connection is that of staff of the ward, or the owner's. Raises LookupError for a ward that is not on the map,
    NotFinal, NoTexts.
    """
    found = briefs.ward_of(connection, asked.ward)
    if found is None:
        raise LookupError(asked.ward)
    ward_id, name, kind = found
    if not asked.provisional and not indicators.is_final(connection, asked.as_of):
        raise NotFinal
    texts = board_reports.texts(connection, ward_id, asked.period.kind, asked.period.text, asked.texts)
    if texts is None:
        raise NoTexts
    moment = end_of(asked.as_of)
    # What is known now stands on all of the history.
    head = states.head(connection, moment if asked.known == "then" else datetime.now(UTC))
    plan = indicators.plan(connection, asked.ward)
    figures = _figures(connection, asked, plan, lang)
    main = widest(figures)
    breakdowns = _breakdowns(connection, asked, main) if main else ()
    map_of = _map(connection, asked)
    return BriefData(
        ward=asked.ward,
        ward_name=_ward_name(name, kind, lang),
        place=name,
        kind=asked.period.kind,
        period=asked.period.text,
        first=asked.period.first,
        last=asked.period.last,
        as_of=asked.as_of,
        moment=moment,
        known=asked.known,
        provisional=asked.provisional,
        head=(head.seq, head.hash) if head else (0, ""),
        figures=figures,
        breakdowns=breakdowns,
        map=map_of,
        parts=parts(connection, asked, ward_id, main, breakdowns, lang),
        texts=texts.parts,
        texts_version=texts.version,
        illustrative=briefs.counts_illustrations(connection, asked.ward, asked.as_of, asked.known),
    )


def _ward_name(name: str, kind: str | None, lang: str) -> str:
    return labels.text(f"brief.ward.{kind}", lang, name=name) if kind in ("ward", "commune") else name


def _figures(connection: Connection, asked: Asked, plan: Iterable[Indicator], lang: str) -> tuple[BriefFigure, ...]:
    plan = list(plan)
    codes = [each.code for each in plan]
    now = indicators.figures(connection, asked.ward, asked.as_of, asked.known, codes, full=True)
    before_day = asked.period.first - timedelta(days=1)
    before = indicators.figures(connection, asked.ward, before_day, asked.known, codes, full=True)
    trends = indicators.trend(connection, asked.ward, codes, asked.as_of, full=True, months=12)
    return tuple(
        _figure(each, here, earlier, trends[each.code], asked, lang)
        for each, here, earlier in zip(plan, now, before, strict=True)
    )


def _figure(
    indicator: Indicator,
    now: Figure,
    before: Figure,
    trend: list[tuple[date, Figure]],
    asked: Asked,
    lang: str,
) -> BriefFigure:
    target = indicator.target_on(asked.as_of)
    # What was entered later than the report's day was not known then.
    shown = [
        (day, each) for day, each in trend if each.entered is None or each.entered.entered_at <= end_of(asked.as_of)
    ]
    points = [(day, each.value) for day, each in shown if each.value is not None]
    ahead = forecast(points, target.due if target else None, asked.as_of)
    return BriefFigure(
        code=indicator.code,
        title=indicator.title if lang == "vi" else words(indicator.code, "title", lang),
        definition=words(indicator.code, "definition", lang),
        source=indicator.source,
        now=_share(now),
        before=_share(before) if before.value is not None else None,
        target=target.value if target else None,
        comparator=target.comparator if target else None,
        due=target.due if target else None,
        met=target.met_by(now.value) if target and now.value is not None else None,
        trend=tuple((day, _share(each)) for day, each in shown),
        ahead=_ahead(ahead, lang) if isinstance(ahead, Forecast) else None,
        no_forecast="" if isinstance(ahead, Forecast) else labels.text(f"board.no_forecast.{ahead.why}", lang),
        entered=" · ".join(filter(None, (now.entered.source, now.entered.document))) if now.entered else "",
    )


def _ahead(found: Forecast, lang: str) -> Ahead:
    method = labels.text("board.forecast_method", lang, points=found.points, confidence=CONFIDENCE)
    return Ahead(found.due, found.value, found.low, found.high, method)


def _share(figure: Figure) -> Share:
    return Share(
        figure.population, figure.yes, figure.denominator, figure.unknown, figure.refused, figure.value, figure.low,
        figure.high,
    )  # fmt: skip


def _breakdowns(connection: Connection, asked: Asked, main: BriefFigure) -> tuple[Breakdown, ...]:
    """By residential group, street and site, those with the most places that do not say yes first."""
    found = []
    for part in PARTS:
        rows = indicators.by(connection, asked.ward, asked.as_of, asked.known, main.code, part)
        names = _names(connection, part, [code for code, _ in rows if code], asked)
        shown = tuple((names.get(code, code) if code else "", _share(figure)) for code, figure in rows)
        # One line that says that nobody knows where, is no breakdown.
        if any(name for name, _ in shown):
            found.append(Breakdown(part, main.code, main.title, shown, tuple(code or "" for code, _ in rows)))
    return tuple(found)


def _names(connection: Connection, part: str, codes: list[str], asked: Asked) -> Mapping[str, str]:
    if part == "residential_group":
        return briefs.group_names(connection, asked.ward)
    if part == "model_site":
        return briefs.site_names(connection, codes, end_of(asked.as_of))
    return {}


def _map(connection: Connection, asked: Asked) -> BriefMap | None:
    cells = briefs.cells(connection, asked.ward, asked.as_of, asked.known)
    if not cells:
        return None
    return BriefMap(
        briefs.outline(connection, asked.ward),
        tuple(
            Cell(f"{each.cell:x}", each.outline, each.establishments, each.surveyed, each.accepting) for each in cells
        ),
    )
