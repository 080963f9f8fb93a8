"""Hearing from the database what was committed: a connection of its own that listens, and is asked how far things are.

A notice only wakes: what has changed is read from the history, which has no gaps, so that nothing is missed should a
notice be.
"""

import contextlib
import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from postgis.engine import Database

CHANNEL = "mapservice_register"
_DEAD_AFTER_MS = 3_000


@dataclass(frozen=True, slots=True)
class Head:
    """How far the register has come."""

    seq: int
    """Number of the last change; 0 before the first."""
    mark: str | None
    """Tells that change from another with its number, as after a backup was put back."""
    base_loaded_at: datetime | None
    today: date
    """The day in Vietnam, by which statuses are told."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A record that a change has touched, and where its place lay before or after: degrees, WGS 84; None: nowhere."""

    collection: str
    code: str
    place: str | None
    """Public code of the establishment that the record is, or is about."""
    box: tuple[float, float, float, float] | None
    """West, south, east, north."""


class Notices:
    """A listening connection. Every method raises psycopg2.Error when the connection is lost."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._cursor.execute(f"LISTEN {CHANNEL}")

    def wait(self, seconds: float, *wakers: int) -> None:
        """Until something is told, one of the file descriptors `wakers` can be read, or the time is over."""
        if self._connection.notifies:
            return  # one came along with an answer
        waiting = select.poll()  # select() knows no more than 1,024 files
        for descriptor in (self._connection.fileno(), *wakers):
            waiting.register(descriptor, select.POLLIN)
        waiting.poll(seconds * 1000)

    def told(self) -> tuple[bool, list[Touch]]:
        """What was told since the last time and stands in no history: whether base data has changed, and records that
        were written without being changed.
        """
        self._connection.poll()
        found = {notice.payload for notice in self._connection.notifies}
        self._connection.notifies.clear()
        touches = []
        for words in found - {"history", "base"}:
            _, collection, places = words.split(" ")
            touches += [Touch(collection, "", place, None) for place in places.split(",")]
        return "base" in found, touches

    def head(self, known: Head | None) -> tuple[Head, bool]:
        """How far the register has come, and whether that follows from what was known."""
        self._cursor.execute("SELECT * FROM published.register_head(%s)", (known.seq if known else 0,))
        seq, mark, known_mark, base_loaded_at, today = self._cursor.fetchone()
        head = Head(seq or 0, mark, base_loaded_at, today)
        follows = (
            known is not None
            and known.mark == known_mark
            and known.base_loaded_at == base_loaded_at
            and known.today == today
        )
        return head, follows

    def touched(self, known: Head, head: Head) -> list[Touch]:
        """What the changes between two heads have touched."""
        self._cursor.execute("SELECT * FROM published.touched(%s, %s)", (known.seq, head.seq))
        return [
            Touch(collection, code, place, None if west is None else (west, south, east, north))
            for collection, code, place, west, south, east, north in self._cursor
        ]


@contextlib.contextmanager
def listening(database: Database) -> Iterator[Notices]:
    """A listening connection as mapservice_public, outside the pool. Raises DBAPIError when there is none to be had."""
    with database.public.connect() as pooled:
        pooled.detach()
        raw: Any = pooled.connection.dbapi_connection
        _notice_a_dead_server(raw.fileno())
        yield Notices(raw)


def _notice_a_dead_server(descriptor: int) -> None:
    """A server that vanishes without a word must not leave us waiting for its answer for ever."""
    with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as link:
        if link.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) in (socket.AF_INET, socket.AF_INET6):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER_MS)
