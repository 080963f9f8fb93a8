"""Days, moments and intervals in a filter, and how they may lie to one another (T_*): Allen's relations."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Date, DateTime, and_, cast, literal_column, or_
from sqlalchemy.types import TypeEngine

from layers.cql2.operands import Context, Operand, day, moment, property_of
from layers.errors import InvalidFilter

Moments = tuple[ColumnElement[Any], ColumnElement[Any]]
Relation = Callable[[Moments, Moments], ColumnElement[bool]]

RELATIONS: Mapping[str, Relation] = {
    "t_after": lambda a, b: a[0] > b[1],
    "t_before": lambda a, b: a[1] < b[0],
    "t_contains": lambda a, b: and_(a[0] < b[0], a[1] > b[1]),
    "t_disjoint": lambda a, b: or_(a[1] < b[0], a[0] > b[1]),
    "t_during": lambda a, b: and_(a[0] > b[0], a[1] < b[1]),
    "t_equals": lambda a, b: and_(a[0] == b[0], a[1] == b[1]),
    "t_finishedby": lambda a, b: and_(a[0] < b[0], a[1] == b[1]),
    "t_finishes": lambda a, b: and_(a[0] > b[0], a[1] == b[1]),
    "t_intersects": lambda a, b: and_(a[0] <= b[1], a[1] >= b[0]),
    "t_meets": lambda a, b: a[1] == b[0],
    "t_metby": lambda a, b: a[0] == b[1],
    "t_overlappedby": lambda a, b: and_(a[0] > b[0], a[0] < b[1], a[1] > b[1]),
    "t_overlaps": lambda a, b: and_(a[0] < b[0], a[1] > b[0], a[1] < b[1]),
    "t_startedby": lambda a, b: and_(a[0] == b[0], a[1] > b[1]),
    "t_starts": lambda a, b: and_(a[0] == b[0], a[1] < b[1]),
}
_OPEN = ("..", "")
_TYPES: Mapping[str, TypeEngine[Any]] = {"date": Date(), "timestamp": DateTime(timezone=True)}


def relate(name: str, one: Operand, other: Operand) -> ColumnElement[bool]:
    """Whether two days, moments or intervals lie to one another so. Raises InvalidFilter where they are none.

    A day is no moment: which of its moments it stood for would be a guess.
    """
    granules = []
    for operand in (one, other):
        granule = operand.value if operand.kind == "interval" else operand.kind
        if granule not in ("date", "timestamp", None):
            raise InvalidFilter("filter_operand", operation=name.upper(), expected="date", given=operand.kind)
        granules.append(granule)
    if None not in granules and granules[0] != granules[1]:
        raise InvalidFilter("filter_kinds", left=granules[0], right=granules[1])
    return RELATIONS[name]((one.sql, one.end), (other.sql, other.end))


def interval(context: Context, ends: object) -> Operand:
    """INTERVAL(start, end): days, moments or properties; `..` is open. Raises InvalidFilter."""
    if not isinstance(ends, list) or len(ends) != 2:
        raise InvalidFilter("filter_value", value=str(ends))
    found = [None if end in _OPEN else _end(context, end) for end in ends]
    granules = {operand.kind for operand in found if operand is not None}
    if len(granules) > 1:
        raise InvalidFilter("filter_kinds", left="date", right="timestamp")
    granule = granules.pop() if granules else None
    if granule not in ("date", "timestamp", None):
        raise InvalidFilter("filter_operand", operation="INTERVAL", expected="date", given=granule)
    start, end = found
    if start is not None and end is not None and start.value and end.value and start.value > end.value:
        raise InvalidFilter("filter_value", value=f"{ends[0]}, {ends[1]}")
    kind = _TYPES[granule or "timestamp"]
    first = cast(literal_column("'-infinity'"), kind) if start is None else start.sql
    last = cast(literal_column("'infinity'"), kind) if end is None else end.sql
    return Operand("interval", first, granule, last)


def _end(context: Context, end: object) -> Operand:
    if isinstance(end, Mapping):
        if set(end) == {"property"}:
            return property_of(context, end["property"])
        if set(end) == {"date"}:
            return day(end["date"])
        if set(end) == {"timestamp"}:
            return moment(end["timestamp"])
    return day(end) if isinstance(end, str) and len(end) == 10 else moment(end)
