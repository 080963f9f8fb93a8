"""What programs have made under a key of their own (Idempotency-Key): sent again, it makes nothing twice.

Works inside the caller's transaction (`postgis.actor.write_as`), which no other writer's overlaps.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, func, insert, select

from postgis import tables
from postgis.actor import Actor

KEPT = timedelta(days=1)
"""Programs try again for minutes; after a day the key may mean something new."""
_TABLE = tables.write_key


@dataclass(frozen=True, slots=True)
class Made:
    """The id of a record, or the receipt of a proposal."""

    code: str
    proposed: bool


class KeyReused(Exception):
    """The key stood for something else."""


def find(connection: Connection, actor: Actor, key: str, digest: bytes) -> Made | None:
    """What the actor made under a key; None: nothing yet. Raises KeyReused."""
    own = _TABLE.c.staff_id == actor.staff_id
    connection.execute(delete(_TABLE).where(own, _TABLE.c.at < func.now() - KEPT))
    columns = (_TABLE.c.digest, _TABLE.c.made, _TABLE.c.proposed)
    row = connection.execute(select(*columns).where(own, _TABLE.c.key == key)).one_or_none()
    if row is None:
        return None
    if bytes(row.digest) != digest:
        raise KeyReused
    return Made(row.made, row.proposed)


def keep(connection: Connection, actor: Actor, key: str, digest: bytes, made: Made) -> None:
    """Notes what was made under a key."""
    connection.execute(
        insert(_TABLE).values(staff_id=actor.staff_id, key=key, digest=digest, made=made.code, proposed=made.proposed)
    )
