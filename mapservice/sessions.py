"""Who sent a request: by session cookie or bearer token, and whether a page of ours sent it."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from mapservice.asker import COOKIE, SAFE_METHODS
from mapservice.dependencies import database, http_settings
from mapservice.errors import Problem
from postgis.actor import Actor
from postgis.store import sessions, tokens
from postgis.store.sessions import Session


def session_of(request: Request) -> Session | None:
    """The signed-in browser, looked up once a request. Raises Problem for a write that another site's page sent.

    A session whose password must be changed is given too: only the page for that may use it.
    """
    if not hasattr(request.state, "session"):
        cookie = request.cookies.get(COOKIE)
        found = None
        if cookie:
            with database(request).staff.begin() as connection:
                found = sessions.find(connection, cookie)
        request.state.session = found
    session: Session | None = request.state.session
    if session is not None and request.method not in SAFE_METHODS:
        require_own_page(request)
    return session


def token_actor(request: Request) -> Actor | None:
    """Whose bearer token the request carries; None without one. Raises Problem when it is no good."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    if not hasattr(request.state, "token_actor"):
        with database(request).staff.begin() as connection:
            request.state.token_actor = tokens.find(connection, token.strip())
    actor: Actor | None = request.state.token_actor
    if actor is None:
        raise Problem("invalid_token")
    return actor


def require_own_page(request: Request) -> None:
    """Raises Problem unless the browser says that a page of ours sent this.

    A request that says nothing comes from no browser that we know: programs use a token.
    """
    if not from_own_page(request):
        raise Problem("cross_site")


def refuse_other_sites(request: Request) -> None:
    """Raises Problem when the browser says that another site's page sent this, for forms that need no session.

    A browser that says nothing is let in: text browsers and old telephones send neither header.
    """
    if from_own_page(request) is False:
        raise Problem("cross_site")


def from_own_page(request: Request) -> bool | None:
    """Whether a page of ours sent this, as far as the browser says; None when it does not.

    Browsers leave Sec-Fetch-Site out on plain http within an office network; there the Origin speaks for it.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return None
    own = {request.headers.get("host", "")}
    if http_settings(request).public_url:
        own.add(urlsplit(http_settings(request).public_url or "").netloc)
    return urlsplit(origin).netloc in own


def give_cookie(response: Response, request: Request, value: str) -> None:
    """Signs the browser in. The cookie ends with the browser: office PCs are shared."""
    secure = (http_settings(request).public_url or "").startswith("https://")
    response.set_cookie(COOKIE, value, httponly=True, samesite="lax", secure=secure, path="/")


def take_cookie(response: Response, request: Request) -> None:
    """Signs the browser out."""
    secure = (http_settings(request).public_url or "").startswith("https://")
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=secure, path="/")
