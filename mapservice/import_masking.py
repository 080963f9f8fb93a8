"""The sender's own cells as a screen or a program may see them: what may be somebody's is masked.

A column that was recognised as personal is masked by its kind. Every other cell is searched for numbers that may be a
telephone's or a person's and for mail addresses: people write them into notes, names and addresses.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from postgis import identifiers

_PERSONAL: Mapping[str, str] = {
    "owner_name": "owner_name",
    "phone": "owner_phone",
    "email": "owner_email",
    "personal_id": "personal_id",
    "home_address": "home_address",
    "birth_date": "birth_date",
    "personal_id_issued_on": "birth_date",
    "personal_id_issuer": "home_address",
    "sex": "birth_date",
}
"""A column's field and how such a value is masked."""
_NUMBER = re.compile(r"(?<![0-9])\+?[0-9](?:[ .\-\u00a0()]{0,2}[0-9]){8,12}(?![0-9])")
_MAIL = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\"]+")
_AMOUNTS = frozenset({"capital", "revenue", "tax_amount", "lat", "lon", "northing", "easting", "coordinates"})
"""Fields of figures, which are nobody's number."""
_FIRMS = frozenset({"tax_code", "licence_number"})


class Masks:
    """Masks the cells of one file's rows, by what its columns were recognised as."""

    def __init__(self, columns: Sequence[Mapping[str, Any]]) -> None:
        self._fields = {(column["sheet"], int(column["column"])): column.get("field") for column in columns}

    def cells(self, sheet: str, cells: Mapping[str, str]) -> dict[int, str]:
        """The text of each cell by its column, in their order."""
        ordered = sorted((int(number), text) for number, text in cells.items())
        return {number: masked(self._fields.get((sheet, number)), text) for number, text in ordered}

    def hides(self, sheet: str, column: int, text: str) -> bool:
        """Whether a cell of this text is shown otherwise than it stands, or would be if something stood in it."""
        field = self._fields.get((sheet, column))
        return field in _PERSONAL or masked(field, text) != text


def masked(field: str | None, text: str) -> str:
    """A cell's text as it may be shown."""
    if field is not None and field in _PERSONAL:
        return _by_kind(_PERSONAL[field], text)
    if field in _FIRMS and not identifiers.classify(text).is_personal and _is_firms(text):
        return text
    if field in _AMOUNTS:
        return text
    return _MAIL.sub(lambda found: identifiers.mask("owner_email", found[0]), _NUMBER.sub(_hidden_digits, text))


def _by_kind(field: str, text: str) -> str:
    if field in ("owner_phone", "personal_id"):
        hidden = _NUMBER.sub(_hidden_digits, text)
        return hidden if hidden != text else "***"
    if field == "owner_email":
        return _MAIL.sub(lambda found: identifiers.mask(field, found[0]), text) if "@" in text else "***"
    return identifiers.mask(field, text.strip()) if text.strip() else ""


def _hidden_digits(found: re.Match[str]) -> str:
    digits = "".join(letter for letter in found[0] if letter.isdigit())
    return identifiers.mask("owner_phone", digits)


def _is_firms(text: str) -> bool:
    number = identifiers.classify(text)
    if number.kind == "old_certificate":
        return True
    return number.kind in ("tax_code", "unit_tax_code") and number.certain and not number.text.startswith("8")
