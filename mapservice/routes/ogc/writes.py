"""OGC API Features Part 4: features made, replaced, changed and ended, each in the version that the writer saw."""

import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import features
from layers.features import Feature
from mapservice import links as rel
from mapservice.feature_answers import feature_answer
from mapservice.feature_body import Sent, SentArguments, SentFeature, wanted_values
from mapservice.openapi import write_parameters
from mapservice.parameters import check_known
from mapservice.reading import PRIVATE, SeenCollection
from mapservice.responses import json_bytes
from mapservice.write_problems import FieldsRefused
from mapservice.writing import Desk, IdempotencyKey, SeenVersions, desk, refused, write_or_propose
from postgis.errors import FieldError
from postgis.store import proposals, records, write_keys
from postgis.store.proposals import Proposal
from postgis.store.record_types import RECORD_TYPES
from postgis.store.record_values import columns
from postgis.store.records import Record
from postgis.store.write_keys import Made

router = APIRouter(prefix="/ogc/collections", tags=["OGC API Features"])

READING = "GET, HEAD, OPTIONS"
BODIES = f"{rel.GEOJSON}, {rel.JSON}"
PATCHES = f"{rel.MERGE_PATCH}, {rel.JSON}"
ITEM = "/{collectionId}/items/{featureId}"


@router.options("/{collectionId}/items", summary="What can be done with the items", response_class=Response)
def items_options(collection: SeenCollection) -> Response:
    """The methods, in Allow; what a POST may be, in Accept-Post."""
    return _options(f"{READING}, POST" if collection.id in RECORD_TYPES else READING)


@router.options(ITEM, summary="What can be done with a feature", response_class=Response)
def item_options(collection: SeenCollection, featureId: str) -> Response:
    """The methods, in Allow; what a PATCH may be, in Accept-Patch."""
    del featureId
    return _options(f"{READING}, PUT, PATCH, DELETE" if collection.id in RECORD_TYPES else READING)


@router.post("/{collectionId}/items", summary="Add a feature", openapi_extra=write_parameters(), status_code=201)
def add(request: Request, at: Annotated[Desk, Depends(desk("create"))], key: IdempotencyKey, sent: Sent) -> Response:
    """Stores a new record: 201, with its address. An adverse fact waits for a second person: 202, with a receipt.

    Sent again with the same Idempotency-Key, when the answer was lost on the way, it answers what it has made.
    """
    check_known(request.query_params, ())
    name, record_type = at.collection.id, RECORD_TYPES[at.collection.id]
    digest = _digest(name, sent)
    with at.transaction(sent.reason) as connection:
        made = write_keys.find(connection, at.actor, key, digest) if key else None
        if made is not None:
            return _made_before(at, connection, made)
        values, errors = wanted_values(at.collection, record_type, sent, None, replace=False)
        if errors:
            raise refused(errors, connection, lambda: columns(connection, record_type, values, new=True))

        def write() -> Record:
            return records.create(connection, name, values, ward_id=at.actor.ward_id)

        done = write_or_propose(connection, at.actor, None, write, values, _arguments(sent), name)
        made = Made(done.receipt, True) if isinstance(done, Proposal) else Made(done.code, False)
        if key:
            write_keys.keep(connection, at.actor, key, digest, made)
        feature = features.one(connection, at.collection, made.code)
    return _waiting(at, done) if isinstance(done, Proposal) else _stored(at, done.code, feature, 201)


@router.put(ITEM, summary="Replace a feature", openapi_extra=write_parameters(seen=True))
def replace(
    request: Request,
    featureId: str,
    at: Annotated[Desk, Depends(desk("change"))],
    versions: SeenVersions,
    sent: Sent,
) -> Response:
    """Sets every field that can be written; what is not sent becomes null or its default."""
    check_known(request.query_params, ())
    return _change(at, featureId, versions, sent, replace=True)


@router.patch(ITEM, summary="Change a feature", openapi_extra=write_parameters(seen=True, body=rel.MERGE_PATCH))
def change(
    request: Request,
    featureId: str,
    at: Annotated[Desk, Depends(desk("change"))],
    versions: SeenVersions,
    sent: Sent,
) -> Response:
    """Sets the fields that are sent (RFC 7396): null empties one, what is not named stays."""
    check_known(request.query_params, ())
    return _change(at, featureId, versions, sent, replace=False)


@router.delete(ITEM, summary="End a feature", openapi_extra=write_parameters("reason", seen=True))
def end(
    request: Request,
    featureId: str,
    at: Annotated[Desk, Depends(desk("end"))],
    versions: SeenVersions,
    said: SentArguments,
) -> Response:
    """The record no longer counts: 204. Its row, its history and its code stay for ever. A reason is needed."""
    check_known(request.query_params, ("reason", "evidence", "legal_basis"))
    reason, name = said.get("reason"), at.collection.id
    if not reason:
        raise FieldsRefused(name, [FieldError("reason", "required")])
    with at.transaction(reason, featureId, versions) as connection:
        before = at.living_record(connection, featureId, versions)

        def write() -> Record:
            return records.end(connection, name, featureId, before.version, reason)

        arguments = {key: said.get(key) for key in ("reason", "evidence", "legal_basis")}
        done = write_or_propose(connection, at.actor, before, write, {"ended": True}, arguments, name)
    return _waiting(at, done) if isinstance(done, Proposal) else Response(status_code=204, headers=PRIVATE)


def _change(at: Desk, feature_id: str, versions: tuple[int, ...], sent: SentFeature, *, replace: bool) -> Response:
    name, record_type = at.collection.id, RECORD_TYPES[at.collection.id]
    with at.transaction(sent.reason, feature_id, versions) as connection:
        before = at.living_record(connection, feature_id, versions)
        values, errors = wanted_values(at.collection, record_type, sent, before, replace=replace)
        if errors:
            raise refused(errors, connection, lambda: columns(connection, record_type, values, new=False))

        def write() -> Record:
            return records.change(connection, name, feature_id, before.version, values)

        done: Record | Proposal = before
        if values:
            done = write_or_propose(connection, at.actor, before, write, values, _arguments(sent), name)
        feature = None if isinstance(done, Proposal) else features.one(connection, at.collection, done.code)
    return _waiting(at, done) if isinstance(done, Proposal) else _stored(at, done.code, feature, 200)


def _arguments(sent: SentFeature) -> dict[str, str | None]:
    return {"reason": sent.reason, "evidence": sent.evidence, "legal_basis": sent.legal_basis}


def _digest(collection: str, sent: SentFeature) -> bytes:
    """What tells one request from another under the same key."""
    said = json.dumps([collection, sent.body, sent.reason], sort_keys=True)
    return hashlib.sha256(said.encode()).digest()


def _made_before(at: Desk, connection: Connection, made: Made) -> Response:
    """The answer to a request that has come before, with the record or the proposal as it is by now."""
    if made.proposed:
        return _waiting(at, proposals.get(connection, made.code))
    return _stored(at, made.code, features.one(connection, at.collection, made.code), 201)


def _stored(at: Desk, code: str, feature: Feature | None, status: int) -> Response:
    """The record as it stands now: whoever wrote it can go on from its ETag."""
    if feature is None:
        # Written under row-level security, so it can be read: a feature without a row is a fault of ours.
        raise LookupError(f"{at.collection.id} has no feature for a record that it has stored")
    address = at.links.url(f"/ogc/collections/{at.collection.id}/items/{code}")
    headers = {"Location": address} if status == 201 else {}
    return feature_answer(
        at.request, at.collection, code, feature, at.lang, at.links, at.actor, status=status, headers=headers
    )


def _waiting(at: Desk, proposal: Proposal) -> Response:
    """Nothing is changed yet: somebody else has to agree."""
    address = at.links.url(f"/proposals/{proposal.receipt}")
    document: dict[str, Any] = {
        "receipt": proposal.receipt,
        "state": proposal.state,
        "risk": proposal.risk,
        "links": [{"href": address, "rel": "monitor", "type": "application/json"}],
    }
    return Response(json_bytes(document), 202, {**PRIVATE, "Location": address}, "application/json")


def _options(allowed: str) -> Response:
    headers = {"Allow": allowed}
    if "PATCH" in allowed:
        headers["Accept-Patch"] = PATCHES
    if "POST" in allowed:
        headers["Accept-Post"] = BODIES
    # 200, as Part 4 asks, though nothing is said beside the headers.
    return Response(status_code=200, headers=headers)
