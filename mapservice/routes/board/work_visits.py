"""/board/work/{code}/places/{position}: a place on a list, on the phone of whoever stands before it: one tap notes what
came of the visit."""

import re
from collections.abc import Mapping, Sequence
from secrets import token_urlsafe
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import work_lists
from mapservice import work_results
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.record_forms import seen_version
from mapservice.security import SentForm, SignedIn, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from postgis.actor import Actor, read_as, write_as
from postgis.errors import FieldError, Forbidden, InvalidValues
from postgis.store.write_keys import KeyReused
from postgis.vocabulary import DIGITAL_USES
from web import labels
from web import work as words
from web.field_errors import error_words

router = APIRouter(tags=["Board"], include_in_schema=False)

PAGE = "/board/work/{code}/places/{position}"
_NUMBER = re.compile(r"[0-9]{1,9}")
DONE = ("recorded", "proposed")


class _Meanwhile(Exception):
    """A colleague has noted a visit there since the form was made."""


@router.get(PAGE, summary="A place on a list, to visit", response_class=Response)
def show(request: Request, code: str, position: str, actor: SignedIn) -> Response:
    """Where it is, where it stood, what is known, and the results to tap."""
    check_known(request.query_params, ("done", "place"))
    require(actor, "read", "work")
    return _page(request, actor, code, position)


@router.post(PAGE, summary="Note what came of a visit", response_class=Response)
def note(request: Request, code: str, position: str, actor: SignedIn, form: SentForm) -> Response:
    """Notes the visit and what was learnt, and goes on to the next place that is left; sent twice, notes one visit."""
    check_form(request, actor, form)
    require(actor, "read", "work")
    try:
        found = work_results.read_found(form)
    except ValueError:
        raise Problem("invalid_value", pointer="result", name="result", value=form["result"]) from None
    key = form["key"] if 16 <= len(form["key"]) <= 64 else token_urlsafe(18)
    with read_as(database(request), actor) as connection:
        row, places = _list(connection, code)
        place = _place(places, position)
    if not work_results.may_record(actor, row):
        raise Problem("forbidden")
    try:
        with write_as(database(request), actor, reason=row["title"], source=work_results.SOURCE) as connection:
            if not work_results.noted(connection, actor, place["code"], found, key):
                row, places = _list(connection, code)
                if (_place(places, position)["visit_id"] or 0) != seen_version(form):
                    raise _Meanwhile
            made = work_results.record(connection, actor, place["code"], found, row["title"], key)
            left = [each for each in work_lists.items(connection, row["id"]) if each["outcome"] == "left"]
    except InvalidValues as invalid:
        return _page(request, actor, code, position, found=found, errors=invalid.errors, status=422)
    except _Meanwhile:
        return _page(request, actor, code, position, found=found, why="stale", status=409)
    except KeyReused:
        return _page(request, actor, code, position, found=found, why="reused", status=409)
    except Forbidden:
        raise Problem("forbidden") from None
    onward = next((each for each in left if each["position"] > place["position"]), next(iter(left), None))
    page = f"/board/work/{code}" + (f"/places/{onward['position']}" if onward else "")
    done = "proposed" if made.proposed else "recorded"
    return see_other(request, page, done=done, place=place["position"])


def _list(connection: Connection, code: str) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """A list and its places. Raises Problem."""
    row = work_lists.one(connection, code) if _NUMBER.fullmatch(code) else None
    if row is None:
        raise Problem("unknown_work_list", value=code)
    return row, work_lists.items(connection, row["id"])


def _place(places: Sequence[dict[str, Any]], position: str) -> dict[str, Any]:
    """The place at that position of the walk. Raises Problem."""
    number = int(position) if _NUMBER.fullmatch(position) else 0
    if not 0 < number <= len(places):
        raise Problem("not_found")
    return places[number - 1]


def _page(
    request: Request,
    actor: Actor,
    code: str,
    position: str,
    *,
    found: work_results.Found | None = None,
    errors: Sequence[FieldError] = (),
    why: str = "",
    status: int = 200,
) -> Response:
    lang, params = page_language(request), request.query_params
    with read_as(database(request), actor) as connection:
        row, places = _list(connection, code)
    place = _place(places, position)
    view = words.item_row(place, code, lang)
    done, before = params.get("done"), params.get("place", "")
    named = words.item_row(_place(places, before), code, lang)["name"] if done in DONE and before else ""
    closed = row["ended_at"] is not None
    may = work_results.may_record(actor, row)
    refusal = (
        "" if may else labels.text(f"work.visit.{'closed' if closed else 'not_yours'}", lang, name=row["assignee_name"])
    )
    return staff_page(
        request, actor, "board/work/visit.html", status=status, place=view, list={"code": code, "title": row["title"]},
        title=labels.text("work.visit.title", lang, position=place["position"], places=len(places), name=view["name"]),
        previous=place["position"] - 1, following=place["position"] + 1 if place["position"] < len(places) else 0,
        may_record=may, refusal=refusal, methods=words.CASHLESS, evidence=words.EVIDENCE, tools=DIGITAL_USES,
        with_payment=row["indicator"] not in (work_results.OUTREACH,),
        with_tools=row["indicator"] in work_results.TOOLS, with_outreach=row["indicator"] == work_results.OUTREACH,
        found=found or work_results.Found(""), seen=place["visit_id"] or 0, key=token_urlsafe(18),
        errors={
            each.field: error_words("payment_acceptances", each.field, each.code, each.values, lang) for each in errors
        },
        problem=labels.text(f"work.visit.{why}", lang, outcome=view["visited"]) if why else "",
        done=labels.text(f"work.done.{done}", lang, place=named) if named else "",
    )  # fmt: skip
