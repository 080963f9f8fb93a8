"""Whether a pooled connection still leads to its server, found out without asking the server each time."""

import select
import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError

_ASK_AFTER = 30.0
"""Seconds of rest after which a connection may have been cut on its way (a firewall's idle limit) without a word."""
_RETURNED = "returned"


def look_before_use(engine: Engine) -> None:
    """Connections of the engine that have died are replaced before they are handed out, all of its pool at once.

    A server that stops says so or closes the socket: either can be read. So there is a question (a round trip to the
    server, as long as a small read itself) only where something can be read or the connection has rested for long.
    """

    def check_out(connection: Any, record: Any, _proxy: Any) -> None:
        returned = record.info.get(_RETURNED)
        if returned is None:
            return  # it has just been opened
        if time.monotonic() - returned > _ASK_AFTER or connection.closed or _has_word(connection):
            _ask(engine, connection)

    def check_in(_connection: Any, record: Any) -> None:
        record.info[_RETURNED] = time.monotonic()

    event.listen(engine, "checkout", check_out)
    event.listen(engine, "checkin", check_in)


def _has_word(connection: Any) -> bool:
    waiting = select.poll()  # select() knows no more than 1,024 files
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def _ask(engine: Engine, connection: Any) -> None:
    dialect = engine.dialect
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        if dialect.is_disconnect(error, connection, None):
            raise InvalidatePoolError from error
        raise DBAPIError.instance(None, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
