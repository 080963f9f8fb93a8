"""The demo's past: every fact noted in its own week, the chain in order, and no such door for people."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from mapservice.sample import DEMO_PAST
from postgis.actor import write_as
from postgis.engine import Database
from postgis.store import past, records
from postgis.store.establishments import RECORD_TABLES, NewEstablishment
from tests.small_ward import MIDDLE, WARD, add_staff, fill

SINCE, UNTIL = date(2025, 10, 1), date(2026, 10, 1)
LON, LAT = MIDDLE[WARD]


def test_the_demo_has_a_year_of_history(demo_connection_as_owner: Connection) -> None:
    connection = demo_connection_as_owner
    told = connection.execute(
        text("SELECT min(at) AS first, max(at) AS last, bool_and(in_order) AS in_order FROM "
             "(SELECT at, at >= coalesce(lag(at) OVER (ORDER BY seq), at) AS in_order FROM register.change) c")
    ).one()  # fmt: skip
    assert (datetime.now(told.first.tzinfo) - told.first) >= DEMO_PAST - timedelta(days=2)
    assert told.in_order and told.last <= datetime.now(told.last.tzinfo)
    assert connection.execute(text("SELECT broken_seq FROM register.verify_changes()")).scalar_one() is None
    assert connection.execute(text("SELECT count(*) FROM register.altered_records()")).scalar_one() == 0
    known = [
        connection.execute(
            text("SELECT count(*) FILTER (WHERE accepts_cashless <> 'unknown') FROM "
                 "register.establishments_as_of('20257', now() - make_interval(months => :months))"),
            {"months": months},
        ).scalar_one()
        for months in (14, 11, 8, 4, 0)
    ]  # fmt: skip
    assert known[0] == 0
    assert known == sorted(set(known)), "each season knew more than the one before"


@pytest.fixture
def demo_connection_as_owner(demo_database: Database) -> Iterator[Connection]:
    with demo_database.owner.connect() as connection:
        yield connection


def _place(code: str, **values: object) -> NewEstablishment:
    stated = {"name": f"Quán minh họa {code}", "sector_group": "other", "source": "demo", "illustrative": True}
    return NewEstablishment(
        {"code": code, **stated, "position_method": "generated", "operating_status": "active", **values},
        WARD, LON, LAT,
    )  # fmt: skip


def test_it_ends_as_it_would_without_a_past(owner_connection: Connection) -> None:
    closed = _place("K4N6AR46", operating_status="closed", closed_on=date(2026, 3, 3), verified_on=date(2026, 3, 20))
    young = _place("3HMJR2W4", opened_on=date(2026, 6, 6), verified_on=date(2026, 7, 1))
    young.records = {
        "payment_acceptance": [
            {"method": "vietqr", "accepted": True, "evidence_level": "observed", "has_transactions": None,
             "checked_on": date(2026, 7, 1), "source": "demo"}
        ],
        "warning": [
            {"issued_on": date(2026, 7, 5), "lifted_on": date(2026, 8, 9), "headline": "Thử", "instruction": None,
             "agency": "Đoàn thử", "source": "demo"}
        ],
    }  # fmt: skip
    assert past.add_with_past(owner_connection, [closed, young], SINCE, UNTIL) == 2

    def at(day: str) -> dict[str, tuple[object, ...]]:
        found = owner_connection.execute(
            text("SELECT code, operating_status, closed_on, verified_on, accepts_cashless, live_warning "
                 "FROM register.establishments_as_of(:ward, :moment)"),
            {"ward": WARD, "moment": f"{day} 23:59+07"},
        )  # fmt: skip
        return {row.code: tuple(row[1:]) for row in found}

    was, then = str(closed.values["code"]), str(young.values["code"])
    assert at("2025-12-31") == {was: ("active", None, None, "unknown", False)}
    assert at("2026-04-01") == {was: ("closed", date(2026, 3, 3), date(2026, 3, 20), "unknown", False)}
    assert at("2026-06-15")[then] == ("active", None, None, "unknown", False)
    assert at("2026-07-20")[then] == ("active", None, date(2026, 7, 1), "yes", True)
    assert at("2026-10-02")[then] == ("active", None, date(2026, 7, 1), "yes", False)
    stored = owner_connection.execute(text("SELECT lifted_on FROM register.warning")).scalars().all()
    assert stored == [date(2026, 8, 9)]
    assert set(RECORD_TABLES) >= young.records.keys()


def test_no_person_says_when_a_change_was_made(database: Database) -> None:
    officer = add_staff(database, "officer", "officer")
    ward = fill(database, officer, 1)
    place = ward.places[0]
    with write_as(database, officer, reason="thử") as connection:
        connection.execute(text("SELECT set_config('mapservice.at', '2020-01-01T00:00:00+07:00', true)"))
        version = records.get(connection, "establishments", place).version
        records.change(connection, "establishments", place, version, {"offering": "mì"})
    with database.owner.connect() as connection:
        latest = connection.execute(text("SELECT at, now() FROM register.change ORDER BY seq DESC LIMIT 1")).one()
    assert latest[1] - latest[0] < timedelta(minutes=1)


@pytest.mark.parametrize("said", ["2020-01-01T00:00:00+07:00", "2999-01-01T00:00:00+07:00"])
def test_nor_does_a_sample_out_of_order(owner_connection: Connection, said: str) -> None:
    with past.noted_on(owner_connection, date(2026, 5, 5)):
        past.add_many(owner_connection, [_place("K4N6AR46")])
    owner_connection.execute(text("SELECT set_config('mapservice.at', :said, true)"), {"said": said})
    past.add_many(owner_connection, [_place("3HMJR2W4")])
    first, second = owner_connection.execute(text("SELECT at FROM register.change ORDER BY seq")).scalars()
    assert first <= second <= datetime.now(second.tzinfo)
