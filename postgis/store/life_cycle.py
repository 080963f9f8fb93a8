"""What happens to an establishment in its life: suspended, reopened, closed, moved, sold, found to be a duplicate.

Each step is one or two changes of the record, noted in the history like any other, and every step can be taken back.
Works inside the caller's transaction (`postgis.actor.write_as`). All raise NotFound, Stale, InvalidValues, Forbidden
and, where the record's state does not allow the step, NotPossible.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from postgis import codes
from postgis.errors import FieldError, InvalidValues, NotFound, Stale
from postgis.store import records
from postgis.store.changes import state_before_merge
from postgis.store.record_types import RECORD_TYPES
from postgis.store.record_values import columns
from postgis.store.records import Record
from postgis.today import today

PLACES = "establishments"
ADDRESS_FIELDS = (
    "geometry",
    "position_method",
    "position_accuracy_m",
    "outside_accepted",
    "address",
    "house_number",
    "alley",
    "street_name",
    "model_site",
    "stall",
)
"""What a move within the ward changes."""
GONE = ("closed", "moved")


class NotPossible(Exception):
    """The record's state does not allow the step. `why`: ended, active, closed, moved, merged or not_merged."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def suspend(connection: Connection, code: str, version: int, *, until: Any = None, reason: Any = None) -> Record:
    """Closed for a while; `until` is the last day of it, None: not known."""
    place = _living(connection, code, version)
    if place.values["operating_status"] in GONE:
        raise NotPossible(place.values["operating_status"])
    values = {"operating_status": "suspended", "suspended_until": until, "status_reason": reason}
    last_day = _checked(connection, values)["suspended_until"]
    if last_day is not None and last_day <= today():
        raise InvalidValues([FieldError("suspended_until", "not_after_today")])
    return records.change(connection, PLACES, code, version, values)


def reopen(connection: Connection, code: str, version: int) -> Record:
    """Trading again, at the place where it was."""
    place = _living(connection, code, version)
    if place.values["operating_status"] == "active":
        raise NotPossible("active")
    nothing = dict.fromkeys(("suspended_until", "status_reason", "closed_on", "moved_to"))
    return records.change(connection, PLACES, code, version, {"operating_status": "active", **nothing})


def close(connection: Connection, code: str, version: int, *, reason: Any, on: Any = None) -> Record:
    """Closed for good; `on` is its last day, today if not said. The record stays: its code is on a door for years."""
    place = _living(connection, code, version)
    if place.values["operating_status"] == "closed":
        raise NotPossible("closed")
    return records.change(
        connection,
        PLACES,
        code,
        version,
        {**_end_of_trade(connection, on, reason), "operating_status": "closed", "suspended_until": None},
    )


def move(
    connection: Connection,
    code: str,
    version: int,
    *,
    address: Mapping[str, Any] | None = None,
    to: Any = None,
    on: Any = None,
    reason: Any = None,
) -> Record:
    """Moved: to another address under the same code (`address`, of ADDRESS_FIELDS), or to a record of its own (`to`).

    With an address the shop keeps its code and its history, the old address stays in the history. With `to` the record
    here ends its trade on that day (today if not said) and its page leads to the other.
    """
    place = _living(connection, code, version)
    if to is None:
        return records.change(connection, PLACES, code, version, _new_address(address or {}))
    if address:
        raise InvalidValues([FieldError("moved_to", "not_allowed")])
    if place.values["operating_status"] in GONE:
        raise NotPossible(place.values["operating_status"])
    values = {
        "operating_status": "moved",
        "moved_to": _other(connection, place, "moved_to", to),
        "suspended_until": None,
    }
    return records.change(
        connection, PLACES, code, version, {**_end_of_trade(connection, on, reason, optional=True), **values}
    )


def change_owner(connection: Connection, code: str, version: int, *, legal_entity: Any) -> Record:
    """The shop goes on under another legal entity, whose legal form it takes."""
    place = _living(connection, code, version)
    entity = _code(legal_entity, "legal_entity")
    if entity == place.values["legal_entity"]:
        raise InvalidValues([FieldError("legal_entity", "no_change")])
    try:
        owner = records.get(connection, "legal_entities", entity)
    except NotFound:
        raise _unknown("legal_entity", entity) from None
    if owner.ended:
        raise _unknown("legal_entity", entity)
    values = {"legal_entity": owner.code, "legal_form": owner.values["legal_form"]}
    return records.change(connection, PLACES, code, version, values)


def merge(connection: Connection, code: str, version: int, *, into: Any, reason: Any) -> Record:
    """The record is a duplicate: it ends, its code leads to the other for ever, its dated records stay with it."""
    place = _living(connection, code, version)
    why = _text(connection, reason)
    values = {"merged_into": _other(connection, place, "merged_into", into), "operating_status": "closed"}
    merged = records.change(connection, PLACES, code, version, {**values, "status_reason": why})
    return records.end(connection, PLACES, code, merged.version, why)


def undo_merge(connection: Connection, code: str, version: int) -> Record:
    """No duplicate after all: the record counts again, as it was before it was merged."""
    place = records.get(connection, PLACES, code)
    if place.version != version:
        raise Stale(place)
    before = state_before_merge(connection, code)
    if not place.ended or place.values["merged_into"] is None or before is None:
        raise NotPossible("not_merged")
    as_before = {name: before[name] for name in ("operating_status", "status_reason")}
    return records.bring_back(connection, PLACES, code, version, {"merged_into": None, **as_before})


def _living(connection: Connection, code: str, version: int) -> Record:
    place = records.get(connection, PLACES, code)
    if place.version != version:
        raise Stale(place)
    if place.ended:
        raise NotPossible("merged" if place.values["merged_into"] else "ended")
    return place


def _checked(connection: Connection, values: Mapping[str, Any]) -> dict[str, Any]:
    return columns(connection, RECORD_TYPES[PLACES], values, new=False)


def _text(connection: Connection, reason: Any) -> str:
    try:
        text = _checked(connection, {"status_reason": reason})["status_reason"]
    except InvalidValues as wrong:
        raise InvalidValues([FieldError("reason", error.code, error.values) for error in wrong.errors]) from None
    if text is None:
        raise InvalidValues([FieldError("reason", "required")])
    return str(text)


def _end_of_trade(connection: Connection, on: Any, reason: Any, *, optional: bool = False) -> dict[str, Any]:
    """`closed_on` and `status_reason`; a wrong day and a missing reason are told together."""
    errors: list[FieldError] = []
    values: dict[str, Any] = {"closed_on": today().isoformat() if on is None else on, "status_reason": None}
    try:
        values["status_reason"] = None if optional and reason is None else _text(connection, reason)
    except InvalidValues as wrong:
        errors += wrong.errors
    try:
        last_day = _checked(connection, {"closed_on": values["closed_on"]})["closed_on"]
        if last_day is not None and last_day > today():
            errors.append(FieldError("closed_on", "in_the_future"))
    except InvalidValues as wrong:
        errors += wrong.errors
    if errors:
        raise InvalidValues(errors)
    return values


def _new_address(address: Mapping[str, Any]) -> dict[str, Any]:
    errors = [FieldError(name, "unknown_field") for name in address if name not in ADDRESS_FIELDS]
    if not errors and not {"geometry", "address"} & address.keys():
        errors.append(FieldError("geometry", "required"))
    if "geometry" in address and address.get("position_method") is None:
        # How the old position was found says nothing about the new one.
        errors.append(FieldError("position_method", "required"))
    if errors:
        raise InvalidValues(errors)
    accuracy = {"position_accuracy_m": None} if "geometry" in address else {}
    return {**accuracy, **address}


def _other(connection: Connection, place: Record, name: str, code: Any) -> str:
    """The code of another establishment of the ward that counts."""
    wanted = _code(code, name)
    wanted = codes.normalise(wanted) or wanted
    if wanted == place.code:
        raise InvalidValues([FieldError(name, "same_place")])
    try:
        other = records.get(connection, PLACES, wanted)
    except NotFound:
        raise _unknown(name, wanted) from None
    if other.ended:
        raise _unknown(name, wanted)
    return other.code


def _code(value: Any, name: str) -> str:
    if value is None or value == "":
        raise InvalidValues([FieldError(name, "required")])
    if not isinstance(value, str):
        raise InvalidValues([FieldError(name, "not_text")])
    if not value.isprintable():
        raise InvalidValues([FieldError(name, "unreadable_text")])
    return value.strip()


def _unknown(name: str, code: str) -> InvalidValues:
    return InvalidValues([FieldError(name, "unknown_reference", {"value": code})])
