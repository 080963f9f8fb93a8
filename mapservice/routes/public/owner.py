"""/owner: a place's owner signs in with a code from the ward office, proposes changes, replies to adverse facts."""

from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import owner as reading
from layers.lookup import FoundPlace, find_establishment
from mapservice.dependencies import ReadConnection, database
from mapservice.errors import Problem
from mapservice.forms import Form
from mapservice.owner_session import (
    MaybeOwner,
    SignedInOwner,
    check_owner_form,
    give_cookie,
    take_cookie,
)
from mapservice.parameters import check_known
from mapservice.public_forms import form_page, on_to, page_frame
from mapservice.record_forms import changed, seen_values, typed_texts, wire_values
from mapservice.routes.public.corrections import FIELDS
from mapservice.sealed import secrets_of
from mapservice.security import SentForm
from mapservice.staff_page import page_language
from postgis import codes
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound
from postgis.store import owners
from postgis.store.owners import OwnerSession
from postgis.store.suggestions import TooManyProposals
from web import owner as pages
from web.corrections import correction_form

router = APIRouter(tags=["Owner"], include_in_schema=False)

PAGE = "/owner"
DONE = ("sent", "signed_out")


@router.get(PAGE, summary="The owner's page, or the form to sign in", response_class=Response)
def show(request: Request, owner: MaybeOwner, connection: ReadConnection) -> Response:
    """What is public about the place, what was asked for, and the adverse facts with their replies."""
    check_known(request.query_params, ("done", "place"))
    if owner is None:
        return _sign_in_page(request, connection)
    return _page(request, connection, owner)


@router.post(PAGE, summary="Sign in as an owner", response_class=Response)
def enter(request: Request, owner: MaybeOwner, form: SentForm, connection: ReadConnection) -> Response:
    """With the place's code and the one-time code. What is wrong with a refused one is not told."""
    del owner
    place = codes.normalise(form["place"])
    with database(request).staff.begin() as staff:
        cookie = owners.sign_in(staff, secrets_of(database(request)), place or "-", form["code"][:64])
    if cookie is None:
        return _sign_in_page(request, connection, form, status=403)
    response = on_to(PAGE, page_language(request))
    give_cookie(response, request, cookie)
    return response


@router.post(PAGE + "/sign-out", summary="Sign out", response_class=Response)
def leave(request: Request, owner: SignedInOwner, form: SentForm) -> Response:
    """Ends the session: the code that opened it does not work again."""
    check_owner_form(owner, form)
    with database(request).staff.begin() as connection:
        owners.sign_out(connection, owner)
    response = on_to(PAGE, page_language(request), done="signed_out")
    take_cookie(response, request)
    return response


@router.get(PAGE + "/correct", summary="Form for a correction by the owner", response_class=Response)
def ask(request: Request, owner: SignedInOwner, connection: ReadConnection) -> Response:
    """Filled with what is published."""
    return _correction(request, connection, owner, _place(connection, owner))


@router.post(PAGE + "/correct", summary="Propose a correction as the owner", response_class=Response)
def correct(request: Request, owner: SignedInOwner, form: SentForm, connection: ReadConnection) -> Response:
    """Always reviewed; followed on the owner's page."""
    check_owner_form(owner, form)
    found = _place(connection, owner)
    patch = changed(wire_values(typed_texts(form, FIELDS), FIELDS), seen_values(form) or found.properties)
    if not patch:
        return _correction(request, connection, owner, found, form, errors=[FieldError("patch", "no_change")])
    try:
        with database(request).staff.begin() as staff:
            owners.correct(staff, owner, patch, form["reason"])
    except InvalidValues as invalid:
        return _correction(request, connection, owner, found, form, errors=list(invalid.errors))
    except TooManyProposals:
        return _correction(request, connection, owner, found, form, problem="corrections.too_many", status=429)
    except (NotFound, Forbidden):
        raise Problem("owner_sign_in_required") from None
    return on_to(PAGE, page_language(request), done="sent")


@router.post(PAGE + "/reply", summary="Reply to an adverse fact", response_class=Response)
def reply(request: Request, owner: SignedInOwner, form: SentForm, connection: ReadConnection) -> Response:
    """Shown beside the fact once it was reviewed. `fact` is its collection and code: `warnings:12`."""
    check_owner_form(owner, form)
    collection, _, record = form["fact"].partition(":")
    fact = next((each for each in reading.adverse_facts(connection, owner.place) if each["id"] == form["fact"]), None)
    if fact is None:
        raise Problem("unknown_feature", value=form["fact"], collection="warnings")
    replied_on = fact["replied_on"].isoformat() if fact["replied_on"] else None
    try:
        with database(request).staff.begin() as staff:
            seen = {"reply": fact["reply"], "replied_on": replied_on}
            owners.reply(staff, owner, collection, record, seen, form.raw("reply"))
    except InvalidValues as invalid:
        return _page(request, connection, owner, form, errors=list(invalid.errors), status=422)
    except TooManyProposals:
        return _page(request, connection, owner, form, problem="corrections.too_many", status=429)
    except (NotFound, Forbidden):
        raise Problem("owner_sign_in_required") from None
    return on_to(PAGE, page_language(request), done="sent")


def _page(
    request: Request,
    connection: Connection,
    owner: OwnerSession,
    form: Form | None = None,
    *,
    errors: list[FieldError] | None = None,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    lang = page_language(request)
    found = _place(connection, owner)
    with database(request).staff.begin() as staff:
        requests = owners.requests(staff, owner)
    done = request.query_params.get("done", "")
    page = pages.owner_page(
        page_frame(request, connection, lang, _ward(found)),
        place=found.properties,
        facts=reading.adverse_facts(connection, owner.place),
        requests=requests,
        csrf_token=owner.csrf_token,
        typed={"fact": form["fact"], "reply": form.raw("reply")} if form else {},
        errors=[(error.field, error.code, error.values) for error in errors or ()],
        problem=problem,
        done=done if done in DONE else "",
    )
    return form_page(page, lang, status)


def _sign_in_page(request: Request, connection: Connection, form: Form | None = None, *, status: int = 200) -> Response:
    lang = page_language(request)
    place = form["place"][:24] if form else request.query_params.get("place", "")[:24]
    page = pages.sign_in_page(
        page_frame(request, connection, lang),
        place=place,
        refused=form is not None,
        signed_out=request.query_params.get("done") == "signed_out",
    )
    return form_page(page, lang, status)


def _correction(
    request: Request,
    connection: Connection,
    owner: OwnerSession,
    found: FoundPlace,
    form: Form | None = None,
    *,
    errors: list[FieldError] | None = None,
    problem: str | None = None,
    status: int = 422,
) -> Response:
    lang = page_language(request)
    typed: dict[str, Any] = {**typed_texts(form, FIELDS), "reason": form["reason"]} if form else {}
    page = correction_form(
        page_frame(request, connection, lang, _ward(found)),
        action="/owner/correct" + ("?lang=en" if lang == "en" else ""),
        place=found.properties,
        fields=FIELDS,
        typed=typed,
        seen=form["seen"] if form else "",
        errors=[(error.field, error.code, error.values) for error in errors or ()],
        problem=problem,
        owner_proof=owner.csrf_token,
    )
    return form_page(page, lang, status if form else 200)


def _place(connection: Connection, owner: OwnerSession) -> FoundPlace:
    found = find_establishment(connection, owner.place)
    if found is None:
        raise Problem("owner_sign_in_required")
    return found


def _ward(found: FoundPlace) -> str | None:
    return str(found.properties["ward"]) if found.properties["ward"] else None
