"""OGC API Features Part 4 (20-002): its abstract tests, on a small register of the test's own."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from postgis.engine import Database
from postgis.store.record_types import RECORD_TYPES
from tests.register_api import ITEMS, Api, register_api
from tests.standards import conformance_class

STANDARD, BASE = "Features 4", "ogcapi-features-4/1.0/conf"
GONE = "what ended answers 410, not 404: its code is known for ever"
CRUD = conformance_class(
    STANDARD,
    f"{BASE}/create-replace-delete",
    "Create/Replace/Delete",
    delete=GONE,
    replace_exceptions="a PUT without If-Match answers 428 before anything is looked for",
)
UPDATE = conformance_class(STANDARD, f"{BASE}/update", "Update")
ETAGS = conformance_class(STANDARD, f"{BASE}/optimistic-locking-etags", "Optimistic Locking using ETags", delete=GONE)
FEATURES = conformance_class(
    STANDARD,
    f"{BASE}/features",
    "Features",
    put_create="PUT makes no feature",
    crs="a Content-Crs other than CRS84 is refused",
    gml_srsname="no GML",
)

PLACES = ITEMS.format("establishments")
SENT = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [108.2140, 16.0440]},
    "properties": {
        "name": "Quán Mới", "sector_group": "food_service", "operating_status": "active", "source": "office",
        "position_method": "map",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "standards_writing") as found:
        yield found


def _send(api: Api, method: str, path: str, body: Any, **headers: str) -> httpx.Response:
    return api.ask(method, path, "officer", body=body, **headers)


def _same(found: Any, sent: Any) -> bool:
    return all(found["properties"][name] == value for name, value in sent["properties"].items()) and (
        found["geometry"] == sent["geometry"]
    )


@CRUD.test("options")
@UPDATE.test("options")
@FEATURES.test("endpoints")
def test_options(api: Api) -> None:
    for collection in RECORD_TYPES:
        listed = api.ask("GET", ITEMS.format(collection), "officer").json()["features"]
        answer = api.ask("OPTIONS", ITEMS.format(collection), "officer")
        assert answer.status_code == 200 and "POST" in answer.headers["allow"]
        assert "application/geo+json" in answer.headers["accept-post"]
        assert listed, collection
        one = api.ask("OPTIONS", f"{ITEMS.format(collection)}/{listed[0]['id']}", "officer")
        assert one.status_code == 200
        assert {"PUT", "PATCH", "DELETE"} <= set(one.headers["allow"].split(", "))
        assert "application/merge-patch+json" in one.headers["accept-patch"]


@CRUD.test("create")
@FEATURES.test("crs84")
def test_create(api: Api) -> None:
    before = {each["id"] for each in api.get(f"{PLACES}?limit=1000", "officer")["features"]}
    made = _send(api, "POST", PLACES, SENT)
    named = _send(api, "POST", PLACES, {**SENT, "id": "ABC", "properties": {**SENT["properties"], "name": "Quán Hai"}})
    assert made.status_code == 201
    assert named.status_code == 201 or 400 <= named.status_code < 500
    path = httpx.URL(made.headers["location"]).path
    found = api.get(path, "officer")
    assert _same(found, SENT) and found["id"] == path.rsplit("/", 1)[1] not in before
    other = _send(api, "POST", PLACES, SENT, Content_Crs="<http://www.opengis.net/def/crs/EPSG/0/4326>")
    assert 400 <= other.status_code < 500


@CRUD.test("create-content-type", "replace-content-type")
@UPDATE.test("update-content-type")
def test_bodies_without_a_media_type(api: Api) -> None:
    place = api.add_place(name="Quán Không Kiểu")
    etag = api.etag(place)
    token = {"Authorization": f"Bearer {api.tokens['officer']}", "If-Match": etag}
    for method, path in (("POST", PLACES), ("PUT", place), ("PATCH", place)):
        answer = api.client.request(method, path, content=b'{"type":"Feature","properties":{}}', headers=token)
        assert answer.status_code == 400, method
        assert answer.json()["type"].endswith("missing_media_type")
    assert api.etag(place) == etag


@CRUD.test("replace", "replace-rid")
@ETAGS.test("get-etag", "replace")
@FEATURES.test("geojson")
def test_replace(api: Api) -> None:
    place = api.add_place(name="Quán Cũ")
    etag = api.etag(place)
    wanted = {**SENT, "id": "SOMETHINGELSE", "properties": {**SENT["properties"], "name": "Quán Thay"}}
    assert api.ask("PUT", place, "officer", seen='"0"', body=wanted).status_code == 412
    assert api.etag(place) == etag
    done = api.ask("PUT", place, "officer", seen=etag, body=wanted)
    assert done.status_code == 200 and done.headers["etag"] not in ("", etag)
    found = api.get(place, "officer")
    assert _same(found, wanted) and found["id"] == place.rsplit("/", 1)[1]
    assert api.ask("PUT", place, "officer", body=wanted).status_code == 428
    assert api.ask("GET", f"{PLACES}/SOMETHINGELSE", "officer").status_code == 404


def test_replacing_what_is_not_there(api: Api) -> None:
    """428 before 404: without the version that was seen nothing is looked for; with one there is nothing."""
    gone = f"{PLACES}/KKKKKKKK"
    assert api.ask("PUT", gone, "officer", body=SENT).status_code == 428
    assert api.ask("PUT", gone, "officer", seen='"xyz"', body=SENT).status_code == 404
    assert api.ask("GET", gone, "officer").status_code == 404


def test_delete(api: Api) -> None:
    """What ended is gone (410): its code is known for ever, and whoever asks is told so rather than 404."""
    place, other = api.add_place(name="Quán Hết"), api.add_place(name="Quán Còn")
    etag, why = api.etag(place), {"reason": "Ghi trùng"}
    assert api.ask("DELETE", place, "officer", seen='"0"', body=why).status_code == 412
    assert api.ask("GET", place, "officer").status_code == 200
    assert api.ask("DELETE", place, "officer", seen=etag, body=why).status_code == 204
    assert api.ask("GET", place).status_code == 410
    assert api.ask("DELETE", other, "officer", body=why).status_code == 428


@UPDATE.test("update", "update-rid")
@ETAGS.test("update")
@FEATURES.test("json-merge-patch")
def test_update(api: Api) -> None:
    place = api.add_place(name="Quán Sửa", name_en="Old", opening_hours="Mo-Su 08:00-20:00")
    etag, before = api.etag(place), api.get(place, "officer")
    point = {"type": "Point", "coordinates": [108.2150, 16.0450]}
    patch = {"properties": {"name": "Quán Đã Sửa", "name_en": None}, "geometry": point}
    assert api.ask("PATCH", place, "officer", seen='"0"', body=patch).status_code == 412
    done = api.ask("PATCH", place, "officer", seen=etag, body=patch)
    assert done.status_code == 200 and done.headers["etag"] != etag
    found = api.get(place, "officer")
    assert found["properties"]["name"] == "Quán Đã Sửa" and found["properties"]["name_en"] is None
    assert found["geometry"] == point
    made_by_us = {"name", "name_en", "updated_at", "updated_by", "version", "verified_on", "position_method"}
    for name in set(before["properties"]) - made_by_us:
        assert found["properties"][name] == before["properties"][name], name
    assert api.ask("PATCH", place, "officer", body=patch).status_code == 428
    renamed = api.ask("PATCH", place, "officer", seen=api.etag(place), body={"properties": {"code": "ABC"}})
    assert renamed.status_code == 422
    assert api.get(place, "officer")["id"] == found["id"]


@FEATURES.test("schema")
def test_writes_follow_the_schema(api: Api) -> None:
    """What the schema does not have, or says is read-only, is refused; what it allows is taken."""
    schema = api.get("/ogc/collections/establishments/schema?f=json", "officer")
    assert schema["additionalProperties"] is False
    writable = {name for name, field in schema["properties"].items() if not field.get("readOnly")}
    assert set(SENT["properties"]) <= writable and set(schema["required"]) <= {"geometry", *SENT["properties"]}
    taken = {**SENT, "properties": {**SENT["properties"], "name": "Quán Theo Lược Đồ"}}
    assert _send(api, "POST", PLACES, taken).status_code == 201
    unknown = {**taken, "properties": {**taken["properties"], "colour": "xanh"}}
    assert _send(api, "POST", PLACES, unknown).status_code == 422
    read_only = next(name for name, field in schema["properties"].items() if field.get("readOnly"))
    derived = {**taken, "properties": {**taken["properties"], read_only: "x"}}
    assert _send(api, "POST", PLACES, derived).status_code == 422
