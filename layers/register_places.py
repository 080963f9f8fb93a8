"""The live places of a ward as plain data, for comparing a file with them: streamed, personal values as hashes only."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, select

from postgis import tables
from postgis.vocabulary import PERSONAL_FIELDS

_AT_ONCE = 2_000
Record = Mapping[str, Any]
_RECORDS: dict[str, tuple[Table, tuple[str, ...], tuple[str, ...]]] = {
    "licences": (
        tables.licence, ("code", "kind", "number", "issuer", "issued_on", "expires_on", "checked_on"),
        ("expires_on",),
    ),
    "food_safety_records": (
        tables.food_safety_record, ("code", "kind", "number", "agency", "issued_on", "valid_until", "checked_on"),
        ("checked_on",),
    ),
    "inspections": (
        tables.inspection, ("code", "inspected_on", "agency", "result", "official_words", "signed_on"),
        ("inspected_on",),
    ),
    "payment_acceptances": (
        tables.payment_acceptance, ("code", "method", "accepted", "evidence_level", "checked_on"), ("checked_on",),
    ),
    "digital_uses": (tables.digital_use, ("code", "kind", "used", "checked_on"), ("checked_on",)),
}  # fmt: skip
"""By collection: its table, what is read of a record, and by what its records follow one another."""
_OF_PLACE = (
    "name", "name_en", "legal_form", "sector_scheme", "sector_code", "sector_group", "offering", "house_number",
    "alley", "street_name", "address", "stall", "operating_status", "opened_on", "closed_on", "opening_hours",
    "website", "position_method", "position_accuracy_m", "outside_accepted",
)  # fmt: skip
_OF_ENTITY = (
    "registered_name", "legal_form", "tax_code", "registration_number", "registered_on", "registry_status",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RegisterPlace:
    """A place. `hashes`: (field, keyed hash) of its legal entity's personal values."""

    code: str
    values: Mapping[str, Any]
    """By wire names; of its group and model site also the number and the name (`residential_group`, `site`)."""
    entity: str | None
    entity_values: Mapping[str, Any]
    records: Mapping[str, tuple[Record, ...]]
    """By collection, the live records, the latest last; of payment methods and tools the latest of each alone."""
    hashes: tuple[tuple[str, bytes], ...]
    lon: float
    lat: float
    accuracy_m: float | None

    @property
    def tax_code(self) -> str | None:
        """Its entity's, where that is an organisation."""
        found: str | None = self.entity_values.get("tax_code")
        return found


@dataclass(frozen=True, slots=True)
class Register:
    """What a file is compared with. `places` can be read once; `sites`: model sites by name, each with its code."""

    places: Iterator[RegisterPlace]
    sites: Mapping[str, str]


def register_of(connection: Connection, ward: str) -> Register:
    """The register of a ward."""
    return Register(register_places(connection, ward), _sites(connection, ward))


def register_places(connection: Connection, ward: str) -> Iterator[RegisterPlace]:
    """All places of a ward that have not ended, with what is known of each."""
    hashes = _hashes(connection, ward)
    records = {collection: _records(connection, ward, *parts) for collection, parts in _RECORDS.items()}
    place, entity = tables.establishment.c, tables.legal_entity.c
    group, site = tables.residential_group.c, tables.model_site.c
    statement = (
        select(
            place.id, place.code, *(place[name] for name in _OF_PLACE),
            group.number.label("residential_group"), site.name.label("site"), site.code.label("model_site"),
            entity.id.label("entity_id"), entity.code.label("legal_entity"),
            *(entity[name].label(f"entity_{name}") for name in _OF_ENTITY),
            func.public.st_x(place.geom).label("lon"), func.public.st_y(place.geom).label("lat"),
        )
        .select_from(tables.establishment)
        .join(tables.ward, tables.ward.c.id == place.ward_id)
        .outerjoin(tables.legal_entity, entity.id == place.legal_entity_id)
        .outerjoin(tables.residential_group, group.id == place.residential_group_id)
        .outerjoin(tables.model_site, site.id == place.model_site_id)
        .where(
            tables.ward.c.code == ward, tables.ward.c.valid_to.is_(None), place.ended_at.is_(None),
        )
        .order_by(place.id)
    )  # fmt: skip
    found = connection.execute(statement.execution_options(stream_results=True, yield_per=_AT_ONCE))
    names = (*_OF_PLACE, "residential_group", "site", "model_site", "legal_entity")
    for row in found.mappings():
        accuracy = row["position_accuracy_m"]
        values = {name: row[name] for name in names if row[name] is not None}
        if accuracy is not None:
            accuracy = values["position_accuracy_m"] = float(accuracy)
        of_entity = {name: row[f"entity_{name}"] for name in _OF_ENTITY if row[f"entity_{name}"] is not None}
        of_place = {collection: each[row["id"]] for collection, each in records.items() if row["id"] in each}
        yield RegisterPlace(
            row["code"], values, row["legal_entity"], of_entity, of_place, hashes.get(row["entity_id"], ()),
            row["lon"], row["lat"], accuracy,
        )  # fmt: skip


def _sites(connection: Connection, ward: str) -> dict[str, str]:
    site = tables.model_site.c
    statement = (
        select(site.name, site.code)
        .join(tables.ward, tables.ward.c.id == site.ward_id)
        .where(tables.ward.c.code == ward, tables.ward.c.valid_to.is_(None), site.ended_at.is_(None))
    )
    return {row.name: row.code for row in connection.execute(statement)}


def _hashes(connection: Connection, ward: str) -> dict[int, tuple[tuple[str, bytes], ...]]:
    datum, entity = tables.personal_datum.c, tables.legal_entity.c
    statement = (
        select(datum.legal_entity_id, datum.field, datum.lookup_hash)
        .join_from(tables.personal_datum, tables.legal_entity, entity.id == datum.legal_entity_id)
        .join(tables.ward, tables.ward.c.id == entity.ward_id)
        .where(tables.ward.c.code == ward, datum.field.in_(PERSONAL_FIELDS))
    )
    found: dict[int, tuple[tuple[str, bytes], ...]] = {}
    for number, field, kept in connection.execute(statement):
        found[number] = (*found.get(number, ()), (field, bytes(kept)))
    return found


def _records(
    connection: Connection, ward: str, table: Table, names: tuple[str, ...], order: tuple[str, ...]
) -> dict[int, tuple[Record, ...]]:
    """The live records of a collection by their place's id; of methods and tools only the latest check of each."""
    record, place = table.c, tables.establishment.c
    latest = "method" if "method" in names else "kind" if "used" in names else "code"
    statement = (
        select(record.establishment_id, *(record[name] for name in names))
        .join_from(table, tables.establishment, place.id == record.establishment_id)
        .join(tables.ward, tables.ward.c.id == place.ward_id)
        .where(tables.ward.c.code == ward, record.ended_at.is_(None), place.ended_at.is_(None))
        .order_by(record.establishment_id, *(record[name].asc().nulls_last() for name in order), record.id)
    )
    found: dict[int, dict[Any, Record]] = defaultdict(dict)
    rows = connection.execute(statement.execution_options(stream_results=True, yield_per=_AT_ONCE))
    for row in rows.mappings():
        values = {name: row[name] for name in names}
        key = values[latest]
        of_place = found[row["establishment_id"]]
        of_place.pop(key, None)
        of_place[key] = values
    return {number: tuple(each.values()) for number, each in found.items()}
