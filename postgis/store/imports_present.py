"""What the register holds of all that some rows of a batch speak of, read at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select, text

from postgis import tables
from postgis.store import records
from postgis.store.imports_wanted import WantedRow
from postgis.store.record_types import RECORD_TYPES, REFERENCES
from postgis.store.records import Record

PLACES, ENTITIES = "establishments", "legal_entities"


@dataclass(frozen=True, slots=True, repr=False)
class Datum:
    """A personal value as it is stored."""

    ciphertext: bytes
    lookup_hash: bytes
    mask: str
    updated_at: datetime


@dataclass(slots=True, repr=False)
class Present:
    """By codes. Implements `record_values.References`."""

    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    references: dict[tuple[str, str], tuple[int, bool]] = field(default_factory=dict)
    data: dict[tuple[str, str], Datum] = field(default_factory=dict)
    """Personal values by entity and field."""
    under: dict[tuple[str, str], list[Record]] = field(default_factory=dict)
    """Records that count by collection and place, of collections of which the rows make some."""
    told: dict[str, tuple[str, date]] = field(default_factory=dict)
    """What the public is told of a place's food safety."""
    twins: dict[int, str] = field(default_factory=dict)
    """Rows that would make a place which is there under the same name and address, and its code."""
    waiting: dict[tuple[str, str], list[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)
    """What imports have proposed and nobody has decided: receipts and patches, by collection and record or place."""

    def find(self, name: str, code: str) -> tuple[int, bool] | None:
        """What a field refers to: id, and whether it has ended."""
        return self.references.get((name, code))


def look(connection: Connection, rows: Sequence[WantedRow]) -> Present:
    """Reads all that judging these rows needs, as the actor may see it."""
    found = Present()
    wanted: dict[str, set[str]] = defaultdict(set)
    made: dict[str, set[str]] = defaultdict(set)
    named: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.target is not None:
            wanted[PLACES].add(row.target)
        for wish in row.wishes or ():
            if wish.code is not None:
                wanted[wish.collection].add(wish.code)
            elif row.target is not None and wish.collection not in (PLACES, ENTITIES):
                made[wish.collection].add(row.target)
            for name in REFERENCES.keys() & wish.values.keys():
                if isinstance(code := wish.values[name], str):
                    named[name].add(code)
    _read_records(connection, found, PLACES, wanted.pop(PLACES, set()))
    owners = {found.records[key].values["legal_entity"] for key in found.records}
    entities = wanted.pop(ENTITIES, set()) | (owners - {None}) | named["legal_entity"]
    for collection, codes in ((ENTITIES, entities), *wanted.items()):
        _read_records(connection, found, collection, codes)
    for name, codes in named.items():
        _read_references(connection, found, name, codes)
    _read_data(connection, found, entities)
    for collection, places in made.items():
        for place, under in records.of_places(connection, collection, places).items():
            found.under[collection, place] = under
    if made["food_safety_records"]:
        found.told = records.told_food_safety(connection, made["food_safety_records"])
    _read_waiting(connection, found, {code for _, code in found.records})
    found.twins = _twins(connection, rows)
    return found


def _read_records(connection: Connection, found: Present, collection: str, codes: Iterable[str]) -> None:
    if collection in RECORD_TYPES and codes:
        for code, record in records.get_many(connection, collection, list(codes)).items():
            found.records[collection, code] = record


def _read_references(connection: Connection, found: Present, name: str, codes: Iterable[str]) -> None:
    table = REFERENCES[name]
    wanted = select(table.c.code, table.c.id, table.c.ended_at.is_not(None)).where(
        table.c.code == func.any(list(codes))
    )
    for code, number, ended in connection.execute(wanted):
        found.references[name, code] = (number, ended)


def _read_data(connection: Connection, found: Present, entities: Iterable[str]) -> None:
    datum, entity = tables.personal_datum, tables.legal_entity
    wanted = (
        select(entity.c.code, datum.c.field, datum.c.ciphertext, datum.c.lookup_hash, datum.c.mask, datum.c.updated_at)
        .join(entity, entity.c.id == datum.c.legal_entity_id)
        .where(entity.c.code == func.any(list(entities)))
    )
    for code, name, ciphertext, lookup_hash, mask, updated_at in connection.execute(wanted):
        found.data[code, name] = Datum(bytes(ciphertext), bytes(lookup_hash), mask, updated_at)


def _read_waiting(connection: Connection, found: Present, codes: Iterable[str]) -> None:
    proposal = tables.proposal
    about = func.coalesce(proposal.c.record_code, proposal.c.patch["establishment"].astext)
    wanted = select(proposal.c.collection, about, proposal.c.receipt, proposal.c.patch).where(
        proposal.c.state == "pending", proposal.c.source == "import", about == func.any(list(codes))
    )
    for collection, code, receipt, patch in connection.execute(wanted):
        found.waiting.setdefault((collection, code), []).append((receipt, patch))


_TWINS = text("""
    SELECT s.number, min(e.code) AS code
      FROM unnest(CAST(:numbers AS int[]), CAST(:names AS text[]), CAST(:addresses AS text[]))
           AS s (number, name, address)
      JOIN register.establishment e ON e.name = s.name AND e.address = s.address
     WHERE e.ended_at IS NULL
     GROUP BY s.number
""")


def _twins(connection: Connection, rows: Sequence[WantedRow]) -> dict[int, str]:
    """Places that somebody, or another file, has made since the plan: it would have found them the same."""
    said = [
        (row.number, wish.values["name"], wish.values["address"])
        for row in rows
        if row.target is None and not row.decided
        for wish in row.wishes or ()
        if wish.collection == PLACES and wish.values.get("name") and wish.values.get("address")
    ]
    if not said:
        return {}
    numbers, names, addresses = zip(*said, strict=True)
    given = {"numbers": list(numbers), "names": list(names), "addresses": list(addresses)}
    return {row.number: row.code for row in connection.execute(_TWINS, given)}
