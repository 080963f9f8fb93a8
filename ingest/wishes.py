"""What a row proposes, record by record, for the writer to do as it stands: made anew, or changed from what was known.

Values are in the register's wire names and can be stored as JSON. Personal values are in none of them: they stand apart
in `PlannedRow.personal`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ingest.said import Said

Collection = Literal[
    "legal_entities", "establishments", "licences", "food_safety_records", "inspections", "payment_acceptances",
    "digital_uses",
]  # fmt: skip
_SOURCE = {"source": "import"}
_DECLARED = {"evidence_level": "declared"}


@dataclass(frozen=True, slots=True, repr=False)
class Wish:
    """One record as it should be. `code`: of the record that changes, with the values it had; None to make one."""

    collection: Collection
    values: Mapping[str, Any]
    code: str | None = None
    before: Mapping[str, Any] | None = None
    same_as: int | None = None
    """Of an entity that is made: the number of the earlier row in this file that makes the same owner."""

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        found: dict[str, Any] = {"collection": self.collection, "code": self.code, "values": dict(self.values)}
        if self.before is not None:
            found["before"] = dict(self.before)
        if self.same_as is not None:
            found["same_as"] = self.same_as
        return found


@dataclass(slots=True, repr=False)
class Wishes:
    """Both ways that a row may be decided: as a place of its own, and as each known place that it may be."""

    new: list[Wish] | None = None
    update: dict[str, list[Wish]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "new": None if self.new is None else [wish.as_json() for wish in self.new],
            "update": {code: [wish.as_json() for wish in wishes] for code, wishes in self.update.items()},
        }


def entity_to_make(said: Said, same_as: int | None = None) -> list[Wish]:
    """The legal entity that a row speaks of, if it says enough of one: a name and what form it has."""
    if not said.owner.is_said or "legal_form" not in said.owner.entity:
        return []
    name = said.owner.entity.get("registered_name") or said.place.get("name")
    if not name:
        return []
    return [Wish("legal_entities", {"registered_name": name, **said.owner.entity}, same_as=same_as)]


def wishes_of_new(said: Said, entity: str | None, same_as: int | None) -> list[Wish]:
    """A place of its own with all its records. `entity`: the known entity that it belongs to."""
    place = {"sector_group": "other", **said.place, **said.position, **_SOURCE}
    found = [] if entity else entity_to_make(said, same_as)
    if entity:
        place["legal_entity"] = entity
    return [*found, Wish("establishments", place), *records_of(said)]


def records_of(said: Said) -> list[Wish]:
    """The records of a place, all as new."""
    found: list[Wish] = []
    if said.licence and said.licence["kind"]:
        found.append(Wish("licences", said.licence | _SOURCE))
    found += [Wish("food_safety_records", record | _SOURCE) for record in said.food_safety if record["kind"]]
    if said.inspection:
        found.append(Wish("inspections", said.inspection | _SOURCE))
    found += [payment(method, accepted, said) for method, accepted in said.payments.items()]
    return found + [use(kind, used, said) for kind, used in said.uses.items()]


def payment(method: str, accepted: bool, said: Said) -> Wish:
    """One check of one payment method, as a list declares it."""
    values = {"method": method, "accepted": accepted, **_DECLARED, "checked_on": said.checked_on, **_SOURCE}
    return Wish("payment_acceptances", values)


def use(kind: str, used: bool, said: Said) -> Wish:
    """One check of one digital tool."""
    return Wish("digital_uses", {"kind": kind, "used": used, "checked_on": said.checked_on, **_SOURCE})
