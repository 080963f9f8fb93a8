"""/q/{code}: the public look-up page of a place, its data and its QR code; /q: the form for typing a code.

A page is never a dead end: whatever stands behind /q/ is answered with a page that helps, in the language asked for.
"""

from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from layers.lookup import FoundPlace, find_establishment, find_ward, known_code
from mapservice.dependencies import ReadConnection, Settings
from mapservice.errors import Problem
from mapservice.responses import json_bytes, reply
from mapservice.settings import HttpSettings
from postgis import codes
from web import lookup, qr

router = APIRouter(tags=["Look-up"])

HTML = "text/html; charset=utf-8"
PNG_BOX = 12
"""Pixels for each module: about 540 for the whole symbol, sharp on a phone and good for a print of 5 cm."""


@router.get("/q", summary="Form for typing a look-up code", response_class=Response)
def ask(request: Request, connection: ReadConnection, settings: Settings) -> Response:
    """With `code`, leads on to its page; without, asks for it."""
    lang, typed = _lang(request), request.query_params.get("code", "").strip()
    if typed:
        return RedirectResponse(_path(codes.normalise(typed) or typed, lang=lang), 303)
    page = lookup.ask_page(find_ward(connection, settings.ward), _links(settings, "/q", lang), lang)
    return _page(request, page, lang)


@router.get("/q/{code}.json", summary="A place as data", response_class=Response)
def place_json(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """The properties of the establishments collection, with `warnings`, `geometry` and `url`."""
    canonical = codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, ".json")
    found = find_establishment(connection, canonical) if canonical else None
    if canonical is None:
        raise Problem("mistyped_code", value=code)
    if found is None:
        return _elsewhere(connection, canonical, ".json")
    document = {**_document(found, _address(settings, canonical)), **_relations(request, connection, found)}
    return reply(request, json_bytes(document), "application/json")


@router.get("/q/{code}.svg", summary="The QR code of a place's page, as SVG", response_class=Response)
def qr_svg(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """Error level Q, quiet zone included."""
    canonical = codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, ".svg")
    if find_establishment(connection, _typed_well(canonical, code)) is None:
        return _elsewhere(connection, _typed_well(canonical, code), ".svg")
    address = _address(settings, code)
    return reply(request, qr.svg(address, address).encode(), "image/svg+xml")


@router.get("/q/{code}.png", summary="The QR code of a place's page, as PNG", response_class=Response)
def qr_png(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """Error level Q, quiet zone included."""
    canonical = codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, ".png")
    if find_establishment(connection, _typed_well(canonical, code)) is None:
        return _elsewhere(connection, _typed_well(canonical, code), ".png")
    return reply(request, qr.png(_address(settings, code), PNG_BOX), "image/png")


@router.get("/q/{code}", summary="The look-up page of a place", response_class=Response)
def place(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """One page of a few kilobytes, without script; what a sticker's QR code opens."""
    lang, canonical = _lang(request), codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, "")
    found = find_establishment(connection, canonical) if canonical else None
    if canonical is None or found is None:
        return _no_place(request, connection, settings, code, canonical, lang)
    known = _relations(request, connection, found)
    page = lookup.place_page(
        {**found.properties, "closed_on": found.closed_on},
        found.warnings,
        found.ward,
        _links(settings, f"/q/{canonical}", lang, place=canonical),
        lang,
        merged_from=codes.display(known["merged_from"]) if "merged_from" in known else None,
        moved_to=_path(known["moved_to"], lang=lang) if "moved_to" in known else None,
    )
    return _page(request, page, lang)


def _document(found: FoundPlace, address: str) -> dict[str, Any]:
    return {
        **found.properties,
        "warnings": found.warnings,
        "geometry": {"type": "Point", "coordinates": found.position},
        "url": address,
    }


def _relations(request: Request, connection: Connection, found: FoundPlace) -> dict[str, str]:
    """`merged_from`: the duplicate's code that led here; `moved_to`: the code of the place it has moved to."""
    code, known = found.properties["code"], {}
    came_by = codes.normalise(request.query_params.get("from", ""))
    # Whatever an address says: only what the register says is repeated.
    if came_by and known_code(connection, came_by) == ("merged", code):
        known["merged_from"] = came_by
    if found.properties["operating_status"] == "moved":
        successor = known_code(connection, code)[1]
        if successor:
            known["moved_to"] = successor
    return known


def _elsewhere(connection: Connection, code: str, ending: str, **query: str) -> Response:
    """On to the place that a duplicate was merged into. Raises Problem for a code that leads nowhere."""
    state, successor = known_code(connection, code)
    if state == "merged" and successor:
        location = _path(successor, ending, **query, **{"from": code})
        # A merge can be undone: nobody may remember this for ever.
        return RedirectResponse(location, 308, {"Cache-Control": "no-cache"})
    raise Problem("ended_code" if state in ("ended", "merged") else "unknown_code", value=codes.display(code))


def _no_place(
    request: Request, connection: Connection, settings: HttpSettings, code: str, canonical: str | None, lang: str
) -> Response:
    """The page for a code that leads to no place, or the way to the place that it was a duplicate of."""
    reason, status, typed = "mistyped", 404, code
    if canonical is not None:
        try:
            return _elsewhere(connection, canonical, "", lang=lang)
        except Problem as problem:
            status, typed = problem.status, codes.display(canonical)
            reason = "ended" if problem.code == "ended_code" else "not_issued"
    links = _links(settings, f"/q/{quote(code, safe='')}", lang)
    page = lookup.missing_page(reason, typed, find_ward(connection, settings.ward), links, lang)
    return _page(request, page, lang, status=status)


def _typed_well(canonical: str | None, typed: str) -> str:
    """The code in its one spelling. Raises Problem for a slip, which the check character shows."""
    if canonical is None:
        raise Problem("mistyped_code", value=typed)
    return canonical


def _lang(request: Request) -> str:
    """Vietnamese unless English is asked for: a scanner app's Accept headers say nothing about its owner."""
    return "en" if request.query_params.get("lang") == "en" else "vi"


def _address(settings: HttpSettings, code: str) -> str:
    return f"{settings.lookup_base}/q/{code}"


def _path(code: str, ending: str = "", **query: str) -> str:
    kept = {name: value for name, value in query.items() if (name, value) != ("lang", "vi")}
    return f"/q/{quote(code, safe='')}{ending}" + (f"?{urlencode(kept)}" if kept else "")


def _redirect(request: Request, canonical: str, ending: str) -> Response:
    """To the one spelling of an address. Not kept by caches for ever: a person's slip should not outlive our rules."""
    location = _path(canonical, ending) + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(location, 308, {"Cache-Control": "no-cache"})


def _links(settings: HttpSettings, path: str, lang: str, **map_query: str) -> lookup.Links:
    language = {"lang": "en"} if lang == "en" else {}
    query = urlencode({**map_query, **language})
    return lookup.Links(
        page=f"{settings.lookup_base}{path}",
        other_language=path if lang == "en" else f"{path}?lang=en",
        map=f"/?{query}" if query else "/",
        form="/q",
    )


def _page(request: Request, page: str, lang: str, status: int = 200) -> Response:
    """The page, which needs nothing but its own style: the policy allows that one style and pictures of ours."""
    policy = (
        f"default-src 'none'; style-src {lookup.style_hash()}; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    )
    headers = {"Content-Language": lang, "Content-Security-Policy": policy}
    return reply(request, page.encode(), HTML, headers=headers, status=status)
