"""Telephone numbers and tax codes compared without being readable: by the installation's keyed hashes.

Where no key has been made yet, the register can hold no such hash: the rows of a file are then compared with one
another in memory only.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from postgis.identifiers import Number, candidates
from postgis.secrets import Secrets

_ENTITY = "entity "
_TAX_FIELDS = ("household_tax_code", "personal_id")


class RegisterNumbers(Protocol):
    """What of a place of the register tells who trades there."""

    @property
    def code(self) -> str:
        """Its public code."""

    @property
    def entity(self) -> str | None:
        """The code of its legal entity."""

    @property
    def tax_code(self) -> str | None:
        """An organisation's."""

    @property
    def hashes(self) -> tuple[tuple[str, bytes], ...]:
        """Its entity's personal numbers: field and keyed hash."""


class Identities:
    """Gives equal numbers equal marks, whatever field of the register they stand in."""

    def __init__(self, secrets: Secrets | None) -> None:
        self._secrets = secrets
        self._entities: dict[tuple[str, bytes], str] = {}
        self._firms: dict[str, str] = {}

    def learn(self, place: RegisterNumbers) -> None:
        """Take note of a place's numbers."""
        for field, kept in place.hashes:
            if field in _TAX_FIELDS and place.entity is not None:
                self._entities[field, kept] = f"{_ENTITY}{place.entity}"
        if place.tax_code and place.entity is not None:
            self._firms.setdefault(place.tax_code, place.entity)

    def tax_mark(self, place: RegisterNumbers) -> str | None:
        """What stands for a place's tax code or its owner's number."""
        if place.tax_code:
            return place.tax_code
        return next((self._entities[pair] for pair in place.hashes if pair in self._entities), None)

    def phone_mark(self, place: RegisterNumbers) -> str | None:
        """What stands for a place's telephone number."""
        return next((kept.hex() for field, kept in place.hashes if field == "owner_phone"), None)

    def tax_mark_of(self, values: Mapping[str, Any]) -> str | None:
        """The same of a row: by its tax code, else its personal number, which only one owner can have."""
        for name in ("tax_code", "personal_id", "licence_number"):
            number = values.get(name)
            if isinstance(number, Number) and number.kind not in ("unclear", "old_certificate"):
                return self._mark(number)
        return None

    def phone_marks_of(self, values: Mapping[str, Any]) -> list[str]:
        """The same of all telephone numbers of a row."""
        phones: Iterable[str] = values.get("owner_phone", ())
        return [self._hash("owner_phone", number).hex() for number in phones]

    def entity_of(self, mark: str) -> str | None:
        """The code of the known legal entity that the mark of a row's number stands for."""
        return mark.removeprefix(_ENTITY) if mark.startswith(_ENTITY) else self._firms.get(mark)

    def has(self, place: RegisterNumbers, field: str) -> bool:
        """Whether the register knows this personal value of a place's entity."""
        return any(name == field for name, _ in place.hashes)

    def holds(self, place: RegisterNumbers, field: str, value: str) -> bool:
        """Whether it knows exactly this one, in its one spelling."""
        return any(name == field and kept == self._hash(field, value) for name, kept in place.hashes)

    def says_otherwise(self, place: RegisterNumbers, field: str, value: str) -> bool:
        """Whether a value is not the known one, as far as that can be told: without a key nothing is."""
        if self._secrets is None and self.has(place, field):
            return False
        return not self.holds(place, field, value)

    def _mark(self, number: Number) -> str:
        if number.kind in ("tax_code", "unit_tax_code") and not number.text.startswith("8"):
            return number.text
        hashes = [(field, self._hash(field, text)) for field, text in candidates(number.text, _TAX_FIELDS)]
        known = next((self._entities[pair] for pair in hashes if pair in self._entities), None)
        return known or (hashes[0][1] if hashes else self._hash("personal_id", number.text)).hex()

    def _hash(self, field: str, text: str) -> bytes:
        return text.encode() if self._secrets is None else self._secrets.lookup_hash(text, kind=field)
