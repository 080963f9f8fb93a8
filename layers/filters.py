"""The only WHERE builder: items, tiles and pages filter by the same rules."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Float,
    Numeric,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from layers.collections import Collection
from layers.crs import WGS84, Box, Ring
from layers.query import FeatureQuery, Interval
from postgis.today import read_day

_ELEMENT: Mapping[str, TypeEngine[Any]] = {
    "boolean": Boolean(),
    "integer": BigInteger(),
    "number": Numeric(),
    "date": Date(),
    "date-time": DateTime(timezone=True),
}
_LARGEST = Decimal(10) ** 18


def conditions(collection: Collection, query: FeatureQuery) -> list[ColumnElement[bool]]:
    """Everything but `q` and the cursor."""
    found = [_equals(collection, name, values) for name, values in query.equals.items()]
    if query.bbox:
        found.append(_in_bbox(collection, query.bbox, query.bbox_outline))
    if "ended" in collection.field_by_name and "ended" not in query.equals:
        # What no longer counts is there for those who ask for it.
        found.append(collection.column("ended").is_(False))
    if query.filter:
        found.append(query.filter.condition(collection))
    if query.interval:
        found.append(_in_interval(collection, query.interval))
    return found


def shape(query: FeatureQuery) -> Hashable:
    """What makes the text of `conditions` differ from that of another query: all but the values of `bound`."""
    crosses = None if query.bbox is None else query.bbox[0] > query.bbox[2]
    interval = None if query.interval is None else (query.interval.start is None, query.interval.end is None)
    equals = tuple((name, values[0]) if is_flag(values) else name for name, values in query.equals.items())
    return crosses, query.bbox_outline is None, interval, equals, query.filter


def spatial_tests(query: FeatureQuery) -> int:
    """How many shapes a feature is held against."""
    asked = 0 if query.filter is None else query.filter.document.count('"op":"s_')
    return asked + (query.bbox is not None)


def is_flag(values: Sequence[str]) -> bool:
    """Whether a yes or a no is asked for, which stands in the condition itself: indexes are kept of what is true."""
    return len(values) == 1 and values[0] in ("true", "false")


def bound(collection: Collection, query: FeatureQuery) -> dict[str, Any]:
    """The values of the bind parameters of `conditions`, by name."""
    found = asked(collection, query)
    found |= {f"is_{name}": _typed(collection, name, query.equals[name]) for name in query.equals}
    if query.bbox_outline is not None:
        found["outline"] = _polygon(query.bbox_outline)
    elif query.bbox:
        found |= zip(("west", "south", "east", "north"), query.bbox, strict=True)
    if query.interval:
        found |= {"first_day": query.interval.start, "last_day": query.interval.end}
    return found


def asked(collection: Collection, query: FeatureQuery) -> dict[str, Any]:
    """The values of the bind parameters of a computed collection's rows, by name."""
    return {f"asked_{field.name}": query.asked.get(field.name) for field in collection.asked}


def is_of_type(kind: str, text: str) -> bool:
    """Whether the text can be a value of a field of this type."""
    try:
        read(kind, text)
    except (ValueError, ArithmeticError):
        return False
    return True


def read(kind: str, text: str) -> Any:
    """The value of a field of this type as it is written in an address. Raises ValueError or ArithmeticError."""
    found: Any = text
    if kind == "boolean" and text in ("true", "false"):
        found = text == "true"
    elif kind in ("integer", "number"):
        found = int(text) if kind == "integer" else Decimal(text)
        if not text.isascii() or len(text) > 40 or not abs(found) < _LARGEST:
            raise ValueError(text)
    elif kind == "date":
        found = read_day(text)
    elif kind == "date-time":
        found = datetime.fromisoformat(text)
        if found.utcoffset() is None:
            raise ValueError(text)
        found = found.astimezone(UTC)
    elif kind == "boolean":
        raise ValueError(text)
    return found


def _typed(collection: Collection, name: str, values: Sequence[str]) -> list[Any]:
    return [read(collection.field_by_name[name].type, value) for value in values]


def _equals(collection: Collection, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    field, column = collection.field_by_name[name], collection.column(name)
    if field.type == "boolean" and is_flag(values):
        # As an equation, which PostgreSQL takes for what an index is kept of; IS TRUE it does not.
        return column.op("=", is_comparison=True)(literal_column(values[0]))
    kind = _ELEMENT.get(field.type, Text())
    wanted: ColumnElement[Any] = cast(
        bindparam(f"is_{name}", _typed(collection, name, values), ARRAY(kind)), ARRAY(kind)
    )
    return column.op("&&", is_comparison=True)(wanted) if field.type == "array" else column == any_(wanted)


def _in_bbox(collection: Collection, bbox: Box, outline: Ring | None) -> ColumnElement[bool]:
    if collection.geometry is None:
        return literal(False)
    if outline is not None:
        area = func.public.st_geomfromtext(bindparam("outline", _polygon(outline), Text()), WGS84)
        return func.public.st_intersects(collection.view.c.geom, area)
    west, south, east, north = (
        bindparam(name, value, Float()) for name, value in zip(("west", "south", "east", "north"), bbox, strict=True)
    )
    spans: list[tuple[Any, Any]] = [(west, east)] if bbox[0] <= bbox[2] else [(west, 180.0), (-180.0, east)]
    # ST_Envelope makes a point or a line of a box without width or height: a collapsed polygon meets nothing.
    boxes = (
        func.public.st_envelope(func.public.st_makeenvelope(left, south, right, north, 4326)) for left, right in spans
    )
    return or_(*(func.public.st_intersects(collection.view.c.geom, box) for box in boxes))


def _polygon(outline: Ring) -> str:
    points = ",".join(f"{lon!r} {lat!r}" for lon, lat in outline)
    return f"POLYGON(({points}))"


def _in_interval(collection: Collection, interval: Interval) -> ColumnElement[bool]:
    """Features without a temporal property match any `datetime` (OGC API Features Part 1, 7.15.4)."""
    if collection.interval is None:
        return literal(True)
    first, last = (collection.column(name) for name in collection.interval)
    met: list[ColumnElement[bool]] = []
    if interval.end:
        met.append(or_(first.is_(None), first <= bindparam("last_day", interval.end, Date())))
    if interval.start:
        met.append(or_(last.is_(None), last >= bindparam("first_day", interval.start, Date())))
    return and_(literal(True), *met)
