"""Gaps, who to visit in which order, and what came of the lists, against a street of which everything is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from layers import work, work_lists
from layers.indicators import Figure, Target
from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.errors import Forbidden, InvalidValues, NotFound, Stale
from postgis.store import proposals, records
from postgis.store import work as store
from postgis.store.work import Gap, Stop
from postgis.today import today
from tests.small_ward import OTHER_WARD, WARD, add_staff
from tests.work_ward import INDICATOR, STREET, add_street, plan

SAID = {"title": "Vận động", "due_on": "2100-01-01", "responsibility": "a", "product": "b", "expected_result": "c"}
GAP = Gap(INDICATOR, "street", STREET, Decimal(50), 3)


@dataclass
class Ward:
    database: Database
    actors: dict[str, Actor]
    shops: dict[str, str]

    def candidates(self, *standings: str) -> work.Candidates:
        with read_as(self.database, self.actors["officer"]) as connection:
            ward_id = self.actors["officer"].ward_id
            return work.candidates(connection, ward_id, INDICATOR, "street", STREET, standings)

    def make(
        self, who: str = "officer", assignee: str = "surveyor", stops: list[Stop] | None = None, **said: Any
    ) -> str:
        if stops is None:
            stops = [Stop(row["id"], row["standing"]) for row in self.candidates().rows]
        with write_as(self.database, self.actors[who], reason="thử") as connection:
            return store.make(connection, self.actors[who], GAP, {**SAID, **said}, assignee, stops)

    def outcomes(self, code: str) -> dict[str, str]:
        with read_as(self.database, self.actors["officer"]) as connection:
            found = work_lists.one(connection, code)
            assert found is not None
            return {row["name"].split()[-1]: row["outcome"] for row in work_lists.items(connection, found["id"])}

    def add(self, collection: str, shop: str, **values: Any) -> None:
        with write_as(self.database, self.actors["officer"], reason="thử") as connection:
            given = {"establishment": self.shops[shop], "source": "field_survey", **values}
            records.create(connection, collection, given, ward_id=self.actors["officer"].ward_id)


@pytest.fixture
def ward(server: Database, base_database: Database) -> Iterator[Ward]:
    base_database.dispose()
    own = create_database(server, "work", template="base")
    actors = {role: add_staff(own, role, role) for role in ("surveyor", "officer", "approver")}
    actors["other"] = add_staff(own, "other", "officer", OTHER_WARD)
    plan(own, WARD)
    yield Ward(own, actors, add_street(own, actors["officer"]))
    own.dispose()
    drop_database(server, "work")


@pytest.mark.parametrize(
    ("comparator", "value", "figure", "expected"),
    [
        ("at_least", 50, Figure("x", 12, 3, 2, 1), 3),
        ("more_than", 50, Figure("x", 12, 3, 2, 1), 4),
        ("at_least", 50, Figure("x", 13, 3, 2, 1), 4),
        ("at_least", 60.1, Figure("x", 10, 6, 4, 0), 1),
        ("at_least", 29, Figure("x", 100, 28, 4, 0), 1),
        ("at_least", 50, Figure("x", 12, 9, 2, 1), 0),
        ("more_than", 100, Figure("x", 12, 11, 1, 0), 1),
        ("at_least", 50, Figure("x"), 0),
    ],
)
def test_how_many_more_must_say_yes(comparator: str, value: float, figure: Figure, expected: int) -> None:
    """Of all that count, the unknown among them: the target is then met whatever they say."""
    assert work.needed(Target(today(), comparator, value), figure) == expected


def test_gaps_are_the_figures_of_the_board(ward: Ward) -> None:
    with read_as(ward.database, ward.actors["officer"]) as connection:
        found = work.gaps(connection, WARD, INDICATOR, "street", today())
        assert [(gap.code, gap.needed, gap.figure.yes, gap.figure.population) for gap in found.rows] == [
            (STREET, 3, 3, 12)
        ]
        assert (found.rows[0].figure.no, found.rows[0].figure.refused, found.rows[0].figure.not_surveyed) == (2, 1, 6)
        groups = work.gaps(connection, WARD, INDICATOR, "residential_group", today())
        assert (groups.rows, groups.outside) == ([], found.outside + 12), (
            "in no group: that is not to say that none lags"
        )
        assert work.gaps(connection, WARD, "online_selling", "street", today()).rows == [], (
            "no target of this ward's plan"
        )
    with read_as(ward.database, ward.actors["other"]) as connection:
        assert work.gaps(connection, WARD, INDICATOR, "street", today()).rows == [], "another ward's"


def test_candidates_are_those_who_do_not_meet_it_in_walking_order(ward: Ward) -> None:
    found = ward.candidates()
    names = [row["name"].split()[-1] for row in found.rows]
    assert names in (["5", "7", "9", "11", "12", "10", "8", "6", "4"], ["4", "6", "8", "10", "12", "11", "9", "7", "5"])
    assert {row["standing"] for row in found.rows if row["name"][-1] in "45"} == {"no"}
    assert [row["name"] for row in ward.candidates("refused").rows] == ["Quán số 6"]
    assert len(ward.candidates("not_surveyed").rows) == 6
    with read_as(ward.database, ward.actors["other"]) as connection:
        ward_id = ward.actors["officer"].ward_id
        assert work.candidates(connection, ward_id, INDICATOR, "street", STREET).rows == []
    with read_as(ward.database, ward.actors["officer"]) as connection, pytest.raises(KeyError):
        work.candidates(connection, ward_id, "retail_cashless_share", "street", STREET)


def test_a_place_is_on_one_open_list_of_an_indicator(ward: Ward) -> None:
    free = ward.candidates().rows
    code = ward.make(stops=[Stop(row["id"], row["standing"]) for row in free[:4]])
    left = ward.candidates()
    assert (len(left.rows), left.listed) == (5, 4)
    assert not {row["code"] for row in left.rows} & {row["code"] for row in free[:4]}
    with write_as(ward.database, ward.actors["officer"], reason="thử") as connection:
        store.close(connection, code, 1, "Xong")
    assert (len(ward.candidates().rows), ward.candidates().listed) == (9, 0)


def test_what_came_of_each_place(ward: Ward) -> None:
    code = ward.make()
    day = today().isoformat()
    assert set(ward.outcomes(code).values()) == {"left"}
    paid = {"accepted": True, "evidence_level": "observed", "checked_on": day}
    ward.add("payment_acceptances", "7", method="vietqr", **paid)
    ward.add("payment_acceptances", "8", method="cash_only", **paid)
    ward.add("visits", "9", visited_on=day, outcome="nobody_there")
    ward.add("visits", "10", visited_on=day, outcome="refused")
    ward.add("visits", "11", visited_on=day, outcome="not_found")
    ward.add("visits", "4", visited_on=day, outcome="surveyed")
    ward.add("visits", "5", visited_on="2026-02-04", outcome="nobody_there")
    with write_as(ward.database, ward.actors["surveyor"], reason="thử") as connection:
        patch = {"establishment": ward.shops["12"], "method": "momo", **paid}
        proposals.propose(
            connection, ward.actors["surveyor"], collection="payment_acceptances", record_code=None, patch=patch,
            reason="thử", source="field_survey",
        )  # fmt: skip
    with ward.database.owner.begin() as owner:
        gone = text("UPDATE register.establishment SET operating_status = 'closed' WHERE code = :code")
        owner.execute(gone, {"code": ward.shops["6"]})
    assert ward.outcomes(code) == {
        "4": "no", "5": "left", "6": "gone", "7": "yes", "8": "no", "9": "nobody_there", "10": "refused",
        "11": "not_found", "12": "proposed",
    }  # fmt: skip
    with read_as(ward.database, ward.actors["surveyor"]) as connection:
        found = work_lists.lists(connection)[0]
        counts = {name: found[name] for name in work_lists.PROGRESS}
        assert counts == {
            "places": 9, "visited": 8, "yes": 1, "no": 2, "proposed": 1, "refused": 1, "nobody_there": 1,
            "not_found": 1, "gone": 1, "left": 1,
        }  # fmt: skip
        assert len(work_lists.lists(connection, assignee=ward.actors["surveyor"].staff_id)) == 1
        assert work_lists.lists(connection, assignee=ward.actors["officer"].staff_id) == []


@pytest.mark.parametrize(
    ("said", "assignee", "expected"),
    [
        ({"title": " "}, "surveyor", {("title", "required")}),
        ({"due_on": "2020-01-01"}, "surveyor", {("due_on", "due_gone_by")}),
        ({"due_on": "mai"}, "other", {("due_on", "not_a_date"), ("assignee", "no_such_colleague")}),
        ({"product": "x" * 501}, "", {("product", "too_long"), ("assignee", "required")}),
        ({"responsibility": "\u202eabc"}, "surveyor", {("responsibility", "unreadable_text")}),
    ],
)
def test_all_six_are_clear_or_no_list_is_made(
    ward: Ward, said: dict[str, str], assignee: str, expected: set[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidValues) as refused:
        ward.make(assignee=assignee, **said)
    assert {(error.field, error.code) for error in refused.value.errors} == expected


def test_no_list_without_a_place_nor_of_too_many(ward: Ward) -> None:
    for stops, code in (([], "no_stops"), ([Stop(1, "no")] * 501, "too_many_stops")):
        with pytest.raises(InvalidValues) as refused:
            ward.make(stops=stops)
        assert [(error.field, error.code) for error in refused.value.errors] == [("places", code)]


def test_who_may_not_makes_and_changes_no_list(ward: Ward) -> None:
    free = [Stop(row["id"], row["standing"]) for row in ward.candidates().rows]
    with pytest.raises(Forbidden):
        ward.make("surveyor", stops=free)
    with pytest.raises(Forbidden):
        ward.make("other", assignee="other", stops=free)
    code = ward.make()
    with write_as(ward.database, ward.actors["surveyor"], reason="thử") as connection, pytest.raises(Forbidden):
        store.close(connection, code, 1, "Xong")
    with write_as(ward.database, ward.actors["other"], reason="thử") as connection, pytest.raises(NotFound):
        store.change(connection, ward.actors["other"], code, 1, SAID, "other")
    with read_as(ward.database, ward.actors["other"]) as connection:
        assert work_lists.one(connection, code) is None
        assert work_lists.lists(connection) == []


def test_of_two_who_change_a_list_the_second_is_told(ward: Ward) -> None:
    code = ward.make()
    officer = ward.actors["officer"]
    with write_as(ward.database, officer, reason="thử") as connection:
        store.change(connection, officer, code, 1, {**SAID, "title": "Khác"}, "officer")
    for late in (
        lambda connection: store.change(connection, officer, code, 1, SAID, "surveyor"),
        lambda connection: store.close(connection, code, 1, "Xong"),
    ):
        with write_as(ward.database, officer, reason="thử") as connection, pytest.raises(Stale):
            late(connection)
    with write_as(ward.database, officer, reason="thử") as connection:
        store.close(connection, code, 2, "Đạt 7 cơ sở")
    with write_as(ward.database, officer, reason="thử") as connection, pytest.raises(Stale):
        store.change(connection, officer, code, 3, SAID, "surveyor")
    with read_as(ward.database, officer) as connection:
        found = work_lists.lists(connection, closed=True)
        assert [(row["title"], row["assignee"], row["end_reason"]) for row in found] == [
            ("Khác", "officer", "Đạt 7 cơ sở")
        ]


def test_surveyors_note_visits_of_the_lists_that_they_were_given(ward: Ward) -> None:
    given = {"visited_on": today().isoformat(), "outcome": "refused", "source": "field_survey"}

    def visit(who: str, shop: str) -> None:
        with write_as(ward.database, ward.actors[who], reason="thử") as connection:
            values = {"establishment": ward.shops[shop], **given}
            records.create(connection, "visits", values, ward_id=ward.actors[who].ward_id)

    with pytest.raises(Forbidden):
        visit("surveyor", "9")
    code = ward.make()
    visit("surveyor", "9")
    with pytest.raises(Forbidden):
        visit("surveyor", "1")
    with pytest.raises(InvalidValues):
        visit("other", "9")
    with write_as(ward.database, ward.actors["officer"], reason="thử") as connection:
        store.close(connection, code, 1, "Xong")
    with pytest.raises(Forbidden):
        visit("surveyor", "8")
