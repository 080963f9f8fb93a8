"""OGC API Common Part 1 (19-072) and Part 2: their abstract tests against the live service."""

import re
from typing import Any

import httpx
import pytest

from layers.collections import COLLECTIONS
from tests.standards import conformance_class, conforms_to, get, links_of, media_type

CORE = conformance_class("Common 1", "ogcapi-common-1/1.0/conf/core", "Core")
LANDING = conformance_class("Common 1", "ogcapi-common-1/1.0/conf/landing-page", "Landing Page")
JSON = conformance_class("Common 1", "ogcapi-common-1/1.0/conf/json", "JSON")
HTML = conformance_class("Common 1", "ogcapi-common-1/1.0/conf/html", "HTML")
COLLECTED = conformance_class("Common 2", "ogcapi-common-2/1.0/conf/collections", "Collections")

DOCUMENTS = ("/ogc", "/ogc/conformance", "/ogc/api", "/ogc/collections", "/ogc/tileMatrixSets", "/ogc/styles")
WITH_SCHEMAS = {
    "/ogc": "Landing",
    "/ogc/conformance": "Conformance",
    "/ogc/collections": "Collections",
    "/ogc/tileMatrixSets": "TileMatrixSets",
    "/ogc/tiles": "TileSets",
    "/ogc/styles": "Styles",
    "/changes?limit=3": "Changes",
}


@CORE.test("http", "query-param-name-unknown", "query-param-value-invalid", "query-param-invalid")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_documents(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 200
    for query in ("nothing=1", "f=papyrus", "lang=xx", "lang=vi&lang=en"):
        answer = client.get(f"{path}?{query}", headers={"Accept": "application/json"})
        assert answer.status_code == 400, query
        problem = answer.json()
        assert problem["status"] == 400 and problem["errors"][0]["pointer"]
    assert client.request("DELETE", path).status_code == 405


@CORE.test("query-param-name-tolerance", "query-param-capitalization")
def test_names_of_parameters_are_as_written(client: httpx.Client) -> None:
    """Names are case-sensitive, and the ones that mean nothing are told, not passed over."""
    assert client.get("/ogc/collections?F=json").status_code == 400


@LANDING.test("root-op", "root-success")
def test_landing_page(client: httpx.Client) -> None:
    landing = get(client, "/ogc").json()
    assert landing["title"] and landing["description"]
    for link in landing["links"]:
        answer = client.get(link["href"], headers={"Accept": link["type"]})
        assert answer.status_code == 200 and media_type(answer) == link["type"].partition(";")[0], link


@LANDING.test("api-definition-op", "api-definition-success")
def test_api_definition(client: httpx.Client) -> None:
    [link] = links_of(get(client, "/ogc").json(), "service-desc")
    assert re.match(r"3\.1\.\d", client.get(link["href"]).json()["openapi"])


@LANDING.test("conformance-op", "conformance-success")
def test_conformance(client: httpx.Client) -> None:
    for found in (CORE, LANDING, JSON, HTML, COLLECTED):
        assert found.uri in conforms_to(client)


@JSON.test("definition", "content")
@pytest.mark.parametrize("path", list(WITH_SCHEMAS))
def test_json_documents_have_the_form_that_the_api_tells(client: httpx.Client, path: str) -> None:
    from jsonschema import Draft202012Validator

    api: dict[str, Any] = client.get("/ogc/api", params={"f": "json"}).json()
    content = api["paths"][path.partition("?")[0]]["get"]["responses"]["200"]["content"]["application/json"]
    assert content["schema"]["$ref"].endswith(f"/{WITH_SCHEMAS[path]}")
    Draft202012Validator({**content["schema"], "components": api["components"]}).validate(get(client, path).json())


@HTML.test("definition", "content")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_pages(client: httpx.Client, path: str) -> None:
    page = get(client, path, "text/html").text
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert 'lang="vi"' in page and 'charset="utf-8"' in page.lower()
    assert 'lang="en"' in client.get(path, params={"f": "html", "lang": "en"}).text


@COLLECTED.test("rc-md-op", "rc-md-success", "rc-md-items", "rc-md-items-links", "rc-links", "rc-extent")
def test_collections(client: httpx.Client) -> None:
    document = get(client, "/ogc/collections").json()
    assert links_of(document, "self") and links_of(document, "alternate")
    assert [each["id"] for each in document["collections"]] == list(COLLECTIONS)
    for each in document["collections"]:
        assert each["title"] and each["links"]
        for box in each.get("extent", {}).get("spatial", {}).get("bbox", []):
            west, south, east, north = box
            assert -180 <= west <= east <= 180 and -90 <= south <= north <= 90


@COLLECTED.test("src-md-op", "src-md-success")
@pytest.mark.parametrize("collection", list(COLLECTIONS))
def test_collection(client: httpx.Client, collection: str) -> None:
    alone = get(client, f"/ogc/collections/{collection}").json()
    assert alone in get(client, "/ogc/collections").json()["collections"]
    assert client.get(f"/ogc/collections/{collection}x").status_code == 404
