"""The indicators of a ward as machines are told them; pages are made from the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection
from starlette.datastructures import QueryParams

from layers import indicators
from layers.forecasts import CONFIDENCE, Forecast, NoForecast, forecast
from layers.indicators import KNOWN, Figure, Indicator, Known
from layers.lookup import find_ward
from mapservice.errors import Problem
from mapservice.parameters import past_day
from mapservice.rights import can
from postgis.actor import Actor
from postgis.criteria import planned_wards
from postgis.today import today
from web import labels


@dataclass(frozen=True, slots=True)
class Asked:
    """Which figures are asked for. `full`: by staff of that ward, who are told all."""

    ward: str
    day: date
    known: Known
    full: bool


def asked_for(params: QueryParams, actor: Actor | None, default_ward: str) -> Asked:
    """Reads `ward`, `as_of` and `known`. Raises Problem. That there is such a ward is asked later."""
    ward = params.get("ward") or (actor.ward_code if actor else default_ward)
    known = params.get("known") or "then"
    if known not in KNOWN:
        raise Problem("invalid_value", pointer="known", name="known", value=known)
    day = past_day(params) or today()
    return Asked(ward, day, "now" if known == "now" else "then", can(actor, "read", "board", ward_code=ward))


def check_ward(connection: Connection, code: str) -> None:
    """Raises Problem for a ward that is neither on the map nor has a plan that is known."""
    there = code.isascii() and code.isdigit() and (code in planned_wards() or find_ward(connection, code))
    if not there:
        raise Problem("unknown_ward", pointer="ward", value=code)


def document(connection: Connection, asked: Asked, lang: str, codes: Sequence[str] | None = None) -> dict[str, Any]:
    """What `/indicators` answers: the ward's indicators, or those of `codes` that its plan has. Raises Problem."""
    check_ward(connection, asked.ward)
    plan = [each for each in indicators.plan(connection, asked.ward) if codes is None or each.code in codes]
    wanted = [each.code for each in plan]
    # Asked first: else a change of that day could come between.
    final = asked.known == "then" and indicators.is_final(connection, asked.day)
    found = indicators.figures(connection, asked.ward, asked.day, asked.known, wanted, full=asked.full)
    trends = indicators.trend(connection, asked.ward, wanted, asked.day, full=asked.full)
    return {
        "ward": asked.ward,
        "as_of": asked.day.isoformat(),
        "known": asked.known,
        "final": final,
        "indicators": [
            _indicator(each, figure, trends[each.code], asked, lang) for each, figure in zip(plan, found, strict=True)
        ],
    }


def _indicator(
    indicator: Indicator, figure: Figure, trend: Sequence[tuple[date, Figure]], asked: Asked, lang: str
) -> dict[str, Any]:
    target = indicator.target_on(asked.day)
    value, entered = figure.value, figure.entered
    points = [(day, found.value) for day, found in trend if found.value is not None]
    if points and points[-1][0] < asked.day and value is not None and entered is None and asked.known == "then":
        points.append((asked.day, value))
    ahead = forecast(points, target.due if target else None, asked.day)
    return {
        "code": indicator.code,
        "title": words(indicator.code, "title", lang) if lang != "vi" else indicator.title,
        "short_title": words(indicator.code, "short", lang),
        "definition": words(indicator.code, "definition", lang),
        "unit": indicator.unit,
        "numerator": figure.yes,
        "denominator": figure.denominator,
        "population": figure.population,
        "unknown": figure.unknown,
        "not_surveyed": figure.not_surveyed,
        "refused": figure.refused,
        "suppressed": figure.suppressed,
        "value": value,
        "low": figure.low,
        "high": figure.high,
        "target": target.value if target else None,
        "comparator": target.comparator if target else None,
        "due": target.due.isoformat() if target else None,
        "days_left": (target.due - asked.day).days if target else None,
        "met": target.met_by(value) if target and value is not None else None,
        "met_if_unknown_no": target.met_by(figure.low) if target and figure.low is not None else None,
        "met_if_unknown_yes": target.met_by(figure.high) if target and figure.high is not None else None,
        "targets": [
            {"due": each.due.isoformat(), "comparator": each.comparator, "value": each.value}
            for each in indicator.targets
        ],
        "as_of": (entered.as_of if entered else asked.day).isoformat(),
        "source": indicator.source,
        "evidence": indicator.evidence,
        "report": indicator.report,
        "measured_by": indicator.measured_by,
        "entered": {"source": entered.source, "document": entered.document} if entered else None,
        "trend": [_point(day, found) for day, found in trend],
        **_forecast(ahead, lang),
    }


def words(code: str, which: str, lang: str) -> str:
    """The title, short title or definition of an indicator; of one that is not known here, what holds for all."""
    try:
        return labels.text(f"board.indicators.{code}.{which}", lang)
    except labels.MissingLabelError:
        return labels.text(f"board.unknown_indicator.{which}", lang, code=code)


def _point(day: date, figure: Figure) -> dict[str, Any]:
    return {
        "as_of": day.isoformat(),
        "numerator": figure.yes,
        "denominator": figure.denominator,
        "population": figure.population,
        "unknown": figure.unknown,
        "refused": figure.refused,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
    }


def _forecast(found: Forecast | NoForecast, lang: str) -> dict[str, Any]:
    if isinstance(found, NoForecast):
        return {"forecast": None, "forecast_reason": labels.text(f"board.no_forecast.{found.why}", lang)}
    return {
        "forecast": {
            "due": found.due.isoformat(),
            "value": found.value,
            "low": found.low,
            "high": found.high,
            "confidence": CONFIDENCE,
            "points": found.points,
            "method": labels.text("board.forecast_method", lang, points=found.points, confidence=CONFIDENCE),
            "label": labels.text("board.forecast", lang),
        },
        "forecast_reason": None,
    }
