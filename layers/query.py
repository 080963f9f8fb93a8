"""What a request asks of a collection, already checked: plain values, no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from layers.cql2 import Filter
from layers.crs import CRS84, Box, Crs, Ring

MAX_LIMIT = 1_000_000
"""Features in one answer; long ones are streamed, so that they take no memory."""
DEFAULT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval of days for `datetime`; None is open."""

    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class SortKey:
    """One part of `sortby`: a property, from small to large or the other way."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class FeatureQuery:
    """A checked request for features of one collection.

    `bbox` is (west, south, east, north) in degrees, CRS84, whatever CRS it was asked in; west > east crosses the
    antimeridian. `bbox_outline` is its true outline where it is no box in degrees; `bbox` then holds it. `crs` is what
    features are told in.
    `equals` maps a field to the values of which any may hold. `cursor` is the position after which the page starts, as
    `layers.features` made it. Without `sortby` the best match comes first, or without `q` what was registered first.
    `properties` are those that are shown, None for all.
    """

    q: str | None = None
    bbox: Box | None = None
    bbox_outline: Ring | None = None
    crs: Crs = CRS84
    filter: Filter | None = None
    interval: Interval | None = None
    equals: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    asked: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What a computed collection is computed for, by the names of its fields; what is not named is null."""
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    cursor: tuple[str | None, ...] | None = None
    sortby: tuple[SortKey, ...] = ()
    properties: tuple[str, ...] | None = None
