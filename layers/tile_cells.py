"""Tiles of wide views, read from counted cells: 256 or 1,024 rows at most, however many places they stand for.

The cells are kept by triggers of the database (`postgis/functions/160_tile_cells.sql`), right to the last place.
"""

import dataclasses

from layers.collections import Collection
from layers.query import FeatureQuery

PER_TILE = 16
"""Cells along each side of a tile: a power of two, so that no cell spans two tiles."""
_DEEPER = 4
"""A tile of zoom z is drawn from the cells of level z + 4: 2 to the power of 4 is 16.

Even levels are counted, so that an edit writes half as many cells; those of an odd level are each the sum of four.
"""
_FILTER = "sector_group"
"""The filter that cells can answer besides none."""

# A cell with one place carries what the place itself would; others their count, and whether any of their places has a
# warning or is invented.
_KEPT = {"live_warning": "c.warned > 0", "illustrative": "c.illustrative > 0"}
_SUMS = "places", "ids", "xs_cm", "ys_cm", "warned", "illustrative"
_WHERE = "WHERE level = %(level)s AND quad >= %(first)s AND quad < %(end)s"
_WHOLE = f"SELECT quad, {', '.join(_SUMS)} FROM published.tile_cells {_WHERE}"
_SUMMED = f"SELECT quad >> %(deeper)s AS quad, {', '.join(f'sum({name})::bigint AS {name}' for name in _SUMS)}"
_OF_FOUR = f"{_SUMMED} FROM published.tile_cells {_WHERE} GROUP BY 1"
_OF_GROUPS = f"{_SUMMED} FROM published.tile_cell_groups {_WHERE} AND sector_group = ANY (%(groups)s) GROUP BY 1"


def can_answer(collection: Collection, z: int, query: FeatureQuery) -> bool:
    """Whether the cells say what such a tile must show."""
    rule = collection.drawn
    if not rule.counted or z >= rule.cluster_below:
        return False
    # By whatever a query may ask one day: only what is known to be counted is read from the cells.
    others = {name: values for name, values in query.equals.items() if name != _FILTER}
    return not others and dataclasses.replace(query, equals={}) == _NOTHING_ASKED


_NOTHING_ASKED = FeatureQuery(equals={})


def statement(collection: Collection, z: int, query: FeatureQuery) -> str:
    """SQL for the tile's one value; its parameters are those of `parameters` and the tile's bounds.

    A place is looked up for none but the cells that hold one alone: of others the sum of ids is some other place's id.
    """
    rule = collection.drawn
    cells = _OF_GROUPS if query.equals else _OF_FOUR if _finer(z) else _WHOLE
    columns = ", ".join(f"{_KEPT.get(name, f'e.{name}')} AS {name}" for name in rule.fields)
    return f"""
        SELECT public.ST_AsMVT(cell.*, '{collection.id}', %(extent)s, 'geom', 'id')
          FROM (SELECT CASE WHEN c.places = 1 THEN c.ids END AS id,
                       public.ST_AsMVTGeom(
                           public.ST_Point(c.xs_cm / c.places / 100.0, c.ys_cm / c.places / 100.0, 3857),
                           public.ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857),
                           %(extent)s, %(buffer)s, true) AS geom,
                       c.places AS count, {columns}
                  FROM ({cells}) c
                  LEFT JOIN {rule.rows} e ON e.id = CASE WHEN c.places = 1 THEN c.ids END
                 ORDER BY c.quad) cell
    """


def parameters(z: int, x: int, y: int, query: FeatureQuery) -> dict[str, object]:
    """Which cells: those of a tile follow one another in the order of their numbers."""
    finer = _finer(z)
    bits = 2 * (_DEEPER + finer)
    first = quad(x, y) << bits
    found: dict[str, object] = {"level": z + _DEEPER + finer, "first": first, "end": first + (1 << bits)}
    if query.equals:
        found["groups"] = list(query.equals[_FILTER])
    return found | ({"deeper": 2 * finer} if finer or query.equals else {})


def _finer(z: int) -> int:
    """By how many levels the counted cells are finer than those that a tile is drawn from."""
    return (z + _DEEPER) % 2


def quad(column: int, row: int) -> int:
    """The number of a cell, or of a tile: the bits of its column and row in turn, as published.finest_cell has them."""
    bits = max(column, row).bit_length()
    return sum((column >> bit & 1) << 2 * bit | (row >> bit & 1) << 2 * bit + 1 for bit in range(bits))
