"""What routes need to know about who is asking: the actor, the rights, and that a form is our own.

@router.post("/staff/things")
def add(request: Request, actor: SignedIn, form: SentForm) -> Response:
    require(actor, "create", "establishments")
    check_form(request, actor, form)
"""

import hmac
from typing import Annotated

from fastapi import Depends, Request

from mapservice.errors import Problem
from mapservice.forms import Form, SentForm
from mapservice.rights import can
from mapservice.sessions import session_of, token_actor
from postgis.actor import Actor
from postgis.store.sessions import Session

__all__ = [
    "Holder",
    "MaybeActor",
    "Owner",
    "SentForm",
    "SignedIn",
    "can",
    "check_form",
    "csrf_token",
    "current_actor",
    "require",
]


def current_actor(request: Request) -> Actor | None:
    """Who is asking, or None for anybody.

    A bearer token, which a program sends on purpose, goes before the cookie. Raises Problem: `invalid_token` for a
    token that is unknown, expired or revoked; `cross_site` for a write with a cookie from another site's page. Who
    still has to choose a password is nobody yet.
    """
    actor = token_actor(request)
    if actor is not None:
        return actor
    session = session_of(request)
    return session.actor if session is not None and not session.must_change_password else None


def signed_in(request: Request) -> Actor:
    """Who is asking. Raises Problem: `sign_in_required` (for a browser, the way to the sign-in page)."""
    actor = current_actor(request)
    if actor is not None:
        return actor
    raise Problem("password_change_required" if session_of(request) else "sign_in_required")


def session_holder(request: Request) -> Session:
    """The signed-in browser itself, for pages about one's own account: a token is not enough for those.

    Here a session may still have to change its password.
    """
    session = session_of(request)
    if session is None:
        raise Problem("sign_in_required")
    return session


def account_owner(holder: Annotated[Session, Depends(session_holder)]) -> Actor:
    """Who is signed in with a browser and a password of their own choice. Raises Problem."""
    if holder.must_change_password:
        raise Problem("password_change_required")
    return holder.actor


MaybeActor = Annotated[Actor | None, Depends(current_actor)]
SignedIn = Annotated[Actor, Depends(signed_in)]
Holder = Annotated[Session, Depends(session_holder)]
Owner = Annotated[Actor, Depends(account_owner)]


def require(actor: Actor | None, verb: str, subject: str, *, ward_code: str | None = None) -> None:
    """Raises Problem when the actor may not: `sign_in_required` when nobody is signed in, else `forbidden`."""
    if not can(actor, verb, subject, ward_code=ward_code):
        raise Problem("sign_in_required" if actor is None else "forbidden")


def csrf_token(request: Request) -> str:
    """What the forms of a page must carry as `csrf_token`; empty for a program with a token."""
    session = session_of(request)
    return session.csrf_token if session else ""


def check_form(request: Request, actor: Actor, form: Form) -> None:
    """Raises Problem unless the form comes from a page that we made for this session. Tokens need no such proof."""
    session = session_of(request)
    if token_actor(request) is not None:
        return
    if session is None or session.actor.staff_id != actor.staff_id:
        raise Problem("sign_in_required")
    if not hmac.compare_digest(form["csrf_token"].encode(), session.csrf_token.encode()):
        raise Problem("form_expired")
