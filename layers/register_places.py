"""The live places of a ward as plain data, for comparing a file with them: streamed, personal values as hashes only."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from postgis import tables

_AT_ONCE = 2_000
_FIELDS = ("owner_phone", "personal_id", "household_tax_code")


@dataclass(frozen=True, slots=True)
class RegisterPlace:
    """A place. `hashes`: (field, keyed hash) of its legal entity's personal numbers."""

    code: str
    values: Mapping[str, Any]
    entity: str | None
    tax_code: str | None
    hashes: tuple[tuple[str, bytes], ...]
    lon: float
    lat: float
    accuracy_m: float | None


def register_places(connection: Connection, ward: str) -> Iterator[RegisterPlace]:
    """All places of a ward that have not ended, with what is known of each."""
    hashes = _hashes(connection, ward)
    uses = _digital_uses(connection, ward)
    place, entity, fact = tables.establishment.c, tables.legal_entity.c, tables.establishment_fact.c
    group, site = tables.residential_group.c, tables.model_site.c
    statement = (
        select(
            place.id, place.code, place.name, place.name_en, place.sector_group,
            place.sector_scheme, place.sector_code, place.offering,
            place.house_number, place.alley, place.street_name, place.address, place.stall, place.operating_status,
            place.opened_on, place.closed_on, place.opening_hours, place.website, place.position_accuracy_m,
            func.coalesce(place.legal_form, entity.legal_form).label("legal_form"),
            group.number.label("residential_group"), site.name.label("site"),
            entity.id.label("entity_id"), entity.code.label("entity"), entity.registered_name,
            entity.tax_code, entity.registration_number, entity.registry_status,
            fact.licence_valid_until, fact.food_safety_valid_until, fact.last_inspection_on,
            fact.last_inspection_result, fact.payment_methods,
            func.public.st_x(place.geom).label("lon"), func.public.st_y(place.geom).label("lat"),
        )
        .select_from(tables.establishment)
        .join(tables.ward, tables.ward.c.id == place.ward_id)
        .outerjoin(tables.legal_entity, entity.id == place.legal_entity_id)
        .outerjoin(tables.establishment_fact, fact.establishment_id == place.id)
        .outerjoin(tables.residential_group, group.id == place.residential_group_id)
        .outerjoin(tables.model_site, site.id == place.model_site_id)
        .where(
            tables.ward.c.code == ward, tables.ward.c.valid_to.is_(None), place.ended_at.is_(None),
        )
        .order_by(place.id)
    )  # fmt: skip
    found = connection.execution_options(stream_results=True, yield_per=_AT_ONCE).execute(statement)
    for row in found.mappings():
        accuracy = row["position_accuracy_m"]
        yield RegisterPlace(
            row["code"], {**row, "digital_uses": uses.get(row["id"], frozenset())}, row["entity"], row["tax_code"],
            hashes.get(row["entity_id"], ()), row["lon"], row["lat"], None if accuracy is None else float(accuracy),
        )  # fmt: skip


def _hashes(connection: Connection, ward: str) -> dict[int, tuple[tuple[str, bytes], ...]]:
    datum, entity = tables.personal_datum.c, tables.legal_entity.c
    statement = (
        select(datum.legal_entity_id, datum.field, datum.lookup_hash)
        .join_from(tables.personal_datum, tables.legal_entity, entity.id == datum.legal_entity_id)
        .join(tables.ward, tables.ward.c.id == entity.ward_id)
        .where(tables.ward.c.code == ward, datum.field.in_(_FIELDS))
    )
    found: dict[int, tuple[tuple[str, bytes], ...]] = {}
    for number, field, kept in connection.execute(statement):
        found[number] = (*found.get(number, ()), (field, bytes(kept)))
    return found


def _digital_uses(connection: Connection, ward: str) -> dict[int, frozenset[str]]:
    use, place = tables.digital_use.c, tables.establishment.c
    statement = (
        select(use.establishment_id, use.kind)
        .join_from(tables.digital_use, tables.establishment, place.id == use.establishment_id)
        .join(tables.ward, tables.ward.c.id == place.ward_id)
        .where(tables.ward.c.code == ward, use.used)
    )
    found: dict[int, set[str]] = defaultdict(set)
    for number, kind in connection.execute(statement):
        found[number].add(kind)
    return {number: frozenset(kinds) for number, kinds in found.items()}
