"""A POST sent again, because its answer was lost on the way, makes nothing twice."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from postgis.engine import Database
from tests.register_api import ITEMS, Api, code_of, register_api

PLACES = ITEMS.format("establishments")
KEY = "5f0c9f3e-0b1d-4a76-9d5e-2f1c7a3b9e10"
POINT = {"type": "Point", "coordinates": [108.2136, 16.0432]}


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "sent_twice") as found:
        yield found


def _body(name: str) -> dict[str, Any]:
    properties = {"name": name, "sector_group": "other", "source": "office", "position_method": "map"}
    return {"type": "Feature", "geometry": POINT, "properties": properties}


def _named(api: Api, name: str) -> int:
    with api.database.owner.connect() as connection:
        found = text("SELECT count(*) FROM register.establishment WHERE name = :name")
        return int(connection.execute(found, {"name": name}).scalar_one())


def test_the_same_request_makes_one_record(api: Api) -> None:
    first = api.ask("POST", PLACES, "officer", body=_body("Quán Gửi Hai Lần"), idempotency_key=KEY)
    again = api.ask("POST", PLACES, "officer", body=_body("Quán Gửi Hai Lần"), idempotency_key=KEY)
    assert first.status_code == again.status_code == 201
    assert first.headers["location"] == again.headers["location"] and first.json() == again.json()
    assert _named(api, "Quán Gửi Hai Lần") == 1
    path = f"{PLACES}/{first.json()['id']}"
    changed = api.ask("PATCH", path, "officer", seen=again.headers["etag"], body={"properties": {"name": "Quán Khác"}})
    assert changed.status_code == 200, "the ETag of either answer is good for the next write"
    later = api.ask("POST", PLACES, "officer", body=_body("Quán Gửi Hai Lần"), idempotency_key=KEY)
    assert later.headers["etag"] == changed.headers["etag"] and later.json()["properties"]["name"] == "Quán Khác"


def test_at_the_same_time_too(api: Api) -> None:
    answers = []

    def send() -> None:
        answers.append(api.ask("POST", PLACES, "officer", body=_body("Quán Cùng Lúc"), idempotency_key="cung-luc-01"))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1 and _named(api, "Quán Cùng Lúc") == 1


def test_an_adverse_fact_is_proposed_once(api: Api) -> None:
    values = {"issued_on": "2026-01-02", "headline": "Tạm dừng", "agency": "UBND", "source": "office"}
    body = {"type": "Feature", "geometry": None, "properties": {**values, "establishment": api.ward.places[0]}}
    first, again = (
        api.ask("POST", ITEMS.format("warnings"), "officer", body=body, idempotency_key="canh-bao-01") for _ in range(2)
    )
    assert first.status_code == again.status_code == 202 and first.json() == again.json()


def test_a_key_stands_for_one_content_of_one_person(api: Api) -> None:
    first = api.ask("POST", PLACES, "officer", body=_body("Quán Một"), idempotency_key="khoa-rieng-01")
    assert first.status_code == 201
    other = api.ask("POST", PLACES, "officer", body=_body("Quán Hai"), idempotency_key="khoa-rieng-01")
    assert other.status_code == 422 and other.json()["type"].endswith("key_reused")
    collection = api.ask(
        "POST", ITEMS.format("model_sites"), "officer", body=_body("Q"), idempotency_key="khoa-rieng-01"
    )
    assert collection.status_code == 422 and collection.json()["type"].endswith("key_reused")
    approver = api.ask("POST", PLACES, "approver", body=_body("Quán Một"), idempotency_key="khoa-rieng-01")
    assert approver.status_code == 201 and approver.json()["id"] != first.json()["id"]
    for wrong in ("ngan", "", "a b c d e f g", "x" * 201):
        answer = api.ask("POST", PLACES, "officer", body=_body("Quán Ba"), idempotency_key=wrong)
        assert answer.status_code == 400 and answer.json()["type"].endswith("invalid_key"), wrong


def test_what_was_refused_may_be_put_right_under_the_same_key(api: Api) -> None:
    wrong = _body("Quán Sai")
    wrong["properties"]["sector_group"] = "no_such_group"
    assert api.ask("POST", PLACES, "officer", body=wrong, idempotency_key="sua-lai-01").status_code == 422
    right = api.ask("POST", PLACES, "officer", body=_body("Quán Sai"), idempotency_key="sua-lai-01")
    assert right.status_code == 201


def test_a_key_is_forgotten_after_a_day(api: Api) -> None:
    first = api.ask("POST", PLACES, "officer", body=_body("Quán Hôm Qua"), idempotency_key="hom-qua-01")
    with api.database.owner.begin() as connection:
        connection.execute(text("UPDATE account.write_key SET at = at - interval '25 hours'"))
    second = api.ask("POST", PLACES, "officer", body=_body("Quán Hôm Nay"), idempotency_key="hom-qua-01")
    assert second.status_code == 201 and second.json()["id"] != code_of(first.headers["location"])
    with api.database.owner.connect() as connection:
        own = text("SELECT key FROM account.write_key WHERE staff_id = :id")
        kept = connection.execute(own, {"id": api.actors["officer"].staff_id}).scalars().all()
    assert kept == ["hom-qua-01"], "and the others of that day with it"
