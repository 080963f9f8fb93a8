"""/staff: signing in, in one step or two, and out; changing one's password."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from mapservice import passwords, sign_in
from mapservice.dependencies import database, http_settings
from mapservice.forms import Form, SentForm
from mapservice.onward import HOME, safe_next
from mapservice.sealed import Expired
from mapservice.security import Holder, SignedIn, check_form
from mapservice.sessions import give_cookie, require_own_page, session_of, take_cookie
from mapservice.staff_page import HTML, NO_STORE, page_language, see_other, staff_page, ward_name
from postgis.actor import write_as, write_own_account
from postgis.store import sessions, staff
from web.render import local, render

router = APIRouter(tags=["Staff"], include_in_schema=False)

FIRST_PAGE = "/staff/establishments"
NOTICES = ("signed_out",)


@router.get("/staff", summary="To the register, or to the sign-in page", response_class=Response)
def first_page(request: Request, actor: SignedIn) -> Response:
    """The list of establishments, where an officer's day begins."""
    del actor
    return see_other(request, FIRST_PAGE)


@router.get("/staff/sign-in", summary="Sign-in page", response_class=Response)
def ask(request: Request) -> Response:
    """Asks for login and password; who is signed in already goes on."""
    target = safe_next(request.query_params.get("next", HOME))
    if session_of(request) is not None:
        return RedirectResponse(target, 303, NO_STORE)
    asked = request.query_params.get("done")
    notice = asked if asked in NOTICES else "needed" if target != HOME else None
    return _page(request, "staff/sign_in.html", target, login="", refusal=None, notice=notice)


@router.post("/staff/sign-in", summary="Sign in with login and password", response_class=Response)
def enter(request: Request, form: SentForm) -> Response:
    """Begins a session, or asks for the code of the second factor. What is wrong with a refused one is not told."""
    require_own_page(request)
    target, login, password = safe_next(form["next"] or HOME), form["login"].lower(), form.raw("password")
    attempt = sign_in.check_password(database(request), login, password)
    if attempt is None:
        return _refused(request, "staff/sign_in.html", target, "refused", login=form["login"][:80])
    if attempt.totp_secret is not None:
        pending = sign_in.ask_for_code(database(request), attempt)
        return _page(request, "staff/sign_in_code.html", target, pending=pending, refusal=None)
    return _signed_in(request, target, sign_in.begin(database(request), attempt, password))


@router.post("/staff/sign-in/code", summary="Finish signing in with a code", response_class=Response)
def enter_code(request: Request, form: SentForm) -> Response:
    """Begins a session when the code from the authenticator app is right."""
    require_own_page(request)
    target = safe_next(form["next"] or HOME)
    try:
        cookie = sign_in.check_code(database(request), form["pending"], form["code"])
    except Expired:
        return _refused(request, "staff/sign_in.html", target, "expired", login="")
    if cookie is None:
        return _refused(request, "staff/sign_in_code.html", target, "refused", pending=form["pending"])
    return _signed_in(request, target, cookie)


@router.post("/staff/sign-out", summary="Sign out", response_class=Response)
def leave(request: Request, holder: Holder, form: SentForm) -> Response:
    """Ends this browser's session."""
    check_form(request, holder.actor, form)
    with write_own_account(database(request), holder.actor.staff_id) as connection:
        sessions.end(connection, holder.token_hash)
    response = see_other(request, "/staff/sign-in", done="signed_out")
    take_cookie(response, request)
    return response


@router.get("/staff/password", summary="Change one's password", response_class=Response)
def ask_password(request: Request, holder: Holder) -> Response:
    """The form; the only page for who signed in with a temporary password."""
    return _password_page(request, holder, {})


@router.post("/staff/password", summary="Change one's password", response_class=Response)
def change_password(request: Request, holder: Holder, form: SentForm) -> Response:
    """Sets the new password, ends every session, and begins a new one for this browser."""
    check_form(request, holder.actor, form)
    store, actor = database(request), holder.actor
    errors = _password_errors(form, actor.login)
    if not errors and not sign_in.prove_again(store, actor.login, form.raw("current")):
        errors = {"current": "wrong_password"}
    if errors:
        return _password_page(request, holder, errors, status=422)
    kept = sign_in.hash_password(form.raw("new"))
    with write_as(store, actor, reason=None) as connection:
        staff.set_password(connection, actor.staff_id, kept, must_change=False)
        cookie = sessions.start(connection, actor.staff_id)
    response = see_other(request, HOME if holder.must_change_password else "/staff/account?done=password_changed")
    give_cookie(response, request, cookie)
    return response


def _password_errors(form: Form, login: str) -> dict[str, str]:
    """What is wrong, by field."""
    new = form.raw("new")
    errors = {name: "required" for name in ("current", "new", "repeat") if not form.raw(name)}
    if "new" not in errors:
        weak = passwords.weakness(new, login) or ("same_as_before" if new == form.raw("current") else None)
        if weak:
            errors["new"] = weak
    if "repeat" not in errors and form.raw("repeat") != new:
        errors["repeat"] = "not_repeated"
    return errors


def _password_page(request: Request, holder: Holder, errors: dict[str, str], status: int = 200) -> Response:
    return staff_page(
        request,
        holder.actor,
        "staff/password.html",
        status=status,
        errors=errors,
        first=holder.must_change_password,
        least=passwords.SHORTEST,
        most=passwords.LONGEST,
    )


def _page(request: Request, template: str, target: str, status: int = 200, **context: Any) -> Response:
    """A page for who is not signed in yet; its language switch keeps where they want to go."""
    lang = page_language(request)
    here = local(lang, "/staff/sign-in", next=target if target != HOME else None)
    ward = ward_name(request, http_settings(request).ward, lang)
    page = render(template, lang, here=here, next=target, ward_title=ward, **context)
    return Response(page, status, {**NO_STORE, "Content-Language": lang}, HTML)


def _refused(request: Request, template: str, target: str, refusal: str, **context: Any) -> Response:
    return _page(request, template, target, 403, refusal=refusal, notice=None, **context)


def _signed_in(request: Request, target: str, cookie: str) -> Response:
    response = RedirectResponse(target, 303, NO_STORE)
    give_cookie(response, request, cookie)
    return response
