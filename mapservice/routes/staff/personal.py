"""Personal data of a legal entity, masked, and its readings: /staff/legal_entities/{code}/personal, /staff/reveals.

No value stands in an address, a log or an error document; each answer is `no-store`. A value is shown once, in the
answer to a form that states the purpose, after the reading has been committed to the log.
"""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import record_sheet
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import see_other, staff_page
from postgis.actor import Actor, read_as, write_as
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound
from postgis.secrets import Secrets, Undecipherable, open_secrets
from postgis.store import personal_data
from postgis.store.record_values import readable
from postgis.vocabulary import PERSONAL_FIELDS

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/legal_entities/{code}/personal"
MAX_REASON = 500
PAGE_SIZE = 50
DONE = ("kept", "forgotten")


def secrets_of(request: Request) -> Secrets:
    """The keys of this installation."""
    return open_secrets(database(request).settings.data_dir)


def section(connection: Connection, actor: Actor, entity: str) -> dict[str, Any]:
    """What `staff/parts/personal.html` needs as `personal`: masked values, and whether the actor may ask for one.

    Raises NotFound.
    """
    may_reveal = can(actor, "reveal", "personal_data")
    found = personal_data.masked(connection, entity) if may_reveal else []
    return {
        "entity": entity,
        "may_reveal": may_reveal,
        "fields": [asdict(datum) for datum in found],
        "missing": [field for field in PERSONAL_FIELDS if field not in {datum.field for datum in found}],
        "max_purpose": personal_data.MAX_PURPOSE,
    }


@router.get(PAGE, summary="Personal data of a legal entity, masked", response_class=Response)
def show(request: Request, code: str, actor: SignedIn) -> Response:
    """The masked values, with forms for reading one, replacing one and removing one."""
    check_known(request.query_params, ("done",))
    require(actor, "read", "personal_data")
    return _page(request, actor, code)


@router.post(PAGE + "/{field}/reveal", summary="Read a personal value, for a purpose", response_class=Response)
def reveal(request: Request, code: str, field: str, actor: SignedIn, form: SentForm) -> Response:
    """The value, once, on a page that nothing keeps; the reading is in the log before the value is on the page."""
    check_form(request, actor, form)
    require(actor, "reveal", "personal_data")
    _check_field(field)
    try:
        with write_as(database(request), actor, reason=None) as connection:
            value = personal_data.reveal(connection, secrets_of(request), actor, code, field, form["purpose"])
    except InvalidValues as invalid:
        return _page(request, actor, code, errors=invalid.errors, opened=("reveal", field), typed=_typed(form))
    except (NotFound, Forbidden) as refusal:
        raise _problem(refusal) from None
    except Undecipherable:
        raise Problem("personal_undecipherable") from None
    purpose = " ".join(form["purpose"].split())
    return staff_page(
        request, actor, "staff/personal_value.html", entity=code, field=field, value=value, purpose=purpose
    )


@router.post(PAGE + "/{field}/remove", summary="Remove a personal value for good", response_class=Response)
def remove(request: Request, code: str, field: str, actor: SignedIn, form: SentForm) -> Response:
    """Forgets the value; the history keeps that it was there, who removed it and why."""
    check_form(request, actor, form)
    require(actor, "change", "legal_entities")
    _check_field(field)
    try:
        if errors := _reason_errors(form):
            raise InvalidValues(errors)
        with write_as(database(request), actor, reason=form["reason"]) as connection:
            personal_data.forget(connection, code, field)
    except InvalidValues as invalid:
        return _page(request, actor, code, errors=invalid.errors, opened=("remove", field), typed=_typed(form))
    except (NotFound, Forbidden) as refusal:
        raise _problem(refusal) from None
    return see_other(request, PAGE.format(code=code), done="forgotten")


@router.post(PAGE + "/{field}", summary="Set or replace a personal value", response_class=Response)
def keep(request: Request, code: str, field: str, actor: SignedIn, form: SentForm) -> Response:
    """Stores the value encrypted. A value that cannot be right is said to be so beside its box."""
    check_form(request, actor, form)
    require(actor, "change", "legal_entities")
    _check_field(field)
    try:
        with write_as(database(request), actor, reason=form["reason"]) as connection:
            errors = _reason_errors(form)
            try:
                personal_data.keep(connection, secrets_of(request), code, field, form["value"])
            except InvalidValues as invalid:
                errors += invalid.errors
            if errors:
                raise InvalidValues(errors)
    except InvalidValues as invalid:
        return _page(request, actor, code, errors=invalid.errors, opened=("keep", field), typed=_typed(form))
    except (NotFound, Forbidden) as refusal:
        raise _problem(refusal) from None
    return see_other(request, PAGE.format(code=code), done="kept")


@router.get("/staff/reveals", summary="Who read which personal value, when and why", response_class=Response)
def reveals(request: Request, actor: SignedIn) -> Response:
    """The log of readings, for those who answer for the ward; an officer sees their own."""
    check_known(request.query_params, ("before", "entity"))
    require(actor, "reveal", "personal_data")
    asked = request.query_params
    before = asked.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise Problem("invalid_cursor", pointer="before")
    with read_as(database(request), actor) as connection:
        found, following = personal_data.reveals(
            connection, before=int(before) if before else None, entity=asked.get("entity") or None, limit=PAGE_SIZE
        )
    return staff_page(
        request,
        actor,
        "staff/reveals.html",
        reveals=[asdict(read) for read in found],
        following=following,
        entity=asked.get("entity", ""),
        sees_all=actor.role in personal_data.OVERSEERS,
    )


def _page(
    request: Request,
    actor: Actor,
    code: str,
    *,
    errors: tuple[FieldError, ...] = (),
    opened: tuple[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    """The page of an entity's personal data; after a refusal with the form that was sent, as it was typed."""
    try:
        with read_as(database(request), actor) as connection:
            found = section(connection, actor, code)
            entity = record_sheet.entity(connection, code)
    except NotFound as refusal:
        raise _problem(refusal) from None
    done = request.query_params.get("done")
    return staff_page(
        request,
        actor,
        "staff/personal.html",
        status=422 if errors else 200,
        personal=found,
        entity=entity,
        errors={error.field: asdict(error) for error in errors},
        opened=opened,
        typed=typed or {},
        done=done if done in DONE else None,
    )


def _typed(form: SentForm) -> dict[str, str]:
    return {name: form[name] for name in ("value", "reason", "purpose") if name in form}


def _reason_errors(form: SentForm) -> list[FieldError]:
    reason = form["reason"]
    if not reason:
        return [FieldError("reason", "required")]
    if len(reason) > MAX_REASON:
        return [FieldError("reason", "too_long_personal", {"most": MAX_REASON})]
    return [] if readable(reason) else [FieldError("reason", "unreadable_personal")]


def _check_field(field: str) -> None:
    if field not in PERSONAL_FIELDS:
        raise Problem("not_found")


def _problem(refusal: NotFound | Forbidden) -> Problem:
    return Problem("forbidden" if isinstance(refusal, Forbidden) else "not_found")
