"""/q/{code}/correct: anybody proposes to change what is public about a place; the receipt is that of any proposal."""

from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from layers.lookup import FoundPlace, find_establishment, known_code
from mapservice import reviewing
from mapservice.dependencies import ReadConnection, database
from mapservice.errors import Problem
from mapservice.forms import Form
from mapservice.parameters import check_known
from mapservice.public_forms import HEADERS, form_page, on_to, page_frame
from mapservice.record_forms import changed, seen_values, typed_texts, wire_values
from mapservice.reviewing import Refused
from mapservice.security import MaybeActor, SentForm, require
from mapservice.sessions import refuse_other_sites
from mapservice.staff_page import page_language
from postgis import codes
from postgis.errors import FieldError
from postgis.store.record_types import RECORD_TYPES
from postgis.store.suggestions import MAY_SUGGEST
from web.corrections import correction_form

router = APIRouter(tags=["Reports"], include_in_schema=False)

FIELDS = tuple(
    field
    for field in RECORD_TYPES["establishments"].fields
    if field.name in MAY_SUGGEST["establishments"] and field.kind == "text"
)
"""What the form asks: the text that everybody may speak about. A pin is moved on a map, by those who have one."""
MOST_REASON = 500
RETRY_AFTER_S = 3600


@router.get("/q/{code}/correct", summary="Form for a correction", response_class=Response)
def ask(request: Request, code: str, connection: ReadConnection) -> Response:
    """Filled with what is published."""
    check_known(request.query_params, ())
    lang = page_language(request)
    found = place_or_way(connection, code, "/correct", lang)
    return found if isinstance(found, Response) else _form(request, connection, found, {})


@router.post("/q/{code}/correct", summary="Propose a correction", response_class=Response)
def send(request: Request, code: str, actor: MaybeActor, form: SentForm, connection: ReadConnection) -> Response:
    """Of the fields that were changed. On to the page behind the receipt."""
    require(actor, "propose", "establishments")
    refuse_other_sites(request)
    found = place_or_way(connection, code, "/correct", page_language(request))
    if isinstance(found, Response):
        raise Problem("unknown_code", value=code)
    receipt = propose(request, found, form, "citizen")
    if isinstance(receipt, Refused):
        return _form(request, connection, found, typed_texts(form, FIELDS), form, receipt)
    return on_to(f"/proposals/{receipt}", page_language(request))


def propose(request: Request, found: FoundPlace, form: Form, proposer_kind: str) -> str | Refused:
    """The receipt of what the form wants changed, or what is wrong with it."""
    typed = typed_texts(form, FIELDS)
    patch = changed(wire_values(typed, FIELDS), seen_values(form) or found.properties)
    reason = form["reason"]
    wish = {
        "collection": "establishments",
        "establishment": found.properties["code"],
        "patch": patch,
        "reason": reason,
        "evidence": None,
        "proposer_kind": proposer_kind,
    }
    errors = [] if patch else [FieldError("patch", "no_change")]
    if len(reason) > MOST_REASON:
        errors.append(FieldError("reason", "too_long", {"most": MOST_REASON}))
    if not reason:
        errors.append(FieldError("reason", "required"))
    if errors:
        return Refused("invalid_proposal", errors=errors)
    try:
        return reviewing.suggest(database(request), wish)
    except Refused as refused:
        return refused


def place_or_way(connection: Connection, code: str, ending: str, lang: str) -> FoundPlace | Response:
    """The place of a code, or the way to that which it was merged into. Raises Problem for a code of no place."""
    canonical = codes.normalise(code)
    if canonical is None:
        raise Problem("mistyped_code", value=code)
    found = find_establishment(connection, canonical)
    if found is not None:
        return found
    state, successor = known_code(connection, canonical)
    if state == "merged" and successor:
        return RedirectResponse(f"/q/{successor}{ending}" + ("?lang=en" if lang == "en" else ""), 307, HEADERS)
    raise Problem("ended_code" if state in ("ended", "merged") else "unknown_code", value=codes.display(canonical))


def refusal(refused: Refused | None) -> dict[str, Any]:
    """What a form shows of it: the wrong fields, or the problem with all of it."""
    if refused is None:
        return {}
    if refused.code == "too_many_proposals":
        return {"problem": "corrections.too_many"}
    return {"errors": [(error.field, error.code, error.values) for error in refused.errors]}


def _form(
    request: Request,
    connection: Connection,
    found: FoundPlace,
    typed: dict[str, str],
    form: Form | None = None,
    refused: Refused | None = None,
) -> Response:
    lang = page_language(request)
    place = found.properties
    page = correction_form(
        page_frame(request, connection, lang, str(place["ward"]) if place["ward"] else None),
        action=f"/q/{place['code']}/correct" + ("?lang=en" if lang == "en" else ""),
        place=place,
        fields=FIELDS,
        typed={**typed, "reason": form["reason"]} if form else {},
        seen=form["seen"] if form else "",
        **refusal(refused),
    )
    headers = {"Retry-After": str(RETRY_AFTER_S)} if refused and refused.status == 429 else {}
    return form_page(page, lang, refused.status if refused else 200, **headers)
