"""Proposals on the wire: what is asked of us, read strictly, and what we answer to reviewers and to receipt holders."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request

from layers.proposals import FieldChange, Reviewed, field_changes
from mapservice.errors import Problem
from mapservice.feature_body import only_once, refuse_constant
from mapservice.forms import read_body
from mapservice.reviewing import Decision, Refused
from mapservice.rights import can
from postgis import codes
from postgis.actor import Actor
from postgis.errors import FieldError
from postgis.risk import ENDED
from postgis.store.applying import Chosen
from postgis.store.owners import REPLIES, REPLY_FIELDS
from postgis.store.record_types import RECORD_TYPES
from postgis.store.suggestions import MAY_SUGGEST
from postgis.vocabulary import PROPOSER_KINDS, SOURCES

MAX_JSON_BYTES = 256 * 1024
"""Room for the outline of a model site."""
_DEEPEST = 64
_ASKED = {
    "collection": str,
    "id": str,
    "patch": dict,
    "base": dict,
    "base_version": int,
    "reason": str,
    "evidence": str,
    "legal_basis": str,
    "source": str,
    "proposer_kind": str,
}
_DECIDED = {"note": str, "evidence": str, "legal_basis": str, "resolutions": dict, "seen_version": int}
_LARGEST = 2**31 - 1
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.S)


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object in the body; an empty body is an empty object. Raises Problem."""
    body = await read_body(request, MAX_JSON_BYTES)
    if not body.strip():
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem("unsupported_media_type", value=media_type, known="application/json")
    if _depth(body) > _DEEPEST:
        raise Problem("invalid_form")
    try:
        found = json.loads(body, parse_constant=refuse_constant, object_pairs_hook=only_once)
        # Lone halves of a letter and NUL are JSON, but no text that a database can hold.
        json.dumps(found, ensure_ascii=False).encode()
    except ValueError:
        raise Problem("invalid_form") from None
    if not isinstance(found, dict) or not _storable(found):
        raise Problem("invalid_form")
    return found


SentJson = Annotated[dict[str, Any], Depends(read_json)]


def wish_of(sent: Mapping[str, Any], actor: Actor | None) -> dict[str, Any]:
    """What POST /proposals asks for, as the store takes it. Raises Refused with every wrong member."""
    errors, sent = _mistyped(sent, _ASKED), _given(sent)
    collection, kind = sent.get("collection"), sent.get("proposer_kind", "staff" if actor else "citizen")
    if not isinstance(collection, str) or collection not in RECORD_TYPES:
        errors.append(FieldError("collection", "not_in_list", _listed(collection, RECORD_TYPES)))
    kinds = PROPOSER_KINDS if actor else tuple(kind for kind in PROPOSER_KINDS if kind not in ("staff", "import"))
    if kind not in kinds:
        errors.append(FieldError("proposer_kind", "not_in_list", _listed(kind, kinds)))
    if sent.get("source", "office") not in SOURCES:
        errors.append(FieldError("source", "not_in_list", _listed(sent["source"], SOURCES)))
    if "patch" not in sent:
        errors.append(FieldError("patch", "required"))
    if errors:
        raise Refused("invalid_proposal", errors=errors)
    words = {"collection": collection, "reason": sent.get("reason", ""), "evidence": sent.get("evidence")}
    if actor is None:
        return {**words, **_suggestion(sent), "proposer_kind": kind}
    return {
        **words,
        "record_code": _code(sent["id"]) if collection == "establishments" and sent.get("id") else sent.get("id"),
        "patch": sent["patch"],
        "base": sent.get("base"),
        "base_version": sent.get("base_version"),
        "legal_basis": sent.get("legal_basis"),
        "source": sent.get("source", "office"),
        "proposer_kind": kind,
    }


def _suggestion(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The parts that somebody without an account may send: the place is `id`, or `establishment` of a new record."""
    if sent["collection"] not in MAY_SUGGEST:
        raise Problem("sign_in_required")
    patch = dict(sent["patch"])
    place = sent.get("id") if sent["collection"] == "establishments" else patch.pop("establishment", None)
    if not isinstance(place, str) or not place:
        name = "id" if sent["collection"] == "establishments" else "establishment"
        raise Refused("invalid_proposal", errors=[FieldError(name, "required")])
    return {"establishment": _code(place), "patch": patch}


def decision_of(sent: Mapping[str, Any]) -> Decision:
    """What a decision says, from JSON. Raises Refused."""
    errors, sent = _mistyped(sent, _DECIDED), _given(sent)
    resolutions = {}
    for name, choice in sent.get("resolutions", {}).items() if not errors else ():
        if choice in ("current", "wanted"):
            resolutions[name] = choice
        elif isinstance(choice, dict) and set(choice) == {"value"}:
            resolutions[name] = Chosen(choice["value"])
        else:
            errors.append(FieldError(name, "not_in_list", _listed(choice, ("current", "wanted", '{"value": …}'))))
    if resolutions and not sent.get("seen_version"):
        errors.append(FieldError("seen_version", "required"))
    if errors:
        raise Refused("invalid_proposal", errors=errors)
    return Decision(**{**{name: sent[name] for name in _DECIDED if name in sent}, "resolutions": resolutions})


def reviewed_document(reviewed: Reviewed, actor: Actor) -> dict[str, Any]:
    """A proposal as the ward's staff see it, with what the actor may do about it."""
    proposal, planned = reviewed.proposal, reviewed.plan
    gone = reviewed.place_ended or bool(planned and planned.current and planned.current.ended)
    return {
        "receipt": proposal.receipt,
        "state": proposal.state,
        "risk": reviewed.risk,
        "collection": proposal.collection,
        "id": proposal.record_code,
        "establishment": reviewed.place_code,
        "establishment_name": reviewed.place_name,
        "illustrative": reviewed.illustrative,
        "proposer_kind": proposal.proposer_kind,
        "proposer": reviewed.proposer,
        "proposed_at": proposal.proposed_at.isoformat(),
        "reason": proposal.reason,
        "evidence": proposal.evidence,
        "legal_basis": proposal.legal_basis,
        "source": proposal.source,
        "decider": reviewed.decider,
        "decided_at": proposal.decided_at.isoformat() if proposal.decided_at else None,
        "decision_note": proposal.decision_note,
        "patch": proposal.patch,
        "base_version": proposal.base_version,
        "seen_version": planned.current.version if planned and planned.current else None,
        "record_ended": planned is not None and gone and ENDED not in proposal.patch,
        "changes": [_change(change) for change in reviewed.changes],
        **_possible(reviewed, actor),
    }


def holder_document(found: Mapping[str, Any]) -> dict[str, Any]:
    """A proposal as whoever holds its receipt sees it: no names of staff, and of staff's proposals the state alone."""
    collection, asked = found["collection"], found["asked"] or {}
    allowed = REPLY_FIELDS if collection in REPLIES else MAY_SUGGEST.get(collection, ())
    shown = {name: value for name, value in asked.items() if name in allowed}
    return {
        "receipt": found["receipt"],
        "state": found["state"],
        "collection": collection,
        "establishment": found["place_code"],
        "establishment_name": found["place_name"],
        "proposer_kind": found["proposer_kind"],
        "proposed_at": found["proposed_at"].isoformat(),
        "decided_at": found["decided_at"].isoformat() if found["decided_at"] else None,
        "decision_note": found["decision_note"],
        "changes": [_change(change) for change in field_changes(collection, found["seen"], None, shown)]
        if shown
        else [],
        "may_withdraw": found["state"] == "pending" and found["asked"] is not None,
    }


def _possible(reviewed: Reviewed, actor: Actor) -> dict[str, Any]:
    """What the actor may do, and what stands against applying it."""
    proposal = reviewed.proposal
    own = proposal.proposed_by == actor.staff_id
    pending = proposal.state == "pending"
    review = pending and can(actor, "review", "proposals")
    adverse = reviewed.risk == "adverse"
    against = None
    if adverse and own:
        against = "second_person_needed"
    elif adverse and not can(actor, "review", "adverse_proposals"):
        against = "approver_needed"
    missing = [name for name in ("legal_basis", "evidence") if adverse and not getattr(proposal, name)]
    return {
        "may_review": review,
        "may_withdraw": pending and own and can(actor, "propose", proposal.collection),
        "against": against,
        "missing": missing,
    }


def _change(change: FieldChange) -> dict[str, Any]:
    names = ("field", "kind", "code_list", "base", "current", "wanted", "state")
    return {name: getattr(change, name) for name in names}


def _code(typed: str) -> str:
    """A look-up code in its one spelling; anything else as typed, to be found nowhere."""
    return codes.normalise(typed) or typed


def _mistyped(sent: Mapping[str, Any], members: Mapping[str, type]) -> list[FieldError]:
    """Members that do not exist or have the wrong type. null is the same as not given."""
    errors = []
    for name, value in sent.items():
        expected = members.get(name)
        if expected is None:
            errors.append(FieldError(name, "unknown_field"))
        elif value is None:
            continue
        elif expected is str and not isinstance(value, str):
            errors.append(FieldError(name, "not_text"))
        elif expected is int and (not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _LARGEST):
            errors.append(FieldError(name, "not_a_number", {"value": str(value)}))
        elif expected is dict and not isinstance(value, dict):
            errors.append(FieldError(name, "not_allowed"))
    return errors


def _given(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if value is not None}


def _listed(value: object, allowed: Any) -> dict[str, Any]:
    return {"value": str(value), "allowed": ", ".join(allowed)}


def _depth(body: bytes) -> int:
    """How deep brackets stand in each other, outside of texts: the parser must not find out by running out of stack."""
    depth = deepest = 0
    for found in _BRACKETS.finditer(body):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(found[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _storable(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(_storable, inner))
