"""The first page of what lies in a box, and how many that are: one statement, with one plan for all boxes.

A map asks for this at every move, each time for another box. Planned anew, the page, the number and the estimate before
it take longer to plan than to run, and what the box holds is read twice.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Select, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from layers.collections import Collection
from layers.crs import Box
from layers.feature_text import feature_columns, feature_text
from layers.filters import in_box, of_box
from layers.query import FeatureQuery
from layers.statements import Shapes

COUNTED_AT_ONCE = 4_000
"""A box with more is answered otherwise: to read so many rows takes as long as all else about a page."""

_SHAPES = Shapes()
_full: deque[tuple[str, Box]] = deque(maxlen=64)
"""Boxes that held more when they were last asked for, by collection: to read them again would be in vain."""


@dataclass(frozen=True, slots=True)
class BoxPage:
    """The texts of the page's features, how many they are, the last one's id, and how many features the box holds."""

    features: str
    number_returned: int
    last: int | None
    number_matched: int


def box_page(connection: Connection, collection: Collection, query: FeatureQuery) -> BoxPage | None:
    """The page; None where more is asked than a box, or it holds more than are counted at once."""
    box = query.bbox
    if box is None or not _is_area(box) or not _of_box_alone(collection, query) or _known_full(collection, box):
        return None
    shape = collection.id, query.properties, query.crs
    statement = _SHAPES.statement(shape, lambda: _page(collection, query))
    values = {**of_box(collection, box), "page_limit": query.limit, "page_offset": query.offset}
    matched, returned, last, text = tuple(statement.run_planned(connection, values).one())
    if matched > COUNTED_AT_ONCE:
        _full.append((collection.id, box))
        return None
    return BoxPage(text or "", returned, last, matched)


def _of_box_alone(collection: Collection, query: FeatureQuery) -> bool:
    """Staff see two tables as one, under conditions of their own: not for one plan."""
    if collection.seen_by != "public" or collection.geometry is None:
        return False
    if query.q is not None or query.filter or query.interval or query.equals or query.sortby or query.cursor:
        return False
    return query.bbox_outline is None


def _is_area(box: Box) -> bool:
    """Neither a line nor a point, which have no inside, nor across the antimeridian."""
    west, south, east, north = box
    return west < east and south < north


def _known_full(collection: Collection, box: Box) -> bool:
    """Whether a box is in it that holds too much already."""
    west, south, east, north = box
    return any(
        name == collection.id and west <= inside[0] and south <= inside[1] and east >= inside[2] and north >= inside[3]
        for name, inside in _full
    )


def _page(collection: Collection, query: FeatureQuery) -> Select[Any]:
    view = collection.view
    hits = select(view.c.id).where(in_box(collection)).limit(literal_column(str(COUNTED_AT_ONCE + 1))).cte("hits")
    number = select(func.count()).select_from(hits).scalar_subquery()
    picked = (
        select(hits.c.id.label("_key"))
        .order_by(hits.c.id)
        .limit(bindparam("page_limit", query.limit, Integer()))
        .offset(bindparam("page_offset", query.offset, Integer()))
        .subquery("picked")
    )
    columns: Sequence[Any] = [*feature_columns(collection, query.properties), picked.c["_key"]]
    chosen = select(*columns).select_from(view.join(picked, view.c.id == picked.c["_key"])).subquery("chosen")
    key = chosen.c["_key"]
    texts = func.string_agg(feature_text(collection, chosen, query), aggregate_order_by(literal_column("E',\\n'"), key))
    return select(number, func.count(), func.max(key, type_=BigInteger()), texts).select_from(chosen)
