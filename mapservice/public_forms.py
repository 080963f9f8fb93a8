"""Forms for people without an account: no cookie, no session, so no proof but where the browser says they come from."""

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from layers.lookup import find_ward
from mapservice.dependencies import http_settings
from mapservice.errors import Problem
from mapservice.photo_files import MAX_PHOTO_BYTES, PhotoForm
from mapservice.place_answers import page_links
from mapservice.scanned import TOO_LONG
from mapservice.staff_page import HTML
from mapservice.uploads import read_upload
from web import reports
from web.render import local

HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
PHOTO_PATIENCE_S = 2.0
"""How long a photo that anybody sends waits while others are made."""


async def read_report_form(request: Request) -> PhotoForm:
    """A form with or without a photo. Raises Problem when it is none, or larger than a photo may be."""
    too_large = Problem("report_photo_too_large", pointer="photo", megabytes=MAX_PHOTO_BYTES // 1024 // 1024)
    sent = await read_upload(request, MAX_PHOTO_BYTES, too_large)
    return PhotoForm(sent.form, sent.data)


SentReport = Annotated[PhotoForm, Depends(read_report_form)]


def page_frame(request: Request, connection: Connection, lang: str, ward: str | None = None) -> reports.Frame:
    """What a public page of this address carries; `ward`: of the place that it is about."""
    settings = http_settings(request)
    token = request.query_params.get("t", "")[:TOO_LONG]
    links = page_links(settings, request.url.path, lang, token=token)
    return reports.Frame(find_ward(connection, ward or settings.ward), links, lang)


def form_page(page: str, lang: str, status: int = 200, **headers: str) -> Response:
    """The page, kept by nobody, found by no search engine; the policy allows its one style and forms to ourselves."""
    policy = (
        f"default-src 'none'; style-src {reports.style_hash()}; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    # No referrer: the address of a ticket is its key.
    safety = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Content-Language": lang}
    return Response(page, status, {**HEADERS, **safety, **headers}, HTML)


def on_to(path: str, lang: str, **query: object) -> Response:
    """After a form was accepted: on to a page that can be loaded again without sending the form twice."""
    return RedirectResponse(local(lang, path, **query), 303, HEADERS)
