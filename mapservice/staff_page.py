"""A page of the staff screens: in the frame that says who is signed in, and never kept by a browser or proxy."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from layers.lookup import find_ward
from layers.reports import waiting
from mapservice.dependencies import database
from mapservice.onward import page_of
from mapservice.rights import can
from mapservice.security import csrf_token
from mapservice.sessions import session_of
from postgis.actor import Actor, read_as
from web.lookup import ward_title
from web.render import local, render

HTML = "text/html; charset=utf-8"
NO_STORE = {"Cache-Control": "no-store"}


def page_language(request: Request) -> str:
    """Vietnamese unless English is asked for, as on every page for people."""
    return "en" if request.query_params.get("lang") == "en" else "vi"


def staff_page(request: Request, actor: Actor, template: str, *, status: int = 200, **context: Any) -> Response:
    """Render a template that extends `staff/base.html` for the actor, with what that frame needs."""
    lang = page_language(request)
    frame = _frame(request, actor, lang)
    page = render(template, lang, **{**frame, **context})
    return Response(page, status, {**NO_STORE, "Content-Language": lang}, HTML)


def error_page(request: Request, problem: dict[str, Any]) -> str | None:
    """A problem (RFC 9457) of the staff screens in their frame; None elsewhere, and where nobody is signed in."""
    if not request.url.path.startswith(("/staff", "/board/work", "/board/model-sites", "/board/reports")):
        return None
    session = session_of(request)
    if session is None or session.must_change_password:
        return None
    lang = page_language(request)
    return render("staff/error.html", lang, **_frame(request, session.actor, lang), problem=problem)


def see_other(request: Request, path: str, **query: object) -> Response:
    """After a form was accepted: on to a page that can be loaded again without sending the form twice."""
    return RedirectResponse(local(page_language(request), path, **query), 303, NO_STORE)


def ward_name(request: Request, code: str, lang: str) -> str | None:
    """A ward as the header names it."""
    with database(request).public.connect() as connection:
        return ward_title(find_ward(connection, code), lang)


def _reports(request: Request, actor: Actor) -> tuple[int, int] | None:
    """How many citizens' reports wait, and how many of them too long; None for who may not read them."""
    if not can(actor, "read", "reports"):
        return None
    with read_as(database(request), actor) as connection:
        return waiting(connection)


def _frame(request: Request, actor: Actor, lang: str) -> dict[str, Any]:
    return {
        "ward_title": ward_name(request, actor.ward_code, lang),
        "actor": {"login": actor.login, "display_name": actor.display_name, "role": actor.role},
        "csrf_token": csrf_token(request),
        "may_administer": can(actor, "administer", "accounts"),
        "may_import": can(actor, "read", "imports"),
        "reports": _reports(request, actor),
        "here": page_of(request),
        "path": request.url.path,
    }
