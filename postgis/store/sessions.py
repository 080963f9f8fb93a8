"""Signed-in browsers. The cookie is random; the table keeps its SHA-256, so that a copy of the table opens nothing."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, literal, not_, select, update

from postgis import tables
from postgis.actor import Actor

IDLE = timedelta(hours=8)
"""A working day: who has not been seen for so long signs in again."""
LONGEST = timedelta(hours=24)
SEEN_EVERY = timedelta(minutes=1)
"""How exactly we note that somebody is still there: more often would be a write for each request."""
MAX_COOKIE = 200

_SESSION, _STAFF, _WARD = tables.session, tables.staff, tables.ward
ACTOR_COLUMNS = (
    _STAFF.c.id,
    _STAFF.c.login,
    _STAFF.c.display_name,
    _STAFF.c.role,
    _STAFF.c.ward_id,
    _WARD.c.code.label("ward_code"),
)


LIVE = (_SESSION.c.expires_at > func.now(), _SESSION.c.last_seen_at > func.now() - literal(IDLE))
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
    """The actor of a row with ACTOR_COLUMNS."""
    return Actor(row.id, row.login, row.display_name, row.role, row.ward_id, row.ward_code, scope)


def start(connection: Connection, staff_id: int) -> str:
    """Begins a session and returns its cookie's value, which is never the one of before. Sweeps what has expired."""
    cookie = secrets.token_urlsafe(32)
    connection.execute(delete(_SESSION).where(not_(and_(*LIVE))))
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
    row = connection.execute(
        select(
            *ACTOR_COLUMNS,
            _STAFF.c.must_change_password,
            _SESSION.c.csrf_token,
            (_SESSION.c.last_seen_at < func.now() - literal(SEEN_EVERY)).label("unseen"),
        )
        .select_from(_SESSION.join(_STAFF).join(_WARD))
        .where(
            _SESSION.c.token_hash == token_hash,
            *LIVE,
            _STAFF.c.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    if row.unseen:
        connection.execute(update(_SESSION).where(_SESSION.c.token_hash == token_hash).values(last_seen_at=func.now()))
    return Session(actor_from(row), row.csrf_token, row.must_change_password, token_hash)


def end(connection: Connection, token_hash: bytes) -> None:
    """Ends one session."""
    connection.execute(delete(_SESSION).where(_SESSION.c.token_hash == token_hash))


def end_all(connection: Connection, staff_id: int) -> int:
    """Ends every session of a member of staff; returns how many there were."""
    return connection.execute(delete(_SESSION).where(_SESSION.c.staff_id == staff_id)).rowcount
