"""Two records that look alike and are two places: an officer's decision, and taking it back. Both stay on record."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from postgis import tables
from postgis.actor import Actor
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, refused_by_database
from postgis.store.record_types import RecordType, WritableField
from postgis.store.record_values import columns

_TABLE = tables.distinct_pair
_TYPE = RecordType("distinct_pairs", _TABLE, (WritableField("reason", "text", required=True, max_length=500),))


def keep_apart(connection: Connection, actor: Actor, one: str, other: str, reason: str) -> None:
    """Notes that two establishments are two places; what is noted already stays as it was.

    Raises InvalidValues, NotFound, Forbidden.
    """
    stored = columns(connection, _TYPE, {"reason": reason}, new=True)
    pair = _pair(connection, one, other)
    statement = insert(_TABLE).values(**pair, **stored, decided_by=actor.staff_id).on_conflict_do_nothing()
    _guarded(connection, statement)


def take_back(connection: Connection, actor: Actor, one: str, other: str) -> None:
    """They may be one place after all. Nothing was noted: the outcome is what was wanted. Raises NotFound."""
    pair = _pair(connection, one, other)
    statement = update(_TABLE).values(ended_at=datetime.now(UTC), ended_by=actor.staff_id)
    for name, number in pair.items():
        statement = statement.where(_TABLE.c[name] == number)
    _guarded(connection, statement.where(_TABLE.c.ended_at.is_(None)))


def _pair(connection: Connection, one: str, other: str) -> dict[str, int]:
    place = tables.establishment
    ids = sorted(connection.execute(select(place.c.id).where(place.c.code.in_((one, other)))).scalars())
    if one == other:
        raise InvalidValues([FieldError("other", "same_place")])
    if len(ids) != 2:
        raise NotFound
    return {"establishment_id": ids[0], "other_id": ids[1]}


def _guarded(connection: Connection, statement: Any) -> None:
    try:
        with connection.begin_nested():
            connection.execute(statement)
    except DBAPIError as error:
        refusal = refused_by_database(error, _TABLE.name)
        raise (refusal if isinstance(refusal, Forbidden) else error) from error
