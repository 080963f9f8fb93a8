"""/q/{code}: the public look-up page of a place, its data and its QR code; /q: the form for typing a code.

A page is never a dead end: whatever stands behind /q/ is answered with a page that helps, in the language asked for.
"""

from time import time
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from layers.lookup import find_establishment, find_ward, known_code, only_place
from layers.signing_keys import is_current, key_set
from mapservice.dependencies import ReadConnection, Settings, database
from mapservice.errors import Problem
from mapservice.place_answers import (
    address_of,
    document_of,
    page_answer,
    page_links,
    path_of,
    place_data,
    place_page,
    relations,
)
from mapservice.responses import json_bytes, reply, send
from mapservice.scanned import false_sticker, scanned_sticker, words_of
from mapservice.settings import HttpSettings
from mapservice.signing import current_key
from postgis import codes
from web import lookup_missing, qr

router = APIRouter(tags=["Look-up"])

_REASONS = {"ended_code": "ended", "unused_code": "unused", "unknown_code": "not_issued"}
"""By problem, why there is no page."""

PNG_BOX = 12
"""Pixels for each module: about 540 for the whole symbol, sharp on a phone and good for a print of 5 cm."""


@router.get("/q", summary="Form for typing a look-up code", response_class=Response)
def ask(request: Request, connection: ReadConnection, settings: Settings) -> Response:
    """With `code`, leads on to its page; without, asks for it."""
    lang, typed = _lang(request), request.query_params.get("code", "").strip()
    if typed:
        return RedirectResponse(path_of(codes.normalise(typed) or typed, lang=lang), 303)
    page = lookup_missing.ask_page(find_ward(connection, settings.ward), page_links(settings, "/q", lang), lang)
    return send(request, page_answer(page, lang))


@router.get("/q/{code}.json", summary="A place as data", response_class=Response)
def place_json(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """The properties of the establishments collection, with `warnings`, `replies`, `geometry` and `url`."""
    canonical = codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, ".json")
    found = find_establishment(connection, canonical) if canonical else None
    if canonical is None:
        raise Problem("mistyped_code", value=code)
    if found is None:
        return _elsewhere(connection, canonical, ".json")
    return send(request, place_data(settings, found, relations(connection, found, request.query_params.get("from"))))


@router.get("/q/{code}.jws", summary="A place as a signed record", response_class=Response)
def place_signed(request: Request, code: str, connection: ReadConnection, settings: Settings) -> Response:
    """The data with `iss` and `iat`, signed (JWS in compact form, EdDSA); /.well-known/jwks.json has the keys."""
    canonical = codes.normalise(code)
    if canonical and canonical != code:
        return _redirect(request, canonical, ".jws")
    found = find_establishment(connection, _typed_well(canonical, code))
    if found is None:
        return _elsewhere(connection, code, ".jws")
    key = current_key(database(request).settings.data_dir)
    if key is None or not is_current(connection, key.kid):
        raise Problem("not_signed")
    record = document_of(settings, found, relations(connection, found, None))
    payload = json_bytes({**record, "iss": settings.lookup_base, "iat": int(time())})
    # Each is of its own moment: nothing to keep.
    return reply(request, key.sign(payload).encode(), "application/jose", cache="no-store")


@router.get("/.well-known/jwks.json", summary="Public keys of signed records", response_class=Response)
def public_keys(request: Request, connection: ReadConnection) -> Response:
    """A JSON Web Key Set: every key that records were ever signed with."""
    return reply(request, json_bytes(key_set(connection)), "application/jwk-set+json")


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
        marked = scanned is not None and scanned.verdict == "unlisted"
        return _no_place(request, connection, settings, code, canonical, lang, marked=marked)
    return send(request, place_page(settings, found, known, lang, words_of(request, scanned, lang)))


def _elsewhere(connection: Connection, code: str, ending: str, **query: str) -> Response:
    """On to the place that a duplicate was merged into. Raises Problem for a code that leads nowhere."""
    state, successor = known_code(connection, code)
    if state == "merged" and successor:
        location = path_of(successor, ending, **query, **{"from": code})
        # A merge can be undone: nobody may remember this for ever.
        return RedirectResponse(location, 308, {"Cache-Control": "no-cache"})
    reason = {"ended": "ended_code", "merged": "ended_code", "unused": "unused_code"}.get(state or "", "unknown_code")
    raise Problem(reason, value=codes.display(code))


def _no_place(
    request: Request,
    connection: Connection,
    settings: HttpSettings,
    code: str,
    canonical: str | None,
    lang: str,
    *,
    marked: bool,
) -> Response:
    """The page for a code that leads to no place, or the way to the place that it was a duplicate of. `marked`: it was
    scanned from a sticker that bears the ward's mark.
    """
    reason, status, typed = "mistyped", 404, code
    if canonical is not None:
        try:
            came_with = {"t": token} if (token := request.query_params.get("t")) else {}
            return _elsewhere(connection, canonical, "", lang=lang, **came_with)
        except Problem as problem:
            status, typed = problem.status, codes.display(canonical)
            reason = _REASONS[problem.code]
            # Nobody is accused of what the ward itself has printed: the register was put back to before.
            reason = "not_listed" if marked and reason == "not_issued" else reason
    links = page_links(settings, f"/q/{quote(code, safe='')}", lang)
    ward = find_ward(connection, settings.ward)
    meant = _meant(connection, code, ward, lang) if canonical is None else None
    page = lookup_missing.missing_page(reason, typed, ward, links, lang, meant)
    return send(request, page_answer(page, lang, status))


def _meant(
    connection: Connection, typed: str, ward: dict[str, Any] | None, lang: str
) -> lookup_missing.Suggestion | None:
    """The one place that a mistyped code may have been meant for: somebody is asked, never led on."""
    candidates = codes.one_slip_away(typed)
    found = only_place(connection, candidates) if candidates else None
    return None if found is None else lookup_missing.suggestion(found, path_of(found["code"], lang=lang), ward, lang)


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
