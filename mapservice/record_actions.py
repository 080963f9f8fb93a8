"""The steps of an establishment's life that the record page offers, by what it is now and who asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mapservice.rights import can
from postgis.actor import Actor
from web import labels


@dataclass(frozen=True, slots=True)
class Action:
    """One step: from which statuses it is offered, and what its page asks for besides the reason."""

    name: str
    statuses: tuple[str, ...] = ()
    """None named: any status."""
    fields: tuple[str, ...] = ()
    proposed_as: str | None = None
    """The status that somebody without the right to change may propose instead."""
    ended: bool = False
    """For records that no longer count."""
    dangerous: bool = False


_OPEN = ("active", "unknown", "not_found")
ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (
        Action("suspend", _OPEN, ("suspended_until",), proposed_as="suspended"),
        Action("reopen", ("suspended", "closed", "moved", "not_found", "unknown"), proposed_as="active"),
        Action("close", (*_OPEN, "suspended"), ("closed_on",), proposed_as="closed", dangerous=True),
        Action("not-found", ("active", "unknown", "suspended"), proposed_as="not_found"),
        Action("move", (*_OPEN, "suspended"), ("moved_to", "closed_on")),
        Action("change-owner", (), ("legal_entity",)),
        Action("merge"),
        Action("retire", dangerous=True),
        Action("undo-merge", ended=True),
        Action("bring-back", ended=True),
    )
}


def offered(actor: Actor, place: Mapping[str, Any], lang: str) -> list[dict[str, str]]:
    """The steps that the actor may take with an establishment: `href` and `words`."""
    found = [
        {"href": f"/staff/establishments/{place['code']}/{address(action)}", "words": words(action, lang)}
        for action in ACTIONS.values()
        if possible(actor, action, place)
    ]
    if place["ended_at"] is None and can(actor, "create", "owner_codes"):
        way = f"/staff/establishments/{place['code']}/owner-codes"
        found.append({"href": way, "words": labels.text("owner.staff.action", lang)})
        way = f"/staff/establishments/{place['code']}/payment-qr"
        found.append({"href": way, "words": labels.text("payment_check.staff.action", lang)})
    return found


def possible(actor: Actor, action: Action, place: Mapping[str, Any]) -> bool:
    """Whether the step fits what the place is and what the actor may do."""
    if action.ended != (place["ended_at"] is not None):
        return False
    if action.name == "undo-merge" and place["merged_into_id"] is None:
        return False
    if action.name == "bring-back" and place["merged_into_id"] is not None:
        return False
    if action.statuses and place["operating_status"] not in action.statuses:
        return False
    if can(actor, "change", "establishments"):
        return True
    return action.proposed_as is not None and can(actor, "propose", "establishments")


def address(action: Action) -> str:
    """The last part of the step's address."""
    return "merge" if action.name == "merge" else f"steps/{action.name}"


def words(action: Action, lang: str) -> str:
    """What the step is called."""
    return labels.text(f"register.steps.{action.name}.title", lang)
