"""The first page of what lies in a box, and how many that are: one statement, with one plan for all boxes.

A map asks for this at every move, each time for another box. Planned anew, the page, the number and the estimate before
it take longer to plan than to run, and what the box holds is read twice.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Float,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import UserDefinedType

from layers.collections import Collection
from layers.crs import WGS84, Box
from layers.feature_text import feature_columns, feature_text
from layers.query import FeatureQuery
from layers.statements import Shapes

COUNTED_AT_ONCE = 4_000
"""A box with more is answered otherwise: to read so many rows takes as long as all else about a page."""

_RADIUS_M = 6378137.0
_MARGIN_M = 0.02
"""Far more than two ways to compute the same place in EPSG:3857 differ by."""
_SHAPES = Shapes()
_full: deque[tuple[str, Box]] = deque(maxlen=64)
"""Boxes that held more when they were last asked for, by collection: to read them again would be in vain."""


class _NativeBox(UserDefinedType[str]):
    """PostgreSQL's own `box`."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "box"


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
    values = {**_bound(collection, box), "page_limit": query.limit, "page_offset": query.offset}
    matched, returned, last, text = statement.run_planned(connection, values)[0]
    if matched > COUNTED_AT_ONCE:
        _full.append((collection.id, box))
        return None
    return BoxPage(text or "", returned, last, matched)


def _of_box_alone(collection: Collection, query: FeatureQuery) -> bool:
    """Staff see two tables as one, under conditions of their own: not for one plan."""
    if collection.seen_by != "public" or collection.geometry is None or collection.computed:
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
        for name, inside in tuple(_full)  # another thread may add to it meanwhile
    )


def _page(collection: Collection, query: FeatureQuery) -> Select[Any]:
    view = collection.view
    hits = (_pointed(collection) if _has_points(collection) else _met(collection)).cte("hits")
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


def _met(collection: Collection) -> Select[Any]:
    """The ids of what meets the box. It is handed over as a shape, which one plan for all would make for each row."""
    view = collection.view
    meets = func.public.st_intersects(view.c.geom, bindparam("box", None, Text()))
    return select(view.c.id).where(meets).limit(literal_column(str(COUNTED_AT_ONCE + 1)))


def _has_points(collection: Collection) -> bool:
    return collection.tile is not None and collection.tile.rows is not None


def _pointed(collection: Collection) -> Select[Any]:
    """The same of places, from the index that their tiles are drawn from: of the records only those along the edges of
    the box are looked at."""
    rule, view = collection.drawn, collection.view
    schema, _, name = str(rule.rows).partition(".")
    points = table(name, column("id"), column(rule.point), schema=schema)
    x, y = func.public.st_x(view.c.geom), func.public.st_y(view.c.geom)
    west, south, east, north = (bindparam(side, None, Float()) for side in ("west", "south", "east", "north"))
    inside = select(x.between(west, east) & y.between(south, north)).where(view.c.id == points.c.id)
    around, well_inside = (
        points.c[rule.point].op("<@", is_comparison=True)(cast(bindparam(name, None, Text()), _NativeBox()))
        for name in ("around", "well_inside")
    )
    return (
        select(points.c.id)
        .where(around)
        .where(or_(well_inside, inside.scalar_subquery()))
        .limit(literal_column(str(COUNTED_AT_ONCE + 1)))
    )


def _bound(collection: Collection, box: Box) -> dict[str, Any]:
    west, south, east, north = box
    if not _has_points(collection):
        ring = ", ".join(
            f"{x!r} {y!r}" for x, y in ((west, south), (west, north), (east, north), (east, south), (west, south))
        )
        return {"box": f"SRID={WGS84};POLYGON(({ring}))"}
    left, right = (math.radians(longitude) * _RADIUS_M for longitude in (west, east))
    low, high = (math.asinh(math.tan(math.radians(latitude))) * _RADIUS_M for latitude in (south, north))
    return {
        "around": _box(left - _MARGIN_M, low - _MARGIN_M, right + _MARGIN_M, high + _MARGIN_M),
        "well_inside": _box(left + _MARGIN_M, low + _MARGIN_M, right - _MARGIN_M, high - _MARGIN_M),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
    }


def _box(left: float, low: float, right: float, high: float) -> str:
    """As PostgreSQL writes it; it would take a box whose corners are crossed for another one."""
    if left >= right or low >= high:
        left = low = right = high = math.inf
    return f"(({right!r},{high!r}),({left!r},{low!r}))"
