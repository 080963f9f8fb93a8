"""A vector tile as it is answered, whichever way the request came in."""

from collections.abc import Sequence

from sqlalchemy import Connection

from layers import tiles
from layers.answer_cache import TileNumber
from layers.collections import Collection
from layers.query import FeatureQuery
from mapservice import links as rel
from mapservice.responses import NOTHING, Answer


def tile_answer(connection: Connection, chosen: Sequence[Collection], tile: TileNumber, query: FeatureQuery) -> Answer:
    """The collections as layers of one Mapbox Vector Tile, which simply follow one another."""
    z, x, y = tile
    body = b"".join(tiles.tile(connection, collection, z, x, y, query) for collection in chosen)
    return Answer(body, rel.MVT) if body else NOTHING
