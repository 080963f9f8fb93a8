"""/staff/establishments: the list of establishments, with search, filters, counts and saved views."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from layers import register
from layers.errors import InvalidCursor
from layers.register import FILTERS, SORTS, RegisterQuery
from mapservice.dependencies import database
from mapservice.errors import Problem, problem_document
from mapservice.parameters import check_known
from mapservice.register_query import NAMES, chosen_values, find_query, kept_query, register_query
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from postgis.actor import Actor, read_as, write_own_account
from postgis.errors import InvalidValues, NotFound
from postgis.store import saved_views
from web import labels, staff_list
from web.field_errors import error_words
from web.render import local

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/establishments"
DONE = ("view_saved", "view_renamed", "view_deleted")


@router.get(PAGE, summary="The list of establishments, for staff", response_class=Response)
def show(request: Request, actor: SignedIn) -> Response:
    """One page of the list, the filters with what each would leave, and the reader's saved views."""
    require(actor, "read", "register")
    return _page(request, actor)


@router.post(PAGE + "/find", summary="Look for establishments", response_class=Response)
def find(request: Request, actor: SignedIn, form: SentForm) -> Response:
    """On to the list's address for what was typed; a person's number does not get into it."""
    require(actor, "read", "register")
    with read_as(database(request), actor) as connection:
        typed = QueryParams([(name, value) for name, values in form.fields.items() for value in values])
        query = find_query(request, connection, typed)
    return see_other(request, f"{PAGE}?{query}" if query else PAGE)


@router.post(PAGE + "/views", summary="Save the present filters as a list", response_class=Response)
def save_view(request: Request, actor: SignedIn, form: SentForm) -> Response:
    """Keeps the query of the list under a name."""
    check_form(request, actor, form)
    require(actor, "read", "register")
    query = kept_query(QueryParams(form["query"]))
    try:
        with write_own_account(database(request), actor.staff_id) as connection:
            saved_views.save(connection, actor, form["name"], query)
    except InvalidValues as invalid:
        return _page(request, actor, QueryParams(query), view_error=_words(request, invalid), typed=form["name"])
    return _back(request, query, "view_saved")


@router.post(PAGE + "/views/{view}/{action}", summary="Rename or delete a saved list", response_class=Response)
def change_view(request: Request, view: str, action: str, actor: SignedIn, form: SentForm) -> Response:
    """`rename` with `name`, or `delete`; only one's own."""
    check_form(request, actor, form)
    require(actor, "read", "register")
    if action not in ("rename", "delete") or not (view.isascii() and view.isdigit() and len(view) < 18):
        raise Problem("not_found")
    query = kept_query(QueryParams(form["query"]))
    try:
        with write_own_account(database(request), actor.staff_id) as connection:
            if action == "rename":
                saved_views.rename(connection, actor, int(view), form["name"])
            else:
                saved_views.remove(connection, actor, int(view))
    except NotFound:
        raise Problem("not_found") from None
    except InvalidValues as invalid:
        words = _words(request, invalid)
        return _page(request, actor, QueryParams(query), view_error=words, typed=form["name"], renamed=int(view))
    return _back(request, query, "view_renamed" if action == "rename" else "view_deleted")


def _page(
    request: Request,
    actor: Actor,
    params: QueryParams | None = None,
    *,
    view_error: str = "",
    typed: str = "",
    renamed: int | None = None,
) -> Response:
    params = request.query_params if params is None else params
    lang = page_language(request)
    status, problem = 200, ""
    with read_as(database(request), actor) as connection:
        try:
            _check_names(params)
            query = register_query(params, request, connection)
            page = register.page(connection, query)
        except (Problem, InvalidCursor) as error:
            found = error if isinstance(error, Problem) else Problem("invalid_cursor")
            problem, status = problem_document(found, request, lang)["detail"], found.status
            params, query = QueryParams(""), RegisterQuery()
            page = register.page(connection, query)
        counted = register.counts(connection, query)
        names = register.choices(connection)
        views = saved_views.views_of(connection, actor)
    kept = kept_query(params)
    chosen = chosen_values(params)
    context: dict[str, Any] = {
        "rows": staff_list.rows(page.rows, lang),
        "total": counted.total,
        "facets": staff_list.facets({name: counted.by_filter[name] for name in FILTERS}, chosen, names, lang),
        "narrowed": bool(chosen or query.q or query.ended or query.of_entities),
        "by_number": query.of_entities is not None,
        "q": query.q or "",
        "ended": query.ended,
        "sort": query.sort or ("best" if query.q else "updated"),
        "sorts": {name: labels.text(f"register.sorts.{name}", lang) for name in SORTS if query.q or name != "best"},
        "kept": kept,
        "first": query.cursor is None,
        "next_href": _address(lang, kept, cursor=page.next_cursor) if page.next_cursor else "",
        "first_href": _address(lang, kept),
        "views": [{"id": each.id, "name": each.name, "href": _address(lang, each.query)} for each in views],
        "current_view": next((each.name for each in views if each.query == kept), ""),
        "done": labels.text(f"register.done.{done}", lang) if (done := params.get("done")) in DONE else "",
        "problem": problem,
        "view_error": view_error,
        "typed": typed,
        "renamed": renamed,
        "may_add": can(actor, "create", "establishments"),
        "exports": {f: _address(lang, kept, path=PAGE + "/export", f=f) for f in ("xlsx", "csv")}
        if can(actor, "export", "register")
        else {},
    }
    return staff_page(request, actor, "staff/establishments.html", status=422 if view_error else status, **context)


def _check_names(params: QueryParams) -> None:
    """As for every address, but that a filter's box may be ticked many times."""
    once = QueryParams([(name, value) for name, value in params.multi_items() if name not in FILTERS])
    check_known(once, (*NAMES, "done"))


def _address(lang: str, kept: str, path: str = PAGE, **more: object) -> str:
    return local(lang, f"{path}?{kept}" if kept else path, **more)


def _back(request: Request, query: str, done: str) -> Response:
    return see_other(request, f"{PAGE}?{query}" if query else PAGE, done=done)


def _words(request: Request, invalid: InvalidValues) -> str:
    error = invalid.errors[0]
    return error_words("saved_views", error.field, error.code, error.values, page_language(request))
