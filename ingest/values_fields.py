"""Which recogniser reads which field: by the names that the register, its personal data and its records use."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ingest.values import Cell, Reading, nothing, raw_text, read_name, read_person, tidy
from ingest.values_dates import read_date
from ingest.values_numbers import read_count, read_email, read_identifier, read_money, read_phones
from ingest.values_sectors import read_sector
from ingest.values_vocabulary import (
    FOOD_SAFETY_KINDS,
    INSPECTION_RESULTS,
    LICENCE_KINDS,
    OPERATING_STATUSES,
    REGISTRY_STATUSES,
)
from ingest.values_words import read_legal_form, read_marketplace, read_payments, read_penalty, read_word, read_yes_no


def read_text(cell: Cell) -> Reading[str]:
    """Free text: single blanks, nothing else changed."""
    if (empty := nothing(cell)) is not None:
        return empty
    return Reading(raw_text(cell), tidy(cell), 1.0)


def _personal(read: Callable[[Cell], Reading[Any]]) -> Callable[[Cell], Reading[Any]]:
    return lambda cell: replace(read(cell), personal=True)


RECOGNISERS: Mapping[str, Callable[[Cell], Reading[Any]]] = {
    "name": read_name,
    "name_en": read_name,
    "registered_name": read_name,
    "owner_name": read_person,
    "owner_phone": read_phones,
    "owner_email": read_email,
    "personal_id": partial(read_identifier, column="personal_id"),
    "household_tax_code": partial(read_identifier, column="tax_code"),
    "home_address": _personal(read_text),
    "birth_date": _personal(read_date),
    "tax_code": partial(read_identifier, column="tax_code"),
    "licence_number": partial(read_identifier, column="certificate"),
    "legal_form": read_legal_form,
    "registry_status": partial(read_word, words=REGISTRY_STATUSES),
    "operating_status": partial(read_word, words=OPERATING_STATUSES),
    "sector": read_sector,
    "offering": read_text,
    "opened_on": read_date,
    "closed_on": read_date,
    "issued_on": read_date,
    "expires_on": read_date,
    "checked_on": read_date,
    "inspected_on": read_date,
    "payment_methods": read_payments,
    "food_safety_kind": partial(read_word, words=FOOD_SAFETY_KINDS),
    "licence_kind": partial(read_word, words=LICENCE_KINDS),
    "inspection_result": partial(read_word, words=INSPECTION_RESULTS),
    "penalty": read_penalty,
    "yes_no": read_yes_no,
    "marketplace": read_marketplace,
    "capital": read_money,
    "workers": read_count,
    "note": read_text,
}
"""Addresses (`ingest.addresses`) and points (`ingest.values_coordinates`) need more than one cell or know more."""
