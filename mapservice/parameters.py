"""Query parameters in, checked values out. Every refusal names the parameter and says how to write it."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from starlette.datastructures import QueryParams

from layers import cql2
from layers.adoption import may_be_told
from layers.collections import Collection, Field
from layers.cql2 import Filter
from layers.crs import CRS84, NAMES, Box, Crs, Ring, box_to_crs84
from layers.crs import find as find_crs
from layers.errors import InvalidFilter
from layers.filters import is_of_type, read
from layers.keyset import decode_cursor
from layers.query import DEFAULT_LIMIT, MAX_LIMIT, FeatureQuery, Interval, SortKey
from mapservice.errors import Problem
from mapservice.language import LANGUAGES
from postgis.store.record_values import EARLIEST
from postgis.today import read_day, today
from postgis.vocabulary import CODE_LISTS

COMMON = ("f", "lang")
FILTER = ("filter", "filter-lang", "filter-crs")
ITEM_NAMES = ("crs", "properties")
"""The parameters of one feature: how it is shown."""
PAGING = ("limit", "cursor", "offset")
MAX_TEXT = 200
"""Characters of `q`: longer than any name in the register."""
MAX_VALUES = 50
MAX_SORT_KEYS = 5
MAX_OFFSET = 1_000_000
CRS84_BOUNDS = (-180.0, -90.0, 180.0, 90.0)
_DIGITS = re.compile(r"[0-9]{1,18}")
_NOTHING_ASKED = FeatureQuery()


def check_known(params: QueryParams, allowed: Iterable[str]) -> None:
    """Refuses parameters that mean nothing here, and ones given twice (OGC API Features, 7.15.8)."""
    known = {*allowed, *COMMON}
    for name in params:
        if name not in known:
            raise Problem("unknown_parameter", pointer=name, name=name, known=", ".join(sorted(known)))
        if len(params.getlist(name)) > 1:
            raise Problem("repeated_parameter", pointer=name, name=name)
    if params.get("lang", "vi") not in LANGUAGES:
        raise Problem("invalid_language", pointer="lang", value=params["lang"])


def filter_names(collection: Collection) -> tuple[str, ...]:
    """The parameters that choose features, the same for items and tiles."""
    search = ("q",) if collection.searchable else ()
    return (*search, "datetime", *FILTER, *collection.field_by_name)


def item_names(collection: Collection) -> tuple[str, ...]:
    """All parameters of a collection's items."""
    return ("bbox", "bbox-crs", "crs", *filter_names(collection), "sortby", "properties", *PAGING)


def one_item_names(collection: Collection) -> tuple[str, ...]:
    """All parameters of one feature; of records with a history also the day."""
    asked = tuple(field.name for field in collection.asked)
    return (*ITEM_NAMES, "as_of") if collection.versioned else (*ITEM_NAMES, *asked)


def feature_query(collection: Collection, params: QueryParams, ward: str | None = None) -> FeatureQuery:
    """The query of an items request or of the map page. Unknown names are the caller's to refuse. `ward`: as in
    `asked_values`.
    """
    box, outline = bounding_box(params["bbox"], crs(params, "bbox-crs")) if params.get("bbox") else (None, None)
    given = params.keys()
    return FeatureQuery(
        q=text_search(params) if collection.searchable else None,
        bbox=box,
        bbox_outline=outline,
        crs=crs(params, "crs"),
        filter=expression_filter(collection, params),
        interval=interval(params["datetime"]) if params.get("datetime") else None,
        equals={
            name: values(field, params[name])
            for name, field in collection.field_by_name.items()
            if name in given and params[name] and not field.asked
        },
        asked=asked_values(collection, params, ward),
        limit=min(whole_number(params, "limit", DEFAULT_LIMIT, least=1), MAX_LIMIT),
        offset=whole_number(params, "offset", 0, most=MAX_OFFSET),
        cursor=decode_cursor(params["cursor"]) if params.get("cursor") else None,
        sortby=sort_keys(collection, params.get("sortby", "")),
        properties=shown_properties(collection, params.get("properties")),
    )


def item_query(collection: Collection, params: QueryParams, ward: str | None = None) -> FeatureQuery:
    """How one feature is to be shown. `ward`: as in `asked_values`."""
    shown = shown_properties(collection, params.get("properties"))
    return FeatureQuery(crs=crs(params, "crs"), properties=shown, asked=asked_values(collection, params, ward))


def asked_values(collection: Collection, params: QueryParams, ward: str | None = None) -> dict[str, Any]:
    """What a computed collection is to be computed for: `ward` where none is named, and a day that is over, or today.
    Everybody is answered for today and the ends of months.
    """
    found: dict[str, Any] = {"ward": ward} if collection.computed else {}
    for field in collection.asked:
        if params.get(field.name):
            day = past_day(params) if field.name == "as_of" else None
            found[field.name] = day or read(field.type, values(field, params[field.name])[0])
            if day is not None and collection.seen_by == "public" and not may_be_told(day):
                raise Problem("as_of_not_told", pointer="as_of", value=params["as_of"])
    return found


def sort_keys(collection: Collection, text: str) -> tuple[SortKey, ...]:
    """`sortby`: properties from small to large, with `-` from large to small. A plus sign is a space in an address."""
    found = []
    for part in text.split(",") if text.strip() else ():
        name = part.strip()
        key = SortKey(name.lstrip("+-"), descending=name.startswith("-"))
        if key.name not in collection.sortable or len(name) - len(key.name) > 1:
            known = ", ".join(collection.sortable)
            raise Problem("unknown_property", pointer="sortby", name="sortby", value=key.name, known=known)
        found.append(key)
    if len(found) > MAX_SORT_KEYS or len({key.name for key in found}) < len(found):
        raise Problem("invalid_sortby", pointer="sortby", value=text, most=MAX_SORT_KEYS)
    return tuple(found)


def shown_properties(collection: Collection, text: str | None) -> tuple[str, ...] | None:
    """`properties`: those that are told, in the registry's order, with what they are never told without; None for all,
    nothing for none."""
    if text is None:
        return None
    asked = {part.strip() for part in text.split(",")} - {""}
    known = [field.name for field in collection.fields]
    for name in asked:
        if name not in known:
            raise Problem(
                "unknown_property", pointer="properties", name="properties", value=name, known=", ".join(known)
            )
    asked |= {field.beside for field in collection.fields if field.beside and field.name in asked}
    return tuple(name for name in known if name in asked)


def tile_query(collection: Collection, params: QueryParams, ward: str | None = None) -> FeatureQuery:
    """The filters of a tile request: the same as for items, without bbox and paging."""
    if not params and not collection.computed:
        return _NOTHING_ASKED
    check_known(params, filter_names(collection))
    return feature_query(collection, params, ward)


def expression_filter(collection: Collection, params: QueryParams) -> Filter | None:
    """`filter` in the language of `filter-lang`, its coordinates in `filter-crs`; None when there is none."""
    language, system = params.get("filter-lang", cql2.LANGUAGES[0]), crs(params, "filter-crs")
    if language not in cql2.LANGUAGES:
        known = ", ".join(cql2.LANGUAGES)
        raise Problem("invalid_filter_lang", pointer="filter-lang", value=language, known=known)
    text = params.get("filter", "")
    if not text.strip():
        return None
    try:
        return cql2.read(collection, text, language, system)
    except InvalidFilter as error:
        raise Problem(error.code, pointer="filter", **error.values) from None


def text_search(params: QueryParams) -> str | None:
    """`q`, or None when there is nothing to look for."""
    text = params.get("q", "").strip()
    if not text:
        return None
    if "\x00" in text or "\ufffd" in text:
        raise Problem("invalid_text", pointer="q", name="q")
    if len(text) > MAX_TEXT:
        raise Problem("text_too_long", pointer="q", name="q", most=MAX_TEXT)
    return text


def crs(params: QueryParams, name: str) -> Crs:
    """The CRS that a parameter names by its URI; longitude, latitude in WGS 84 when it is not given."""
    found = find_crs(params[name]) if params.get(name) else CRS84
    if found is None:
        raise Problem("unknown_crs", pointer=name, name=name, value=params[name], known=", ".join(NAMES))
    return found


def bounding_box(text: str, crs: Crs = CRS84) -> tuple[Box, Ring | None]:
    """`bbox`, axes in the order of the CRS, as west, south, east, north in degrees (CRS84), and as its outline there if
    that is no box. The heights of six numbers are set aside."""
    problem = Problem("invalid_bbox", pointer="bbox", value=text)
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise problem from None
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise problem
    if crs.projected and (numbers[0] > numbers[2] or numbers[1] > numbers[3]):
        raise problem
    try:
        box, outline = box_to_crs84(crs, (numbers[0], numbers[1], numbers[2], numbers[3]))
    except ValueError:
        raise problem from None
    west, south, east, north = box
    least_x, least_y, most_x, most_y = CRS84_BOUNDS
    if south > north or not (
        least_x <= west <= most_x and least_x <= east <= most_x and least_y <= south and north <= most_y
    ):
        raise problem
    return box, outline


def interval(text: str) -> Interval:
    """`datetime`: a day or instant, or an interval `start/end` where `..` or nothing is open (RFC 3339)."""
    parts = text.split("/")
    if len(parts) > 2:
        raise Problem("invalid_datetime", pointer="datetime", value=text)
    days = [None if len(parts) == 2 and part in ("", "..") else _day(part, text) for part in parts]
    start, end = days[0], days[-1]
    if start and end and start > end:
        raise Problem("invalid_datetime", pointer="datetime", value=text)
    return Interval(start, end)


def _day(part: str, text: str) -> date:
    try:
        return date.fromisoformat(part) if len(part) == 10 else datetime.fromisoformat(part).date()
    except ValueError:
        raise Problem("invalid_datetime", pointer="datetime", value=text) from None


def past_day(params: Mapping[str, str]) -> date | None:
    """`as_of`: today or a day before it, since the register can have been filled; None where it is not given."""
    text = params.get("as_of")
    if not text:
        return None
    try:
        return day_gone_by(text)
    except ValueError:
        raise Problem("invalid_as_of", pointer="as_of", value=text) from None


def day_gone_by(text: str) -> date:
    """Today or a day before it that the register can know of, written 2026-12-31. Raises ValueError."""
    day = read_day(text)
    if not EARLIEST <= day <= today():
        raise ValueError(text)
    return day


def values(field: Field, text: str) -> tuple[str, ...]:
    """The values of a property, any of which may hold: checked against its type and code list.

    Codes are separated by commas; of a name or a number there is one, which is the whole text.
    """
    found = tuple(part.strip() for part in text.split(",")) if field.filterable else (text,)
    if "\x00" in text or "\ufffd" in text:
        raise Problem("invalid_text", pointer=field.name, name=field.name)
    if len(found) > MAX_VALUES:
        raise Problem("invalid_value", pointer=field.name, name=field.name, value=text)
    allowed = ("true", "false") if field.type == "boolean" else CODE_LISTS.get(field.code_list or "")
    for value in found:
        known = is_of_type(field.type, value) and (allowed is None or value in allowed)
        if not known or (field.within is not None and not field.within[0] <= int(value) <= field.within[1]):
            raise Problem("invalid_value", pointer=field.name, name=field.name, value=value)
    return found


def whole_number(params: QueryParams, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    """A whole number of the address, or the default when the parameter is not there."""
    text = params.get(name)
    if text is None:
        return default
    number = int(text) if _DIGITS.fullmatch(text) else -1
    if number < least or (most is not None and number > most):
        raise Problem(f"invalid_{name}", pointer=name, value=text, least=least)
    return number


def tile_number(text: str) -> int:
    """A tile's matrix, row or column."""
    if not _DIGITS.fullmatch(text):
        raise Problem("invalid_tile", value=text)
    return int(text)
