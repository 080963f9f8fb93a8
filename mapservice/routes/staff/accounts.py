"""/staff/accounts: an administrator's screens for the accounts of the own ward."""

import contextlib
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers.history import account_timeline
from mapservice import passwords, sign_in
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.forms import Form, SentForm
from mapservice.security import Owner, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from postgis.actor import Actor, read_as, write_as
from postgis.errors import Forbidden, InvalidValues, Stale
from postgis.store import sessions, staff, tokens
from postgis.store.record_values import readable
from postgis.store.staff import LOGIN_PATTERN, NAME_LENGTH, Member
from postgis.vocabulary import STAFF_ROLES
from web.staff_timeline import timeline_view

router = APIRouter(tags=["Staff"], include_in_schema=False)

LIST = "/staff/accounts"
RECENT = 50
"""Changes of an account that its page tells of."""
NOTICES = ("changed", "disabled", "enabled", "sessions_ended", "tokens_revoked", "totp_removed")


def administrator(request: Request, actor: Owner) -> Actor:
    """Who may administer accounts. Raises Problem."""
    del request
    require(actor, "administer", "accounts")
    return actor


Administrator = Annotated[Actor, Depends(administrator)]


@router.get("/staff/accounts", summary="The ward's accounts", response_class=Response)
def accounts(request: Request, actor: Administrator) -> Response:
    """The list, and the form for a new account."""
    return _list_page(request, actor)


@router.post("/staff/accounts", summary="Add an account", response_class=Response)
def add(request: Request, actor: Administrator, form: SentForm) -> Response:
    """Shows the temporary password, this once."""
    check_form(request, actor, form)
    typed = {"login": form["login"], "display_name": _name(form), "role": form["role"]}
    errors = _errors(form)
    if not typed["login"]:
        errors["login"] = "required"
    elif not LOGIN_PATTERN.fullmatch(typed["login"]):
        errors["login"] = "login_format"
    if errors:
        return _list_page(request, actor, status=422, errors=errors, typed=typed)
    password = passwords.temporary_password()
    kept = sign_in.hash_password(password)
    try:
        with _writing(request, actor) as connection:
            staff.add(connection, ward_code=actor.ward_code, password_hash=kept, must_change_password=True, **typed)
    except InvalidValues as refusal:
        errors = {error.field: error.code for error in refusal.errors}
        return _list_page(request, actor, status=422, errors=errors, typed=typed)
    return _list_page(request, actor, made={"login": typed["login"], "password": password})


@router.get("/staff/accounts/{login}", summary="One account", response_class=Response)
def account(request: Request, login: str, actor: Administrator) -> Response:
    """Name, role, and how the person signs in."""
    done = request.query_params.get("done")
    with read_as(database(request), actor) as connection:
        member = _find(connection, actor, login)
    return _member_page(request, actor, member, done=done if done in NOTICES else None)


@router.post("/staff/accounts/{login}", summary="Change name and role", response_class=Response)
def change(request: Request, login: str, actor: Administrator, form: SentForm) -> Response:
    """Changes what the administrator saw; a colleague's change in between is shown, not overwritten."""
    check_form(request, actor, form)
    own = login == actor.login
    typed = {"display_name": _name(form), "role": actor.role if own else form["role"]}
    errors = {} if own and typed["display_name"] else _errors(form)
    if own and form["role"] not in ("", actor.role):
        errors["role"] = "own_role"
    stale = False
    with _writing(request, actor) as connection:
        member = _find(connection, actor, login)
        if not errors:
            try:
                staff.change(connection, member.id, _version(form), **typed)
            except Stale:
                stale = True
    if errors:
        return _member_page(request, actor, member, status=422, errors=errors, typed=typed)
    if stale:
        return _member_page(request, actor, member, status=409, stale=True)
    return see_other(request, f"{LIST}/{login}", done="changed")


@router.post("/staff/accounts/{login}/password", summary="Reset a password", response_class=Response)
def reset_password(request: Request, login: str, actor: Administrator, form: SentForm) -> Response:
    """Shows the temporary password, this once; it must be changed at the first sign-in."""
    check_form(request, actor, form)
    password = passwords.temporary_password()
    kept = sign_in.hash_password(password)
    with _writing(request, actor) as connection:
        member = _find_other(connection, actor, login)
        staff.set_password(connection, member.id, kept, must_change=True)
        member = _find(connection, actor, login)
    return _member_page(request, actor, member, made={"login": login, "password": password})


@router.post("/staff/accounts/{login}/totp/remove", summary="Remove a lost second factor", response_class=Response)
def remove_totp(request: Request, login: str, actor: Administrator, form: SentForm) -> Response:
    """For somebody whose phone is gone."""
    check_form(request, actor, form)
    with _writing(request, actor) as connection:
        staff.set_totp(connection, _find_other(connection, actor, login).id, None)
    return see_other(request, f"{LIST}/{login}", done="totp_removed")


@router.post("/staff/accounts/{login}/sessions/end", summary="Sign somebody out everywhere", response_class=Response)
def end_sessions(request: Request, login: str, actor: Administrator, form: SentForm) -> Response:
    """Takes effect with their next request."""
    check_form(request, actor, form)
    with _writing(request, actor) as connection:
        sessions.end_all(connection, _find_other(connection, actor, login).id)
    return see_other(request, f"{LIST}/{login}", done="sessions_ended")


@router.post("/staff/accounts/{login}/tokens/revoke", summary="Revoke somebody's tokens", response_class=Response)
def revoke_tokens(request: Request, login: str, actor: Administrator, form: SentForm) -> Response:
    """All of them, for good."""
    check_form(request, actor, form)
    with _writing(request, actor) as connection:
        tokens.revoke(connection, _find_other(connection, actor, login).id)
    return see_other(request, f"{LIST}/{login}", done="tokens_revoked")


@router.post("/staff/accounts/{login}/disable", summary="Disable an account", response_class=Response)
def disable(request: Request, login: str, actor: Administrator, form: SentForm) -> Response:
    """Signs the person out at once and revokes their tokens; the account stays, for the history."""
    check_form(request, actor, form)
    with _writing(request, actor) as connection:
        staff.disable(connection, _find_other(connection, actor, login).id)
    return see_other(request, f"{LIST}/{login}", done="disabled")


@router.post("/staff/accounts/{login}/enable", summary="Enable an account", response_class=Response)
def enable(request: Request, login: str, actor: Administrator, form: SentForm) -> Response:
    """Lets the person sign in again, with the password they had."""
    check_form(request, actor, form)
    with _writing(request, actor) as connection:
        staff.enable(connection, _find_other(connection, actor, login).id)
    return see_other(request, f"{LIST}/{login}", done="enabled")


@contextlib.contextmanager
def _writing(request: Request, actor: Actor) -> Iterator[Connection]:
    """A transaction of the administrator's, which the history notes. Raises Problem."""
    try:
        with write_as(database(request), actor, reason=None) as connection:
            yield connection
    except Forbidden:
        raise Problem("forbidden") from None


def _find(connection: Connection, actor: Actor, login: str) -> Member:
    """The account, when it is of the administrator's ward: others do not exist for them. Raises Problem."""
    member = staff.find(connection, login)
    if member is None or member.ward_id != actor.ward_id:
        raise Problem("not_found")
    return member


def _find_other(connection: Connection, actor: Actor, login: str) -> Member:
    """The same, but not the administrator's own: there must always be one left who can undo it. Raises Problem."""
    member = _find(connection, actor, login)
    if member.id == actor.staff_id:
        raise Problem("forbidden")
    return member


def _name(form: Form) -> str:
    return unicodedata.normalize("NFC", " ".join(form["display_name"].split()))


def _version(form: Form) -> int:
    text = form["version"]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _errors(form: Form) -> dict[str, str]:
    errors = {}
    name = _name(form)
    if not name:
        errors["display_name"] = "required"
    elif len(name) > NAME_LENGTH:
        errors["display_name"] = "name_too_long"
    elif not readable(name):
        errors["display_name"] = "unreadable"
    if form["role"] not in STAFF_ROLES:
        errors["role"] = "role"
    return errors


def _list_page(request: Request, actor: Actor, *, status: int = 200, **context: Any) -> Response:
    with read_as(database(request), actor) as connection:
        members = staff.of_ward(connection, actor.ward_id)
    usual = {"errors": {}, "made": None, "typed": {"login": "", "display_name": "", "role": ""}, "most": NAME_LENGTH}
    return staff_page(request, actor, "staff/accounts.html", status=status, members=members, **{**usual, **context})


def _member_page(request: Request, actor: Actor, member: Member, *, status: int = 200, **context: Any) -> Response:
    with read_as(database(request), actor) as connection:
        good = tokens.count_good(connection, member.id)
        changes = account_timeline(connection, member.login, limit=RECENT)
    typed = {"display_name": member.display_name, "role": member.role}
    usual = {"errors": {}, "made": None, "done": None, "stale": False, "typed": typed, "most": NAME_LENGTH}
    shown = {"member": member, "own": member.id == actor.staff_id, "tokens": good}
    shown["timeline"] = timeline_view(changes, {}, page_language(request))
    return staff_page(request, actor, "staff/member.html", status=status, **{**usual, **shown, **context})
