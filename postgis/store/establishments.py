"""Writes establishments and their dated records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects import postgresql

from postgis import tables
from postgis.bulk import copy_rows
from postgis.store.lookup_codes import register_codes

COLUMNS = (
    "code", "name", "name_en", "kind", "legal_form", "sector_scheme", "sector_code", "sector_group", "offering",
    "house_number", "street_name", "address", "stall", "operating_status", "opened_on", "closed_on", "opening_hours",
    "website", "position_method", "position_accuracy_m", "verified_on", "source", "source_ref", "illustrative",
)  # fmt: skip
"""What a new establishment states of itself. Ward, group, model site and point are found from codes and place."""

RECORD_TABLES = {
    "licence": ("kind", "number", "issuer", "issued_on", "expires_on", "source", "checked_on"),
    "food_safety_record": ("kind", "number", "agency", "issued_on", "valid_until", "source", "checked_on"),
    "inspection": ("inspected_on", "agency", "result", "official_words", "signed_on", "source"),
    "warning": ("issued_on", "lifted_on", "headline", "instruction", "agency", "source"),
    "payment_acceptance": ("method", "accepted", "evidence_level", "has_transactions", "checked_on", "source"),
    "digital_use": ("kind", "used", "checked_on", "source"),
}
"""The dated records of an establishment and their columns."""


@dataclass(slots=True)
class NewEstablishment:
    """An establishment to add.

    `values` holds COLUMNS (those absent are null, except that the status defaults to unknown); `lon` and `lat` are
    degrees in WGS 84; `records` holds rows by table name of RECORD_TABLES.
    """

    values: Mapping[str, Any]
    ward_code: str
    lon: float
    lat: float
    model_site_code: str | None = None
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def is_empty(connection: Connection) -> bool:
    """Whether the register has no establishment at all."""
    return connection.execute(select(tables.establishment.c.id).limit(1)).first() is None


def add_many(connection: Connection, establishments: Sequence[NewEstablishment]) -> int:
    """Adds establishments with their records, by COPY; returns how many.

    The residential group is the one whose outline holds the point. All or nothing: the caller's transaction decides.
    """
    if not establishments:
        return 0
    register_codes(connection, [str(establishment.values["code"]) for establishment in establishments])
    ids = _new_ids(connection, len(establishments))
    connection.execute(text(_STAGING))
    copy_rows(
        connection,
        "new_establishment",
        ("id", "ward_code", "model_site_code", "lon", "lat", *COLUMNS),
        _staging_rows(ids, establishments),
    )
    connection.execute(text(_FROM_STAGING))
    for name, columns in RECORD_TABLES.items():
        copy_rows(connection, f"register.{name}", ("establishment_id", *columns), _records(name, ids, establishments))
    connection.execute(text("DROP TABLE new_establishment"))
    return len(establishments)


def _new_ids(connection: Connection, count: int) -> list[int]:
    sequence = func.pg_get_serial_sequence("register.establishment", "id")
    return list(
        connection.execute(select(func.nextval(sequence)).select_from(func.generate_series(1, count))).scalars()
    )


def _staging_rows(ids: Sequence[int], establishments: Sequence[NewEstablishment]) -> Iterator[dict[str, Any]]:
    for number, new in zip(ids, establishments, strict=True):
        yield {
            "operating_status": "unknown",
            "illustrative": False,
            **new.values,
            "id": number,
            "ward_code": new.ward_code,
            "model_site_code": new.model_site_code,
            "lon": new.lon,
            "lat": new.lat,
        }


def _records(name: str, ids: Sequence[int], establishments: Sequence[NewEstablishment]) -> Iterable[dict[str, Any]]:
    for number, new in zip(ids, establishments, strict=True):
        for record in new.records.get(name, ()):
            yield {**record, "establishment_id": number}


_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_TYPES = {name: tables.establishment.c[name].type.compile(_DIALECT) for name in COLUMNS}

_STAGING = f"""
    CREATE TEMPORARY TABLE new_establishment (
        id bigint, ward_code text, model_site_code text, lon double precision, lat double precision,
        {", ".join(f"{name} {kind}" for name, kind in _TYPES.items())}
    ) ON COMMIT DROP
"""

_FROM_STAGING = f"""
    INSERT INTO register.establishment (id, ward_id, model_site_id, geom, {", ".join(COLUMNS)})
    SELECT n.id, w.id, m.id, ST_SetSRID(ST_MakePoint(n.lon, n.lat), 4326),
           {", ".join(f"n.{name}" for name in COLUMNS)}
      FROM new_establishment n
      JOIN register.ward w ON w.code = n.ward_code AND w.valid_to IS NULL
      LEFT JOIN register.model_site m ON m.code = n.model_site_code
     ORDER BY n.id
"""
