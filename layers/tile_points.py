"""Tiles that show every place, read from one index: all that is shown of a place, beside its neighbours."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from layers.collections import Collection
from layers.statements import Shapes

_ROUNDED = 0.5
"""In tile units: a place so far outside is drawn on the edge. What lies farther out is left out by ST_AsMVTGeom."""
_SHAPES = Shapes()


def draw(
    connection: Connection, collection: Collection, bounds: Sequence[float], extent: int, buffer: int
) -> tuple[bytes, int]:
    """The MVT of the places in a tile, in no order, and how many there are: at most one more than a tile may have.

    `bounds` are its west, south, east and north in metres of EPSG:3857. One plan serves all tiles: it reads the one
    index, and to make it anew takes as long as to draw a small tile.
    """
    west, south, east, north = bounds
    reach = (east - west) / extent * (buffer + _ROUNDED)
    values = {
        "tile": f"BOX({west!r} {south!r},{east!r} {north!r})",
        "reach": f"({east + reach!r},{north + reach!r}),({west - reach!r},{south - reach!r})",
    }
    statement = _SHAPES.statement(
        collection.id, lambda: text(_text(collection, extent, buffer)).bindparams(tile=None, reach=None)
    )
    mvt, count = statement.run_planned(connection, values)[0]
    return bytes(mvt), count


def _text(collection: Collection, extent: int, buffer: int) -> str:
    rule = collection.drawn
    count = ", 1 AS count" if rule.cluster_below else ""
    return f"""
        SELECT public.ST_AsMVT(place.*, '{collection.id}', {extent}, 'geom', 'id'), count(*)
          FROM (SELECT id, public.ST_AsMVTGeom(CAST({rule.point} AS public.geometry), CAST(:tile AS public.box2d),
                                               {extent}, {buffer}, true) AS geom, {", ".join(rule.fields)}{count}
                  FROM {rule.rows} WHERE {rule.point} <@ CAST(:reach AS box)
                 LIMIT {rule.max_features + 1}) place
    """
