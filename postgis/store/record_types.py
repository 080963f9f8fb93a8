"""What can be written one record at a time: each collection's table, its fields and how they refer to others.

The one list behind the API's writes, the forms, proposals and imports. Wire names are column names, but for references:
`establishment`, `ward`, `model_site`, `legal_entity` name a code and are stored as an id, and `geometry` is GeoJSON.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sqlalchemy import Boolean, Column, Date, Integer, Numeric, Table

from postgis import tables
from postgis.vocabulary import (
    DIGITAL_USES,
    EVIDENCE_LEVELS,
    FOOD_SAFETY_KINDS,
    INSPECTION_RESULTS,
    LEGAL_FORMS,
    LICENCE_KINDS,
    MODEL_SITE_KINDS,
    OPERATING_STATUSES,
    OUTREACH_KINDS,
    PAYMENT_METHODS,
    POSITION_METHODS,
    REGISTRY_STATUSES,
    SECTOR_GROUPS,
    SOURCES,
    VISIT_OUTCOMES,
)

Kind = Literal["text", "date", "integer", "number", "boolean", "reference", "point", "shape"]
MAX_TEXT = 2_000

REFERENCES: dict[str, Table] = {
    "establishment": tables.establishment,
    "legal_entity": tables.legal_entity,
    "model_site": tables.model_site,
    "moved_to": tables.establishment,
    "merged_into": tables.establishment,
}


@dataclass(frozen=True, slots=True)
class WritableField:
    """A field that people may write."""

    name: str
    kind: Kind
    required: bool = False
    codes: tuple[str, ...] = ()
    code_list: str | None = None
    """Name of the list in `postgis.vocabulary.CODE_LISTS` that `codes` is."""
    max_length: int = MAX_TEXT
    fixed: bool = False
    """Given once, when the record is made: which establishment a licence belongs to does not change."""
    has_happened: bool = False
    """The day of something that was seen or done, so that it cannot lie ahead: a typing error in the year would make
    the record the latest one for as long."""


@dataclass(frozen=True)
class RecordType:
    """A collection that can be written."""

    collection: str
    table: Table
    fields: tuple[WritableField, ...]
    has_ward: bool = False
    """The table has ward_id, taken from the actor; otherwise the record belongs to an establishment."""

    def field(self, name: str) -> WritableField | None:
        """A field by its name."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, WritableField]:
        return {found.name: found for found in self.fields}


_LISTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "legal_form": ("legal_form", LEGAL_FORMS),
    "sector_group": ("sector_group", SECTOR_GROUPS),
    "operating_status": ("operating_status", OPERATING_STATUSES),
    "position_method": ("position_method", POSITION_METHODS),
    "source": ("source", SOURCES),
    "registry_status": ("registry_status", REGISTRY_STATUSES),
    "method": ("payment_method", PAYMENT_METHODS),
    "evidence_level": ("evidence_level", EVIDENCE_LEVELS),
    "result": ("inspection_result", INSPECTION_RESULTS),
    "outcome": ("visit_outcome", VISIT_OUTCOMES),
}
_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "licences": ("licence_kind", LICENCE_KINDS),
    "food_safety_records": ("food_safety_kind", FOOD_SAFETY_KINDS),
    "digital_uses": ("digital_use", DIGITAL_USES),
    "model_sites": ("model_site_kind", MODEL_SITE_KINDS),
    "outreach": ("outreach_kind", OUTREACH_KINDS),
}
_HAVE_HAPPENED = frozenset(
    {"checked_on", "inspected_on", "signed_on", "verified_on", "done_on", "lifted_on", "replied_on", "visited_on"}
)
_LENGTHS = {
    "name": 200,
    "name_en": 200,
    "registered_name": 300,
    "number": 100,
    "website": 300,
    "opening_hours": 300,
    "reply": 500,
    "document": 100,
}


def _field(collection: str, column: Column[object], name: str) -> WritableField:
    kind: Kind = "text"
    if isinstance(column.type, Date):
        kind = "date"
    elif isinstance(column.type, Boolean):
        kind = "boolean"
    elif isinstance(column.type, Integer):
        kind = "integer"
    elif isinstance(column.type, Numeric):
        kind = "number"
    code_list, codes = _LISTS.get(name, (None, ()))
    if name == "kind" and collection in _KINDS:
        code_list, codes = _KINDS[collection]
    required = not column.nullable and column.server_default is None
    most = _LENGTHS.get(name, MAX_TEXT)
    return WritableField(name, kind, required, codes, code_list, most, has_happened=name in _HAVE_HAPPENED)


def _fields(collection: str, table: Table, *names: str) -> tuple[WritableField, ...]:
    found = []
    for name in names:
        if name in REFERENCES:
            required = not table.c[f"{name}_id"].nullable
            found.append(WritableField(name, "reference", required, fixed=name == "establishment"))
        elif name == "geometry":
            shape = collection == "model_sites"
            found.append(WritableField(name, "shape" if shape else "point", required=True))
        else:
            found.append(_field(collection, table.c[name], name))
    return tuple(found)


def _type(collection: str, table: Table, *names: str, has_ward: bool = False) -> RecordType:
    return RecordType(collection, table, _fields(collection, table, *names), has_ward)


RECORD_TYPES: dict[str, RecordType] = {
    found.collection: found
    for found in (
        _type(
            "establishments", tables.establishment,
            "name", "name_en", "kind", "legal_entity", "legal_form", "sector_scheme", "sector_code", "sector_group",
            "offering", "address", "house_number", "alley", "street_name", "model_site", "stall", "operating_status",
            "suspended_until", "status_reason", "opened_on", "closed_on", "moved_to", "merged_into", "opening_hours",
            "website", "geometry", "position_method", "position_accuracy_m", "outside_accepted", "verified_on",
            "source", has_ward=True,
        ),
        _type(
            "legal_entities", tables.legal_entity,
            "registered_name", "legal_form", "tax_code", "registration_number", "registered_on", "registry_status",
            has_ward=True,
        ),
        _type(
            "licences", tables.licence,
            "establishment", "kind", "number", "issuer", "issued_on", "expires_on", "source", "checked_on",
        ),
        _type(
            "food_safety_records", tables.food_safety_record,
            "establishment", "kind", "number", "agency", "issued_on", "valid_until", "source", "checked_on",
        ),
        _type(
            "inspections", tables.inspection,
            "establishment", "inspected_on", "agency", "result", "official_words", "signed_on", "source", "reply",
            "replied_on",
        ),
        _type(
            "warnings", tables.warning,
            "establishment", "issued_on", "lifted_on", "headline", "instruction", "agency", "source", "reply",
            "replied_on",
        ),
        _type(
            "payment_acceptances", tables.payment_acceptance,
            "establishment", "method", "accepted", "evidence_level", "has_transactions", "checked_on", "source",
            "document",
        ),
        _type("digital_uses", tables.digital_use, "establishment", "kind", "used", "checked_on", "source"),
        _type("outreach", tables.outreach, "establishment", "kind", "done_on", "topic", "source"),
        _type("visits", tables.visit, "establishment", "visited_on", "outcome", "source"),
        _type("model_sites", tables.model_site, "kind", "name", "geometry", has_ward=True),
    )
}  # fmt: skip
"""Every writable collection by its id."""
