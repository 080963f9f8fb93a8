"""How long a ward relies on each kind of fact after it was checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from postgis import tables
from postgis.actor import Actor
from postgis.errors import FieldError, Forbidden, InvalidValues
from postgis.vocabulary import FRESHNESS_FACTS, SHELF_LIFE_MONTHS

_OWN, _DEFAULT = tables.ward_shelf_life, tables.shelf_life
MAY_CHANGE = ("approver", "admin")


@dataclass(frozen=True, slots=True)
class ShelfLife:
    """Months for one kind of fact: as they are for the ward, and as they are where none has chosen."""

    fact: str
    months: int
    default: int


class ChangedMeanwhile(Exception):
    """A colleague has chosen otherwise since; `now` is what stands, in the order of FRESHNESS_FACTS."""

    def __init__(self, now: list[ShelfLife]) -> None:
        super().__init__("changed meanwhile")
        self.now = now


def shelf_lives(connection: Connection, actor: Actor) -> list[ShelfLife]:
    """Those of the actor's ward, in the order of FRESHNESS_FACTS."""
    own = select(_OWN.c.fact, _OWN.c.months).where(_OWN.c.ward_id == actor.ward_id)
    chosen = {row.fact: row.months for row in connection.execute(own)}
    default = {row.fact: row.months for row in connection.execute(select(_DEFAULT.c.fact, _DEFAULT.c.months))}
    return [ShelfLife(fact, chosen.get(fact, default[fact]), default[fact]) for fact in FRESHNESS_FACTS]


def choose(connection: Connection, actor: Actor, seen: Mapping[str, int], wanted: Mapping[str, int]) -> bool:
    """Sets the months of the facts in `wanted`; whether any differs from what stood.

    `seen` is what the chooser had before them. Raises InvalidValues, Forbidden, ChangedMeanwhile.
    """
    least, most = SHELF_LIFE_MONTHS
    wrong = [fact for fact, months in wanted.items() if not least <= months <= most]
    if wrong:
        raise InvalidValues([FieldError(fact, "shelf_life_months", {"least": least, "most": most}) for fact in wrong])
    if actor.role not in MAY_CHANGE:
        raise Forbidden
    now = shelf_lives(connection, actor)
    if any(each.months != seen.get(each.fact) for each in now):
        raise ChangedMeanwhile(now)
    rows = [
        {"ward_id": actor.ward_id, "fact": each.fact, "months": wanted[each.fact]}
        for each in now
        if wanted.get(each.fact, each.months) != each.months
    ]
    if rows:
        adding = insert(_OWN).values(rows)
        connection.execute(
            adding.on_conflict_do_update(
                index_elements=[_OWN.c.ward_id, _OWN.c.fact], set_={"months": adding.excluded.months}
            )
        )
    return bool(rows)
