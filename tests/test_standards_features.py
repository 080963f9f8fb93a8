"""OGC API Features Part 1 (17-069r4), Annex A: its abstract tests against the live service, every collection."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from layers.collections import COLLECTIONS
from layers.formats import FORMATS
from tests.standards import conformance_class, conforms_to, get, links_of, media_type

STANDARD = "Features 1"
CORE = conformance_class(
    STANDARD, "ogcapi-features-1/1.0/conf/core", "Core", fc_timeStamp="no page carries one, its ETag would never match"
)
GEOJSON = conformance_class(STANDARD, "ogcapi-features-1/1.0/conf/geojson", "GeoJSON")
HTML = conformance_class(STANDARD, "ogcapi-features-1/1.0/conf/html", "HTML")
OAS31 = conformance_class(STANDARD, "ogcapi-features-1/1.1/conf/oas31", "OpenAPI 3.1")

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
JSON, GEO, PAGE = "application/json", "application/geo+json", "text/html"
API = "application/vnd.oai.openapi+json;version=3.1"
EVERY = pytest.mark.parametrize("collection", list(COLLECTIONS))
WITH_TIME = [found.id for found in COLLECTIONS.values() if found.interval]


def _items(collection: str) -> str:
    return f"/ogc/collections/{collection}/items"


def _pages(client: httpx.Client, address: str) -> list[dict[str, Any]]:
    found, following = [], [address]
    while following:
        page = client.get(following[0]).json()
        found += page["features"]
        following = [link["href"] for link in links_of(page, "next")]
    return found


@pytest.fixture(scope="module")
def api(client: httpx.Client) -> dict[str, Any]:
    """The API definition."""
    found: dict[str, Any] = client.get("/ogc/api", params={"f": "json"}).json()
    return found


def _parameter(api: dict[str, Any], path: str, name: str) -> dict[str, Any]:
    found = [each for each in api["paths"][path]["get"]["parameters"] if each["name"] == name]
    assert len(found) == 1, name
    parameter: dict[str, Any] = found[0]
    assert parameter["in"] == "query"
    assert parameter.get("required", False) is False
    return parameter


@CORE.test("http")
def test_http_1_1(client: httpx.Client) -> None:
    assert client.get("/ogc").http_version == "HTTP/1.1"
    # A HEAD is answered as the GET is, without the body (RFC 9110, 9.3.2).
    head, body = client.head("/ogc"), client.get("/ogc")
    assert head.status_code == 200 and not head.content
    assert head.headers["etag"] == body.headers["etag"]


@CORE.test("root-op", "root-success")
def test_landing_page(client: httpx.Client) -> None:
    landing = get(client, "/ogc").json()
    assert landing["title"]
    for rel in ("service-desc", "service-doc", "conformance", "data"):
        assert links_of(landing, rel), rel
    for link in landing["links"]:
        assert link["href"].startswith("http") and link["rel"] and link["type"]


@CORE.test("api-definition-op", "api-definition-success")
def test_api_definition(client: httpx.Client) -> None:
    landing = get(client, "/ogc").json()
    for rel in ("service-desc", "service-doc"):
        for link in links_of(landing, rel):
            answer = client.get(link["href"], headers={"Accept": link["type"]})
            assert answer.status_code == 200
            assert media_type(answer) == link["type"].partition(";")[0]


@CORE.test("conformance-op", "conformance-success")
def test_conformance_declaration(client: httpx.Client) -> None:
    assert len(conforms_to(client)) == len(set(conforms_to(client)))
    for found in (CORE, GEOJSON, HTML, OAS31):
        assert found.uri in conforms_to(client)


@CORE.test("fc-md-op", "fc-md-success", "fc-md-links", "fc-md-items", "fc-md-items-links")
def test_collections(client: httpx.Client) -> None:
    document = get(client, "/ogc/collections").json()
    assert {link["type"] for rel in ("self", "alternate") for link in links_of(document, rel)} == {JSON, PAGE}
    assert [each["id"] for each in document["collections"]] == list(COLLECTIONS)
    for each in document["collections"]:
        items = links_of(each, "items")
        assert {link["type"] for link in items} == {PAGE, *(kind.media_type for kind in FORMATS.values())}
        for link in items:
            assert httpx.URL(link["href"]).path == _items(each["id"])


@CORE.test("fc-md-extent", "fc-md-extent-multi")
@EVERY
def test_extent_holds_every_feature(client: httpx.Client, collection: str) -> None:
    """Part 1.1 allows several boxes, the first of them around all: here is one."""
    extent = get(client, f"/ogc/collections/{collection}").json().get("extent")
    if extent is None:
        assert all(feature["geometry"] is None for feature in _pages(client, f"{_items(collection)}?limit=1000"))
        return
    [box] = extent["spatial"]["bbox"]
    west, south, east, north = box
    assert extent["spatial"].get("crs", CRS84) == CRS84
    for feature in _pages(client, f"{_items(collection)}?limit=5000"):
        for x, y in _positions(feature["geometry"]):
            assert west - 1e-6 <= x <= east + 1e-6 and south - 1e-6 <= y <= north + 1e-6


def _positions(geometry: dict[str, Any] | None) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    left: list[Any] = [geometry["coordinates"]] if geometry else []
    while left:
        part = left.pop()
        if isinstance(part[0], int | float):
            found.append((part[0], part[1]))
        else:
            left += part
    return found


@CORE.test("sfc-md-op", "sfc-md-success", "crs84")
@EVERY
def test_collection(client: httpx.Client, collection: str) -> None:
    alone = get(client, f"/ogc/collections/{collection}").json()
    listed = get(client, "/ogc/collections").json()["collections"]
    assert alone in listed
    assert alone["title"] and alone["itemType"] == "feature"
    assert alone["crs"][0] == CRS84
    page = get(client, _items(collection), GEO, limit="1")
    assert page.headers.get("content-crs", f"<{CRS84}>") == f"<{CRS84}>"


@CORE.test("query-param-unknown", "query-param-invalid")
@EVERY
def test_parameters_that_are_not_there_or_not_right(client: httpx.Client, collection: str) -> None:
    wrong = ("unknown_one=1", "limit=no", "limit=0", "bbox=1,2,3", "bbox=a,b,c,d", "bbox=10,80,20,70", "datetime=today")
    for query in (*wrong, "datetime=2025-02-01/2025-01-01", "offset=-1", "f=papyrus"):
        answer = client.get(f"{_items(collection)}?{query}")
        assert answer.status_code == 400, query
        assert media_type(answer) == "application/problem+json"
    for path in ("/ogc", "/ogc/conformance", "/ogc/collections", f"/ogc/collections/{collection}", "/ogc/api"):
        assert client.get(f"{path}?unknown_one=1").status_code == 400, path


@CORE.test("fc-op", "fc-response", "fc-links", "fc-numberMatched", "fc-numberReturned")
@EVERY
def test_items(client: httpx.Client, collection: str) -> None:
    page = get(client, _items(collection), GEO, limit="3").json()
    assert page["type"] == "FeatureCollection"
    assert page["numberReturned"] == len(page["features"]) <= 3
    told = [link["type"] for rel in ("self", "alternate") for link in links_of(page, rel)]
    assert sorted(told) == sorted([PAGE, *(kind.media_type for kind in FORMATS.values())])
    for link in page["links"]:
        answer = client.get(link["href"])
        assert answer.status_code == 200 and media_type(answer) == link["type"], link
    everything = _pages(client, f"{_items(collection)}?limit=4000")
    assert len({feature["id"] for feature in everything}) == len(everything)
    if "numberMatched" in page:
        assert page["numberMatched"] == len(everything)


@CORE.test("fc-limit-definition")
def test_limit_is_defined(api: dict[str, Any]) -> None:
    limit = _parameter(api, "/ogc/collections/{collectionId}/items", "limit")
    assert limit["schema"]["type"] == "integer"
    assert 1 == limit["schema"]["minimum"] <= limit["schema"]["default"] <= limit["schema"]["maximum"]
    assert limit.get("style", "form") == "form" and limit.get("explode", False) is False


@CORE.test("fc-limit-response")
@EVERY
def test_limit(client: httpx.Client, api: dict[str, Any], collection: str) -> None:
    most = _parameter(api, "/ogc/collections/{collectionId}/items", "limit")["schema"]["maximum"]
    for limit in (1, 5, most, most + 1):
        page = get(client, _items(collection), GEO, limit=str(limit)).json()
        assert len(page["features"]) <= min(limit, most)
        matched = page.get("numberMatched") or page.get("numberMatchedEstimate", 0)
        assert bool(links_of(page, "next")) == (matched > len(page["features"]))


@CORE.test("fc-bbox-definition")
def test_bbox_is_defined(api: dict[str, Any]) -> None:
    bbox = _parameter(api, "/ogc/collections/{collectionId}/items", "bbox")
    schema = bbox["schema"]
    ways = schema.get("oneOf", [schema])
    assert {way["type"] for way in ways} == {"array"}
    assert {way["items"]["type"] for way in ways} == {"number"}
    assert min(way["minItems"] for way in ways) == 4 and max(way["maxItems"] for way in ways) == 6
    assert bbox["style"] == "form" and bbox["explode"] is False


@CORE.test("fc-bbox-response")
@EVERY
def test_bbox(client: httpx.Client, collection: str) -> None:
    """Only what meets the box: whole and half of the extent, none beside it, with heights and over the date line."""
    extent = get(client, f"/ogc/collections/{collection}").json().get("extent")
    if extent is None:
        assert get(client, _items(collection), GEO, bbox="-180,-90,180,90").json()["features"] == []
        return
    west, south, east, north = extent["spatial"]["bbox"][0]
    everything = {feature["id"] for feature in _pages(client, f"{_items(collection)}?limit=5000")}

    def found(*box: float) -> set[str]:
        text = ",".join(str(number) for number in box)
        return {feature["id"] for feature in _pages(client, f"{_items(collection)}?limit=5000&bbox={text}")}

    located = found(-180, -90, 180, 90)
    assert found(west, south, east, north) == located <= everything
    middle = (west + east) / 2
    assert found(west, south, middle, north) | found(middle, south, east, north) == located
    assert found(west, south, -10.0, east, north, 100.0) == located
    assert found(170, south, east, north) == located
    assert found(east + 1, north + 1, east + 2, north + 2) == set()


@CORE.test("fc-time-definition")
def test_datetime_is_defined(api: dict[str, Any]) -> None:
    found = _parameter(api, "/ogc/collections/{collectionId}/items", "datetime")
    assert found["schema"]["type"] == "string"
    assert found.get("style", "form") == "form" and found.get("explode", False) is False


@CORE.test("fc-time-response")
@EVERY
def test_datetime(client: httpx.Client, collection: str) -> None:
    """An instant is in every interval around it; what has no time is in all."""

    def found(when: str) -> int:
        page = get(client, _items(collection), GEO, limit="1", datetime=when).json()
        # Of very many only an estimate is told: then they are counted one by one.
        whole = {"datetime": when, "f": "geojsonseq"}
        counted = page.get("numberMatched")
        return client.get(_items(collection), params=whole).text.count("\x1e") if counted is None else int(counted)

    everything = client.get(_items(collection), params={"f": "geojsonseq"}).text.count("\x1e")
    assert found("../..") == everything
    now, span = found("2026-01-15T08:00:00Z"), found("2026-01-01/2026-02-01T00:00:00Z")
    assert now <= span <= found("2026-01-01/..") + found("../2026-02-01")
    assert found("/2026-02-01") == found("../2026-02-01")
    if collection not in WITH_TIME:
        assert now == span == everything


@CORE.test("f-op", "f-success", "f-links")
@EVERY
def test_feature(client: httpx.Client, collection: str) -> None:
    listed = get(client, _items(collection), GEO, limit="2").json()["features"]
    for feature in listed:
        alone = get(client, f"{_items(collection)}/{feature['id']}", GEO).json()
        assert {name: alone[name] for name in feature} == feature
        [itself], [whole] = links_of(alone, "self"), links_of(alone, "collection")
        assert itself["type"] == GEO and httpx.URL(itself["href"]).path == f"{_items(collection)}/{feature['id']}"
        assert httpx.URL(whole["href"]).path == f"/ogc/collections/{collection}"
        assert {link["type"] for link in links_of(alone, "alternate")} >= {PAGE}
    assert client.get(f"{_items(collection)}/nothing-here").status_code == 404


@GEOJSON.test("definition", "content")
@EVERY
def test_geojson(client: httpx.Client, collection: str) -> None:
    """RFC 7946: members, types and positions of a page and of a feature."""
    page = get(client, _items(collection), GEO, limit="20").json()
    one = get(client, f"{_items(collection)}/{page['features'][0]['id']}", GEO).json()
    assert "crs" not in page
    for feature in [*page["features"], one]:
        assert feature["type"] == "Feature" and isinstance(feature["properties"], dict) and "geometry" in feature
        assert isinstance(feature["id"], str | int)
        for x, y in _positions(feature["geometry"]):
            assert -180 <= x <= 180 and -90 <= y <= 90
        for ring in _rings(feature["geometry"]):
            assert len(ring) >= 4 and ring[0] == ring[-1]


def _rings(geometry: dict[str, Any] | None) -> list[list[Any]]:
    kind = geometry["type"] if geometry else ""
    areas = [geometry["coordinates"]] if geometry and kind == "Polygon" else []
    if geometry and kind == "MultiPolygon":
        areas = geometry["coordinates"]
    return [ring for area in areas for ring in area]


class _Page(HTMLParser):
    """The links of a page and its text; fails where an element is closed that is not open."""

    VOID = frozenset({"meta", "link", "input", "img", "br", "hr", "source", "wbr", "col"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        # The end of a list item, row, cell or paragraph may be left out (HTML, 13.1.2.4).
        while self.open[-1] != tag and self.open[-1] in {"li", "tr", "td", "th", "p", "dt", "dd", "tbody", "option"}:
            self.open.pop()
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@HTML.test("definition")
@pytest.mark.parametrize(
    "path", ["/ogc", "/ogc/conformance", "/ogc/api", "/ogc/collections", "/ogc/tileMatrixSets", "/ogc/styles"]
)
def test_documents_as_pages(client: httpx.Client, path: str) -> None:
    page = _Page(get(client, path, PAGE).text)
    assert page.open == []
    assert any("f=json" in link for link in page.links) or path == "/ogc/conformance"


@HTML.test("content")
@EVERY
def test_pages_say_what_the_json_says(client: httpx.Client, collection: str) -> None:
    """The same address, and for a feature what it has, under the titles of its properties."""
    path = f"/ogc/collections/{collection}"
    feature = get(client, _items(collection), GEO, limit="1").json()["features"][0]
    for address in (path, f"{path}/schema", f"{path}/queryables", f"{path}/items?limit=2"):
        assert _Page(client.get(address, headers={"Accept": PAGE}).text).open == []
    page = _Page(get(client, f"{path}/items/{feature['id']}", PAGE).text)
    words = re.sub(r"\s+", " ", " ".join(page.words))
    schema = client.get(f"{path}/schema", params={"f": "json", "lang": "vi"}).json()["properties"]
    for name, value in feature["properties"].items():
        if value not in (None, [], ""):
            assert schema[name]["title"] in words, name
        if value and name in ("code", "name", "address", "number"):
            assert re.sub(r"\s+", " ", str(value)) in words, name


@OAS31.test("oas-impl", "definition-1", "definition-2")
def test_openapi_definition(client: httpx.Client) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    for link in links_of(get(client, "/ogc").json(), "service-desc"):
        document = client.get(link["href"]).json()
        assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
        OpenAPIV31SpecValidator(document).validate()


@OAS31.test("completeness", "exception-codes", "security")
def test_openapi_names_every_resource_and_status(api: dict[str, Any]) -> None:
    items = "/ogc/collections/{collectionId}/items"
    of_features = ["", "/conformance", "/api", "/collections", "/collections/{collectionId}"]
    for path in [*(f"/ogc{end}" for end in of_features), items, f"{items}/{{featureId}}"]:
        answers = api["paths"][path]["get"]["responses"]
        assert {"200", "304", "400", "503"} <= set(answers), path
        assert answers["200"]["content"], path
        assert "application/problem+json" in answers["400"]["content"]
    for path, operations in api["paths"].items():
        named = set(re.findall(r"{(\w+)}", path))
        for operation in operations.values():
            given = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
            assert given == named, path
            assert all(re.fullmatch(r"[1-5]\d\d", status) for status in operation["responses"]), path
    assert api["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
