"""Tiles of wide views, read from counted cells: 256 rows at most, however many places they stand for.

The cells are kept by triggers of the database (`postgis/functions/160_tile_cells.sql`), right to the last place.
"""

import dataclasses

from layers.collections import Collection
from layers.query import FeatureQuery

PER_TILE = 16
"""Cells along each side of a tile: a power of two, so that no cell spans two tiles."""
_DEEPER = 4
"""A tile of zoom z is drawn from the cells of level z + 4: 2 to the power of 4 is 16."""
_FILTER = "sector_group"
"""The filter that cells can answer besides none."""

# A cell with one place carries what the place itself would; others their count, their commonest sector group, and
# whether any of their places has a warning or is invented.
_KEPT = {"sector_group": "c.sector_group", "live_warning": "c.warned > 0", "illustrative": "c.illustrative > 0"}
_WHOLE = """
    SELECT quad, sector_group, places, ids, xs_cm, ys_cm, warned, illustrative
      FROM published.tile_cells WHERE level = %(level)s AND quad >= %(first)s AND quad < %(end)s
"""
_OF_GROUPS = """
    SELECT quad, (array_agg(sector_group ORDER BY places DESC, sector_group))[1] AS sector_group,
           sum(places)::bigint AS places, sum(ids)::bigint AS ids, sum(xs_cm) AS xs_cm, sum(ys_cm) AS ys_cm,
           sum(warned) AS warned, sum(illustrative) AS illustrative
      FROM published.tile_cell_groups
     WHERE level = %(level)s AND quad >= %(first)s AND quad < %(end)s AND sector_group = ANY (%(groups)s)
     GROUP BY quad
"""


def can_answer(collection: Collection, z: int, query: FeatureQuery) -> bool:
    """Whether the cells say what such a tile must show."""
    rule = collection.drawn
    if not rule.counted or z >= rule.cluster_below:
        return False
    # By whatever a query may ask one day: only what is known to be counted is read from the cells.
    others = {name: values for name, values in query.equals.items() if name != _FILTER}
    return not others and dataclasses.replace(query, equals={}) == _NOTHING_ASKED


_NOTHING_ASKED = FeatureQuery(equals={})


def statement(collection: Collection, query: FeatureQuery) -> str:
    """SQL for the tile's one value; its parameters are those of `parameters` and the tile's bounds."""
    rule = collection.drawn
    columns = ", ".join(f"{_KEPT.get(name, f'e.{name}')} AS {name}" for name in rule.fields)
    return f"""
        SELECT public.ST_AsMVT(cell.*, '{collection.id}', %(extent)s, 'geom', 'id')
          FROM (SELECT CASE WHEN c.places = 1 THEN c.ids END AS id,
                       public.ST_AsMVTGeom(
                           public.ST_Point(c.xs_cm / c.places / 100.0, c.ys_cm / c.places / 100.0, 3857),
                           public.ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857),
                           %(extent)s, %(buffer)s, true) AS geom,
                       c.places AS count, {columns}
                  FROM ({_OF_GROUPS if query.equals else _WHOLE}) c
                  LEFT JOIN {rule.rows} e ON c.places = 1 AND e.id = c.ids
                 ORDER BY c.quad) cell
    """


def parameters(z: int, x: int, y: int, query: FeatureQuery) -> dict[str, object]:
    """Which cells: those of a tile follow one another in the order of their numbers."""
    first = quad(x, y) << 2 * _DEEPER
    found: dict[str, object] = {"level": z + _DEEPER, "first": first, "end": first + PER_TILE**2}
    return {**found, "groups": list(query.equals[_FILTER])} if query.equals else found


def quad(column: int, row: int) -> int:
    """The number of a cell, or of a tile: the bits of its column and row in turn, as published.finest_cell has them."""
    bits = max(column, row).bit_length()
    return sum((column >> bit & 1) << 2 * bit | (row >> bit & 1) << 2 * bit + 1 for bit in range(bits))
