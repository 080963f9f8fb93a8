"""The public look-up page: what a person who scanned a sticker reads about one place, and what when there is none.

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
from web.lookup_facts import facts
from web.render import VIETNAM, format_ago, format_date, render

_STYLE_FILE = Path(__file__).parent / "static" / "css" / "lookup.css"
_MENTIONED_STATUSES = frozenset({"closed", "moved", "suspended", "not_found"})


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses that a look-up page leads to."""

    page: str
    """The absolute address of the page, as its QR code carries it."""
    other_language: str
    map: str
    form: str
    """Where the form for typing a code sends it."""


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
) -> str:
    """The page of one place.

    `place` has the properties of the establishments collection and `closed_on`; `warnings` are its live ones, latest
    first, with `issued_on`, `headline`, `instruction` and `agency`; `ward` has `kind`, `name` and `name_en`.
    `replies` is what the owner says to adverse facts, with `collection`, `code`, `fact_on`, `reply`, `replied_on`;
    `merged_from` is the code that led here, when it was a duplicate; `moved_to` the page of its new place.
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
        name=place_name(place, lang),
        other_name=_other_name(place, lang),
        trade=trade(place, lang),
        address=_address(place, ward, lang),
        hours=opening_hours.in_words(place["opening_hours"], lang) if place["opening_hours"] else None,
        website=_website(place["website"]),
        warned=warned,
        warnings=[_warning(warning, lang, day) for warning in warnings],
        status=_status(place, lang, day),
        facts=facts(place, lang, day, warned=warned),
        replies={(each["collection"], each["code"]): each for each in replies},
        inspection_reply=next(
            (
                each
                for each in replies
                if (each["collection"], each["fact_on"]) == ("inspections", place["last_inspection_on"])
            ),
            None,
        ),
        source=_source(place, lang, day),
        today=day,
        ward_title=ward_title(ward, lang),
        ward=ward_in_sentence(ward, lang),
        symbol=Markup(qr.svg(links.page, labels.text("lookup.qr_title", lang))),
    )


def missing_page(reason: str, typed: str, ward: Mapping[str, Any] | None, links: Links, lang: str) -> str:
    """The page for a code that leads nowhere: `mistyped` (as its check character shows), `not_issued` or `ended`.

    It says what is wrong, lets the person type again and leads to the map, and warns of false stickers.
    """
    return render(
        "lookup/missing.html",
        lang,
        style=style(),
        links=links,
        heading=labels.text(f"lookup.missing.{reason}_title", lang),
        explanation=labels.text(f"lookup.missing.{reason}", lang, code=_as_typed(typed)),
        typed=_as_typed(typed),
        genuine=reason == "ended",
        ward_title=ward_title(ward, lang),
        ward=ward_in_sentence(ward, lang),
    )


def ask_page(ward: Mapping[str, Any] | None, links: Links, lang: str) -> str:
    """The page that asks for a code, for those who read it from a sticker rather than scan it."""
    return render(
        "lookup/missing.html",
        lang,
        style=style(),
        links=links,
        heading=labels.text("lookup.missing.ask_title", lang),
        explanation=labels.text("lookup.missing.ask", lang),
        typed=None,
        ward_title=ward_title(ward, lang),
        ward=ward_in_sentence(ward, lang),
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


def _address(place: Mapping[str, Any], ward: Mapping[str, Any] | None, lang: str) -> str | None:
    """The address as stated, with the unit's name unless it is in there already."""
    parts = [place["address"] or ""]
    if place["stall"]:
        parts.insert(0, labels.text("documents.sticker.stall", lang, stall=str(place["stall"])))
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
    return {"code": status, "loud": loud, "words": words}


def _source(place: Mapping[str, Any], lang: str, today: date) -> str:
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
        date=format_date(verified_on),
        ago=format_ago(verified_on, lang, today),
    )


def _as_typed(text: str) -> str:
    """What the person typed, short and printable enough to be shown back."""
    plain = "".join(character if character.isprintable() else " " for character in text).strip()
    return plain if len(plain) <= 24 else plain[:23] + "…"
