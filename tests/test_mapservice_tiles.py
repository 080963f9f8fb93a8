"""Vector tiles: read by GDAL, whole to the last place, filtered like items."""

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, text

from layers import statements
from layers.collections import COLLECTIONS
from mapservice.app import create_service
from mapservice.settings import HttpSettings
from postgis.engine import Database

CENTRE = (108.2175, 16.052)
TILES = "/ogc/collections/{}/tiles/WebMercatorQuad/{}/{}/{}"


def _tile_of(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    side = 2**zoom
    row = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * side
    return int((lon + 180) / 360 * side), int(row)


def _read(body: bytes, folder: Path, zoom: int, column: int, row: int, layer: str) -> list[dict[str, Any]]:
    """The features of a tile as GDAL's MVT driver reads them."""
    path = folder / "tile.mvt"
    path.write_bytes(body)
    options = ["-oo", f"X={column}", "-oo", f"Y={row}", "-oo", f"Z={zoom}"]
    done = subprocess.run(
        ["ogr2ogr", "-f", "GeoJSON", "-t_srs", "EPSG:4326", "/vsistdout/", str(path), layer, *options],
        capture_output=True,
        check=True,
        timeout=60,
    )
    features: list[dict[str, Any]] = json.loads(done.stdout)["features"]
    return features


def _tile(client: httpx.Client, collection: str, zoom: int, **query: str) -> tuple[httpx.Response, int, int]:
    column, row = _tile_of(*CENTRE, zoom)
    return client.get(TILES.format(collection, zoom, row, column), params=query), column, row


DRAWN = [collection.id for collection in COLLECTIONS.values() if collection.tile]


@pytest.mark.parametrize("collection", DRAWN)
@pytest.mark.parametrize("zoom", [0, 5, 10, 14, 16, 18])
def test_gdal_reads_every_collection(client: httpx.Client, tmp_path: Path, collection: str, zoom: int) -> None:
    answer, column, row = _tile(client, collection, zoom)
    if answer.status_code == 204:
        assert not answer.content
        too_small = collection in ("residential_groups", "model_sites", "payment_adoption") and zoom < 8
        apart = collection == "model_sites" and zoom > 14
        anywhere = collection in ("streets", "basemap_areas")
        assert too_small or apart or anywhere, "the others are everywhere in the centre"
        return
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    features = _read(answer.content, tmp_path, zoom, column, row, collection)
    assert features
    named = set(COLLECTIONS[collection].drawn.fields) | {"count", "mvt_id"}
    assert all(set(feature["properties"]) <= named for feature in features)


@pytest.mark.parametrize("zoom", [0, 3, 8, 12, 13, 14])
def test_no_place_is_lost_at_any_zoom(
    client: httpx.Client, demo_connection: Connection, tmp_path: Path, zoom: int
) -> None:
    """Clusters of all tiles that hold the register add up to every place."""
    west, south, east, north = demo_connection.execute(
        text(
            "SELECT ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b) "
            "FROM (SELECT ST_Extent(geom) b FROM published.establishments) e"
        )
    ).one()
    total = demo_connection.execute(text("SELECT count(*) FROM published.establishments")).scalar_one()
    first_column, first_row = _tile_of(west, north, zoom)
    last_column, last_row = _tile_of(east, south, zoom)
    counted = 0
    for column in range(first_column, last_column + 1):
        for row in range(first_row, last_row + 1):
            answer = client.get(TILES.format("establishments", zoom, row, column))
            if answer.status_code == 200:
                features = _read(answer.content, tmp_path, zoom, column, row, "establishments")
                counted += sum(feature["properties"]["count"] for feature in features)
    assert counted == total


def test_single_places_carry_what_a_map_needs(client: httpx.Client, tmp_path: Path) -> None:
    answer, column, row = _tile(client, "establishments", 16)
    for feature in _read(answer.content, tmp_path, 16, column, row, "establishments"):
        assert feature["properties"]["code"]
        assert feature["properties"]["sector_group"]
        assert feature["properties"]["count"] == 1


@pytest.mark.parametrize("zoom", [0, 7, 11, 12, 13, 14])
@pytest.mark.parametrize("query", [{}, {"sector_group": "food_service,lodging"}])
def test_counted_cells_say_what_the_places_say(
    client: httpx.Client, tmp_path: Path, zoom: int, query: dict[str, str]
) -> None:
    """A filter that excludes nothing is answered from the places themselves."""
    told = []
    for more in ({}, {"illustrative": "true,false"}):
        answer, column, row = _tile(client, "establishments", zoom, **query, **more)
        features = _read(answer.content, tmp_path, zoom, column, row, "establishments")
        told.append(sorted(features, key=lambda feature: feature["geometry"]["coordinates"]))
    cells, places = told
    assert [cell["properties"] for cell in cells] == [place["properties"] for place in places]
    unit = 360 / 2**zoom / 4096
    for cell, place in zip(cells, places, strict=True):
        assert cell["geometry"]["coordinates"] == pytest.approx(place["geometry"]["coordinates"], abs=1.5 * unit)


def test_a_warning_shows_through_a_cluster(client: httpx.Client, tmp_path: Path) -> None:
    answer, column, row = _tile(client, "establishments", 10, live_warning="true")
    features = _read(answer.content, tmp_path, 10, column, row, "establishments")
    assert features
    assert all(feature["properties"]["live_warning"] for feature in features)


def test_filters_are_those_of_items(client: httpx.Client, tmp_path: Path) -> None:
    for query in (
        {"sector_group": "lodging"},
        {"payment_methods": "momo"},
        {"q": "ca phe"},
        {"accepts_cashless": "no"},
    ):
        answer, column, row = _tile(client, "establishments", 5, **query)
        features = _read(answer.content, tmp_path, 5, column, row, "establishments")
        items = client.get("/ogc/collections/establishments/items", params={**query, "limit": "10000"}).json()
        # All of them: of what a common word matches a first short page tells an estimate.
        assert sum(feature["properties"]["count"] for feature in features) == items["numberMatched"] > 0


def test_same_tile_same_bytes(client: httpx.Client) -> None:
    first, _, _ = _tile(client, "establishments", 15)
    again, _, _ = _tile(client, "establishments", 15)
    assert first.content == again.content
    column, row = _tile_of(*CENTRE, 15)
    address = TILES.format("establishments", 15, row, column)
    assert client.get(address, headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_far_away_is_empty(client: httpx.Client) -> None:
    answer = client.get(TILES.format("establishments", 10, 0, 0))
    assert answer.status_code == 204
    assert not answer.content


def test_several_collections_in_one_tile(client: httpx.Client, tmp_path: Path) -> None:
    column, row = _tile_of(*CENTRE, 14)
    address = f"/ogc/tiles/WebMercatorQuad/14/{row}/{column}"
    answer = client.get(address, params={"collections": "wards,streets"})
    alone = [client.get(TILES.format(collection, 14, row, column)).content for collection in ("wards", "streets")]
    assert answer.content == b"".join(alone)
    for collection in ("wards", "streets"):
        assert _read(answer.content, tmp_path, 14, column, row, collection)
    every = [client.get(TILES.format(collection, 14, row, column)).content for collection in DRAWN]
    assert client.get(address).content == b"".join(every), "all of them, where none is named"
    assert client.get(address, params={"collections": "wards,nothing"}).status_code == 404
    assert client.get(address, params={"collections": "wards", "q": "a"}).status_code == 400


@pytest.mark.parametrize("path", ["", "/WebMercatorQuad", "/WebMercatorQuad/tilejson.json", "/WebMercatorQuad/5/14/25"])
def test_what_has_no_geometry_has_no_tiles(client: httpx.Client, path: str) -> None:
    without = COLLECTIONS.keys() - set(DRAWN)
    assert without == {"licences", "inspections", "warnings", "payment_acceptances"}
    for collection in without:
        answer = client.get(f"/ogc/collections/{collection}/tiles{path}")
        assert answer.status_code == 404 and answer.json()["type"] == "urn:mapservice:problem:no_tiles"
        links = client.get(f"/ogc/collections/{collection}").json()["links"]
        assert not [link for link in links if "/tiles" in link["href"]]
    combined = client.get("/ogc/tiles/WebMercatorQuad/5/14/25?collections=wards,licences")
    assert combined.status_code == 404


def test_tilejson_and_style_lead_to_tiles(client: httpx.Client) -> None:
    for collection in DRAWN:
        tilejson = client.get(f"/ogc/collections/{collection}/tiles/WebMercatorQuad/tilejson.json").json()
        assert tilejson["tilejson"] == "3.0.0"
        (layer,) = tilejson["vector_layers"]
        rule = COLLECTIONS[collection].drawn
        assert layer["id"] == collection and all(layer["fields"].values()) and layer["description"]
        assert list(layer["fields"])[: len(rule.fields)] == list(rule.fields)
        assert (tilejson["minzoom"], tilejson["maxzoom"]) == rule.zooms
        assert rule.zooms[1] >= max([rule.cluster_below, *(rule.from_zoom or {}).values()])
        described = client.get(f"/ogc/collections/{collection}/tiles/WebMercatorQuad?f=json").json()
        assert described["layers"][0]["maxTileMatrix"] == str(rule.zooms[1])
        limits = {int(each["tileMatrix"]): each for each in described["tileMatrixSetLimits"]}
        assert sorted(limits) == list(range(rule.zooms[0], rule.zooms[1] + 1))
        inside, (x, y) = limits[14], _tile_of(*CENTRE, 14)
        assert inside["minTileCol"] <= x <= inside["maxTileCol"] and inside["minTileRow"] <= y <= inside["maxTileRow"]
        column, row = _tile_of(*CENTRE, 14)
        address = tilejson["tiles"][0].replace("{z}", "14").replace("{x}", str(column)).replace("{y}", str(row))
        assert client.get(address).status_code in (200, 204)
    style = client.get("/ogc/styles/map").json()
    assert style["version"] == 8
    assert "glyphs" not in style and "sprite" not in style
    assert all(source["type"] == "vector" for source in style["sources"].values())


def test_the_hot_query_uses_the_spatial_index(demo_connection: Connection) -> None:
    demo_connection.execute(text("SET LOCAL enable_seqscan = off"))
    plan = demo_connection.execute(
        text(
            "EXPLAIN SELECT code FROM published.establishments "
            "WHERE geom_3857 && ST_MakeEnvelope(12046000, 1809000, 12046600, 1809600, 3857)"
        )
    ).scalars()
    assert "idx_establishment_geom_3857" in "\n".join(plan)


@pytest.mark.parametrize(
    "shape", ["BBOX(108.1,15.9,108.4,16.2)", "POLYGON((108.1 15.9,108.4 15.9,108.3 16.2,108.1 15.9))"]
)
def test_a_shape_around_the_whole_ward_is_not_too_broad(client: httpx.Client, shape: str) -> None:
    """The planner takes a test against a shape for 125 others."""
    whole = f"S_INTERSECTS(geometry,{shape})"
    tile = TILES.format("establishments", 0, 0, 0)
    assert client.get(tile, params={"filter": whole}).status_code == 200
    items = "/ogc/collections/establishments/items"
    for asked in ({"filter": whole}, {"bbox": "108.1,15.9,108.4,16.2"}):
        assert client.get(items, params={**asked, "sortby": "name", "limit": "5"}).status_code == 200


def test_what_is_too_broad_is_refused_in_words(demo_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a register of millions; here of one that may cost next to nothing."""
    monkeypatch.setattr(statements, "MOST_COST", 10)
    database = demo_database.named(demo_database.name)
    items = "/ogc/collections/establishments/items"
    try:
        with TestClient(create_service(HttpSettings(sample="none"), database)) as client:
            for path, asked, name in (
                (TILES.format("establishments", 0, 0, 0), {"accepts_cashless": "yes"}, "accepts_cashless"),
                (TILES.format("establishments", 0, 0, 0), {"filter": "name LIKE 'A%'"}, "filter"),
                (items, {"sortby": "name"}, "sortby"),
            ):
                answer = client.get(path, params=asked)
                assert answer.status_code == 400
                assert answer.headers["content-type"] == "application/problem+json"
                problem = answer.json()
                assert problem["title"] == "Phạm vi quá rộng"
                assert problem["errors"][0]["pointer"] == name
                assert name in problem["detail"]
            english = client.get(items, params={"sortby": "name", "limit": "1", "lang": "en"}).json()
            assert english["title"] == "Too much at once"
            assert client.get(items).status_code == 200
            assert client.get(TILES.format("establishments", 0, 0, 0)).status_code == 200
    finally:
        database.dispose()
