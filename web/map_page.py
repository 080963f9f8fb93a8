"""The public map page: search form, list of places, one place, and what the browser's scripts need to know.

The page is whole without JavaScript: the form is plain, the list comes with it, paging is links. `card` decides what a
list says about a place; `static/js/list.js` says the same from the API's answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from web import labels, opening_hours
from web.assets import asset
from web.lookup import inspection_reply, place_name, trade, ward_in_sentence, ward_title
from web.lookup_facts import FAILED, FOOD_SECTORS, dated, facts
from web.render import VIETNAM, local, render
from web.sectors import FAMILIES, family_of

FILTERS: Mapping[str, str] = {
    "sector_group": "sector_group",
    "accepts_cashless": "yes_no_unknown",
    "payment_methods": "payment_method",
    "food_safety_status": "food_safety_status",
}
"""Parameters with check boxes in the form, each with its code list."""

OPEN_STATUSES = ("active", "suspended", "unknown")
"""Shown unless people ask for closed places too: not known to be gone."""

BUSINESS_GROUPS = tuple(group for family in FAMILIES if family.code != "public" for group in family.groups)
"""Shown unless people look for words or choose a group: benches, parks and temples are no business."""

_QUIET_STATUSES = ("active", "unknown")
_LISTS_IN_SCRIPTS = (
    "sector_group", "kind", "payment_method", "food_safety_status", "inspection_result", "operating_status",
)  # fmt: skip

Place = Mapping[str, Any]
"""Public properties of an establishment, named as on the wire, with `lon` and `lat`; an opened one with `replies`."""


@dataclass(frozen=True)
class Search:
    """What the form holds: the words looked for and the codes chosen, by parameter."""

    q: str
    chosen: Mapping[str, tuple[str, ...]]
    bbox: str | None = None

    @property
    def closed_too(self) -> bool:
        """Whether places that are known to be gone are asked for."""
        return "closed" in self.chosen.get("operating_status", ())

    @property
    def filtered(self) -> bool:
        """Whether anything but words narrows the list."""
        return any(self.chosen.values())

    def count(self, *names: str) -> int:
        """How many codes are chosen under some parameters."""
        return sum(len(self.chosen.get(name, ())) for name in names)

    @property
    def asked(self) -> dict[str, str]:
        """The same with what holds unless people say otherwise; `static/js/state.js` has the same rule."""
        usual = {"operating_status": ",".join(OPEN_STATUSES)}
        if not self.q:
            usual["sector_group"] = ",".join(BUSINESS_GROUPS)
        return {**usual, **self.parameters}

    @property
    def parameters(self) -> dict[str, str]:
        """The same as parameters of the page and of the API."""
        found = {name: ",".join(codes) for name, codes in self.chosen.items() if codes}
        return {**({"q": self.q} if self.q else {}), **found, **({"bbox": self.bbox} if self.bbox else {})}


@dataclass(frozen=True)
class Card:
    """One place in a list, in words."""

    code: str
    name: str
    href: str
    family: str
    kind: str
    address: str
    food: str
    warned: bool
    status: str
    illustrative: bool
    lon: float | None
    lat: float | None


@dataclass(frozen=True)
class Listing:
    """A page of the list. `total` is only known for the first page, and an estimate where it says `about`; `problem`
    stands in place of a list.
    """

    places: Sequence[Place]
    total: int | None = None
    next_cursor: str | None = None
    first: bool = True
    problem: str | None = None
    about: bool = False


@dataclass(frozen=True)
class Surroundings:
    """What the page says around the list: the ward with its `bbox`, freshness, and whether invented places exist."""

    ward: Mapping[str, Any] | None
    bbox: Sequence[float] | None
    updated_on: date | datetime | None
    illustrative: bool


def map_page(
    view: str,
    search: Search,
    listing: Listing,
    around: Surroundings,
    lang: str,
    place: Place | None = None,
    missing: bool = False,
) -> str:
    """The page as `map` (map and list) or `list` (the list alone).

    `place` is opened beside the map; `missing` says that a place was asked for which does not exist.
    """
    return render(
        "list.html" if view == "list" else "map.html",
        lang,
        view=view,
        here=local(lang, "/", view=_kept(view), **search.parameters),
        ward_title=ward_title(around.ward, lang),
        updated_on=around.updated_on,
        illustrative=around.illustrative,
        search=search,
        every_status=",".join(labels.code_list("operating_status", lang)),
        listing=listing,
        cards=[card(row, lang, search) for row in listing.places],
        panel=panel(place, lang) if place else None,
        missing=missing,
        next_href=local(lang, "/", view="list", cursor=listing.next_cursor, **search.parameters)
        if listing.next_cursor
        else None,
        script=script_data(around, lang, refused=listing.problem is not None),
    )


def place_page(place: Place | None, around: Surroundings, lang: str) -> str:
    """One place alone: what the map opens beside itself, and a page of its own without JavaScript."""
    code = place["code"] if place else None
    return render(
        "place.html",
        lang,
        here=local(lang, "/", view="place", place=code),
        ward_title=ward_title(around.ward, lang),
        updated_on=around.updated_on,
        panel=panel(place, lang) if place else None,
    )


def about_page(around: Surroundings, sources: Sequence[Mapping[str, Any]], lang: str) -> str:
    """What the map is, what it knows, and its sources: `title`, `licence`, `licence_url`, `attribution` and so on."""
    return render(
        "about.html",
        lang,
        ward_title=ward_title(around.ward, lang),
        ward_in_sentence=ward_in_sentence(around.ward, lang),
        updated_on=around.updated_on,
        illustrative=around.illustrative,
        sources=[_in_language(source, lang) for source in sources],
    )


def card(place: Place, lang: str, search: Search) -> Card:
    """What a list says about a place."""
    status = place.get("operating_status") or "unknown"
    return Card(
        code=place["code"],
        name=place_name(place, lang),
        href=local(lang, "/", place=place["code"], **search.parameters),
        family=family_of(place.get("sector_group")).code,
        kind=f"{_group(place, lang)} · {payment_words(place, lang)}",
        address=place.get("address") or "",
        food=food_words(place, lang),
        warned=bool(place.get("live_warning")),
        status="" if status in _QUIET_STATUSES else labels.code_label("operating_status", status, lang),
        illustrative=bool(place.get("illustrative")),
        lon=place.get("lon"),
        lat=place.get("lat"),
    )


def panel(place: Place, lang: str, today: date | None = None) -> dict[str, Any]:
    """What the panel of one place says; the facts are those of its look-up page, word for word."""
    day = today or datetime.now(VIETNAM).date()
    return {
        **card(place, lang, Search("", {})).__dict__,
        "trade": trade(place, lang),
        "hours": opening_hours.in_words(place["opening_hours"], lang) if place.get("opening_hours") else None,
        "facts": facts(place, lang, day, warned=bool(place.get("live_warning"))),
        "reply": inspection_reply(place, place.get("replies") or ()),
        "verified": dated("record", place["verified_on"], lang, day) if place.get("verified_on") else None,
        "source": labels.code_label("source", place["source"], lang),
    }


def payment_words(place: Place, lang: str) -> str:
    """How one can pay, in one line; not known is said as such."""
    methods = place.get("payment_methods") or ()
    if methods:
        return ", ".join(labels.code_label("payment_method", method, lang) for method in methods)
    return labels.text(f"place.cashless_{place.get('accepts_cashless') or 'unknown'}", lang)


def food_words(place: Place, lang: str) -> str:
    """Food safety in one line, or nothing where it is neither known nor a question, or a live warning says more.

    What officers found outweighs what hangs on the wall; what is held, but nobody knows as of when, is not told.
    """
    if place.get("live_warning"):
        return ""
    result, inspected_on = place.get("last_inspection_result"), place.get("last_inspection_on")
    if result in FAILED and inspected_on:
        return _food_checked(labels.code_label("inspection_result", str(result), lang), inspected_on, lang)
    status = str(place.get("food_safety_status") or "unknown")
    if status == "unknown" and place.get("sector_group") not in FOOD_SECTORS:
        return ""
    words = labels.code_label("food_safety_status", status, lang)
    if status not in ("certified", "committed", "equivalent"):
        return labels.text("place.food_line", lang, words=_in_line(words))
    until, checked_on = place.get("food_safety_valid_until"), place.get("food_safety_checked_on")
    if until:
        return labels.text("place.food_line_until", lang, words=_in_line(words), month=f"{until.month}/{until.year}")
    return _food_checked(words, checked_on, lang) if checked_on else ""


def _food_checked(words: str, day: date, lang: str) -> str:
    return labels.text("place.food_line_checked", lang, words=_in_line(words), month=f"{day.month}/{day.year}")


def _in_line(words: str) -> str:
    return words[:1].lower() + words[1:]


def script_data(around: Surroundings, lang: str, *, refused: bool) -> dict[str, Any]:
    """What the browser's modules need: words, code lists, addresses of the map library, where the ward is."""
    return {
        "lang": lang,
        "refused": refused,
        "ward": around.ward["code"] if around.ward else None,
        "bbox": list(around.bbox) if around.bbox else None,
        "openStatuses": OPEN_STATUSES,
        "businessGroups": BUSINESS_GROUPS,
        "foodSectors": sorted(FOOD_SECTORS),
        "families": [{"code": family.code, "colour": family.colour, "groups": family.groups} for family in FAMILIES],
        "codes": {name: labels.code_list(name, lang) for name in _LISTS_IN_SCRIPTS},
        "words": labels.table("script", lang),
        "library": {
            "script": asset("vendor/maplibre-gl.js"),
            "style": asset("vendor/maplibre-gl.css"),
            "bold": asset("css/bold.css"),
        },
        "style": "/ogc/styles/map",
    }


def _in_language(source: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """A source with its English title and note in place of the Vietnamese ones where English is asked for."""
    if lang == "vi":
        return dict(source)
    return {**source, **{name: source.get(f"{name}_en") or source[name] for name in ("title", "note")}}


def _group(place: Place, lang: str) -> str:
    return labels.code_label("sector_group", place.get("sector_group") or "other", lang)


def _kept(view: str) -> str | None:
    return None if view == "map" else view
