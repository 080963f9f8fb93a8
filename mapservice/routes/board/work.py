"""/board/work: where targets are missed, the lists of places that were drawn up for that, and who has which."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from secrets import token_urlsafe

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import register, work_lists
from layers import work as gaps
from layers.indicator_codes import MEASURED
from layers.indicators import Indicator, Target
from layers.states import Head, latest
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.forms import Form
from mapservice.parameters import MAX_TEXT, check_known
from mapservice.record_forms import read_day, seen_version
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from mapservice.work_board import MOST_GAPS, measurable, work_section
from mapservice.work_results import may_record
from postgis.actor import Actor, read_as, write_as
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.store import work, write_keys
from postgis.store.work import FIELDS, MOST_ITEMS, Gap, Stop
from postgis.store.write_keys import KeyReused, Made
from postgis.today import today
from postgis.vocabulary import WORK_SCOPES, WORK_STANDINGS
from web import labels
from web import work as words
from web.field_errors import error_words
from web.render import format_date

router = APIRouter(tags=["Board"], include_in_schema=False)

PAGE = "/board/work"
DONE = ("made", "changed", "closed", "recorded", "proposed")
_NUMBER = re.compile(r"[0-9]{1,9}")
_SAID = tuple(field.name for field in FIELDS)


@router.get(PAGE, summary="What to do", response_class=Response)
def index(request: Request, actor: SignedIn) -> Response:
    """Where most is missing, by `indicator` and `scope`; the open lists; with `closed`, the closed ones."""
    params = request.query_params
    check_known(params, ("indicator", "scope", "closed", "all"))
    require(actor, "read", "work")
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        section = work_section(
            connection, actor, lang, indicator=params.get("indicator"), scope=params.get("scope"),
            shown=MOST_GAPS if params.get("all") else 30,
        )  # fmt: skip
        closed = work_lists.lists(connection, closed=True) if params.get("closed") else []
        mine = work_lists.lists(connection, assignee=actor.staff_id)
        names = register.choices(connection)
    return staff_page(
        request, actor, "board/work/index.html", work=section, scopes=WORK_SCOPES, full=True,
        closed=[words.list_row(row, names, lang, today()) for row in closed], show_closed=bool(params.get("closed")),
        mine=[words.list_row(row, names, lang, today()) for row in mine], may_make=can(actor, "create", "work"),
    )  # fmt: skip


@router.get(PAGE + "/new", summary="A new list of places to visit", response_class=Response)
def new(request: Request, actor: SignedIn) -> Response:
    """The form, filled in as far as the gap says: the list is made with the next click."""
    check_known(request.query_params, ("indicator", "scope", "code", "due"))
    require(actor, "create", "work")
    return _new_page(request, actor, request.query_params)


@router.post(PAGE, summary="Make a list of places to visit", response_class=Response)
def make(request: Request, actor: SignedIn, form: SentForm) -> Response:
    """Fixes the places and their order. The same form sent twice makes one list; a place is on one open list of an
    indicator, so of two officers who draw one up for the same street the second gets what the first has left."""
    check_form(request, actor, form)
    require(actor, "create", "work")
    said = _said(form)
    standings = [each for each in form.all("standing") if each in WORK_STANDINGS]
    key = form["key"] if 16 <= len(form["key"]) <= 64 else token_urlsafe(18)
    digest = sha256(
        repr(sorted((each, form.fields[each]) for each in form.fields if each != "csrf_token")).encode()
    ).digest()
    try:
        # Found while others write: the reading takes longer than the writing, and counts unless the history went on.
        with read_as(database(request), actor) as connection:
            seen, gap, free = _found(connection, actor, form, standings)
        with write_as(database(request), actor, reason=said["title"][:500] or None) as connection:
            made = write_keys.find(connection, actor, key, digest)
            if made is None:
                if latest(connection) != seen:
                    _, gap, free = _found(connection, actor, form, standings)
                stops = [Stop(row["id"], row["standing"]) for row in free.rows[: _limit(form["limit"])]]
                made = Made(work.make(connection, actor, gap, said, form["assignee"], stops), proposed=False)
                write_keys.keep(connection, actor, key, digest, made)
    except InvalidValues as invalid:
        return _new_page(request, actor, {name: form[name] for name in form.fields}, form, invalid.errors, 422)
    except KeyReused:
        raise Problem("form_expired") from None
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, f"{PAGE}/{made.code}", done="made")


@router.get(PAGE + "/{code}", summary="A list of places to visit", response_class=Response)
def show(request: Request, code: str, actor: SignedIn) -> Response:
    """What is to be done, by whom and by when, and what came of each place; it prints on A4."""
    check_known(request.query_params, ("done", "place"))
    require(actor, "read", "work")
    return _list_page(request, actor, code)


@router.post(PAGE + "/{code}", summary="Change a list of places to visit", response_class=Response)
def change(request: Request, code: str, actor: SignedIn, form: SentForm) -> Response:
    """Gives it to somebody else, or says otherwise what is to be done and by when; `do=close` closes it."""
    check_form(request, actor, form)
    require(actor, "change", "work")
    said, version = _said(form), seen_version(form)
    closing = form["do"] == "close"
    try:
        with write_as(
            database(request), actor, reason=form["outcome"][:500] if closing else said["title"][:500]
        ) as writing:
            if closing:
                work.close(writing, code, version, form["outcome"])
            else:
                work.change(writing, actor, code, version, said, form["assignee"])
    except InvalidValues as invalid:
        return _list_page(request, actor, code, form=form, errors=invalid.errors, status=422)
    except Stale:
        return _list_page(request, actor, code, form=form, stale=True, status=409)
    except NotFound:
        raise Problem("unknown_work_list", value=code) from None
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, f"{PAGE}/{code}", done="closed" if closing else "changed")


def _said(form: Form) -> dict[str, str]:
    return {name: read_day(form[name]) if name == "due_on" else form[name] for name in _SAID}


def _gap(connection: Connection, actor: Actor, asked: Mapping[str, str]) -> tuple[Gap, Indicator, Target]:
    """What a list is wanted for, by `indicator`, `scope`, `code` and the day on which the target is `due`, the next one
    if none is named. Raises Problem where there is no such indicator, target, group, street or site."""
    plan = measurable(connection, actor.ward_code)
    indicator, scope, code, due = (asked.get(name, "") for name in ("indicator", "scope", "code", "due"))
    if indicator not in MEASURED or indicator not in plan:
        raise Problem("invalid_value", pointer="indicator", name="indicator", value=indicator)
    if scope not in WORK_SCOPES:
        raise Problem("invalid_value", pointer="scope", name="scope", value=scope)
    if not code or len(code) > MAX_TEXT or (scope != "street" and code not in register.choices(connection)[scope]):
        raise Problem("invalid_value", pointer="code", name="code", value=code)
    of_plan, target = plan[indicator]
    if due:
        chosen = next((each for each in of_plan.targets if each.due.isoformat() == due), None)
        if chosen is None:
            raise Problem("invalid_value", pointer="due", name="due", value=due)
        target = chosen
    found = gaps.gaps(connection, actor.ward_code, indicator, scope, today(), target=target)
    needed = next((gap.needed for gap in found.rows if gap.code == code), 0)
    return Gap(indicator, scope, code, Decimal(str(target.value)), needed), of_plan, target


def _found(
    connection: Connection, actor: Actor, form: Form, standings: Sequence[str]
) -> tuple[Head | None, Gap, gaps.Candidates]:
    """The history's last change, then what is missing and who is on the way, both known at it or later."""
    seen = latest(connection)
    gap = _gap(connection, actor, {name: form[name] for name in form.fields})[0]
    return seen, gap, gaps.candidates(connection, actor.ward_id, gap.indicator, gap.scope, gap.scope_code, standings)


def _limit(text: str) -> int:
    """At most how many places. Raises InvalidValues."""
    if not text:
        return MOST_ITEMS
    if not _NUMBER.fullmatch(text) or int(text) == 0:
        raise InvalidValues([FieldError("limit", "number_too_small")])
    return int(text)


def _new_page(
    request: Request,
    actor: Actor,
    asked: Mapping[str, str],
    form: Form | None = None,
    errors: Sequence[FieldError] = (),
    status: int = 200,
) -> Response:
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        gap, plan, target = _gap(connection, actor, asked)
        names = register.choices(connection)
        free = gaps.candidates(connection, actor.ward_id, gap.indicator, gap.scope, gap.scope_code)
        colleagues = gaps.staff(connection, actor.ward_id)
    area = words.area(gap.scope, gap.scope_code, names)
    typed = words.suggested(area, gap.needed or 0, target.value, target.due, today(), [actor.display_name], lang)
    typed |= {"assignee": actor.login, "limit": ""}
    if form is not None:
        typed |= {name: form[name] for name in (*_SAID, "assignee", "limit")}
    counts = {name: sum(row["standing"] == name for row in free.rows) for name in WORK_STANDINGS}
    chosen = form.all("standing") if form is not None else [name for name in counts if counts[name]]
    return staff_page(
        request, actor, "board/work/new.html", status=status, indicator=plan, gap=gap, due=asked.get("due", ""),
        area=area, typed=typed, counts=counts, chosen=chosen,
        total=len(free.rows), listed=free.listed, first=free.rows[0]["address"] or "" if free.rows else "",
        colleagues=colleagues, most=MOST_ITEMS, key=token_urlsafe(18), errors=_words(errors, lang),
    )  # fmt: skip


def _list_page(
    request: Request,
    actor: Actor,
    code: str,
    *,
    form: Form | None = None,
    errors: Sequence[FieldError] = (),
    stale: bool = False,
    status: int = 200,
) -> Response:
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        row = work_lists.one(connection, code) if _NUMBER.fullmatch(code) else None
        if row is None:
            raise Problem("unknown_work_list", value=code)
        places = [words.item_row(item, code, lang) for item in work_lists.items(connection, row["id"])]
        names = register.choices(connection)
        colleagues = gaps.staff(connection, actor.ward_id)
    typed = {
        **{name: row[name] for name in _SAID},
        "due_on": format_date(row["due_on"]),
        "assignee": row["assignee"] or "",
    }
    closing = form is not None and form["do"] == "close"
    if form is not None and not closing:
        typed = {name: form[name] for name in typed}
    done, last = request.query_params.get("done"), request.query_params.get("place", "")
    named = next((place["name"] for place in places if str(place["position"]) == last), "")
    return staff_page(
        request, actor, "board/work/list.html", status=status, list=words.list_row(row, names, lang, today()),
        places=places, next=next((place for place in places if place["outcome"] == "left"), None), typed=typed,
        colleagues=colleagues, may_change=can(actor, "change", "work") and row["ended_at"] is None,
        may_record=may_record(actor, row), errors=_words(errors, lang), changing=form is not None and not closing,
        closing=closing, outcome=form["outcome"] if closing and form is not None else "",
        problem=labels.text("work.one.stale", lang) if stale else "",
        done=labels.text(f"work.done.{done}", lang, place=named) if done in DONE else "", printed=format_date(today()),
    )  # fmt: skip


def _words(errors: Sequence[FieldError], lang: str) -> dict[str, str]:
    """What is wrong, by the field of the form."""
    return {
        "outcome" if error.field == "end_reason" else error.field:
        error_words("work_lists", error.field, error.code, error.values, lang)
        for error in errors
    }  # fmt: skip
