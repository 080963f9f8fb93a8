"""Signed-in browsers. The cookie is random; the table keeps its SHA-256, so that a copy of the table opens nothing."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, literal, select, text

from postgis import tables
from postgis.actor import Actor

LONGEST = timedelta(hours=24)
MAX_COOKIE = 200

_SESSION = tables.session
LIVE = func.account.is_live(_SESSION.c.expires_at, _SESSION.c.last_seen_at)
"""What a session must be to count."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: who it is, and what its forms must carry."""

    actor: Actor
    csrf_token: str
    must_change_password: bool
    token_hash: bytes


def digest(secret: str) -> bytes:
    """How a random secret is kept. It has 256 bits: no salt and no slow hash would make it harder to guess."""
    return hashlib.sha256(secret.encode()).digest()


def actor_from(row: Row[Any], scope: str = "write") -> Actor:
    """The actor of a row of `account.session_holder` or `account.token_holder`."""
    return Actor(row.id, row.login, row.display_name, row.role, row.ward_id, row.ward_code, scope)


def start(connection: Connection, staff_id: int) -> str:
    """Begins a session and returns its cookie's value, which is never the one of before. Sweeps what has expired."""
    cookie = secrets.token_urlsafe(32)
    connection.execute(select(func.account.sweep_sessions()))
    connection.execute(
        insert(_SESSION).values(
            token_hash=digest(cookie),
            staff_id=staff_id,
            expires_at=func.now() + literal(LONGEST),
            csrf_token=secrets.token_urlsafe(32),
        )
    )
    return cookie


def find(connection: Connection, cookie: str) -> Session | None:
    """The live session of a cookie, of staff who are not disabled; notes that it was seen."""
    if not cookie or len(cookie) > MAX_COOKIE:
        return None
    token_hash = digest(cookie)
    row = connection.execute(_HOLDER, {"hash": token_hash}).one_or_none()
    if row is None:
        return None
    return Session(actor_from(row), row.csrf_token, row.must_change_password, token_hash)


_HOLDER = text("SELECT * FROM account.session_holder(:hash)")


def end(connection: Connection, token_hash: bytes) -> None:
    """Ends one session."""
    connection.execute(delete(_SESSION).where(_SESSION.c.token_hash == token_hash))


def end_all(connection: Connection, staff_id: int) -> int:
    """Ends every session of a member of staff; returns how many there were."""
    return connection.execute(delete(_SESSION).where(_SESSION.c.staff_id == staff_id)).rowcount
