"""/staff/changes: the ward's change log by person, kind of record, action and days; as a page and as a file."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from layers import change_log
from layers.change_log import COLLECTIONS, KINDS, Entry, Wanted
from layers.errors import InvalidCursor
from layers.formats.spreadsheets import CSV_TYPE, Column, csv_stream
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.record_forms import read_day
from mapservice.record_page import WRITABLE
from mapservice.routes.staff.exports import download_headers
from mapservice.security import SignedIn, can, require
from mapservice.staff_page import page_language, staff_page
from postgis.actor import Actor, read_as
from postgis.engine import Database
from postgis.store.photos import PHOTO
from postgis.store.record_types import WritableField
from postgis.store.record_values import EARLIEST, LATEST
from postgis.today import read_day as read_iso_day
from web import labels
from web.render import local
from web.staff_timeline import Moment, timeline_view

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/changes"
PEOPLE = "people"
"""A choice of `person`: whoever it was, but somebody."""
FIELDS = {
    **WRITABLE,
    "photos": PHOTO.fields,
    "shelf_lives": (WritableField("fact", "text", code_list="freshness_fact"),),
    "personal_data": (WritableField("field", "text", code_list="personal_field"),),
}
NAMES = ("person", "collection", "kind", "first", "last")


@router.get(PAGE, summary="The ward's change log", response_class=Response)
def show(request: Request, actor: SignedIn) -> Response:
    """One page of the log, latest first, paged by `cursor`; `f=csv` all that is wanted as a file."""
    check_known(request.query_params, (*NAMES, "cursor"))
    require(actor, "read", "history")
    lang = page_language(request)
    typed = {name: request.query_params.get(name, "").strip() for name in NAMES}
    with read_as(database(request), actor) as connection:
        people = change_log.people(connection)
        wanted, errors = _wanted(typed, people, lang)
        if request.query_params.get("f") == "csv":
            require(actor, "export", "register")
            if errors:
                raise Problem("invalid_datetime", pointer=next(iter(errors)), value=typed[next(iter(errors))][:40])
            return _csv(database(request), actor, wanted, lang)
        page = _page(connection, wanted, request.query_params.get("cursor"))
    kept = {name: value for name, value in typed.items() if value}
    things = sorted((labels.text(f"register.things.{name}", lang), name) for name in COLLECTIONS)
    context: dict[str, Any] = {
        "choices": [
            (
                "person",
                [
                    (PEOPLE, labels.text("register.log.people", lang)),
                    *((str(code), name) for code, name in people.items()),
                ],
            ),
            ("collection", [(name, words) for words, name in things]),
            ("kind", [(name, labels.code_label("change_kind", name, lang)) for name in KINDS]),
        ],
        "chosen": typed,
        "errors": {name: errors.get(name, "") for name in ("first", "last")},
        "narrowed": bool(kept),
        "timeline": _moments(page.entries, lang),
        "first_href": local(lang, PAGE, **kept) if "cursor" in request.query_params else "",
        "next_href": local(lang, PAGE, **kept, cursor=page.next_cursor) if page.next_cursor else "",
        "csv_href": local(lang, PAGE, **kept, f="csv")
        if page.entries and not errors and can(actor, "export", "register")
        else "",
    }
    return staff_page(request, actor, "staff/changes.html", status=422 if errors else 200, **context)


def _page(connection: Connection, wanted: Wanted, cursor: str | None) -> change_log.LogPage:
    try:
        return change_log.page(connection, wanted, cursor)
    except InvalidCursor:
        raise Problem("invalid_cursor", pointer="cursor") from None


def _wanted(typed: Mapping[str, str], people: Mapping[int, str], lang: str) -> tuple[Wanted, dict[str, str]]:
    """What is asked for, and what is wrong with it by input. A choice that the form does not offer is no filter."""
    errors: dict[str, str] = {}
    days: dict[str, date | None] = {}
    for name in ("first", "last"):
        days[name] = None
        if typed[name]:
            try:
                days[name] = _day(typed[name])
            except ValueError:
                errors[name] = labels.text("register.log.not_a_day", lang, value=typed[name][:40])
    first, last = days["first"], days["last"]
    if first and last and first > last:
        errors["first"] = labels.text("register.log.order", lang)
    person = typed["person"]
    wanted = Wanted(
        person=next((code for code in people if str(code) == person), None),
        by_people=person == PEOPLE,
        collection=typed["collection"] if typed["collection"] in COLLECTIONS else None,
        kind=typed["kind"] if typed["kind"] in KINDS else None,
        first=first,
        last=last,
    )
    return wanted, errors


def _day(text: str) -> date:
    """A day as people or programs write it; the last one may lie ahead. Raises ValueError."""
    day = read_iso_day(read_day(text))
    if not EARLIEST <= day <= LATEST:
        raise ValueError(text)
    return day


def _moments(entries: list[Entry], lang: str) -> list[Moment]:
    views = timeline_view([entry.change for entry in entries], FIELDS, lang)
    return [
        replace(view, place_code=entry.place_code or "", place=_place(entry, lang))
        for view, entry in zip(views, entries, strict=True)
    ]


def _place(entry: Entry, lang: str) -> str:
    return entry.place_name or labels.text("register.nameless", lang) if entry.place_code else ""


def _csv(database: Database, actor: Actor, wanted: Wanted, lang: str) -> Response:
    names = ("when", "person", "what", "code", "place", "reason", "source", "fields")
    columns = [Column(name, labels.text(f"register.log.{name}", lang)) for name in names]

    def rows() -> Iterator[dict[str, Any]]:
        with read_as(database, actor) as connection:
            for entry in change_log.every_entry(connection, wanted):
                (moment,) = _moments([entry], lang)
                lines = "; ".join(f"{line.title}: {line.before} → {line.after}" for line in moment.lines)
                yield {
                    "when": f"{moment.day} {moment.clock}",
                    "person": moment.who,
                    "what": moment.what,
                    "code": entry.change.record_code,
                    "place": moment.place,
                    "reason": moment.reason,
                    "source": moment.source,
                    "fields": lines,
                }

    return StreamingResponse(csv_stream(columns, rows()), headers=download_headers("changes.csv"), media_type=CSV_TYPE)
