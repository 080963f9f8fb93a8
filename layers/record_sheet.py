"""Everything the register holds about one establishment, as its record page shows it. Under row-level security."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, cast, func, literal, null, select
from sqlalchemy.types import Date

from layers.register import OVERVIEW
from postgis import tables
from postgis.store.record_types import RECORD_TYPES, RecordType

DATED: Mapping[str, tuple[str, str | None]] = {
    "licences": ("checked_on", "licence"),
    "food_safety_records": ("checked_on", "food_safety"),
    "payment_acceptances": ("checked_on", "payment"),
    "digital_uses": ("checked_on", "digital"),
    "inspections": ("inspected_on", None),
    "warnings": ("issued_on", None),
    "outreach": ("done_on", None),
    "visits": ("visited_on", None),
}
"""The records of an establishment: the day each is ordered by, and the fact whose shelf life it has."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One dated record."""

    collection: str
    code: str
    version: int
    values: dict[str, Any]
    updated_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    fresh_until: date | None
    """The last day on which it may be relied on; None where that is no question."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of the front."""

    code: str
    version: int
    file: str
    width: int
    height: int
    taken_on: date | None
    caption: str | None
    source: str
    updated_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Entity:
    """Who trades there, and where else."""

    code: str
    version: int
    values: dict[str, Any]
    ended: bool
    others: list[dict[str, Any]]
    """Other establishments of the same legal entity: `code`, `name`, `address`, `operating_status`."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the record page shows beside the establishment's own fields."""

    overview: dict[str, Any]
    entries: dict[str, list[Entry]]
    """By collection, latest first; ended ones last."""
    photos: list[Photo] = field(default_factory=list)
    entity: Entity | None = None
    linked: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The places it moved to or was merged into, by `moved_to` and `merged_into`: `code` and `name`."""


def sheet(connection: Connection, code: str) -> Sheet | None:
    """All about one establishment, or None when the actor can see none by that code."""
    columns = (column for column in OVERVIEW.c if column.name not in ("geom", "name_key", "search_key"))
    found = connection.execute(select(*columns).where(OVERVIEW.c.code == code)).mappings().one_or_none()
    if found is None:
        return None
    place = dict(found)
    return Sheet(
        overview=place,
        entries={name: _entries(connection, RECORD_TYPES[name], place["id"]) for name in DATED},
        photos=photos(connection, place["id"]),
        entity=entity(connection, place["legal_entity"], but=code) if place["legal_entity"] else None,
        linked=_linked(connection, place["id"]),
    )


def entity(connection: Connection, code: str, *, but: str | None = None) -> Entity | None:
    """A legal entity with its establishments, all but one."""
    record_type = RECORD_TYPES["legal_entities"]
    table = record_type.table
    names = [each.name for each in record_type.fields]
    row = (
        connection.execute(
            select(table.c.id, table.c.version, table.c.ended_at, *(table.c[name] for name in names)).where(
                table.c.code == code
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    others = connection.execute(
        select(*(OVERVIEW.c[name] for name in ("code", "name", "address", "operating_status", "sector_group", "kind")))
        .where(OVERVIEW.c.legal_entity == code, OVERVIEW.c.code != (but or ""), OVERVIEW.c.ended_at.is_(None))
        .order_by(OVERVIEW.c.id)
        .limit(50)
    ).mappings()
    values = {name: row[name] for name in names}
    return Entity(code, row["version"], values, row["ended_at"] is not None, [dict(each) for each in others])


def entities_like(connection: Connection, text: str, also: Sequence[str] = (), limit: int = 10) -> list[dict[str, Any]]:
    """Legal entities whose registered name, tax code, certificate number or code is like the text, and those in `also`.

    `also` are codes found by a person's number, which the database knows only by its keyed hash.
    """
    table = tables.legal_entity
    folded = connection.execute(select(func.published.search_key(text))).scalar_one()
    if not folded:
        return []
    key = func.published.search_key(table.c.registered_name)
    typed = text.strip()
    wanted = (
        key.like(f"%{folded}%")
        | (table.c.tax_code == typed)
        | (func.upper(table.c.registration_number) == typed.upper())
        | (table.c.code == typed.upper())
        | table.c.code.in_(list(also))
    )
    names = ("code", "registered_name", "legal_form", "tax_code", "registry_status")
    statement = select(*(table.c[name] for name in names)).where(wanted, table.c.ended_at.is_(None))
    rows = connection.execute(statement.order_by(key.like(f"{folded}%").desc(), table.c.id).limit(limit)).mappings()
    return [dict(row) for row in rows]


def photos(connection: Connection, establishment_id: int) -> list[Photo]:
    """The photos of a front, latest first; withdrawn ones last."""
    table = tables.photo
    names = ("code", "version", "file", "width", "height", "taken_on", "caption", "source", "updated_at", "ended_at")
    rows = connection.execute(
        select(*(table.c[name] for name in names))
        .where(table.c.establishment_id == establishment_id)
        .order_by(table.c.ended_at.is_not(None), table.c.taken_on.desc().nulls_last(), table.c.id.desc())
    ).mappings()
    return [Photo(**row) for row in rows]


def seen_by_staff(connection: Connection, file: str) -> bool:
    """Whether a photo file belongs to a place that the actor may see."""
    table = tables.photo
    return connection.execute(select(table.c.id).where(table.c.file == file).limit(1)).first() is not None


def last_change(connection: Connection, collection: str, code: str) -> dict[str, Any] | None:
    """Who changed a record last, when and why: `actor_name`, `at`, `reason`."""
    table = tables.change
    row = (
        connection.execute(
            select(table.c.actor_name, table.c.at, table.c.reason)
            .where(table.c.collection == collection, table.c.record_code == code)
            .order_by(table.c.seq.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else dict(row)


def _entries(connection: Connection, record_type: RecordType, establishment_id: int) -> list[Entry]:
    table = record_type.table
    day, fact = DATED[record_type.collection]
    names = [each.name for each in record_type.fields if each.kind != "reference"]
    meta = ("code", "version", "updated_at", "ended_at", "end_reason")
    statement = (
        select(
            *(table.c[name].label(f"_{name}") for name in meta),
            *(table.c[name] for name in names),
            _fresh_until(table, fact).label("_fresh_until"),
        )
        .where(table.c.establishment_id == establishment_id)
        .order_by(table.c.ended_at.is_not(None), table.c[day].desc(), table.c.id.desc())
    )
    return [
        Entry(
            collection=record_type.collection,
            values={name: row[name] for name in names},
            fresh_until=row["_fresh_until"],
            **{name: row[f"_{name}"] for name in meta},
        )
        for row in connection.execute(statement).mappings()
    ]


def _fresh_until(table: Table, fact: str | None) -> ColumnElement[Any]:
    if fact is None:
        return cast(null(), Date)
    place = tables.establishment
    ward = select(place.c.ward_id).where(place.c.id == table.c.establishment_id).scalar_subquery()
    months = func.make_interval(0, func.register.shelf_life_months(ward, literal(fact)))
    until: ColumnElement[Any] = cast(table.c.checked_on + months, Date)
    last = {"licence": "expires_on", "food_safety": "valid_until"}.get(fact)
    return func.least(until, table.c[last]) if last else until


def _linked(connection: Connection, establishment_id: int) -> dict[str, dict[str, Any]]:
    place = tables.establishment
    found = {}
    for name in ("moved_to", "merged_into"):
        other = place.alias(name)
        row = (
            connection.execute(
                select(other.c.code, other.c.name)
                .select_from(place.join(other, other.c.id == place.c[f"{name}_id"]))
                .where(place.c.id == establishment_id)
            )
            .mappings()
            .one_or_none()
        )
        if row is not None:
            found[name] = dict(row)
    return found
