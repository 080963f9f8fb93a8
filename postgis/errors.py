"""What can go wrong with a write, in terms of records and fields; the words stand in `web/translations`."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import DBAPIError


@dataclasses.dataclass(frozen=True, slots=True)
class FieldError:
    """One field that cannot be stored. `code` names the wording (`field_errors.CODE`), `values` fill it."""

    field: str
    code: str
    values: dict[str, Any] = dataclasses.field(default_factory=dict)


class NotFound(Exception):
    """There is no such record, or none that the actor may see."""


class Stale(Exception):
    """The record has changed since the caller saw it. `current` is what it is now."""

    def __init__(self, current: Any) -> None:
        super().__init__("stale")
        self.current = current


class Forbidden(Exception):
    """The actor may not do this."""


class NotNow(Exception):
    """An import's state, or the job that is under way, does not allow this now."""

    def __init__(self, state: str, job: str | None) -> None:
        super().__init__(f"{state}, {job or 'no job'}")
        self.state, self.job = state, job


class InvalidValues(Exception):
    """Fields that cannot be stored, all of them at once."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(", ".join(f"{error.field}: {error.code}" for error in errors))
        self.errors = tuple(errors)


def refused_by_database(error: DBAPIError, table: str) -> InvalidValues | Forbidden | None:
    """What a refusal of the database means for a field; None when it is no refusal of a value.

    Constraint names are made by one rule (`postgis.tables.base`): ck_TABLE_FIELD, ck_TABLE_A_before_B, fk_TABLE_COLUMN,
    uq_TABLE_COLUMN.
    """
    state = getattr(error.orig, "pgcode", None)
    diagnosis = getattr(error.orig, "diag", None)
    constraint = getattr(diagnosis, "constraint_name", None) or ""
    name = _short(constraint, table)
    if state == "42501":
        return Forbidden()
    if state == "23502":
        return InvalidValues([FieldError(_wire(diagnosis.column_name), "required")])  # type: ignore[union-attr]
    if state == "23514" or (state == "23503" and name == "sector_scheme_sector_code"):
        return refused_check(constraint, table)
    if state == "23503":
        return InvalidValues([FieldError(_wire(name), "unknown_reference")])
    if state == "23505":
        return InvalidValues([FieldError(_wire(name), "taken")])
    return None


def refused_check(constraint: str, table: str) -> InvalidValues:
    """What a broken rule of a table means for a field."""
    name = _short(constraint, table)
    if "_before_" in name:
        earlier, later = name.split("_before_")
        return InvalidValues([FieldError(_wire(later), "before", {"other": _wire(earlier)})])
    if name == "sector_scheme_sector_code":
        return InvalidValues([FieldError("sector_code", "not_in_scheme")])
    return InvalidValues([FieldError(_wire(name), _CHECKS.get(name, "not_allowed"))])


def _short(constraint: str, table: str) -> str:
    return constraint[3:].removeprefix(f"{table}_") if constraint[:3] in ("ck_", "fk_", "uq_") else constraint


_CHECKS = {
    "position_in_ward": "outside_ward",
    "site_in_ward": "site_outside_ward",
    "told_to_public": "told_to_public",
    "sector_scheme_with_code": "scheme_without_code",
    "has_transactions": "transactions_without_acceptance",
    "tax_code": "tax_code",
    "household_tax_code": "household_tax_code",
    "registration_number": "may_be_personal_id",
    "not_itself": "not_itself",
}
_FIELDS = {
    "position_in_ward": "geometry",
    "site_in_ward": "geometry",
    "told_to_public": "reason",
    "sector_scheme_with_code": "sector_code",
    "household_tax_code": "tax_code",
    "not_itself": "merged_into",
    "nfc": "name",
    "geom": "geometry",
}


def _wire(name: str) -> str:
    """A column's or constraint's name as the field that people know."""
    return _FIELDS.get(name, name.removesuffix("_id"))
