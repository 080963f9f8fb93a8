"""/staff/proposals: the review queue. Works as plain forms; `static/js/staff/review.js` sends them by keyboard."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from layers import proposals as reading
from layers.proposals import QueueFilter
from mapservice import reviewing
from mapservice.dependencies import Language, database
from mapservice.errors import Problem, problem_document
from mapservice.forms import Form
from mapservice.language import wants_html
from mapservice.proposal_documents import reviewed_document
from mapservice.record_forms import wire_values
from mapservice.responses import json_bytes
from mapservice.reviewing import ACTIONS, Decision, Refused, problem_of
from mapservice.rights import can
from mapservice.routes.public.proposals import FILTERS, queue_filter, refusal_document
from mapservice.security import SentForm, SignedIn, check_form, require
from mapservice.staff_page import NO_STORE, page_language, staff_page
from postgis.actor import Actor, read_as
from postgis.errors import NotFound
from postgis.store.applying import Chosen, Outcome, Resolutions
from postgis.store.proposals import read_receipt
from postgis.store.record_types import RECORD_TYPES
from web import labels
from web.proposals import card, next_address, summary

router = APIRouter(tags=["Staff"], include_in_schema=False)

QUEUE = "/staff/proposals"
CHOICES = ("risk", "collection", "proposer_kind")
KEPT = (*FILTERS, "establishment")
"""Parameters that stay as they are from one action to the next."""
MOST_AT_ONCE = 200


@router.get("/staff/proposals", summary="Review queue", response_class=Response)
def queue(request: Request, actor: SignedIn) -> Response:
    """Fifty at a time, gravest first; surveyors see their own."""
    require(actor, "read", "proposals")
    return _queue_page(request, actor, request.query_params)


@router.post("/staff/proposals/apply", summary="Apply the selected proposals of low risk", response_class=Response)
def apply_selected(request: Request, actor: SignedIn, form: SentForm) -> Response:
    """Each for itself; what could not be applied is listed and stays."""
    check_form(request, actor, form)
    query = QueryParams(_kept(form["query"]))
    receipts = [found for typed in form.all("receipt")[:MOST_AT_ONCE] if (found := read_receipt(typed))]
    if not receipts:
        return _queue_page(request, actor, query, report={"applied": 0, "refused": [], "none": True})
    outcomes = reviewing.apply_low_risk(database(request), actor, receipts)
    refused = [_refusal(outcome, request) for outcome in outcomes if outcome.refusal]
    report = {"applied": len(outcomes) - len(refused), "refused": refused, "none": False}
    return _queue_page(request, actor, query, report=report)


@router.get("/staff/proposals/{receipt}", summary="One proposal, for review", response_class=Response)
def proposal(request: Request, receipt: str, actor: SignedIn) -> Response:
    """The same card as in the queue, by itself."""
    require(actor, "read", "proposals")
    return _one_page(request, actor, _receipt(receipt))


@router.post("/staff/proposals/{receipt}", summary="Decide on a proposal", response_class=Response)
def decide(request: Request, receipt: str, actor: SignedIn, form: SentForm, lang: Language) -> Response:
    """`action` is apply, return, reject or withdraw. On to the next card, or back with what is in the way."""
    check_form(request, actor, form)
    stored = _receipt(receipt)
    if form["action"] not in ACTIONS:
        raise Problem("invalid_value", pointer="action", name="action", value=form["action"])
    try:
        decision = _decision(request, actor, stored, form)
        done = reviewing.decide(database(request), actor, stored, form["action"], decision)
    except Refused as refused:
        if wants_html(request):
            return _one_page(request, actor, stored, refused=refused, typed=form)
        document = refusal_document(refused, request, lang, None)
        return Response(json_bytes(document), refused.status, NO_STORE, "application/problem+json")
    if not wants_html(request):
        return Response(json_bytes({"receipt": stored, "state": done.state}), 200, NO_STORE, "application/json")
    address = next_address(QUEUE, _kept(form["query"]), read_receipt(form["next"]), page_language(request))
    return RedirectResponse(address, 303, NO_STORE)


def _queue_page(
    request: Request, actor: Actor, params: QueryParams, report: Mapping[str, Any] | None = None
) -> Response:
    chosen = queue_filter(params, actor)
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        found, after = reading.queue(connection, chosen, after=params.get("after"))
        cards = [card(reviewed_document(reviewed, actor), lang) for reviewed in found]
        counts = reading.counts(connection, chosen)
        returned = reading.counts(connection, QueueFilter(state="returned", proposed_by=actor.staff_id))
    query = {name: params[name] for name in KEPT if params.get(name)}
    groups = _groups(cards, chosen)
    order = [each.receipt for _, found in groups for each in found]
    return staff_page(
        request,
        actor,
        "staff/proposals/queue.html",
        groups=groups,
        following=dict(zip(order, [*order[1:], ""], strict=False)),
        bulk=any(risk == "low" for risk, _ in groups) and can(actor, "review", "proposals"),
        typed={},
        wrong={},
        total=sum(
            row["count"] for row in counts if all(getattr(chosen, name) in (None, row[name]) for name in CHOICES)
        ),
        counts=summary(counts, CHOICES),
        filters=FILTERS,
        chosen={name: params.get(name, "") for name in KEPT},
        filtered=any(query.get(name) for name in (*CHOICES, "establishment")),
        state=chosen.state,
        own=chosen.proposed_by is not None,
        returned=sum(row["count"] for row in returned),
        after=after,
        first="after" not in params,
        query=query,
        query_text=urlencode(query),
        report=report,
        script={"words": labels.table("review.script", lang), "next": next_address(QUEUE, query, None, lang)},
    )


def _groups(cards: list[Any], chosen: QueueFilter) -> list[tuple[str | None, list[Any]]]:
    """Cards by risk while they wait; decided ones in one list. Risk may have grown since it was noted."""
    if chosen.state != "pending":
        return [(None, cards)] if cards else []
    by_risk = {risk: [each for each in cards if each.document["risk"] == risk] for risk in ("adverse", "normal", "low")}
    return [(risk, found) for risk, found in by_risk.items() if found]


def _one_page(
    request: Request, actor: Actor, receipt: str, refused: Refused | None = None, typed: Form | None = None
) -> Response:
    lang = page_language(request)
    try:
        with read_as(database(request), actor) as connection:
            shown = card(reviewed_document(reading.one(connection, receipt), actor), lang)
    except NotFound:
        raise Problem("unknown_proposal") from None
    refusal = refusal_document(refused, request, lang, shown.document["collection"]) if refused else None
    return staff_page(
        request,
        actor,
        "staff/proposals/one.html",
        status=refused.status if refused else 200,
        card=shown,
        query_text="",
        typed={name: values[0] for name, values in typed.fields.items()} if typed else {},
        refusal=refusal,
        wrong=_told_at(refusal, lang),
        script={"words": labels.table("review.script", lang), "next": next_address(QUEUE, {}, None, lang)},
    )


def _told_at(refusal: Mapping[str, Any] | None, lang: str) -> dict[str, str]:
    """What is wrong, by the field it is told at: of a conflict, that a value is to be chosen."""
    if refusal is None:
        return {}
    choose = {each["field"]: labels.text("register.conflict.pick", lang) for each in refusal.get("conflicts", ())}
    return choose | {each["pointer"]: each["detail"] for each in refusal.get("errors", ())}


def _decision(request: Request, actor: Actor, receipt: str, form: Form) -> Decision:
    """What the form says. A value of the reviewer's own is read as on every form: 31/12/2026, 12,5."""
    choices = {name.removeprefix("choose."): form[name] for name in form.fields if name.startswith("choose.")}
    resolutions: dict[str, Any] = {name: choice for name, choice in choices.items() if choice in ("current", "wanted")}
    own = {name: form[f"own.{name}"] for name, choice in choices.items() if choice == "own"}
    if own:
        resolutions |= _own_values(request, actor, receipt, own)
    version = form["seen_version"]
    return Decision(
        note=form["note"] or None,
        evidence=form["evidence"] or None,
        legal_basis=form["legal_basis"] or None,
        resolutions=resolutions,
        seen_version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None,
    )


def _own_values(request: Request, actor: Actor, receipt: str, typed: Mapping[str, str]) -> Resolutions:
    try:
        with read_as(database(request), actor) as connection:
            collection = reading.one(connection, receipt).proposal.collection
    except NotFound:
        raise Problem("unknown_proposal") from None
    fields = [field for field in RECORD_TYPES[collection].fields if field.name in typed]
    return {name: Chosen(value) for name, value in wire_values(typed, fields).items()}


def _refusal(outcome: Outcome, request: Request) -> dict[str, Any]:
    """One that could not be applied with the others, and why."""
    lang = page_language(request)
    problem = problem_of(outcome.refusal) if outcome.refusal else Problem("internal")
    return {"receipt": outcome.receipt, "why": problem_document(problem, request, lang)["title"]}


def _kept(query: str) -> dict[str, str]:
    """The filters that the page had, from its own hidden field."""
    return {name: value for name, value in parse_qsl(query) if name in KEPT and len(value) <= 60}


def _receipt(typed: str) -> str:
    found = read_receipt(typed)
    if found is None:
        raise Problem("unknown_proposal")
    return found
