"""/staff/establishments/export: the list as it is filtered now, as a file for Excel. No personal field."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response, StreamingResponse

from layers import register
from layers.errors import InvalidCursor
from layers.formats.spreadsheets import CSV_TYPE, XLSX_TYPE, Column, csv_stream, file_pieces, xlsx_file
from layers.register import EXPORTED, RegisterQuery
from mapservice.dependencies import LinkBuilder, database
from mapservice.errors import Problem
from mapservice.register_query import chosen_values, kept_query, register_query
from mapservice.security import SignedIn, require
from mapservice.staff_page import page_language
from postgis.actor import Actor, read_as
from postgis.engine import Database
from postgis.today import VIETNAM
from web import labels, staff_export, staff_list

router = APIRouter(tags=["Staff"], include_in_schema=False)

POINT = (("lat", "lat"), ("lon", "lon"))
FORMATS = ("xlsx", "csv")


@router.get("/staff/establishments/export", summary="The filtered list as XLSX or CSV", response_class=Response)
def export(request: Request, actor: SignedIn, links: LinkBuilder) -> Response:
    """All that the list's filters leave, in its order; `f=xlsx` (with a sheet that says what it is) or `f=csv`."""
    require(actor, "export", "register")
    params = request.query_params
    kind = params.get("f", "xlsx")
    if kind not in FORMATS:
        raise Problem("invalid_format", pointer="f", value=kind, known=", ".join(FORMATS))
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        try:
            query = register_query(params, request, connection)
        except InvalidCursor:
            raise Problem("invalid_cursor", pointer="cursor") from None
        names = register.choices(connection)
        total = register.counts(connection, query).total
    columns = [Column(key, title) for key, title in staff_export.columns(EXPORTED, lang)]
    columns += [Column(key, labels.field_title("establishments", name, lang)) for key, name in POINT]
    rows = _rows(database(request), actor, query, lang)
    headers = download_headers(
        f"{labels.text('register.export.file', lang)}-{datetime.now(VIETNAM):%Y%m%d-%H%M}.{kind}"
    )
    if kind == "csv":
        return StreamingResponse(csv_stream(columns, rows), headers=headers, media_type=CSV_TYPE)
    about = _about(actor, params, names, total, f"{links.base}/staff/establishments?{kept_query(params)}", lang)
    sheet, notes = labels.text("register.export.sheet", lang), labels.text("register.export.about", lang)
    file = xlsx_file(sheet, columns, rows, (notes, about))
    return StreamingResponse(file_pieces(file), headers=headers, media_type=XLSX_TYPE)


def download_headers(name: str) -> dict[str, str]:
    """Headers of a file that the browser saves and nobody keeps on the way."""
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


def _rows(database: Database, actor: Actor, query: RegisterQuery, lang: str) -> Iterator[dict[str, Any]]:
    words = staff_export.Words(lang)
    with read_as(database, actor) as connection:
        for row in register.export_rows(connection, query):
            yield words.row(row)


def _about(
    actor: Actor,
    params: QueryParams,
    names: Mapping[str, Mapping[str, str]],
    total: int,
    address: str,
    lang: str,
) -> list[tuple[str, str]]:
    def word(key: str) -> str:
        return labels.text(f"register.export.{key}", lang)

    chosen = staff_list.chosen_words(chosen_values(params), names, params.get("q"), lang)
    said = "; ".join(f"{title}: {values}" for title, values in chosen) or word("everything")
    return [
        (word("made"), f"{datetime.now(VIETNAM):%d/%m/%Y %H:%M}"),
        (word("by"), actor.display_name),
        (word("ward"), actor.ward_code),
        (word("chosen"), said),
        (word("rows"), labels.number(total, lang)),
        (word("address"), address),
        (word("note"), word("illustrative")),
        (word("note"), word("personal")),
        (word("note"), word("back")),
    ]
