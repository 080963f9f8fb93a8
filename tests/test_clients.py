"""The standards' own clients read the service: GDAL 3.6 and 3.12, QGIS, OWSLib."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from layers.collections import COLLECTIONS


def _ogr(*arguments: str) -> str:
    if shutil.which(arguments[0]) is None:
        pytest.fail("GDAL's commands are not here: apt-get install gdal-bin")
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout


def test_ogrinfo_lists_the_collections(live_server: str) -> None:
    listing = _ogr("ogrinfo", "-ro", f"OAPIF:{live_server}/ogc")
    for collection in COLLECTIONS:
        assert collection in listing


@pytest.mark.parametrize("collection", list(COLLECTIONS))
def test_ogrinfo_reads_all_features(live_server: str, client: httpx.Client, collection: str) -> None:
    rows = client.get(f"/ogc/collections/{collection}/items?f=geojsonseq").content
    matched = rows.count(b"\x1e")
    assert matched
    # -al without -so reads every feature, page by page; the summary alone would only ask for the count.
    listing = _ogr("ogrinfo", "-ro", "-al", "-geom=NO", f"OAPIF:{live_server}/ogc", collection)
    assert f"Feature Count: {matched}" in listing
    assert listing.count("\nOGRFeature(") == matched


def test_ogr2ogr_keeps_vietnamese(live_server: str) -> None:
    made = json.loads(
        _ogr("ogr2ogr", "-f", "GeoJSON", "/vsistdout/", f"OAPIF:{live_server}/ogc", "wards", "-where", "code = '20257'")
    )
    assert [feature["properties"]["name"] for feature in made["features"]] == ["Hòa Cường"]


def test_owslib_reads_collections_and_items(live_server: str) -> None:
    from owslib.ogcapi.features import Features

    service = Features(f"{live_server}/ogc/")
    assert set(service.feature_collections()) == set(COLLECTIONS)
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in service.conformance()["conformsTo"]
    first = service.collection_items("establishments", limit=10, bbox=[108.2, 16.03, 108.23, 16.06])
    assert first["numberReturned"] == 10
    queryables = service.collection_queryables("establishments")
    assert "sector_group" in queryables["properties"]
    one = service.collection_item("establishments", first["features"][0]["id"])
    assert one["id"] == first["features"][0]["id"]


def test_gdal_of_pyogrio_reads_pages_boxes_and_filters(live_server: str, client: httpx.Client) -> None:
    """GDAL 3.12, which sends a box, pages and, as the service declares CQL2, its attribute filter."""
    import pyogrio

    assert pyogrio.__gdal_version__ >= (3, 11)
    address, items = f"OAPIF:{live_server}/ogc", "/ogc/collections/establishments/items"

    def read(**options: Any) -> set[str]:
        _, table = pyogrio.read_arrow(address, layer="establishments", columns=["code"], **options)
        return set(table.column("code").to_pylist())

    def told(**query: str) -> set[str]:
        page = client.get(items, params={**query, "limit": "10000", "properties": "code"}).json()
        return {feature["id"] for feature in page["features"]}

    box = (108.205, 16.04, 108.215, 16.05)
    inside = read(bbox=box, PAGE_SIZE="300")
    assert inside == told(bbox=",".join(map(str, box))) and len(inside) > 600
    chosen = "sector_group = 'food_service' AND operating_status = 'closed'"
    assert read(where=chosen) == told(filter=chosen) != set()
    assert read(where="name LIKE '%Phở%'", bbox=box) <= inside


def test_qgis_reads_pages_boxes_filters_and_tiles(live_server: str, client: httpx.Client) -> None:
    """QGIS of Debian, with the system's Python and without a screen."""
    python, script = "/usr/bin/python3", Path(__file__).parent / "qgis_clients.py"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": "/tmp"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [python, str(script), live_server], capture_output=True, text=True, timeout=400, check=False, env=environment
    )
    assert done.returncode == 0, f"{done.stderr[-2000:]}\nQGIS is in Debian's python3-qgis."
    told = json.loads(done.stdout.splitlines()[-1])

    def matched(collection: str, **query: str) -> int:
        page = client.get(f"/ogc/collections/{collection}/items", params={**query, "limit": "1"}).json()
        found: int = page["numberMatched"]
        return found

    for collection in ("wards", "establishments", "model_sites", "licences"):
        found = told[collection]
        assert found["valid"] and not found["error"], collection
        assert found["count"] == matched(collection), collection
        assert set(COLLECTIONS[collection].field_by_name) <= set(found["fields"])
    assert {"Boolean", "Date", "DateTime", "String", "StringList"} <= set(told["establishments"]["types"])
    assert told["in_box"] == matched("establishments", bbox="108.20,16.04,108.215,16.05")
    assert told["food_service"] == matched("establishments", sector_group="food_service")
    assert told["names"] == ["Hòa Cường"]
    assert told["tiles"]["valid"] and told["tiles"]["crs"] == "EPSG:3857" and told["tiles"]["drawn"] > 100
