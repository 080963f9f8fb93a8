"""/staff/establishments/{code}/payment-qr: an officer compares the payment QR at a place, and notes it as seen."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers.lookup import find_establishment
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.public_forms import SentReport
from mapservice.record_page import canonical, unknown
from mapservice.routes.public.payment_check import sent_account
from mapservice.sealed import secrets_of
from mapservice.security import SignedIn, check_form, require
from mapservice.staff_page import page_language, staff_page
from postgis.actor import Actor, prepare_as, read_as
from postgis.errors import InvalidValues, NotFound
from postgis.store import payment_accounts
from web.reports import words_by_field

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/establishments/{code}/payment-qr"


@router.get(PAGE, summary="The payment QR of a place", response_class=Response)
def show(request: Request, code: str, actor: SignedIn) -> Response:
    """Which accounts are compared with: bank, day and officer."""
    require(actor, "create", "payment_accounts")
    return _page(request, actor, canonical(code))


@router.post(PAGE, summary="Compare or note a payment QR", response_class=Response)
def act(request: Request, code: str, actor: SignedIn, sent: SentReport) -> Response:
    """`action` is compare, keep or withdraw. Nothing of the QR but a keyed hash is kept."""
    check_form(request, actor, sent.form)
    require(actor, "create", "payment_accounts")
    place, action = canonical(code), sent.form["action"]
    store = database(request)
    try:
        if action == "withdraw":
            number = sent.form["account"]
            with prepare_as(store, actor) as connection:
                known = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
                payment_accounts.withdraw(connection, place, known)
            return _page(request, actor, place, done="withdraw")
        if action not in ("compare", "keep"):
            raise Problem("invalid_value", pointer="action", name="action", value=action)
        account = sent_account(sent)
        with prepare_as(store, actor) as connection:
            if action == "compare":
                answer = payment_accounts.compare(connection, secrets_of(store), place, account.text())
            else:
                answer = ""
                payment_accounts.keep(
                    connection,
                    secrets_of(store),
                    actor,
                    place,
                    bank_bin=account.bank_bin,
                    account=account.text(),
                    buyer_check=sent.form["buyer_check"] == "true",
                )
    except InvalidValues as invalid:
        told = [(error.field, error.code, error.values) for error in invalid.errors]
        errors = words_by_field("payment_check", told, page_language(request))
        return _page(request, actor, place, status=422, errors=errors)
    except NotFound:
        raise unknown(code) from None
    return _page(request, actor, place, answer=answer, done="" if answer else "keep")


def _page(request: Request, actor: Actor, code: str, *, status: int = 200, **shown: Any) -> Response:
    try:
        with read_as(database(request), actor) as connection:
            accounts = payment_accounts.of_place(connection, code)
    except NotFound:
        raise unknown(code) from None
    with database(request).public.connect() as connection:
        place = find_establishment(connection, code)
    if place is None:
        raise unknown(code)
    context = {"answer": "", "done": "", "errors": {}, **shown}
    return staff_page(
        request,
        actor,
        "staff/payment/check.html",
        status=status,
        place=place.properties,
        accounts=accounts,
        **context,
    )
