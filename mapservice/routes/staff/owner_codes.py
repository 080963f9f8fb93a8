"""/staff/establishments/{code}/owner-codes: one-time codes that officers give to owners at the ward office."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers.lookup import find_establishment
from mapservice.dependencies import database, http_settings
from mapservice.errors import Problem
from mapservice.record_page import canonical, unknown
from mapservice.sealed import secrets_of
from mapservice.security import SentForm, SignedIn, check_form, require
from mapservice.staff_page import staff_page
from postgis.actor import Actor, prepare_as, read_as
from postgis.errors import NotFound
from postgis.store import owners

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/establishments/{code}/owner-codes"


@router.get(PAGE, summary="Codes for the owner of a place", response_class=Response)
def show(request: Request, code: str, actor: SignedIn) -> Response:
    """Which were made, by whom, and how they ended; never a code."""
    require(actor, "create", "owner_codes")
    return _page(request, actor, canonical(code))


@router.post(PAGE, summary="Make or withdraw a code", response_class=Response)
def act(request: Request, code: str, actor: SignedIn, form: SentForm) -> Response:
    """`action` is make, which shows the new code this once, or withdraw."""
    check_form(request, actor, form)
    require(actor, "create", "owner_codes")
    place, made = canonical(code), ""
    if form["action"] not in ("make", "withdraw"):
        raise Problem("invalid_value", pointer="action", name="action", value=form["action"])
    try:
        with prepare_as(database(request), actor) as connection:
            if form["action"] == "make":
                made = owners.make_code(connection, secrets_of(database(request)), actor, place)
            else:
                owners.withdraw_codes(connection, place)
    except NotFound:
        raise unknown(code) from None
    return _page(request, actor, place, made=made, done=not made)


def _page(request: Request, actor: Actor, code: str, *, made: str = "", done: bool = False) -> Response:
    try:
        with read_as(database(request), actor) as connection:
            found = owners.codes_of(connection, code)
    except NotFound:
        raise unknown(code) from None
    with database(request).public.connect() as connection:
        place = find_establishment(connection, code)
    if place is None:
        raise unknown(code)
    return staff_page(
        request,
        actor,
        "staff/owner/codes.html",
        place=place.properties,
        codes=found,
        made=made,
        done=done,
        owner_url=f"{http_settings(request).lookup_base}/owner",
    )
