"""/staff/establishments/{code}/history and /staff/figures: what was changed, and how things stood on a past day."""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from layers import history, record_sheet
from layers.collections import STAFF_COLLECTIONS
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.language import wants_html
from mapservice.parameters import check_known, past_day
from mapservice.record_forms import read_day
from mapservice.record_page import WRITABLE, canonical, title, unknown
from mapservice.responses import json_bytes
from mapservice.security import SignedIn, require
from mapservice.staff_page import NO_STORE, page_language, staff_page
from postgis.actor import read_as
from postgis.today import end_of, today
from web import labels
from web.render import format_date
from web.staff_past import figures_view, past_records
from web.staff_timeline import timeline_view

router = APIRouter(tags=["Staff"], include_in_schema=False)


@router.get(
    "/staff/establishments/{code}/history", summary="The whole history of an establishment", response_class=Response
)
def changes(request: Request, code: str, actor: SignedIn) -> Response:
    """Every change of the record and of what belongs to it, latest first; with `as_of`, how it stood that day."""
    check_known(request.query_params, ("as_of",))
    require(actor, "read", "history")
    asked = _asked(request)
    day = asked.day
    with read_as(database(request), actor) as connection:
        sheet = record_sheet.sheet(connection, canonical(code))
        if sheet is None:
            raise unknown(code)
        place = sheet.overview
        found = history.timeline(connection, place["code"])
        states = history.place_as_of(connection, place["code"], end_of(day)) if day else {}
    lang = page_language(request)
    return staff_page(
        request,
        actor,
        "staff/history.html",
        place={**place, "title": title(place, lang)},
        timeline=timeline_view(found, WRITABLE, lang),
        status=asked.status,
        day=day,
        typed_day=asked.typed,
        day_error=asked.error,
        past=past_records(states, WRITABLE, lang),
    )


@router.get("/staff/figures", summary="The ward's figures on a past day", response_class=Response)
def figures(request: Request, actor: SignedIn) -> Response:
    """How many places had each status at the end of the day `as_of`, beside today; for a program that day's alone."""
    check_known(request.query_params, ("as_of",))
    require(actor, "read", "history")
    asked = _asked(request)
    day = asked.day or today()
    with read_as(database(request), actor) as connection:
        then = history.figures_as_of(connection, actor.ward_code, end_of(day))
        if not wants_html(request):
            document = {"ward": actor.ward_code, "as_of": day.isoformat(), "figures": then}
            return Response(json_bytes(document), 200, NO_STORE, "application/json")
        now = history.figures_as_of(connection, actor.ward_code, end_of(today()))
    fields = STAFF_COLLECTIONS["establishments"].field_by_name
    lists = {name: fields[name].code_list or "" for name in history.COUNTED}
    shown = figures_view(then, now, lists, page_language(request))
    counted = any(then.values())
    return staff_page(
        request,
        actor,
        "staff/figures.html",
        status=asked.status,
        day=day,
        latest=today(),
        typed_day=asked.typed or format_date(day),
        day_error=asked.error,
        counted=counted,
        figures=shown,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """The day that is asked for; on a page, what was typed and what is wrong with it."""

    day: date | None
    typed: str = ""
    error: str = ""

    @property
    def status(self) -> int:
        return 422 if self.error else 200


def _asked(request: Request) -> _Asked:
    """People write 31/12/2026 and are told at the input; programs write 2026-12-31. Raises Problem for programs."""
    typed = request.query_params.get("as_of", "").strip()
    if not wants_html(request):
        return _Asked(past_day(request.query_params))
    try:
        return _Asked(past_day(QueryParams({"as_of": read_day(typed)})), typed)
    except Problem:
        words = labels.text("register.past.wrong", page_language(request), value=typed[:40])
        return _Asked(None, typed, words)
