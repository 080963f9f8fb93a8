"""What is sent to the database, whichever way: SQLAlchemy knows nothing of what goes past it."""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg2.extensions
from sqlalchemy import Connection


@contextlib.contextmanager
def noted(connection: Connection) -> Iterator[list[str]]:
    """The statements that a connection sends while the context lasts, with their values."""
    sent: list[str] = []

    class Noting(psycopg2.extensions.cursor):
        def execute(self, query: Any, values: Any = None) -> None:
            sent.append(self.mogrify(query, values).decode())
            super().execute(query, values)

    raw: Any = connection.connection.driver_connection
    usual, raw.cursor_factory = raw.cursor_factory, Noting
    try:
        yield sent
    finally:
        raw.cursor_factory = usual
