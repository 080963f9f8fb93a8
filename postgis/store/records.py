"""Writes one record at a time: made, changed, ended, brought back. Nothing is ever physically removed.

Every function works inside the caller's transaction (`postgis.actor.write_as`); row-level security decides what the
actor may touch, triggers keep derived facts, version and history.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, RowMapping, cast, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from postgis import codes, tables
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale, refused_by_database
from postgis.store import lookup_codes
from postgis.store.record_types import RECORD_TYPES, REFERENCES, RecordType
from postgis.store.record_values import columns


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it is stored: its feature id, version, values by wire name, and whether it has ended."""

    collection: str
    code: str
    version: int
    values: dict[str, Any]
    ended: bool


def get(connection: Connection, collection: str, code: str) -> Record:
    """The record as the actor may see it. Raises NotFound."""
    record_type = RECORD_TYPES[collection]
    row = connection.execute(_select(record_type).where(record_type.table.c.code == code)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return _record(record_type, row)


def get_many(connection: Connection, collection: str, codes: Collection[str]) -> dict[str, Record]:
    """Those of the records that the actor may see, by their codes."""
    record_type = RECORD_TYPES[collection]
    wanted = _select(record_type).where(record_type.table.c.code == func.any(list(codes)))
    return {row["_code"]: _record(record_type, row) for row in connection.execute(wanted).mappings()}


def of_places(connection: Connection, collection: str, places: Collection[str]) -> dict[str, list[Record]]:
    """What counts of these places' dated records, by the places' codes."""
    record_type = RECORD_TYPES[collection]
    table, place = record_type.table, tables.establishment
    theirs = select(place.c.id).where(place.c.code == func.any(list(places)))
    wanted = _select(record_type).where(table.c.ended_at.is_(None), table.c.establishment_id.in_(theirs))
    found: dict[str, list[Record]] = {}
    for row in connection.execute(wanted).mappings():
        record = _record(record_type, row)
        found.setdefault(str(record.values["establishment"]), []).append(record)
    return found


def version(connection: Connection, collection: str, code: str) -> int | None:
    """The record's present version; None when there is none that the actor may see."""
    table = RECORD_TYPES[collection].table
    found: int | None = connection.execute(select(table.c.version).where(table.c.code == code)).scalar_one_or_none()
    return found


def create(connection: Connection, collection: str, values: Mapping[str, Any], *, ward_id: int) -> Record:
    """Adds a record. Raises InvalidValues, Forbidden."""
    record_type = RECORD_TYPES[collection]
    stored = columns(connection, record_type, values, new=True)
    if record_type.has_ward:
        stored["ward_id"] = ward_id
    if collection == "establishments":
        stored["code"] = lookup_codes.issue(connection, 1)[0]
        stored.setdefault("sector_group", "other")
    elif record_type.has_ward:
        stored["code"] = f"{PREFIXES[collection]}{codes.new_code(random.SystemRandom())}"
    table = record_type.table
    code = _guarded(connection, record_type, insert(table).values(**stored).returning(table.c.code)).scalar_one()
    return get(connection, collection, code)


def change(connection: Connection, collection: str, code: str, version: int, values: Mapping[str, Any]) -> Record:
    """Changes the named fields of the version that the caller saw. Raises NotFound, Stale, InvalidValues, Forbidden."""
    record_type = RECORD_TYPES[collection]
    before = get(connection, collection, code)
    if before.version != version or before.ended:
        raise Stale(before)
    stored = columns(connection, record_type, values, new=False)
    return _update(connection, record_type, before, stored)


def superseded(connection: Connection, collection: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the public is told that a new record would take the place of; None where it takes nothing's place.

    So far of food safety alone: the latest file of a place counts, and a new one that says it is missing takes away as
    much as a change of the old one (`postgis.risk`).
    """
    code = codes.normalise(str(values.get("establishment")))
    if collection != "food_safety_records" or code is None:
        return None
    return superseded_food_safety(told_food_safety(connection, [code]).get(code), values)


def told_food_safety(connection: Connection, places: Collection[str]) -> dict[str, tuple[str, date]]:
    """What the public is told that these places hold, and as of when."""
    fact, place = tables.establishment_fact, tables.establishment
    told = (
        select(place.c.code, fact.c.food_safety_kind, fact.c.food_safety_checked_on)
        .join(place, place.c.id == fact.c.establishment_id)
        .where(place.c.code == func.any(list(places)), fact.c.food_safety_kind.in_(_HELD))
    )
    return {code: (kind, checked_on) for code, kind, checked_on in connection.execute(told)}


def superseded_food_safety(told: tuple[str, date] | None, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """`superseded` of a place whose file is known."""
    if told is None or str(values.get("checked_on")) < told[1].isoformat():
        return None
    return {"kind": told[0]}


_HELD = ("certificate", "commitment", "equivalent")


def end(connection: Connection, collection: str, code: str, version: int, reason: str) -> Record:
    """Ends a record: it no longer counts, its row and code stay. Raises NotFound, Stale, Forbidden."""
    before = get(connection, collection, code)
    if before.version != version or before.ended:
        raise Stale(before)
    return _update(
        connection, RECORD_TYPES[collection], before, {"ended_at": datetime.now(UTC), "end_reason": reason.strip()}
    )


def bring_back(
    connection: Connection, collection: str, code: str, version: int, values: Mapping[str, Any] | None = None
) -> Record:
    """Undoes an end, and sets `values` in the same change. Raises NotFound, Stale, InvalidValues, Forbidden.

    A place that was merged comes back only with the merge undone (`life_cycle.undo_merge`): if it counted and led to
    another at once, two such places could lead to each other for ever.
    """
    before = get(connection, collection, code)
    if before.version != version or not before.ended:
        raise Stale(before)
    stored = columns(connection, RECORD_TYPES[collection], values or {}, new=False)
    if before.values.get("merged_into") is not None and "merged_into_id" not in stored:
        raise InvalidValues([FieldError("merged_into", "use_action")])
    return _update(connection, RECORD_TYPES[collection], before, {"ended_at": None, "end_reason": None, **stored})


PREFIXES = {"legal_entities": "LE", "model_sites": "MS"}
"""How the codes begin of what has no code on a door."""


def _update(connection: Connection, record_type: RecordType, before: Record, stored: Mapping[str, Any]) -> Record:
    if not stored:
        return before
    table = record_type.table
    statement = (
        update(table)
        .where(table.c.code == before.code, table.c.version == before.version)
        .values(**stored)
        .returning(table.c.code)
    )
    if _guarded(connection, record_type, statement).one_or_none() is None:
        # Row-level security hides rows from an UPDATE without a word: seen but not changed means not allowed.
        raise Forbidden
    return get(connection, record_type.collection, before.code)


def _guarded(connection: Connection, record_type: RecordType, statement: Any) -> Any:
    """Runs a write; a refusal of the database becomes a message on a field."""
    try:
        with connection.begin_nested():
            return connection.execute(statement)
    except DBAPIError as error:
        refusal = refused_by_database(error, record_type.table.name)
        if refusal is None:
            raise
        raise refusal from error


@cache
def _select(record_type: RecordType) -> Any:
    """The statement for one record. Kept: to put it together takes longer than to run it."""
    table = record_type.table
    wanted: list[ColumnElement[Any]] = [table.c.code.label("_code"), table.c.version.label("_version")]
    wanted.append((table.c.ended_at.is_not(None)).label("_ended"))
    for field in record_type.fields:
        if field.kind == "reference":
            other = REFERENCES[field.name].alias(f"other_{field.name}")
            link = select(other.c.code).where(other.c.id == table.c[f"{field.name}_id"])
            wanted.append(link.scalar_subquery().label(field.name))
        elif field.kind in ("point", "shape"):
            wanted.append(cast(func.public.st_asgeojson(table.c.geom, 7), JSON).label(field.name))
        else:
            wanted.append(table.c[field.name].label(field.name))
    return select(*wanted)


def _record(record_type: RecordType, row: RowMapping) -> Record:
    values = {field.name: _plain(row[field.name]) for field in record_type.fields}
    return Record(record_type.collection, row["_code"], row["_version"], values, row["_ended"])


def _plain(value: Any) -> Any:
    """As JSON has it: days as text, decimals as numbers."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return float(value) if type(value).__name__ == "Decimal" else value
