"""Paging by the last row's sort key: each page starts after it, however many rows were added or changed meanwhile."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Numeric,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    collate,
    false,
    or_,
    tuple_,
)
from sqlalchemy.types import TypeEngine

from layers.errors import InvalidCursor

VIETNAMESE = "vi-x-icu"
"""The collation with a < ă < â, d < đ and the tones in their order."""
_LONGEST = 400
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

Cursor = tuple[str | None, ...]
"""The order that a page was in, and its last row's values in that order; None is a value that is not known."""

__all__ = [
    "VIETNAMESE",
    "Cursor",
    "Date",
    "Integer",
    "Key",
    "Keyset",
    "Numeric",
    "Text",
    "decode_cursor",
    "encode_cursor",
]


@dataclass(frozen=True)
class Key:
    """One part of a sort key. What is not known (`nullable`) comes last in both directions."""

    expression: ColumnElement[Any]
    kind: TypeEngine[Any]
    collation: str | None = None
    descending: bool = False
    nullable: bool = False

    @property
    def collated(self) -> ColumnElement[Any]:
        """What is compared."""
        return collate(self.expression, self.collation) if self.collation else self.expression

    @property
    def order(self) -> ColumnElement[Any]:
        """The part of ORDER BY."""
        direction = self.collated.desc() if self.descending else self.collated.asc()
        return direction.nulls_last() if self.nullable else direction


class Keyset:
    """A sort order whose last part is unique."""

    def __init__(self, name: str, keys: Sequence[Key]) -> None:
        """`name` tells orders apart: a cursor of one is no cursor of another."""
        self.name, self.keys = name, keys
        self.labels = [f"_key{place}" for place in range(len(keys))]

    def page(self, statement: Select[Any], cursor: Cursor | None, limit: int, offset: int = 0) -> Select[Any]:
        """The statement, cut to one page and one row more; the keys are added as `_key0`, `_key1`, ...

        Limit, offset and the cursor's values are bind parameters: `values` gives those of another page of this shape.
        """
        labelled = [key.expression.label(label) for label, key in zip(self.labels, self.keys, strict=True)]
        chosen = statement.add_columns(*labelled).order_by(*(key.order for key in self.keys))
        bound = self.values(cursor, limit, offset)
        chosen = chosen.limit(bindparam("page_limit", bound["page_limit"], Integer()))
        chosen = chosen.offset(bindparam("page_offset", bound["page_offset"], Integer()))
        return chosen if cursor is None else chosen.where(self._after(bound))

    def values(self, cursor: Cursor | None, limit: int, offset: int = 0) -> dict[str, Any]:
        """The values of the bind parameters of `page`. Raises InvalidCursor."""
        found: dict[str, Any] = {"page_limit": limit + 1, "page_offset": offset}
        if cursor is not None:
            found |= {f"start{place}": value for place, value in enumerate(self._read(cursor))}
        return found

    def shape(self, cursor: Cursor | None) -> tuple[str, tuple[bool, ...] | None]:
        """What makes the text of `page` differ: the order, and which of the cursor's values are not known."""
        return self.name, None if cursor is None else tuple(value is None for value in cursor)

    def after(self, row: Mapping[Any, Any]) -> str:
        """The cursor of the page that starts after a row."""
        return encode_cursor(self.name, [row[label] for label in self.labels])

    def _after(self, bound: Mapping[str, Any]) -> ColumnElement[bool]:
        starts = [
            cast(bindparam(f"start{place}", bound[f"start{place}"], Text()), key.kind)
            for place, key in enumerate(self.keys)
        ]
        if not any(key.nullable or key.descending for key in self.keys):
            # A comparison of rows, which an index on the columns can answer.
            collated = [
                collate(start, key.collation) if key.collation else start
                for start, key in zip(starts, self.keys, strict=True)
            ]
            return tuple_(*(key.collated for key in self.keys)) > tuple_(*collated)
        found: ColumnElement[bool] = false()
        for place in reversed(range(len(self.keys))):
            key, start = self.keys[place], starts[place]
            if bound[f"start{place}"] is None:
                found = and_(key.expression.is_(None), found)
                continue
            beyond = key.collated < start if key.descending else key.collated > start
            if key.nullable:
                beyond = or_(beyond, key.expression.is_(None))
            found = or_(beyond, and_(key.collated == start, found))
        return found

    def _read(self, cursor: Cursor) -> Cursor:
        name, *values = cursor or ("",)
        if name != self.name or len(values) != len(self.keys):
            raise InvalidCursor
        for value, key in zip(values, self.keys, strict=True):
            if not (key.nullable if value is None else len(value) <= _LONGEST and _readable(value, key.kind)):
                raise InvalidCursor
        return tuple(values)


def encode_cursor(order: str, values: Sequence[object]) -> str:
    """The cursor after a row, by the name of the order and the row's values in it."""
    text = json.dumps([order, *map(_written, values)], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str) -> Cursor:
    """What stands in an opaque cursor; whether it fits a query, only its order can say. Raises InvalidCursor."""
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidCursor from error
    if not isinstance(values, list) or not all(value is None or isinstance(value, str) for value in values):
        raise InvalidCursor
    return tuple(values)


def _written(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _readable(value: str, kind: TypeEngine[Any]) -> bool:
    """Whether it is written as `_written` writes it: a cursor comes back from outside, and PostgreSQL must read it."""
    try:
        if isinstance(kind, DateTime):
            moment = datetime.fromisoformat(value)
            return moment.tzinfo is not None and moment.isoformat() == value
        if isinstance(kind, Date):
            return date.fromisoformat(value).isoformat() == value
        if isinstance(kind, Integer):
            return str(int(value)) == value and abs(int(value)) < 2**62
    except ValueError:
        return False
    if isinstance(kind, Boolean):
        return value in ("True", "False")
    if isinstance(kind, Numeric):
        return len(value) < 40 and _NUMBER.fullmatch(value) is not None
    return "\x00" not in value
