"""The history of the register as staff read it: who changed what, when and why, and how things stood on a past day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Text, cast, column, func, literal, or_, select, table
from sqlalchemy.dialects.postgresql import JSONB, distinct_on

from layers.collections import STAFF_COLLECTIONS

MOST_CHANGES = 1_000
_CHANGE = table(
    "change",
    *(
        column(name)
        for name in (
            "seq",
            "at",
            "collection",
            "record_code",
            "establishment_code",
            "kind",
            "actor_name",
            "reason",
            "source",
            "before",
            "after",
        )
    ),
    schema="register",
)
COUNTED = (
    "operating_status",
    "accepts_cashless",
    "active_acceptance",
    "on_digital_platform",
    "licence_status",
    "food_safety_status",
)
_NOT_SHOWN = frozenset({"code", "version", "ended_at", "login", "staff_id", "created_at"})
"""What a change says without its fields: which record or account, that it changed, when it was made, that it ended."""
_PLACE = frozenset({"establishment", "ward"})
"""Said of a new record by where it stands."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field by its wire name, as it was and as it became."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one record, without personal data: of personal fields the history holds only that they changed."""

    seq: int
    at: datetime
    collection: str
    record_code: str
    kind: str
    """insert, update, end, restore or delete."""
    actor_name: str | None
    """None: no person; `source` says whence it came."""
    reason: str | None
    source: str | None
    fields: list[FieldChange] = field(default_factory=list)
    """In the order of the collection's schema. For a new record, what it holds."""


def timeline(connection: Connection, establishment_code: str, *, limit: int = MOST_CHANGES) -> list[Change]:
    """The changes of an establishment and of its dated records, latest first. Under row-level security."""
    return _changes(connection, _CHANGE.c.establishment_code == establishment_code, limit)


def entity_timeline(connection: Connection, legal_entity_code: str, *, limit: int = MOST_CHANGES) -> list[Change]:
    """The changes of a legal entity, latest first, with those of its personal data (`personal_data`, no values)."""
    own = (_CHANGE.c.collection == "legal_entities") & (_CHANGE.c.record_code == legal_entity_code)
    personal = (_CHANGE.c.collection == "personal_data") & _CHANGE.c.record_code.startswith(
        f"{legal_entity_code}:", autoescape=True
    )
    return _changes(connection, or_(own, personal), limit)


def account_timeline(connection: Connection, login: str, *, limit: int = MOST_CHANGES) -> list[Change]:
    """The changes of an account and of its tokens, latest first; row-level security gives them to administrators."""
    own = (_CHANGE.c.collection == "accounts") & (_CHANGE.c.record_code == login)
    tokens = (_CHANGE.c.collection == "tokens") & _CHANGE.c.record_code.startswith(f"{login}:", autoescape=True)
    return _changes(connection, or_(own, tokens), limit)


def as_of(connection: Connection, collection: str, code: str, moment: datetime) -> dict[str, Any] | None:
    """A record by wire names as the register had it at a moment; None when it was not there."""
    state = func.register.state_at(cast(collection, Text), cast(code, Text), moment)
    found: dict[str, Any] | None = connection.execute(
        select(cast(func.register.wire_state(state), JSONB))
    ).scalar_one_or_none()
    return found


def place_as_of(connection: Connection, code: str, moment: datetime) -> dict[str, list[dict[str, Any]]]:
    """An establishment and its dated records by wire names, by collection, as the register had them at a moment."""
    chosen = (_CHANGE.c.establishment_code == code, _CHANGE.c.at <= moment)
    key = (_CHANGE.c.collection, _CHANGE.c.record_code)
    latest = (
        select(*key, _CHANGE.c.after)
        .where(*chosen)
        .ext(distinct_on(*key))
        .order_by(*key, _CHANGE.c.seq.desc())
        .subquery()
    )
    state = cast(func.register.wire_state(latest.c.after), JSONB)
    rows = connection.execute(select(latest.c.collection, state).where(latest.c.after.is_not(None)))
    found: dict[str, list[dict[str, Any]]] = {}
    for collection, values in rows:
        found.setdefault(collection, []).append(values)
    return found


def figures_as_of(connection: Connection, ward: str, moment: datetime) -> dict[str, dict[str, int]]:
    """How many establishments of a ward had each value of what is counted, at a moment, by field.

    Places that are no business, closed, moved or not found are not counted; unknown is a value of its own.
    """
    as_asked = func.register.establishments_as_of(literal(ward), moment)
    places = as_asked.table_valued(*COUNTED, "sector_group", name="places")
    counted = func.register.counts_in_figures(places.c.sector_group, places.c.operating_status)
    columns = [places.c[name] for name in COUNTED]
    found: dict[str, dict[str, int]] = {name: {} for name in COUNTED}
    for *values, count in connection.execute(select(*columns, func.count()).where(counted).group_by(*columns)):
        for name, value in zip(COUNTED, values, strict=True):
            found[name][value] = found[name].get(value, 0) + count
    return found


def _changes(connection: Connection, which: ColumnElement[bool], limit: int) -> list[Change]:
    shown = [_CHANGE.c[name] for name in ("seq", "at", "collection", "record_code", "kind", "actor_name", "reason")]
    states = [cast(func.register.wire_state(_CHANGE.c[name]), JSONB).label(name) for name in ("before", "after")]
    statement = select(*shown, _CHANGE.c.source, *states).where(which).order_by(_CHANGE.c.seq.desc()).limit(limit)
    return [change_of(row) for row in connection.execute(statement).mappings()]


def change_of(row: RowMapping) -> Change:
    """A change from a row with its columns, `before` and `after` by wire names."""
    names = ("seq", "at", "collection", "record_code", "kind", "actor_name", "reason", "source")
    fields = _field_changes(row["collection"], row["before"], row["after"])
    return Change(**{name: row[name] for name in names}, fields=fields)


def _field_changes(
    collection: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[FieldChange]:
    was, became = before or {}, after or {}
    names = {name for name in {*was, *became} if was.get(name) != became.get(name)} - _NOT_SHOWN
    if before is None or after is None:
        names -= _PLACE
    known = STAFF_COLLECTIONS.get(collection)
    order = {name: place for place, name in enumerate(known.field_by_name)} if known else {}
    ordered = sorted(names, key=lambda name: (order.get(name, len(order)), name))
    return [FieldChange(name, was.get(name), became.get(name)) for name in ordered]
