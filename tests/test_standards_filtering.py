"""OGC API Features Part 3 (19-079r2), Annex A: its abstract tests, every collection, in both encodings of CQL2."""

import json
from typing import Any

import httpx
import pytest
from pyproj import Transformer

from layers.collections import COLLECTIONS
from tests.standards import conformance_class, conforms_to, get, links_of

STANDARD, BASE = "Features 3", "ogcapi-features-3/1.0/conf"
QUERYABLES = conformance_class(STANDARD, f"{BASE}/queryables", "Queryables")
PARAMETERS = conformance_class(STANDARD, f"{BASE}/queryables-query-parameters", "Queryables as Query Parameters")
FILTER = conformance_class(STANDARD, f"{BASE}/filter", "Filter", get_functions="there are no functions of our own")
FEATURES_FILTER = conformance_class(STANDARD, f"{BASE}/features-filter", "Features Filter")

REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
GEO, SCHEMA = "application/geo+json", "application/schema+json"
EVERY = pytest.mark.parametrize("collection", list(COLLECTIONS))
LOCATED = pytest.mark.parametrize("collection", [found.id for found in COLLECTIONS.values() if found.geometry])


def _items(collection: str) -> str:
    return f"/ogc/collections/{collection}/items"


def _queryables(client: httpx.Client, collection: str) -> dict[str, Any]:
    found: dict[str, Any] = get(client, f"/ogc/collections/{collection}/queryables", SCHEMA).json()
    return found


def _found(client: httpx.Client, collection: str, **query: str) -> set[str]:
    shown = COLLECTIONS[collection].id_field
    page = get(client, _items(collection), GEO, limit="6000", properties=shown, **query).json()
    found = [feature["id"] for feature in page["features"]]
    while following := links_of(page, "next"):
        page = client.get(following[0]["href"]).json()
        found += [feature["id"] for feature in page["features"]]
    assert len(found) == len(set(found))
    return set(found)


def _box(client: httpx.Client, collection: str) -> list[float]:
    box: list[float] = get(client, f"/ogc/collections/{collection}").json()["extent"]["spatial"]["bbox"][0]
    # A hand's breadth more: the extent is told with fewer digits than its corners have.
    return [box[0] - 1e-5, box[1] - 1e-5, box[2] + 1e-5, box[3] + 1e-5]


def _bbox(*box: float) -> str:
    return f"S_INTERSECTS(geometry,BBOX({','.join(str(number) for number in box)}))"


@FILTER.test("get-conformance")
@FEATURES_FILTER.test("get-conformance")
@QUERYABLES.test("get-conformance")
def test_conformance(client: httpx.Client) -> None:
    for found in (QUERYABLES, PARAMETERS, FILTER, FEATURES_FILTER):
        assert found.uri in conforms_to(client)


@FILTER.test("get-collections", "get-queryables")
@QUERYABLES.test("get-queryables")
@EVERY
def test_queryables(client: httpx.Client, collection: str) -> None:
    found = _queryables(client, collection)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["$id"].endswith(f"/ogc/collections/{collection}/queryables")
    assert found["type"] == "object" and found["properties"]
    assert found["additionalProperties"] is False
    assert ("geometry" in found["properties"]) == bool(COLLECTIONS[collection].geometry)


@FILTER.test("get-collection")
@QUERYABLES.test("queryables-link")
@EVERY
def test_link_to_queryables(client: httpx.Client, collection: str) -> None:
    [link] = links_of(get(client, f"/ogc/collections/{collection}").json(), REL)
    assert httpx.URL(link["href"]).path == f"/ogc/collections/{collection}/queryables"


@PARAMETERS.test("parameters")
@EVERY
def test_queryables_as_parameters(client: httpx.Client, collection: str) -> None:
    """Each queryable that is told as a parameter finds the features that have that value, and only those."""
    page = get(client, _items(collection), GEO, limit="1").json()["features"][0]
    tried = 0
    for name in _queryables(client, collection)["properties"].keys() - {"geometry"}:
        value = page["properties"][name]
        if value in (None, [], ""):
            continue
        text = str(value[0] if isinstance(value, list) else value).lower() if isinstance(value, bool) else None
        sent = text or str(value[0] if isinstance(value, list) else value)
        matched = get(client, _items(collection), GEO, limit="1000", **{name: sent}).json()["features"]
        assert matched, name
        for feature in matched:
            has = feature["properties"][name]
            assert value[0] in has if isinstance(value, list) else has == value
        tried += 1
    assert tried
    assert client.get(_items(collection), params={"this_is_not_a_queryable": "1"}).status_code == 400


@FILTER.test("filter-param", "filter-lang-default")
@FEATURES_FILTER.test("filter-on-items")
@EVERY
def test_filter(client: httpx.Client, collection: str) -> None:
    """`{queryable} IS NULL` in text, in text without saying so and in JSON; what is no filter is refused in both."""
    for name in _queryables(client, collection)["properties"]:
        if name == "geometry":
            continue
        as_json = json.dumps({"op": "isNull", "args": [{"property": name}]})
        ways = ({"filter": f"{name} IS NULL"}, {"filter": f"{name} IS NULL", "filter-lang": "cql2-text"})
        found = [
            _nulls(client, collection, name, way) for way in (*ways, {"filter": as_json, "filter-lang": "cql2-json"})
        ]
        assert found[0] == found[1] == found[2], name
    for wrong in (
        {"filter": "THIS IS NOT A FILTER"},
        {"filter": "THIS IS NOT A FILTER", "filter-lang": "cql2-text"},
        {"filter": '{"op":', "filter-lang": "cql2-json"},
        {"filter": "code IS NULL", "filter-lang": "cql2-morse"},
        {"filter-lang": "cql2-morse"},
    ):
        answer = client.get(_items(collection), params=wrong)
        assert answer.status_code == 400, wrong
        assert answer.json()["errors"][0]["pointer"] in ("filter", "filter-lang")


def _nulls(client: httpx.Client, collection: str, name: str, query: dict[str, str]) -> list[str]:
    page = get(client, _items(collection), GEO, limit="200", **query).json()["features"]
    assert all(feature["properties"][name] is None for feature in page)
    return [feature["id"] for feature in page]


@FILTER.test("expression-construction")
@EVERY
def test_unknown_queryables_are_refused(client: httpx.Client, collection: str) -> None:
    answer = client.get(_items(collection), params={"filter": "this_is_not_a_queryable IS NULL"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "filter"


@FILTER.test("filter-crs-wgs84")
@LOCATED
def test_geometries_of_a_filter_are_crs84(client: httpx.Client, collection: str) -> None:
    box = _box(client, collection)
    everything = _found(client, collection, bbox="-180,-90,180,90")
    assert _found(client, collection, filter=_bbox(*box)) == everything
    wrong = client.get(_items(collection), params={"filter": _bbox(1000000, 1000000, 2000000, 2000000)})
    assert wrong.status_code == 400


@FILTER.test("filter-crs-param")
@LOCATED
def test_geometries_of_a_filter_in_another_crs(client: httpx.Client, collection: str) -> None:
    west, south, east, north = _box(client, collection)
    everything = _found(client, collection, bbox="-180,-90,180,90")
    for uri in get(client, f"/ogc/collections/{collection}").json()["crs"]:
        code = uri.rpartition("/")[2]
        to = Transformer.from_crs("OGC:CRS84", "OGC:CRS84" if code == "CRS84" else f"EPSG:{code}")
        corners = [to.transform(x, y) for x in (west - 0.01, east + 0.01) for y in (south - 0.01, north + 0.01)]
        box = [pick(corner[axis] for corner in corners) for pick in (min, max) for axis in (0, 1)]
        query = {"filter": _bbox(*box), "filter-crs": uri}
        assert _found(client, collection, **query) == everything, uri
    unknown = {"filter": _bbox(west, south, east, north), "filter-crs": "http://www.opengis.net/def/crs/OGC/0/none"}
    assert client.get(_items(collection), params=unknown).status_code == 400


@FILTER.test("mixing-expression")
@LOCATED
def test_filter_and_bbox_both_hold(client: httpx.Client, collection: str) -> None:
    box = _box(client, collection)
    everything = _found(client, collection, bbox="-180,-90,180,90")
    text = ",".join(str(number) for number in box)
    assert _found(client, collection, filter=_bbox(*box), bbox=text) == everything
    beside = f"{box[2] + 1},{box[3] + 1},{box[2] + 2},{box[3] + 2}"
    assert _found(client, collection, filter=_bbox(*box), bbox=beside) == set()
