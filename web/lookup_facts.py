"""The three dated facts of the look-up page: registration, food safety, payment.

Each is said in words with the day it was known, and unknown is said as unknown. A fact looks good only when it has a
day, nothing adverse is known, no warning is live and the place is still there: elsewhere most closed kitchens still
showed an A.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from web import labels
from web.render import format_ago, format_date

Tone = Literal["good", "caution", "plain", "unknown"]

FOOD_SECTORS = frozenset({"food_service", "cafe_drinks", "grocery", "food_retail", "lodging", "market", "production"})
"""Sector groups that handle food; elsewhere an unknown food-safety state is no gap."""

PAYMENT_GOES_STALE_AFTER = timedelta(days=365)
EXPIRING_WITHIN = timedelta(days=90)
_CHECKED_ON = {"licence": "licence_checked_on", "food": "food_safety_checked_on"}
"""The day on which each fact was last checked, by its key."""
FAILED = frozenset({"fail", "c"})
"""Results of an inspection that are adverse to a place."""
_NOT_TRADING = frozenset({"closed", "moved", "not_found", "suspended"})


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact in words. `dated` says since when it is known; None only where nothing is known."""

    key: str
    title: str
    words: str
    tone: Tone
    details: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    dated: str | None = None
    official: tuple[str, str] | None = None
    """Words of an agency as they were signed, in Vietnamese, and what introduces them."""


def facts(place: Mapping[str, Any], lang: str, today: date, *, warned: bool) -> list[Fact]:
    """Registration, food safety and payment of a place, in that order. `warned`: a warning is live, or may be."""
    found = [_licence(place, lang, today), _food_safety(place, lang, today), _payment(place, lang, today)]
    # What OpenStreetMap says, nobody has checked.
    if warned or place["operating_status"] in _NOT_TRADING or place["source"] == "osm":
        return [replace(fact, tone="plain") if fact.tone == "good" else fact for fact in found]
    return found


def dated(key: str, day: date, lang: str, today: date) -> str:
    """The words `lookup.date.KEY` about a day, with the day itself and how far it is away."""
    return labels.text(f"lookup.date.{key}", lang, date=format_date(day), ago=format_ago(day, lang, today))


def recorded(place: Mapping[str, Any], lang: str, today: date) -> str:
    """On which day the record as a whole was last verified."""
    day = place["verified_on"]
    return dated("record", day, lang, today) if day else labels.text("lookup.date.none", lang)


def _licence(place: Mapping[str, Any], lang: str, today: date) -> Fact:
    status, until = place["licence_status"] or "unknown", place["licence_valid_until"]
    form = place["legal_form"]
    term = [_term(until, lang, today)] if until and status in ("valid", "expiring", "expired") else []
    details = list(term)
    if form:
        details.append(labels.text("lookup.licence.legal_form", lang, form=labels.code_label("legal_form", form, lang)))
    if status == "unknown":
        details.append(labels.text("lookup.licence.unknown_note", lang))
    tones: dict[str, Tone] = {"valid": "good", "expiring": "caution", "expired": "caution", "unknown": "unknown"}
    words = labels.code_label("licence_status", status, lang)
    tone = tones.get(status, "plain")
    return _fact("licence", place, lang, today, words, tone, details, has_day=bool(term))


def _food_safety(place: Mapping[str, Any], lang: str, today: date) -> Fact:
    status, until = place["food_safety_status"] or "unknown", place["food_safety_valid_until"]
    result, inspected_on = place["last_inspection_result"], place["last_inspection_on"]
    held = status in ("certified", "committed", "equivalent")
    lapsed = not held and until is not None and until < today
    failed = result in FAILED and inspected_on is not None
    words = (
        labels.text("lookup.food.expired", lang) if lapsed else labels.code_label("food_safety_status", status, lang)
    )
    paper = [_term(until, lang, today)] if until and (held or lapsed) else []
    has_day = bool(paper) or bool(result and inspected_on)
    if held and place["food_safety_agency"]:
        paper.append(labels.text("lookup.food.issued_by", lang, agency=place["food_safety_agency"]))
    details = list(paper)
    if result and inspected_on:
        outcome = labels.code_label("inspection_result", result, lang)
        if failed:
            # What officers found outweighs what hangs on the wall.
            file = labels.text("lookup.food.file", lang, words=words)
            details = [dated("inspected", inspected_on, lang, today), *_inspector(place, lang), file, *paper]
            words = labels.text("lookup.food.failed", lang, result=outcome)
        else:
            when = {"date": format_date(inspected_on), "ago": format_ago(inspected_on, lang, today)}
            details.append(labels.text("lookup.food.inspection", lang, result=outcome, **when))
            details += _inspector(place, lang)
    elif status != "unknown":
        details += [] if status == "not_required" else [labels.text("lookup.food.no_inspection", lang)]
    elif place["sector_group"] in FOOD_SECTORS:
        # A state of its own, neither good nor bad.
        words = labels.text("lookup.food.not_inspected", lang)
        details.append(labels.text("lookup.food.unknown_note", lang))
    else:
        details.append(labels.text("lookup.food.other_sector_note", lang))
    tones: dict[str, Tone] = {"unknown": "unknown", "not_required": "plain", "missing": "caution"}
    tone = tones.get(status, "plain" if result == "pending" else "good")
    ending = until is not None and held and until <= today + EXPIRING_WITHIN
    if ending and not failed and until >= today:
        words = labels.text("lookup.food.expiring", lang, words=words)
    fact = _fact("food", place, lang, today, words, "caution" if failed or ending else tone, details, has_day=has_day)
    return replace(fact, official=_official_words(place, lang))


def _inspector(place: Mapping[str, Any], lang: str) -> list[str]:
    """Who inspected, where it is known of the inspection that counts."""
    inspection = place["last_inspection"]
    return [labels.text("lookup.food.inspected_by", lang, agency=inspection["agency"])] if inspection else []


def _official_words(place: Mapping[str, Any], lang: str) -> tuple[str, str] | None:
    inspection = place["last_inspection"]
    if not inspection or not inspection["official_words"]:
        return None
    if (
        inspection["official_words"].casefold()
        == labels.code_label("inspection_result", inspection["result"], "vi").casefold()
    ):
        return None  # nothing that is not said already
    return labels.text("lookup.food.official_words", lang), inspection["official_words"]


def _term(until: date, lang: str, today: date) -> str:
    return dated("valid_until" if until >= today else "expired_on", until, lang, today)


def _payment(place: Mapping[str, Any], lang: str, today: date) -> Fact:
    accepts, checked_on = place["accepts_cashless"] or "unknown", place["payment_checked_on"]
    details = []
    if accepts == "unknown":
        details.append(labels.text("lookup.payment.unknown_note", lang))
    elif checked_on is not None and today - checked_on > PAYMENT_GOES_STALE_AFTER:
        details.append(labels.text("lookup.payment.stale_note", lang))
    fresh = checked_on is not None and today - checked_on <= PAYMENT_GOES_STALE_AFTER
    when = dated("checked", checked_on, lang, today) if checked_on else labels.text("lookup.date.none", lang)
    return Fact(
        key="payment",
        title=labels.text("lookup.payment.title", lang),
        words=labels.text(f"lookup.payment.{accepts}", lang),
        tone="unknown" if accepts == "unknown" else "good" if accepts == "yes" and fresh else "plain",
        details=tuple(details),
        items=tuple(labels.code_label("payment_method", method, lang) for method in place["payment_methods"] or ()),
        dated=when if accepts != "unknown" or checked_on else None,
    )


def _fact(
    key: str,
    place: Mapping[str, Any],
    lang: str,
    today: date,
    words: str,
    tone: Tone,
    details: Sequence[str],
    *,
    has_day: bool,
) -> Fact:
    """A fact about papers, with the day on which it was last checked, else the record as a whole last verified.

    `has_day`: the details name a day of their own, such as the end of a term.
    """
    own_day = place.get(_CHECKED_ON[key])
    verified_on = own_day or place["verified_on"] if place["source"] != "osm" else None
    when = None
    if verified_on is not None:
        when = dated("checked" if own_day else "record", verified_on, lang, today)
    elif not has_day and tone != "unknown":
        when = labels.text("lookup.date.none", lang)
    return Fact(
        key=key,
        title=labels.text(f"lookup.{key}.title", lang),
        words=words,
        tone="plain" if tone == "good" and verified_on is None and not has_day else tone,
        details=tuple(details),
        dated=when,
    )
