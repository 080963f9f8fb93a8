"""The legal entity behind an establishment: found and linked, made, changed. A person's number never stays in it."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import record_sheet
from mapservice import record_saving
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.record_forms import argument_errors, seen_version, typed_texts, wire_values
from mapservice.record_page import canonical, record_page, unknown
from mapservice.record_saving import Refused, Saved, Wish
from mapservice.routes.staff.personal import secrets_of
from mapservice.routes.staff.record import answer
from mapservice.security import SentForm, SignedIn, check_form, require
from mapservice.staff_page import see_other
from postgis.actor import Actor, read_as, write_as
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.risk import risk_of
from postgis.store import life_cycle, personal_data, records
from postgis.store.proposals import snapshot
from postgis.store.record_types import RECORD_TYPES
from web.staff_forms import State
from web.staff_record import Target

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/establishments/{code}"
ENTITY = RECORD_TYPES["legal_entities"].fields
LINK = tuple(field for field in RECORD_TYPES["establishments"].fields if field.name == "legal_entity")


@router.post(PAGE + "/legal-entity", summary="Link a legal entity, or unlink it", response_class=Response)
def link(request: Request, code: str, actor: SignedIn, form: SentForm) -> Response:
    """`legal_entity` is its code, or empty. A change of the establishment like any other: with version and reason.

    With `look`, shows the entities that are like `entity`: in the answer to a form and not at an address of its own,
    since what is looked for may be a person's number.
    """
    check_form(request, actor, form)
    require(actor, "change", "establishments")
    code = canonical(code)
    if "look" in form:
        return record_page(request, actor, code, entity_text=form["entity"])
    try:
        outcome = record_saving.save(database(request), actor, form, Wish("establishments", LINK, code))
    except NotFound:
        raise unknown(code) from None
    if isinstance(outcome, Refused):
        target = Target("legal_entity_link", None, outcome.state)
        return record_page(request, actor, code, target=target, status=outcome.status)
    done = "unchanged"
    if isinstance(outcome, Saved):
        done = "entity_linked" if form["legal_entity"] else "entity_unlinked"
    return _to_section(request, code, done)


@router.post(PAGE + "/legal_entities", summary="Make a legal entity and link it", response_class=Response)
def create(request: Request, code: str, actor: SignedIn, form: SentForm) -> Response:
    """Makes the entity and links it, both or neither; a household's tax code goes to its personal data.

    Links it to the version of the establishment that the form was made from: a colleague may have linked another since.
    """
    check_form(request, actor, form)
    require(actor, "create", "legal_entities")
    code = canonical(code)
    typed = typed_texts(form, ENTITY) | {"reason": form["reason"]}
    values = wire_values(typed, ENTITY)
    errors = argument_errors(typed)
    try:
        with write_as(database(request), actor, reason=typed["reason"]) as connection:
            entity = _kept(request, connection, actor, values)
            life_cycle.change_owner(connection, code, seen_version(form), legal_entity=entity)
            if errors:
                raise InvalidValues(())
    except InvalidValues as invalid:
        state = State(typed, [*errors, *invalid.errors])
        return record_page(request, actor, code, target=Target("legal_entities", None, state), status=422)
    except Stale:
        with read_as(database(request), actor) as connection:
            who = record_sheet.last_change(connection, "establishments", code)
        state = State(typed, errors, changed_by=who)
        return record_page(request, actor, code, target=Target("legal_entities", None, state), status=409)
    except (NotFound, life_cycle.NotPossible):
        raise unknown(code) from None
    except Forbidden:
        raise Problem("forbidden") from None
    return _to_section(request, code, "entity_linked")


@router.post(PAGE + "/legal_entities/{entity}", summary="Change the legal entity", response_class=Response)
def change(request: Request, code: str, entity: str, actor: SignedIn, form: SentForm) -> Response:
    """Changes the entity that trades here; what harms it on the registry waits for a second person."""
    check_form(request, actor, form)
    code = canonical(code)
    with read_as(database(request), actor) as connection:
        sheet = record_sheet.sheet(connection, code)
    if sheet is None or sheet.entity is None or sheet.entity.code != entity:
        raise unknown(entity)
    values = wire_values(typed_texts(form, ENTITY), ENTITY)
    legal_form = values.get("legal_form", sheet.entity.values["legal_form"])
    _, number = personal_data.split_personal_number(values, legal_form)
    wish = Wish("legal_entities", ENTITY, entity, aside=number, keep_aside=_keeper(request))
    outcome = record_saving.save(database(request), actor, form, wish)
    response = answer(request, actor, code, outcome, "legal_entities", entity, "saved")
    if "location" in response.headers:
        response.headers["Location"] = response.headers["Location"].replace("#legal_entities", "#entity")
    return response


def _keeper(request: Request) -> Callable[[Connection, str, str], None]:
    """Keeps a household's number with its personal data; what is wrong with it is told at the field it was typed in."""

    def keep(connection: Connection, entity: str, number: str) -> None:
        try:
            personal_data.keep(connection, secrets_of(request), entity, "household_tax_code", number)
        except InvalidValues:
            raise InvalidValues([FieldError("tax_code", "household_number")]) from None

    return keep


def _kept(request: Request, connection: Connection, actor: Actor, values: Mapping[str, Any]) -> str:
    public, number = personal_data.split_personal_number(values, values.get("legal_form"))
    made = records.create(connection, "legal_entities", public, ward_id=actor.ward_id)
    if risk_of("legal_entities", None, snapshot(made), "staff") == "adverse":
        # To make it and to link it is one step, and only one record can wait for a second person.
        raise InvalidValues([FieldError("registry_status", "second_person")])
    if number:
        _keeper(request)(connection, made.code, number)
    return made.code


def _to_section(request: Request, code: str, done: str) -> Response:
    response = see_other(request, f"/staff/establishments/{code}", done=done)
    response.headers["Location"] += "#entity"
    return response
