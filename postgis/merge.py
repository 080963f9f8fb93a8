"""Three-way merge of a record, field by field: what two people changed since the version that both had seen.

Whoever alone changed a field is followed; the same change twice is no conflict; where the two differ a person decides.
Pure: no database, so that the rules can be tested for every case that there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

POINT_TOLERANCE = 1e-7
"""Degrees, about 1 cm: positions are stored and sent with seven decimals, rounding is no move."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that both sides changed, to different values."""

    field: str
    base: Any
    current: Any
    wanted: Any


@dataclass(frozen=True, slots=True)
class Merge:
    """The record as both sides want it. A field in conflict keeps its current value until a person has chosen."""

    values: dict[str, Any]
    conflicts: tuple[Conflict, ...]


def three_way(base: Mapping[str, Any], current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Merge:
    """Merge what the register holds now (`current`) with what somebody wants (`wanted`), who started from `base`.

    All three are whole records by wire names; a field that is not there is the same as null. Lists are values: two
    lists either agree or do not.
    """
    values: dict[str, Any] = {}
    conflicts: list[Conflict] = []
    for field in dict.fromkeys((*base, *current, *wanted)):
        was, now, wish = base.get(field), current.get(field), wanted.get(field)
        chosen = current
        if not same(was, wish) and not same(now, wish):
            if same(was, now):
                chosen = wanted
            else:
                conflicts.append(Conflict(field, was, now, wish))
        if field in chosen:
            values[field] = chosen[field]
    return Merge(values, tuple(conflicts))


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same: points to 1e-7 degrees, 12 and 12.0 alike, but true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if one.get("type") == other.get("type") == "Point":
            return _same_position(one.get("coordinates"), other.get("coordinates"))
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _same_position(one: Any, other: Any) -> bool:
    if not (isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)) and len(one) == len(other)):
        return False
    # The last bit of slack: 108.2000001 - 108.2 is a hair more than 1e-7 in binary.
    return all(abs(a - b) <= POINT_TOLERANCE + 1e-12 for a, b in zip(one, other, strict=True))
