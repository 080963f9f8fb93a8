"""What a row of a batch comes to, ready to be written."""

from dataclasses import dataclass, field
from typing import Any

from postgis.store.imports_present import Datum


@dataclass(slots=True, repr=False)
class Change:
    """A record's columns that change. `entity`: the code of the legal entity that a place is linked to."""

    collection: str
    code: str
    columns: dict[str, Any]
    entity: str | None = None


@dataclass(slots=True, repr=False)
class NewDatum:
    """A personal value to be kept, and what it replaces."""

    entity: str
    field: str
    ciphertext: bytes
    lookup_hash: bytes
    mask: str
    before: Datum | None


@dataclass(slots=True, repr=False)
class Judged:
    """What a row comes to. With `outcome` known nothing of it is written."""

    number: int
    outcome: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    place: str | None = None
    """The code of its place, known or new."""
    entity: str | None = None
    """The code of the legal entity that a new place is linked to."""
    new_entity: dict[str, Any] | None = None
    new_place: dict[str, Any] | None = None
    new_records: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    data: list[NewDatum] = field(default_factory=list)
    proposals: list[dict[str, Any]] = field(default_factory=list)
    touches: set[str] = field(default_factory=set)
    """Codes of the known records that it was judged by."""
