"""/staff/establishments/{code}/merge: two records side by side; the one ends and its code leads to the other, or an
officer says that they are two places.
"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers import distinct_pairs, duplicates, record_sheet
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.record_forms import seen_version
from mapservice.record_page import canonical, main_fields, title, unknown
from mapservice.routes.staff.duplicates import DONE, KEEP_APART, TAKE_BACK, decision_view
from mapservice.routes.staff.duplicates import save as save_decision
from mapservice.security import SentForm, SignedIn, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from postgis import codes
from postgis.actor import Actor, read_as, write_as
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.store import life_cycle, records
from postgis.store.record_types import RECORD_TYPES
from web import labels
from web.render import local
from web.staff_forms import State, form_view
from web.staff_record import SECTIONS, field_words

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/establishments/{code}/merge"
COMPARED = (
    *main_fields(),
    *(f for f in RECORD_TYPES["establishments"].fields if f.name in ("operating_status", "legal_entity", "closed_on")),
)


@router.get(PAGE, summary="Two records side by side, to merge", response_class=Response)
def ask(request: Request, code: str, actor: SignedIn) -> Response:
    """Asks with which record; with `into`, shows the two beside each other and what differs."""
    check_known(request.query_params, ("into", "done"))
    require(actor, "change", "establishments")
    return _page(request, actor, canonical(code), request.query_params.get("into", "").strip())


@router.post(PAGE, summary="Merge a record into another", response_class=Response)
def merge(request: Request, code: str, actor: SignedIn, form: SentForm) -> Response:
    """The record ends; its code leads to the other, which keeps what it has. Can be undone.

    With `do` distinct the two are noted as two places instead; with `do` undo that is taken back.
    """
    check_form(request, actor, form)
    require(actor, "change", "establishments")
    code, into = canonical(code), form["into"]
    if form["do"] in (KEEP_APART, TAKE_BACK):
        return _judge(request, actor, form, code, codes.normalise(into) or "")
    try:
        with write_as(database(request), actor, reason=form["reason"]) as connection:
            life_cycle.merge(connection, code, seen_version(form), into=into, reason=form["reason"])
    except InvalidValues as invalid:
        errors = [
            FieldError("reason" if error.field == "reason" else "merged_into", error.code, error.values)
            for error in invalid.errors
        ]
        return _page(request, actor, code, into, State({"reason": form["reason"]}, errors), 422)
    except Stale:
        return _page(request, actor, code, into, State({"reason": form["reason"]}), 409, moved=True)
    except life_cycle.NotPossible as refused:
        return _page(request, actor, code, into, State({"reason": form["reason"]}), 409, why=refused.why)
    except NotFound:
        raise unknown(code) from None
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, f"/staff/establishments/{codes.normalise(into) or into}", done="merged")


def _judge(request: Request, actor: Actor, form: SentForm, code: str, into: str) -> Response:
    try:
        done = save_decision(request, actor, form["do"], (code, into), form["reason"])
    except InvalidValues as invalid:
        errors = [error for error in invalid.errors if error.field == "reason"]
        return _page(request, actor, code, into, State({"reason": form["reason"]}, errors), 422)
    return see_other(request, f"/staff/establishments/{code}/merge", into=into, done=done)


def _page(
    request: Request,
    actor: Actor,
    code: str,
    typed: str,
    state: State | None = None,
    status: int = 200,
    *,
    moved: bool = False,
    why: str = "",
) -> Response:
    lang, into = page_language(request), codes.normalise(typed)
    errors = list(state.errors) if state else []
    with read_as(database(request), actor) as connection:
        gone = record_sheet.sheet(connection, code)
        if gone is None:
            raise unknown(code)
        kept = record_sheet.sheet(connection, into) if into and into != code else None
        if typed and kept is None and not errors:
            wrong = "same_place" if into == code else "no_such_place"
            errors, status = [FieldError("merged_into", wrong, {"value": typed})], 422
        place = gone.overview
        lon, lat = records.get(connection, "establishments", code).values["geometry"]["coordinates"][:2]
        draft = duplicates.Draft(
            place["name"], place["address"], lon, lat, place["model_site"], place["stall"], code=code
        )
        likely = duplicates.candidates(connection, draft)
        compared = _compared(connection, gone, kept, lang) if kept else []
        apart = distinct_pairs.decision(connection, code, kept.overview["code"]) if kept else None
    made = State({**(state.typed if state else {}), "merged_into": typed}, errors)
    reasons = next((each.reasons for each in likely if kept and each.place["code"] == kept.overview["code"]), ())
    field = [each for each in RECORD_TYPES["establishments"].fields if each.name == "merged_into"]
    done = request.query_params.get("done")
    context: dict[str, Any] = {
        "apart": decision_view(apart, lang) if apart else None,
        "done": labels.text(f"register.done.{done}", lang) if done in DONE else "",
        "place": {**place, "title": title(place, lang)},
        "kept": {**kept.overview, "title": title(kept.overview, lang)} if kept else None,
        "swap_href": local(lang, f"/staff/establishments/{kept.overview['code']}/merge", into=code) if kept else "",
        "compared": compared,
        "reasons": ", ".join(labels.text(f"register.duplicate.{reason}", lang) for reason in reasons),
        "likely": [{**each.place, "percent": round(each.score * 100)} for each in likely] if not kept else [],
        "form": form_view("establishments", field, {}, lang, version=place["version"], state=made),
        "typed": typed,
        "moved": moved,
        "why": labels.text(f"register.not_possible.{why}", lang) if why else "",
    }
    return staff_page(request, actor, "staff/merge.html", status=status, **context)


def _compared(connection: Any, gone: record_sheet.Sheet, kept: record_sheet.Sheet, lang: str) -> list[dict[str, Any]]:
    """Each field of both, and how many records of each kind they have."""
    both = [records.get(connection, "establishments", sheet.overview["code"]).values for sheet in (kept, gone)]
    words = [field_words("establishments", COMPARED, values, lang) for values in both]
    found = [
        {"title": one[1], "kept": one[2], "gone": other[2], "differs": one[2] != other[2]}
        for one, other in zip(*words, strict=True)
    ]
    for name in SECTIONS:
        counts = [sum(entry.ended_at is None for entry in sheet.entries[name]) for sheet in (kept, gone)]
        if any(counts):
            first, second = (labels.number(count, lang) for count in counts)
            section = labels.text(f"register.sections.{name}", lang)
            found.append({"title": section, "kept": first, "gone": second, "differs": counts[0] != counts[1]})
    return found
