"""No single person tells the public of a failure, or takes down what it is told of one, by whatever way round."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from postgis.engine import Database
from tests.register_api import ITEMS, Api, code_of, register_api

DAY = "2026-01-02"
SAID = {"reason": "Theo biên bản", "evidence": "Biên bản 12", "legal_basis": "Điều 17 Luật Tiếp cận thông tin"}


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "second_person") as found:
        yield found


def _path(collection: str, code: str) -> str:
    return f"{ITEMS.format(collection)}/{code}"


def _write(api: Api, method: str, path: str, who: str = "officer", **body: Any) -> httpx.Response:
    seen = api.etag(path, who) if method in ("PATCH", "PUT", "DELETE") else None
    return api.ask(method, path, who, seen=seen, body=body)


def _apply(api: Api, receipt: str, who: str = "approver", **said: Any) -> httpx.Response:
    return api.ask("POST", f"/proposals/{receipt}/apply", who, body=said)


def _told(api: Api, collection: str, place: str, **properties: Any) -> str:
    """A record that harms the place, told to the public by two persons; its address."""
    values = {"establishment": code_of(place), "source": "office", "agency": "Đoàn thử", **properties}
    sent = {"type": "Feature", "geometry": None, "properties": values, **SAID}
    waiting = api.ask("POST", ITEMS.format(collection), "officer", body=sent)
    assert waiting.status_code == 202, waiting.text
    receipt = waiting.json()["receipt"]
    assert _apply(api, receipt, "officer").status_code == 403
    assert _apply(api, receipt).status_code == 200
    found = api.get(f"{ITEMS.format(collection)}?establishment={code_of(place)}")["features"]
    return _path(collection, found[-1]["id"])


@pytest.mark.parametrize(
    ("collection", "told"),
    [
        ("warnings", {"issued_on": DAY, "headline": "Tạm dừng bán hàng"}),
        ("inspections", {"inspected_on": DAY, "result": "fail", "signed_on": DAY}),
        ("inspections", {"inspected_on": DAY, "result": "c", "signed_on": DAY}),
    ],
)
@pytest.mark.parametrize("who", ["officer", "admin"])
def test_a_place_that_the_public_is_warned_of_is_not_made_to_vanish(
    api: Api, who: str, collection: str, told: dict[str, Any]
) -> None:
    place, other = api.add_place(name="Quán Bị Nêu"), api.add_place(name="Quán Khác")
    record = _told(api, collection, place, **told)
    ways = (
        _write(api, "DELETE", place, who, **SAID),
        api.act(place, "merge", who, into=code_of(other), reason="trùng"),
        _apply(api, _proposed(api, place, {"ended": True}), "approver"),
    )
    for answer in ways:
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"].endswith("reason")
        assert "Người dân đang thấy" in answer.text
    assert api.get(place)["properties"]["name"] == "Quán Bị Nêu" and api.get(record)
    withdrawn = _write(api, "DELETE", record, "officer", **SAID)
    assert withdrawn.status_code == 202 and _apply(api, withdrawn.json()["receipt"]).status_code == 200
    assert _write(api, "DELETE", place, who, **SAID).status_code == 204, "with the word withdrawn by two it may go"


def test_the_database_itself_keeps_it(api: Api) -> None:
    """Past all of the code above: staff's own role, straight at the table."""
    place = api.add_place()
    _told(api, "warnings", place, issued_on=DAY, headline="Tạm dừng")
    with api.database.staff.connect() as connection, pytest.raises(Exception, match="the public is told of a failure"):
        staff_id = str(api.actors["admin"].staff_id)
        connection.execute(text("SELECT set_config('mapservice.staff_id', :id, true)"), {"id": staff_id})
        connection.execute(
            text("UPDATE register.establishment SET ended_at = now() WHERE code = :code"), {"code": code_of(place)}
        )


def _proposed(api: Api, path: str, patch: dict[str, Any], who: str = "officer") -> str:
    collection, code = path.split("/")[-3], code_of(path)
    sent = {"collection": collection, "id": code, "patch": patch, **SAID}
    answer = api.ask("POST", "/proposals", who, body=sent)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["receipt"])


def test_a_food_safety_file_is_not_called_missing_by_one_person(api: Api) -> None:
    place = api.add_place()
    values = {"establishment": code_of(place), "checked_on": DAY, "source": "office"}
    file = api.add("food_safety_records", kind="certificate", **values)
    for properties in ({"kind": "missing"}, {"valid_until": "2020-01-01"}):
        assert _write(api, "PATCH", file, properties=properties, **SAID).status_code == 202
        replaced = {**api.get(file, "officer")["properties"], **properties}
        assert _write(api, "PUT", file, properties=replaced, **SAID).status_code == 202
        assert _apply(api, _proposed(api, file, properties), "officer").status_code == 403
    assert api.get(place)["properties"]["food_safety_status"] == "certified"


def test_nor_by_a_new_file_in_place_of_the_old_one(api: Api) -> None:
    place = api.add_place()
    values = {"establishment": code_of(place), "source": "office"}
    api.add("food_safety_records", kind="commitment", checked_on="2026-01-02", **values)
    files = ITEMS.format("food_safety_records")
    for properties in (
        {"kind": "missing", "checked_on": "2026-01-03"},
        {"kind": "certificate", "checked_on": "2026-01-03", "valid_until": "2020-01-01"},
    ):
        sent = {"properties": {**values, **properties}, **SAID}
        assert api.ask("POST", files, "admin", body=sent).status_code == 202
        proposed = {"collection": "food_safety_records", "patch": {**values, **properties}, **SAID}
        receipt = api.ask("POST", "/proposals", "surveyor", body=proposed).json()["receipt"]
        assert api.get(f"/proposals/{receipt}", "officer")["risk"] == "adverse"
        assert _apply(api, receipt, "officer").status_code == 403
    assert api.get(place)["properties"]["food_safety_status"] == "committed"
    # What was found earlier takes nothing's place, and where nothing was told there is nothing to take away.
    api.add("food_safety_records", kind="missing", checked_on="2026-01-01", **values)
    assert api.get(place)["properties"]["food_safety_status"] == "committed"
    bare = api.add_place()
    api.add("food_safety_records", kind="missing", checked_on=DAY, establishment=code_of(bare), source="office")
    assert api.get(bare)["properties"]["food_safety_status"] == "missing"


def test_a_licence_is_not_ended_by_filling_in_a_day(api: Api) -> None:
    values = {"establishment": code_of(api.add_place()), "checked_on": DAY, "source": "office"}
    licence = api.add("licences", kind="tobacco_retail", **values)
    assert _write(api, "PATCH", licence, properties={"expires_on": "2020-01-01"}, **SAID).status_code == 202
    assert _write(api, "PATCH", licence, properties={"expires_on": "2190-01-01"}, **SAID).status_code == 200
    assert _write(api, "PATCH", licence, properties={"expires_on": "2189-01-01"}, **SAID).status_code == 202
    assert api.get(licence)["properties"]["status"] == "valid"


def test_what_a_proposer_claims_to_have_seen_does_not_lower_the_risk(api: Api) -> None:
    """A base as if the record had been bad all along: the stored record decides when it is applied."""
    values = {"establishment": code_of(api.add_place()), "inspected_on": DAY, "source": "office", "agency": "Đoàn"}
    draft = api.add("inspections", result="fail", **values)
    sent = {
        "collection": "inspections", "id": code_of(draft), "patch": {"signed_on": DAY}, "base_version": 1,
        "base": {"signed_on": None, "result": "pass"}, **SAID,
    }  # fmt: skip
    answer = api.ask("POST", "/proposals", "officer", body=sent)
    assert answer.status_code == 201
    assert _apply(api, answer.json()["receipt"], "officer").status_code == 403
    assert api.ask("GET", draft).status_code == 404, "nothing of it is public"


def test_a_merged_place_comes_back_only_with_its_merge_undone(api: Api) -> None:
    one, other = api.add_place(name="Quán Một"), api.add_place(name="Quán Hai")
    assert api.act(one, "merge", into=code_of(other), reason="trùng").status_code == 200
    refused = _apply(api, _proposed(api, one, {"ended": False}))
    assert refused.status_code == 422 and refused.json()["errors"][0]["code"] == "use_action"
    assert api.client.get(f"/q/{code_of(one)}", follow_redirects=False).status_code == 308
    back = api.act(one, "undo-merge")
    assert back.status_code == 200 and back.json()["properties"]["merged_into"] is None
    assert api.act(other, "merge", into=code_of(one), reason="trùng").status_code == 200
    assert _write(api, "DELETE", one, **SAID).status_code == 204
    ended = api.client.get(f"/q/{code_of(other)}", follow_redirects=True)
    assert ended.status_code == 410, "and no two lead to each other for ever"


def test_nothing_new_is_tied_to_what_no_longer_counts(api: Api) -> None:
    kept, gone = api.add_place(name="Quán Giữ"), api.add_place(name="Quán Bỏ")
    entity = api.add("legal_entities", registered_name="Công ty Thử", legal_form="enterprise")
    licence = {"kind": "tobacco_retail", "checked_on": DAY, "source": "office", "establishment": code_of(gone)}
    new_licence = {"collection": "licences", "patch": licence, "reason": "khảo sát"}
    payment = {"method": "momo", "accepted": True, "establishment": code_of(gone)}
    held = api.add("licences", **{**licence, "kind": "alcohol_retail"})
    waiting = [
        api.ask("POST", "/proposals", "surveyor", body=new_licence).json()["receipt"],
        api.ask(
            "POST", "/proposals", body={"collection": "payment_acceptances", "patch": payment, "reason": "đã trả"}
        ).json()["receipt"],
        _proposed(api, gone, {"name": "Quán Đổi Tên"}, "surveyor"),
        _proposed(api, held, {"issuer": "UBND"}, "surveyor"),
    ]  # fmt: skip
    assert api.act(gone, "merge", into=code_of(kept), reason="trùng").status_code == 200
    assert _write(api, "DELETE", entity, **SAID).status_code == 204

    refused = api.ask("POST", ITEMS.format("licences"), "officer", body={"properties": licence})
    assert [error["code"] for error in refused.json()["errors"]] == ["ended_reference"], refused.text
    tied = _write(api, "PATCH", kept, properties={"legal_entity": code_of(entity)})
    assert [error["pointer"] for error in tied.json()["errors"]] == ["/properties/legal_entity"]

    # What waited for the merged place is not lost, and not written where nobody would see it: reviewers are told.
    queue = {each["receipt"]: each for each in api.get("/proposals?limit=200", "officer")["proposals"]}
    for receipt in waiting:
        assert queue[receipt]["record_ended"] is True
        assert _apply(api, receipt).json()["type"].endswith("record_ended")
    assert api.act(gone, "undo-merge").status_code == 200
    for receipt in waiting:
        assert _apply(api, receipt).status_code == 200
    assert api.get(gone)["properties"]["name"] == "Quán Đổi Tên"
