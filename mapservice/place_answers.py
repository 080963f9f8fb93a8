"""A place as it is answered to people scanning: the page of its look-up code, and the same as data."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from layers.lookup import FoundPlace, known_code
from mapservice.responses import Answer, json_bytes
from mapservice.settings import HttpSettings
from postgis import codes
from web import lookup

HTML = "text/html; charset=utf-8"


def place_page(settings: HttpSettings, found: FoundPlace, known: Mapping[str, str], lang: str) -> Answer:
    """The page of a place; `known`: as `relations` says."""
    code = found.properties["code"]
    page = lookup.place_page(
        {**found.properties, "closed_on": found.closed_on},
        found.warnings,
        found.ward,
        page_links(settings, f"/q/{code}", lang, place=code),
        lang,
        replies=found.replies,
        merged_from=codes.display(known["merged_from"]) if "merged_from" in known else None,
        moved_to=path_of(known["moved_to"], lang=lang) if "moved_to" in known else None,
    )
    return page_answer(page, lang)


def place_data(settings: HttpSettings, found: FoundPlace, known: Mapping[str, str]) -> Answer:
    """The properties of the establishments collection, with `warnings`, `replies`, `geometry` and `url`."""
    document = {
        **found.properties,
        "warnings": found.warnings,
        "replies": found.replies,
        "geometry": {"type": "Point", "coordinates": found.position},
        "url": address_of(settings, found.properties["code"]),
        **known,
    }
    return Answer(json_bytes(document), "application/json")


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


def page_links(settings: HttpSettings, path: str, lang: str, **map_query: str) -> lookup.Links:
    """Where a page of the look-up leads on to."""
    language = {"lang": "en"} if lang == "en" else {}
    query = urlencode({**map_query, **language})
    return lookup.Links(
        page=f"{settings.lookup_base}{path}",
        other_language=path if lang == "en" else f"{path}?lang=en",
        map=f"/?{query}" if query else "/",
        form="/q",
    )


def address_of(settings: HttpSettings, code: str) -> str:
    """The address of a place's page as stickers carry it."""
    return f"{settings.lookup_base}/q/{code}"


def path_of(code: str, ending: str = "", **query: str) -> str:
    """The path of what belongs to a code; Vietnamese is not said."""
    kept = {name: value for name, value in query.items() if (name, value) != ("lang", "vi")}
    return f"/q/{quote(code, safe='')}{ending}" + (f"?{urlencode(kept)}" if kept else "")
