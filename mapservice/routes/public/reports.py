"""/q/{code}/report: what anybody may report about a place; /reports/{receipt}: how it stands, for whoever holds it."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from layers import reports as reading
from layers.lookup import FoundPlace, find_establishment, known_code
from mapservice.dependencies import Language, ReadConnection, Settings, database
from mapservice.errors import Problem
from mapservice.language import wants_html
from mapservice.parameters import check_known
from mapservice.photo_files import MAX_PHOTO_BYTES, picture
from mapservice.public_forms import HEADERS, PHOTO_PATIENCE_S, SentReport, form_page, on_to, page_frame
from mapservice.responses import json_bytes
from mapservice.scanned import TOO_LONG, scanned_sticker
from mapservice.sealed import secrets_of
from mapservice.security import MaybeActor, require
from mapservice.sessions import refuse_other_sites
from mapservice.staff_page import page_language
from postgis import codes
from postgis.engine import Database
from postgis.errors import FieldError, InvalidValues, NotFound
from postgis.store import photos, reports
from postgis.store.photos import Picture
from postgis.store.proposals import read_receipt
from postgis.store.reports import Sent, TooManyReports
from postgis.today import today
from postgis.vocabulary import REPORT_KINDS
from web import reports as pages
from web.render import local

router = APIRouter(tags=["Reports"])

LIMITS = pages.Limits(reports.LEAST_WORDS, reports.MOST_WORDS, MAX_PHOTO_BYTES // 1024 // 1024)
RETRY_AFTER_S = 3600
"""After too many reports: the hour that they are counted in."""


@router.get("/q/{code}/report", summary="Form for a report", response_class=Response, include_in_schema=False)
def ask(request: Request, code: str, connection: ReadConnection) -> Response:
    """About the place of a code; about a sticker whose code leads to none. `kind` chooses one beforehand; `t` is the
    mark of the sticker that led here.
    """
    check_known(request.query_params, ("kind", "t"))
    lang, kind = page_language(request), request.query_params.get("kind", "")
    canonical = codes.normalise(code)
    found = find_establishment(connection, canonical) if canonical else None
    if found is None and canonical is not None:
        state, successor = known_code(connection, canonical)
        if state == "merged" and successor:
            return RedirectResponse(local(lang, f"/q/{successor}/report", kind=kind), 307, HEADERS)
    typed = {"kind": kind if kind in REPORT_KINDS else "" if found else "fake_sticker"}
    return _form(request, connection, code, found, typed)


@router.post("/q/{code}/report", summary="Send a report", response_class=Response, include_in_schema=False)
def send(
    request: Request, code: str, actor: MaybeActor, sent: SentReport, connection: ReadConnection, settings: Settings
) -> Response:
    """Within bounds, without asking who sends it. On to the page behind its receipt."""
    require(actor, "create", "reports")
    refuse_other_sites(request)
    canonical = codes.normalise(code)
    found = _place_of(connection, canonical) if canonical else None
    typed = {"kind": sent.form["kind"], "words": sent.form.raw("words")}
    place = str(found.properties["code"]) if found else None
    serial = _serial(request, connection, found)
    report = Sent(settings.ward, place, None if found else code, typed["kind"], typed["words"], serial)
    errors: list[FieldError] = []
    made = None
    try:
        report = reports.checked(report)
    except InvalidValues as invalid:
        errors += invalid.errors
    try:
        with database(request).staff.connect() as staff:
            if not errors and not reports.room(staff, place):
                raise TooManyReports
        if sent.photo:
            made = picture(sent.photo, patience_s=PHOTO_PATIENCE_S)
    except InvalidValues as invalid:
        errors += invalid.errors
    except TooManyReports:
        return _too_many(request, connection, code, found, typed)
    if errors:
        if made is not None:
            # No browser fills in a file anew.
            errors.append(FieldError("photo", "photo_again"))
        return _form(request, connection, code, found, typed, errors=errors, status=422)
    try:
        receipt = _keep(database(request), report, made)
    except TooManyReports:
        return _too_many(request, connection, code, found, typed)
    except NotFound:
        return _form(request, connection, code, found, typed, problem="reports.gone", status=409)
    return on_to(f"/reports/{receipt}", page_language(request), sent="1")


@router.get("/reports/{receipt}", summary="A report, by its receipt", response_class=Response)
def ticket(request: Request, receipt: str, connection: ReadConnection, lang: Language) -> Response:
    """How it stands, until when the ward answers, and the answer; never the words, never a name."""
    stored = read_receipt(receipt)
    found = reading.by_receipt(connection, stored) if stored else None
    if found is None:
        raise Problem("unknown_report")
    if not wants_html(request):
        return Response(json_bytes(found), 200, HEADERS, "application/json")
    frame = page_frame(request, connection, lang, found["ward"])
    page = pages.ticket_page(frame, found, fresh="sent" in request.query_params, today=today())
    return form_page(page, lang)


def _place_of(connection: Connection, code: str) -> FoundPlace | None:
    """The place of a code, also where it was merged into another while somebody wrote."""
    found = find_establishment(connection, code)
    if found is not None:
        return found
    state, successor = known_code(connection, code)
    return find_establishment(connection, successor) if state == "merged" and successor else None


def _keep(store: Database, report: Sent, made: Picture | None) -> str:
    """Files first, so that no record names a photo that is not there; without a record nobody is shown a file."""
    with store.staff.begin() as connection:
        receipt = reports.send(connection, secrets_of(store), report, photo=made.name if made else None)
        if made is not None:
            photos.keep_files(store.settings.data_dir, made)
    return receipt


def _too_many(
    request: Request, connection: Connection, code: str, found: FoundPlace | None, typed: dict[str, str]
) -> Response:
    answer = _form(request, connection, code, found, typed, problem="reports.too_many", status=429)
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _form(
    request: Request,
    connection: Connection,
    code: str,
    found: FoundPlace | None,
    typed: dict[str, str],
    *,
    status: int = 200,
    problem: str | None = None,
    errors: list[FieldError] | None = None,
) -> Response:
    lang = page_language(request)
    place: dict[str, Any] | None = found.properties if found else None
    address = f"/q/{place['code'] if place else quote(code, safe='')}/report"
    page = pages.report_form(
        page_frame(request, connection, lang, str(place["ward"]) if place and place.get("ward") else None),
        action=local(lang, address, t=request.query_params.get("t", "")[:TOO_LONG]),
        place=place,
        sticker=_shown(code),
        typed=typed,
        limits=LIMITS,
        serial=_serial(request, connection, found),
        errors=[(error.field, error.code, error.values) for error in errors or ()],
        problem=problem,
    )
    return form_page(page, lang, status)


def _serial(request: Request, connection: Connection, found: FoundPlace | None) -> str | None:
    """Of the genuine sticker that led to the form, where one did."""
    scanned = scanned_sticker(request, connection, str(found.properties["code"])) if found else None
    return scanned.serial if scanned else None


def _shown(code: str) -> str:
    """What a sticker says, short and printable enough to be shown back."""
    plain = "".join(letter if letter.isprintable() else " " for letter in code).strip()
    return plain[: reports.MOST_STICKER]
