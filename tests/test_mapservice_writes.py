"""OGC API Features Part 4: who may write what, in which version, and what is said of bad input."""

import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text

from layers.collections import COLLECTIONS, STAFF_COLLECTIONS
from mapservice.feature_body import DEFAULTS
from postgis.engine import Database
from postgis.store.changes import verify
from postgis.store.record_types import RECORD_TYPES
from tests.register_api import ITEMS, Api, code_of, register_api

NEW: dict[str, dict[str, Any]] = {
    "legal_entities": {"registered_name": "Công ty Thử", "legal_form": "enterprise"},
    "licences": {"kind": "tobacco_retail", "checked_on": "2026-10-01"},
    "food_safety_records": {"kind": "certificate", "checked_on": "2026-10-01"},
    "inspections": {"inspected_on": "2026-10-01", "agency": "Đoàn thử", "result": "pending"},
    "payment_acceptances": {
        "method": "momo", "accepted": True, "evidence_level": "observed", "checked_on": "2026-10-01",
    },
    "digital_uses": {"kind": "e_invoice", "used": True, "checked_on": "2026-10-01"},
    "outreach": {"kind": "visit", "done_on": "2026-10-01", "topic": "Thử"},
    "visits": {"visited_on": "2026-10-01", "outcome": "refused"},
    "model_sites": {"kind": "market", "name": "Chợ Thử"},
}  # fmt: skip
"""What each collection but warnings needs at least, beside its place and source."""


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "writes") as found:
        yield found


def _properties(api: Api, collection: str) -> dict[str, Any]:
    record_type = RECORD_TYPES[collection]
    found = dict(NEW[collection])
    if record_type.field("establishment"):
        found["establishment"] = api.ward.places[0]
    if record_type.field("source"):
        found["source"] = "office"
    return found


def _add(api: Api, collection: str) -> str:
    if collection == "establishments":
        return api.add_place()
    geometry = None
    if collection == "model_sites":
        ring = [[108.213, 16.043], [108.214, 16.043], [108.214, 16.044], [108.213, 16.043]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
    return api.add(collection, geometry=geometry, **_properties(api, collection))


def _problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"urn:mapservice:problem:{code}"
    return document


@pytest.mark.parametrize("collection", [name for name in RECORD_TYPES if name != "warnings"])
def test_a_record_is_made_changed_replaced_and_ended(api: Api, collection: str) -> None:
    path = _add(api, collection)
    made = api.ask("GET", path, "officer")
    feature = made.json()
    assert feature["id"] == code_of(path) and feature["properties"]["version"] == 1
    assert made.headers["etag"].startswith('"1-')
    assert made.headers["cache-control"] == "private, no-cache"
    assert {"Cookie", "Authorization"} <= {name.strip() for name in made.headers["vary"].split(",")}

    days = {"payment_acceptances": "checked_on", "digital_uses": "checked_on", "visits": "visited_on"}
    name = days.get(collection) or next(
        field.name for field in RECORD_TYPES[collection].fields
        if field.kind == "text" and not field.codes and field.name not in ("tax_code", "registration_number")
    )  # fmt: skip
    value = "2026-10-02" if name in days.values() else "Giá trị mới"
    changed = api.ask("PATCH", path, "officer", seen=made.headers["etag"], body={"properties": {name: value}})
    assert changed.status_code == 200, changed.text
    assert changed.json()["properties"][name] == value
    assert changed.headers["etag"] == api.etag(path)
    expected = {**feature["properties"], name: value}
    made_by_us = {"version", "updated_at"} | ({"status"} if collection == "licences" else set())
    after = changed.json()["properties"]
    assert {key: after[key] for key in after if key not in made_by_us} == {
        key: expected[key] for key in expected if key not in made_by_us
    }

    again = api.ask("PUT", path, "officer", seen=changed.headers["etag"], body=changed.json())
    assert again.status_code == 200, again.text
    assert again.headers["etag"] == changed.headers["etag"], "what is sent back as it came changes nothing"

    gone = api.ask("DELETE", f"{path}?reason={quote('lập nhầm')}", "officer", seen=again.headers["etag"])
    if collection in ("licences", "food_safety_records"):
        assert gone.status_code == 202, "withdrawing what the public was told takes a second person"
        return
    assert gone.status_code == 204, gone.text
    ended = api.get(path, "officer")["properties"]
    assert ended["ended"] is True and ended["end_reason"] == "lập nhầm"
    items = ITEMS.format(collection)
    assert code_of(path) not in {found["id"] for found in api.get(f"{items}?limit=1000", "officer")["features"]}
    assert code_of(path) in {found["id"] for found in api.get(f"{items}?ended=true&limit=1000", "officer")["features"]}
    _problem(api.ask("PATCH", path, "officer", seen=api.etag(path), body={"properties": {}}), 409, "record_ended")
    if collection in COLLECTIONS:
        assert api.ask("GET", path).status_code in (404, 410)


def test_a_write_needs_the_version_that_it_starts_from(api: Api) -> None:
    path = api.add_place()
    first = api.etag(path)
    body = {"properties": {"name": "Quán Một"}}
    for method, sent in (("PATCH", body), ("PUT", body), ("DELETE", {"reason": "thử"})):
        _problem(api.ask(method, path, "officer", body=sent), 428, "precondition_required")
        _problem(api.ask(method, path, "officer", seen="*", body=sent), 428, "precondition_required")
    assert api.ask("PATCH", path, "officer", seen=first, body=body).status_code == 200
    second = api.etag(path)
    for seen in (first, '"9-abc"', '"abc"', "rubbish", '"2"'):
        stale = api.ask("PATCH", path, "officer", seen=seen, body={"properties": {"name": "Quán Hai"}})
        document = _problem(stale, 412, "stale")
        assert stale.headers["etag"].strip('"') == second.strip('"').removesuffix("-br")
        assert document["current"]["properties"]["name"] == "Quán Một"
    either = api.ask("PATCH", path, "officer", seen=f"{first}, W/{second}", body={"properties": {"name": "Quán Ba"}})
    assert either.status_code == 200


def test_the_version_is_in_the_etag_of_every_encoding_and_reader(api: Api) -> None:
    path = api.add_place()
    for who in (None, "officer", "other"):
        for encoding in ("br", "gzip", "identity"):
            answer = api.ask("GET", path, who, accept_encoding=encoding)
            assert answer.headers["etag"].startswith('"1-')
            headers = {"accept_encoding": "identity", "if_none_match": answer.headers["etag"]}
            assert api.ask("GET", path, who, **headers).status_code == 304
    public = api.ask("GET", path).headers["etag"]
    assert api.ask("PATCH", path, "officer", seen=public, body={"properties": {"name": "Quán Ba"}}).status_code == 200


def test_put_empties_what_is_not_sent(api: Api) -> None:
    path = api.add_place(name_en="Trial", opening_hours="08:00-17:00", offering="bún", operating_status="suspended")
    point = {"type": "Point", "coordinates": [108.2137, 16.0433]}
    body = {
        "type": "Feature",
        "geometry": point,
        "properties": {"name": "Quán Mới", "source": "office", "position_method": "gps", "sector_group": "other"},
    }
    after = api.ask("PUT", path, "officer", seen=api.etag(path), body=body).json()
    assert after["geometry"] == point
    found = after["properties"]
    assert (found["name"], found["position_method"]) == ("Quán Mới", "gps")
    assert [found[name] for name in ("name_en", "opening_hours", "offering")] == [None] * 3
    assert found["operating_status"] == "unknown"
    missing = api.ask("PUT", path, "officer", seen=api.etag(path), body={"type": "Feature", "properties": {}})
    assert {error["pointer"] for error in _problem(missing, 422, "invalid_fields")["errors"]} == {
        "/geometry",
        "/properties/position_method",
        "/properties/sector_group",
        "/properties/source",
    }


def test_a_merge_patch_with_null_empties_a_field_and_leaves_the_others(api: Api) -> None:
    path = api.add_place(name_en="Trial", operating_status="suspended")
    body = json.dumps({"properties": {"name_en": None, "operating_status": None}})
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": api.etag(path)}
    headers["Authorization"] = f"Bearer {api.tokens['officer']}"
    found = api.client.patch(path, content=body, headers=headers).json()["properties"]
    assert (found["name"], found["name_en"], found["operating_status"]) == ("Quán Thử", None, "unknown")


def test_every_field_that_may_not_be_null_has_a_default_or_is_required() -> None:
    for record_type in RECORD_TYPES.values():
        for field in record_type.fields:
            column = record_type.table.c.get(field.name)
            if column is not None and not column.nullable and not field.required:
                assert column.server_default is not None
                given = column.server_default.arg  # type: ignore[attr-defined]
                assert str(DEFAULTS[field.name]).lower() == str(getattr(given, "text", given))


def test_who_may_write(api: Api) -> None:
    path = api.add_place()
    seen, body = api.etag(path), {"properties": {"name": "Quán Khác"}}
    _problem(api.ask("PATCH", path, seen=seen, body=body), 401, "sign_in_required")
    told = _problem(api.ask("PATCH", path, "surveyor", seen=seen, body=body), 403, "propose_instead")
    assert "/proposals" in told["detail"]
    _problem(api.ask("PATCH", path, "other", seen=seen, body=body), 403, "forbidden")
    _problem(api.ask("PATCH", path, "reader", seen=seen, body=body), 403, "forbidden")
    _problem(api.ask("POST", ITEMS.format("licences"), "surveyor", body={"properties": {}}), 403, "propose_instead")
    _problem(api.ask("POST", ITEMS.format("wards"), "officer", body={"properties": {}}), 405, "method_not_allowed")
    _problem(api.ask("POST", ITEMS.format("nothing"), "officer", body={"properties": {}}), 404, "unknown_collection")
    _problem(api.ask("PATCH", f"{path[:-8]}22222222", "officer", seen=seen, body=body), 404, "unknown_feature")
    foreign = ITEMS.format("food_safety_records") + f"/{api.other_ward.codes['food_safety_records'][0]}"
    _problem(api.ask("PATCH", foreign, "officer", seen=seen, body={"properties": {}}), 404, "unknown_feature")
    foreign_place = {**_properties(api, "licences"), "establishment": api.other_ward.places[0]}
    refused = api.ask("POST", ITEMS.format("licences"), "officer", body={"properties": foreign_place})
    assert [error["pointer"] for error in _problem(refused, 422, "invalid_fields")["errors"]] == [
        "/properties/establishment"
    ]
    assert api.etag(path) == seen


def test_the_reason_is_kept(api: Api) -> None:
    path = api.add_place()
    seen = api.etag(path)
    headers = {"change_reason": quote("Chủ quán báo tên mới, đã xem biển hiệu")}
    api.ask("PATCH", path, "officer", seen=seen, body={"properties": {"name": "Quán Nắng"}}, **headers)
    body = {"properties": {"name": "Quán Mưa"}, "reason": "Sửa lại tên"}
    assert api.ask("PATCH", path, "officer", seen=api.etag(path), body=body).status_code == 200
    changes = api.get("/changes?since=0&limit=1000", "officer")["changes"]
    reasons = [change["reason"] for change in changes if change["id"] == code_of(path)]
    assert reasons == [None, "Chủ quán báo tên mới, đã xem biển hiệu", "Sửa lại tên"]
    for wrong in ("%ff", "%00", "a" * 2001):
        bad = api.ask("PATCH", path, "officer", seen=api.etag(path), body=body, change_reason=wrong)
        _problem(bad, 400, "invalid_reason")
    for said in ({}, {"reason": " "}, {"reason": None}):
        refused = api.ask("DELETE", path, "officer", seen=api.etag(path), body=said)
        assert _problem(refused, 422, "invalid_fields")["errors"][0]["pointer"] == "/reason"


ADVERSE = (
    ("POST", "warnings", {"issued_on": "2026-10-01", "headline": "Cảnh báo thử", "agency": "UBND"}),
    (
        "POST",
        "inspections",
        {"inspected_on": "2026-10-01", "agency": "Đoàn", "result": "fail", "signed_on": "2026-10-02"},
    ),
    (
        "POST",
        "inspections",
        {"inspected_on": "2026-10-01", "agency": "Đoàn", "result": "c", "signed_on": "2026-10-02"},
    ),
)


@pytest.mark.parametrize("who", ["officer", "approver", "admin"])
@pytest.mark.parametrize(("method", "collection", "properties"), ADVERSE)
def test_adverse_facts_wait_for_a_second_person(
    api: Api, who: str, method: str, collection: str, properties: dict[str, Any]
) -> None:
    place = api.add_place()
    sent = {**properties, "establishment": code_of(place), "source": "office"}
    body = {"type": "Feature", "geometry": None, "properties": sent, "reason": "Kết luận ký ngày 02/10/2026"}
    answer = api.ask(method, ITEMS.format(collection), who, body=body)
    assert answer.status_code == 202, answer.text
    waiting = answer.json()
    assert waiting["risk"] == "adverse" and waiting["state"] == "pending"
    assert api.get(httpx.URL(answer.headers["location"]).path, who)["receipt"] == waiting["receipt"]
    assert not api.get(ITEMS.format(collection) + f"?establishment={code_of(place)}", "officer")["features"]
    assert api.get(place)["properties"]["live_warning"] is False


def test_signing_a_failed_draft_and_lifting_a_warning_wait_too(api: Api) -> None:
    place = code_of(api.add_place())
    values = {"inspected_on": "2026-10-01", "agency": "Đoàn", "result": "fail", "source": "office"}
    draft = api.add("inspections", establishment=place, **values)
    assert api.ask("GET", draft).status_code == 404, "a draft is nobody's business"
    signing = {"properties": {"signed_on": "2026-10-02"}, "reason": "đã ký"}
    assert api.ask("PATCH", draft, "officer", seen=api.etag(draft), body=signing).status_code == 202
    assert api.get(draft, "officer")["properties"]["draft"] is True
    warning = ITEMS.format("warnings") + f"/{api.ward.codes['warnings'][0]}"
    seen = api.etag(warning)
    lifting = {"properties": {"lifted_on": "2026-11-01"}, "reason": "đã khắc phục"}
    assert api.ask("PATCH", warning, "approver", seen=seen, body=lifting).status_code == 202
    assert api.ask("DELETE", f"{warning}?reason=x", "admin", seen=seen).status_code == 202
    assert api.etag(warning) == seen and api.ask("GET", warning).status_code == 200


def test_an_ordinary_inspection_is_written_at_once(api: Api) -> None:
    values = {"inspected_on": "2026-10-01", "agency": "Đoàn", "result": "pass", "signed_on": "2026-10-02"}
    path = api.add("inspections", establishment=code_of(api.add_place()), source="office", **values)
    assert api.get(path)["properties"]["result"] == "pass"


WRONG: dict[str, list[Any]] = {
    "text": [1, True, ["a"], {"a": 1}, "a\x00b", "\ud800", "x" * 2001],
    "date": [1, True, [], {}, "31/12/2026", "2026-02-30", "1800-01-01", "x\x00"],
    "boolean": [1, "có", [], {}],
    "number": [True, [], {}, "x", -1, 10**9],
    "integer": [True, [], {}, "x"],
    "reference": [1, [], {}, "khong-co", "\x00"],
    "point": [1, [], "x", {"type": "Point"}, {"type": "Point", "coordinates": [108]}, {"type": "LineString"},
              {"type": "Point", "coordinates": ["a", "b"]}, {"type": "Point", "coordinates": [16.04, 108.2]},
              {"type": "Point", "coordinates": [0, 0]}],
    "shape": [1, [], "x", {"type": "Polygon"}, {"type": "Polygon", "coordinates": [[[0, 0]]]},
              {"type": "Polygon", "coordinates": "x"}, {"type": "Point", "coordinates": [108.2, 16.04]}],
}  # fmt: skip


@pytest.mark.parametrize("collection", [name for name in RECORD_TYPES if name != "warnings"])
def test_a_wrong_value_in_any_field_is_named(api: Api, collection: str) -> None:
    path = _add(api, collection)
    seen = api.etag(path)
    for field in RECORD_TYPES[collection].fields:
        if field.name == "merged_into":
            continue
        pointer = "/geometry" if field.kind in ("point", "shape") else f"/properties/{field.name}"
        wrong = ["khong-co", 1, [], {}] if field.codes else WRONG[field.kind]
        for value in wrong:
            body = {"geometry": value} if pointer == "/geometry" else {"properties": {field.name: value}}
            headers = {"Authorization": f"Bearer {api.tokens['officer']}", "If-Match": seen}
            headers["Content-Type"] = "application/json"
            answer = api.client.patch(path, content=json.dumps(body), headers=headers)
            if isinstance(value, str) and value.startswith("x" * 9) and answer.status_code == 200:
                pytest.fail(f"{field.name}: no bound on its length")
            document = _problem(answer, 422, "invalid_fields")
            assert [error["pointer"] for error in document["errors"]] == [pointer], (field.name, value)
            assert document["errors"][0]["detail"] and "psycopg" not in answer.text
    assert api.etag(path) == seen, "nothing of it was stored"


@pytest.mark.parametrize("collection", list(RECORD_TYPES))
def test_a_new_record_without_anything_names_every_field_that_it_needs(api: Api, collection: str) -> None:
    answer = api.ask("POST", ITEMS.format(collection), "officer", body={"type": "Feature", "properties": {}})
    needed = {
        "/geometry" if field.name == "geometry" else f"/properties/{field.name}"
        for field in RECORD_TYPES[collection].fields
        if field.required
    }
    assert {error["pointer"] for error in _problem(answer, 422, "invalid_fields")["errors"]} == needed
    schema = api.get(f"/ogc/collections/{collection}/schema", "officer")
    assert {f"/properties/{name}".replace("/properties/geometry", "/geometry") for name in schema["required"]} == needed


def test_rules_of_the_database_come_back_on_a_field(api: Api) -> None:
    path = api.add_place(opened_on="2020-01-01")
    for body, pointer in (
        ({"properties": {"closed_on": "2019-01-01"}}, "/properties/closed_on"),
        ({"properties": {"sector_code": "5610"}}, "/properties/sector_code"),
        ({"properties": {"sector_scheme": "VSIC2025", "sector_code": "9999"}}, "/properties/sector_code"),
        ({"geometry": {"type": "Point", "coordinates": [108.5, 16.5]}}, "/geometry"),
        ({"properties": {"moved_to": code_of(path)}}, "/properties/merged_into"),
        ({"properties": {"merged_into": api.ward.places[0]}}, "/properties/merged_into"),
        ({"properties": {"licence_status": "valid"}}, "/properties/licence_status"),
        ({"properties": {"code": "K7M42XPA"}}, "/properties/code"),
        ({"properties": {"khong_co": 1}}, "/properties/khong_co"),
        ({"properties": {"a/b~": 1}}, "/properties/a~1b~0"),
        ({"properties": {"name": "\u0000"}}, "/properties/name"),
    ):
        answer = api.ask("PATCH", path, "officer", seen=api.etag(path), body=body)
        errors = _problem(answer, 422, "invalid_fields")["errors"]
        assert pointer in {error["pointer"] for error in errors}, body


def test_all_mistakes_are_told_at_once_in_the_askers_language(api: Api) -> None:
    body = {"properties": {"khong_co": 1, "operating_status": "x", "opened_on": "hôm qua", "updated_at": "2026"}}
    path = api.add_place()
    for lang, words in (("vi", "không"), ("en", "cannot")):
        answer = api.ask("PATCH", path, "officer", seen=api.etag(path), body=body, accept_language=lang)
        document = _problem(answer, 422, "invalid_fields")
        assert len(document["errors"]) == 4
        assert any(words in error["detail"] for error in document["errors"])


HOSTILE: tuple[tuple[bytes, str, int, str], ...] = (
    (b"{", "application/json", 400, "invalid_json"),
    (b"\xff\xfe", "application/json", 400, "invalid_json"),
    (b"[]", "application/json", 400, "invalid_json"),
    (b'"x"', "application/json", 400, "invalid_json"),
    (b"null", "application/json", 400, "invalid_json"),
    (b"[" * 100_000, "application/json", 400, "invalid_json"),
    (b'{"properties":' + b'{"a":' * 30 + b"1" + b"}" * 31, "application/json", 400, "invalid_json"),
    (b'{"properties":{"position_accuracy_m":NaN}}', "application/json", 400, "invalid_json"),
    (b'{"properties":{"position_accuracy_m":1e999}}', "application/json", 400, "invalid_json"),
    (b'{"properties":{"position_accuracy_m":' + b"9" * 5000 + b"}}", "application/json", 400, "invalid_json"),
    (b'{"name":"x"}', "application/json", 400, "invalid_feature"),
    (b"{}", "application/json", 400, "invalid_feature"),
    (b"", "application/json", 400, "invalid_feature"),
    (b'{"properties":[]}', "application/json", 400, "invalid_feature"),
    (b'{"type":"FeatureCollection","properties":{}}', "application/json", 400, "invalid_feature"),
    (b'{"properties":{"\\ud800":1}}', "application/json", 422, "invalid_fields"),
    (b'{"properties":{"name":"\\ud800"}}', "application/json", 422, "invalid_fields"),
    (b'{"properties":{},"reason":1}', "application/json", 422, "invalid_fields"),
    (b'{"properties":{},"reason":"\\u0000"}', "application/json", 422, "invalid_fields"),
    (b"<a/>", "application/xml", 415, "unsupported_media_type"),
    (b"name=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
    (b'{"properties":{}}', "", 400, "missing_media_type"),
    (b" " * 262_145, "application/json", 413, "body_too_large"),
)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_body_is_refused_with_reason(api: Api, number: int) -> None:
    content, media_type, status, code = HOSTILE[number]
    path = ITEMS.format("establishments") + f"/{api.ward.places[1]}"
    headers = {"Authorization": f"Bearer {api.tokens['officer']}", "If-Match": api.etag(path)}
    headers |= {"Content-Type": media_type} if media_type else {}
    _problem(api.client.patch(path, content=content, headers=headers), status, code)


def test_coordinates_in_another_system_are_refused(api: Api) -> None:
    path = api.add_place()
    body = {"geometry": {"type": "Point", "coordinates": [16.0432, 108.2136]}}
    crs = "<http://www.opengis.net/def/crs/EPSG/0/4326>"
    answer = api.ask("PATCH", path, "officer", seen=api.etag(path), body=body, content_crs=crs)
    _problem(answer, 400, "unsupported_crs")


def test_what_can_be_done_is_told(api: Api) -> None:
    path = ITEMS.format("establishments")
    assert api.ask("OPTIONS", path).headers["allow"] == "GET, HEAD, OPTIONS, POST"
    one = api.ask("OPTIONS", f"{path}/{api.ward.places[0]}")
    assert one.headers["allow"] == "GET, HEAD, OPTIONS, PUT, PATCH, DELETE"
    assert "application/merge-patch+json" in one.headers["accept-patch"]
    assert api.ask("OPTIONS", ITEMS.format("wards")).headers["allow"] == "GET, HEAD, OPTIONS"
    assert api.ask("OPTIONS", ITEMS.format("outreach")).status_code == 404


def test_staff_see_their_ward_whole_and_others_as_published(api: Api) -> None:
    own, foreign = api.ward.places[0], api.other_ward.places[0]
    public = {field.name for field in COLLECTIONS["establishments"].fields}
    everything = {field.name for field in STAFF_COLLECTIONS["establishments"].fields}
    items = ITEMS.format("establishments")
    assert set(api.get(f"{items}/{own}", "surveyor")["properties"]) == everything > public
    page = {found["id"]: found for found in api.get(f"{items}?limit=100", "officer")["features"]}
    assert set(page[own]["properties"]) == everything
    assert page[foreign]["properties"] == api.get(f"{items}/{foreign}")["properties"]
    assert api.get(f"{items}/{own}", "other")["properties"] == api.get(f"{items}/{own}")["properties"]
    for collection in STAFF_COLLECTIONS.keys() - COLLECTIONS.keys():
        assert api.ask("GET", ITEMS.format(collection)).status_code == 404
        codes = set(api.ward.codes.get(collection, ()))
        seen = {found["id"] for found in api.get(ITEMS.format(collection) + "?limit=1000", "other")["features"]}
        assert codes and not seen & codes
        fields = set(api.get(f"/ogc/collections/{collection}/schema", "officer")["properties"])
        assert fields == {field.name for field in STAFF_COLLECTIONS[collection].fields}
    listed = [found["id"] for found in api.get("/ogc/collections", "officer")["collections"]]
    assert listed == list(STAFF_COLLECTIONS)
    assert [found["id"] for found in api.get("/ogc/collections")["collections"]] == list(COLLECTIONS)
    _problem(api.ask("GET", f"{items}?ended=true"), 400, "unknown_parameter")


def test_a_households_certificate_number_is_for_staff(api: Api) -> None:
    number = "32A8012345"
    for form, shown in (("household_business", None), (None, None), ("enterprise", number), ("cooperative", number)):
        place = api.add_place(legal_form=form)
        values = {**_properties(api, "licences"), "establishment": code_of(place), "number": number}
        licence = api.add("licences", **values)
        assert api.get(licence)["properties"]["number"] == shown
        assert api.get(licence, "officer")["properties"]["number"] == number
    for personal in ("048090123456", "048 090 123 456", "8012345678", "8012345678-001"):
        licence = api.add("licences", **{**values, "number": personal})
        assert api.get(licence)["properties"]["number"] is None, "not even an enterprise's, when it may be a person's"


def test_every_acknowledged_change_is_in_the_history_once(api: Api) -> None:
    """Two writers change one record, each again and again until it is told that it was done."""
    path = api.add_place()
    rounds, done, failures = 200, [], []

    def write(name: str) -> None:
        try:
            seen = api.etag(path)
            for number in range(rounds):
                value = f"{name} {number}"
                while True:
                    answer = api.ask("PATCH", path, "officer", seen=seen, body={"properties": {"name": value}})
                    seen = answer.headers["etag"]
                    if answer.status_code == 200:
                        done.append(value)
                        break
                    assert answer.status_code == 412, answer.text
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=write, args=(name,)) for name in ("Một", "Hai")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=600)
    assert not failures
    assert len(done) == len(set(done)) == 2 * rounds
    with api.database.owner.connect() as connection:
        written = list(
            connection.execute(
                text("SELECT after ->> 'name' FROM register.change WHERE record_code = :code AND kind = 'update' "
                     "ORDER BY seq"), {"code": code_of(path)},
            ).scalars()
        )  # fmt: skip
        found = verify(connection)
    assert sorted(written) == sorted(done)
    assert found.whole
    assert api.get(path, "officer")["properties"]["version"] == 2 * rounds + 1
