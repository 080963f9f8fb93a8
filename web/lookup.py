"""The public look-up page: what a person who scanned a sticker reads about one place.

Plain rows in, one HTML document out, complete in itself: style inlined, no script, no font and no picture to fetch.
A live warning stands above everything.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from web import labels, opening_hours, qr
from web.lookup_facts import facts, recorded
from web.render import VIETNAM, format_ago, format_date, render

_STYLE_FILE = Path(__file__).parent / "static" / "css" / "lookup.css"
_MENTIONED_STATUSES = frozenset({"closed", "moved", "suspended", "not_found"})
_STALL_WORDS = ("quầy", "sạp", "ki-ốt", "ki ốt", "kiốt", "kiot", "lô ", "gian", "stall", "kiosk")
"""How a stall begins that says itself what it is."""
QR_MASK = 3
"""Of the page's symbol, shown large on a clean screen: to find the best would take most of the time of a page."""
PHOTO_SIDE = 480
"""Pixels of the longer side of the small picture."""
_SCHEMA_TYPES = {
    "food_service": "Restaurant",
    "cafe_drinks": "CafeOrCoffeeShop",
    "grocery": "GroceryStore",
    "lodging": "LodgingBusiness",
}


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses that a look-up page leads to."""

    page: str
    """The absolute address of the page, as its QR code carries it."""
    other_language: str
    map: str
    form: str
    """Where the form for typing a code sends it."""
    photo: str | None = None
    """The small picture of the front."""


def place_page(
    place: Mapping[str, Any],
    warnings: Sequence[Mapping[str, Any]],
    ward: Mapping[str, Any] | None,
    links: Links,
    lang: str,
    today: date | None = None,
    *,
    replies: Sequence[Mapping[str, Any]] = (),
    merged_from: str | None = None,
    moved_to: str | None = None,
    dissolved_ward: str | None = None,
    sticker_notice: str | None = None,
    sticker_serial: str | None = None,
    sticker_token: str | None = None,
    saved_at: datetime | None = None,
    ours: bool = True,
) -> str:
    """The page of one place.

    `place` has the properties of the establishments collection, `closed_on`, `last_inspection`, `food_safety_agency`,
    `photo`, `former_names` and `payment_check`; `warnings` are its live ones, latest first, with `issued_on`,
    `headline`, `instruction` and `agency`; `ward` has `kind`, `name` and `name_en`. `merged_from` is the code that led
    here, when it was a duplicate; `moved_to` the page of its new place; `dissolved_ward` the former unit that it was
    recorded in. Of the sticker that was scanned, where one was: `sticker_serial` is its number, `sticker_notice` what
    is wrong with it, `sticker_token` what goes along to the form for reports.
    `replies` is what the owner says to adverse facts, with `collection`, `code`, `fact_on`, `reply`, `replied_on`.
    `saved_at`: the page is a copy of that moment, which says that newer warnings may be missing and praises nothing.
    `ours`: the ward is the service's own, which has promised when it answers.
    """
    day = today or datetime.now(VIETNAM).date()
    warned = bool(warnings) or bool(place["live_warning"])
    return render(
        "lookup/place.html",
        lang,
        style=style(),
        links=links,
        place=place,
        merged_from=labels.text("lookup.known.merged_from", lang, code=merged_from) if merged_from else None,
        moved_to=moved_to,
        sticker_notice=sticker_notice,
        sticker_serial=sticker_serial,
        sticker_token=sticker_token,
        name=place_name(place, lang),
        other_name=_other_name(place, lang),
        trade=trade(place, lang),
        address=address_in_words(place, ward, lang),
        hours=opening_hours.in_words(place["opening_hours"], lang) if place["opening_hours"] else None,
        website=_website(place["website"]),
        warned=warned,
        warnings=[_warning(warning, lang, day) for warning in warnings],
        status=_status(place, lang, day),
        facts=facts(place, lang, day, warned=warned or saved_at is not None),
        replies={(each["collection"], each["code"]): each for each in replies},
        inspection_reply=inspection_reply(place, replies),
        former_names=_former_names(place, lang),
        photo=_photo(place, links, lang, day),
        schema_type=_schema_type(place),
        saved=saved_notice(saved_at, lang),
        ours=ours,
        source=_source(place, ward, lang, day),
        merged_ward=_merged_ward(dissolved_ward, ward, lang),
        today=day,
        ward_title=ward_title(ward, lang),
        ward=ward_in_sentence(ward, lang),
        symbol=Markup(qr.svg(links.page, labels.text("lookup.qr_title", lang), QR_MASK)),
    )


def place_name(place: Mapping[str, Any], lang: str) -> str:
    """The signboard, or what stands for it where the source gives none."""
    return (
        place["name"]
        or place["name_en"]
        or labels.text("place.nameless", lang, kind=_kind(place, lang) or _group(place, lang))
    )


def trade(place: Mapping[str, Any], lang: str) -> str:
    """The sector group in words, and the kind of place where it has a word of its own."""
    kind, group = _kind(place, lang), _group(place, lang)
    return f"{kind} · {group}" if kind and kind.casefold() != group.casefold() else group


def ward_title(ward: Mapping[str, Any] | None, lang: str) -> str | None:
    """The unit's name for a heading: Phường Hòa Cường, Hoa Cuong ward."""
    if ward is None:
        return None
    kind = labels.code_label("ward_kind", ward["kind"], lang)
    return f"{kind} {ward['name']}" if lang == "vi" else f"{ward['name_en'] or ward['name']} {kind.lower()}"


def ward_in_sentence(ward: Mapping[str, Any] | None, lang: str) -> str:
    """The unit's name inside a sentence: phường Hòa Cường; where it is not known, words that still help."""
    title = ward_title(ward, lang)
    if title is None:
        return labels.text("lookup.report.local_office", lang)
    return title[0].lower() + title[1:] if lang == "vi" else title


def inspection_reply(place: Mapping[str, Any], replies: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What the owner says to the last inspection, which is the one that is told of."""
    told = ("inspections", (place.get("last_inspection") or {}).get("code"))
    return next((each for each in replies if (each["collection"], each["code"]) == told), None)


@cache
def style() -> Markup:
    """The style sheet without comments and needless space, to be inlined: a second request would cost a second."""
    text = re.sub(r"/\*.*?\*/", "", _STYLE_FILE.read_text(), flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s?([{};,>])\s?|(?<=:)\s", r"\1", text).replace(";}", "}")
    return Markup(text.strip())


@cache
def style_hash() -> str:
    """The inlined style as a source expression for `style-src` of a Content-Security-Policy."""
    return f"'sha256-{b64encode(sha256(style().encode()).digest()).decode()}'"


def _group(place: Mapping[str, Any], lang: str) -> str:
    return labels.code_label("sector_group", place["sector_group"] or "other", lang)


def _kind(place: Mapping[str, Any], lang: str) -> str | None:
    """The kind of place in words; None for a kind that has none of its own."""
    return labels.code_list("kind", lang).get(str(place["kind"]))


def _other_name(place: Mapping[str, Any], lang: str) -> str | None:
    shown, other = place_name(place, lang), place["name_en"]
    return other if other and other.casefold() != shown.casefold() else None


def street_address(place: Mapping[str, Any], lang: str) -> str | None:
    """Stall and address of a place (`stall`, `address`); a stall that says itself what it is, or stands in the address
    already, is not named twice.
    """
    stall, address = str(place["stall"] or ""), str(place["address"] or "")
    if stall and not stall.casefold().startswith(_STALL_WORDS):
        stall = labels.text("documents.sticker.stall", lang, stall=stall)
    elif stall.casefold() in address.casefold():
        stall = ""
    return ", ".join(part for part in (stall, address) if part) or None


def address_in_words(place: Mapping[str, Any], ward: Mapping[str, Any] | None, lang: str) -> str | None:
    """The address as stated, with the stall and the unit's name unless they are in there already."""
    parts = [street_address(place, lang) or ""]
    if ward and ward["name"].casefold() not in parts[-1].casefold():
        parts.append(ward_in_sentence(ward, lang))
    address = ", ".join(part for part in parts if part)
    return address[:1].upper() + address[1:] or None


def _website(address: str | None) -> tuple[str, str] | None:
    """Address and words of a link to the shop's own site; None for anything but plain http(s), whatever was stored."""
    if not address:
        return None
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "." not in parts.hostname:
        return None
    return parts.geturl(), parts.hostname.removeprefix("www.")


def _warning(warning: Mapping[str, Any], lang: str, today: date) -> dict[str, str | None]:
    issued_on = warning["issued_on"]
    return {
        "code": warning.get("code"),
        "headline": warning["headline"],
        "instruction": warning["instruction"],
        "since": labels.text(
            "lookup.warning.since", lang, date=format_date(issued_on), ago=format_ago(issued_on, lang, today)
        ),
        "agency": labels.text("lookup.warning.agency", lang, agency=warning["agency"]),
    }


def _status(place: Mapping[str, Any], lang: str, today: date) -> dict[str, Any]:
    """Whether the place is in business: loud where it is not, a quiet line where it is or nobody knows."""
    status, closed_on = place["operating_status"], place["closed_on"]
    loud = status in _MENTIONED_STATUSES
    words = labels.text(f"lookup.status.{status}", lang)
    if loud and closed_on is not None and status in ("closed", "moved"):
        words += " " + labels.text(
            "lookup.status.since", lang, date=format_date(closed_on), ago=format_ago(closed_on, lang, today)
        )
    if status == "active" and place["source"] != "osm":
        words = labels.text("lookup.status.dated", lang, words=words, dated=recorded(place, lang, today))
    return {"code": status, "loud": loud, "words": words}


def saved_notice(saved_at: datetime | None, lang: str) -> str | None:
    """That a page is a copy, and of when: "lúc 14:05 ngày 22/11/2026"."""
    if saved_at is None:
        return None
    moment = saved_at.astimezone(VIETNAM)
    return labels.text("lookup.saved.notice", lang, time=f"{moment:%H:%M}", date=format_date(moment))


def _former_names(place: Mapping[str, Any], lang: str) -> str | None:
    names = place["former_names"]
    return labels.text("lookup.former_names", lang, names=", ".join(names)) if names else None


def _merged_ward(dissolved: str | None, ward: Mapping[str, Any] | None, lang: str) -> str | None:
    if dissolved is None:
        return None
    return labels.text("lookup.merged_ward", lang, old=dissolved, new=ward_in_sentence(ward, lang))


def _photo(place: Mapping[str, Any], links: Links, lang: str, today: date) -> dict[str, Any] | None:
    """Address, words and size of the small picture, which is PHOTO_SIDE at most."""
    photo = place["photo"]
    if not photo or not links.photo:
        return None
    name, taken_on = place_name(place, lang), photo["taken_on"]
    dated = {"date": format_date(taken_on), "ago": format_ago(taken_on, lang, today)} if taken_on else {}
    scale = min(1.0, PHOTO_SIDE / max(photo["width"], photo["height"]))
    return {
        "address": links.photo,
        "words": labels.text("lookup.photo.alt", lang, name=name),
        "dated": labels.text("lookup.photo.taken", lang, **dated) if taken_on else None,
        "width": round(photo["width"] * scale),
        "height": round(photo["height"] * scale),
    }


def _schema_type(place: Mapping[str, Any]) -> str | None:
    """The schema.org type that stands in the mark-up; None for invented places and for those that do not trade.

    The mark-up names what is on the page anyway: it cannot tell more than the page.
    """
    if place["illustrative"] or place["operating_status"] in _MENTIONED_STATUSES:
        return None
    return f"https://schema.org/{_SCHEMA_TYPES.get(place['sector_group'], 'LocalBusiness')}"


def _source(place: Mapping[str, Any], ward: Mapping[str, Any] | None, lang: str, today: date) -> str:
    if place["source"] == "osm":
        return labels.text("lookup.source.osm", lang)
    if place["illustrative"]:
        return labels.text("lookup.source.demo", lang)
    source = labels.code_label("source", place["source"], lang)
    if place["verified_on"] is None:
        return labels.text("lookup.source.unverified", lang, source=source)
    verified_on = place["verified_on"]
    return labels.text(
        "lookup.source.verified",
        lang,
        source=source,
        ward=ward_in_sentence(ward, lang),
        date=format_date(verified_on),
        ago=format_ago(verified_on, lang, today),
    )
