"""Paging by the last row's sort key: each page starts after it, however many rows were added meanwhile."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, Numeric, RowMapping, Select, Text, cast, collate, tuple_
from sqlalchemy.exc import DataError
from sqlalchemy.types import TypeEngine

from layers.errors import InvalidCursor
from layers.features import decode_cursor

VIETNAMESE = "vi-x-icu"
"""The collation with a < ă < â, d < đ and the tones in their order."""
_LONGEST = 400

__all__ = ["VIETNAMESE", "Date", "Integer", "Key", "Keyset", "Numeric", "Text"]


@dataclass(frozen=True)
class Key:
    """One part of a sort key: never null, ascending."""

    expression: ColumnElement[Any]
    kind: TypeEngine[Any]
    collation: str | None = None


class Keyset:
    """A sort order whose last part is unique."""

    def __init__(self, name: str, keys: Sequence[Key]) -> None:
        """`name` tells orders apart: a cursor of one is no cursor of another."""
        self.name, self.keys = name, keys

    def page(self, statement: Select[Any], cursor: str | None, limit: int) -> Select[Any]:
        """The statement, cut to one page and one row more; the keys are added as `_key0`, `_key1`, ..."""
        labelled = [key.expression.label(f"_key{place}") for place, key in enumerate(self.keys)]
        ordered = [_collated(key.expression, key) for key in self.keys]
        chosen = statement.add_columns(*labelled).order_by(*ordered).limit(limit + 1)
        if cursor is None:
            return chosen
        values = self._values(cursor)
        start = [_collated(cast(value, key.kind), key) for value, key in zip(values, self.keys, strict=True)]
        return chosen.where(tuple_(*ordered) > tuple_(*start))

    def after(self, row: RowMapping) -> str:
        """The cursor of the page that starts after a row."""
        values = [self.name, *(str(row[f"_key{place}"]) for place in range(len(self.keys)))]
        text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _values(self, cursor: str) -> tuple[str, ...]:
        name, *values = decode_cursor(cursor) or ("",)
        if name != self.name or len(values) != len(self.keys) or any(len(value) > _LONGEST for value in values):
            raise InvalidCursor
        for value, key in zip(values, self.keys, strict=True):
            if not _readable(value, key.kind):
                raise InvalidCursor
        return tuple(values)


def _collated(expression: ColumnElement[Any], key: Key) -> ColumnElement[Any]:
    return collate(expression, key.collation) if key.collation else expression


def _readable(value: str, kind: TypeEngine[Any]) -> bool:
    """Whether PostgreSQL can read the text as the key's type: a cursor comes back from outside."""
    from datetime import date
    from decimal import Decimal, InvalidOperation

    try:
        if isinstance(kind, Date):
            date.fromisoformat(value)
        elif isinstance(kind, Integer):
            return abs(int(value)) < 2**62
        elif isinstance(kind, Numeric):
            return Decimal(value).is_finite() and len(value) < 40
        else:
            return "\x00" not in value
    except (ValueError, InvalidOperation, DataError):
        return False
    return True
