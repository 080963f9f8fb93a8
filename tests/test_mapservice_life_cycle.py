"""What happens to a shop: every step changes what everybody sees, is in the history, and can be taken back."""

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from postgis import codes
from postgis.engine import Database
from tests.register_api import ITEMS, Api, code_of, register_api

TOMORROW = (date.today() + timedelta(days=2)).isoformat()
YESTERDAY = (date.today() - timedelta(days=2)).isoformat()


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "life_cycle") as found:
        yield found


def _refused(answer: httpx.Response, pointer: str) -> None:
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def _done(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["properties"]
    return found


def _status(api: Api, place: str) -> str:
    return str(api.get(place)["properties"]["operating_status"])


def test_suspended_and_reopened(api: Api) -> None:
    place = api.add_place()
    found = _done(api.act(place, "suspend", until=TOMORROW, reason="sửa quán"))
    assert (found["operating_status"], found["suspended_until"]) == ("suspended", TOMORROW)
    assert found["status_reason"] == "sửa quán"
    assert _status(api, place) == "suspended"
    found = _done(api.act(place, "reopen"))
    assert (found["operating_status"], found["suspended_until"], found["status_reason"]) == ("active", None, None)
    assert api.act(place, "reopen").status_code == 409
    _refused(api.act(place, "suspend", until=YESTERDAY), "/until")
    _refused(api.act(place, "suspend", until="mai"), "/until")
    _refused(api.act(place, "suspend", khi="mai"), "/khi")


def test_closed_and_reopened(api: Api) -> None:
    place = api.add_place(opened_on="2020-01-01")
    _refused(api.act(place, "close"), "/reason")
    _refused(api.act(place, "close", reason="nghỉ", on=TOMORROW), "/on")
    _refused(api.act(place, "close", reason="nghỉ", on="2019-01-01"), "/on")
    found = _done(api.act(place, "close", reason="chủ nghỉ bán", on=YESTERDAY))
    assert (found["operating_status"], found["closed_on"]) == ("closed", YESTERDAY)
    assert _status(api, place) == "closed", "a closed shop stays to be found"
    assert api.client.get(f"/q/{code_of(place)}").status_code == 200
    assert api.act(place, "close", reason="lại").status_code == 409
    assert api.act(place, "suspend").status_code == 409
    found = _done(api.act(place, "reopen"))
    assert (found["operating_status"], found["closed_on"]) == ("active", None)


def test_moved_to_another_address_keeps_its_code(api: Api) -> None:
    place = api.add_place(address="1 Đường Cũ", position_accuracy_m=5)
    point = {"type": "Point", "coordinates": [108.214, 16.044]}
    _refused(api.act(place, "move"), "/geometry")
    _refused(api.act(place, "move", geometry=point), "/position_method")
    _refused(
        api.act(place, "move", geometry={"type": "Point", "coordinates": [0, 0]}, position_method="gps"), "/geometry"
    )
    found = _done(api.act(place, "move", geometry=point, position_method="gps", address="9 Đường Mới"))
    assert (found["address"], found["position_method"], found["position_accuracy_m"]) == ("9 Đường Mới", "gps", None)
    assert found["operating_status"] == "active"
    assert api.get(place)["geometry"] == point
    last = api.get("/changes?since=0&limit=1000", "officer")["changes"][-1]
    assert last["before"]["address"] == "1 Đường Cũ" and last["after"]["address"] == "9 Đường Mới"


def test_moved_to_a_record_of_its_own_leads_there(api: Api) -> None:
    old, new = api.add_place(name="Quán Cũ"), api.add_place(name="Quán Mới")
    _refused(api.act(old, "move", to=code_of(old)), "/to")
    _refused(api.act(old, "move", to="22222222"), "/to")
    _refused(api.act(old, "move", to=api.other_ward.places[0]), "/to")
    found = _done(api.act(old, "move", to=codes.display(code_of(new)), reason="hết hạn thuê"))
    assert (found["operating_status"], found["moved_to"]) == ("moved", code_of(new))
    page = api.client.get(f"/q/{code_of(old)}")
    assert page.status_code == 200 and f'href="/q/{code_of(new)}"' in page.text
    assert api.client.get(f"/q/{code_of(old)}.json").json()["moved_to"] == code_of(new)


def test_changed_owner(api: Api) -> None:
    place = api.add_place(legal_form="household_business")
    company = code_of(api.add("legal_entities", registered_name="Công ty Thử", legal_form="enterprise"))
    _refused(api.act(place, "change-owner"), "/legal_entity")
    _refused(api.act(place, "change-owner", legal_entity="LE22222222"), "/legal_entity")
    _refused(api.act(place, "change-owner", legal_entity=api.other_ward.entities[0]), "/legal_entity")
    found = _done(api.act(place, "change-owner", legal_entity=company, reason="bán lại"))
    assert (found["legal_entity"], found["legal_form"]) == (company, "enterprise")
    _refused(api.act(place, "change-owner", legal_entity=company), "/legal_entity")


def test_a_duplicate_is_merged_leads_on_and_comes_back(api: Api) -> None:
    kept = api.add_place(name="Quán Thật")
    double = api.add_place(name="Quan That", operating_status="suspended", status_reason="nghỉ Tết")
    values = {"kind": "tobacco_retail", "checked_on": "2026-10-01", "source": "office"}
    licence = api.add("licences", establishment=code_of(double), **values)
    _refused(api.act(double, "merge", reason="trùng"), "/into")
    _refused(api.act(double, "merge", into=code_of(kept)), "/reason")
    _refused(api.act(double, "merge", into=code_of(double), reason="trùng"), "/into")
    merged = _done(api.act(double, "merge", into=code_of(kept), reason="trùng tên và địa chỉ"))
    assert merged["ended"] is True and merged["merged_into"] == code_of(kept)

    old, new = code_of(double), code_of(kept)
    gone = api.ask("GET", double)
    assert gone.status_code == 410 and new in gone.json()["detail"]
    assert old not in {feature["id"] for feature in api.get(ITEMS.format("establishments") + "?limit=1000")["features"]}
    assert api.ask("GET", licence).status_code == 404
    assert api.ask("GET", licence, "officer").status_code == 200, "its records stay with it"
    for ending in ("", ".json", ".svg", ".png"):
        answer = api.client.get(f"/q/{old}{ending}", follow_redirects=False)
        assert answer.status_code == 308 and answer.headers["location"].startswith(f"/q/{new}{ending}")
        assert answer.headers["cache-control"] == "no-cache", "a merge can be undone"
    page = api.client.get(f"/q/{old}")
    assert page.status_code == 200 and codes.display(old) in page.text
    assert api.client.get(f"/q/{old}.json").json()["merged_from"] == old
    assert codes.display(old) not in api.client.get(f"/q/{new}").text
    forged = api.client.get(f"/q/{new}.json?from={api.ward.places[0]}")
    assert "merged_from" not in forged.json(), "what an address claims is not repeated"

    assert api.act(double, "close", reason="x").status_code == 409
    assert api.act(kept, "undo-merge").status_code == 409
    back = _done(api.act(double, "undo-merge"))
    assert (back["ended"], back["merged_into"]) == (False, None)
    assert (back["operating_status"], back["status_reason"]) == ("suspended", "nghỉ Tết"), "as it was before"
    assert api.client.get(f"/q/{old}", follow_redirects=False).status_code == 200
    assert api.ask("GET", licence).status_code == 200


def test_merged_twice_and_undone_in_between(api: Api) -> None:
    first, second, third = (api.add_place(name=f"Quán {number}") for number in range(3))
    _done(api.act(first, "merge", into=code_of(second), reason="trùng"))
    _refused(api.act(third, "merge", into=code_of(first), reason="trùng"), "/into")
    _done(api.act(second, "merge", into=code_of(third), reason="trùng"))
    found = api.client.get(f"/q/{code_of(first)}", follow_redirects=True)
    assert found.url.path == f"/q/{code_of(third)}", "one leads to the next"
    _done(api.act(second, "undo-merge"))
    assert api.client.get(f"/q/{code_of(first)}", follow_redirects=True).url.path == f"/q/{code_of(second)}"


def test_a_code_is_answered_for_ever(api: Api) -> None:
    place = api.add_place()
    code = code_of(place)
    assert api.ask("DELETE", place, "officer", seen=api.etag(place), body={"reason": "gõ hai lần"}).status_code == 204
    page = api.client.get(f"/q/{code}", headers={"Accept": "text/html"})
    assert page.status_code == 410 and codes.display(code) in page.text and "<form" in page.text
    assert "gõ hai lần" not in page.text, "the reason is the office's own"
    for ending in (".json", ".svg", ".png"):
        answer = api.client.get(f"/q/{code}{ending}")
        assert answer.status_code == 410 and answer.json()["type"].endswith("ended_code")
    english = api.client.get(f"/q/{code}?lang=en")
    assert english.status_code == 410 and "no longer in use" in english.text


def test_who_may_take_a_step(api: Api) -> None:
    place = api.add_place()
    seen = api.etag(place)
    for who, code in ((None, 401), ("surveyor", 403), ("other", 403), ("reader", 403)):
        answer = api.ask("POST", f"{place}/close", who, seen=seen, body={"reason": "x"})
        assert answer.status_code == code, (who, answer.text)
    assert api.ask("POST", f"{place}/close", "officer", body={"reason": "x"}).status_code == 428
    assert api.ask("POST", f"{place}/close", "officer", seen='"9-a"', body={"reason": "x"}).status_code == 412
    assert api.ask("POST", f"{place}/explode", "officer", seen=seen, body={}).status_code == 404
    licence = ITEMS.format("licences") + f"/{api.ward.codes['licences'][0]}"
    assert api.ask("POST", f"{licence}/close", "officer", seen=api.etag(licence), body={}).status_code == 404
    assert _status(api, place) == "active"


def test_two_people_merge_two_places_into_each_other_at_once(api: Api) -> None:
    """One of them comes second: the place that they lead to has ended by then."""
    one, other = api.add_place(name="Quán Một"), api.add_place(name="Quán Hai")
    seen = {place: api.etag(place) for place in (one, other)}
    answers: dict[str, httpx.Response] = {}
    together = threading.Barrier(2)

    def merge(place: str, into: str, who: str) -> None:
        together.wait()
        body = {"into": code_of(into), "reason": "trùng"}
        answers[place] = api.ask("POST", f"{place}/merge", who, seen=seen[place], body=body)

    threads = [threading.Thread(target=merge, args=each) for each in ((one, other, "officer"), (other, one, "admin"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers.values()) == [200, 422]
    kept, gone = (one, other) if answers[other].status_code == 200 else (other, one)
    assert api.client.get(f"/q/{code_of(gone)}", follow_redirects=True).url.path == f"/q/{code_of(kept)}"
    assert api.get(kept)["properties"]["operating_status"] == "active"
