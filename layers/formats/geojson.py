"""Many features as GeoJSON, row by row as PostgreSQL writes them (COPY): flat memory, the first byte at once.

COPY in its CSV form sends a text as it is when it holds neither the delimiter nor the quote nor a line break; JSON
holds no control characters, so two of those do for delimiter and quote.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg2
from sqlalchemy import Connection, literal_column, select
from sqlalchemy.exc import DBAPIError

from layers.collections import Collection
from layers.feature_text import feature_columns, feature_text
from layers.features import Matched
from layers.query import FeatureQuery
from layers.statements import Statement

Write = Callable[[bytes], object]
_COPY = "COPY ({}) TO STDOUT (FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01')"
_RECORD_SEPARATOR = "E'\\x1e'"
"""Before each text of a GeoJSON text sequence (RFC 8142)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: how many features, how many there are in all (as in `FeaturePage`), and how to go on."""

    number_returned: int
    number_matched: int | None
    estimated: bool
    next_cursor: str | None


def write_sequence(connection: Connection, collection: Collection, query: FeatureQuery, write: Write) -> int:
    """Writes the features as a GeoJSON text sequence; how many there were."""
    rows = _Rows(write, query.limit)
    _copy(connection, Matched(connection, collection, query), _RECORD_SEPARATOR, rows)
    return min(rows.count, query.limit)


def write_features(matched: Matched, write: Write) -> Sent:
    """Writes the features as members of a JSON array, without its brackets.

    The connection's transaction is of one snapshot, or the cursor may be that of a row that has changed meanwhile.
    """
    connection, limit = matched.connection, matched.query.limit
    rows = _Rows(write, limit, first=1)
    _copy(connection, matched, "','", rows)
    number, estimated = matched.count(rows.count)
    following = _cursor_after(connection, matched, rows.last) if rows.count > limit else None
    return Sent(min(rows.count, limit), number, estimated, following)


class _Rows:
    """Takes the rows as COPY hands them over; the one past the limit only says that there is more."""

    def __init__(self, write: Write, limit: int, first: int = 0) -> None:
        """`first`: so many bytes are left out before the first row."""
        self._write, self._limit, self._first = write, limit, first
        self.count = 0
        self.last = b""

    def write(self, row: bytes) -> int:
        self.count += 1
        if self.count <= self._limit:
            self.last = row
            self._write(row if self.count > 1 else row[self._first :])
        return len(row)


def _copy(connection: Connection, matched: Matched, mark: str, rows: _Rows) -> None:
    collection, query = matched.collection, matched.query
    chosen = matched.all_rows(feature_columns(collection, query.properties))
    text = literal_column(mark).concat(feature_text(collection, chosen, query))
    statement = Statement(select(text).select_from(chosen).order_by(*matched.placed(chosen)))
    values = {**statement.bound, **matched.bound(), **matched.order.values(query.cursor, query.limit, query.offset)}
    cursor: Any = connection.connection.cursor()
    with cursor:
        try:
            cursor.copy_expert(_COPY.format(cursor.mogrify(statement.text, values).decode()), rows)
        except psycopg2.Error as error:
            # Past SQLAlchemy, but to be told like any other: too slow, or the database is away.
            raise DBAPIError.instance("COPY", None, error, psycopg2.Error, hide_parameters=True) from error


def _cursor_after(connection: Connection, matched: Matched, row: bytes) -> str:
    collection = matched.collection
    named = collection.column(collection.id_field) == json.loads(row[1:])["id"]
    keys = [key.expression.label(label) for label, key in zip(matched.order.labels, matched.order.keys, strict=True)]
    return matched.order.after(connection.execute(select(*keys).where(named)).mappings().one())
