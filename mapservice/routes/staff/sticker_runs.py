"""/staff/stickers/runs: print runs of stickers, made once, their pages taken for printing one after the other."""

import re
from secrets import token_urlsafe
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import register, sticker_changes, sticker_lists
from layers.errors import InvalidCursor
from mapservice import sticker_orders
from mapservice.dependencies import database, http_settings
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.record_forms import argument_errors
from mapservice.routes.staff.exports import download_headers
from mapservice.sealed import secrets_of
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from mapservice.sticker_orders import Wanted
from mapservice.sticker_printing import run_pdf
from postgis.actor import Actor, prepare_as, read_as
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound
from postgis.store import stickers
from postgis.store.stickers import RunOrder
from web import staff_stickers
from web.render import local

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/stickers/runs"
MOST_AT_ONCE = 200
"""Stickers in one file: made in some three seconds."""
_NUMBER = re.compile(r"[0-9]{1,9}")
_FORM = ("by", *sticker_orders.WAYS, "layout", "only_missing")


@router.get(PAGE, summary="Print runs of stickers", response_class=Response)
def index(request: Request, actor: SignedIn) -> Response:
    """The ward's print runs, the newest first."""
    check_known(request.query_params, ("cursor",))
    require(actor, "read", "stickers")
    lang, cursor = page_language(request), request.query_params.get("cursor")
    with read_as(database(request), actor) as connection:
        try:
            found = sticker_lists.runs(connection, cursor)
        except InvalidCursor:
            raise Problem("invalid_cursor", pointer="cursor") from None
        names = register.choices(connection)
    return staff_page(
        request,
        actor,
        "staff/stickers/runs.html",
        runs=[staff_stickers.run_row(run, names, lang) for run in found.rows],
        next_href=local(lang, PAGE, cursor=found.next_cursor) if found.next_cursor else "",
        may_print=can(actor, "create", "stickers"),
    )


@router.get(PAGE + "/new", summary="A new print run", response_class=Response)
def new(request: Request, actor: SignedIn) -> Response:
    """The form; with a choice in the address, how many stickers it would make."""
    check_known(request.query_params, _FORM)
    require(actor, "create", "stickers")
    sent = dict(request.query_params)
    wanted = sticker_orders.read_wanted(sent if "by" in sent else {"only_missing": "true"}, actor.ward_code)
    return _new_page(request, actor, wanted, counted="by" in sent)


@router.post(PAGE, summary="Make a print run", response_class=Response)
def make(request: Request, actor: SignedIn, form: SentForm) -> Response:
    """Fixes the list: a new sticker with a serial for each place. The same form sent twice makes one run."""
    check_form(request, actor, form)
    require(actor, "create", "stickers")
    wanted = sticker_orders.read_wanted({name: form[name] for name in _FORM}, actor.ward_code)
    key = form["key"]
    if wanted.choice is None or not 16 <= len(key) <= 64:
        return _new_page(request, actor, wanted, counted=True, status=422)
    try:
        with prepare_as(database(request), actor) as connection:
            with database(request).public.connect() as published:
                counted, errors = sticker_orders.count(published, connection, wanted)
            codes = [row["code"] for row in counted.rows]
            order = RunOrder(
                actor.ward_id, actor.staff_id, f"{actor.staff_id} {key}", wanted.way, wanted.asked, wanted.layout,
                staff_stickers.per_page(wanted.layout),
            )  # fmt: skip
            run = stickers.make_run(
                connection, secrets_of(database(request)), order, codes, only_missing=wanted.only_missing
            )
    except InvalidValues as invalid:
        refused = errors or tuple(FieldError(wanted.way, error.code, error.values) for error in invalid.errors)
        return _new_page(request, actor, wanted, counted=True, errors=refused, status=422)
    except (NotFound, Forbidden):
        raise Problem("forbidden") from None
    return see_other(request, f"{PAGE}/{run}", done="made")


@router.get(PAGE + "/{run}", summary="A print run", response_class=Response)
def show(request: Request, run: str, actor: SignedIn) -> Response:
    """How far it is printed, who took which pages, and its stickers."""
    check_known(request.query_params, ("cursor", "done", "print"))
    require(actor, "read", "stickers")
    return _run_page(request, actor, _id(run))


@router.post(PAGE + "/{run}/prints", summary="Take pages for printing", response_class=Response)
def take(request: Request, run: str, actor: SignedIn, form: SentForm) -> Response:
    """`pages`: the next so many, which nobody else gets; or `first` to `last` once more, with a reason: without `last`,
    to the last page of the print that stopped there, where `print` names one.
    """
    check_form(request, actor, form)
    require(actor, "create", "stickers")
    number, again = _id(run), form["do"] == "again"
    errors = argument_errors({"reason": form["reason"]}) if again else []
    try:
        if errors:
            raise InvalidValues(errors)
        with prepare_as(database(request), actor) as connection:
            most = _most_pages(connection, number)
            if again:
                first = _pages(form["first"])
                last = _last(connection, number, form, first)
                if last - first >= most:
                    raise InvalidValues([FieldError("pages", "too_many_pages", {"most": most})])
                made = stickers.print_again(connection, number, first, last, form["reason"], actor.staff_id)
            else:
                made = stickers.take_pages(connection, number, min(_pages(form["pages"]), most), actor.staff_id)
    except NotFound:
        raise Problem("unknown_sticker_run", value=run) from None
    except InvalidValues as invalid:
        return _run_page(request, actor, number, errors=invalid.errors, typed=form, status=422)
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, f"{PAGE}/{number}", done="taken", print=made)


@router.get(PAGE + "/{run}/prints/{print_id}.pdf", summary="Pages of a print run as PDF", response_class=Response)
def pdf(request: Request, run: str, print_id: str, actor: SignedIn) -> Response:
    """The pages that somebody took: the same stickers each time, as their places are called on that day."""
    check_known(request.query_params, ())
    require(actor, "create", "stickers")
    number = _id(run)
    with read_as(database(request), actor) as connection:
        found = sticker_lists.run(connection, number)
        taken = sticker_lists.print_of(connection, number, _id(print_id))
        if found is None or taken is None:
            raise Problem("unknown_sticker_run", value=run)
        printed = sticker_lists.of_pages(connection, number, taken["first_page"], taken["last_page"])
        gone = sticker_changes.gone_since(connection, number)
    with database(request).public.connect() as published:
        body = run_pdf(
            published,
            http_settings(request),
            secrets_of(database(request)),
            printed,
            found["layout"],
            staff_stickers.pages(taken["first_page"], found["pages"], number),
            gone=gone,
        )
    name = f"tem-{number}-trang-{taken['first_page']}-{taken['last_page']}.pdf"
    return Response(body, headers=download_headers(name), media_type="application/pdf")


def _id(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Problem("unknown_sticker_run", value=text)
    return int(text)


def _pages(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) == 0:
        raise InvalidValues([FieldError("pages", "not_a_page", {"value": text})])
    return int(text)


def _last(connection: Connection, run: int, form: SentForm, first: int) -> int:
    """The last page that is printed again. Raises NotFound, InvalidValues."""
    if form["last"] or not form["print"]:
        return _pages(form["last"] or form["first"])
    stopped = sticker_lists.print_of(connection, run, _id(form["print"]))
    if stopped is None:
        raise NotFound
    if not stopped["first_page"] <= first <= stopped["last_page"]:
        raise InvalidValues(
            [FieldError("pages", "not_of_print", {"first": stopped["first_page"], "last": stopped["last_page"]})]
        )
    return int(stopped["last_page"])


def _most_pages(connection: Connection, run: int) -> int:
    found = sticker_lists.run(connection, run)
    if found is None:
        raise NotFound
    return max(1, MOST_AT_ONCE // int(found["per_page"]))


def _new_page(
    request: Request,
    actor: Actor,
    wanted: Wanted,
    *,
    counted: bool,
    errors: tuple[FieldError, ...] = (),
    status: int = 200,
) -> Response:
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        names = register.choices(connection)
        streets = sticker_lists.street_names(connection)
        places = sticker_orders.Counted()
        if counted and not errors:
            with database(request).public.connect() as published:
                places, errors = sticker_orders.count(published, connection, wanted)
    return staff_page(
        request,
        actor,
        "staff/stickers/new.html",
        status=status,
        wanted=wanted,
        ways=sticker_orders.WAYS,
        names=names,
        streets=streets,
        errors={error.field: staff_stickers.error_text(error, lang) for error in errors},
        foreseen=staff_stickers.foreseen(places.rows, places.having, wanted.layout, lang) if places.rows else None,
        key=token_urlsafe(18),
    )


def _run_page(
    request: Request,
    actor: Actor,
    run: int,
    *,
    errors: Any = (),
    typed: Any = None,
    status: int = 200,
) -> Response:
    lang, params = page_language(request), request.query_params
    with read_as(database(request), actor) as connection:
        found = sticker_lists.run(connection, run)
        if found is None:
            raise Problem("unknown_sticker_run", value=str(run))
        try:
            page = sticker_lists.stickers(connection, sticker_lists.StickerQuery(run=run), params.get("cursor"))
        except InvalidCursor:
            raise Problem("invalid_cursor", pointer="cursor") from None
        prints = sticker_lists.prints(connection, run)
        changed = sticker_changes.changed(connection, run)
        names = register.choices(connection)
    again = bool(typed) and typed["do"] == "again"
    return staff_page(
        request,
        actor,
        "staff/stickers/run.html",
        status=status,
        run=staff_stickers.run_row(found, names, lang),
        most=max(1, MOST_AT_ONCE // found["per_page"]),
        prints=[staff_stickers.print_row(each, run, lang) for each in prints],
        changed=staff_stickers.changed_rows(changed, lang),
        ready=params.get("print") if params.get("done") == "taken" else None,
        rows=[staff_stickers.sticker_row(row, lang) for row in page.rows],
        next_href=local(lang, f"{PAGE}/{run}", cursor=page.next_cursor) if page.next_cursor else "",
        errors=[staff_stickers.error_text(error, lang) for error in errors],
        again=again,
        typed={name: typed[name] if typed else "" for name in ("pages", "first", "last", "reason")},
        done=staff_stickers.done_text(params.get("done"), lang),
        may_print=can(actor, "create", "stickers"),
    )
