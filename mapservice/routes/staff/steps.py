"""/staff/establishments/{code}/steps/{step}: suspended, reopened, closed, moved, sold: asked, confirmed, done."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import record_sheet
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.record_actions import ACTIONS, Action, possible, words
from mapservice.record_forms import argument_errors, seen_version, typed_texts, wire_values
from mapservice.record_page import canonical, entities_like, title, unknown
from mapservice.security import SentForm, SignedIn, can, check_form
from mapservice.staff_page import page_language, see_other, staff_page
from postgis.actor import Actor, read_as, write_as
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.store import life_cycle, proposals, records
from postgis.store.record_types import RECORD_TYPES, WritableField
from postgis.store.record_values import columns
from postgis.today import today
from web import labels
from web.staff_forms import State, form_view

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/establishments/{code}/steps/{step}"
_FIELDS_OF_ERRORS = {"to": "moved_to", "into": "merged_into"}


@router.get(PAGE, summary="A step of an establishment's life, to confirm", response_class=Response)
def ask(request: Request, code: str, step: str, actor: SignedIn) -> Response:
    """What the step means, and what it needs to know."""
    check_known(request.query_params, ())
    return _page(request, actor, canonical(code), _action(step))


@router.post(PAGE, summary="Take a step of an establishment's life", response_class=Response)
def take(request: Request, code: str, step: str, actor: SignedIn, form: SentForm) -> Response:
    """Takes the step on the version that was seen, or proposes it; with `look`, shows legal entities to choose from."""
    check_form(request, actor, form)
    code, action = canonical(code), _action(step)
    if "look" in form:
        return _page(request, actor, code, action, entity_text=form["entity"])
    fields = _fields(action)
    typed = typed_texts(form, fields) | {"reason": form["reason"]}
    errors = argument_errors(typed)
    page = f"/staff/establishments/{code}"
    try:
        with write_as(database(request), actor, reason=typed["reason"]) as connection:
            errors += _wrong(connection, fields, wire_values(typed, fields))
            if not can(actor, "change", "establishments"):
                receipt = _propose(connection, actor, code, action, wire_values(typed, fields), typed["reason"])
                done: Mapping[str, str] = {"done": "proposed_plain", "receipt": receipt}
            else:
                _take(connection, code, seen_version(form), action, wire_values(typed, fields), typed["reason"])
                done = {"done": "unmerged" if action.name == "undo-merge" else "status"}
            if errors:
                raise InvalidValues(())
    except InvalidValues as invalid:
        found = [replace(error, field=_FIELDS_OF_ERRORS.get(error.field, error.field)) for error in invalid.errors]
        known = {(error.field, error.code) for error in errors}
        errors += [error for error in found if (error.field, error.code) not in known]
        return _page(request, actor, code, action, State(typed, errors), 422)
    except Stale:
        return _page(request, actor, code, action, State(typed), 409, moved=True)
    except life_cycle.NotPossible as refused:
        return _page(request, actor, code, action, State(typed), 409, why=refused.why)
    except (NotFound, proposals.RecordEnded):
        raise unknown(code) from None
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, page, **done)


def _wrong(
    connection: Connection, fields: tuple[WritableField, ...], values: Mapping[str, Any]
) -> tuple[FieldError, ...]:
    """What is wrong with the fields by themselves: the step would tell the first mistake only.

    Which record a code names the step knows best: it takes codes as people write them.
    """
    plain = {field.name: values[field.name] for field in fields if field.kind != "reference" and field.name in values}
    try:
        columns(connection, RECORD_TYPES["establishments"], plain, new=False)
    except InvalidValues as invalid:
        return invalid.errors
    return ()


def _action(step: str) -> Action:
    action = ACTIONS.get(step)
    if action is None or step == "merge":
        raise Problem("not_found")
    return action


def _fields(action: Action) -> tuple[WritableField, ...]:
    return tuple(field for field in RECORD_TYPES["establishments"].fields if field.name in action.fields)


def _take(
    connection: Connection, code: str, version: int, action: Action, values: Mapping[str, Any], reason: str
) -> None:
    given = {name: value for name, value in values.items() if value is not None}
    if action.name == "suspend":
        life_cycle.suspend(connection, code, version, until=given.get("suspended_until"), reason=reason or None)
    elif action.name == "reopen":
        life_cycle.reopen(connection, code, version)
    elif action.name == "close":
        life_cycle.close(connection, code, version, reason=reason, on=given.get("closed_on"))
    elif action.name == "move":
        to = given.get("moved_to", "")
        life_cycle.move(connection, code, version, to=to, on=given.get("closed_on"), reason=reason or None)
    elif action.name == "change-owner":
        life_cycle.change_owner(connection, code, version, legal_entity=given.get("legal_entity"))
    elif action.name == "undo-merge":
        life_cycle.undo_merge(connection, code, version)
    elif action.name == "bring-back":
        records.bring_back(connection, "establishments", code, version)
    elif action.name == "retire":
        records.end(connection, "establishments", code, version, reason)
    else:
        values = {
            "operating_status": "not_found",
            "status_reason": reason or None,
            "verified_on": today().isoformat(),
        }
        records.change(connection, "establishments", code, version, values)


def _propose(
    connection: Connection, actor: Actor, code: str, action: Action, values: Mapping[str, Any], reason: str
) -> str:
    if action.proposed_as is None or not can(actor, "propose", "establishments"):
        raise Forbidden
    given = {name: value for name, value in values.items() if value is not None}
    patch = {"operating_status": action.proposed_as, **given}
    found = proposals.propose(
        connection,
        actor,
        collection="establishments",
        record_code=code,
        patch=patch,
        reason=reason,
        source="field_survey",
    )
    return found.receipt


def _page(
    request: Request,
    actor: Actor,
    code: str,
    action: Action,
    state: State | None = None,
    status: int = 200,
    *,
    moved: bool = False,
    why: str = "",
    entity_text: str = "",
) -> Response:
    lang, text = page_language(request), entity_text
    with read_as(database(request), actor) as connection:
        sheet = record_sheet.sheet(connection, code)
        if sheet is None:
            raise unknown(code)
        found = entities_like(request, connection, text) if text and action.name == "change-owner" else None
    place = sheet.overview
    if status == 200 and not possible(actor, action, place):
        why = why or _why_not(actor, place)
    start = {"closed_on": today()} if action.name in ("close", "move") else {}
    context = {
        "place": {**place, "title": title(place, lang)},
        "step": action.name,
        "title": words(action, lang),
        "lead": labels.text(f"register.steps.{action.name}.lead", lang),
        "button": labels.text(f"register.steps.{action.name}.do", lang),
        "dangerous": action.dangerous,
        "proposing": not can(actor, "change", "establishments"),
        "fields": action.fields if action.name != "change-owner" else (),
        "form": form_view(
            "establishments",
            _fields(action),
            start,
            lang,
            version=place["version"],
            state=state,
            options=_options(action),
        ),
        "moved": moved,
        "why": labels.text(f"register.not_possible.{why}", lang) if why else "",
        "entity_text": text,
        "entity_search": found,
        "current_entity": place["registered_name"] or "",
        "entity_create": form_view(
            "legal_entities",
            RECORD_TYPES["legal_entities"].fields,
            {"registry_status": "unknown"},
            lang,
            version=place["version"],
        ),
    }
    return staff_page(request, actor, "staff/step.html", status=status, **context)


def _why_not(actor: Actor, place: Mapping[str, Any]) -> str:
    if not can(actor, "change", "establishments"):
        return "forbidden"
    if place["ended_at"] is not None:
        return "merged" if place["merged_into_id"] else "ended"
    status = str(place["operating_status"])
    return status if status in ("active", "suspended", "closed", "moved") else "status"


def _options(action: Action) -> dict[str, dict[str, str]]:
    return {"legal_entity": {}} if action.name == "change-owner" else {}
