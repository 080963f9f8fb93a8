"""/staff/establishments/new: an establishment is added, unless it is in the register already."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import duplicates, register
from layers.surroundings import ward_box
from mapservice import record_saving
from mapservice.dependencies import database
from mapservice.forms import Form
from mapservice.parameters import check_known
from mapservice.record_forms import argument_errors, typed_texts, wire_values
from mapservice.record_page import main_fields
from mapservice.record_saving import Proposed, Refused, Saved, Wish
from mapservice.routes.staff.personal import secrets_of
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from postgis.actor import Actor, read_as
from postgis.errors import FieldError, InvalidValues
from postgis.store import personal_data
from postgis.store.record_types import RECORD_TYPES
from postgis.store.record_values import columns, readable
from web import labels, staff_record
from web.field_errors import error_words
from web.staff_forms import State, form_view

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/establishments/new"
FIELDS = main_fields()
STATUS = next(field for field in RECORD_TYPES["establishments"].fields if field.name == "operating_status")
CHECKS = ("check_tax_code", "check_phone")
LONGEST_CHECK = 60
START = {"operating_status": "active", "position_method": "map", "source": "field_survey"}


@router.get(PAGE, summary="The form for a new establishment", response_class=Response)
def ask(request: Request, actor: SignedIn) -> Response:
    """An empty form, with a map to set the position on."""
    check_known(request.query_params, ("done", "receipt"))
    require(actor, "propose", "establishments")
    return _page(request, actor, None, {}, [], 200)


@router.post(PAGE, summary="Add an establishment", response_class=Response)
def add(request: Request, actor: SignedIn, form: SentForm) -> Response:
    """Adds it; where the register may hold it already, shows those first and asks."""
    check_form(request, actor, form)
    require(actor, "propose", "establishments")
    fields = (*FIELDS, STATUS)
    typed = typed_texts(form, fields) | {"reason": form["reason"]}
    checks = {name: form[name] for name in CHECKS}
    values = wire_values(typed, fields)
    errors = [*argument_errors(typed), *_check_errors(checks)]
    with read_as(database(request), actor) as connection:
        try:
            columns(connection, RECORD_TYPES["establishments"], values, new=True)
        except InvalidValues as invalid:
            errors += invalid.errors
        found = _candidates(request, connection, values, checks)
    if errors:
        return _page(request, actor, State(typed, errors), checks, found, 422)
    if found and form["anyway"] != "true":
        # Asked once with what was found; the tick answers for exactly those.
        return _page(request, actor, State(typed), checks, found, 409, asked=form["shown"] == "true")
    outcome = record_saving.save(database(request), actor, _plain(form), Wish("establishments", fields))
    if isinstance(outcome, Refused):
        return _page(request, actor, outcome.state, checks, found, outcome.status)
    if isinstance(outcome, Proposed):
        return see_other(request, "/staff/establishments/new", done="proposed_plain", receipt=outcome.receipt)
    code = outcome.code if isinstance(outcome, Saved) else ""
    return see_other(request, f"/staff/establishments/{code}", done="added")


def _check_errors(checks: Mapping[str, str]) -> list[FieldError]:
    """What is wrong with the numbers that are only compared with."""
    long = [name for name, text in checks.items() if len(text) > LONGEST_CHECK]
    unreadable = [name for name, text in checks.items() if not readable(text)]
    return [
        *(FieldError(name, "unreadable_text") for name in unreadable),
        *(FieldError(name, "too_long", {"most": LONGEST_CHECK}) for name in long if name not in unreadable),
    ]


def _plain(form: Form) -> Form:
    """The form without a version: there is no record yet that a choice could be about."""
    return Form({name: values for name, values in form.fields.items() if name not in ("version", "seen", "clash")})


def _candidates(
    request: Request, connection: Connection, values: Mapping[str, Any], checks: Mapping[str, str]
) -> list[duplicates.Candidate]:
    secrets = secrets_of(request)
    usable = {name: text for name, text in checks.items() if text and not _check_errors({name: text})}
    by_tax, by_phone = (
        tuple(personal_data.find_by_identifier(connection, secrets, usable[name])) if name in usable else ()
        for name in CHECKS
    )
    point = values.get("geometry")
    lon, lat = point["coordinates"] if isinstance(point, dict) else (None, None)
    if lon is None or lat is None or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        lon = lat = None
    draft = duplicates.Draft(
        name=_text(values.get("name")),
        address=_text(values.get("address")),
        lon=lon,
        lat=lat,
        model_site=_text(values.get("model_site")),
        stall=_text(values.get("stall")),
        tax_entities=by_tax,
        phone_entities=by_phone,
    )
    return duplicates.candidates(connection, draft)


def _text(value: Any) -> str | None:
    """A text short enough to be compared; a longer one is refused anyway."""
    return str(value)[:300] if value else None


def _page(
    request: Request,
    actor: Actor,
    state: State | None,
    checks: Mapping[str, str],
    found: Sequence[duplicates.Candidate],
    status: int,
    *,
    asked: bool = False,
) -> Response:
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        options = register.choices(connection)
        box = ward_box(connection, actor.ward_code)
    form = form_view("establishments", (*FIELDS, STATUS), START, lang, state=state, options=options)
    receipt = "".join(c for c in request.query_params.get("receipt", "") if c.isalnum() or c == "-")[:40]
    done = request.query_params.get("done") == "proposed_plain"
    context = {
        "form": form,
        "identity": ("name", "operating_status", *staff_record.IDENTITY[1:]),
        "position": [
            each for name in staff_record.POSITION for each in (("lat", "lon") if name == "geometry" else (name,))
        ],
        "checks": checks,
        "check_errors": {
            each.field: error_words("establishments", each.field, each.code, each.values, lang)
            for each in (state.errors if state else ())
            if each.field in CHECKS
        },
        "candidates": [_candidate(each, lang) for each in found],
        "asked": asked,
        "may_create": can(actor, "create", "establishments"),
        "done": labels.text("register.done.proposed_plain", lang, receipt=receipt) if done else "",
        "script": staff_record.map_data({}, box, actor.ward_code, lang, editable=True),
    }
    return staff_page(request, actor, "staff/new.html", status=status, **context)


def _candidate(found: duplicates.Candidate, lang: str) -> dict[str, Any]:
    place = found.place
    return {
        **place,
        "name": place["name"] or labels.text("register.nameless", lang),
        "percent": round(found.score * 100),
        "metres": None if found.distance_m is None else round(found.distance_m),
        "reasons": ", ".join(labels.text(f"register.duplicate.{reason}", lang) for reason in found.reasons),
    }
