"""/staff/establishments/{code}: an establishment's record, to read, correct and add to. Whole without JavaScript."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers import record_sheet
from mapservice import record_saving
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.record_page import canonical, entry_fields, main_fields, record_page, unknown
from mapservice.record_saving import Outcome, Proposed, Refused, Saved, Wish
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import see_other
from postgis.actor import Actor, read_as
from postgis.errors import NotFound
from web.staff_record import Target

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/establishments/{code}"
SECTIONS = tuple(record_sheet.DATED)


@router.get(PAGE, summary="The record of an establishment", response_class=Response)
def show(request: Request, code: str, actor: SignedIn) -> Response:
    """Form, map, dated records, photos and the latest changes."""
    check_known(request.query_params, ("done", "receipt"))
    return record_page(request, actor, code)


@router.post(PAGE, summary="Save an establishment's own fields", response_class=Response)
def save(request: Request, code: str, actor: SignedIn, form: SentForm) -> Response:
    """Saves what was changed, or shows the page again with what is wrong or what a colleague changed meanwhile."""
    check_form(request, actor, form)
    code = canonical(code)
    outcome = _saved(request, actor, form, Wish("establishments", main_fields(), code), code)
    return answer(request, actor, code, outcome, "establishments", code, "saved")


@router.post(PAGE + "/{collection}", summary="Add a dated record", response_class=Response)
def add(request: Request, code: str, collection: str, actor: SignedIn, form: SentForm) -> Response:
    """Adds a licence, food-safety file, inspection, warning, payment check, digital use or outreach."""
    check_form(request, actor, form)
    code = canonical(code)
    _known(collection)
    with read_as(database(request), actor) as connection:
        if record_sheet.sheet(connection, code) is None:
            raise unknown(code)
    wish = Wish(collection, entry_fields(collection), fixed={"establishment": code})
    return answer(request, actor, code, _saved(request, actor, form, wish, code), collection, None, "saved")


@router.post(PAGE + "/{collection}/{record}", summary="Change a dated record", response_class=Response)
def change(request: Request, code: str, collection: str, record: str, actor: SignedIn, form: SentForm) -> Response:
    """Changes one dated record of the establishment."""
    check_form(request, actor, form)
    code = canonical(code)
    _belongs(request, actor, code, collection, record)
    outcome = _saved(request, actor, form, Wish(collection, entry_fields(collection), record), code)
    return answer(request, actor, code, outcome, collection, record, "saved")


@router.post(PAGE + "/{collection}/{record}/end", summary="End a dated record", response_class=Response)
def end(request: Request, code: str, collection: str, record: str, actor: SignedIn, form: SentForm) -> Response:
    """Ends one dated record, with a reason: it no longer counts, and stays in the history."""
    check_form(request, actor, form)
    code = canonical(code)
    _belongs(request, actor, code, collection, record)
    outcome = record_saving.end(database(request), actor, form, collection, record)
    return answer(request, actor, code, outcome, collection, record, "ended", ending=True)


@router.post(PAGE + "/{collection}/{record}/restore", summary="Bring back an ended record", response_class=Response)
def restore(request: Request, code: str, collection: str, record: str, actor: SignedIn, form: SentForm) -> Response:
    """Undoes the end of one dated record."""
    check_form(request, actor, form)
    code = canonical(code)
    require(actor, "end", collection if collection in SECTIONS else "establishments")
    _belongs(request, actor, code, collection, record)
    outcome = record_saving.bring_back(database(request), actor, form, collection, record)
    return answer(request, actor, code, outcome, collection, record, "restored", ending=True)


def answer(
    request: Request,
    actor: Actor,
    code: str,
    outcome: Outcome,
    collection: str,
    record: str | None,
    done: str,
    *,
    ending: bool = False,
) -> Response:
    """On to the record, or the record with the refused form."""
    page, anchor = f"/staff/establishments/{code}", "" if collection == "establishments" else f"#{collection}"
    if isinstance(outcome, Refused):
        target = Target(collection, record, outcome.state, outcome.seen, outcome.version, ending)
        return record_page(request, actor, code, target=target, status=outcome.status)
    if isinstance(outcome, Proposed):
        words = "proposed" if can(actor, "change", "establishments") else "proposed_plain"
        return see_other(request, page, done=words, receipt=outcome.receipt)
    response = see_other(request, page, done=done if isinstance(outcome, Saved) else "unchanged")
    response.headers["Location"] += anchor
    return response


def _saved(request: Request, actor: Actor, form: SentForm, wish: Wish, code: str) -> Outcome:
    try:
        return record_saving.save(database(request), actor, form, wish)
    except NotFound:
        raise unknown(code) from None


def _known(collection: str) -> None:
    if collection not in SECTIONS:
        raise Problem("not_found")


def _belongs(request: Request, actor: Actor, code: str, collection: str, record: str) -> None:
    """Raises Problem unless the record is one of this establishment: rights are those on what is loaded."""
    _known(collection)
    with read_as(database(request), actor) as connection:
        sheet = record_sheet.sheet(connection, code)
    if sheet is None or record not in {entry.code for entry in sheet.entries[collection]}:
        raise unknown(record)
