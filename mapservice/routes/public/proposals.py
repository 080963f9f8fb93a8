"""/proposals: wanted changes, their receipts and their review, for programs; a receipt's page for whoever holds it."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from layers import proposals as reading
from layers.lookup import find_ward
from layers.proposals import PAGE_SIZE, QueueFilter
from mapservice import reviewing
from mapservice.dependencies import Language, ReadConnection, Settings, database
from mapservice.errors import Problem, problem_document
from mapservice.language import wants_html
from mapservice.openapi import json_body, parameters
from mapservice.parameters import check_known, whole_number
from mapservice.proposal_documents import SentJson, decision_of, holder_document, reviewed_document, wish_of
from mapservice.responses import json_bytes
from mapservice.reviewing import Refused
from mapservice.rights import can
from mapservice.security import MaybeActor, SignedIn, require
from postgis import codes
from postgis.actor import Actor, read_as
from postgis.errors import NotFound
from postgis.store.proposals import read_receipt
from postgis.store.record_types import RECORD_TYPES
from postgis.vocabulary import PROPOSAL_STATES, PROPOSER_KINDS, RISKS
from web.field_errors import error_words
from web.proposals import receipt_page

router = APIRouter(tags=["Proposals"])

NO_STORE = {"Cache-Control": "no-store"}
MOST = 200
RETRY_AFTER_S = 3600
"""After too many proposals: the hour that they are counted in."""
FILTERS = {"state": PROPOSAL_STATES, "risk": RISKS, "collection": tuple(RECORD_TYPES), "proposer_kind": PROPOSER_KINDS}


@router.post(
    "/proposals", summary="Propose a change", response_class=Response, openapi_extra=json_body("collection", "patch")
)
def propose(request: Request, actor: MaybeActor, sent: SentJson, lang: Language) -> Response:
    """From staff any change of a record, from everybody one of an establishment's public facts. Answers the receipt."""

    def make() -> Response:
        wish = wish_of(sent, actor)
        store = database(request)
        receipt = reviewing.propose(store, actor, wish) if actor else reviewing.suggest(store, wish)
        headers = {**NO_STORE, "Location": f"/proposals/{receipt}"}
        return _json({"receipt": receipt, "state": "pending"}, 201, headers)

    return _answer(request, lang, make, sent.get("collection"))


@router.get(
    "/proposals",
    summary="Proposals of the ward",
    response_class=Response,
    openapi_extra=parameters("f", "lang", "limit"),
)
def proposals(request: Request, actor: SignedIn) -> Response:
    """For reviewers all of them, gravest first; for others their own. A browser is led to the review screen."""
    if wants_html(request):
        return RedirectResponse("/staff/proposals", 303, NO_STORE)
    require(actor, "read", "proposals")
    params = request.query_params
    check_known(params, (*FILTERS, "establishment", "limit", "after"))
    limit = whole_number(params, "limit", PAGE_SIZE, least=1)
    with read_as(database(request), actor) as connection:
        found, after = reading.queue(
            connection, queue_filter(params, actor), after=params.get("after"), limit=min(limit, MOST)
        )
        shown = [reviewed_document(reviewed, actor) for reviewed in found]
    links = []
    if after:
        links.append({"rel": "next", "href": str(request.url.include_query_params(after=after))})
    return _json({"proposals": shown, "links": links})


@router.get("/proposals/{receipt}", summary="One proposal, by its receipt", response_class=Response)
def proposal(
    request: Request, receipt: str, actor: MaybeActor, connection: ReadConnection, settings: Settings, lang: Language
) -> Response:
    """For the ward's staff all of it; for anybody else who holds the receipt its state, what was asked and the note."""
    stored = _receipt(receipt)
    if actor is not None and can(actor, "read", "proposals") and not wants_html(request):
        try:
            with read_as(database(request), actor) as inside:
                return _json(reviewed_document(reading.one(inside, stored), actor))
        except NotFound:
            pass
    found = reading.receipt_state(connection, stored)
    if found is None:
        raise Problem("unknown_proposal")
    document = holder_document(found)
    if not wants_html(request):
        return _json(document)
    ward = find_ward(connection, settings.ward)
    page = receipt_page(document, request.url.path, ward, actor is not None, lang)
    return Response(page, 200, {**NO_STORE, "Content-Language": lang}, "text/html; charset=utf-8")


@router.post(
    "/proposals/{receipt}/apply", summary="Apply a proposal", response_class=Response, openapi_extra=json_body()
)
def apply(request: Request, receipt: str, actor: SignedIn, sent: SentJson, lang: Language) -> Response:
    """Merges it into the record as it is now; 409 with both values where they truly conflict."""
    return _decide(request, receipt, actor, "apply", sent, lang)


@router.post(
    "/proposals/{receipt}/return", summary="Send a proposal back", response_class=Response, openapi_extra=json_body()
)
def send_back(request: Request, receipt: str, actor: SignedIn, sent: SentJson, lang: Language) -> Response:
    """With a `note` that tells the proposer what is missing."""
    return _decide(request, receipt, actor, "return", sent, lang)


@router.post(
    "/proposals/{receipt}/reject", summary="Reject a proposal", response_class=Response, openapi_extra=json_body()
)
def reject(request: Request, receipt: str, actor: SignedIn, sent: SentJson, lang: Language) -> Response:
    """With a `note` that says why."""
    return _decide(request, receipt, actor, "reject", sent, lang)


@router.post("/proposals/{receipt}/withdraw", summary="Withdraw a proposal", response_class=Response)
def withdraw(request: Request, receipt: str, actor: MaybeActor, lang: Language) -> Response:
    """By the member of staff who proposed it; without an account by whoever holds the receipt."""
    stored = _receipt(receipt)

    def take_back() -> Response:
        _withdraw(request, stored, actor)
        if wants_html(request):
            way = f"/proposals/{stored}" + ("?lang=en" if lang == "en" else "")
            return RedirectResponse(way, 303, NO_STORE)
        return _json({"receipt": stored, "state": "withdrawn"})

    return _answer(request, lang, take_back, None)


def queue_filter(params: QueryParams, actor: Actor) -> QueueFilter:
    """The filter that an address names; who may not review sees their own alone. Raises Problem."""
    for name, allowed in FILTERS.items():
        if params.get(name) and params[name] not in allowed:
            raise Problem("invalid_value", pointer=name, name=name, value=params[name])
    chosen = {name: params.get(name) or None for name in FILTERS if name != "state"}
    place = params.get("establishment") or None
    return QueueFilter(
        state=params.get("state") or "pending",
        place=(codes.normalise(place) or "-") if place else None,
        proposed_by=None if can(actor, "review", "proposals") else actor.staff_id,
        **chosen,
    )


def refusal_document(refused: Refused, request: Request, lang: str, collection: str | None) -> dict[str, Any]:
    """The problem with the wrong fields, each in words, and both values of every field in conflict."""
    document = problem_document(refused, request, lang)
    if refused.errors:
        document["errors"] = [
            {
                "pointer": error.field,
                "code": error.code,
                "detail": error_words(collection or "shared", error.field, error.code, error.values, lang),
            }
            for error in refused.errors
        ]
    if refused.conflicts:
        document["seen_version"] = refused.version
        document["conflicts"] = [
            {"field": each.field, "base": each.base, "current": each.current, "wanted": each.wanted}
            for each in refused.conflicts
        ]
    return document


def _decide(request: Request, receipt: str, actor: Actor, action: str, sent: dict[str, Any], lang: str) -> Response:
    stored = _receipt(receipt)

    def decide() -> Response:
        done = reviewing.decide(database(request), actor, stored, action, decision_of(sent))
        return _json({"receipt": stored, "state": done.state})

    return _answer(request, lang, decide, None)


def _withdraw(request: Request, receipt: str, actor: Actor | None) -> None:
    """A member of staff may hold a citizen's receipt too, and then acts as anybody would."""
    store = database(request)
    if actor is not None:
        try:
            with read_as(store, actor) as connection:
                own = reading.one(connection, receipt).proposal.proposed_by is not None
        except NotFound:
            own = False
        if own:
            reviewing.decide(store, actor, receipt, "withdraw", reviewing.Decision())
            return
    with store.public.connect() as connection:
        if reading.receipt_state(connection, receipt) is None:
            raise Problem("unknown_proposal")
    reviewing.withdraw_suggestion(store, receipt)


def _answer(request: Request, lang: str, work: Callable[[], Response], collection: object) -> Response:
    """The answer, or the problem with all that belongs to it. A browser gets the problem as a page."""
    try:
        return work()
    except Refused as refused:
        if wants_html(request):
            raise
        known = collection if isinstance(collection, str) and collection in RECORD_TYPES else None
        document = refusal_document(refused, request, lang, known)
        headers = {**NO_STORE, "Content-Language": lang}
        if refused.status == 429:
            headers["Retry-After"] = str(RETRY_AFTER_S)
        return Response(json_bytes(document), refused.status, headers, "application/problem+json")


def _receipt(typed: str) -> str:
    found = read_receipt(typed)
    if found is None:
        raise Problem("unknown_proposal")
    return found


def _json(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json_bytes(document), status, headers or NO_STORE, "application/json")
