"""OGC API Features Part 5 / Common Part 3 (23-058): its abstract tests against every collection's schemas."""

from typing import Any

import httpx
import pytest

from layers.collections import COLLECTIONS
from tests.standards import conformance_class, conforms_to, get, links_of

STANDARD, BASE = "Features 5", "ogcapi-features-5/1.0/conf"
SCHEMAS = conformance_class(
    STANDARD, f"{BASE}/schemas", "Schemas", definition="no such keyword is used", nullvalues="no such keyword is used"
)
ROLES = conformance_class(STANDARD, f"{BASE}/core-roles-features", "Core Roles for Features")
RETURNABLES = conformance_class(STANDARD, f"{BASE}/returnables-and-receivables", "Returnables and Receivables")
QUERYABLES = conformance_class(STANDARD, f"{BASE}/queryables", "Queryables")
SORTABLES = conformance_class(STANDARD, f"{BASE}/sortables", "Sortables")

REL = "http://www.opengis.net/def/rel/ogc/1.0"
MEDIA_TYPE = "application/schema+json"
EVERY = pytest.mark.parametrize("collection", list(COLLECTIONS))
KINDS = pytest.mark.parametrize("kind", ["schema", "queryables", "sortables"])
UCUM = {"m", "m2", "km2", "a", "d", "%", "1", "[hp_X]"}
GEOMETRY_FORMATS = {f"geometry-{kind}" for kind in (
    "point", "multipoint", "linestring", "multilinestring", "polygon", "multipolygon", "geometrycollection", "any",
    "point-or-multipoint", "linestring-or-multilinestring", "polygon-or-multipolygon",
)}  # fmt: skip


def _schema(client: httpx.Client, collection: str, kind: str = "schema") -> dict[str, Any]:
    found: dict[str, Any] = get(client, f"/ogc/collections/{collection}/{kind}", MEDIA_TYPE).json()
    return found


@RETURNABLES.test("get-conformance")
@QUERYABLES.test("get-conformance")
@SORTABLES.test("get-conformance")
def test_conformance(client: httpx.Client) -> None:
    for found in (SCHEMAS, ROLES, RETURNABLES, QUERYABLES, SORTABLES):
        assert found.uri in conforms_to(client)


@RETURNABLES.test("link", "op-and-response")
@QUERYABLES.test("link", "op-and-response")
@SORTABLES.test("link", "op-and-response")
@KINDS
@EVERY
def test_links_to_the_schemas(client: httpx.Client, collection: str, kind: str) -> None:
    described = get(client, f"/ogc/collections/{collection}").json()
    [link] = links_of(described, f"{REL}/{kind}")
    assert httpx.URL(link["href"]).path == f"/ogc/collections/{collection}/{kind}"
    assert get(client, link["href"], MEDIA_TYPE).json() == _schema(client, collection, kind)
    if kind == "sortables":
        assert all(field.get("type") not in ("array", "object", None) for field in _fields(client, collection, kind))


def _fields(client: httpx.Client, collection: str, kind: str = "schema") -> list[dict[str, Any]]:
    return list(_schema(client, collection, kind)["properties"].values())


@SCHEMAS.test("basic-schema-inspection")
@KINDS
@EVERY
def test_schema_is_a_json_schema(client: httpx.Client, collection: str, kind: str) -> None:
    from jsonschema import Draft202012Validator

    schema = _schema(client, collection, kind)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["type"] == "object"
    assert "?" not in schema["$id"] and schema["$id"].startswith("http")
    assert get(client, schema["$id"], MEDIA_TYPE).json() == schema
    Draft202012Validator.check_schema(schema)
    for name, field in schema["properties"].items():
        if "type" not in field:
            assert "$ref" not in field and field["format"] in GEOMETRY_FORMATS, name
        if field.get("format") in ("date", "date-time"):
            assert field["type"] == "string"
        known = set(Draft202012Validator.META_SCHEMA["properties"]) | _VOCABULARY
        assert all(keyword in known or keyword.startswith("x-ogc-") for keyword in field), name


_VOCABULARY = {
    "title", "description", "type", "format", "enum", "oneOf", "const", "items", "minLength", "maxLength", "minimum",
    "maximum", "exclusiveMinimum", "exclusiveMaximum", "readOnly", "writeOnly", "pattern", "uniqueItems", "examples",
}  # fmt: skip


@SCHEMAS.test("role", "role-id", "property-seq", "unit")
@KINDS
@EVERY
def test_keywords(client: httpx.Client, collection: str, kind: str) -> None:
    fields = _fields(client, collection, kind)
    roles = [field["x-ogc-role"] for field in fields if "x-ogc-role" in field]
    assert all(isinstance(role, str) for role in roles)
    assert roles.count("id") == (1 if kind == "schema" else roles.count("id")) <= 1
    assert all(field["type"] in ("string", "integer") for field in fields if field.get("x-ogc-role") == "id")
    places = [field["x-ogc-propertySeq"] for field in fields if "x-ogc-propertySeq" in field]
    assert len(places) == len(set(places)) and all(isinstance(place, int) for place in places)
    for field in fields:
        if "x-ogc-unit" in field:
            assert field["x-ogc-unit"] in UCUM and field["type"] in ("integer", "number")


@ROLES.test("role-primary-geometry", "role-primary-temporal", "role-type")
@EVERY
def test_roles(client: httpx.Client, collection: str) -> None:
    fields = _fields(client, collection)
    geometries = [field for field in fields if field.get("x-ogc-role") == "primary-geometry"]
    assert len(geometries) == (1 if COLLECTIONS[collection].geometry else 0)
    assert all("type" not in field and field["format"].startswith("geometry-") for field in geometries)
    times = [field for field in fields if str(field.get("x-ogc-role", "")).startswith("primary-in")]
    assert len({field["x-ogc-role"] for field in times}) == len(times) <= 2
    assert all(field["type"] == "string" and field["format"] in ("date", "date-time") for field in times)
    assert sum(field.get("x-ogc-role") == "type" for field in fields) <= 1


@RETURNABLES.test("response-1")
@EVERY
def test_features_follow_the_schema(client: httpx.Client, collection: str) -> None:
    """Every property that comes is in the schema, and its values are what is said of them; unknown is null."""
    from jsonschema import Draft202012Validator

    schema = _schema(client, collection)
    by_name = {name: Draft202012Validator(field) for name, field in schema["properties"].items() if name != "geometry"}
    items = f"/ogc/collections/{collection}/items"
    page = get(client, items, "application/geo+json", limit="200").json()["features"]
    for feature in [*page, get(client, f"{items}/{page[0]['id']}", "application/geo+json").json()]:
        assert set(feature["properties"]) <= set(schema["properties"])
        for name, value in feature["properties"].items():
            if value is not None:
                by_name[name].validate(value)


@EVERY
def test_titles_in_both_languages(client: httpx.Client, collection: str) -> None:
    """Titles of properties and of their codes, by Accept-Language; the codes are the same."""
    found = {}
    for lang in ("vi", "en"):
        path = f"/ogc/collections/{collection}/schema"
        answer = client.get(path, headers={"Accept": MEDIA_TYPE, "Accept-Language": lang})
        assert answer.headers["content-language"] == lang
        found[lang] = answer.json()["properties"]
    assert list(found["vi"]) == list(found["en"])
    named = [name for name, field in found["vi"].items() if "title" in field]
    assert any(found["vi"][name]["title"] != found["en"][name]["title"] for name in named)
    for name, field in found["vi"].items():
        assert field.get("enum") == found["en"][name].get("enum")
        assert [each["const"] for each in field.get("oneOf", ())] == field.get("enum", [])
