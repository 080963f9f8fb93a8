"""What a row says of who trades: the legal entity, and the personal values about it, each number where it belongs.

A number that may be a person's is never put where it could be read: not into a licence, not into a firm's tax code.
"""

from dataclasses import dataclass, field
from typing import Any

from ingest.rows import ReadRow
from ingest.values_dates import Day
from postgis.identifiers import NotRecognised, Number, normalise
from postgis.store.personal_data import HOUSEHOLDS
from postgis.store.record_types import RECORD_TYPES

_TEXTS = ("owner_name", "owner_email", "home_address")
_COLUMNS = {"owner_phone": "phone", "owner_email": "email"}
_FIRMS_KINDS = ("tax_code", "unit_tax_code")


@dataclass(slots=True, repr=False)
class Owner:
    """`entity`: public values by wire names; `personal`: by the names of PERSONAL_FIELDS, each in its one spelling."""

    entity: dict[str, Any] = field(default_factory=dict)
    personal: dict[str, str] = field(default_factory=dict)
    phones: tuple[str, ...] = ()
    licence_number: str | None = None

    @property
    def is_said(self) -> bool:
        """Whether the row says more of an owner than what form the business has."""
        return bool(self.personal) or any(name != "legal_form" for name in self.entity)


def owner_of(row: ReadRow, form: str | None) -> Owner:
    """The owner as a row says it. `form`: the legal form, the row's own or the list's."""
    found = Owner()
    if form:
        found.entity["legal_form"] = form
    if name := row.values.get("registered_name"):
        longest = RECORD_TYPES["legal_entities"].field("registered_name")
        found.entity["registered_name"] = name[: longest.max_length] if longest else name
    status = row.values.get("registry_status")
    if status not in (None, "unknown"):
        found.entity["registry_status"] = status
    for column in ("tax_code", "personal_id", "licence_number"):
        number = row.values.get(column)
        if isinstance(number, Number) and not _put(found, number, column, form):
            row.say("number_kept", column)
    for name in _TEXTS:
        _keep(row, found, name, row.values.get(name))
    phones = row.values.get("owner_phone") or ()
    found.phones = tuple(phones)
    if phones:
        _keep(row, found, "owner_phone", phones[0])
        if len(phones) > 1:
            row.say("more_phones", "phone", count=len(phones))
    born = row.values.get("birth_date")
    if isinstance(born, Day):
        _keep(row, found, "birth_date", str(born) if born.precision == "day" else None)
        if born.precision != "day":
            row.say("day_kept", "birth_date")
    return found


def _keep(row: ReadRow, found: Owner, name: str, value: str | None) -> None:
    if value is None:
        return
    try:
        found.personal[name] = normalise(name, value)
    except NotRecognised:
        row.say("kept_as_text", _COLUMNS.get(name, name))


def _put(found: Owner, number: Number, column: str, form: str | None) -> bool:
    """Put a number where it belongs; False where the register has no place for it."""
    household = form in HOUSEHOLDS
    if number.is_personal:
        own = column == "personal_id" or number.kind == "old_identity_card"
        return _put_personal(found, "personal_id" if own else "household_tax_code", number.text)
    if column == "personal_id":
        return False
    if number.kind == "old_certificate":
        found.entity["registration_number"] = found.licence_number = number.text
        return True
    ten = len(number.text) == 10 and number.text.isdigit()
    if number.kind in _FIRMS_KINDS or (ten and column == "tax_code"):
        if household or (form is None and number.text.startswith("8")):
            return _put_personal(found, "household_tax_code", number.text)
        if column == "licence_number":
            found.licence_number = number.text
        else:
            found.entity["tax_code"] = number.text
        return True
    if column == "licence_number" and not number.text.replace("-", "").isdigit():
        found.licence_number = number.text[:100]
        return True
    # A short number of an office's own counting names nobody.
    if column == "licence_number" and len(number.text) < 9:
        found.licence_number = number.text
        return True
    return False


def _put_personal(found: Owner, name: str, text: str) -> bool:
    try:
        value = normalise(name, text)
    except NotRecognised:
        return False
    return found.personal.setdefault(name, value) == value
