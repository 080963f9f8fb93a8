"""What the look-up page says of the sticker that led to it, and the page for one that the ward has not made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from web import labels
from web.lookup import Links, style, ward_in_sentence, ward_title
from web.render import VIETNAM, format_ago, format_code, format_date, render

_MENTIONED_STATES = frozenset({"lost", "replaced", "withdrawn", "spoilt"})


@dataclass(frozen=True, slots=True)
class StickerWords:
    """What stands on a place's page about the sticker that was scanned."""

    notice: str | None
    """Above everything but a warning; None where nothing is wrong."""
    serial: str | None
    """As printed on it; None where the register does not list it."""
    token: str
    """What its address carries."""


def sticker_words(
    token: str,
    verdict: str,
    serial: str | None,
    state: str | None,
    state_on: date | None,
    misused_on: date | None,
    lang: str,
    today: date | None = None,
) -> StickerWords:
    """The words about a sticker that is not false: `verdict` is genuine, unlisted or unchecked; `misused_on`: the day
    on which an officer found it copied or hung elsewhere.
    """
    if verdict != "genuine":
        return StickerWords(labels.text(f"stickers.page.{verdict}", lang), None, token)
    happened = [("misused", misused_on), (state, state_on if state in _MENTIONED_STATES else None)]
    day = today or datetime.now(VIETNAM).date()
    said = [
        labels.text(f"stickers.page.{what}", lang, date=format_date(on), ago=format_ago(on, lang, day))
        for what, on in happened
        if on is not None
    ]
    return StickerWords(" ".join(said) or None, serial, token)


def false_page(
    code: str | None, place: str | None, report: str, ward: Mapping[str, Any] | None, links: Links, lang: str
) -> str:
    """The page for a mark that is not the ward's; `place`: the plain page of the place, where the code has one;
    `report`: the form that tells the ward of it.
    """
    return render(
        "lookup/false_sticker.html",
        lang,
        style=style(),
        links=links,
        code=format_code(code) if code else None,
        place=place,
        report=report,
        ward_title=ward_title(ward, lang),
        ward=ward_in_sentence(ward, lang),
    )
