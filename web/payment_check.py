"""The comparison of a payment QR, for buyers: it matches, it does not, or there is nothing to compare with."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from web import labels, lookup
from web.render import format_date
from web.reports import Errors, Frame, public_page, words_by_field


def payment_page(
    frame: Frame,
    *,
    action: str,
    place: Mapping[str, Any],
    comparable: bool,
    answer: str = "",
    checked_on: date | None = None,
    errors: Errors = (),
    problem: str | None = None,
) -> str:
    """The form and, once compared, the answer: `match`, `no_match` or `none`. What was sent is never shown again.

    Where nothing is `comparable` the page says so, and asks for nothing.
    """
    lang, answer = frame.lang, answer if comparable else "none"
    ward = lookup.ward_in_sentence(frame.ward, lang)
    day = format_date(checked_on) if checked_on else ""
    return public_page(
        "report/payment.html",
        frame,
        action=action,
        place=place,
        name=lookup.place_name(place, lang),
        address=place["address"],
        comparable=comparable,
        answer=answer,
        meaning=labels.text(f"payment_check.meaning.{answer}", lang, date=day, ward=ward) if answer else "",
        errors=words_by_field("payment_check", errors, lang),
        problem=labels.text(problem, lang) if problem else None,
    )
