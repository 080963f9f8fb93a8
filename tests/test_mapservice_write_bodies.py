"""Bodies of writes: the schema foretells what is refused of each field; what is no feature at all is refused whole."""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from mapservice.feature_body import BY_ACTION
from postgis.engine import Database
from postgis.store.record_types import RECORD_TYPES
from postgis.today import today
from tests.register_api import ITEMS, Api, register_api
from tests.small_ward import MIDDLE, OTHER_WARD, WARD

LON, LAT = MIDDLE[WARD]
POINT = {"type": "Point", "coordinates": [LON, LAT]}
PLACE = {"name": "Quán Thử", "sector_group": "other", "source": "office", "position_method": "map"}


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "write_bodies") as found:
        yield found


def _post(api: Api, collection: str, geometry: Any = None, **properties: Any) -> httpx.Response:
    body = {"type": "Feature", "geometry": geometry, "properties": properties}
    return api.ask("POST", ITEMS.format(collection), "officer", body=body)


def _send(api: Api, content: str | bytes, **headers: str) -> httpx.Response:
    sent = {"Authorization": f"Bearer {api.tokens['officer']}", "Content-Type": "application/geo+json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    answer: httpx.Response = api.client.post(ITEMS.format("establishments"), content=content, headers=sent)
    return answer


def _refusals(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


def _area(*ring: tuple[float, ...]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(position) for position in (*ring, ring[0])]]}


@pytest.mark.parametrize("collection", RECORD_TYPES)
def test_the_schema_says_all_that_the_register_checks_field_by_field(api: Api, collection: str) -> None:
    schema = api.get(f"/ogc/collections/{collection}/schema", "officer")
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    for field in RECORD_TYPES[collection].fields:
        told = properties[field.name]
        assert told.get("readOnly", False) == (field.name in BY_ACTION)
        if field.name in BY_ACTION:
            continue
        assert (field.name in schema["required"]) == field.required
        if field.codes:
            assert set(told["enum"]) == set(field.codes)
        elif field.kind in ("text", "reference"):
            assert told["maxLength"] == field.max_length
        assert (told.get("format") == "date") == (field.kind == "date")
        assert told.get("type") == {"boolean": "boolean", "number": "number", "integer": "integer"}.get(
            field.kind, None if field.kind in ("point", "shape") else "string"
        )
    others = properties.keys() - {field.name for field in RECORD_TYPES[collection].fields}
    assert all(properties[name].get("readOnly") for name in others)


@pytest.mark.parametrize("collection", RECORD_TYPES)
def test_what_the_schema_forbids_is_refused_with_a_pointer(api: Api, collection: str) -> None:
    """Every bound of every field, broken one at a time."""
    schema = api.get(f"/ogc/collections/{collection}/schema", "officer")
    properties = {name: told for name, told in schema["properties"].items() if name != "geometry"}
    empty = _refusals(_post(api, collection, None))
    assert {pointer.rpartition("/")[2] for pointer in empty} == set(schema["required"])
    assert set(empty.values()) == {"required"}
    wrong = [each for name, told in properties.items() for each in _broken(name, told)]
    assert len(wrong) > len(properties)
    for name, value, code in wrong:
        assert _refusals(_post(api, collection, None, **{name: value}))[f"/properties/{name}"] == code, (name, value)
    assert _refusals(_post(api, collection, None, no_such=1))["/properties/no_such"] == "unknown_field"


def _broken(name: str, told: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Values that break what a schema tells of a property, each with the code of the refusal."""
    if told.get("readOnly"):
        yield name, "x", "use_action" if name in BY_ACTION else "read_only"
        return
    if "enum" in told:
        yield name, "no_such_code", "not_in_list"
        yield name, ["active"], "not_in_list"
        return
    if "maxLength" in told:
        yield name, "x" * (told["maxLength"] + 1), "too_long"
    if told.get("minLength") == 1:
        yield name, " \u200b ", "required"
    if told.get("format") == "date":
        for text in ("31/12/2026", "2026-02-30", "20260101", "2026-W53-4", "2026-12-31T00:00:00Z"):
            yield name, text, "not_a_date"
        yield name, "1944-12-31", "date_out_of_range"
        assert told["formatMinimum"] == "1945-01-01"
        if told["formatMaximum"] != "2200-01-01":
            assert told["formatMaximum"] == today().isoformat()
            yield name, (today() + timedelta(days=1)).isoformat(), "in_the_future"
        yield name, "2200-01-02", "date_out_of_range"
    elif told["type"] == "string":
        yield name, {"a": 1}, "not_text"
        yield name, "a\u0000b", "unreadable_text"
        yield name, "a\u202eb", "unreadable_text"
    elif told["type"] == "boolean":
        yield name, 1, "not_yes_or_no"
    elif told["type"] == "number":
        yield name, told["minimum"] - 0.1, "number_out_of_range"
        yield name, told["exclusiveMaximum"], "number_out_of_range"
        yield name, "mười", "not_a_number"


@pytest.mark.parametrize(
    ("content", "headers", "status", "problem"),
    [
        ('{"properties": {"name": "A", "name": "B"}, "geometry": null}', {}, 400, "invalid_json"),
        ('{"properties": {}, "properties": {"name": "B"}}', {}, 400, "invalid_json"),
        (gzip.compress(b'{"properties": {}}', mtime=0), {"Content_Encoding": "gzip"}, 415, "unsupported_media_type"),
        ('{"properties": {}}', {"Content_Encoding": "br"}, 415, "unsupported_media_type"),
        ('{"properties": {}}', {"Content_Type": "text/plain"}, 415, "unsupported_media_type"),
        ('{"properties": {}}'.encode("utf-16"), {}, 400, "invalid_json"),
        ('{"properties": {"name": "Quán é"}}'.encode("latin-1"), {}, 400, "invalid_json"),
        ('{"properties": {"position_accuracy_m": NaN}}', {}, 400, "invalid_json"),
        ('{"properties": {"position_accuracy_m": 1e999}}', {}, 400, "invalid_json"),
        ('{"properties": ' + "[" * 9000 + "]" * 9000 + "}", {}, 400, "invalid_json"),
        ('{"properties": {"name": "' + "a" * 300_000 + '"}}', {}, 413, "body_too_large"),
        ("[]", {}, 400, "invalid_json"),
        ("", {}, 400, "invalid_feature"),
    ],
)
def test_bodies_that_are_no_feature(
    api: Api, content: str | bytes, headers: dict[str, str], status: int, problem: str
) -> None:
    answer = _send(api, content, **headers)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, problem), answer.text


def test_a_proposal_says_each_member_once_too(api: Api) -> None:
    body = '{"collection": "establishments", "id": "%s", "reason": "x", "patch": {"name": "A", "name": "B"}}'
    headers = {"Authorization": f"Bearer {api.tokens['officer']}", "Content-Type": "application/json"}
    answer = api.client.post("/proposals", content=body % api.ward.places[0], headers=headers)
    assert answer.status_code == 400 and answer.json()["type"].endswith("invalid_form")


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (LAT, LON, "position_out_of_range"), (550362.21, 1774837.19, "position_out_of_range"),
        (0, 0, "outside_country"), (LON, 90, "outside_country"), (-LON, LAT, "outside_country"),
        (119.17, 4.88, "outside_country"),
    ],
)  # fmt: skip
def test_no_place_lies_outside_the_country_even_when_somebody_accepts_it(
    api: Api, lon: float, lat: float, code: str
) -> None:
    point = {"type": "Point", "coordinates": [lon, lat]}
    answer = _post(api, "establishments", point, outside_accepted=True, **PLACE)
    assert _refusals(answer) == {"/geometry": code}
    assert "Việt Nam" in answer.text or "đổi chỗ" in answer.text


def test_a_place_outside_the_ward_needs_somebody_who_accepts_it(api: Api) -> None:
    lon, lat = MIDDLE[OTHER_WARD]
    point = {"type": "Point", "coordinates": [lon, lat]}
    assert _refusals(_post(api, "establishments", point, **PLACE)) == {"/geometry": "outside_ward"}
    assert _post(api, "establishments", point, outside_accepted=True, **PLACE).status_code == 201


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (_area((500, 100), (501, 100), (501, 101)), "position_out_of_range"),
        (_area((1e300, 1), (1e301, 1), (1e301, 2)), "position_out_of_range"),
        (_area((0, 0), (1, 0), (1, 1)), "outside_country"),
        (_area((102.5, 8), (117, 8), (110, 23)), "site_outside_ward"),
        (_area((LON + 1, LAT), (LON + 1.001, LAT), (LON + 1, LAT + 0.001)), "site_outside_ward"),
        (_area((LON, LAT), (LON + 0.001, LAT), (LON, LAT), (LON + 0.001, LAT)), "not_a_geometry"),
        ({"type": "Polygon", "coordinates": []}, "not_a_geometry"),
        ({"type": "Polygon", "coordinates": [[["a", "b"]]]}, "not_a_geometry"),
        ({"type": "Polygon"}, "not_a_geometry"),
        ({"type": "Point", "coordinates": [LON, LAT]}, "not_a_geometry"),
        ([1, 2], "not_a_geometry"),
    ],
)
def test_an_outline_that_is_none_of_the_wards_is_told(api: Api, geometry: Any, code: str) -> None:
    assert _refusals(_post(api, "model_sites", geometry, kind="market", name="Chợ")) == {"/geometry": code}


def test_heights_are_not_kept(api: Api) -> None:
    outline = _area((LON, LAT, 5), (LON + 0.001, LAT, 5), (LON, LAT + 0.001, 5))
    answer = _post(api, "model_sites", outline, kind="market", name="Chợ")
    assert answer.status_code == 201, answer.text
    assert {len(position) for position in answer.json()["geometry"]["coordinates"][0]} == {2}
    assert _post(api, "establishments", {**POINT, "coordinates": [LON, LAT, 7]}, **PLACE).status_code == 201


def test_text_is_stored_in_one_spelling_and_nothing_is_not_a_name(api: Api) -> None:
    path = api.add_place(name="Qua\u0301n Pho\u031b\u0309 ", offering="\u200b")
    found = api.get(path)["properties"]
    assert found["name"] == "Qu\u00e1n Ph\u1edf" and found["offering"] is None


def test_a_sector_code_belongs_to_its_scheme(api: Api) -> None:
    refused = _post(api, "establishments", POINT, sector_scheme="vsic2018", sector_code="0000", **PLACE)
    assert _refusals(refused) == {"/properties/sector_code": "not_in_scheme"}
    english = api.ask("POST", ITEMS.format("establishments") + "?lang=en", "officer", body=json.loads(
        json.dumps({"type": "Feature", "geometry": POINT, "properties": {**PLACE, "sector_code": "4711"}})
    ))  # fmt: skip
    assert _refusals(english) == {"/properties/sector_code": "scheme_without_code"}
    assert "sector" in english.json()["errors"][0]["detail"].lower()
