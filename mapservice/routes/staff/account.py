"""/staff/account: one's own account. Second factor, access tokens, signed-in browsers.

Everything here asks for a signed-in browser: a token must not be able to make further tokens.
"""

import base64
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from mapservice import second_factor, sign_in, totp
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.forms import Form, SentForm
from mapservice.sealed import Expired
from mapservice.security import Owner, check_form
from mapservice.sessions import take_cookie
from mapservice.staff_page import page_language, see_other, staff_page
from postgis.actor import Actor, read_as, write_as, write_own_account
from postgis.store import sessions, staff, tokens
from postgis.store.record_values import readable
from postgis.vocabulary import TOKEN_SCOPES
from web import labels, qr

router = APIRouter(tags=["Staff"], include_in_schema=False)

ADDRESS = "/staff/account"
NOTICES = ("password_changed", "totp_added", "totp_removed", "token_revoked")
LABEL_LENGTH = 100
USUAL_DAYS = "90"


@router.get("/staff/account", summary="One's own account", response_class=Response)
def own_account(request: Request, actor: Owner) -> Response:
    """Role, password, second factor, tokens."""
    done = request.query_params.get("done")
    return _page(request, actor, done=done if done in NOTICES else None)


@router.post("/staff/account/sessions/end", summary="Sign out everywhere", response_class=Response)
def end_sessions(request: Request, actor: Owner, form: SentForm) -> Response:
    """Ends every session of one's own, this one too."""
    check_form(request, actor, form)
    with write_own_account(database(request), actor.staff_id) as connection:
        sessions.end_all(connection, actor.staff_id)
    response = see_other(request, "/staff/sign-in", done="signed_out")
    take_cookie(response, request)
    return response


@router.get("/staff/account/totp", summary="Set up a second factor", response_class=Response)
def offer_totp(request: Request, actor: Owner) -> Response:
    """A QR code for an authenticator app, and the form that proves that the app has it."""
    return _totp_page(request, actor, *second_factor.offer(database(request), actor.staff_id))


@router.post("/staff/account/totp", summary="Turn the second factor on", response_class=Response)
def confirm_totp(request: Request, actor: Owner, form: SentForm) -> Response:
    """Keeps the secret when the first code is right."""
    check_form(request, actor, form)
    store = database(request)
    try:
        secret = second_factor.offered(store, actor.staff_id, form["offer"])
    except Expired:
        return _totp_page(request, actor, *second_factor.offer(store, actor.staff_id), expired=True, status=422)
    if not second_factor.confirm(store, actor, secret, form["code"]):
        errors = {"code": "wrong_code" if form["code"] else "required"}
        return _totp_page(request, actor, secret, form["offer"], errors=errors, status=422)
    return see_other(request, ADDRESS, done="totp_added")


@router.post("/staff/account/totp/remove", summary="Turn the second factor off", response_class=Response)
def remove_totp(request: Request, actor: Owner, form: SentForm) -> Response:
    """Asks for the password once more: an unlocked PC must not be enough."""
    check_form(request, actor, form)
    password = form.raw("password")
    if not password or not sign_in.prove_again(database(request), actor.login, password):
        errors = {"password": "wrong_password" if password else "required"}
        return _page(request, actor, status=422, errors=errors)
    with write_as(database(request), actor, reason=None) as connection:
        staff.set_totp(connection, actor.staff_id, None)
    return see_other(request, ADDRESS, done="totp_removed")


@router.post("/staff/account/tokens", summary="Make an access token", response_class=Response)
def make_token(request: Request, actor: Owner, form: SentForm) -> Response:
    """Shows the token, this once."""
    check_form(request, actor, form)
    errors = _token_errors(form)
    if errors:
        typed = {name: form[name] for name in ("label", "scope", "days")}
        return _page(request, actor, status=422, errors=errors, typed=typed)
    with write_as(database(request), actor, reason=None) as connection:
        token = tokens.issue(connection, actor.staff_id, form["label"], form["scope"], int(form["days"]))
    return _page(request, actor, made={"label": form["label"], "token": token})


@router.post("/staff/account/tokens/{token_id}/revoke", summary="Revoke an access token", response_class=Response)
def revoke_token(request: Request, token_id: int, actor: Owner, form: SentForm) -> Response:
    """Takes effect with the next request that carries it."""
    check_form(request, actor, form)
    with write_as(database(request), actor, reason=None) as connection:
        # One that is not there, not one's own, or revoked already: the outcome is what was wanted.
        tokens.revoke(connection, actor.staff_id, token_id)
    return see_other(request, ADDRESS, done="token_revoked")


def _token_errors(form: Form) -> dict[str, str]:
    errors = {name: "required" for name in ("label", "scope", "days") if not form[name]}
    if len(form["label"]) > LABEL_LENGTH:
        errors["label"] = "name_too_long"
    elif not readable(form["label"]):
        errors["label"] = "unreadable"
    if "scope" not in errors and form["scope"] not in TOKEN_SCOPES:
        errors["scope"] = "scope"
    days = form["days"]
    whole = days.isascii() and days.isdigit() and len(days) <= 4
    if "days" not in errors and not (whole and 1 <= int(days) <= tokens.MAX_DAYS):
        errors["days"] = "days"
    return errors


def _page(request: Request, actor: Actor, *, status: int = 200, **context: Any) -> Response:
    with read_as(database(request), actor) as connection:
        member = staff.find(connection, actor.login)
        owned = tokens.of_staff(connection, actor.staff_id)
    if member is None:
        raise Problem("not_found")
    usual = {"errors": {}, "made": None, "done": None, "typed": {"label": "", "scope": "read", "days": USUAL_DAYS}}
    shown = {"member": member, "tokens": owned, "most_days": tokens.MAX_DAYS}
    return staff_page(request, actor, "staff/account.html", status=status, **{**usual, **shown, **context})


def _totp_page(
    request: Request,
    actor: Actor,
    secret: bytes,
    offer: str,
    *,
    errors: dict[str, str] | None = None,
    expired: bool = False,
    status: int = 200,
) -> Response:
    issuer = labels.text("staff.totp.issuer", page_language(request))
    # Drawn as PNG: the SVG maker keeps what it has drawn, and this one is a secret.
    symbol = base64.b64encode(qr.png(totp.address(secret, actor.login, issuer), 4)).decode()
    return staff_page(
        request,
        actor,
        "staff/totp.html",
        status=status,
        errors=errors or {},
        expired=expired,
        offer=offer,
        key=totp.readable(secret),
        symbol=symbol,
    )
