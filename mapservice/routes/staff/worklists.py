"""/staff/this-week: what to check now; each list with its count, as a page and as a file."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from layers import duplicates, lookup_days, register, worklists
from layers.errors import InvalidCursor
from layers.formats.spreadsheets import CSV_TYPE, Column, csv_stream
from layers.worklists import SECTIONS, WORKLISTS
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.record_page import lookups_in_words
from mapservice.routes.staff.exports import download_headers
from mapservice.security import SignedIn, can, require
from mapservice.staff_page import page_language, staff_page
from postgis.actor import Actor, read_as
from postgis.engine import Database
from web import labels
from web.render import format_ago, format_date, local

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/this-week"


@router.get(PAGE, summary="What to check this week", response_class=Response)
def show(request: Request, actor: SignedIn) -> Response:
    """Every list with its count, the pressing ones first."""
    check_known(request.query_params, ())
    require(actor, "read", "register")
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        counts = worklists.counts(connection)
        pairs = len(duplicates.pairs(connection))
        lookups = lookups_in_words("ward", lookup_days.of_ward(connection), lang)
    sections = [
        {
            "title": labels.text(f"register.week.sections.{section}", lang),
            "stale": section == "stale",
            "lists": [_entry(name, counts[name], lang) for name, each in WORKLISTS.items() if each.section == section],
        }
        for section in SECTIONS
    ]
    twins = {
        "name": "duplicates",
        "title": labels.text("register.week.lists.duplicates", lang),
        "count": labels.text("register.week.pairs", lang, count=pairs),
        "empty": not pairs,
        "href": local(lang, f"{PAGE}/duplicates"),
    }
    title = labels.text("register.week.sections.duplicates", lang)
    sections.append({"title": title, "stale": False, "lists": [twins]})
    clear = not pairs and not any(counts.values())
    return staff_page(request, actor, "staff/worklists.html", sections=sections, clear=clear, lookups=lookups)


@router.get(PAGE + "/{worklist}", summary="One list of places to check", response_class=Response)
def show_list(request: Request, worklist: str, actor: SignedIn) -> Response:
    """The places of a list, most pressing first, paged by `cursor`; `f=csv` the whole list as a file."""
    check_known(request.query_params, ("cursor",))
    require(actor, "read", "register")
    if worklist not in WORKLISTS:
        raise Problem("unknown_worklist", value=worklist)
    lang = page_language(request)
    if request.query_params.get("f") == "csv":
        require(actor, "export", "register")
        return _csv(database(request), actor, worklist, lang)
    cursor = request.query_params.get("cursor")
    with read_as(database(request), actor) as connection:
        try:
            page = worklists.page(connection, worklist, cursor)
        except InvalidCursor:
            raise Problem("invalid_cursor", pointer="cursor") from None
        total = worklists.counts(connection)[worklist]
        groups = register.choices(connection)["residential_group"]
    address = f"{PAGE}/{worklist}"
    context: dict[str, Any] = {
        "title": labels.text(f"register.week.lists.{worklist}", lang),
        "total": total,
        "rows": [_row(row, groups, lang) for row in page.rows],
        "dated": any(row["due"] for row in page.rows),
        "first_href": local(lang, address) if cursor else "",
        "next_href": local(lang, address, cursor=page.next_cursor) if page.next_cursor else "",
        "csv_href": local(lang, address, f="csv") if total and can(actor, "export", "register") else "",
    }
    return staff_page(request, actor, "staff/worklist.html", **context)


def _entry(name: str, count: int, lang: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": labels.text(f"register.week.lists.{name}", lang),
        "count": labels.text("register.week.count", lang, count=count),
        "empty": not count,
        "href": local(lang, f"{PAGE}/{name}"),
    }


def _row(row: dict[str, Any], groups: Mapping[str, str], lang: str) -> dict[str, Any]:
    """A place in words; `groups`: the names of residential groups by code."""
    due: date | None = row["due"]
    return {
        "code": row["code"],
        "name": row["name"] or labels.text("register.nameless", lang),
        "href": local(lang, f"/staff/establishments/{row['code']}"),
        "address": row["address"] or labels.text("place.no_address", lang),
        "group": labels.code_label("sector_group", row["sector_group"], lang),
        "residential_group": groups.get(row["residential_group"], row["residential_group"]) or "",
        "status": labels.code_label("operating_status", row["operating_status"], lang),
        "due": f"{format_date(due)} ({format_ago(due, lang)})" if due else "",
        "illustrative": row["illustrative"],
    }


def _csv(database: Database, actor: Actor, worklist: str, lang: str) -> Response:
    columns = [
        Column("code", labels.field_title("establishments", "code", lang)),
        Column("name", labels.field_title("establishments", "name", lang)),
        Column("group", labels.text("register.filters.sector_group", lang)),
        Column(
            "sector_group",
            labels.text("register.export.code_column", lang, title=labels.text("register.filters.sector_group", lang)),
        ),
        Column("address", labels.field_title("establishments", "address", lang)),
        Column("residential_group", labels.field_title("establishments", "residential_group", lang)),
        Column("status", labels.text("register.filters.operating_status", lang)),
        Column("due", labels.text("register.week.due", lang)),
        Column("lat", labels.field_title("establishments", "lat", lang)),
        Column("lon", labels.field_title("establishments", "lon", lang)),
    ]

    def rows() -> Iterator[dict[str, Any]]:
        with read_as(database, actor) as connection:
            for row in worklists.every_row(connection, worklist):
                yield {**row, **{name: _row(row, {}, lang)[name] for name in ("group", "status")}}

    headers = download_headers(f"{worklist}.csv")
    return StreamingResponse(csv_stream(columns, rows()), headers=headers, media_type=CSV_TYPE)
