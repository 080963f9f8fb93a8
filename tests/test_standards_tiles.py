"""OGC API Tiles Part 1 (20-057), Tile Matrix Set 2.0 (17-083r4), TileJSON 3: their tests against every layer."""

import math
from typing import Any

import httpx
import pytest

from layers.collections import COLLECTIONS
from tests.mvt import layers_of
from tests.standards import conformance_class, conforms_to, get, links_of, media_type

STANDARD = "Tiles 1"
CORE = conformance_class(STANDARD, "ogcapi-tiles-1/1.0/conf/core", "Core")
TILESET = conformance_class(STANDARD, "ogcapi-tiles-1/1.0/conf/tileset", "Tileset")
LIST = conformance_class(STANDARD, "ogcapi-tiles-1/1.0/conf/tilesets-list", "Tilesets List")
DATASET = conformance_class(STANDARD, "ogcapi-tiles-1/1.0/conf/dataset-tilesets", "Dataset Tilesets")
GEODATA = conformance_class(STANDARD, "ogcapi-tiles-1/1.0/conf/geodata-tilesets", "GeoData Tilesets")
CHOSEN = conformance_class(STANDARD, "ogcapi-tiles-1/1.0/conf/collections-selection", "Collections Selection")
MVT = conformance_class(STANDARD, "ogcapi-tiles-1/1.0/conf/mvt", "Mapbox Vector Tiles")
MATRIX_SET = conformance_class("Tile Matrix Set 2", "tms/2.0/conf/tilematrixset", "TileMatrixSet")
MATRIX_SET_JSON = conformance_class("Tile Matrix Set 2", "tms/2.0/conf/json-tilematrixset", "JSON encoding")

QUAD = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
DRAWN = [found.id for found in COLLECTIONS.values() if found.tile]
EVERY = pytest.mark.parametrize("collection", DRAWN)
PLACES = [f"/ogc/collections/{collection}" for collection in DRAWN] + ["/ogc"]


def _tile_of(lon: float, lat: float, z: int) -> tuple[int, int]:
    """Column and row of the tile around a point of CRS84."""
    row = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z
    return int((lon + 180) / 360 * 2**z), int(row)


def _template(client: httpx.Client, place: str) -> str:
    tileset = get(client, f"{place}/tiles/WebMercatorQuad").json()
    [template] = [link["href"] for link in links_of(tileset, "item")]
    return str(template)


def _address(template: str, z: int, column: int, row: int) -> str:
    filled = template.replace("{tileMatrix}", str(z)).replace("{tileRow}", str(row))
    return filled.replace("{tileCol}", str(column))


def _middle(client: httpx.Client, collection: str) -> tuple[float, float]:
    """A point of a feature."""
    feature = client.get(f"/ogc/collections/{collection}/items", params={"limit": "1"}).json()["features"][0]
    found = feature["geometry"]["coordinates"]
    while isinstance(found[0], list):
        found = found[0]
    return found[0], found[1]


@CORE.test("conformance-success")
@TILESET.test("conformance-success")
@LIST.test("conformance-success")
@DATASET.test("conformance-success")
@GEODATA.test("conformance-success")
@CHOSEN.test("conformance-success")
@MVT.test("conformance-success")
def test_conformance(client: httpx.Client) -> None:
    for found in (CORE, TILESET, LIST, DATASET, GEODATA, CHOSEN, MVT, MATRIX_SET, MATRIX_SET_JSON):
        assert found.uri in conforms_to(client)


@CORE.test("tc-tilematrix-definition", "tc-tilerow-definition", "tc-tilecol-definition")
def test_parameters_are_defined(client: httpx.Client) -> None:
    paths = client.get("/ogc/api", params={"f": "json"}).json()["paths"]
    for place in ("/ogc", "/ogc/collections/{collectionId}"):
        operation = paths[f"{place}/tiles/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"]["get"]
        given = {each["name"]: each for each in operation["parameters"] if each["in"] == "path"}
        for name in ("tileMatrix", "tileRow", "tileCol"):
            assert given[name]["required"] and given[name]["schema"]["type"] == "integer"


@CORE.test("tc-op", "tc-success")
@MVT.test("content")
@EVERY
def test_tiles_of_a_feature(client: httpx.Client, collection: str) -> None:
    """Along the pyramid above one feature: vector tiles of one layer, its coordinates on the tile and its margin."""
    template, (lon, lat) = _template(client, f"/ogc/collections/{collection}"), _middle(client, collection)
    seen = 0
    for z in range(0, 23, 2):
        answer = client.get(_address(template, z, *_tile_of(lon, lat, z)), headers={"Accept": MEDIA_TYPE})
        assert answer.status_code in (200, 204), (z, answer.text)
        if answer.status_code == 204:
            continue
        assert media_type(answer) == MEDIA_TYPE
        [layer] = layers_of(answer.content)
        assert layer.name == collection and layer.version == 2 and layer.extent == 4096
        for feature in layer.features:
            assert feature.kind in (1, 2, 3)
            assert all(-256 <= x <= 4352 and -256 <= y <= 4352 for x, y in feature.points)
        seen += len(layer.features)
    assert seen


@MVT.test("content")
def test_corner_of_the_grid_is_the_tile_s_north_west(client: httpx.Client) -> None:
    """A place's point at zoom 18 lies where its longitude and latitude say (4096 steps from the north-west corner)."""
    template, z = _template(client, "/ogc/collections/establishments"), 18
    lon, lat = _middle(client, "establishments")
    column, row = _tile_of(lon, lat, z)
    [layer] = layers_of(client.get(_address(template, z, column, row)).content)
    x = ((lon + 180) / 360 * 2**z - column) * 4096
    y = ((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z - row) * 4096
    assert any(abs(x - px) <= 1 and abs(y - py) <= 1 for feature in layer.features for px, py in feature.points)


@CORE.test("tc-error")
@pytest.mark.parametrize("place", PLACES)
def test_tiles_that_are_not_there(client: httpx.Client, place: str) -> None:
    template = _template(client, place)
    for z, column, row in ((23, 0, 0), (1, 2, 0), (1, 0, 2), (0, 1, 0)):
        assert client.get(_address(template, z, column, row)).status_code in (400, 404)
    for wrong in ("x/0/0", "0/x/0", "0/0/-1", "0/0/0.5"):
        assert client.get(f"{place}/tiles/WebMercatorQuad/{wrong}").status_code in (400, 404), wrong
    empty = client.get(_address(template, 14, 0, 0))
    assert empty.status_code == 204 and not empty.content
    assert client.get(f"{place}/tiles/NoSuchQuad").status_code == 404


@TILESET.test("description")
@pytest.mark.parametrize("place", PLACES)
def test_tileset(client: httpx.Client, place: str) -> None:
    tileset = get(client, f"{place}/tiles/WebMercatorQuad").json()
    assert tileset["dataType"] == "vector" and tileset["tileMatrixSetURI"] == QUAD
    assert tileset["crs"].endswith("/EPSG/0/3857")
    [scheme], [item] = links_of(tileset, SCHEME), links_of(tileset, "item")
    assert get(client, scheme["href"]).json()["id"] == "WebMercatorQuad"
    assert item["templated"] is True and item["type"] == MEDIA_TYPE
    assert all(name in item["href"] for name in ("{tileMatrix}", "{tileRow}", "{tileCol}"))
    layers = {layer["id"]: layer for layer in tileset["layers"]}
    assert set(layers) == (set(DRAWN) if place == "/ogc" else {place.rsplit("/", 1)[1]})
    assert all(layer["dataType"] == "vector" and layer["geometryDimension"] in (0, 1, 2) for layer in layers.values())


@LIST.test("tileset-links")
@DATASET.test("operation")
@GEODATA.test("operation")
@pytest.mark.parametrize("place", PLACES)
def test_tilesets(client: httpx.Client, place: str) -> None:
    document = get(client, f"{place}/tiles").json()
    for tileset in document["tilesets"]:
        assert tileset["dataType"] == "vector" and tileset["crs"] and tileset["tileMatrixSetURI"] == QUAD
        [itself], [_scheme] = links_of(tileset, "self"), links_of(tileset, SCHEME)
        assert httpx.URL(itself["href"]).path == f"{place}/tiles/WebMercatorQuad"
        whole = get(client, itself["href"]).json()
        # A list leaves out what is long to tell: the tiles' limits and the box.
        assert tileset == {name: value for name, value in whole.items() if name in tileset}
        assert whole.keys() - tileset.keys() <= {"tileMatrixSetLimits", "boundingBox"}


@DATASET.test("landingpage")
@GEODATA.test("desc-links")
@pytest.mark.parametrize("place", PLACES)
def test_links_to_the_tilesets(client: httpx.Client, place: str) -> None:
    [link] = links_of(get(client, place).json(), TILESETS)
    assert httpx.URL(link["href"]).path == f"{place}/tiles"
    assert get(client, link["href"]).json()["tilesets"]


@CHOSEN.test("query-collections", "collections-query", "collections-response")
def test_chosen_collections(client: httpx.Client) -> None:
    """In the order of the list, each once; all without a list; a name that is not there, or has no tiles: an error."""
    lon, lat = _middle(client, "establishments")
    address = _address(_template(client, "/ogc"), 15, *_tile_of(lon, lat, 15))

    def names(query: str) -> list[str]:
        return [layer.name for layer in layers_of(client.get(f"{address}{query}").content)]

    assert names("?collections=establishments") == ["establishments"]
    assert names("?collections=streets,establishments,wards") == ["streets", "establishments", "wards"]
    assert names("?collections=wards,wards") == ["wards"]
    assert set(names("")) <= set(DRAWN) and len(names("")) > 2
    for wrong in ("nothing", "establishments,nothing", "licences", ""):
        assert client.get(f"{address}?collections={wrong}").status_code in (400, 404), wrong


@MATRIX_SET.test("tilematrixset", "tilematrix", "variable-matrix-width")
@MATRIX_SET_JSON.test("json-tilematrixset")
def test_tile_matrix_set(client: httpx.Client) -> None:
    """WebMercatorQuad as annex D.1 defines it: the whole world, each matrix twice as fine; 0.28 mm a pixel."""
    [listed] = get(client, "/ogc/tileMatrixSets").json()["tileMatrixSets"]
    [itself] = links_of(listed, "self")
    found = get(client, itself["href"]).json()
    assert found["id"] == listed["id"] and found["uri"] == QUAD and found["orderedAxes"] == ["X", "Y"]
    for z, matrix in enumerate(found["tileMatrices"]):
        assert matrix["id"] == str(z)
        assert matrix["matrixWidth"] == matrix["matrixHeight"] == 2**z
        assert matrix["tileWidth"] == matrix["tileHeight"] == 256
        assert matrix["pointOfOrigin"] == [-20037508.342789244, 20037508.342789244]
        assert math.isclose(matrix["cellSize"] * 256 * 2**z, 40075016.68557849, rel_tol=1e-9)
        assert math.isclose(matrix["scaleDenominator"], matrix["cellSize"] / 0.00028, rel_tol=1e-6)
        assert matrix.get("variableMatrixWidths", []) == []


@EVERY
def test_tilejson(client: httpx.Client, collection: str) -> None:
    """TileJSON 3.0.0: required members, zooms and bounds in order, fields that the tiles have, tiles that are there."""
    [link] = links_of(get(client, f"/ogc/collections/{collection}/tiles/WebMercatorQuad").json(), "describedby")
    document: dict[str, Any] = client.get(link["href"]).json()
    assert document["tilejson"] == "3.0.0"
    assert 0 <= document["minzoom"] <= document["maxzoom"] <= 30
    west, south, east, north = document["bounds"]
    assert -180 <= west < east <= 180 and -85.06 < south < north < 85.06
    [layer] = document["vector_layers"]
    assert layer["id"] == collection
    z = document["maxzoom"]
    column, row = _tile_of(*_middle(client, collection), z)
    address = document["tiles"][0].replace("{z}", str(z)).replace("{x}", str(column)).replace("{y}", str(row))
    [drawn] = layers_of(client.get(address).content)
    assert {name for feature in drawn.features for name in feature.properties} <= set(layer["fields"])
