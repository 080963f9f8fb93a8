"""/q/{code}: the public look-up page of a place, its data and its QR code; /q: the form for typing a code.

A page is never a dead end: whatever stands behind /q/ is answered with a page that helps, in the language asked for.
"""

from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from layers.lookup import FoundPlace, find_establishment, find_ward
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
    if canonical is None or found is None:
        raise Problem("unknown_code" if canonical else "mistyped_code", value=code)
    return reply(request, json_bytes(_document(found, _address(settings, canonical))), "application/json")


@router.get("/q/{code}.svg", summary="The QR code of a place's page, as SVG", response_class=Response)
def qr_svg(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """Error level Q, quiet zone included."""
    canonical = codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, ".svg")
    address = _address(settings, _known(connection, canonical, code))
    return reply(request, qr.svg(address, address).encode(), "image/svg+xml")


@router.get("/q/{code}.png", summary="The QR code of a place's page, as PNG", response_class=Response)
def qr_png(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """Error level Q, quiet zone included."""
    canonical = codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, ".png")
    return reply(request, qr.png(_address(settings, _known(connection, canonical, code)), PNG_BOX), "image/png")


@router.get("/q/{code}", summary="The look-up page of a place", response_class=Response)
def place(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """One page of a few kilobytes, without script; what a sticker's QR code opens."""
    lang, canonical = _lang(request), codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, "")
    found = find_establishment(connection, canonical) if canonical else None
    if canonical is None or found is None:
        reason, typed = ("not_issued", codes.display(canonical)) if canonical else ("mistyped", code)
        links = _links(settings, f"/q/{quote(code, safe='')}", lang)
        ward = find_ward(connection, settings.ward)
        return _page(request, lookup.missing_page(reason, typed, ward, links, lang), lang, status=404)
    page = lookup.place_page(
        {**found.properties, "closed_on": found.closed_on},
        found.warnings,
        found.ward,
        _links(settings, f"/q/{canonical}", lang, place=canonical),
        lang,
    )
    return _page(request, page, lang)


def _document(found: FoundPlace, address: str) -> dict[str, Any]:
    return {
        **found.properties,
        "warnings": found.warnings,
        "geometry": {"type": "Point", "coordinates": found.position},
        "url": address,
    }


def _known(connection: Connection, canonical: str | None, typed: str) -> str:
    """The code, when it leads to a place: no QR code is drawn that would lead nowhere. Raises Problem."""
    if canonical is None:
        raise Problem("mistyped_code", value=typed)
    if find_establishment(connection, canonical) is None:
        raise Problem("unknown_code", value=codes.display(canonical))
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
