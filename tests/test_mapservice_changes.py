"""/changes: ordered, resumable, complete, and without what is not published."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from layers.changes import MAX_LIMIT
from layers.collections import COLLECTIONS
from postgis.engine import Database
from tests.register_api import ITEMS, Api, code_of, register_api

DERIVED = {
    "establishments": {
        "licence_status", "licence_valid_until", "licence_checked_on", "food_safety_status", "food_safety_valid_until",
        "food_safety_checked_on", "last_inspection_result", "last_inspection_on", "live_warning", "payment_methods",
        "payment_checked_on", "accepts_cashless", "updated_at",
    },
    "licences": {"status", "illustrative", "updated_at"},
    "inspections": {"superseded", "illustrative", "updated_at"},
    "warnings": {"illustrative", "updated_at"},
    "payment_acceptances": {"illustrative", "updated_at"},
    "model_sites": {"updated_at"},
}  # fmt: skip
"""Published fields that are made from others, or by the clock: not of the record's own history."""


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "changes", places=5) as found:
        yield found


def _feed(api: Api, since: int = 0, limit: int = 100, who: str | None = None) -> list[dict[str, Any]]:
    """All changes, page by page, as a system that follows `next` reads them."""
    found: list[dict[str, Any]] = []
    address: str | None = f"/changes?since={since}&limit={limit}"
    while address:
        page = api.get(address, who)
        found += page["changes"]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    return found


def _own(api: Api, path: str, who: str | None = None) -> list[dict[str, Any]]:
    collection = path.split("/")[3]
    return [
        change for change in _feed(api, who=who) if (change["collection"], change["id"]) == (collection, code_of(path))
    ]


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_of_any_size_hold_the_same_changes_in_order(api: Api, limit: int) -> None:
    for who in (None, "officer", "other"):
        found = _feed(api, limit=limit, who=who)
        assert [change["seq"] for change in found] == sorted({change["seq"] for change in found})
        assert found == _feed(api, limit=100, who=who)


def test_it_goes_on_from_where_it_was_read(api: Api) -> None:
    last = api.get(f"/changes?limit={MAX_LIMIT}")["last_seq"]
    assert api.get(f"/changes?since={last}")["changes"] == []
    place = api.add_place(name="Quán Sau")
    # What is not published moves the number on, too.
    api.add("outreach", establishment=code_of(place), kind="visit", done_on="2026-10-01", topic="x", source="office")
    page = api.get(f"/changes?since={last}")
    assert [(change["id"], change["kind"]) for change in page["changes"]] == [(code_of(place), "insert")]
    assert page["last_seq"] > page["changes"][-1]["seq"]
    assert api.get(f"/changes?since={page['last_seq']}")["changes"] == []
    assert api.get("/changes?since=999999999")["last_seq"] == 999999999


def test_the_history_has_no_gap(api: Api) -> None:
    with api.database.owner.connect() as connection:
        counted, last = connection.execute(text("SELECT count(*), max(seq) FROM register.change")).one()
    assert counted == last
    seen = _feed(api, who="officer")
    assert {"actor", "reason", "source"} <= set(seen[0])
    assert not {"actor", "reason", "source"} & set(_feed(api)[0])


def test_its_shape(api: Api) -> None:
    change = _feed(api)[0]
    assert set(change) == {"seq", "at", "collection", "id", "ward", "kind", "before", "after"}
    assert change["kind"] == "insert" and change["before"] is None


@pytest.mark.parametrize("collection", list(DERIVED))
def test_the_public_feed_has_the_published_fields_and_no_other(api: Api, collection: str) -> None:
    expected = {field.name for field in COLLECTIONS[collection].fields} - DERIVED[collection]
    if COLLECTIONS[collection].geometry:
        expected |= {"geometry"}
    states = [
        state
        for change in _feed(api)
        if change["collection"] == collection
        for state in (change["before"], change["after"])
        if state is not None
    ]
    assert states
    assert all(set(state) == expected for state in states)


def test_only_published_collections_are_in_the_public_feed(api: Api) -> None:
    assert {change["collection"] for change in _feed(api)} == set(DERIVED)
    staff = {change["collection"] for change in _feed(api, who="officer")}
    assert {"legal_entities", "food_safety_records", "digital_uses", "outreach"} <= staff
    assert "personal_data" not in staff


def test_what_changes_only_inside_is_no_public_change(api: Api) -> None:
    place = api.add_place()
    body = {"properties": {"status_reason": "Ghi chú nội bộ", "legal_entity": api.ward.entities[0]}}
    assert api.ask("PATCH", place, "officer", seen=api.etag(place), body=body).status_code == 200
    assert [change["kind"] for change in _own(api, place)] == ["insert"]
    own = _own(api, place, "officer")
    assert [change["kind"] for change in own] == ["insert", "update"]
    assert own[1]["after"]["legal_entity"] == api.ward.entities[0]
    assert _own(api, place, "other") == _own(api, place), "staff of another ward see what everybody sees"


def test_an_end_and_a_return_as_the_public_sees_them(api: Api) -> None:
    kept, double = api.add_place(), api.add_place(name="Quán Trùng")
    assert api.act(double, "merge", into=code_of(kept), reason="trùng").status_code == 200
    assert api.act(double, "undo-merge").status_code == 200
    kinds = [change["kind"] for change in _own(api, double)]
    assert kinds == ["insert", "update", "end", "restore"]
    ended = _own(api, double)[2]
    assert ended["after"] is None and ended["before"]["name"] == "Quán Trùng"


def test_a_draft_appears_when_it_is_signed_and_an_accusation_does_not_outlive_itself(api: Api) -> None:
    place = code_of(api.add_place())
    values = {"inspected_on": "2026-10-01", "agency": "Đoàn", "result": "pass", "source": "office"}
    draft = api.add("inspections", establishment=place, official_words="Kết luận nháp", **values)
    assert not _own(api, draft)
    signed = api.ask("PATCH", draft, "officer", seen=api.etag(draft), body={"properties": {"signed_on": "2026-10-02"}})
    assert signed.status_code == 200
    assert [change["kind"] for change in _own(api, draft)] == ["insert"]
    warning = api.ward.codes["warnings"][1]
    path = ITEMS.format("warnings") + f"/{warning}"
    assert _own(api, path)[0]["after"]["headline"] == "Cảnh báo thử"
    with api.database.owner.begin() as connection:
        connection.execute(
            text("UPDATE register.warning SET lifted_on = current_date WHERE code = :code"), {"code": warning}
        )
    found = _own(api, path)
    assert [change["kind"] for change in found] == ["insert", "end"]
    assert "Cảnh báo thử" not in json.dumps(found, ensure_ascii=False), "once lifted, only that it was there"
    assert found[0]["after"]["establishment"] == api.ward.places[1]


def test_what_was_concluded_of_a_withdrawn_place_is_not_repeated(api: Api) -> None:
    place = api.add_place()
    values = {"inspected_on": "2026-10-01", "signed_on": "2026-10-02", "agency": "Đoàn", "source": "office"}
    signed = api.add(
        "inspections", establishment=code_of(place), result="pass", official_words="Đã khắc phục", **values
    )
    assert _own(api, signed)[0]["after"]["official_words"] == "Đã khắc phục"
    assert api.ask("DELETE", place, "officer", seen=api.etag(place), body={"reason": "nhầm"}).status_code == 204
    told = _own(api, signed)
    assert [change["kind"] for change in told] == ["insert"] and told[0]["after"]["establishment"] == code_of(place)
    assert "Đã khắc phục" not in json.dumps(told, ensure_ascii=False)
    assert _own(api, signed, "officer")[0]["after"]["official_words"] == "Đã khắc phục"


def test_a_households_number_is_not_in_the_feed(api: Api) -> None:
    values = {"kind": "tobacco_retail", "checked_on": "2026-10-01", "source": "office", "number": "32A8055555"}
    household = api.add("licences", establishment=code_of(api.add_place(legal_form="household_business")), **values)
    company = api.add("licences", establishment=code_of(api.add_place(legal_form="enterprise")), **values)
    assert _own(api, household)[0]["after"]["number"] is None
    assert _own(api, household, "officer")[0]["after"]["number"] == "32A8055555"
    assert _own(api, company)[0]["after"]["number"] == "32A8055555"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("since=-1", "invalid_since"), ("since=x", "invalid_since"), ("since=1.5", "invalid_since"),
        ("since=٣", "invalid_since"), ("since=99999999999999999999", "invalid_since"), ("since=", "invalid_since"),
        ("limit=0", "invalid_limit"), ("limit=x", "invalid_limit"), ("from=1", "unknown_parameter"),
        ("since=1&since=2", "repeated_parameter"), ("f=xml", "invalid_format"),
    ],
)  # fmt: skip
def test_bad_questions(api: Api, query: str, code: str) -> None:
    answer = api.ask("GET", f"/changes?{query}")
    assert answer.status_code == 400 and answer.json()["type"].endswith(code), answer.text


def test_it_can_be_kept_and_asked_about(api: Api) -> None:
    public = api.ask("GET", "/changes?limit=2")
    assert api.ask("GET", "/changes?limit=2", if_none_match=public.headers["etag"]).status_code == 304
    assert public.headers["cache-control"] == "no-cache"
    assert api.ask("GET", "/changes?limit=2", "officer").headers["cache-control"] == "private, no-cache"
    assert "text/html" in api.ask("GET", "/changes?limit=2&f=html").headers["content-type"]
