"""What the ward's staff are shown of an indicator besides its figure: its parts, and what got lost."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import Request
from sqlalchemy import Connection

from layers import indicators, register, regressions
from layers.indicator_codes import MEASURED, SITE_INDICATORS
from layers.indicators import GROUPS
from mapservice.errors import Problem
from mapservice.indicator_documents import Asked
from postgis.actor import Actor
from web import labels
from web.board import part_row
from web.render import format_date, local

MOST_PARTS = 60
"""Parts shown at first; `all` shows the others too."""
LOST_DAYS = 90
"""How far back it is looked for places that said yes."""


def inside(
    request: Request, connection: Connection, actor: Actor, asked: Asked, told: dict[str, Any], lang: str
) -> dict[str, Any]:
    """More context for `board/indicator.html`; of an entered indicator there is no more. Raises Problem for a group
    that there is not.
    """
    code, chosen = told["code"], request.query_params.get("group")
    if chosen is not None and chosen not in GROUPS:
        raise Problem("invalid_value", pointer="group", name="group", value=chosen)
    if code not in MEASURED:
        return {}
    group = chosen or ("model_site" if code in SITE_INDICATORS else "residential_group")
    names = _names(connection, group, lang)
    found = indicators.by(connection, asked.ward, asked.day, asked.known, code, group)
    rows = [part_row(names.get(member or "", member), figure, told["target"], lang) for member, figure in found]
    since = asked.day - timedelta(days=LOST_DAYS)
    gone = regressions.lost(connection, actor.ward_id, code, since, asked.day)
    shown = len(rows) if request.query_params.get("all") else MOST_PARTS
    kept = {name: request.query_params[name] for name in ("ward", "as_of", "known") if name in request.query_params}
    return {
        "breakdowns": rows[:shown],
        "more_parts": max(0, len(rows) - shown),
        "all_parts": local(lang, f"/board/indicators/{code}", **kept, group=group, all=1) + "#parts-title",
        "group": group,
        "groups": [
            (each, local(lang, f"/board/indicators/{code}", **kept, group=each) + "#parts-title") for each in GROUPS
        ],
        "regressions": [_lost(each, lang) for each in gone],
        "regressions_since": since,
        "lost_together": list(regressions.streets(gone).items()),
        "stale": _stale(connection, actor, code, asked),
    }


def _names(connection: Connection, group: str, lang: str) -> Mapping[str, str]:
    if group == "sector_group":
        return labels.code_list("sector_group", lang)
    if group == "street":
        return {}
    return register.choices(connection)[group]


def _stale(connection: Connection, actor: Actor, code: str, asked: Asked) -> tuple[int, int] | None:
    if code == "digital_outreach" or asked.known == "now":
        return None
    return regressions.stale(connection, actor.ward_id, code, asked.day)


def _lost(each: regressions.Lost, lang: str) -> dict[str, str]:
    unknown = labels.text("board.unknown", lang)
    return {
        "code": each.code,
        "name": each.name or each.address or each.code,
        "street": each.street or unknown,
        "model_site": each.model_site or labels.text("board.no_site", lang),
        "since": format_date(each.since),
    }
