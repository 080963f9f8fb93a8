"""/q/{code}: the public look-up page of a place, its data and its QR code; /q: the form for typing a code.

A page is never a dead end: whatever stands behind /q/ is answered with a page that helps, in the language asked for.
"""

from urllib.parse import quote

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from layers.lookup import find_establishment, find_ward, known_code
from mapservice.dependencies import ReadConnection, Settings
from mapservice.errors import Problem
from mapservice.place_answers import address_of, page_answer, page_links, path_of, place_data, place_page, relations
from mapservice.responses import reply, send
from mapservice.scanned import false_sticker, scanned_sticker, words_of
from mapservice.settings import HttpSettings
from postgis import codes
from web import lookup, qr

router = APIRouter(tags=["Look-up"])

PNG_BOX = 12
"""Pixels for each module: about 540 for the whole symbol, sharp on a phone and good for a print of 5 cm."""


@router.get("/q", summary="Form for typing a look-up code", response_class=Response)
def ask(request: Request, connection: ReadConnection, settings: Settings) -> Response:
    """With `code`, leads on to its page; without, asks for it."""
    lang, typed = _lang(request), request.query_params.get("code", "").strip()
    if typed:
        return RedirectResponse(path_of(codes.normalise(typed) or typed, lang=lang), 303)
    page = lookup.ask_page(find_ward(connection, settings.ward), page_links(settings, "/q", lang), lang)
    return send(request, page_answer(page, lang))


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
    return send(request, place_data(settings, found, relations(connection, found, request.query_params.get("from"))))


@router.get("/q/{code}.svg", summary="The QR code of a place's page, as SVG", response_class=Response)
def qr_svg(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """Error level Q, quiet zone included."""
    canonical = codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, ".svg")
    if find_establishment(connection, _typed_well(canonical, code)) is None:
        return _elsewhere(connection, _typed_well(canonical, code), ".svg")
    address = address_of(settings, code)
    return reply(request, qr.svg(address, address).encode(), "image/svg+xml")


@router.get("/q/{code}.png", summary="The QR code of a place's page, as PNG", response_class=Response)
def qr_png(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """Error level Q, quiet zone included."""
    canonical = codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, ".png")
    if find_establishment(connection, _typed_well(canonical, code)) is None:
        return _elsewhere(connection, _typed_well(canonical, code), ".png")
    return reply(request, qr.png(address_of(settings, code), PNG_BOX), "image/png")


@router.get("/q/{code}", summary="The look-up page of a place", response_class=Response)
def place(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """One page of a few kilobytes, without script; what a sticker's QR code opens, with `t` its serial and mark."""
    lang, canonical = _lang(request), codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, "")
    found = find_establishment(connection, canonical) if canonical else None
    known = relations(connection, found, request.query_params.get("from")) if found else {}
    # A sticker of a duplicate carries the duplicate's code, and leads on with it.
    scanned = scanned_sticker(request, connection, known.get("merged_from") or canonical or code)
    if scanned is not None and scanned.verdict == "false":
        return false_sticker(request, connection, settings, canonical, lang, is_place=found is not None)
    if canonical is None or found is None:
        return _no_place(request, connection, settings, code, canonical, lang)
    return send(request, place_page(settings, found, known, lang, words_of(request, scanned, lang)))


def _elsewhere(connection: Connection, code: str, ending: str, **query: str) -> Response:
    """On to the place that a duplicate was merged into. Raises Problem for a code that leads nowhere."""
    state, successor = known_code(connection, code)
    if state == "merged" and successor:
        location = path_of(successor, ending, **query, **{"from": code})
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
            came_with = {"t": token} if (token := request.query_params.get("t")) else {}
            return _elsewhere(connection, canonical, "", lang=lang, **came_with)
        except Problem as problem:
            status, typed = problem.status, codes.display(canonical)
            reason = "ended" if problem.code == "ended_code" else "not_issued"
    links = page_links(settings, f"/q/{quote(code, safe='')}", lang)
    page = lookup.missing_page(reason, typed, find_ward(connection, settings.ward), links, lang)
    return send(request, page_answer(page, lang, status))


def _typed_well(canonical: str | None, typed: str) -> str:
    """The code in its one spelling. Raises Problem for a slip, which the check character shows."""
    if canonical is None:
        raise Problem("mistyped_code", value=typed)
    return canonical


def _lang(request: Request) -> str:
    """Vietnamese unless English is asked for: a scanner app's Accept headers say nothing about its owner."""
    return "en" if request.query_params.get("lang") == "en" else "vi"


def _redirect(request: Request, canonical: str, ending: str) -> Response:
    """To the one spelling of an address. Not kept by caches for ever: a person's slip should not outlive our rules."""
    location = path_of(canonical, ending) + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(location, 308, {"Cache-Control": "no-cache"})
