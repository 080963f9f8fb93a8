"""The pages of the look-up where there is no place to show: what is wrong, what may have been meant, how to go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web import labels
from web.lookup import Links, address_in_words, place_name, style, ward_in_sentence, ward_title
from web.render import render


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A place that somebody may have meant who mistyped its code."""

    page: str
    code: str
    name: str
    where: str | None
    """Its address in words."""


def suggestion(place: Mapping[str, Any], page: str, ward: Mapping[str, Any] | None, lang: str) -> Suggestion:
    """The question about a place with `code`, `name`, `name_en`, `kind`, `sector_group`, `address`, `stall`."""
    return Suggestion(page, place["code"], place_name(place, lang), address_in_words(place, ward, lang))


def missing_page(
    reason: str,
    typed: str,
    ward: Mapping[str, Any] | None,
    links: Links,
    lang: str,
    suggestion: Suggestion | None = None,
) -> str:
    """The page for a code that leads nowhere: `mistyped` (as its check character shows), `not_issued`, `not_listed`
    (not issued either, says the register, but on a sticker with the ward's mark), `unused`, `ended`, or `away` while
    nobody can look it up.

    It says what is wrong, lets the person type again and leads to the map, and warns of false stickers. `suggestion`
    is what may have been meant: the person is asked.
    """
    return render(
        "lookup/missing.html",
        lang,
        style=style(),
        links=links,
        heading=labels.text(f"lookup.missing.{reason}_title", lang),
        explanation=labels.text(f"lookup.missing.{reason}", lang, code=_as_typed(typed)),
        typed=_as_typed(typed),
        suggestion=suggestion,
        genuine=reason in ("ended", "unused", "not_listed", "away"),
        wanting=reason == "not_listed",
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
        suggestion=None,
        wanting=False,
        ward_title=ward_title(ward, lang),
        ward=ward_in_sentence(ward, lang),
    )


def _as_typed(text: str) -> str:
    """What the person typed, short and printable enough to be shown back."""
    plain = "".join(character if character.isprintable() else " " for character in text).strip()
    return plain if len(plain) <= 24 else plain[:23] + "…"
