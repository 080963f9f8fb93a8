"""The parts of the board's first page besides its figures: the adoption map, and for the ward's staff what to do."""

from typing import Any

from fastapi import Request
from sqlalchemy import Connection

from mapservice.adoption_page import board_part
from mapservice.indicator_documents import Asked
from mapservice.rights import can
from mapservice.work_board import work_section
from postgis.actor import Actor


def work_part(
    _request: Request, connection: Connection, actor: Actor | None, asked: Asked, lang: str
) -> dict[str, Any]:
    """Where most is missing, and the lists under way; nothing for whoever may not read them."""
    if actor is None or not asked.full or not can(actor, "read", "work", ward_code=asked.ward):
        return {}
    section = work_section(connection, actor, lang, day=asked.day, known=asked.known)
    return {"has_work": True, "work": section, "may_make": can(actor, "create", "work")}


PARTS = (board_part, work_part)
