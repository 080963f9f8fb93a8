"""/staff/stickers: the stickers at the ward's doors, and what officers note of each: hung, seen, lost, withdrawn."""

import re
from dataclasses import replace
from secrets import token_urlsafe
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from layers import register, sticker_lists
from layers.errors import InvalidCursor
from layers.sticker_lists import Row, StickerQuery
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import MAX_TEXT, check_known
from mapservice.photo_files import SentPhoto, picture
from mapservice.record_forms import argument_errors
from mapservice.sealed import secrets_of
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from postgis import codes, sticker_marks
from postgis.actor import Actor, prepare_as, read_as, write_as
from postgis.errors import Forbidden, InvalidValues, NotFound, Stale
from postgis.store import photos, stickers
from postgis.store.stickers import RunOrder
from postgis.today import today
from postgis.vocabulary import STICKER_LAYOUTS, STICKER_STATES
from web import staff_stickers
from web.render import local

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/stickers"
WITH_REASON = ("lost", "withdrawn", "spoilt")
ACTIONS = ("seen", *WITH_REASON, "replace")
_NUMBER = re.compile(r"[0-9]{1,9}")


@router.get(PAGE, summary="Stickers, for staff", response_class=Response)
def index(request: Request, actor: SignedIn) -> Response:
    """The ward's stickers, by state; `q`: a serial, a code, a name, or the whole address that a scan gives."""
    params = request.query_params
    check_known(params, ("state", "q", "place", "cursor"))
    require(actor, "read", "stickers")
    lang, q = page_language(request), _sought(params.get("q", "").replace("\0", " ").strip()[:MAX_TEXT])
    state = params.get("state") or None
    if state is not None and state not in STICKER_STATES:
        raise Problem("invalid_value", pointer="state", name="state", value=state)
    place = params.get("place", "")
    if place and codes.normalise(place) is None:
        raise Problem("invalid_value", pointer="place", name="place", value=place)
    every = StickerQuery(q=q or None, place=codes.normalise(place))
    with read_as(database(request), actor) as connection:
        serial = sticker_marks.canonical(q) if q else None
        if serial and sticker_lists.sticker(connection, serial) is not None:
            return see_other(request, f"{PAGE}/{serial}")
        try:
            page = sticker_lists.stickers(connection, replace(every, state=state), params.get("cursor"))
        except InvalidCursor:
            raise Problem("invalid_cursor", pointer="cursor") from None
        counts = sticker_lists.count(connection, every)
    kept = {"q": q, "place": every.place}
    return staff_page(
        request,
        actor,
        "staff/stickers/list.html",
        rows=[staff_stickers.sticker_row(row, lang) for row in page.rows],
        states=staff_stickers.state_links(counts, state, kept, lang),
        state=state or "",
        q=q,
        place=every.place or "",
        next_href=local(lang, PAGE, **kept, state=state, cursor=page.next_cursor) if page.next_cursor else "",
        may_print=can(actor, "create", "stickers"),
    )


@router.get(PAGE + "/{serial}", summary="A sticker, for staff", response_class=Response)
def show(request: Request, serial: str, actor: SignedIn) -> Response:
    """Its place, its state, what happened to it, and what can be noted."""
    check_known(request.query_params, ("done",))
    require(actor, "read", "stickers")
    return _page(request, actor, serial)


@router.post(PAGE + "/{serial}/install", summary="Note that a sticker hangs", response_class=Response)
def install(request: Request, serial: str, actor: SignedIn, sent: SentPhoto) -> Response:
    """With a photo of the door, where one was taken: it becomes a photo of the place."""
    check_form(request, actor, sent.form)
    require(actor, "change", "stickers")
    serial = _serial(serial)
    version = _version(sent.form["version"])
    try:
        if not sent.photo:
            with prepare_as(database(request), actor) as connection:
                stickers.move(connection, serial, "installed", version, actor.staff_id)
        else:
            made = picture(sent.photo)
            reason = staff_stickers.photo_reason(serial)
            with write_as(database(request), actor, reason=reason, source="field_survey") as connection:
                row = _found(connection, serial)
                photos.keep_files(database(request).settings.data_dir, made)
                about = {"source": "field_survey", "taken_on": today().isoformat(), "caption": reason}
                photo = photos.add(connection, row["code"], made, about)
                stickers.move(connection, serial, "installed", version, actor.staff_id, photo_id=int(photo))
    except InvalidValues as invalid:
        return _page(request, actor, serial, errors=invalid.errors, status=422)
    except Stale:
        return _page(request, actor, serial, stale=True, status=409)
    except NotFound:
        raise Problem("unknown_sticker", value=serial) from None
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, f"{PAGE}/{serial}", done="installed")


@router.post(PAGE + "/{serial}/{action}", summary="Note what became of a sticker", response_class=Response)
def act(request: Request, serial: str, action: str, actor: SignedIn, form: SentForm) -> Response:
    """`seen` on patrol; `lost`, `withdrawn` or `spoilt`, with a reason; `replace`: a new one is made in its place."""
    check_form(request, actor, form)
    require(actor, "create" if action == "seen" else "change", "sticker_sightings" if action == "seen" else "stickers")
    serial = _serial(serial)
    if action not in ACTIONS:
        raise Problem("invalid_value", pointer="action", name="action", value=action)
    if action in WITH_REASON and (errors := argument_errors({"reason": form["reason"]})):
        return _page(request, actor, serial, errors=errors, action=action, status=422)
    try:
        with prepare_as(database(request), actor) as connection:
            if action == "replace":
                return see_other(request, _replaced(request, connection, actor, serial, form["key"]), done="made")
            if action == "seen":
                _found(connection, serial)
                stickers.note(connection, serial, "seen", actor.staff_id, form["reason"][:500])
            else:
                version = _version(form["version"])
                stickers.move(connection, serial, action, version, actor.staff_id, words=form["reason"])
    except InvalidValues as invalid:
        return _page(request, actor, serial, errors=invalid.errors, action=action, status=422)
    except Stale:
        return _page(request, actor, serial, stale=True, status=409)
    except NotFound:
        raise Problem("unknown_sticker", value=serial) from None
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, f"{PAGE}/{serial}", done=action)


def _replaced(request: Request, connection: Any, actor: Actor, serial: str, key: str) -> str:
    """Where the run is that prints the new one, on the paper that the old one was printed on."""
    row = _found(connection, serial)
    run = sticker_lists.run(connection, row["run_id"])
    layout = run["layout"] if run else STICKER_LAYOUTS[0]
    order = RunOrder(
        actor.ward_id, actor.staff_id, f"{actor.staff_id} {key[:64] or token_urlsafe(18)}", "replacement",
        {"serial": serial}, layout, staff_stickers.per_page(layout),
    )  # fmt: skip
    return f"{PAGE}/runs/{stickers.replace(connection, secrets_of(database(request)), order, serial)}"


def _sought(q: str) -> str:
    """What is looked for: of the address on a sticker its serial."""
    _, scanned, rest = q.rpartition("/q/")
    if not scanned:
        return q
    code, _, query = rest.partition("?")
    parts = sticker_marks.split(QueryParams(query).get("t", ""))
    return parts[0] if parts else code


def _serial(text: str) -> str:
    found = sticker_marks.canonical(text)
    if found is None:
        raise Problem("unknown_sticker", value=text)
    return found


def _version(text: str) -> int:
    return int(text) if _NUMBER.fullmatch(text) else 0


def _found(connection: Any, serial: str) -> Row:
    row = sticker_lists.sticker(connection, serial)
    if row is None:
        raise NotFound
    return row


def _page(
    request: Request,
    actor: Actor,
    serial: str,
    *,
    errors: Any = (),
    action: str = "install",
    stale: bool = False,
    status: int = 200,
) -> Response:
    lang, serial = page_language(request), _serial(serial)
    with read_as(database(request), actor) as connection:
        try:
            row = _found(connection, serial)
        except NotFound:
            raise Problem("unknown_sticker", value=serial) from None
        events = sticker_lists.events(connection, row["id"])
        names = register.choices(connection)
        run = sticker_lists.run(connection, row["run_id"])
    return staff_page(
        request,
        actor,
        "staff/stickers/one.html",
        status=status,
        sticker=staff_stickers.sticker_row(row, lang),
        version=row["version"],
        photo=row["photo"],
        replaces=row["replaces"],
        replaced_by=row["replaced_by"],
        run=staff_stickers.run_row(run, names, lang) if run else None,
        events=[staff_stickers.event_row(event, lang) for event in events],
        misused=staff_stickers.misused(events, lang),
        actions=staff_stickers.actions(
            row["state"],
            may_change=can(actor, "change", "stickers"),
            may_note=can(actor, "create", "sticker_sightings"),
        ),
        with_reason=WITH_REASON,
        key=token_urlsafe(18),
        errors=[staff_stickers.error_text(error, lang) for error in errors],
        erring=action if errors else "",
        problem=staff_stickers.stale_text(lang) if stale else "",
        done=staff_stickers.done_text(request.query_params.get("done"), lang),
    )
