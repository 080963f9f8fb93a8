"""Which keys sign records: their public halves in the register, made known before they are used, never forgotten."""

from sqlalchemy import Connection, func, update
from sqlalchemy.dialects.postgresql import insert

from postgis import tables

_TABLE = tables.signing_key


def make_known(connection: Connection, kid: str, x: str) -> None:
    """Enters a key, as owner. One that is there stays as it is."""
    connection.execute(insert(_TABLE).values(kid=kid, x=x).on_conflict_do_nothing())


def retire_others(connection: Connection, kid: str) -> list[str]:
    """Ends the use of every key but this one; returns those that were in use."""
    statement = (
        update(_TABLE)
        .where(_TABLE.c.kid != kid, _TABLE.c.retired_at.is_(None))
        .values(retired_at=func.now())
        .returning(_TABLE.c.kid)
    )
    return list(connection.execute(statement).scalars())
