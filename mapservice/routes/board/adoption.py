"""/board/adoption: the adoption map on a page of its own, with its table; and its figures as files."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from layers import adoption
from layers.formats.spreadsheets import CSV_TYPE, XLSX_TYPE, Column, csv_stream, file_pieces, xlsx_file
from mapservice import links as rel
from mapservice.adoption_page import PAGE, about, columns, context, document, file_of, geojson, question_of
from mapservice.dependencies import Settings, database
from mapservice.errors import Problem
from mapservice.reading import privacy, reading
from mapservice.responses import json_bytes, reply
from mapservice.routes.staff.exports import download_headers
from mapservice.security import MaybeActor
from mapservice.staff_page import HTML, page_language, staff_page, ward_name
from postgis.today import VIETNAM
from web import labels
from web.adoption import file_row
from web.render import render

router = APIRouter(tags=["Board"], include_in_schema=False)

ONE_FILE = "/board/map.html"
FORMS = ("html", "json", "geojson", "csv", "xlsx")


@router.get(PAGE, summary="Adoption of cashless payment by part of the ward", response_class=Response)
def show(request: Request, actor: MaybeActor, settings: Settings) -> Response:
    """The map with its table; `f` the figures alone. Staff of the ward see all, others what everybody is told."""
    lang = page_language(request)
    form = request.query_params.get("f") or "html"
    if form not in FORMS:
        raise Problem("invalid_format", pointer="f", value=form, known=", ".join(FORMS))
    question, full = question_of(request.query_params, actor, settings.ward)
    headers = {"Content-Language": lang, **privacy(actor)}
    with reading(database(request), actor) as connection:
        if form == "html":
            found: dict[str, Any] = context(connection, question, lang, full=full)
        else:
            parts = adoption.parts(connection, question, full=full)
    if form == "json":
        told = document(question, parts, lang, full=full)
        return reply(request, json_bytes(told), rel.JSON, headers=headers)
    if form == "geojson":
        return reply(request, geojson(question, parts, lang), rel.GEOJSON, headers=headers)
    if form in ("csv", "xlsx"):
        table = [Column(name, title) for name, title in columns(lang)]
        rows = [file_row(part, question.by, lang) for part in parts]
        name = f"{labels.text('adoption.file', lang)}-{datetime.now(VIETNAM):%Y%m%d-%H%M}.{form}"
        sent = {**headers, **download_headers(name)}
        if form == "csv":
            return StreamingResponse(csv_stream(table, rows), headers=sent, media_type=CSV_TYPE)
        notes = [*about(question, lang), *((title, "") for title in (labels.text("adoption.definition", lang),))]
        file = xlsx_file(
            labels.text("adoption.sheet", lang), table, rows, (labels.text("adoption.about_sheet", lang), notes)
        )
        return StreamingResponse(file_pieces(file), headers=sent, media_type=XLSX_TYPE)
    if actor is not None:
        return staff_page(request, actor, "board/adoption.html", frame="staff/base.html", **found)
    here = PAGE + (f"?{request.url.query}" if request.url.query else "")
    title = ward_name(request, question.ward, lang)
    page = render("board/adoption.html", lang, frame="base.html", here=here, ward_title=title, **found)
    return reply(request, page.encode(), HTML, headers=headers)


@router.get(ONE_FILE, summary="The adoption map as one file", response_class=Response)
def one_file(request: Request, actor: MaybeActor, settings: Settings) -> Response:
    """The map with its table as an HTML file that opens without network; its figures as at `/board/adoption`."""
    lang = page_language(request)
    question, full = question_of(request.query_params, actor, settings.ward)
    with reading(database(request), actor) as connection:
        page = file_of(connection, question, lang, full=full)
    name = f"{labels.text('adoption.file', lang)}-{datetime.now(VIETNAM):%Y%m%d-%H%M}.html"
    headers = {"Content-Language": lang, **privacy(actor), **download_headers(name)}
    return Response(page, 200, headers, HTML)
