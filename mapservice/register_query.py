"""The list's address in, a checked query out; used by the list, its export and its saved views."""

from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy import Connection
from starlette.datastructures import QueryParams

from layers.register import FILTERS, SORTS, RegisterQuery
from mapservice.errors import Problem
from mapservice.parameters import MAX_VALUES, text_search
from mapservice.routes.staff.personal import secrets_of
from postgis import identifiers
from postgis.store import personal_data
from postgis.vocabulary import CODE_LISTS

UNSEARCHED_SORT = "updated"
"""The order of a list in which nothing is looked for."""
NAMES = ("q", *FILTERS, "sort", "cursor", "ended", "entity")
_LISTS = {
    "sector_group": "sector_group",
    "operating_status": "operating_status",
    "licence_status": "licence_status",
    "food_safety_status": "food_safety_status",
    "accepts_cashless": "yes_no_unknown",
    "payment_methods": "payment_method",
    "source": "source",
    "stale": "freshness_fact",
    "missing": "required_field",
}
_OTHERS = {
    "position_quality": ("good", "poor", "unknown", "generated"),
    "live_warning": ("true", "false"),
    "illustrative": ("true", "false"),
}
_LEAST_DIGITS = 8
NOBODY = "none"
"""Stands in the address where a number belongs to no legal entity."""


def chosen_values(params: QueryParams) -> dict[str, tuple[str, ...]]:
    """The filters of an address. A form sends each ticked box by itself, an address of ours joins them by commas."""
    found = {}
    for name in FILTERS:
        split = [value.strip() for text in params.getlist(name) for value in text.split(",")]
        values = tuple(dict.fromkeys(value for value in split if value))
        if values:
            found[name] = values
    return found


def register_query(params: QueryParams, request: Request, connection: Connection, *, limit: int = 50) -> RegisterQuery:
    """The query of the list's address. Raises Problem for what cannot be read."""
    chosen = chosen_values(params)
    for name, values in chosen.items():
        allowed = CODE_LISTS[_LISTS[name]] if name in _LISTS else _OTHERS.get(name)
        for value in values:
            if (allowed is not None and value not in allowed) or "\x00" in value or "\ufffd" in value:
                raise Problem("invalid_value", pointer=name, name=name, value=value)
        if len(values) > MAX_VALUES:
            raise Problem("invalid_value", pointer=name, name=name, value=",".join(values))
    sort = params.get("sort") or None
    if sort is not None and sort not in SORTS:
        raise Problem("invalid_value", pointer="sort", name="sort", value=sort)
    q = text_search(params)
    return RegisterQuery(
        q=q,
        equals=chosen,
        entities=_entities(request, connection, q),
        of_entities=tuple(params["entity"].split(",")[:MAX_VALUES]) if params.get("entity") else None,
        ended=params.get("ended") == "true",
        sort=sort,
        cursor=params.get("cursor") or None,
        limit=limit,
    )


def find_query(request: Request, connection: Connection, params: QueryParams) -> str:
    """The list's query for what was typed, in its one spelling.

    A person's number becomes the legal entities that have it: addresses are kept by browsers, and no number of a
    person's may stand in one.
    """
    kept = QueryParams([(name, value) for name, value in params.multi_items() if name != "entity"])
    typed = kept.get("q", "").strip()
    if typed and not kept.get("was_q", "") and kept.get("sort") == UNSEARCHED_SORT:
        # The order that the page had before anything was looked for: what is found goes by likeness.
        kept = QueryParams([(name, value) for name, value in kept.multi_items() if name != "sort"])
    if identifiers.candidates(typed):
        found = personal_data.find_by_identifier(connection, secrets_of(request), typed)
        kept = QueryParams([(name, value) for name, value in kept.multi_items() if name != "q"])
        kept = QueryParams([*kept.multi_items(), ("entity", ",".join(found) or NOBODY)])
    return kept_query(kept)


def kept_query(params: QueryParams) -> str:
    """The list's query in its one spelling, without the page: what a saved view keeps."""
    kept = {"q": params.get("q", "").strip(), **{name: ",".join(each) for name, each in chosen_values(params).items()}}
    kept |= {name: params.get(name, "") for name in ("sort", "ended", "entity")}
    return urlencode({name: value for name, value in kept.items() if value}, safe=",")


def _entities(request: Request, connection: Connection, q: str | None) -> tuple[str, ...]:
    """Legal entities that the text names by a number."""
    if q is None or sum(letter.isdigit() for letter in q) < _LEAST_DIGITS:
        return ()
    return tuple(personal_data.find_by_identifier(connection, secrets_of(request), q))
