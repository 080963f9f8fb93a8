"""The staff's list of establishments: rows, filters with counts, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web import labels
from web.render import format_date, local
from web.sectors import family_of

CODE_LISTS: Mapping[str, str] = {
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
OPEN_AT_FIRST = ("sector_group", "operating_status", "licence_status")
ADDRESS = "/staff/establishments"


@dataclass(frozen=True)
class Option:
    """One value of a filter, with how many places choosing it would leave."""

    value: str
    words: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Facet:
    """One filter. A long one is a drop-down list."""

    name: str
    title: str
    options: Sequence[Option]
    chosen: int
    opened: bool
    long: bool


@dataclass(frozen=True)
class Row:
    """One establishment in the list."""

    code: str
    name: str
    href: str
    address: str
    family: str
    group: str
    status: str
    licence: str
    food: str
    payment: str
    verified: str
    updated: str
    stale: str
    warned: bool
    illustrative: bool


def facets(
    counts: Mapping[str, Mapping[str, int]],
    chosen: Mapping[str, Sequence[str]],
    names: Mapping[str, Mapping[str, str]],
    lang: str,
) -> list[Facet]:
    """The filters, each with the values that would leave something. `names` words what no code list does."""
    found = []
    for name, by_value in counts.items():
        words = _words(name, names, lang)
        picked = chosen.get(name, ())
        values = [value for value in words if by_value.get(value) or value in picked]
        values += [value for value in picked if value not in words]
        options = [Option(value, words.get(value, value), by_value.get(value, 0), value in picked) for value in values]
        long = name == "residential_group"
        if options:
            opened = bool(picked) or name in OPEN_AT_FIRST
            found.append(Facet(name, labels.text(f"register.filters.{name}", lang), options, len(picked), opened, long))
    return found


def rows(places: Sequence[Mapping[str, Any]], lang: str) -> list[Row]:
    """The list's rows in words."""
    return [_row(place, lang) for place in places]


def chosen_words(
    chosen: Mapping[str, Sequence[str]], names: Mapping[str, Mapping[str, str]], q: str | None, lang: str
) -> list[tuple[str, str]]:
    """What narrows the list, for people: (filter, values)."""
    said = [(labels.text("register.list.find", lang), f"“{q}”")] if q else []
    for name, values in chosen.items():
        words = _words(name, names, lang)
        said.append(
            (labels.text(f"register.filters.{name}", lang), ", ".join(words.get(value, value) for value in values))
        )
    return said


def _words(name: str, names: Mapping[str, Mapping[str, str]], lang: str) -> Mapping[str, str]:
    if name in names:
        return names[name]
    if name in CODE_LISTS:
        return labels.code_list(CODE_LISTS[name], lang)
    if name == "position_quality":
        return labels.table("register.position_quality", lang)
    return {"true": labels.text("register.yes", lang), "false": labels.text("register.no", lang)}


def _row(place: Mapping[str, Any], lang: str) -> Row:
    methods = place["payment_methods"]
    if methods:
        payment = ", ".join(labels.code_label("payment_method", method, lang) for method in methods)
    elif place["accepts_cashless"] == "no":
        payment = labels.code_label("payment_method", "cash_only", lang)
    else:
        payment = labels.text("register.unknown", lang)
    stale = place["stale"]
    return Row(
        code=place["code"],
        name=place["name"] or labels.text("register.nameless", lang),
        href=local(lang, f"{ADDRESS}/{place['code']}"),
        address=_address(place, lang),
        family=family_of(place["sector_group"]).code,
        group=labels.code_label("sector_group", place["sector_group"], lang),
        status=labels.code_label("operating_status", place["operating_status"], lang),
        licence=_until("licence_status", place["licence_status"], place["licence_valid_until"], lang),
        food=_until("food_safety_status", place["food_safety_status"], place["food_safety_valid_until"], lang),
        payment=payment,
        verified=format_date(place["verified_on"]) if place["verified_on"] else labels.text("register.unknown", lang),
        updated=format_date(place["updated_at"]),
        stale=", ".join(labels.code_label("freshness_fact", fact, lang) for fact in stale),
        warned=place["live_warning"],
        illustrative=place["illustrative"],
    )


def _address(place: Mapping[str, Any], lang: str) -> str:
    address = place["address"] or labels.text("place.no_address", lang)
    return f"{address} · {place['stall']}" if place["stall"] else str(address)


def _until(code_list: str, status: str, until: Any, lang: str) -> str:
    words = labels.code_label(code_list, status, lang)
    if not until:
        return words
    key = "since" if status in ("expired", "missing") else "until"
    return f"{words} {labels.text(f'register.list.{key}', lang, date=format_date(until))}"
