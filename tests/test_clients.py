"""The standards' own clients read the service: GDAL's OAPIF driver and OWSLib."""

import json
import shutil
import subprocess

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
