"""Telephone numbers and tax codes compared without being readable: by the installation's keyed hashes.

Where no key has been made yet, the register can hold no such hash: the rows of a file are then compared with one
another in memory only.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from postgis.identifiers import Number, candidates
from postgis.secrets import Secrets

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

    def learn(self, place: RegisterNumbers) -> None:
        """Take note of a place's numbers."""
        for field, kept in place.hashes:
            if field in _TAX_FIELDS and place.entity is not None:
                self._entities[field, kept] = f"entity {place.entity}"

    def tax_mark(self, place: RegisterNumbers) -> str | None:
        """What stands for a place's tax code or its owner's number."""
        if place.tax_code:
            return place.tax_code
        return next((self._entities[pair] for pair in place.hashes if pair in self._entities), None)

    def phone_mark(self, place: RegisterNumbers) -> str | None:
        """What stands for a place's telephone number."""
        return next((kept.hex() for field, kept in place.hashes if field == "owner_phone"), None)

    def tax_mark_of(self, values: Mapping[str, Any]) -> str | None:
        """The same of a row: by its tax code, else its personal number."""
        for name in ("tax_code", "personal_id", "licence_number"):
            number = values.get(name)
            if isinstance(number, Number) and number.kind not in ("unclear", "old_certificate"):
                return self._mark(number)
        return None

    def phone_marks_of(self, values: Mapping[str, Any]) -> list[str]:
        """The same of all telephone numbers of a row."""
        phones: Iterable[str] = values.get("owner_phone", ())
        return [self._hash("owner_phone", number).hex() for number in phones]

    def has_other_phone(self, values: Mapping[str, Any], place: RegisterNumbers) -> bool:
        """Whether a row gives a number that the register does not have for the place, as far as that can be told."""
        known, said = self.phone_mark(place), self.phone_marks_of(values)
        if not said or (known is not None and self._secrets is None):
            return False
        return known not in said

    def _mark(self, number: Number) -> str:
        if number.kind in ("tax_code", "unit_tax_code") and not number.text.startswith("8"):
            return number.text
        hashes = [(field, self._hash(field, text)) for field, text in candidates(number.text) if field in _TAX_FIELDS]
        known = next((self._entities[pair] for pair in hashes if pair in self._entities), None)
        return known or (hashes[0][1] if hashes else self._hash("personal_id", number.text)).hex()

    def _hash(self, field: str, text: str) -> bytes:
        return text.encode() if self._secrets is None else self._secrets.lookup_hash(text, kind=field)
