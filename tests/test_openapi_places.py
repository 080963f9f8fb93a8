"""What the description of the API says of a place and of a report is all that they have, member for member."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import text

from postgis.actor import write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import life_cycle, records
from tests.small_ward import SmallWard, add_staff, fill, lift_warnings
from tests.staff_clients import Browser, location


@dataclass
class World:
    database: Database
    ward: SmallWard
    web: Browser

    def json(self, path: str) -> dict[str, Any]:
        answer = self.web.client.get(path, headers={"Accept": "application/json"}, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "openapi_places", template="base")
    yield World(own, fill(own, add_staff(own, "officer", "officer"), 6), Browser(own))
    own.dispose()
    drop_database(server, "openapi_places")


def closed(schema: Any) -> Any:
    """The schema with no member allowed but those it names."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(value) for name, value in schema.items()}
    return found | {"additionalProperties": False} if "properties" in found and "type" in found else found


def wrong(world: World, name: str, document: dict[str, Any]) -> list[str]:
    api = world.json("/ogc/api?f=json")
    schema = closed(api["components"]["schemas"][name])
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(document)]


def test_every_kind_of_place_has_what_the_schema_names_and_nothing_else(world: World) -> None:
    plain, replied, moved, onto, duplicate, failed = world.ward.places
    officer = add_staff(world.database, "second", "officer")
    with world.database.owner.begin() as owner:
        owner.execute(text("UPDATE register.warning SET reply = 'Đã khắc phục.', replied_on = '2026-03-01' WHERE "
                           "establishment_id = (SELECT id FROM register.establishment WHERE code = :place)"),
                      {"place": replied})  # fmt: skip
    for place in (moved, duplicate):
        lift_warnings(world.database, place)
    with write_as(world.database, officer, reason="thử") as connection:
        version = records.get(connection, "establishments", moved).version
        life_cycle.move(connection, moved, version, to=onto, on="2026-03-01", reason="thử")
        version = records.get(connection, "establishments", duplicate).version
        life_cycle.merge(connection, duplicate, version, into=plain, reason="trùng")
        values = {"establishment": failed, "inspected_on": "2026-02-03", "agency": "Đoàn thử", "result": "fail",
                  "official_words": "Chưa bảo đảm.", "signed_on": "2026-02-04", "source": "office"}  # fmt: skip
        records.create(connection, "inspections", values, ward_id=officer.ward_id)
    documents = {code: world.json(f"/q/{code}.json") for code in (plain, replied, moved, duplicate, failed)}
    for code, document in documents.items():
        assert wrong(world, "Place", document) == [], code
    assert documents[replied]["replies"][0]["reply"] == "Đã khắc phục."
    assert documents[moved]["moved_to"] == onto and documents[duplicate]["merged_from"] == duplicate
    assert documents[failed]["last_inspection"]["official_words"] == "Chưa bảo đảm." and documents[plain]["warnings"]
    # A member too many, one too few and one of another type are noticed, at every depth.
    whole = documents[replied]
    reply = whole["replies"][0]
    for other in (
        {**whole, "mood": 1},
        {name: value for name, value in whole.items() if name != "replies"},
        {**whole, "operating_status": "merry"},
        {**whole, "replies": [{**reply, "owner": "x"}]},
        {**whole, "replies": [{name: value for name, value in reply.items() if name != "replied_on"}]},
        {**whole, "warnings": [{**whole["warnings"][0], "issued_on": "soon"}]},
    ):
        assert wrong(world, "Place", other) != []


def test_a_report_has_what_the_schema_names_and_nothing_else(world: World) -> None:
    for code in (world.ward.places[0], "K7M42XPA"):
        sent = world.web.client.post(
            f"/q/{code}/report", data={"kind": "other", "words": "Cửa hàng đã đổi tên từ tuần trước."},
            files={"photo": ("", b"")},
        )  # fmt: skip
        document = world.json(location(sent).split("?")[0])
        assert wrong(world, "Report", document) == []
        assert wrong(world, "Report", {**document, "words": "x"}) != []
