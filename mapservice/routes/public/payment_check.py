"""/q/{code}/payment: a buyer compares the payment QR on the counter with what an officer saw, if the owner agreed."""

from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers.lookup import FoundPlace
from mapservice.dependencies import ReadConnection, database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.payment_qr import Account, account_in_photo, account_of
from mapservice.photo_files import PhotoForm
from mapservice.public_forms import PHOTO_PATIENCE_S, SentReport, form_page, page_frame
from mapservice.routes.public.corrections import place_or_way
from mapservice.sealed import secrets_of
from mapservice.security import MaybeActor, require
from mapservice.sessions import refuse_other_sites
from mapservice.staff_page import page_language
from postgis.errors import InvalidValues, NotFound
from postgis.store import payment_accounts
from web.payment_check import payment_page

router = APIRouter(tags=["Payment check"], include_in_schema=False)

RETRY_AFTER_S = 3600


@router.get("/q/{code}/payment", summary="Form for comparing a payment QR", response_class=Response)
def ask(request: Request, code: str, connection: ReadConnection) -> Response:
    """By photo, or by the text of the QR; says so where there is nothing to compare with."""
    check_known(request.query_params, ())
    found = place_or_way(connection, code, "/payment", page_language(request))
    return found if isinstance(found, Response) else _page(request, connection, found)


@router.post("/q/{code}/payment", summary="Compare a payment QR", response_class=Response)
def compare(request: Request, code: str, actor: MaybeActor, sent: SentReport, connection: ReadConnection) -> Response:
    """It matches, it does not, or there is nothing to compare with. Nothing that was sent is kept."""
    require(actor, "create", "payment_checks")
    refuse_other_sites(request)
    found = place_or_way(connection, code, "/payment", page_language(request))
    if isinstance(found, Response):
        raise Problem("unknown_code", value=code)
    if not found.details["payment_check"]:
        # Whatever was sent, nothing of it is looked at.
        return _page(request, connection, found)
    try:
        account = sent_account(sent, patience_s=PHOTO_PATIENCE_S)
    except InvalidValues as invalid:
        errors = [(error.field, error.code, error.values) for error in invalid.errors]
        return _page(request, connection, found, status=422, errors=errors)
    try:
        with database(request).staff.begin() as staff:
            answer, checked_on = payment_accounts.compare_for_buyer(
                staff, secrets_of(database(request)), str(found.properties["code"]), account.text()
            )
    except NotFound:
        raise Problem("unknown_code", value=code) from None
    if answer == "too_many":
        refused = _page(request, connection, found, status=429, problem="payment_check.too_many")
        refused.headers["Retry-After"] = str(RETRY_AFTER_S)
        return refused
    return _page(request, connection, found, answer=answer, checked_on=checked_on)


def sent_account(sent: PhotoForm, *, patience_s: float = -1) -> Account:
    """The account in what was sent: the text where there is one, else the photo. Raises InvalidValues."""
    if sent.form["qr"] or not sent.photo:
        return account_of(sent.form["qr"])
    return account_in_photo(sent.photo, patience_s=patience_s)


def _page(request: Request, connection: Connection, found: FoundPlace, *, status: int = 200, **shown: Any) -> Response:
    lang, place = page_language(request), found.properties
    frame = page_frame(request, connection, lang, str(place["ward"]) if place["ward"] else None)
    action = f"/q/{place['code']}/payment" + ("?lang=en" if lang == "en" else "")
    comparable = bool(found.details["payment_check"])
    return form_page(payment_page(frame, action=action, place=place, comparable=comparable, **shown), lang, status)
