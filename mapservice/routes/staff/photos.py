"""Photos of shop fronts: added and taken away on the record, shown to everybody at /photos/{file}."""

import re

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers import photos as published
from layers import record_sheet
from mapservice.dependencies import ReadConnection, database
from mapservice.errors import Problem
from mapservice.photo_files import SentPhoto, picture
from mapservice.record_forms import argument_errors, seen_version, typed_texts, wire_values
from mapservice.record_page import canonical, record_page, unknown
from mapservice.responses import reply
from mapservice.security import MaybeActor, SentForm, SignedIn, check_form, require
from mapservice.staff_page import see_other
from postgis.actor import Actor, read_as, write_as
from postgis.errors import Forbidden, InvalidValues, NotFound, Stale
from postgis.store import photos
from postgis.store.record_values import columns
from web.staff_forms import State
from web.staff_record import Target

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/establishments/{code}/photos"
_FILE = re.compile(rf"([0-9a-f]{{64}})({photos.SMALL})?\.jpg")


@router.get("/photos/{file}", summary="A photo of a shop front", response_class=Response)
def show(request: Request, file: str, connection: ReadConnection, actor: MaybeActor) -> Response:
    """The picture, for everybody while its place is published; for the ward's staff also after that."""
    found = _FILE.fullmatch(file)
    if found is None:
        raise Problem("unknown_photo")
    public = published.is_published(connection, found[1])
    if not public and not _seen_by(request, actor, found[1]):
        raise Problem("unknown_photo")
    content = photos.read_file(database(request).settings.data_dir, found[1] + (found[2] or ""))
    if content is None:
        raise Problem("unknown_photo")
    # Revalidated every time: a photo that was taken away is gone at once.
    return reply(request, content, "image/jpeg", cache="no-cache" if public else "no-store")


@router.post(PAGE, summary="Add a photo of the front", response_class=Response)
def add(request: Request, code: str, actor: SignedIn, sent: SentPhoto) -> Response:
    """Keeps the photo, upright, at most 1600 pixels a side and without metadata."""
    check_form(request, actor, sent.form)
    require(actor, "create", "photos")
    code = canonical(code)
    typed = typed_texts(sent.form, photos.PHOTO.fields) | {"reason": sent.form["reason"]}
    errors = argument_errors(typed)
    values = wire_values(typed, photos.PHOTO.fields)
    try:
        made = picture(sent.photo)
    except InvalidValues as invalid:
        errors = [*invalid.errors, *errors]
    with read_as(database(request), actor) as connection:
        try:
            columns(connection, photos.PHOTO, values, new=True)
        except InvalidValues as invalid:
            errors += invalid.errors
    if errors:
        return _again(request, actor, code, State(typed, errors))
    try:
        with write_as(
            database(request), actor, reason=typed["reason"], source=_source(values.get("source"))
        ) as writing:
            photos.keep_files(database(request).settings.data_dir, made)
            photos.add(writing, code, made, values)
    except InvalidValues as invalid:
        return _again(request, actor, code, State(typed, invalid.errors))
    except NotFound:
        raise unknown(code) from None
    response = see_other(request, f"/staff/establishments/{code}", done="photo_added")
    response.headers["Location"] += "#photos"
    return response


@router.post(PAGE + "/{photo}/end", summary="Take a photo away", response_class=Response)
def end(request: Request, code: str, photo: str, actor: SignedIn, form: SentForm) -> Response:
    """The photo is no longer shown; its record stays, with the reason."""
    check_form(request, actor, form)
    require(actor, "end", "photos")
    code, typed = canonical(code), {"reason": form["reason"]}
    if errors := argument_errors(typed):
        return _again(request, actor, code, State(typed, errors), photo)
    try:
        with write_as(database(request), actor, reason=typed["reason"]) as connection:
            photos.end(connection, code, photo, seen_version(form), typed["reason"])
    except NotFound:
        raise unknown(code) from None
    except Stale:
        # Somebody else has taken it away: what was wanted has come about.
        pass
    except Forbidden:
        raise Problem("forbidden") from None
    response = see_other(request, f"/staff/establishments/{code}", done="photo_removed")
    response.headers["Location"] += "#photos"
    return response


def _again(request: Request, actor: Actor, code: str, state: State, photo: str | None = None) -> Response:
    target = Target("photos", photo, state, ending=photo is not None)
    return record_page(request, actor, code, target=target, status=422)


def _seen_by(request: Request, actor: Actor | None, file: str) -> bool:
    if actor is None:
        return False
    with read_as(database(request), actor) as connection:
        return record_sheet.seen_by_staff(connection, file)


def _source(given: object) -> str:
    source = photos.PHOTO.field("source")
    return str(given) if source and given in source.codes else "office"
