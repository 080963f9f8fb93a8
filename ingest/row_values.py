"""The cells of a record under the names that the register uses, with what is wrong or unsure in them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from ingest.records import Record
from ingest.values import Cell, Problem, Reading, is_empty, tidy
from ingest.values_fields import RECOGNISERS, read_text
from ingest.values_words import read_payments, read_yes_no
from ingest.workbook import CellError, raw_text

Weight = Literal["wrong", "doubtful", "note"]
"""What a finding makes of its row: the sender must mend it, a person decides, or it is only said."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to say of a row. `column` counts from 1; None where it is of the row as a whole. Never a value of a
    person."""

    column: int | None
    code: str
    values: tuple[tuple[str, str], ...] = ()
    weight: Weight = "note"


_PLAIN = {
    "name": "name",
    "registered_name": "registered_name",
    "owner_name": "owner_name",
    "phone": "owner_phone",
    "email": "owner_email",
    "personal_id": "personal_id",
    "tax_code": "tax_code",
    "licence_number": "licence_number",
    "home_address": "home_address",
    "birth_date": "birth_date",
    "legal_form": "legal_form",
    "registry_status": "registry_status",
    "operating_status": "operating_status",
    "opened_on": "opened_on",
    "closed_on": "closed_on",
    "inspected_on": "inspected_on",
    "inspection_result": "inspection_result",
    "penalty": "penalty",
    "food_safety_kind": "food_safety_kind",
    "licence_issued_on": "issued_on",
    "licence_expires_on": "expires_on",
    "food_safety_issued_on": "issued_on",
    "food_safety_expires_on": "expires_on",
    "surveyed_on": "checked_on",
    "vietqr": "yes_no",
    "bank_transfer": "yes_no",
    "pos_card": "yes_no",
    "e_invoice": "yes_no",
    "sales_software": "yes_no",
    "marketplace": "marketplace",
    "licence_kind": "licence_kind",
    "commitment_signed_on": "issued_on",
}
"""A column's field → who of `RECOGNISERS` reads it. The others are kept as text, or belong to the place."""
KEPT_FIELDS = frozenset(
    (
        "row_number",
        "external_id",
        "personal_id_issued_on",
        "personal_id_issuer",
        "sex",
        "district",
        "city",
        "postcode",
        "health_check_on",
        "quick_test",
        "managed_by",
        "market_section",
        "workers",
        "floor_area",
        "capital",
        "revenue",
        "tax_amount",
        "geometry",
        "surveyed_by",
        "note",
        "computed",
        "machine_code",
        "to_mend",
    )
)
"""Recognised, but the register has no place for them: the whole column is kept as text and said to be."""
OF_THE_PLACE = frozenset(
    (
        "address",
        "house_number",
        "alley",
        "street_name",
        "residential_group",
        "ward",
        "market",
        "stall",
        "lat",
        "lon",
        "northing",
        "easting",
        "coordinates",
    )
)
_REGISTER_NAMES = {"phone": "owner_phone", "email": "owner_email", "business_line": "sector", "sector_code": "sector",
                   "payment": "payment_methods", "wallet": "payment_methods"}  # fmt: skip
_LOST = frozenset(
    (
        "not_a_phone",
        "not_an_email",
        "not_a_date",
        "impossible_date",
        "unlikely_date",
        "not_a_count",
        "not_an_amount",
        "unlikely_amount",
        "digits_lost",
        "not_coordinates",
        "zero_coordinates",
        "no_letters",
        "too_long",
        "not_a_person",
    )
)
"""What no reader can turn into a value: the sender has to say it anew."""
_NEVER_DOUBTFUL = frozenset(("sector", "licence_number", "inspection_result", "penalty", "food_safety_kind"))
"""What is held back and said, but leaves the row as it is: a sector is confirmed for the whole list, certificates are
numbered in any way an office likes, and results have scales of their own."""


_REPEATED = frozenset(
    ("sector", "legal_form", "operating_status", "registry_status", "yes_no", "marketplace",
     "licence_kind", "food_safety_kind", "inspection_result", "penalty", "opened_on", "closed_on", "issued_on",
     "expires_on", "inspected_on", "checked_on")
)  # fmt: skip


@lru_cache(maxsize=20_000)
def _said(kind: str, cell: str) -> Reading[Any]:
    """Words that a list repeats a thousand times are read once; numbers of persons are never held here."""
    return RECOGNISERS[kind](cell)


def read_cell(field: str, cell: Cell) -> Reading[Any]:
    """One cell of a column of that field."""
    kind = "sector" if field in ("business_line", "sector_code") else _PLAIN.get(field)
    if kind is None:
        return read_text(cell)
    if type(cell) is str and kind in _REPEATED:
        return _said(kind, cell)
    return RECOGNISERS[kind](cell)


def columns_of(record: Record, numbers: Mapping[str, tuple[int, ...]], field: str) -> list[int]:
    """The columns that the values of a field come from, in their order."""
    columns = numbers.get(field, ())
    if len(columns) == 1 and not record.carried:
        return list(columns) if columns[0] in record.cells else []
    own = [at for at in numbers.get(field, ()) if at in record.cells and not isinstance(record.cells[at], CellError)]
    return own + [at for at in numbers.get(field, ()) if at in record.carried and at not in record.cells]


def read_methods(cell: Cell, of_head: tuple[str, ...] | None) -> Reading[Any]:
    """A cell under "thanh toán" names methods, or says yes or no of those that its head names (`of_head`).

    The value: by method, whether it is accepted.
    """
    named: Reading[Any] = read_payments(cell)
    if named.value is not None or not named.problems:
        return replace(named, value=tuple((each, True) for each in named.value or ()) or None)
    said: Reading[Any] = read_yes_no(cell)
    if said.value == "unknown":
        return replace(said, value=None)
    if said.value is None:
        return named
    if not of_head:
        # "có" under "ví điện tử" or "không dùng tiền mặt": which method, it does not say.
        return replace(said, confidence=1.0, problems=(Problem("which_method"),), value=())
    return replace(said, value=tuple((each, said.value == "yes") for each in of_head))


def read_values(
    record: Record, numbers: Mapping[str, tuple[int, ...]], methods: Mapping[int, tuple[str, ...] | None]
) -> tuple[dict[str, Any], list[Finding]]:
    """The values by the register's names, and the findings.

    `numbers`: which columns a field has in this table; `methods`: which ones the heads of its payment columns name.
    """
    values: dict[str, Any] = {}
    findings = [Finding(column, code, weight="wrong") for column, code in sorted(record.refused.items())]
    for field, cells in record.values.items():
        if field in OF_THE_PLACE or field in KEPT_FIELDS:
            continue
        columns = columns_of(record, numbers, field)
        name = _REGISTER_NAMES.get(field, field)
        if field == "business_line" and "sector_code" in record.values:
            # Code and words together say more than each alone.
            cells = (" ".join(raw_text(cell) for cell in (*record.values["sector_code"], *cells)),)
        elif field == "sector_code" and "business_line" in record.values:
            continue
        for at, cell in enumerate(cells):
            column = columns[at] if at < len(columns) else None
            if name == "payment_methods":
                reading = read_methods(cell, methods.get(column) if column else None)
            else:
                reading = read_cell(field, cell)
            if reading.problems or reading.needs_person:
                findings += _findings(name, reading, column)
            lost = reading.value is not None and _is_sure(name, reading) and not _put(values, name, reading.value)
            # A second line of business stands among what is offered.
            if lost and name != "sector":
                findings.append(Finding(column, "kept_as_text"))
            if name == "sector" and reading.raw:
                values.setdefault("sector_reading", reading)
        if field == "business_line":
            texts = (tidy(cell) for cell in record.values[field])
            values["offering"] = "; ".join(dict.fromkeys(text for text in texts if not is_empty(text)))
    return values, findings


def _is_sure(name: str, reading: Reading[Any]) -> bool:
    """What a person has to confirm first proposes nothing yet, but a number still finds its place."""
    return not reading.needs_person or name in ("tax_code", "personal_id", "licence_number", "owner_phone", "name")


def _put(values: dict[str, Any], name: str, value: Any) -> bool:
    """Several columns may name several methods or numbers; of all else the first counts. False: it found no place."""
    if isinstance(value, tuple) and isinstance(values.get(name), tuple):
        values[name] = tuple(dict.fromkeys((*values[name], *value)))
        return True
    return bool(values.setdefault(name, value) == value)


def _findings(name: str, reading: Reading[Any], column: int | None) -> list[Finding]:
    found = [_finding(name, reading, problem, column) for problem in reading.problems]
    if reading.needs_person and not found:
        found.append(Finding(column, "unsure_value", weight="note" if name in _NEVER_DOUBTFUL else "doubtful"))
    return found


def _finding(name: str, reading: Reading[Any], problem: Problem, column: int | None) -> Finding:
    weight: Weight = "note"
    if reading.value is None and problem.code in _LOST:
        weight = "wrong"
    elif reading.needs_person and name not in _NEVER_DOUBTFUL:
        weight = "doubtful"
    return Finding(column, problem.code, problem.values, weight)
