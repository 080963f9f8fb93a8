"""/: the public map, the list as a page, and one place as a page. Whole without JavaScript.

The parameters are those of the API; parameters that mean nothing here (what social networks hang on to a link) are left
alone. A value that cannot be read gives a page that says so, with the form to correct it.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.datastructures import QueryParams
from starlette.responses import Response

from layers import features
from layers.collections import ESTABLISHMENTS
from layers.errors import InvalidCursor
from layers.lookup import find_establishment, find_ward
from layers.surroundings import freshness, ward_box
from mapservice.dependencies import ReadConnection, Settings
from mapservice.errors import Problem, problem_document
from mapservice.openapi import parameters
from mapservice.parameters import feature_query
from mapservice.responses import reply
from mapservice.settings import HttpSettings
from postgis import codes
from web.map_page import FILTERS, Listing, Search, Surroundings, map_page, place_page

router = APIRouter(tags=["Public map"])

VIEWS = ("map", "list", "place")
PAGE_SIZES = {"map": 20, "list": 50}


PARAMETERS = parameters("lang", "q", "bbox", *FILTERS, "operating_status", "view", "place", "cursor")


@router.get("/", summary="The public map", response_class=Response, openapi_extra=PARAMETERS)
def public_map(request: Request, connection: ReadConnection, settings: Settings) -> Response:
    """The map with search, filters and list; `view=list` the list alone; `view=place` one place alone."""
    params = request.query_params
    lang = "en" if params.get("lang") == "en" else "vi"
    view = params["view"] if params.get("view") in VIEWS else "map"
    around = surroundings(connection, settings)
    typed = params.get("place", "").strip()
    place = _place(connection, typed) if typed else None
    missing = bool(typed) and place is None
    if view == "place":
        page = place_page(place, around, lang)
        return _html(request, page, lang, 200 if place else 404)
    search = _search(params)
    listing = _listing(request, connection, search, view, lang)
    page = map_page(view, search, listing, around, lang, place, missing)
    return _html(request, page, lang, 400 if listing.problem else 404 if missing else 200)


def surroundings(connection: Connection, settings: HttpSettings) -> Surroundings:
    """What the pages say around the places."""
    fresh = freshness(connection)
    ward = find_ward(connection, settings.ward)
    box = ward_box(connection, settings.ward)
    return Surroundings(ward=ward, bbox=box, updated_on=fresh.updated_at, illustrative=fresh.illustrative)


def _place(connection: Connection, typed: str) -> dict[str, Any] | None:
    code = codes.normalise(typed)
    found = find_establishment(connection, code) if code else None
    if found is None:
        return None
    lon, lat = found.position
    return {**found.properties, **found.details, "replies": found.replies, "lon": lon, "lat": lat}


def _search(params: QueryParams) -> Search:
    """What the form holds. A form sends each ticked box by itself, an address of ours joins them by commas."""
    chosen = {name: tuple(_codes(params.getlist(name))) for name in (*FILTERS, "operating_status")}
    return Search(params.get("q", "").strip(), chosen, params.get("bbox") or None)


def _codes(values: Iterable[str]) -> list[str]:
    split = (code.strip() for value in values for code in value.split(","))
    return list(dict.fromkeys(code for code in split if code))


def _listing(request: Request, connection: Connection, search: Search, view: str, lang: str) -> Listing:
    cursor = request.query_params.get("cursor") if view == "list" else None
    try:
        query = feature_query(ESTABLISHMENTS, QueryParams({**search.asked, **({"cursor": cursor} if cursor else {})}))
        page = features.rows(connection, ESTABLISHMENTS, replace(query, limit=PAGE_SIZES[view]))
    except InvalidCursor:
        return _refused(Problem("invalid_cursor"), request, lang)
    except Problem as problem:
        return _refused(problem, request, lang)
    return Listing(page.rows, page.number_matched, page.next_cursor, first=cursor is None, about=page.estimated)


def _refused(problem: Problem, request: Request, lang: str) -> Listing:
    return Listing((), problem=problem_document(problem, request, lang)["detail"])


def _html(request: Request, page: str, lang: str, status: int) -> Response:
    return reply(request, page.encode(), "text/html; charset=utf-8", headers={"Content-Language": lang}, status=status)
