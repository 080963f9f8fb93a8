"""The best matches of a search in their order, found by looking at little more than their names."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Integer, Numeric, TableValuedAlias, bindparam, cast, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from layers.errors import InvalidCursor
from layers.keyset import Cursor, Keyset


class Place(NamedTuple):
    """Where a row stands: a search's sort key."""

    rank: int
    distance: Decimal
    id: int


_KINDS: Mapping[str, TypeEngine[Any]] = {"page_ranks": Integer(), "page_distances": Numeric(), "page_ids": BigInteger()}


def page_of(ranked: Sequence[Place], order: Keyset, cursor: Cursor | None, limit: int, offset: int) -> list[Place]:
    """The places of one page and one more. Raises InvalidCursor."""
    if cursor is not None:
        bound = order.values(cursor, limit, offset)
        rank, distance, last = (str(bound[f"start{place}"]) for place in range(3))
        try:
            start = Place(int(rank), Decimal(distance), int(last))
        except ValueError as error:
            raise InvalidCursor from error
        ranked = [place for place in ranked if place > start]
    return list(ranked[offset : offset + limit + 1])


def picked(page: Sequence[Place], labels: Sequence[str]) -> TableValuedAlias:
    """The places as a table whose columns carry the labels of the sort keys."""
    values = bound(page)
    arrays = [cast(bindparam(name, values[name], ARRAY(kind)), ARRAY(kind)) for name, kind in _KINDS.items()]
    columns: list[Column[Any]] = [Column(label, kind) for label, kind in zip(labels, _KINDS.values(), strict=True)]
    return func.unnest(*arrays).table_valued(*columns, name="picked").render_derived()


def bound(page: Sequence[Place]) -> dict[str, list[Any]]:
    """The values of the bind parameters of `picked`."""
    ranks, distances, ids = zip(*page, strict=True)
    return {"page_ranks": list(ranks), "page_distances": list(distances), "page_ids": list(ids)}
