"""The rollout as its page and its JSON have it: the same criteria for everybody, for officers what stands behind."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from secrets import token_urlsafe
from typing import Any

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import rollout as measured
from layers.lookup import find_ward
from layers.rollout import Judged, Phase, Rollout
from mapservice.dependencies import database, http_settings
from mapservice.document_files import MAX_DOCUMENT_BYTES
from mapservice.errors import Problem
from mapservice.photo_files import MAX_PHOTO_BYTES
from mapservice.reading import VARY
from mapservice.responses import reply
from mapservice.rights import can
from mapservice.staff_page import HTML, page_language, staff_page
from postgis.actor import Actor, read_as
from postgis.criteria import planned_wards
from postgis.errors import FieldError
from postgis.vocabulary import PHASE_STATES
from web import labels
from web.field_errors import error_words
from web.lookup import ward_title
from web.render import format_ago, format_date, local, render
from web.rollout import criterion_words

PAGE = "/board/rollout"
MOST_DIGITS = 10
DONE = ("proof_added", "proof_signed", "proof_withdrawn", "noted")
_RECORDS = {
    "position": ("/staff/establishments", {"position_quality": "poor,unknown,generated"}),
    "licence": ("/staff/establishments", {"licence_status": "unknown"}),
    "food_safety": (
        "/staff/establishments",
        {"food_safety_status": "unknown", "sector_group": "food_service,cafe_drinks,food_retail"},
    ),
    "verified": ("/staff/this-week/stale_address", {}),
    "update_days_30": ("/staff/changes", {}),
    "update_days_90": ("/staff/changes", {}),
    "qr_issued": ("/staff/stickers", {}),
    "qr_installed": ("/staff/stickers", {}),
    "reports_in_time": ("/staff/reports", {}),
}
"""Where officers find the records behind a measure."""
_OPEN_RECORDS = {"layers": "/ogc/collections", "lookups": "/open-data", "signing_keys": "/.well-known/jwks.json"}
"""Where anybody does."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that could not be taken: which, what was typed, and what is wrong with it."""

    form: str
    typed: Mapping[str, str]
    errors: Sequence[FieldError]


def document(found: Rollout, lang: str) -> dict[str, Any]:
    """What `/rollout` answers."""
    return {
        "ward": found.ward,
        "as_of": found.as_of.isoformat(),
        "phases": [_phase(each, found.as_of, lang) for each in found.phases],
    }


def rollout_page(request: Request, actor: Actor | None, *, status: int = 200, sent: Sent | None = None) -> Response:
    """The page of the asked ward: for its officers with documents, notes and forms, for others without.

    Raises Problem when there is no such ward.
    """
    lang = page_language(request)
    ward = request.query_params.get("ward") or (actor.ward_code if actor else http_settings(request).ward)
    inside = actor is not None and can(actor, "read", "rollout", ward_code=ward)
    with database(request).public.connect() as connection:
        title = ward_of(connection, ward, lang)
        found = measured.rollout(connection, ward)
    context: dict[str, Any] = {
        "as_of": found.as_of,
        "phases": [_shown(each, found.as_of, lang, inside=inside) for each in found.phases],
        "illustrative": max((each.figure.illustrative for each in _judged(found) if each.figure), default=0),
        "json_href": local(lang, "/rollout", ward=ward),
        "inside": inside,
        "of_ward": title,
        "quality_href": local(lang, "/board/data-quality") if inside else "",
    }
    if actor is None:
        page = render(
            "board/rollout.html",
            lang,
            frame="base.html",
            here=_here(request),
            ward_title=title,
            **context,
        )
        return reply(request, page.encode(), HTML, headers={**VARY, "Content-Language": lang})
    if inside:
        context |= _inner(request, actor, found, sent, lang)
    return staff_page(request, actor, "board/rollout.html", status=status, frame="staff/base.html", **context)


def ward_of(connection: Connection, code: str, lang: str) -> str:
    """The ward's title: of one in the base data, or of one whose plan there is. Raises Problem for any other code."""
    found = find_ward(connection, code) if code.isascii() and code.isdigit() and len(code) <= MOST_DIGITS else None
    title = ward_title(found, lang) or planned_wards().get(code)
    if title is None:
        raise Problem("unknown_ward", pointer="ward", value=code)
    return title


def _here(request: Request) -> str:
    return PAGE + (f"?{request.url.query}" if request.url.query else "")


def _judged(found: Rollout) -> list[Judged]:
    return [each for phase in found.phases for each in phase.criteria]


def _phase(phase: Phase, as_of: date, lang: str) -> dict[str, Any]:
    return {
        "code": phase.code,
        "title": phase.title,
        "starts": phase.starts.isoformat(),
        "due": phase.due.isoformat(),
        "met": phase.met,
        "source": phase.source,
        "outputs": list(phase.outputs),
        "criteria": [_criterion(each, as_of, lang) for each in phase.criteria],
    }


def _criterion(judged: Judged, as_of: date, lang: str) -> dict[str, Any]:
    """A criterion for machines: the figures as numbers, the evidence in words."""
    plain = _plain(judged)
    words = criterion_words(plain, as_of, lang)
    return {
        "code": plain["code"],
        "title": words["title"],
        "measured": plain["measured"],
        "needed": plain["needed"],
        "met": judged.met,
        "evidence": words["evidence"],
        "unit": plain["unit"],
        "output": judged.criterion.output,
        "proved_by": "document" if plain["measure"] is None else "data",
        "numerator": plain["yes"],
        "denominator": plain["population"],
        "illustrative": plain["illustrative"],
        "definition": words["definition"],
        "needed_from": plain["basis"],
        "documents": [
            {**each, "dated_on": each["dated_on"].isoformat(), "signed_on": each["signed_on"].isoformat()}
            for each in plain["documents"]
        ],
    }


def _plain(judged: Judged) -> dict[str, Any]:
    criterion, figure = judged.criterion, judged.figure
    return {
        "code": criterion.code,
        "measure": criterion.measure,
        "unit": criterion.unit,
        "basis": criterion.basis,
        "needed": criterion.needed,
        "measured": judged.measured,
        "yes": figure.yes if figure else None,
        "population": figure.population if figure else None,
        "illustrative": figure.illustrative if figure else 0,
        "missing": judged.missing,
        "documents": [asdict(each) for each in judged.documents],
    }


def _shown(phase: Phase, as_of: date, lang: str, *, inside: bool) -> dict[str, Any]:
    """A phase for people: its criteria by output, in words."""
    verdict = "phase_met" if phase.met else "phase_open"
    if not phase.met and as_of > phase.due:
        verdict = "phase_late"
    elif not phase.met and as_of < phase.starts:
        verdict = "phase_ahead"
    outputs = [
        (name, [_row(each, as_of, lang, inside=inside) for each in phase.criteria if each.criterion.output == name])
        for name in phase.outputs
    ]
    count = {"met": sum(each.met for each in phase.criteria), "of": len(phase.criteria)}
    return {
        "code": phase.code,
        "title": phase.title,
        "met": phase.met,
        "verdict": labels.text(f"rollout.{verdict}", lang),
        "late": verdict == "phase_late",
        "count": labels.text("rollout.met_of", lang, **count),
        "period": labels.text(
            "rollout.period", lang, starts=format_date(phase.starts), due=format_date(phase.due),
            left=format_ago(phase.due, lang),
        ),
        "source": labels.text("rollout.source", lang, source=phase.source),
        "outputs": outputs,
    }  # fmt: skip


def _row(judged: Judged, as_of: date, lang: str, *, inside: bool) -> dict[str, Any]:
    plain = _plain(judged)
    href = ""
    if plain["measure"] in _OPEN_RECORDS:
        href = local(lang, _OPEN_RECORDS[plain["measure"]])
    elif inside and plain["measure"] in _RECORDS:
        path, query = _RECORDS[plain["measure"]]
        href = local(lang, path, **query)
    return {**criterion_words(plain, as_of, lang), "code": plain["code"], "met": judged.met, "href": href}


def _inner(request: Request, actor: Actor, found: Rollout, sent: Sent | None, lang: str) -> dict[str, Any]:
    """What only officers see: documents, notes and the forms."""
    with read_as(database(request), actor) as connection:
        proofs, notes = measured.proofs(connection), measured.notes(connection)
    titles = {
        each.criterion.code: labels.text(f"rollout.criteria.{each.criterion.code}.title", lang)
        for each in _judged(found)
    }
    words = {note["id"]: note["words"] for note in notes}
    done = request.query_params.get("done")
    form = sent.form if sent else ""
    collection = "phase_notes" if form.startswith(("state", "blocker", "solve")) else "criterion_proofs"
    errors = {
        each.field: error_words(collection, each.field, each.code, each.values, lang)
        for each in (sent.errors if sent else ())
    }
    return {
        "titles": titles,
        "proofs": [{**proof, "of": titles.get(proof["criterion"], proof["criterion"])} for proof in proofs],
        "notes": [{**note, "solved_words": words.get(note["solves_id"], "")} for note in notes],
        "states": PHASE_STATES,
        "may_add": can(actor, "create", "rollout"),
        "may_sign": can(actor, "review", "rollout"),
        "key": token_urlsafe(16),
        "form": form,
        "typed": sent.typed if sent else {},
        "errors": errors,
        "done": labels.text(f"rollout.done.{done}", lang) if done in DONE else "",
        "megabytes": {"most": MAX_DOCUMENT_BYTES // 1024 // 1024, "photo": MAX_PHOTO_BYTES // 1024 // 1024},
    }
