"""OGC API Features over real HTTP: documents, pages, filters, caching, formats."""

import json
from typing import Any

import httpx
import pytest

from layers.collections import COLLECTIONS
from layers.features import EXACT_UP_TO
from layers.query import MAX_LIMIT
from mapservice.routes.ogc.items import LONGEST_PAGE

ITEMS = "/ogc/collections/establishments/items"


def _get(client: httpx.Client, address: str, **headers: str) -> Any:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _all_pages(client: httpx.Client, address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    following: str | None = address
    while following:
        page = _get(client, following)
        assert page["numberReturned"] == len(page["features"])
        found += page["features"]
        following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    return found


def test_landing_page_links_to_everything(client: httpx.Client) -> None:
    landing = _get(client, "/ogc")
    for link in landing["links"]:
        answer = client.get(link["href"])
        assert answer.status_code == 200, link
        assert answer.headers["content-type"].split(";")[0] == link["type"].split(";")[0], link
    assert {"service-desc", "service-doc", "conformance", "data"} <= {link["rel"] for link in landing["links"]}


def test_every_link_of_every_collection_leads_somewhere(client: httpx.Client) -> None:
    collections = _get(client, "/ogc/collections")["collections"]
    assert [collection["id"] for collection in collections] == list(COLLECTIONS)
    for collection in collections:
        assert collection == _get(client, f"/ogc/collections/{collection['id']}")
        for link in collection["links"]:
            assert client.get(link["href"]).status_code == 200, link


@pytest.mark.parametrize("collection", list(COLLECTIONS))
def test_schema_names_what_items_have(client: httpx.Client, collection: str) -> None:
    schema = _get(client, f"/ogc/collections/{collection}/schema")
    feature = _get(client, f"/ogc/collections/{collection}/items?limit=1")["features"][0]
    assert list(feature["properties"]) == [name for name in schema["properties"] if name != "geometry"]
    assert feature["id"] == feature["properties"][COLLECTIONS[collection].id_field]
    english = _get(client, f"/ogc/collections/{collection}/schema?lang=en")
    assert english["title"] != schema["title"]


@pytest.mark.parametrize("collection", list(COLLECTIONS))
def test_pages_hold_every_feature_once(client: httpx.Client, collection: str) -> None:
    first = _get(client, f"/ogc/collections/{collection}/items?limit=1")
    # Either an exact number or, of more than can be counted cheaply, an estimate that says so.
    assert ("numberMatched" in first) is not ("numberMatchedEstimate" in first)
    matched = first.get("numberMatched") or first["numberMatchedEstimate"]
    found = _all_pages(client, f"/ogc/collections/{collection}/items?limit={max(7, matched // 4)}")
    identifiers = [feature["id"] for feature in found]
    assert len(identifiers) == len(set(identifiers))
    if "numberMatched" in first:
        assert len(identifiers) == first["numberMatched"] <= EXACT_UP_TO
    else:
        assert len(identifiers) > EXACT_UP_TO
        assert 0.5 < matched / len(identifiers) < 2


def test_ranked_pages_hold_every_match_once_and_in_order(client: httpx.Client) -> None:
    whole = _get(client, f"{ITEMS}?q=nui%20thanh&limit=10000")
    paged = _all_pages(client, f"{ITEMS}?q=nui%20thanh&limit=37")
    assert len(paged) == whole["numberMatched"] > 100
    assert [feature["id"] for feature in paged] == [feature["id"] for feature in whole["features"]]


def test_offset_is_tolerated(client: httpx.Client) -> None:
    first = _get(client, f"{ITEMS}?limit=5")["features"]
    second = _get(client, f"{ITEMS}?limit=3&offset=2")
    assert [feature["id"] for feature in second["features"]] == [feature["id"] for feature in first[2:5]]
    following = next(link["href"] for link in second["links"] if link["rel"] == "next")
    assert "offset" not in following
    assert _get(client, following)["features"][0]["id"] not in {feature["id"] for feature in first}


def test_a_feature_is_the_same_alone_and_in_a_page(client: httpx.Client) -> None:
    feature = _get(client, f"{ITEMS}?limit=1")["features"][0]
    alone = _get(client, f"{ITEMS}/{feature['id']}")
    assert {name: alone[name] for name in feature} == feature
    assert {link["rel"] for link in alone["links"]} >= {"self", "collection", "alternate"}


def test_limit_over_the_most_is_brought_down(client: httpx.Client) -> None:
    page = _get(client, f"{ITEMS}?limit=999999999999")
    assert page["numberReturned"] == min(MAX_LIMIT, page["numberMatched"])
    assert client.get(f"{ITEMS}?limit=999999999999&f=html").text.count("<tr>") == LONGEST_PAGE + 1


@pytest.mark.parametrize(
    ("query", "field", "values"),
    [
        ("sector_group=food_service", "sector_group", {"food_service"}),
        ("sector_group=food_service,lodging", "sector_group", {"food_service", "lodging"}),
        ("accepts_cashless=unknown", "accepts_cashless", {"unknown"}),
        ("food_safety_status=certified", "food_safety_status", {"certified"}),
        ("operating_status=closed", "operating_status", {"closed"}),
        ("illustrative=false", "illustrative", {False}),
        ("live_warning=true", "live_warning", {True}),
        ("source=osm", "source", {"osm"}),
    ],
)
def test_filters(client: httpx.Client, query: str, field: str, values: set[object]) -> None:
    page = _get(client, f"{ITEMS}?{query}&limit=500")
    assert {feature["properties"][field] for feature in page["features"]} == values
    assert 0 < page["numberMatched"] < _get(client, f"{ITEMS}?limit=1")["numberMatched"]


def test_filter_on_a_list_means_any_of(client: httpx.Client) -> None:
    page = _get(client, f"{ITEMS}?payment_methods=momo,zalopay&limit=200")
    assert page["features"]
    for feature in page["features"]:
        assert {"momo", "zalopay"} & set(feature["properties"]["payment_methods"])


def test_yes_no_and_unknown_make_the_whole(client: httpx.Client) -> None:
    parts = [
        _get(client, f"{ITEMS}?accepts_cashless={value}&limit=1")["numberMatched"] for value in ("yes", "no", "unknown")
    ]
    assert all(parts)
    assert sum(parts) == _get(client, f"{ITEMS}?limit=1")["numberMatched"]


def test_bbox(client: httpx.Client) -> None:
    west, south, east, north = 108.205, 16.05, 108.22, 16.06
    page = _get(client, f"{ITEMS}?bbox={west},{south},{east},{north}&limit=10000")
    assert page["features"]
    for feature in page["features"]:
        x, y = feature["geometry"]["coordinates"]
        assert west <= x <= east and south <= y <= north
    with_heights = _get(client, f"{ITEMS}?bbox={west},{south},0,{east},{north},100&limit=1")
    assert with_heights["numberMatched"] == page["numberMatched"]
    around_the_world = _get(client, f"{ITEMS}?bbox=170,-90,109,90&limit=1")
    assert around_the_world["numberMatched"] == _get(client, f"{ITEMS}?limit=1")["numberMatched"]


def test_datetime_is_when_the_unit_was_valid(client: httpx.Client) -> None:
    wards = "/ogc/collections/wards/items?limit=1"
    assert _get(client, wards)["numberMatched"] == 94
    assert _get(client, f"{wards}&datetime=2025-06-30")["numberMatched"] == 0
    assert _get(client, f"{wards}&datetime=2025-07-01T00:00:00Z")["numberMatched"] == 94
    assert _get(client, f"{wards}&datetime=../2025-06-30")["numberMatched"] == 0
    assert _get(client, f"{wards}&datetime=2025-01-01/..")["numberMatched"] == 94


def test_the_ward_knows_what_it_was_formed_from(client: httpx.Client) -> None:
    ward = _get(client, "/ogc/collections/wards/items/20257")["properties"]
    assert ward["name"] == "Hòa Cường"
    assert ward["valid_from"] == "2025-07-01"
    assert [unit.split(" ", 1)[0] for unit in ward["formed_from"]] == ["20245", "20254", "20257", "20258"]


def test_not_modified(client: httpx.Client) -> None:
    for encoding in ("identity", "gzip", "br"):
        first = client.get(f"{ITEMS}?limit=5", headers={"Accept-Encoding": encoding})
        assert first.headers["cache-control"] == "no-cache"
        assert first.headers.get("content-encoding", "identity") == encoding
        assert not first.headers["etag"].startswith("W/")
        again = client.get(f"{ITEMS}?limit=5", headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
        assert again.status_code == 304
        assert not again.content
    assert client.get(f"{ITEMS}?limit=5", headers={"If-None-Match": '"other"'}).status_code == 200


def test_encodings_have_tags_of_their_own(client: httpx.Client) -> None:
    tags = {
        client.get(f"{ITEMS}?limit=5", headers={"Accept-Encoding": encoding}).headers["etag"]
        for encoding in ("identity", "gzip", "br")
    }
    assert len(tags) == 3


def test_browser_gets_a_page_and_a_machine_gets_json(client: httpx.Client) -> None:
    documents = ("/ogc", "/ogc/conformance", "/ogc/collections", "/ogc/api", ITEMS)
    for path in (*documents, "/ogc/collections/wards/items/20257"):
        page = client.get(path, headers={"Accept": "text/html,application/xhtml+xml"})
        assert page.status_code == 200, page.text
        assert page.headers["content-type"].startswith("text/html")
        assert '<html lang="vi"' in page.text
        assert '<html lang="en"' in client.get(path, params={"f": "html", "lang": "en"}).text
        assert "json" in client.get(path, headers={"Accept": "*/*"}).headers["content-type"]


def test_head_answers_like_get_without_a_body(client: httpx.Client) -> None:
    head, get = client.head(f"{ITEMS}?limit=2"), client.get(f"{ITEMS}?limit=2")
    assert head.status_code == 200
    assert head.headers["etag"] == get.headers["etag"]
    assert not head.content


def test_public_data_may_be_read_from_other_sites(client: httpx.Client) -> None:
    assert client.get("/ogc").headers["access-control-allow-origin"] == "*"


def test_openapi_is_valid(client: httpx.Client) -> None:
    from openapi_spec_validator import validate

    document = _get(client, "/ogc/api?f=json")
    assert document["openapi"].startswith("3.1")
    validate(document)
    parameters = document["paths"]["/ogc/collections/{collectionId}/items"]["get"]["parameters"]
    assert {"bbox", "datetime", "limit", "q", "sector_group", "collectionId"} <= {found["name"] for found in parameters}


def test_no_property_outside_the_registry(client: httpx.Client) -> None:
    """The public answer holds what the registry names, whatever the tables hold."""
    for collection in COLLECTIONS.values():
        feature = _get(client, f"/ogc/collections/{collection.id}/items?limit=1")["features"][0]
        assert set(feature["properties"]) == {field.name for field in collection.fields}
        assert set(feature) == {"type", "id", "geometry", "properties"}


def test_invented_places_say_so_and_real_places_have_only_what_osm_states(client: httpx.Client) -> None:
    features = _all_pages(client, f"{ITEMS}?limit=10000")
    invented = [found["properties"] for found in features if found["properties"]["illustrative"]]
    real = [found["properties"] for found in features if not found["properties"]["illustrative"]]
    assert len(real) == 630
    assert len(invented) >= 9_000
    assert all("minh họa" in place["name"] for place in invented)
    for place in real:
        assert place["source"] == "osm"
        assert place["licence_status"] == place["food_safety_status"] == "unknown"
        assert place["last_inspection_result"] is None
        assert place["live_warning"] is False
        assert "minh họa" not in json.dumps(place, ensure_ascii=False)
