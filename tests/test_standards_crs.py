"""OGC API Features Part 2 (18-058r1), Annex A: its abstract tests. pyproj says where a point lies in another CRS."""

from functools import cache
from typing import Any

import httpx
import pytest
from pyproj import Transformer

from layers.collections import COLLECTIONS
from tests.standards import conformance_class, conforms_to, get

CRS = conformance_class("Features 2", "ogcapi-features-2/1.0/conf/crs", "Coordinate Reference Systems by Reference")
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
GEO = "application/geo+json"
LOCATED = [found.id for found in COLLECTIONS.values() if found.geometry]
EVERY = pytest.mark.parametrize("collection", LOCATED)
OTHERS = pytest.mark.parametrize("code", [4326, 3857, 5899, 5897, 9209, 9210, 3405, 3406])
BOXES = "120,-80,125,-70"


def _items(collection: str) -> str:
    return f"/ogc/collections/{collection}/items"


@cache
def _to(code: int) -> Transformer:
    """From CRS84 to the CRS with its axes in the authority's order."""
    return Transformer.from_crs("OGC:CRS84", f"EPSG:{code}")


def _positions(geometry: dict[str, Any] | None) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    left: list[Any] = [geometry["coordinates"]] if geometry else []
    while left:
        part = left.pop(0)
        if isinstance(part[0], int | float):
            found.append((part[0], part[1]))
        else:
            left = [*part, *left]
    return found


@CRS.test("crs-uri")
@EVERY
def test_crs_by_uri(client: httpx.Client, collection: str) -> None:
    assert CRS.uri in conforms_to(client)
    listed = get(client, f"/ogc/collections/{collection}").json()["crs"]
    assert len(listed) == len(set(listed)) >= 9
    assert all(uri.startswith("http://www.opengis.net/def/crs/") for uri in listed)


@CRS.test("default-crs", "storageCrs")
@EVERY
def test_default_and_stored_crs(client: httpx.Client, collection: str) -> None:
    found = get(client, f"/ogc/collections/{collection}").json()
    assert found["crs"][0] == CRS84
    assert found["storageCrs"] in found["crs"]


@CRS.test("crs-parameter", "crs-parameter-transform")
@EVERY
@OTHERS
def test_coordinates_in_another_crs(client: httpx.Client, collection: str, code: int) -> None:
    """Each position where pyproj puts it, to the last digit that is told (a centimetre), axes as the authority has."""
    uri = f"{EPSG}{code}"
    assert uri in get(client, f"/ogc/collections/{collection}").json()["crs"]
    plain = get(client, _items(collection), GEO, limit="5").json()["features"]
    answer = get(client, _items(collection), GEO, limit="5", crs=uri)
    assert answer.headers["content-crs"] == f"<{uri}>"
    told = answer.json()["features"]
    assert [each["id"] for each in told] == [each["id"] for each in plain]
    room = 2e-6 if code == 4326 else 0.2
    for feature, before in zip(told, plain, strict=True):
        pairs = zip(_positions(feature["geometry"]), _positions(before["geometry"]), strict=True)
        for found, (lon, lat) in list(pairs)[:50]:
            wanted = _to(code).transform(lon, lat)
            assert abs(found[0] - wanted[0]) < room and abs(found[1] - wanted[1]) < room, (found, wanted)
    alone = get(client, f"{_items(collection)}/{told[0]['id']}", GEO, crs=uri)
    assert alone.headers["content-crs"] == f"<{uri}>" and alone.json()["geometry"] == told[0]["geometry"]


@CRS.test("crs-parameter-default")
@EVERY
def test_crs84_by_default(client: httpx.Client, collection: str) -> None:
    plain, asked = get(client, _items(collection), GEO), get(client, _items(collection), GEO, crs=CRS84)
    assert plain.json()["features"] == asked.json()["features"]
    assert plain.headers["content-crs"] == asked.headers["content-crs"] == f"<{CRS84}>"


@CRS.test("crs-parameter-invalid", "bbox-crs-parameter-invalid")
@EVERY
@pytest.mark.parametrize("wrong", [f"{EPSG}2154", "http://www.opengis.net/def/crs/OGC/0/does_not_exist", "x"])
def test_unsupported_crs(client: httpx.Client, collection: str, wrong: str) -> None:
    for query in ({"crs": wrong}, {"bbox": BOXES, "bbox-crs": wrong}):
        answer = client.get(_items(collection), params=query)
        assert answer.status_code == 400, query
        assert answer.json()["errors"][0]["pointer"] in query


@CRS.test("bbox-crs-parameter", "bbox-crs-parameter-default")
@EVERY
@OTHERS
def test_bbox_in_another_crs(client: httpx.Client, collection: str, code: int) -> None:
    """A box around half of the features, its edges along the CRS's own axes: at least these, and of the places those
    that pyproj puts inside."""
    west, south, east, north = get(client, f"/ogc/collections/{collection}").json()["extent"]["spatial"]["bbox"][0]
    east = (west + east) / 2

    def found(**query: str) -> dict[str, dict[str, Any]]:
        page = get(client, _items(collection), GEO, limit="10000", **query).json()
        return {feature["id"]: feature for feature in page["features"]}

    plain = found(bbox=f"{west},{south},{east},{north}")
    assert plain.keys() == found(**{"bbox": f"{west},{south},{east},{north}", "bbox-crs": CRS84}).keys()
    corners = [_to(code).transform(x, y) for x in (west, east) for y in (south, north)]
    box = [pick(corner[axis] for corner in corners) for pick in (min, max) for axis in (0, 1)]
    other = found(**{"bbox": ",".join(str(number) for number in box), "bbox-crs": f"{EPSG}{code}"})
    assert len(plain.keys() - other.keys()) <= len(plain) // 100
    if collection == "establishments":
        for feature in other.values():
            x, y = _to(code).transform(*feature["geometry"]["coordinates"])
            assert box[0] - 0.2 <= x <= box[2] + 0.2 and box[1] - 0.2 <= y <= box[3] + 0.2
