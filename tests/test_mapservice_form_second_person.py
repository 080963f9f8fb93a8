"""What may harm somebody needs a second person on the staff's forms too, whatever a form says that it was made from."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text

from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import records
from postgis.store.records import Record
from tests.record_pages import errors_at, form_to
from tests.small_ward import SmallWard, add_staff, fill
from tests.staff_clients import Browser, add_member, location

GROUNDS = {"evidence": "biên bản số 1", "legal_basis": "Luật An toàn thực phẩm 2010", "reason": "thử hai người"}


@dataclass
class World:
    database: Database
    ward: SmallWard
    planter: Actor
    officer: Browser

    def record(self, collection: str, code: str) -> Record:
        with read_as(self.database, self.planter) as connection:
            return records.get(connection, collection, code)

    def code_of(self, collection: str) -> str:
        """The record that belongs to the first place."""
        return self.ward.codes[collection][0]

    def errors(self, page: str, collection: str, code: str, step: str, name: str) -> list[str]:
        return errors_at(page, name, f"/staff/establishments/{self.ward.places[0]}/{collection}/{code}{step}")

    def send(
        self, collection: str, code: str, seen: dict[str, object] | None = None, step: str = "", **typed: str
    ) -> httpx.Response:
        """Sends a form of the first place's page, with a `seen` of the sender's own if one is given."""
        page = f"/staff/establishments/{self.ward.places[0]}"
        action = f"{page}/{collection}/{code}{step}"
        values = form_to(self.officer.get(page).text, action).values(**typed)
        if seen is not None:
            values["seen"] = [json.dumps({**json.loads(values["seen"][0]), **seen})]
        return self.officer.client.post(action, data=values)

    def proposals(self) -> int:
        with self.database.owner.connect() as connection:
            return int(
                connection.execute(
                    text("SELECT count(*) FROM register.proposal WHERE risk = 'adverse' AND state = 'pending'")
                ).scalar_one()
            )


@pytest.fixture
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "second_person", template="base")
    planter = add_staff(own, "planter", "officer")
    ward = fill(own, planter, 2)
    add_member(own, "lan", "officer")
    browser = Browser(own)
    location(browser.sign_in("lan"))
    yield World(own, ward, planter, browser)
    own.dispose()
    drop_database(server, "second_person")


def test_a_forged_starting_point_hides_no_harm(world: World) -> None:
    code = world.code_of("licences")
    with write_as(world.database, world.planter, reason="thử") as connection:
        before = records.get(connection, "licences", code)
        records.change(connection, "licences", code, before.version, {"expires_on": "2030-01-01"})
    answer = world.send("licences", code, seen={"expires_on": None}, expires_on="31/12/2026", reason="thử")
    assert answer.status_code == 422
    for name in ("evidence", "legal_basis"):
        assert world.errors(answer.text, "licences", code, "", name), name
    answer = world.send("licences", code, seen={"expires_on": None}, expires_on="31/12/2026", **GROUNDS)
    assert "done=proposed" in location(answer)
    assert world.record("licences", code).values["expires_on"] == "2030-01-01"
    assert world.proposals() == 1


def test_what_was_ended_is_not_brought_back_by_one_person(world: World) -> None:
    code = world.code_of("warnings")
    with write_as(world.database, world.planter, reason="nhầm") as connection:
        before = records.get(connection, "warnings", code)
        records.end(connection, "warnings", code, before.version, "nhầm")
    answer = world.send("warnings", code, step="/restore", reason="không nhầm")
    assert answer.status_code == 422
    assert world.errors(answer.text, "warnings", code, "/restore", "evidence")
    assert world.record("warnings", code).ended
    answer = world.send("warnings", code, step="/restore", **GROUNDS)
    assert "done=proposed" in location(answer)
    assert world.record("warnings", code).ended
    assert world.proposals() == 1


def test_harmless_changes_need_nobody_else(world: World) -> None:
    code = world.code_of("licences")
    location(world.send("licences", code, number="01/GP", reason="bổ sung số"))
    assert world.record("licences", code).values["number"] == "01/GP"
    assert world.proposals() == 0


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_kept(world: World) -> None:
    code = world.code_of("licences")
    answer = world.send("licences", code, expires_on="31/02/2026", number="x" * 5000)
    assert answer.status_code == 422
    for name in ("expires_on", "number", "reason"):
        assert world.errors(answer.text, "licences", code, "", name), name
    assert world.record("licences", code).version == 1
