"""POST …/establishments/items/{featureId}/{action}: suspended, reopened, closed, moved, sold, merged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import features
from mapservice import links as rel
from mapservice.errors import Problem
from mapservice.feature_answers import feature_answer
from mapservice.feature_body import SentArguments
from mapservice.openapi import write_parameters
from mapservice.parameters import check_known
from mapservice.write_problems import FieldsRefused
from mapservice.writing import Desk, SeenVersions, desk
from postgis.errors import FieldError, InvalidValues, NotFound
from postgis.store import life_cycle
from postgis.store.records import Record

router = APIRouter(prefix="/ogc/collections", tags=["OGC API Features"])

Take = Callable[[Connection, str, int, Mapping[str, Any]], Record]


@dataclass(frozen=True, slots=True)
class Action:
    """A step of an establishment's life: the members that its body may have, and what it does."""

    members: tuple[str, ...]
    take: Take
    verb: str = "change"


def _move(connection: Connection, code: str, version: int, said: Mapping[str, Any]) -> Record:
    address = {name: value for name, value in said.items() if name in life_cycle.ADDRESS_FIELDS}
    return life_cycle.move(
        connection, code, version, address=address, to=said.get("to"), on=said.get("on"), reason=said.get("reason")
    )


ACTIONS: Mapping[str, Action] = {
    "suspend": Action(
        ("until", "reason"),
        lambda connection, code, version, said: life_cycle.suspend(
            connection, code, version, until=said.get("until"), reason=said.get("reason")
        ),
    ),
    "reopen": Action(
        ("reason",), lambda connection, code, version, _said: life_cycle.reopen(connection, code, version)
    ),
    "close": Action(
        ("on", "reason"),
        lambda connection, code, version, said: life_cycle.close(
            connection, code, version, on=said.get("on"), reason=said.get("reason")
        ),
    ),
    "move": Action(("to", "on", "reason", *life_cycle.ADDRESS_FIELDS), _move),
    "change-owner": Action(
        ("legal_entity", "reason"),
        lambda connection, code, version, said: life_cycle.change_owner(
            connection, code, version, legal_entity=said.get("legal_entity")
        ),
    ),
    "merge": Action(
        ("into", "reason"),
        lambda connection, code, version, said: life_cycle.merge(
            connection, code, version, into=said.get("into"), reason=said.get("reason")
        ),
        verb="end",
    ),
    "undo-merge": Action(
        ("reason",),
        lambda connection, code, version, _said: life_cycle.undo_merge(connection, code, version),
        verb="end",
    ),
}
POINTERS = {
    "suspended_until": "until",
    "closed_on": "on",
    "moved_to": "to",
    "merged_into": "into",
    "status_reason": "reason",
}
"""Members of the body by the fields that they fill."""


@router.post(
    "/{collectionId}/items/{featureId}/{action}",
    summary="A step of an establishment's life",
    openapi_extra=write_parameters(seen=True, body=rel.JSON),
)
def act(
    request: Request,
    featureId: str,
    action: str,
    at: Annotated[Desk, Depends(desk("change"))],
    versions: SeenVersions,
    said: SentArguments,
) -> Response:
    """suspend, reopen, close, move, change-owner, merge or undo-merge; answers the establishment as it is then."""
    check_known(request.query_params, ())
    chosen = ACTIONS.get(action) if at.collection.id == life_cycle.PLACES else None
    if chosen is None:
        raise Problem("unknown_action", value=action, known=", ".join(ACTIONS))
    at.may(chosen.verb)
    unknown = [FieldError(name, "unknown_field") for name in said if name not in chosen.members]
    try:
        with at.transaction(said.get("reason"), featureId, versions) as connection:
            if unknown:
                raise InvalidValues(unknown)
            seen = at.record(connection, featureId, versions)
            chosen.take(connection, featureId, seen.version, said)
            feature = features.one(connection, at.collection, featureId)
            if feature is None:
                raise NotFound
    except FieldsRefused as refused:
        raise FieldsRefused(refused.collection, refused.errors, arguments=POINTERS) from refused
    return feature_answer(request, at.collection, featureId, feature, at.lang, at.links, at.actor)
