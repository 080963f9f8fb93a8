"""Which addresses the lane answers, what each answer is made from, and how: for whoever asks, as anybody may see it.

Everything else, and every address that is not plainly right, goes the long way, which says what is wrong with it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection
from starlette.datastructures import QueryParams

from layers.answer_cache import Sources, TileNumber
from layers.collections import COLLECTIONS, ESTABLISHMENTS, Collection
from layers.features import WHOLE_AT_ONCE
from layers.lookup import find_establishment
from layers.query import FeatureQuery
from layers.stickers import judge, marked
from layers.tile_matrix_sets import ID as QUAD
from layers.tile_matrix_sets import is_tile
from layers.touched import record_sources
from mapservice.feature_answers import item_answer, items_answer
from mapservice.lane_faces import Face
from mapservice.links import Links
from mapservice.parameters import check_known, feature_query, item_names, item_query, one_item_names, tile_query
from mapservice.place_answers import place_data, place_page, relations
from mapservice.reading import privacy
from mapservice.responses import Answer
from mapservice.scanned import said_of
from mapservice.settings import HttpSettings
from mapservice.tile_answers import tile_answer
from postgis import codes
from postgis.secrets import Secrets

_NUMBER = "(0|[1-9][0-9]{0,7})"
_TILE = re.compile(rf"/ogc/(?:collections/([a-z_]+)/)?tiles/{QUAD}/{_NUMBER}/{_NUMBER}/{_NUMBER}")
_TILE_ROUTE = "/ogc/collections/{collectionId}/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
_DATASET_TILE_ROUTE = "/ogc/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"

_ITEMS = re.compile(r"/ogc/collections/([a-z_]+)/items(?:/([A-Za-z0-9_.:-]{1,64}))?")
_PLACE = re.compile(r"/q/([A-Z0-9]{4,16})(\.json)?")
_LANGUAGES = {b"": "vi", b"lang=vi": "vi", b"lang=en": "en"}
"""By query: other parameters of a look-up page say where somebody came from."""
_SCANNED = re.compile(rb"t=([2-9A-Y]{10})(?:&lang=(vi|en))?")
"""What a sticker's address carries, and its page's links to the other language. Nothing else is kept that anybody can
make up: of these there are as many as there are stickers."""


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


class LeftToOthers(Exception):
    """There is no plain answer: what stands there instead, others say."""


def recognise(
    settings: HttpSettings, path: str, query: bytes, face: Face | None = None, secrets: Secrets | None = None
) -> Asked | None:
    """What an address asks for; None where the lane leaves it to others. `face` is for addresses that have several,
    `secrets` for those of stickers.
    """
    if (tile := _TILE.fullmatch(path)) is not None:
        return _tile(settings.ward, path, query, tile[1], (int(tile[2]), int(tile[4]), int(tile[3])))
    if (place := _PLACE.fullmatch(path)) is not None and query in _LANGUAGES:
        return _place(settings, path, query, place[1], data=place[2] is not None)
    if place is not None and place[2] is None and (scanned := _SCANNED.fullmatch(query)) is not None:
        lang = "en" if scanned[2] == b"en" else "vi"
        return _scanned(settings, path, query, place[1], scanned[1].decode(), lang, secrets)
    if face is not None and (items := _ITEMS.fullmatch(path)) is not None:
        return _items(settings.ward, path, query, face, items[1], items[2])
    return None


def _tile(ward: str, path: str, query: bytes, collection: str | None, tile: TileNumber) -> Asked | None:
    params = QueryParams(query)
    names = [collection] if collection else params.get("collections", "").split(",")
    chosen = [found for name in names if (found := COLLECTIONS.get(name)) is not None and found.tile is not None]
    # A name that stands there twice goes the long way too, which takes it once.
    if not len(chosen) == len(names) == len(set(names)) or not is_tile(*tile):
        return None
    # A filter says of each place by itself whether it is shown; words are looked for among all of them, and what is
    # computed is made of all of them.
    of_all = bool(params.get("q")) or any(found.computed for found in chosen)
    sources = Sources(tuple(names), None if of_all else tile)
    if collection is None:
        return Asked(_key(path, query), path, _DATASET_TILE_ROUTE, sources, _dataset(chosen, tile, params))
    return Asked(_key(path, query), path, _TILE_ROUTE, sources, _single(chosen[0], tile, params, ward))


def _single(collection: Collection, tile: TileNumber, params: QueryParams, ward: str) -> Callable[[Connection], Answer]:
    def make(connection: Connection) -> Answer:
        return tile_answer(connection, [collection], tile, tile_query(collection, params, ward))

    return make


def _dataset(chosen: list[Collection], tile: TileNumber, params: QueryParams) -> Callable[[Connection], Answer]:
    def make(connection: Connection) -> Answer:
        check_known(params, ("collections",))
        return tile_answer(connection, chosen, tile, FeatureQuery())

    return make


def _items(ward: str, path: str, query: bytes, face: Face, name: str, feature_id: str | None) -> Asked | None:
    """A page of a collection as GeoJSON, or one feature."""
    collection, params = COLLECTIONS.get(name), QueryParams(query)
    if collection is None or params.get("f", "json") != "json" or "as_of" in params:
        return None
    lang, links = params.get("lang", face.lang), Links(face.base)
    key = _key(path, query) + face.key
    if feature_id is None:
        sources, route = Sources((name,)), "/ogc/collections/{collectionId}/items"
        return Asked(key, path, route, sources, _page(collection, params, links, lang, ward))
    sources = Sources((name,), record=feature_id if record_sources(name) else None)
    make = _feature(collection, feature_id, params, links, lang, ward)
    return Asked(key, path, "/ogc/collections/{collectionId}/items/{featureId}", sources, make)


def _page(
    collection: Collection, params: QueryParams, links: Links, lang: str, ward: str
) -> Callable[[Connection], Answer]:
    def make(connection: Connection) -> Answer:
        check_known(params, item_names(collection))
        query = feature_query(collection, params, ward)
        if query.limit > WHOLE_AT_ONCE:
            raise LeftToOthers
        return _for_anybody(items_answer(connection, collection, query, links, lang, params))

    return make


def _feature(
    collection: Collection, feature_id: str, params: QueryParams, links: Links, lang: str, ward: str
) -> Callable[[Connection], Answer]:
    def make(connection: Connection) -> Answer:
        check_known(params, one_item_names(collection))
        query = item_query(collection, params, ward)
        return _for_anybody(item_answer(connection, collection, feature_id, query, links, lang, params))

    return make


def _for_anybody(answer: Answer) -> Answer:
    return replace(answer, headers={**answer.headers, **privacy(None)})


def _place(settings: HttpSettings, path: str, query: bytes, code: str, *, data: bool) -> Asked | None:
    """The look-up page of a code in its one spelling, or its data."""
    if codes.normalise(code) != code:
        return None

    def make(connection: Connection) -> Answer:
        found = find_establishment(connection, code)
        if found is None:
            raise LeftToOthers
        known = relations(connection, found, None)
        return place_data(settings, found, known) if data else place_page(settings, found, known, _LANGUAGES[query])

    route = "/q/{code}.json" if data else "/q/{code}"
    return Asked(_key(path, query), path, route, Sources((ESTABLISHMENTS.id,), record=code), make)


def _scanned(
    settings: HttpSettings, path: str, query: bytes, code: str, token: str, lang: str, secrets: Secrets | None
) -> Asked | None:
    """The look-up page that a sticker opens. Its mark must be right: a page for each that somebody makes up would fill
    the memory."""
    if codes.normalise(code) != code or marked(secrets, code, token) is None:
        return None

    def make(connection: Connection) -> Answer:
        found = find_establishment(connection, code)
        seen = judge(connection, secrets, code, token)
        if found is None or seen.verdict != "genuine":
            raise LeftToOthers
        words = said_of(token, seen, lang)
        return place_page(settings, found, relations(connection, found, None), lang, words)

    # What becomes of a place's stickers touches the place.
    return Asked(_key(path, query), path, "/q/{code}", Sources((ESTABLISHMENTS.id,), record=code), make)


def _key(path: str, query: bytes) -> bytes:
    """The address as it was sent."""
    return path.encode() + b"?" + query if query else path.encode()
