"""Citizens' reports in words: the form that anybody may send, the page behind a receipt, and the officers' inbox.

Plain rows in. The public pages are complete in themselves, as the look-up page is: one style, inlined, and no script.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from markupsafe import Markup

from web import labels, lookup
from web.field_errors import error_words
from web.render import format_ago, format_code, format_date, local, render

_STYLE_FILE = Path(__file__).parent / "static" / "css" / "report.css"

Errors = Sequence[tuple[str, str, Mapping[str, Any]]]
"""What is wrong: field, code, values, as `postgis.errors.FieldError` has them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the form takes: letters of words, megabytes of a photo."""

    least: int
    most: int
    megabytes: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What every public page of ours carries: the ward, and where its links lead."""

    ward: Mapping[str, Any] | None
    links: lookup.Links
    lang: str


def public_page(template: str, frame: Frame, **context: Any) -> str:
    """A page in the frame of the look-up page, with the style of forms."""
    shown = {
        "style": style(),
        "links": frame.links,
        "ward": lookup.ward_in_sentence(frame.ward, frame.lang),
        "ward_title": lookup.ward_title(frame.ward, frame.lang),
    }
    return render(template, frame.lang, **shown, **context)


@cache
def style() -> Markup:
    """The style sheet of the look-up page and that of forms, to be inlined."""
    own = " ".join(_STYLE_FILE.read_text().partition("*/")[2].split())
    return Markup(lookup.style() + own)


@cache
def style_hash() -> str:
    """The inlined style as a source expression for `style-src` of a Content-Security-Policy."""
    return f"'sha256-{b64encode(sha256(style().encode()).digest()).decode()}'"


def words_by_field(collection: str, errors: Errors, lang: str) -> dict[str, str]:
    """What is wrong, in words, by field; the first of each."""
    found: dict[str, str] = {}
    for field, code, values in errors:
        found.setdefault(field, error_words(collection, field, code, values, lang))
    return found


def report_form(
    frame: Frame,
    *,
    action: str,
    place: Mapping[str, Any] | None,
    sticker: str,
    typed: Mapping[str, str],
    limits: Limits,
    serial: str | None = None,
    errors: Errors = (),
    problem: str | None = None,
) -> str:
    """The form. `place` has the properties of the establishments collection; without one, `sticker` is its code.
    `serial` is that of the genuine sticker that led here.
    """
    return public_page(
        "report/form.html",
        frame,
        action=action,
        place=place,
        name=lookup.place_name(place, frame.lang) if place else "",
        address=place["address"] if place else None,
        sticker=sticker,
        serial=serial,
        typed={"kind": "", "words": "", **typed},
        errors=words_by_field("reports", errors, frame.lang),
        problem=labels.text(problem, frame.lang) if problem else None,
        least=limits.least,
        most=limits.most,
        megabytes=limits.megabytes,
    )


def ticket_page(frame: Frame, report: Mapping[str, Any], *, fresh: bool, today: date) -> str:
    """The page behind a receipt. `report` as `layers.reports.by_receipt` has it; `fresh`: it was sent just now."""
    lang = frame.lang
    waits = report["state"] in ("received", "in_progress")
    late = waits and report["due_on"] < today
    state = "late" if late else report["state"]
    request = report["kind"] == "personal_data"
    if request and waits and not late:
        state = "request" if report["state"] == "received" else "request_in_progress"
    if report["erased_at"]:
        state = "erased"
    return public_page(
        "report/ticket.html",
        frame,
        report=report,
        fresh=fresh,
        meaning=labels.text(
            f"reports.ticket.meaning.{state}",
            lang,
            due=format_date(report["due_on"]),
            ward=lookup.ward_in_sentence(frame.ward, lang),
        ),
        uncertain=labels.text("reports.uncertain", lang, year=str(report["due_on"].year))
        if waits and not report["due_certain"]
        else None,
        own_data=labels.text("reports.ticket.own_data", lang, ward=lookup.ward_in_sentence(frame.ward, lang))
        if request and waits
        else None,
    )


def inbox_row(report: Any, today: date, lang: str) -> dict[str, Any]:
    """A report of the inbox in words."""
    waits = report.state in ("received", "in_progress")
    return {
        "number": report.id,
        "href": local(lang, f"/staff/reports/{report.id}"),
        "kind": labels.code_label("report_kind", report.kind, lang),
        "place": place_words(report, lang),
        "address": report.address or "",
        "code": report.place_code,
        "illustrative": bool(report.illustrative),
        "state": report.state,
        "state_words": labels.code_label("report_state", report.state, lang),
        "handler": report.handler,
        "received": f"{format_date(report.received_at)} ({format_ago(report.received_at, lang)})",
        "due": due_words(report, today, lang) if waits else "",
        "answered": format_date(report.answered_at) if report.answered_at else "",
        "overdue": report.overdue,
        "photo": report.photo is not None,
    }


def place_words(report: Any, lang: str) -> str:
    """What a report is about: the place's name, or what stands on a sticker that leads to none."""
    if report.place_code is None:
        return labels.text("reports.inbox.sticker", lang, code=report.typed_code)
    return str(report.place_name or format_code(report.place_code))


def due_words(report: Any, today: date, lang: str) -> str:
    """The deadline of a report that waits, how far it is away, and whether it may still move."""
    words = f"{format_date(report.due_on)} ({format_ago(report.due_on, lang, today)})"
    return words if report.due_certain else labels.text("reports.inbox.due_uncertain", lang, due=words)


def event_lines(events: Sequence[Any], lang: str) -> list[dict[str, str]]:
    """What was done about a report, in order."""
    return [
        {
            "what": labels.code_label("report_event", event.kind, lang),
            "when": format_date(event.at),
            "who": event.display_name or labels.text("reports.one.citizen", lang),
        }
        for event in events
    ]
