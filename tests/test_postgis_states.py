"""States: what the register knew of each establishment and when, kept at each change, and the same made anew from the
history."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from layers import states
from layers.standing import state_read
from postgis import cells
from postgis.actor import Actor, note_source, read_as, write_as
from postgis.engine import Database
from postgis.store import records
from postgis.today import VIETNAM, end_of, today
from tests.small_ward import MIDDLE, OTHER_WARD, WARD, SmallWard, add_staff, fill, lift_warnings

EDITS = 120
SAME = (
    "code", "legal_form", "sector_group", "operating_status", "opened_on", "closed_on", "verified_on", "source",
    "illustrative", "licence_state", "licence_valid_until", "licence_checked_on", "food_safety_kind",
    "food_safety_valid_until", "food_safety_checked_on", "last_inspection_result", "last_inspection_on", "live_warning",
    "payment_methods", "payment_checked_on", "accepts_cashless", "active_acceptance", "on_digital_platform",
    "digital_checked_on",
)  # fmt: skip
"""What register.establishments_as_of says too."""
_CODES = {
    "residential_group": "(SELECT g.code FROM register.residential_group g WHERE g.id = s.residential_group_id)",
    "model_site": "(SELECT m.code FROM register.model_site m WHERE m.id = s.model_site_id)",
    "has_name": "has_name",
}
_SCAN = f"""
    SELECT {", ".join(SAME)}, {", ".join(f"{sql} AS {name}" for name, sql in _CODES.items())}
      FROM register.establishment_state s
     WHERE ward_id = (SELECT id FROM register.ward WHERE code = :ward AND valid_to IS NULL)
       AND known_from <= :moment AND :moment < known_to ORDER BY establishment_id
"""
_HISTORY = f"""
    SELECT {", ".join(SAME)}, residential_group, model_site, name IS NOT NULL FROM
    register.establishments_as_of(:ward, :moment)
"""
_ALL = """
    SELECT to_jsonb(s) - 'id' || jsonb_build_object('point', ST_AsText(s.point)) FROM register.establishment_state s
     ORDER BY s.establishment_id, s.known_from
"""


@pytest.fixture
def officer(database: Database) -> Actor:
    return add_staff(database, "officer", "officer")


@pytest.fixture
def small(database: Database, officer: Actor) -> SmallWard:
    return fill(database, officer, 6)


def _edits(ward: SmallWard, chance: random.Random) -> Any:
    """One random edit of a place or of one of its records, as officers make them."""
    lon, lat = MIDDLE[WARD]
    one = chance.randrange(len(ward.places))
    place = ward.places[one]
    day = (date(2026, 1, 1) + timedelta(days=chance.randrange(300))).isoformat()
    about = {"establishment": place, "source": "office"}

    def change(collection: str, code: str, **values: object) -> Any:
        def run(connection: Connection) -> None:
            record = records.get(connection, collection, code)
            if not record.ended:
                records.change(connection, collection, code, record.version, values)

        return run

    def turn(collection: str, code: str) -> Any:
        """Ends a record, or brings it back."""

        def run(connection: Connection) -> None:
            record = records.get(connection, collection, code)
            if record.ended:
                records.bring_back(connection, collection, code, record.version)
            else:
                records.end(connection, collection, code, record.version, "thử")

        return run

    def add(collection: str, **values: object) -> Any:
        return lambda connection: records.create(connection, collection, {**about, **values}, ward_id=0)

    def visit(connection: Connection) -> None:
        connection.execute(
            text("INSERT INTO register.visit (establishment_id, visited_on, outcome, source) "
                 "SELECT id, :day, :outcome, 'office' FROM register.establishment WHERE code = :place"),
            {"day": day, "outcome": chance.choice(["surveyed", "refused", "refused", "nobody_there"]), "place": place},
        )  # fmt: skip

    where = [round(lon + chance.uniform(-0.002, 0.002), 7), round(lat + chance.uniform(-0.002, 0.002), 7)]
    method = chance.choice(["vietqr", "momo", "cash_only", "pos_card"])
    level = chance.choice(["declared", "observed", "documented"])
    site = ward.codes["model_sites"][0]
    return chance.choice([
        change("establishments", place, name=chance.choice([None, f"Quán {chance.randrange(99)}"])),
        change("establishments", place, geometry={"type": "Point", "coordinates": where}),
        change("establishments", place, operating_status=chance.choice(["active", "closed", "suspended", "unknown"])),
        change("establishments", place, legal_form=chance.choice(["enterprise", "household_business"])),
        change("establishments", place, model_site=chance.choice([None, site])),
        change("establishments", place, opened_on=day),
        turn("establishments", place),
        turn("model_sites", site),
        turn("licences", ward.codes["licences"][one]),
        turn("payment_acceptances", ward.codes["payment_acceptances"][one]),
        change("inspections", ward.codes["inspections"][one], result=chance.choice(["pass", "fail"])),
        change("food_safety_records", ward.codes["food_safety_records"][one], valid_until="2027-01-01"),
        add("payment_acceptances", method=method, accepted=chance.random() < 0.7, evidence_level=level, checked_on=day),
        add("digital_uses", kind=chance.choice(["e_invoice", "website"]), used=chance.random() < 0.6, checked_on=day),
        add("outreach", kind="visit", done_on=day, topic="Thử"),
        visit,
    ])  # fmt: skip


def _edit(database: Database, officer: Actor, ward: SmallWard, chance: random.Random, edits: int) -> list[datetime]:
    """Random edits, some of several steps; returns moments between them."""
    moments = [datetime.now(UTC)]
    for _ in range(edits):
        try:
            with write_as(database, officer, reason="thử", source="office") as connection:
                for _ in range(chance.choice([1, 1, 1, 3])):
                    _edits(ward, chance)(connection)
        except records.InvalidValues:
            continue  # its place has ended
        moments.append(datetime.now(UTC))
    return moments


@pytest.fixture
def edited(database: Database, officer: Actor, small: SmallWard) -> list[datetime]:
    for place in small.places:
        lift_warnings(database, place)
    other = fill(database, add_staff(database, "xa", "officer", OTHER_WARD), 2)
    assert other.places
    return _edit(database, officer, small, random.Random(7), EDITS)


def _compare(connection: Connection, ward: str, moment: datetime) -> int:
    kept = connection.execute(text(_SCAN), {"ward": ward, "moment": moment}).all()
    told = connection.execute(text(_HISTORY), {"ward": ward, "moment": moment}).all()
    assert kept == told
    return len(kept)


def test_states_are_what_the_history_says(database: Database, edited: list[datetime]) -> None:
    with database.owner.connect() as connection:
        sites = connection.execute(text("SELECT count(*) FROM register.change WHERE collection = 'model_sites'"))
        assert sites.scalar_one() > 2
        # Places keep naming a site that has ended; their states do not: whether a site counts is a test of its own.
        found = {_without_sites(connection, WARD, moment) for moment in edited}
        assert len(found) > 1
        _without_sites(connection, OTHER_WARD, edited[-1])


def _without_sites(connection: Connection, ward: str, moment: datetime) -> int:
    kept = connection.execute(text(_SCAN), {"ward": ward, "moment": moment}).mappings().all()
    told = connection.execute(text(_HISTORY), {"ward": ward, "moment": moment}).mappings().all()
    left_out = {"model_site"}
    assert [{k: v for k, v in row.items() if k not in left_out and k in SAME} for row in kept] == [
        {k: v for k, v in row.items() if k not in left_out and k in SAME} for row in told
    ]
    return len(kept)


@pytest.mark.usefixtures("edited")
def test_states_made_anew_are_those_kept(database: Database) -> None:
    with database.owner.begin() as connection:
        kept = connection.execute(text(_ALL)).scalars().all()
        assert len(kept) > EDITS / 3
        standing = state_read(connection)
        built = connection.execute(text("SELECT register.rebuild_states()")).scalar_one()
        assert state_read(connection) != standing, "what was kept of the old states is not to be used"
        cells.fill(connection)
        again = connection.execute(text(_ALL)).scalars().all()
    assert built == len(kept)
    for was, now in zip(kept, again, strict=True):
        assert was == now
    with database.owner.begin() as connection:
        connection.execute(text("SELECT register.rebuild_states(:ward)"), {"ward": WARD})
    with database.owner.connect() as connection:
        assert connection.execute(text(_ALL)).scalars().all() == kept, "of one ward alone, with cells at the commit"


@pytest.mark.usefixtures("edited")
def test_stretches_follow_each_other_and_differ(database: Database) -> None:
    with database.owner.connect() as connection:
        columns = connection.execute(text("SELECT register.state_columns('s')")).scalar_one()
        wrong = connection.execute(
            text(f"""
                SELECT count(*) FROM (
                    SELECT known_from, known_to, lag(known_to) OVER w AS before, ({columns}) IS NOT DISTINCT FROM
                           lag(({columns})) OVER w AS same
                      FROM register.establishment_state s
                    WINDOW w AS (PARTITION BY establishment_id ORDER BY known_from)
                ) s WHERE known_from < before OR same AND known_from = before
            """)
        ).scalar_one()
        moments = connection.execute(
            text("SELECT count(*) FROM register.establishment_state s WHERE NOT EXISTS "
                 "(SELECT FROM register.change c WHERE c.at = s.known_from)")
        ).scalar_one()  # fmt: skip
    assert (wrong, moments) == (0, 0)


def test_an_ended_place_has_no_open_state(database: Database, officer: Actor, small: SmallWard) -> None:
    place = small.places[0]
    lift_warnings(database, place)

    def open_states() -> list[str]:
        with database.owner.connect() as connection:
            return list(
                connection.execute(
                    text("SELECT operating_status FROM register.establishment_state WHERE code = :place "
                         "AND known_to = 'infinity'"), {"place": place},
                ).scalars()
            )  # fmt: skip

    assert open_states() == ["active"]
    left: list[str]
    for step, values, left in ((records.end, ["thử"], []), (records.bring_back, [], ["active"])):
        with write_as(database, officer, reason="thử") as connection:
            version = records.get(connection, "establishments", place).version
            step(connection, "establishments", place, version, *values)
        assert open_states() == left


def test_a_transaction_is_one_moment(database: Database, officer: Actor, small: SmallWard) -> None:
    with write_as(database, officer, reason="thử") as connection:
        for name in ("Một", "Hai", "Ba"):
            for place in small.places:
                version = records.get(connection, "establishments", place).version
                records.change(connection, "establishments", place, version, {"name": f"Quán {name}", "kind": name})
    with database.owner.connect() as connection:
        found = connection.execute(
            text(
                "SELECT count(DISTINCT at), count(*) FROM register.change "
                "WHERE seq > (SELECT max(seq) - 18 FROM register.change)"
            )
        ).one()
        kinds = connection.execute(
            text(
                "SELECT array_agg(kind ORDER BY known_from) FROM register.establishment_state GROUP BY establishment_id"
            )
        ).scalars()
        assert found == (1, 18)
        assert all(each[-1] == "Ba" and "Hai" not in each for each in kinds)


def test_what_is_taken_back_in_a_transaction_was_never_known(
    database: Database, officer: Actor, small: SmallWard
) -> None:
    place = small.places[0]
    stretches = text(
        "SELECT known_from, known_to, cells FROM register.establishment_state WHERE code = :place ORDER BY 1"
    )
    with database.owner.connect() as connection:
        before = connection.execute(stretches, {"place": place}).all()
    with write_as(database, officer, reason="thử") as connection:
        for kind in ("x", None):
            version = records.get(connection, "establishments", place).version
            records.change(connection, "establishments", place, version, {"kind": kind})
    with database.owner.connect() as connection:
        assert connection.execute(stretches, {"place": place}).all() == before
    lift_warnings(database, place)
    with database.owner.connect() as connection:
        before = connection.execute(stretches, {"place": place}).all()
    with write_as(database, officer, reason="thử") as connection:
        for step in (lambda *of: records.end(*of, "thử"), records.bring_back):
            step(connection, "establishments", place, records.get(connection, "establishments", place).version)
    with database.owner.connect() as connection:
        assert connection.execute(stretches, {"place": place}).all() == before


def test_a_site_that_ends_counts_no_longer(database: Database, officer: Actor, small: SmallWard) -> None:
    place, site = small.places[0], small.codes["model_sites"][0]

    def step(collection: str, code: str, done: Any, *values: Any) -> datetime:
        with write_as(database, officer, reason="thử") as connection:
            done(connection, collection, code, records.get(connection, collection, code).version, *values)
        return datetime.now(UTC)

    inside = step("establishments", place, records.change, {"model_site": site})
    ended = step("model_sites", site, records.end, "thử")
    again = step("model_sites", site, records.bring_back)
    with read_as(database, officer) as connection:
        found = [
            connection.execute(
                text("SELECT model_site_id IS NOT NULL FROM register.establishment_state "
                     "WHERE code = :place AND known_from <= :moment AND :moment < known_to"),
                {"place": place, "moment": moment},
            ).scalar_one()
            for moment in (inside, ended, again)
        ]  # fmt: skip
    assert found == [True, False, True]


def test_facts_of_visits_and_outreach(database: Database, officer: Actor, small: SmallWard) -> None:
    place = small.places[0]
    said = text("SELECT refused_on, outreach_on, payment_methods, payment_evidence, digital_used, digital_unused "
                "FROM register.establishment_state WHERE code = :place AND known_to = 'infinity'")  # fmt: skip

    def now() -> Any:
        with database.owner.connect() as connection:
            return connection.execute(said, {"place": place}).one()

    def visit(day: str, outcome: str) -> None:
        with write_as(database, officer, reason="thử") as connection:
            connection.execute(
                text("INSERT INTO register.visit (establishment_id, visited_on, outcome, source) "
                     "SELECT id, :day, :outcome, 'office' FROM register.establishment WHERE code = :place"),
                {"place": place, "day": day, "outcome": outcome},
            )  # fmt: skip

    assert now() == (None, date(2026, 1, 2), ["vietqr"], ["observed"], ["e_invoice"], [])
    visit("2026-01-02", "refused")
    assert now().refused_on is None, "payment was learnt that day"
    visit("2026-02-02", "refused")
    assert now().refused_on == date(2026, 2, 2)
    visit("2026-02-01", "nobody_there")
    assert now().refused_on == date(2026, 2, 2), "the latest visit counts"
    about = {"establishment": place, "source": "office"}
    with write_as(database, officer, reason="thử") as connection:
        paid = {"method": "momo", "accepted": True, "evidence_level": "declared", "checked_on": "2026-03-01"}
        records.create(connection, "payment_acceptances", about | paid, ward_id=0)
        records.create(
            connection,
            "digital_uses",
            about | {"kind": "website", "used": False, "checked_on": "2026-03-01"},
            ward_id=0,
        )
    assert now() == (None, date(2026, 1, 2), ["momo", "vietqr"], ["declared", "observed"], ["e_invoice"], ["website"])


def test_cash_only_ends_with_a_later_acceptance(database: Database, officer: Actor, small: SmallWard) -> None:
    """Whether the later method is used is unknown then, and not a no; and cash is no transaction without cash."""
    place = small.places[0]

    def now(method: str, day: str, *, transactions: bool | None) -> Any:
        said = {"establishment": place, "source": "office", "method": method, "accepted": True, "checked_on": day}
        said |= {"evidence_level": "observed", "has_transactions": transactions}
        with write_as(database, officer, reason="thử") as connection:
            records.create(connection, "payment_acceptances", said, ward_id=0)
        with database.owner.connect() as connection:
            facts = text("SELECT accepts_cashless, active_acceptance FROM register.establishment_state "
                         "WHERE code = :place AND known_to = 'infinity'")  # fmt: skip
            return tuple(connection.execute(facts, {"place": place}).one())

    assert now("cash_only", "2026-02-01", transactions=True) == ("no", "no")
    assert now("vietqr", "2026-03-01", transactions=None) == ("yes", "unknown")
    assert now("momo", "2026-03-01", transactions=False) == ("yes", "unknown")
    assert now("momo", "2026-03-02", transactions=True) == ("yes", "yes")
    assert now("cash_only", "2026-04-01", transactions=None) == ("no", "no")


def test_the_public_is_not_told_of_visits(database: Database, officer: Actor, small: SmallWard) -> None:
    """Neither that nor when somebody came: the moment of the last update would say it."""
    shown = text("SELECT to_jsonb(e) FROM published.establishments e WHERE code = :place")
    with database.public.connect() as reader:
        before = reader.execute(shown, {"place": small.places[0]}).scalar_one()
    with write_as(database, officer, reason="thử") as connection:
        connection.execute(
            text("INSERT INTO register.visit (establishment_id, visited_on, outcome, source) SELECT id, '2026-09-09', "
                 "'refused', 'office' FROM register.establishment")
        )  # fmt: skip
        outreach = {"establishment": small.places[0], "source": "office", "kind": "visit", "done_on": "2026-09-09"}
        records.create(connection, "outreach", outreach | {"topic": "Thử"}, ward_id=0)
    with database.public.connect() as reader:
        assert reader.execute(shown, {"place": small.places[0]}).scalar_one() == before
        told = reader.execute(text("SELECT DISTINCT collection FROM published.touched(0, 1000000)")).scalars().all()
    assert not {"visits", "outreach"} & set(told)


@pytest.mark.usefixtures("edited")
def test_every_point_has_its_cells(database: Database) -> None:
    from h3.api import basic_str as h3

    with database.owner.connect() as connection:
        rows = connection.execute(
            text("SELECT ST_X(point), ST_Y(point), cells FROM register.establishment_state")
        ).all()
        outlined = connection.execute(
            text("SELECT cell, resolution, ST_AsText(geom), ST_Contains(geom, :point) FROM register.h3_cell"),
            {"point": f"SRID=4326;POINT({rows[0][0]} {rows[0][1]})"},
        ).all()  # fmt: skip
    assert len({tuple(row) for _, _, row in rows}) > 5
    for lon, lat, found in rows:
        assert [h3.int_to_str(cell) for cell in found] == [h3.latlng_to_cell(lat, lon, r) for r in range(7, 12)]
    assert {cell for _, _, found in rows for cell in found} == {row.cell for row in outlined}
    assert all(h3.get_resolution(h3.int_to_str(row.cell)) == row.resolution for row in outlined)
    holding = [row.cell for row in outlined if row.st_contains]
    assert sorted(holding) == sorted(rows[0][2])


def test_cells_of_a_point_that_did_not_move_are_kept(database: Database, officer: Actor, small: SmallWard) -> None:
    asked = text("SELECT coalesce(current_setting('mapservice.points_without_cells', true), '')")
    place = small.places[0]

    def change(**values: object) -> str:
        with write_as(database, officer, reason="thử") as connection:
            version = records.get(connection, "establishments", place).version
            records.change(connection, "establishments", place, version, values)
            return str(connection.execute(asked).scalar_one())

    lon, lat = MIDDLE[WARD]
    assert change(kind="x") == ""
    assert change(geometry={"type": "Point", "coordinates": [lon, lat]}) == "yes"


def test_cells_that_are_not_those_of_the_point_are_found(database: Database, small: SmallWard) -> None:
    spoil = text("UPDATE register.establishment_state SET cells = CAST(:cells AS bigint[]) WHERE code = :place")
    with database.owner.begin() as connection:
        assert cells.wrong(connection) == 0
        connection.execute(spoil, {"place": small.places[0], "cells": None})
        connection.execute(spoil, {"place": small.places[1], "cells": [1, 2, 3, 4, 5]})
        assert cells.wrong(connection) == 2
        assert cells.fill(connection) == 1
        assert cells.wrong(connection) == 1
        connection.execute(text("SELECT register.rebuild_states()"))
        cells.fill(connection)
        assert cells.wrong(connection) == 0


# ── A day ──


def test_as_known_now_is_dated_up_to_that_day(database: Database, officer: Actor, small: SmallWard) -> None:
    place, closed, opened = small.places[:3]
    with write_as(database, officer, reason="thử") as connection:
        about = {"establishment": place, "source": "office"}
        paid = {"method": "momo", "accepted": True, "evidence_level": "declared", "checked_on": "2026-03-01"}
        records.create(connection, "payment_acceptances", about | paid, ward_id=0)
        inspected = {"inspected_on": "2026-03-01", "signed_on": "2026-03-05", "agency": "Đoàn", "result": "fail"}
        records.create(connection, "inspections", about | inspected, ward_id=0)
        for code, values in (
            (closed, {"operating_status": "closed", "closed_on": "2026-03-01"}), (opened, {"opened_on": "2026-03-01"}),
        ):  # fmt: skip
            records.change(
                connection, "establishments", code, records.get(connection, "establishments", code).version, values
            )

    def on(day: date) -> dict[str, Any]:
        with read_as(database, officer) as connection:
            return {row.code: row for row in connection.execute(states.states(WARD, day, "now").select())}

    before, after = on(date(2026, 2, 28)), on(date(2026, 3, 4))
    assert before[place].payment_methods == ["vietqr"] and after[place].payment_methods == ["momo", "vietqr"]
    assert before[place].live_warning and not on(date(2026, 1, 1))[place].live_warning
    assert on(date(2026, 1, 1))[place].accepts_cashless == "unknown"
    assert after[place].last_inspection_result == "pass", "not signed yet"
    assert on(date(2026, 3, 5))[place].last_inspection_result == "fail"
    assert (before[closed].operating_status, before[closed].closed_on) == ("active", None)
    assert (after[closed].operating_status, after[closed].closed_on) == ("closed", date(2026, 3, 1))
    assert opened not in before and opened in after
    assert all(len(row.cells) == 5 for row in before.values())


def test_as_known_now_of_today_is_the_open_states(database: Database, officer: Actor, edited: list[datetime]) -> None:
    columns = [
        column.name for column in states.as_of(WARD, edited[-1]).columns if column.name not in ("id", "known_from")
    ]
    with read_as(database, officer) as connection:
        now = connection.execute(states.known_now(WARD, today()).select().order_by("establishment_id")).mappings().all()
        then = connection.execute(states.as_of(WARD, edited[-1]).select().order_by("establishment_id")).mappings().all()
    assert [[str(row[name]) for name in columns] for row in now] == [
        [str(row[name]) for name in columns] for row in then
    ]


def test_states_of_a_day_and_the_head_of_its_end(database: Database, officer: Actor, small: SmallWard) -> None:
    with read_as(database, officer) as connection:
        assert len(connection.execute(states.states(WARD, today()).select()).all()) == len(small.places)
        assert connection.execute(states.states(WARD, today() - timedelta(days=1)).select()).all() == []
        head = states.head(connection, end_of(today()))
        assert states.head(connection, end_of(today() - timedelta(days=1))) is None
        assert not states.is_final(connection, today())
    with database.owner.connect() as connection:
        last = connection.execute(
            text("SELECT seq, encode(hash, 'hex') FROM register.change ORDER BY seq DESC LIMIT 1")
        ).one()
    assert head is not None and (head.seq, head.hash) == tuple(last)


def test_a_day_is_final_once_no_writer_of_it_is_at_work(database: Database) -> None:
    yesterday = today() - timedelta(days=1)
    entity = text(
        "INSERT INTO register.legal_entity (code, ward_id, registered_name, legal_form) "
        "SELECT :code, id, 'x', 'enterprise' FROM register.ward WHERE code = :ward AND valid_to IS NULL"
    )
    with database.owner.begin() as connection:
        connection.execute(text("SELECT set_config('mapservice.at', :at, true)"), {"at": end_of(yesterday).isoformat()})
        connection.execute(entity, {"code": "LEX", "ward": WARD})

    def final(day: date = yesterday) -> bool:
        with database.owner.connect() as connection:
            return states.is_final(connection, day)

    assert final() and not final(today())
    with database.owner.begin() as writer:
        note_source(writer, reason="thử")
        assert not final(), "it may have begun before midnight"
        assert final(yesterday - timedelta(days=1)), "there is a change of a later day"
        writer.execute(entity, {"code": "LEY", "ward": WARD})
    assert final()
    with database.owner.begin() as writer:
        note_source(writer, reason="thử")
        assert final(), "whatever comes now comes after what is there"


def test_moments_never_run_against_the_order(database: Database, officer: Actor, small: SmallWard) -> None:
    """The moment is taken when it is the writer's turn, not when it began to wait."""
    place = small.places[0]
    with database.owner.connect() as late, late.begin():
        late.execute(text("SELECT clock_timestamp()"))
        with write_as(database, officer, reason="thử") as connection:
            version = records.get(connection, "establishments", place).version
            records.change(connection, "establishments", place, version, {"kind": "first"})
        late.execute(text("UPDATE register.establishment SET kind = 'second' WHERE code = :place"), {"place": place})
    with database.owner.connect() as connection:
        wrong = connection.execute(
            text(
                "SELECT count(*) FROM (SELECT at < lag(at) OVER (ORDER BY seq) AS back FROM register.change) c "
                "WHERE back"
            )
        ).scalar_one()
    assert wrong == 0


# ── The demo ──


@pytest.fixture
def demo(demo_database: Database) -> Iterator[Connection]:
    with demo_database.owner.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def test_the_demos_states_are_what_its_history_says(demo: Connection) -> None:
    chance = random.Random(7)
    moments = [end_of(today() - timedelta(days=chance.randrange(380))) for _ in range(5)]
    counts = [_compare(demo, WARD, moment) for moment in [*moments, datetime.now(VIETNAM)]]
    assert max(counts) > 9_000


def test_the_demos_states_made_anew_are_those_kept(demo: Connection) -> None:
    without_cells = "SELECT md5((to_jsonb(s) - '{id,cells}'::text[])::text) FROM register.establishment_state s ORDER BY establishment_id, known_from"  # noqa: E501
    kept = demo.execute(text(without_cells)).scalars().all()
    demo.execute(text("SELECT register.rebuild_states()"))
    assert len(kept) > 30_000
    assert demo.execute(text(without_cells)).scalars().all() == kept
