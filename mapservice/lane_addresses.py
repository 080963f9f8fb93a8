"""Which addresses the lane answers, what each answer is made from, and how: for whoever asks, as anybody may see it.

Everything else, and every address that is not plainly right, goes the long way, which says what is wrong with it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.datastructures import QueryParams

from layers.answer_cache import Sources, TileNumber
from layers.collections import COLLECTIONS, Collection
from layers.query import FeatureQuery
from layers.tile_matrix_sets import ID as QUAD
from layers.tile_matrix_sets import is_tile
from mapservice.parameters import check_known, tile_query
from mapservice.responses import Answer
from mapservice.tile_answers import tile_answer

_NUMBER = "(0|[1-9][0-9]{0,7})"
_TILE = re.compile(rf"/ogc/(?:collections/([a-z_]+)/)?tiles/{QUAD}/{_NUMBER}/{_NUMBER}/{_NUMBER}")
_TILE_ROUTE = "/ogc/collections/{collectionId}/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
_DATASET_TILE_ROUTE = "/ogc/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"


@dataclass(frozen=True, slots=True)
class Asked:
    """An address that the lane can answer."""

    key: bytes
    path: str
    route: str
    """Its template, for the figures."""
    sources: Sources
    make: Callable[[Connection], Answer]
    """Raises Problem for parameters that are refused."""


def recognise(path: str, query: bytes) -> Asked | None:
    """What an address asks for; None where the lane leaves it to others."""
    found = _TILE.fullmatch(path)
    return None if found is None else _tile(path, query, found[1], (int(found[2]), int(found[4]), int(found[3])))


def _tile(path: str, query: bytes, collection: str | None, tile: TileNumber) -> Asked | None:
    params = QueryParams(query)
    names = [collection] if collection else params.get("collections", "").split(",")
    chosen = [found for name in names if (found := COLLECTIONS.get(name)) is not None and found.tile is not None]
    if len(chosen) != len(names) or not is_tile(*tile):
        return None
    # A filter says of each place by itself whether it is shown; words are looked for among all of them.
    sources = Sources(tuple(names), None if params.get("q") else tile)
    if collection is None:
        return Asked(_key(path, query), path, _DATASET_TILE_ROUTE, sources, _dataset(chosen, tile, params))
    return Asked(_key(path, query), path, _TILE_ROUTE, sources, _single(chosen[0], tile, params))


def _single(collection: Collection, tile: TileNumber, params: QueryParams) -> Callable[[Connection], Answer]:
    def make(connection: Connection) -> Answer:
        return tile_answer(connection, [collection], tile, tile_query(collection, params))

    return make


def _dataset(chosen: list[Collection], tile: TileNumber, params: QueryParams) -> Callable[[Connection], Answer]:
    def make(connection: Connection) -> Answer:
        check_known(params, ("collections",))
        return tile_answer(connection, chosen, tile, FeatureQuery())

    return make


def _key(path: str, query: bytes) -> bytes:
    """The address as it was sent."""
    return path.encode() + b"?" + query if query else path.encode()
