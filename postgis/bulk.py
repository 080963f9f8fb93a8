"""Many rows at once: by COPY, about ten times what inserts of a thousand rows manage, then counted for the planner."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg2.extensions
from sqlalchemy import Connection, text

_NULL = "\\N"


def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Copies rows into `table` (schema-qualified, our own name, never a user's); absent columns are null.

    Booleans, numbers, dates and text go as they are; geometry as EWKT.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    buffer.seek(0)
    listed = ", ".join(columns)
    raw: psycopg2.extensions.connection = connection.connection.driver_connection  # type: ignore[assignment]
    with raw.cursor() as cursor:
        # An empty text must stay an empty text, so null has a mark of its own.
        cursor.copy_expert(f"COPY {table} ({listed}) FROM STDIN WITH (FORMAT csv, NULL '{_NULL}')", buffer)


def analyse(connection: Connection) -> None:
    """Takes statistics of the register's tables, so that plans are right from the first query after much was loaded.

    PostgreSQL does so by itself, but a minute or more later. As owner.
    """
    tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'register' ORDER BY 1"))
    listed = ", ".join(f'register."{name}"' for name in tables.scalars())
    connection.execute(text(f"ANALYZE {listed}"))


def _cell(value: object) -> object:
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
