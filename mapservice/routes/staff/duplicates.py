"""/staff/this-week/duplicates: pairs that may be one place, and an officer's word that a pair is two."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers import distinct_pairs as decided_pairs
from layers import duplicates
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from postgis import codes
from postgis.actor import Actor, read_as, write_as
from postgis.errors import Forbidden, InvalidValues, NotFound
from postgis.store import distinct_pairs
from web import labels
from web.render import local
from web.staff_forms import State, form_view

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/this-week/duplicates"
PAIRS_PER_PAGE = 50
KEEP_APART, TAKE_BACK = "distinct", "undo"
DONE = ("kept_apart", "taken_back")


@router.get(PAGE, summary="Pairs of records that may be one place", response_class=Response)
def show(request: Request, actor: SignedIn) -> Response:
    """Possible pairs, likeliest first, each with its reasons; then those that were judged to be two places."""
    check_known(request.query_params, ("done",))
    require(actor, "read", "register")
    return _page(request, actor)


@router.post(PAGE, summary="Say that a pair is two places, or take it back", response_class=Response)
def judge(request: Request, actor: SignedIn, form: SentForm) -> Response:
    """`do` is distinct, with a `reason`, or undo; `one` and `other` are the codes."""
    check_form(request, actor, form)
    require(actor, "change", "establishments")
    pair = (codes.normalise(form["one"]) or "", codes.normalise(form["other"]) or "")
    state = State({"reason": form["reason"]})
    try:
        done = save(request, actor, form["do"], pair, form["reason"])
    except InvalidValues as invalid:
        return _page(request, actor, pair, State(state.typed, invalid.errors), 422)
    return see_other(request, PAGE, done=done)


def save(request: Request, actor: Actor, verb: str, pair: tuple[str, str], reason: str) -> str:
    """Keeps or takes back the decision; returns the key of the words about it. Raises InvalidValues, Problem."""
    try:
        with write_as(database(request), actor, reason=reason) as connection:
            if verb == TAKE_BACK:
                distinct_pairs.take_back(connection, actor, *pair)
                return "taken_back"
            distinct_pairs.keep_apart(connection, actor, *pair, reason)
            return "kept_apart"
    except NotFound:
        raise Problem("unknown_record", value=" · ".join(filter(None, pair))) from None
    except Forbidden:
        raise Problem("forbidden") from None


def decision_view(decision: decided_pairs.Decision, lang: str) -> dict[str, Any]:
    """Who decided what, for a page."""
    return {
        "places": [_named(place, lang) for place in (decision.one, decision.other)],
        "reason": decision.reason,
        "who": decision.who,
        "at": decision.at,
    }


def reason_form(lang: str, state: State | None = None) -> Any:
    """The form that asks why two records are two places."""
    return form_view("distinct_pairs", [], {}, lang, state=state)


def _page(
    request: Request,
    actor: Actor,
    refused: tuple[str, str] | None = None,
    state: State | None = None,
    status: int = 200,
) -> Response:
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        found = duplicates.pairs(connection)
        apart = decided_pairs.decisions(connection, PAIRS_PER_PAGE)
    done = request.query_params.get("done")
    pairs = [_pair(pair, lang) for pair in found[:PAIRS_PER_PAGE]]
    for number, pair in enumerate(pairs):
        own = refused is not None and set(refused) == {place["code"] for place in pair["places"]}
        pair |= {"form": reason_form(lang, state if own else None), "opened": own, "number": number}
    context: dict[str, Any] = {
        "total": len(found),
        "pairs": pairs,
        "apart": [decision_view(each, lang) for each in apart],
        "may_merge": can(actor, "change", "establishments"),
        "done": labels.text(f"register.done.{done}", lang) if done in DONE else "",
    }
    return staff_page(request, actor, "staff/duplicates.html", status=status, **context)


def _pair(pair: duplicates.Pair, lang: str) -> dict[str, Any]:
    one, other = pair.one, pair.other
    return {
        "places": [_named(place, lang) for place in (one, other)],
        "percent": round(pair.score * 100),
        "reasons": ", ".join(labels.text(f"register.duplicate.{reason}", lang) for reason in pair.reasons),
        "metres": None if pair.distance_m is None else round(pair.distance_m),
        # The older code is the one on stickers: it is kept unless somebody swaps the two.
        "href": local(lang, f"/staff/establishments/{other['code']}/merge", into=one["code"]),
    }


def _named(place: dict[str, Any], lang: str) -> dict[str, Any]:
    return {**place, "name": place["name"] or labels.text("register.nameless", lang)}
