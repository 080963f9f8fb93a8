"""What the board says about work: where the target is missed most, and the lists that are under way."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import Request
from sqlalchemy import Connection

from layers import indicators, register, work, work_lists
from layers.indicator_codes import MEASURED, SITE_INDICATORS
from layers.indicators import Indicator, Known, Target
from mapservice.indicator_documents import Asked
from mapservice.rights import can
from postgis.actor import Actor
from postgis.today import today
from postgis.vocabulary import WORK_SCOPES
from web import labels
from web import work as words
from web.render import format_date

SHOWN = 6
"""Gaps on the board; the page of its own has them all."""
MOST_GAPS = 500


def measurable(connection: Connection, ward: str) -> dict[str, tuple[Indicator, Target]]:
    """The indicators of the ward's plan that the register measures, with the target that is due next, soonest first."""
    found = {}
    for each in indicators.plan(connection, ward):
        target = each.target_on(today())
        if each.code in MEASURED and target is not None:
            found[each.code] = (each, target)
    return dict(sorted(found.items(), key=lambda item: item[1][1].due))


def usual_scope(indicator: str) -> str:
    """By what an indicator is looked at first."""
    return "model_site" if indicator in SITE_INDICATORS else "residential_group"


def work_section(
    connection: Connection,
    actor: Actor,
    lang: str,
    *,
    indicator: str | None = None,
    scope: str | None = None,
    day: date | None = None,
    known: Known = "then",
    shown: int = SHOWN,
) -> dict[str, Any]:
    """The context of `board/work.html`: gaps of one indicator at the end of a day, and the open lists as they are now.

    An indicator or scope that there is not counts as not chosen.
    """
    plan = measurable(connection, actor.ward_code)
    names = register.choices(connection)
    code = indicator if indicator in plan else next(iter(plan), None)
    by = scope if scope in WORK_SCOPES else usual_scope(code or "")
    rows: list[dict[str, Any]] = []
    chosen: Mapping[str, Any] | None = None
    outside = 0
    if code is not None:
        each, target = plan[code]
        found = work.gaps(connection, actor.ward_code, code, by, day or today(), known)
        rows = [
            words.gap_row(code, by, gap.code, gap.needed, gap.figure, target.value, names, lang)
            for gap in found.rows[:MOST_GAPS]
        ]
        outside = found.outside
        due, value = format_date(target.due), words.percent(target.value, lang)
        chosen = {"code": code, "title": each.title, "target": labels.text("work.target", lang, value=value, date=due)}
    lists = [words.list_row(row, names, lang, today()) for row in work_lists.lists(connection)]
    return {
        "indicator": chosen,
        "scope": by,
        "indicators": [{"code": code, "title": each.title} for code, (each, _) in plan.items()],
        "gaps": rows[:shown],
        "more": max(0, len(rows) - shown),
        "outside": words.outside(by, outside, lang),
        "lists": lists,
    }


def part(_request: Request, connection: Connection, actor: Actor | None, asked: Asked, lang: str) -> dict[str, Any]:
    """What the board's first page says of work, to the ward's own staff."""
    if actor is None or not asked.full or not can(actor, "read", "work"):
        return {}
    section = work_section(connection, actor, lang, day=asked.day, known=asked.known)
    return {"has_work": True, "work": section, "may_make": can(actor, "create", "work")}
