"""Tiles of computed collections: rows are computed once for each state of the register, and every tile cut from them.

What a tile shows of a computed collection rests on all of it, and to compute it takes many times as long as to draw it.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, Text, cast, func, select

from layers.collections import Collection
from layers.filters import asked
from layers.query import FeatureQuery
from layers.standing import state_read
from layers.statements import Shapes

_MOST = 24
"""Answers that are kept: those of a state that has passed go first."""
_MOST_TILES = 64
"""Tiles that are kept of each."""
_SQL_TYPES = {"integer": "integer", "number": "float8", "boolean": "boolean"}

Row = tuple[float, float, float, float, tuple[str, ...]]
"""West, south, east, north in metres of EPSG:3857, then id, geometry and fields as elements of PostgreSQL's arrays: of
the ways to hand rows over that one is read quickest."""


@dataclass(frozen=True, slots=True)
class _Computed:
    """The rows of a state, and the tiles that were cut from them, by their west, south and east."""

    rows: list[Row]
    tiles: dict[tuple[float, float, float], bytes] = field(default_factory=dict)


_SHAPES = Shapes()
_kept: OrderedDict[tuple[Any, ...], _Computed] = OrderedDict()
_lock = threading.Lock()


def draw(
    connection: Connection,
    collection: Collection,
    query: FeatureQuery,
    box: Mapping[str, float],
    extent: int,
    buffer: int,
) -> bytes:
    """The MVT of what lies in a tile's box (EPSG:3857), for a query without any condition."""
    computed, place = _computed(connection, collection, query), (box["west"], box["south"], box["east"])
    found = computed.tiles.get(place)
    if found is None:
        found = _drawn(connection, collection, computed.rows, box, extent, buffer)
        with _lock:
            if len(computed.tiles) >= _MOST_TILES:
                computed.tiles.clear()
            computed.tiles[place] = found
    return found


def _drawn(
    connection: Connection, collection: Collection, rows: list[Row], box: Mapping[str, float], extent: int, buffer: int
) -> bytes:
    margin = (box["east"] - box["west"]) * buffer / extent
    west, east = box["west"] - margin, box["east"] + margin
    south, north = box["south"] - margin, box["north"] + margin
    shown = [row[4] for row in rows if row[0] <= east and row[2] >= west and row[1] <= north and row[3] >= south]
    if not shown:
        return b""
    arrays = {f"column{place}": "{" + ",".join(column) + "}" for place, column in enumerate(zip(*shown, strict=True))}
    values = {**box, **arrays, "layer": collection.id, "extent": extent, "buffer": buffer}
    return bytes(connection.exec_driver_sql(_cut(collection), values).scalar_one())


def _computed(connection: Connection, collection: Collection, query: FeatureQuery) -> _Computed:
    """The rows as of what the connection reads, or newer. Whoever asks while they are computed waits for them."""
    values = asked(collection, query)
    key = (state_read(connection), collection.id, collection.seen_by, *values.values())
    with _lock:
        found = _kept.get(key)
        if found is None:
            statement = _SHAPES.statement((collection.id, collection.seen_by), lambda: _every(collection))
            found = _Computed([_row(tuple(row)) for row in statement.run(connection, values)])
            _kept[key] = found
            while len(_kept) > _MOST:
                _kept.popitem(last=False)
        else:
            _kept.move_to_end(key)
        return found


def _row(values: tuple[Any, ...]) -> Row:
    return (values[0], values[1], values[2], values[3], tuple(map(_element, values[4:])))


def _element(text: str | None) -> str:
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _every(collection: Collection) -> Select[Any]:
    view, shape = collection.view, collection.view.c.geom_3857
    sides = (func.public.st_xmin, func.public.st_ymin, func.public.st_xmax, func.public.st_ymax)
    columns = [view.c.id, func.public.st_ashexewkb(shape), *(view.c[name] for name in collection.drawn.fields)]
    named = (cast(column, Text()).label(f"column{place}") for place, column in enumerate(columns))
    return select(*(side(shape).label(f"side{place}") for place, side in enumerate(sides)), *named)


def _cut(collection: Collection) -> str:
    fields = [collection.field_by_name[name] for name in collection.drawn.fields]
    kinds = ["bigint", "text", *(_SQL_TYPES.get(field.type, "text") for field in fields)]
    arrays = ", ".join(f"CAST(%(column{place})s AS {kind}[])" for place, kind in enumerate(kinds))
    names = ", ".join(field.name for field in fields)
    return f"""
        SELECT public.ST_AsMVT(features.*, %(layer)s, %(extent)s, 'geom', 'id')
          FROM (SELECT r.id, public.ST_AsMVTGeom(CAST(r.geom AS public.geometry),
                       public.ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857), %(extent)s, %(buffer)s,
                       true) AS geom, {names}
                  FROM unnest({arrays}) AS r (id, geom, {names})) features"""
