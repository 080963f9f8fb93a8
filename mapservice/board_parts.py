"""The parts of the board's first page besides its figures: the adoption map, and for the ward's staff what to do."""

from datetime import date, timedelta
from typing import Any

from fastapi import Request
from sqlalchemy import Connection

from layers import adoption
from layers.adoption import Question
from mapservice import adoption_page
from mapservice.indicator_documents import Asked
from mapservice.rights import can
from mapservice.work_board import work_section
from postgis.actor import Actor
from postgis.today import today


def map_part(
    _request: Request, connection: Connection, _actor: Actor | None, asked: Asked, lang: str
) -> dict[str, Any]:
    """The map of the day; for anybody of the last day before it that they may be told of."""
    day = asked.day if asked.full else told_day(asked.day)
    question = Question(
        ward=asked.ward,
        as_of=day if day != today() else None,
        known="now" if asked.full and asked.known == "now" else None,
    )
    return {"has_map": True, **adoption_page.context(connection, question, lang, full=asked.full)}


def told_day(day: date) -> date:
    """The day itself, or the end of the month before it."""
    return day if adoption.may_be_told(day) else day.replace(day=1) - timedelta(days=1)


def work_part(
    _request: Request, connection: Connection, actor: Actor | None, asked: Asked, lang: str
) -> dict[str, Any]:
    """Where most is missing, and the lists under way; nothing for whoever may not read them."""
    if actor is None or not asked.full or not can(actor, "read", "work", ward_code=asked.ward):
        return {}
    section = work_section(connection, actor, lang, day=asked.day, known=asked.known)
    return {"has_work": True, "work": section, "may_make": can(actor, "create", "work")}


PARTS = (map_part, work_part)
