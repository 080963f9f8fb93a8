"""The only WHERE builder: items, tiles and pages filter by the same rules."""

import unicodedata
from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Float,
    Numeric,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from layers.collections import Collection
from layers.crs import WGS84, Box, Ring
from layers.query import FeatureQuery, Interval
from postgis import codes
from postgis.today import read_day

MAX_WORDS = 8
"""Words of `q` that are looked for; each further one would cost a scan and narrow nothing."""
_ELEMENT: Mapping[str, TypeEngine[Any]] = {
    "boolean": Boolean(),
    "integer": BigInteger(),
    "number": Numeric(),
    "date": Date(),
    "date-time": DateTime(timezone=True),
}
_LARGEST = Decimal(10) ** 18
LEAST_SIMILARITY = 0.6
"""Share of a search's three-letter pieces that a row must have to be called similar."""


class Search:
    """A text search: its folded form (folded by the database, the only place that knows the rule) and its SQL.

    Rows match when the text stands in name, address or goods, or all its words do, the last one as far as it is typed.
    Only when nothing matches so, what is spelled alike is found: a typing error should not end the search, and a right
    word should not bring a page of look-alikes.

    Ranks, best first: exact with marks, part of the name with marks, folded name, folded prefix, folded word start,
    folded part of the name, words somewhere else, similar (domain.md, section 11).
    """

    def __init__(self, connection: Connection, collection: Collection, q: str) -> None:
        self.view = collection.view
        # Names are NFC in the register (a constraint says so); what a Mac types is not.
        self.text = unicodedata.normalize("NFC", " ".join(q.split()).lower())
        self.folded: str = connection.execute(select(func.published.search_key(q))).scalar_one()
        self.words = self.folded.split()[:MAX_WORDS]
        self.code = codes.normalise(q)
        self.similar = bool(self.words) and not connection.execute(select(self._direct_match().exists())).scalar_one()

    def condition(self) -> ColumnElement[bool]:
        """Which rows match at all. The parts can use the trigram index."""
        if not self.words:
            return literal(False)
        if not self.similar:
            return self._direct()
        key = self.view.c.search_key
        alike = func.public.word_similarity(self.folded, key) >= LEAST_SIMILARITY
        return and_(literal(self.folded).op("OPERATOR(public.<%)", is_comparison=True)(key), alike)

    def _direct_match(self) -> Select[tuple[int]]:
        return select(self.view.c.id).where(self._direct())

    def _direct(self) -> ColumnElement[bool]:
        """The words are letters and digits only (folding saw to that), so they are safe inside a pattern."""
        key = self.view.c.search_key
        *whole, begun = self.words or [""]
        words = [key.regexp_match(rf"\m{word}\M") for word in whole] + [key.regexp_match(rf"\m{begun}")]
        found = [key.like(f"%{self.folded}%"), and_(*words)]
        if self.code:
            found.append(self.view.c.code == self.code)
        return or_(*found)

    def rank(self) -> ColumnElement[int]:
        """0 is best."""
        name_key, name = self.view.c.name_key, func.lower(self.view.c.name)
        with_marks = [(name.contains(self.text, autoescape=True), 1)] if self.text != self.folded else []
        return case(
            (self.view.c.code == (self.code or ""), 0),
            (name == self.text, 0),
            *with_marks,
            (name_key == self.folded, 2),
            (name_key.like(f"{self.folded}%"), 3),
            (name_key.like(f"% {self.folded}%"), 4),
            (name_key.like(f"%{self.folded}%"), 5),
            else_=6,
        )

    def distance(self) -> ColumnElement[float]:
        """How far the text is from the row's best words, 0 to 1, rounded so that a cursor holds it exactly."""
        similarity = func.public.word_similarity(self.folded, func.coalesce(self.view.c.name_key, ""))
        return func.round(cast(1 - similarity, Numeric), 4)


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
    return crosses, query.bbox_outline is None, interval, tuple(query.equals), query.filter


def bound(collection: Collection, query: FeatureQuery) -> dict[str, Any]:
    """The values of the bind parameters of `conditions`, by name."""
    found: dict[str, Any] = {f"is_{name}": _typed(collection, name, query.equals[name]) for name in query.equals}
    if query.bbox_outline is not None:
        found["outline"] = _polygon(query.bbox_outline)
    elif query.bbox:
        found |= zip(("west", "south", "east", "north"), query.bbox, strict=True)
    if query.interval:
        found |= {"first_day": query.interval.start, "last_day": query.interval.end}
    return found


def is_of_type(kind: str, text: str) -> bool:
    """Whether the text can be a value of a field of this type."""
    try:
        _read(kind, text)
    except (ValueError, ArithmeticError):
        return False
    return True


def _read(kind: str, text: str) -> Any:
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
    return [_read(collection.field_by_name[name].type, value) for value in values]


def _equals(collection: Collection, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    field, column = collection.field_by_name[name], collection.column(name)
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
    return or_(
        *(
            func.public.st_intersects(
                collection.view.c.geom, func.public.st_makeenvelope(left, south, right, north, 4326)
            )
            for left, right in spans
        )
    )


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
