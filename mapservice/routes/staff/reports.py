"""/staff/reports: the officers' inbox of what citizens report; one report's page and what is done about it."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import reports as reading
from layers.reports import VIEWS, InboxFilter
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.forms import Form
from mapservice.parameters import check_known
from mapservice.reviewing import REFUSALS, problem_of
from mapservice.sealed import secrets_of
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import NO_STORE, page_language, see_other, staff_page
from postgis import codes
from postgis.actor import Actor, prepare_as, read_as, write_as
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.secrets import Undecipherable
from postgis.store import photos, proposals, reports, stickers
from postgis.today import read_day, today
from postgis.vocabulary import REPORT_KINDS
from web import labels
from web import reports as words
from web.render import local

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/reports"
MAY_PROPOSE = ("name", "address", "offering", "opening_hours", "website")
"""Fields of a place that an officer proposes to change from a report's page; all others on the record itself."""


@router.get(PAGE, summary="Citizens' reports", response_class=Response)
def inbox(request: Request, actor: SignedIn) -> Response:
    """Those that wait, by deadline; others by `state`. Filters: `kind`, `overdue=1`, `establishment`."""
    require(actor, "read", "reports")
    params, lang = request.query_params, page_language(request)
    check_known(params, ("state", "kind", "overdue", "establishment", "after"))
    chosen = _chosen(params)
    with read_as(database(request), actor) as connection:
        rows, after = reading.inbox(connection, chosen, _after(params.get("after")))
        counts = reading.counts(connection)
    query = {name: params[name] for name in ("state", "kind", "overdue", "establishment") if params.get(name)}
    following = local(lang, PAGE, **query, after=f"{after[0]}_{after[1]}") if after else ""
    day = today()
    return staff_page(
        request,
        actor,
        "staff/reports/inbox.html",
        rows=[words.inbox_row(row, day, lang) for row in rows],
        chosen=chosen,
        views={view: sum(counts[view].values()) for view in VIEWS},
        kinds=counts["overdue" if chosen.overdue else chosen.view],
        late=sum(counts["overdue"].values()),
        narrowed=bool(chosen.kind or chosen.overdue or chosen.place),
        next_href=following,
        first_href=local(lang, PAGE, **query) if params.get("after") else "",
    )


@router.get(PAGE + "/{number}", summary="One report", response_class=Response)
def show(request: Request, number: str, actor: SignedIn) -> Response:
    """What was reported, how it stands, and what may be done about it."""
    check_known(request.query_params, ("done",))
    require(actor, "read", "reports")
    return _page(request, actor, _number(number))


@router.get(PAGE + "/{number}/photo", summary="The photo of a report", response_class=Response)
def photo(request: Request, number: str, actor: SignedIn) -> Response:
    """For the ward's officers alone."""
    require(actor, "read", "reports")
    with read_as(database(request), actor) as connection:
        found = reading.one(connection, _number(number))
    if found is None:
        raise Problem("unknown_report")
    content = photos.read_file(database(request).settings.data_dir, found.photo) if found.photo else None
    if content is None:
        raise Problem("unknown_photo")
    return Response(content, 200, NO_STORE, "image/jpeg")


@router.post(PAGE + "/{number}", summary="Do something about a report", response_class=Response)
def act(request: Request, number: str, actor: SignedIn, form: SentForm) -> Response:
    """`action` is take, extend, answer, reject, close or propose; what somebody else did meanwhile is shown."""
    check_form(request, actor, form)
    require(actor, "change", "reports")
    report, action = _number(number), form["action"]
    version = int(form["version"]) if form["version"].isascii() and form["version"].isdigit() else 0
    step = _steps(actor, report, min(version, 2**31 - 1), form).get(action)
    if step is None:
        raise Problem("invalid_value", pointer="action", name="action", value=action)
    # Nothing of it is in the history, so nobody waits for an import; a proposal is in its own.
    writing = write_as if action == "propose" else prepare_as
    try:
        with writing(database(request), actor, reason=None) as connection:
            step(connection)
    except InvalidValues as invalid:
        return _page(request, actor, report, typed=form, errors=invalid.errors, status=422)
    except Stale:
        return _page(request, actor, report, typed=form, stale=True, status=409)
    except NotFound:
        raise Problem("unknown_report") from None
    except Forbidden:
        raise Problem("forbidden") from None
    except REFUSALS as refusal:
        raise problem_of(refusal) from refusal
    return see_other(request, f"{PAGE}/{report}", done=action)


def _steps(actor: Actor, number: int, version: int, form: Form) -> Mapping[str, Callable[[Connection], None]]:
    """What each action does."""
    by_report = labels.text("reports.one.by_report", "vi", number=str(number))
    finding = reports.StickerFinding(by_report, form["withdraw"] == "true")

    def propose(connection: Connection) -> None:
        found = reading.one(connection, number)
        if found is None or found.place_code is None:
            raise NotFound
        field = form["field"]
        if field not in MAY_PROPOSE:
            raise InvalidValues([FieldError("field", "required")])
        receipt = proposals.propose(
            connection,
            actor,
            collection="establishments",
            record_code=found.place_code,
            patch={field: form["value"] or None},
            reason=by_report,
            source="citizen",
            proposer_kind="citizen",
        ).receipt
        reports.note_proposal(connection, actor, number, version, receipt)

    return {
        "take": lambda connection: reports.take_up(connection, actor, number, version),
        "extend": lambda connection: reports.extend(connection, actor, number, version),
        "answer": lambda connection: reports.answer(
            connection, actor, number, version, outcome=form["outcome"], words=form.raw("answer"), finding=finding
        ),
        "reject": lambda connection: reports.reject(connection, actor, number, version, form.raw("reason")),
        "close": lambda connection: reports.close(connection, number, version),
        "propose": propose,
    }


def _page(
    request: Request,
    actor: Actor,
    number: int,
    *,
    typed: Form | None = None,
    errors: Any = (),
    stale: bool = False,
    status: int = 200,
) -> Response:
    lang, day = page_language(request), today()
    with read_as(database(request), actor) as connection:
        found = reading.one(connection, number)
        events = reading.events(connection, number) if found else []
    if found is None:
        raise Problem("unknown_report")
    said = None
    if found.words_sealed is not None:
        with contextlib.suppress(Undecipherable):
            said = reports.words_of(secrets_of(database(request)), found.receipt, found.words_sealed)
    action = typed["action"] if typed else ""
    about = "establishments" if action == "propose" else "reports"
    told = words.words_by_field(about, [(each.field, each.code, each.values) for each in errors], lang)
    done = request.query_params.get("done", "")
    return staff_page(
        request,
        actor,
        "staff/reports/one.html",
        status=status,
        report=found,
        row=words.inbox_row(found, day, lang),
        said=said,
        events=words.event_lines(events, lang),
        open=found.state in reading.OPEN,
        sticker_open=found.sticker_state in stickers.OPEN_STATES,
        mine=found.handler == actor.display_name,
        may_act=can(actor, "change", "reports"),
        fields=MAY_PROPOSE if found.place_code and not found.place_ended_at else (),
        done=done if done in ("take", "extend", "answer", "reject", "close", "propose") else "",
        stale=stale,
        action=action,
        typed={name: values[0] for name, values in typed.fields.items()} if typed else {},
        # A reason is kept as the answer; it is typed into a field of its own. So is what is proposed.
        errors={("reason" if action == "reject" and name == "answer" else name): text for name, text in told.items()},
    )


def _chosen(params: Mapping[str, str]) -> InboxFilter:
    view, kind, place = params.get("state") or "open", params.get("kind") or None, params.get("establishment") or None
    if view not in VIEWS:
        raise Problem("invalid_value", pointer="state", name="state", value=view)
    if kind is not None and kind not in REPORT_KINDS:
        raise Problem("invalid_value", pointer="kind", name="kind", value=kind)
    overdue = params.get("overdue", "") not in ("", "0")
    return InboxFilter(view, kind, overdue and view == "open", (codes.normalise(place) or "-") if place else None)


def _after(typed: str | None) -> tuple[Any, int] | None:
    """Where a page starts: the deadline and number of the report before it. Raises Problem."""
    if not typed:
        return None
    day, _, number = typed.partition("_")
    try:
        return read_day(day), _number(number)
    except (ValueError, Problem):
        raise Problem("invalid_cursor", pointer="after") from None


def _number(typed: str) -> int:
    """A report's number, as the database can have it. Raises Problem."""
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 18):
        raise Problem("unknown_report")
    return int(typed)
