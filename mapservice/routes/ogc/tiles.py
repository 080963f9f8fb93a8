"""Vector tiles of every collection, their TileJSON and the tile matrix set."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from layers import tile_matrix_sets
from layers.collections import COLLECTIONS, Collection
from layers.crs import CRS84
from layers.extents import extent_of
from layers.query import FeatureQuery
from mapservice import links as rel
from mapservice.dependencies import (
    Language,
    LinkBuilder,
    PublishedCollection,
    ReadConnection,
    collection_by_id,
    http_settings,
)
from mapservice.errors import Problem
from mapservice.links import Links
from mapservice.openapi import common_parameters, parameters, tile_parameters
from mapservice.parameters import COMMON, asked_values, check_known, tile_number, tile_query
from mapservice.responses import json_bytes, reply, send
from mapservice.routes.ogc.negotiation import answer
from mapservice.tile_answers import tile_answer
from web import labels

router = APIRouter(prefix="/ogc", tags=["OGC API Tiles"])
QUAD = tile_matrix_sets.ID


@router.get("/tileMatrixSets", summary="Tile matrix sets", openapi_extra=common_parameters())
def matrix_sets(request: Request, lang: Language, links: LinkBuilder) -> Response:
    """The one tile matrix set there is."""
    check_known(request.query_params, ())
    found = [
        {
            "id": QUAD,
            "uri": tile_matrix_sets.URI,
            "links": [links.link(f"/ogc/tileMatrixSets/{QUAD}", "self", rel.JSON)],
        }
    ]
    return answer(request, lang, "ogc/document.html", {"tileMatrixSets": found})


@router.get("/tileMatrixSets/{tileMatrixSetId}", summary="One tile matrix set", openapi_extra=common_parameters())
def matrix_set(request: Request, tileMatrixSetId: str, lang: Language) -> Response:
    """Its definition."""
    check_known(request.query_params, ())
    _check_matrix_set(tileMatrixSetId)
    return answer(request, lang, "ogc/document.html", tile_matrix_sets.definition())


def drawn_collection(collection: PublishedCollection) -> Collection:
    """The collection that the address names. Raises Problem for one that has no tiles."""
    if collection.tile is None:
        raise Problem("no_tiles", value=collection.id)
    return collection


DrawnCollection = Annotated[Collection, Depends(drawn_collection)]


@router.get("/collections/{collectionId}/tiles", summary="Tilesets of a collection", openapi_extra=common_parameters())
def tilesets(request: Request, collection: DrawnCollection, lang: Language, links: LinkBuilder) -> Response:
    """The tilesets of the collection."""
    check_known(request.query_params, ())
    path = f"/ogc/collections/{collection.id}/tiles"
    document = {"links": links.itself(path, rel.JSON), "tilesets": [_tileset(collection, lang, links)]}
    return answer(request, lang, "ogc/document.html", document)


@router.get(
    "/collections/{collectionId}/tiles/{tileMatrixSetId}", summary="One tileset", openapi_extra=common_parameters()
)
def tileset(
    request: Request,
    connection: ReadConnection,
    collection: DrawnCollection,
    tileMatrixSetId: str,
    lang: Language,
    links: LinkBuilder,
) -> Response:
    """What the tileset holds and the address of its tiles."""
    check_known(request.query_params, ())
    _check_matrix_set(tileMatrixSetId)
    document = _tileset(collection, lang, links)
    bounds = extent_of(connection, collection)
    document["tileMatrixSetLimits"] = tile_matrix_sets.limits(collection.drawn.zooms, bounds)
    if bounds:
        document["boundingBox"] = {"lowerLeft": bounds[:2], "upperRight": bounds[2:], "crs": CRS84.uri}
    return answer(request, lang, "ogc/document.html", document)


@router.get(
    "/collections/{collectionId}/tiles/{tileMatrixSetId}/tilejson.json",
    summary="TileJSON 3.0.0",
    openapi_extra=parameters(*COMMON, *(field.name for found in COLLECTIONS.values() for field in found.asked)),
)
def tilejson(
    request: Request,
    connection: ReadConnection,
    collection: DrawnCollection,
    tileMatrixSetId: str,
    lang: Language,
    links: LinkBuilder,
) -> Response:
    """TileJSON, for MapLibre, QGIS and others. What a computed collection is asked for goes on to its tiles."""
    asked = tuple(field.name for field in collection.asked)
    check_known(request.query_params, asked)
    _check_matrix_set(tileMatrixSetId)
    asked_values(collection, request.query_params)
    url = links.url(f"/ogc/collections/{collection.id}/tiles/{QUAD}/") + "{z}/{y}/{x}"
    chosen = {name: request.query_params[name] for name in asked if request.query_params.get(name)}
    url += f"?{urlencode(chosen)}" if chosen else ""
    words = {name: labels.field_title(collection.id, name, lang) for name in collection.drawn.fields}
    words |= {"": labels.collection_title(collection.id, lang), "count": labels.text("ogc.places_of_point", lang)}
    document = tile_matrix_sets.tilejson(
        collection, url, extent_of(connection, collection), labels.text("ogc.attribution", lang), words
    )
    return reply(request, json_bytes(document), rel.JSON)


@router.get(
    "/collections/{collectionId}/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}",
    summary="One vector tile",
    openapi_extra=tile_parameters(),
    responses={200: {"content": {rel.MVT: {}}}, 204: {"description": "Nothing there"}},
)
def tile(
    request: Request,
    connection: ReadConnection,
    collection: DrawnCollection,
    tileMatrixSetId: str,
    tileMatrix: str,
    tileRow: str,
    tileCol: str,
) -> Response:
    """The tile as Mapbox Vector Tile; 204 where it is empty."""
    z, y, x = _place(tileMatrixSetId, tileMatrix, tileRow, tileCol)
    query = tile_query(collection, request.query_params, http_settings(request).ward)
    return send(request, tile_answer(connection, [collection], (z, x, y), query))


@router.get("/tiles", summary="Tilesets of all collections together", openapi_extra=common_parameters())
def dataset_tilesets(request: Request, lang: Language, links: LinkBuilder) -> Response:
    """The tilesets whose tiles hold every collection as a layer, or those that `collections` names."""
    check_known(request.query_params, ())
    document = {"links": links.itself("/ogc/tiles", rel.JSON), "tilesets": [_dataset_tileset(lang, links)]}
    return answer(request, lang, "ogc/document.html", document)


@router.get(
    "/tiles/{tileMatrixSetId}", summary="The tileset of all collections together", openapi_extra=common_parameters()
)
def dataset_tileset(request: Request, tileMatrixSetId: str, lang: Language, links: LinkBuilder) -> Response:
    """What the tileset holds and the address of its tiles."""
    check_known(request.query_params, ())
    _check_matrix_set(tileMatrixSetId)
    return answer(request, lang, "ogc/document.html", _dataset_tileset(lang, links))


@router.get(
    "/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}",
    summary="One vector tile of several collections",
    openapi_extra=parameters("collections"),
    responses={200: {"content": {rel.MVT: {}}}, 204: {"description": "Nothing there"}},
)
def dataset_tile(
    request: Request,
    connection: ReadConnection,
    tileMatrixSetId: str,
    tileMatrix: str,
    tileRow: str,
    tileCol: str,
) -> Response:
    """The named collections, or all, as layers of one tile: on a slow line a request costs more than its bytes."""
    check_known(request.query_params, ("collections",))
    z, y, x = _place(tileMatrixSetId, tileMatrix, tileRow, tileCol)
    chosen = _drawn(request.query_params.get("collections"))
    return send(request, tile_answer(connection, chosen, (z, x, y), FeatureQuery()))


def _drawn(names: str | None) -> list[Collection]:
    """The collections that a comma-separated list names; all that are drawn where there is none. Raises Problem."""
    if names is None:
        return [found for found in COLLECTIONS.values() if found.tile]
    # Twice the same layer would be no vector tile (MVT 2.1, 4.1).
    return [drawn_collection(collection_by_id(name)) for name in dict.fromkeys(names.split(","))]


def _place(matrix_set: str, matrix: str, row: str, column: str) -> tuple[int, int, int]:
    """Matrix, row and column of a tile that exists."""
    _check_matrix_set(matrix_set)
    z, y, x = tile_number(matrix), tile_number(row), tile_number(column)
    if not tile_matrix_sets.is_tile(z, x, y):
        raise Problem("tile_out_of_range", value=f"{matrix}/{row}/{column}", most=tile_matrix_sets.MAX_ZOOM)
    return z, y, x


def _check_matrix_set(name: str) -> None:
    if name != QUAD:
        raise Problem("unknown_tile_matrix_set", value=name, known=QUAD)


def _tileset(collection: Collection, lang: str, links: Links) -> dict[str, Any]:
    path = f"/ogc/collections/{collection.id}/tiles/{QUAD}"
    more = [links.link(f"{path}/tilejson.json", "describedby", rel.TILEJSON)]
    return _described(path, labels.collection_title(collection.id, lang), [collection], lang, links, more)


def _dataset_tileset(lang: str, links: Links) -> dict[str, Any]:
    return _described(f"/ogc/tiles/{QUAD}", labels.text("ogc.title", lang), _drawn(None), lang, links, [])


def _described(
    path: str, title: str, collections: list[Collection], lang: str, links: Links, more: list[dict[str, str]]
) -> dict[str, Any]:
    """Tileset metadata (OGC 17-083r4, 7)."""
    template = {
        "href": links.url(path) + "/{tileMatrix}/{tileRow}/{tileCol}",
        "rel": "item",
        "type": rel.MVT,
        "templated": True,
    }
    return {
        "title": title,
        "dataType": "vector",
        "crs": tile_matrix_sets.CRS,
        "tileMatrixSetURI": tile_matrix_sets.URI,
        "links": [
            *links.itself(path, rel.JSON),
            links.link(f"/ogc/tileMatrixSets/{QUAD}", rel.REL_TILING_SCHEME, rel.JSON),
            *more,
            template,
        ],
        "layers": [
            {
                "id": found.id,
                "title": labels.collection_title(found.id, lang),
                "dataType": "vector",
                "geometryDimension": _dimension(found),
                "minTileMatrix": str(found.drawn.zooms[0]),
                "maxTileMatrix": str(found.drawn.zooms[1]),
            }
            for found in collections
        ],
    }


def _dimension(collection: Collection) -> int:
    return {"Point": 0, "MultiLineString": 1}.get(collection.geometry or "", 2)
