"""The owner of a place, signed in with a code from the ward office: the cookie, and whether a form is our own."""

import hmac
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from mapservice.asker import SAFE_METHODS
from mapservice.dependencies import database, http_settings
from mapservice.errors import Problem
from mapservice.forms import Form
from mapservice.sessions import refuse_other_sites
from postgis.store import owners
from postgis.store.owners import OwnerSession

COOKIE = "mapservice_owner"
PATH = "/owner"
SECONDS = 2 * 3600


def owner_session(request: Request) -> OwnerSession | None:
    """The owner's session of this browser. Raises Problem for a write that another site's page sent."""
    if request.method not in SAFE_METHODS:
        refuse_other_sites(request)
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    with database(request).staff.begin() as connection:
        return owners.find(connection, cookie)


def signed_in_owner(request: Request) -> OwnerSession:
    """The same; raises Problem `owner_sign_in_required` without one."""
    session = owner_session(request)
    if session is None:
        raise Problem("owner_sign_in_required")
    return session


MaybeOwner = Annotated[OwnerSession | None, Depends(owner_session)]
SignedInOwner = Annotated[OwnerSession, Depends(signed_in_owner)]


def check_owner_form(session: OwnerSession, form: Form) -> None:
    """Raises Problem unless the form comes from a page that we made for this session."""
    if not hmac.compare_digest(form["csrf_token"].encode(), session.csrf_token.encode()):
        raise Problem("form_expired")


def give_cookie(response: Response, request: Request, value: str) -> None:
    """Signs the browser in, for as long as the session lasts and for the owner's pages alone."""
    secure = (http_settings(request).public_url or "").startswith("https://")
    response.set_cookie(COOKIE, value, SECONDS, httponly=True, samesite="strict", secure=secure, path=PATH)


def take_cookie(response: Response, request: Request) -> None:
    """Signs the browser out."""
    secure = (http_settings(request).public_url or "").startswith("https://")
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=secure, path=PATH)
