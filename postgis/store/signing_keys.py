"""Which keys sign records: their public halves in the register, made known before they are used, never forgotten."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert

from postgis import tables

_TABLE = tables.signing_key


def make_known(
    connection: Connection, kid: str, x: str, made_at: datetime | None = None, retired_at: datetime | None = None
) -> None:
    """Enters a key, as owner; made now unless said. One that is there stays as it is, but for its end, if it has none
    yet."""
    values = {"kid": kid, "x": x, "retired_at": retired_at} | ({"made_at": made_at} if made_at else {})
    entered = insert(_TABLE).values(**values)
    if retired_at is None:
        connection.execute(entered.on_conflict_do_nothing())
        return
    ended = func.greatest(entered.excluded.retired_at, _TABLE.c.made_at)
    connection.execute(
        entered.on_conflict_do_update(
            index_elements=[_TABLE.c.kid], set_={"retired_at": ended}, where=_TABLE.c.retired_at.is_(None)
        )
    )


def known(connection: Connection) -> Sequence[RowMapping]:
    """Every key: `kid`, `x`, `made_at`, `retired_at`."""
    return connection.execute(select(_TABLE).order_by(_TABLE.c.made_at, _TABLE.c.kid)).mappings().all()


def retire_others(connection: Connection, kid: str) -> list[str]:
    """Ends the use of every key but this one; returns those that were in use."""
    statement = (
        update(_TABLE)
        .where(_TABLE.c.kid != kid, _TABLE.c.retired_at.is_(None))
        .values(retired_at=func.now())
        .returning(_TABLE.c.kid)
    )
    return list(connection.execute(statement).scalars())
