"""A place as it is answered to people scanning: the page of its look-up code, and the same as data."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from layers.lookup import FoundPlace, known_code
from mapservice.responses import Answer, json_bytes
from mapservice.settings import HttpSettings
from postgis import codes
from postgis.store.photos import SMALL
from web import lookup
from web.render import VIETNAM
from web.sticker_words import StickerWords

HTML = "text/html; charset=utf-8"


def place_page(
    settings: HttpSettings,
    found: FoundPlace,
    known: Mapping[str, str],
    lang: str,
    sticker: StickerWords | None = None,
    *,
    saved_at: datetime | None = None,
) -> Answer:
    """The page of a place; `known`: as `relations` says; `sticker`: of the one that was scanned. `saved_at`: from a
    copy, as it was on that day.
    """
    code = found.properties["code"]
    page = lookup.place_page(
        {**found.properties, **found.details, "closed_on": found.closed_on},
        found.warnings,
        found.ward,
        replace(
            page_links(settings, f"/q/{code}", lang, token=sticker.token if sticker else None, place=code),
            photo=photo_path(found),
        ),
        lang,
        saved_at.astimezone(VIETNAM).date() if saved_at else None,
        replies=found.replies,
        merged_from=codes.display(known["merged_from"]) if "merged_from" in known else None,
        moved_to=path_of(known["moved_to"], lang=lang) if "moved_to" in known else None,
        sticker_notice=sticker.notice if sticker else None,
        sticker_serial=sticker.serial if sticker else None,
        # The mark is of the code on the sticker: of a duplicate's it is not this place's.
        sticker_token=sticker.token if sticker and sticker.serial and "merged_from" not in known else None,
        dissolved_ward=found.dissolved_ward,
        saved_at=saved_at,
        ours=found.ward is not None and found.ward["code"] == settings.ward,
    )
    return page_answer(page, lang)


def place_data(
    settings: HttpSettings, found: FoundPlace, known: Mapping[str, str], *, saved_at: datetime | None = None
) -> Answer:
    """The properties of the establishments collection, with what else the page tells: one and the same facts.

    `saved_at` stands in what comes from a copy: newer warnings may be missing.
    """
    return Answer(json_bytes(document_of(settings, found, known, saved_at)), "application/json")


def document_of(
    settings: HttpSettings, found: FoundPlace, known: Mapping[str, str], saved_at: datetime | None = None
) -> dict[str, Any]:
    """What `place_data` answers and what is signed."""
    photo = photo_path(found)
    return {
        **found.properties,
        "closed_on": found.closed_on,
        "warnings": found.warnings,
        "replies": found.replies,
        "last_inspection": found.details["last_inspection"],
        "food_safety_agency": found.details["food_safety_agency"],
        "former_names": found.details["former_names"],
        "photo": photo and f"{settings.lookup_base}{photo}",
        "geometry": {"type": "Point", "coordinates": found.position},
        "url": address_of(settings, found.properties["code"]),
        **known,
        **({"saved_at": saved_at} if saved_at else {}),
    }


def relations(connection: Connection, found: FoundPlace, came_by: str | None) -> dict[str, str]:
    """`merged_from`: the duplicate's code that led here; `moved_to`: the code of the place it has moved to."""
    code, known = found.properties["code"], {}
    duplicate = codes.normalise(came_by or "")
    # Whatever an address says: only what the register says is repeated.
    if duplicate and known_code(connection, duplicate) == ("merged", code):
        known["merged_from"] = duplicate
    if found.properties["operating_status"] == "moved":
        successor = known_code(connection, code)[1]
        if successor:
            known["moved_to"] = successor
    return known


def page_answer(page: str, lang: str, status: int = 200) -> Answer:
    """The page, which needs nothing but its own style: the policy allows that one style and pictures of ours."""
    policy = (
        f"default-src 'none'; style-src {lookup.style_hash()}; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    )
    headers = {"Content-Language": lang, "Content-Security-Policy": policy}
    return Answer(page.encode(), HTML, headers, status=status)


def page_links(
    settings: HttpSettings, path: str, lang: str, *, token: str | None = None, **map_query: str
) -> lookup.Links:
    """Where a page of the look-up leads on to; `token` of a scanned sticker goes along to the other language."""
    language = {"lang": "en"} if lang == "en" else {}
    kept = ({"t": token} if token else {}) | ({} if lang == "en" else {"lang": "en"})
    query = urlencode({**map_query, **language})
    return lookup.Links(
        page=f"{settings.lookup_base}{path}",
        other_language=f"{path}?{urlencode(kept)}" if kept else path,
        map=f"/?{query}" if query else "/",
        form="/q",
    )


def photo_path(found: FoundPlace) -> str | None:
    """Where the small picture of a place's front is."""
    photo = found.details["photo"]
    return f"/photos/{photo['file']}{SMALL}.jpg" if photo else None


def address_of(settings: HttpSettings, code: str) -> str:
    """The address of a place's page as stickers carry it."""
    return f"{settings.lookup_base}/q/{code}"


def path_of(code: str, ending: str = "", **query: str) -> str:
    """The path of what belongs to a code; Vietnamese is not said."""
    kept = {name: value for name, value in query.items() if (name, value) != ("lang", "vi")}
    return f"/q/{quote(code, safe='')}{ending}" + (f"?{urlencode(kept)}" if kept else "")
