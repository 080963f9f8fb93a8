"""Bearer tokens of API clients. A token acts as the member of staff who holds it, within its scope and time."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, literal, select, text, update

from postgis import tables
from postgis.actor import Actor
from postgis.store.sessions import actor_from, digest

PREFIX = "ms_"
"""Lets people, and scanners for secrets that were committed by mistake, see what a string is."""
MAX_DAYS = 365
MAX_LENGTH = 200

_TOKEN = tables.token


@dataclass(frozen=True, slots=True)
class Token:
    """A token as people see it afterwards: never its secret."""

    id: int
    label: str
    scope: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    expired: bool


def issue(connection: Connection, staff_id: int, label: str, scope: str, days: int) -> str:
    """Makes a token and returns it: the only time that anybody sees it. `days` is 1 to MAX_DAYS."""
    if not 1 <= days <= MAX_DAYS:
        raise ValueError(f"a token lives 1 to {MAX_DAYS} days")
    token = PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        insert(_TOKEN).values(
            token_hash=digest(token),
            staff_id=staff_id,
            label=label,
            scope=scope,
            expires_at=func.now() + literal(timedelta(days=days)),
        )
    )
    return token


def find(connection: Connection, token: str) -> Actor | None:
    """The actor of a token that is neither expired nor revoked, of staff who are not disabled; notes its use."""
    if not token or len(token) > MAX_LENGTH:
        return None
    row = connection.execute(_HOLDER, {"hash": digest(token)}).one_or_none()
    return None if row is None else actor_from(row, row.scope)


_HOLDER = text("SELECT * FROM account.token_holder(:hash)")


def of_staff(connection: Connection, staff_id: int) -> list[Token]:
    """Every token of a member of staff, the newest first."""
    rows = connection.execute(
        select(
            _TOKEN.c.id,
            _TOKEN.c.label,
            _TOKEN.c.scope,
            _TOKEN.c.created_at,
            _TOKEN.c.expires_at,
            _TOKEN.c.revoked_at,
            _TOKEN.c.last_used_at,
            (_TOKEN.c.expires_at <= func.now()).label("expired"),
        )
        .where(_TOKEN.c.staff_id == staff_id)
        .order_by(_TOKEN.c.id.desc())
    )
    return [Token(*row) for row in rows]


def count_good(connection: Connection, staff_id: int) -> int:
    """How many tokens of a member of staff still work."""
    good = (_TOKEN.c.staff_id == staff_id) & _TOKEN.c.revoked_at.is_(None) & (_TOKEN.c.expires_at > func.now())
    return connection.execute(select(func.count()).select_from(_TOKEN).where(good)).scalar_one()


def revoke(connection: Connection, staff_id: int, token_id: int | None = None) -> int:
    """Revokes one token of a member of staff, or all of them; returns how many were still good."""
    chosen = update(_TOKEN).where(_TOKEN.c.staff_id == staff_id, _TOKEN.c.revoked_at.is_(None))
    if token_id is not None:
        chosen = chosen.where(_TOKEN.c.id == token_id)
    return connection.execute(chosen.values(revoked_at=func.now())).rowcount
