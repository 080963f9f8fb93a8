"""What stands on either side of an operator: SQL with its kind, and the literals that become such."""

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args

from sqlalchemy import BigInteger, Boolean, ColumnElement, Date, DateTime, Numeric, Text, literal, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from layers.collections import Collection
from layers.crs import CRS84, Crs
from layers.errors import InvalidFilter

Kind = Literal["string", "number", "boolean", "date", "timestamp", "interval", "array", "geometry"]
KINDS: tuple[str, ...] = get_args(Kind)
GEOMETRY = "geometry"
"""The name of the property that is the feature's place."""

_OF_FIELD: Mapping[str, tuple[Kind, TypeEngine[Any]]] = {
    "string": ("string", Text()),
    "integer": ("number", Numeric()),
    "number": ("number", Numeric()),
    "boolean": ("boolean", Boolean()),
    "date": ("date", Date()),
    "date-time": ("timestamp", DateTime(timezone=True)),
    "array": ("array", ARRAY(Text)),
}
_LARGEST = 10**30
"""Of numbers: beyond any in the register, and safe in arithmetic."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A value of SQL. `value` is what was written, for a literal; an interval's says whether it is of days or moments.

    `until` is the last moment of an interval; `vertices` how many a written geometry has.
    """

    kind: Kind
    sql: ColumnElement[Any]
    value: Any = None
    until: ColumnElement[Any] | None = None
    vertices: int = 0
    mixed: bool = False
    """A geometry collection, which most relations are not defined for."""

    @property
    def end(self) -> ColumnElement[Any]:
        """The last moment of an interval or instant."""
        return self.sql if self.until is None else self.until


@dataclass(frozen=True, slots=True)
class Context:
    """What a filter is about: a collection as the asker may see it, and the CRS of the filter's coordinates."""

    collection: Collection
    crs: Crs = CRS84


def property_of(context: Context, name: object) -> Operand:
    """The property by its name. Raises InvalidFilter for one that the asker may not know of, as if there were none."""
    collection = context.collection
    if name == GEOMETRY and collection.geometry is not None:
        return Operand("geometry", collection.view.c.geom)
    field = collection.field_by_name.get(name) if isinstance(name, str) else None
    if field is None:
        places = [GEOMETRY] if collection.geometry else []
        raise InvalidFilter("filter_property", name=name, known=", ".join([*places, *collection.field_by_name]))
    kind, sql_type = _OF_FIELD[field.type]
    return Operand(kind, type_coerce(collection.column(field.name), sql_type))


def scalar(value: object) -> Operand:
    """A text, number or truth value as it was written."""
    if isinstance(value, bool):
        return Operand("boolean", literal(value, Boolean()), value)
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise InvalidFilter("filter_value", value=value)
        return Operand("number", literal(value, BigInteger() if abs(value) < 2**62 else Numeric()), value)
    if isinstance(value, float):
        if not math.isfinite(value) or abs(value) > _LARGEST:
            raise InvalidFilter("filter_value", value=value)
        return Operand("number", literal(value, Numeric(asdecimal=False)), value)
    text = readable(value)
    return Operand("string", literal(text, Text()), text)


def readable(value: object) -> str:
    """A text that the database can hold, composed as the register's names are (NFC). Raises InvalidFilter."""
    if not isinstance(value, str):
        raise InvalidFilter("filter_value", value=value)
    if any(sign in "\x00\ufffd" or "\ud800" <= sign <= "\udfff" for sign in value):
        raise InvalidFilter("filter_value", value=value)
    return unicodedata.normalize("NFC", value)


def day(text: object) -> Operand:
    """A day, written 2026-12-31."""
    try:
        found = date.fromisoformat(text) if isinstance(text, str) and len(text) == 10 else None
    except ValueError:
        found = None
    if found is None:
        raise InvalidFilter("filter_value", value=text)
    return Operand("date", literal(found, Date()), found)


def moment(text: object) -> Operand:
    """A moment, written 2026-12-31T23:59:59Z or with another offset (RFC 3339)."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) and len(text) > 10 else None
        if found is None or found.utcoffset() is None:
            raise ValueError
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidFilter("filter_value", value=text) from None
    return Operand("timestamp", literal(found, DateTime(timezone=True)), found)


def alike(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """Both operands, a text read as a day or moment where the other is one. Raises InvalidFilter if kinds differ."""
    if left.kind == "string" and isinstance(left.value, str) and right.kind in ("date", "timestamp"):
        left = day(left.value) if right.kind == "date" else moment(left.value)
    elif right.kind == "string" and isinstance(right.value, str) and left.kind in ("date", "timestamp"):
        right = day(right.value) if left.kind == "date" else moment(right.value)
    if left.kind != right.kind:
        raise InvalidFilter("filter_kinds", left=left.kind, right=right.kind)
    return left, right
