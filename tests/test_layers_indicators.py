"""Indicators against a plain second count of the states: by day, group, month; unknown apart, and nothing as null."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from layers import indicators
from layers.indicator_codes import MEASURED
from layers.indicators import FEWEST, GROUPS, Figure, Target
from mapservice.month_ends import keep_month_ends
from postgis.actor import CHANGE_LOCK, Actor, read_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import month_ends
from postgis.today import VIETNAM, end_of, today
from tests.small_ward import OTHER_WARD, WARD, add_staff, ward_id_of

SEED = 20261122
PLACES = 60
FIRST, LAST = date(2026, 1, 15), date(2026, 11, 20)
_ENTERPRISE = ("enterprise", "branch", "business_location")
_ONLINE = {"social_selling", "marketplace", "food_delivery", "website", "zalo_oa"}
_TOOLS = ("e_invoice", "sales_software", "e_contract", *sorted(_ONLINE))


def _state(chance: random.Random) -> dict[str, Any]:
    """One stretch of what was known of a place, of any kind."""
    tools = {tool: chance.choice((None, True, False)) for tool in chance.sample(_TOOLS, 3)}
    unknown = ("yes", "no", "unknown")
    return {
        "residential_group_id": chance.choice((None, 1, 2)),
        "model_site_id": chance.choice((None, None, 1)),
        "street_name": chance.choice((None, "Núi Thành", "2 Tháng 9")),
        "sector_group": chance.choice(
            ("food_service", "cafe_drinks", "grocery", "market", "production", "public_place")
        ),
        "kind": chance.choice((None, "supermarket", "cafe")),
        "legal_form": chance.choice(
            (None, "household_business", "unregistered_individual", "cooperative", *_ENTERPRISE)
        ),
        "operating_status": chance.choice(("active", "active", "unknown", "suspended", "closed", "moved", "not_found")),
        "accepts_cashless": chance.choice(unknown),
        "active_acceptance": chance.choice(unknown),
        "on_digital_platform": chance.choice(unknown),
        "digital_used": [tool for tool, used in tools.items() if used],
        "digital_unused": [tool for tool, used in tools.items() if used is False],
        "refused_on": chance.choice((None, None, date(2026, 1, 1))),
        "outreach_on": chance.choice((None, date(2026, 1, 1))),
    }


def _stretches(chance: random.Random) -> Iterator[dict[str, Any]]:
    """Some 60 places, each with some stretches one after the other, some of them on the edge of a day or a month."""
    edges = [end_of(date(2026, month, 28)) for month in (3, 6)]
    edges += [datetime.combine(date(2026, month, 1), time.min, VIETNAM) for month in (2, 5, 9)]
    for place in range(1, PLACES + 1):
        moments = [end_of(FIRST + timedelta(days=chance.randrange(300))) - timedelta(hours=chance.randrange(24))
                   for _ in range(chance.randrange(1, 6))]  # fmt: skip
        moments = sorted({*moments, *chance.sample(edges, 2)})
        for since, until in zip(moments, [*moments[1:], None], strict=True):
            if until is None and chance.random() < 0.2:
                continue
            yield {"establishment_id": place, "known_from": since, "known_to": until, **_state(chance)}


_ADD = """
    INSERT INTO register.establishment_state (
        establishment_id, code, ward_id, known_from, known_to, illustrative, payment_methods, payment_evidence, {names})
    VALUES (:establishment_id, CAST(:establishment_id AS text), :ward_id, :known_from,
            coalesce(CAST(:known_to AS timestamptz), 'infinity'), false, '{{}}', '{{}}', {values})
"""


@pytest.fixture(scope="module")
def states() -> list[dict[str, Any]]:
    return list(_stretches(random.Random(SEED)))


@pytest.fixture(scope="module")
def counted(
    server: Database, base_database: Database, states: list[dict[str, Any]]
) -> Iterator[tuple[Database, Actor]]:
    base_database.dispose()
    own = create_database(server, "indicators", template="base")
    actor = add_staff(own, "officer", "officer")
    with own.owner.begin() as connection:
        ward_id = ward_id_of(connection, WARD)
        for number in (1, 2):
            connection.execute(
                text("INSERT INTO register.residential_group (id, code, ward_id, number, name) OVERRIDING SYSTEM VALUE "
                     "VALUES (:id, :code, :ward_id, :id, 'Tổ')"),
                {"id": number, "code": f"{WARD}-{number:03}", "ward_id": ward_id},
            )  # fmt: skip
        connection.execute(
            text("INSERT INTO register.model_site (id, code, ward_id, kind, name, geom) OVERRIDING SYSTEM VALUE VALUES "
                 "(1, 'MS1', :ward_id, 'market', 'Chợ Thử', ST_GeomFromEWKT('SRID=4326;POINT(108.2 16.04)'))"),
            {"ward_id": ward_id},
        )  # fmt: skip
        names = list(_state(random.Random(0)))
        add = text(_ADD.format(names=", ".join(names), values=", ".join(f":{name}" for name in names)))
        connection.execute(add, [{**state, "ward_id": ward_id} for state in states])
    yield own, actor
    own.dispose()
    drop_database(server, "indicators")


@pytest.fixture
def inside(counted: tuple[Database, Actor]) -> Iterator[Connection]:
    with read_as(*counted) as connection:
        yield connection


@pytest.fixture
def outside(counted: tuple[Database, Actor]) -> Iterator[Connection]:
    with counted[0].public.connect() as connection:
        yield connection


def _one(state: dict[str, Any], kinds: set[str]) -> str:
    return "yes" if kinds & set(state["digital_used"]) else "no" if kinds <= set(state["digital_unused"]) else "unknown"


def answer(state: dict[str, Any], code: str) -> str | None:
    """The definitions once more, in other words."""
    if state["sector_group"] == "public_place" or state["operating_status"] in ("closed", "moved", "not_found"):
        return None
    form, enterprise = state["legal_form"], state["legal_form"] in _ENTERPRISE
    cash, platform = state["accepts_cashless"], state["on_digital_platform"]
    workshop = form in (None, "household_business") or (state["sector_group"] == "production" and not enterprise)
    large = state["sector_group"] == "market" or state["kind"] == "supermarket"
    found: dict[str, tuple[bool, str]] = {
        "digital_platform_use": (form != "unregistered_individual", platform),
        "model_site_active_acceptance": (state["model_site_id"] is not None, state["active_acceptance"]),
        "model_site_payment_method": (state["model_site_id"] is not None, cash),
        "payment_account_or_qr": (not enterprise, cash),
        "online_selling": (workshop, _one(state, _ONLINE)),
        "enterprise_e_contract": (enterprise, _one(state, {"e_contract"})),
        "sme_digital_platform": (enterprise, platform),
        "enterprise_e_commerce": (enterprise, _one(state, {"marketplace", "website", "food_delivery"})),
        "enterprise_digital_technology": (enterprise, platform),
        "food_service_cash_register_invoice": (
            state["sector_group"] in ("food_service", "cafe_drinks"), _one(state, {"e_invoice"}),
        ),
        "large_retail_payment": (large, cash),
        "digital_outreach": (not enterprise, "yes" if state["outreach_on"] else "no"),
    }  # fmt: skip
    counts, said = found[code]
    return said if counts else None


def count(states: list[dict[str, Any]], code: str, day: date) -> Figure:
    """A figure counted in Python."""
    moment, found = end_of(day), Counter[str]()
    for state in states:
        said = answer(state, code)
        if said and state["known_from"] <= moment and (state["known_to"] is None or moment < state["known_to"]):
            found[said] += 1
            found["refused"] += said == "unknown" and state["refused_on"] is not None
    population = found["yes"] + found["no"] + found["unknown"]
    if not population:
        return Figure(code)
    return Figure(code, population, found["yes"], found["no"], found["refused"])


DAYS = [FIRST, date(2026, 1, 31), date(2026, 3, 28), date(2026, 4, 30), date(2026, 6, 28), date(2026, 8, 31), LAST]


@pytest.mark.parametrize("day", DAYS)
def test_every_indicator_of_any_day(inside: Connection, states: list[dict[str, Any]], day: date) -> None:
    found = indicators.figures(inside, WARD, day, codes=MEASURED, full=True)
    assert found == [count(states, code, day) for code in MEASURED]
    for each in found:
        if each.population is not None and each.low is not None and each.high is not None:
            assert each.population == (each.yes or 0) + (each.no or 0) + (each.not_surveyed or 0) + (each.refused or 0)
            assert 0 <= each.low <= (each.low if each.value is None else each.value) <= each.high <= 100


def test_before_the_first_state_there_is_nothing_and_no_zero(inside: Connection) -> None:
    found = indicators.figures(inside, WARD, date(2026, 1, 1), codes=MEASURED, full=True)
    assert found == [Figure(code) for code in MEASURED]
    assert {(each.value, each.low, each.high, each.unknown, each.denominator) for each in found} == {(None,) * 5}


def test_anybody_is_told_no_figure_of_few(outside: Connection, states: list[dict[str, Any]]) -> None:
    hidden = 0
    for day in DAYS:
        for told in indicators.figures(outside, WARD, day, codes=MEASURED):
            full = count(states, told.code, day)
            # Of one sector's payment anybody is told nothing: it would be held against the cells of the map.
            few = full.population is not None and (full.population < FEWEST or told.code == "large_retail_payment")
            assert told == (Figure(told.code, suppressed=True) if few else full)
            hidden += few
    assert hidden, "the trial has such figures"


@pytest.mark.parametrize("group", GROUPS)
def test_the_parts_of_a_breakdown_add_up(inside: Connection, states: list[dict[str, Any]], group: str) -> None:
    column = {"residential_group": "residential_group_id", "model_site": "model_site_id", "street": "street_name"}
    names = {"residential_group": {1: f"{WARD}-001", 2: f"{WARD}-002"}, "model_site": {1: "MS1"}}.get(group, {})
    for code in ("digital_platform_use", "model_site_payment_method", "online_selling"):
        parts = dict(indicators.by(inside, WARD, LAST, "then", code, group))
        of_whom = column.get(group, group)
        for member in {state[of_whom] for state in states}:
            own = [state for state in states if state[of_whom] == member]
            wanted = count(own, code, LAST)
            found = parts.pop(names.get(member, member), Figure(code))
            assert found == wanted, (code, member)
        assert not parts


def test_a_breakdown_of_what_there_is_not(inside: Connection) -> None:
    for code, group in (("retail_cashless_share", "street"), ("online_selling", "owner")):
        with pytest.raises(KeyError):
            indicators.by(inside, WARD, LAST, "then", code, group)


def test_a_trend_is_the_figures_of_its_month_ends(
    inside: Connection, outside: Connection, states: list[dict[str, Any]]
) -> None:
    for until in (LAST, date(2026, 9, 30), date(2026, 9, 29)):
        full = indicators.trend(inside, WARD, MEASURED, until, full=True)
        told = indicators.trend(outside, WARD, MEASURED, until)
        ends = [date(2026, month + 1, 1) - timedelta(days=1) for month in range(1, 12)]
        ends = [day for day in ends if day <= until]
        for code in MEASURED:
            wanted = [(day, count(states, code, day)) for day in ends]
            assert full[code] == [(day, each) for day, each in wanted if each.population]
            open_to_all = [(day, each) for day, each in wanted if each.population and each.population >= FEWEST]
            assert told[code] == ([] if code == "large_retail_payment" else open_to_all)


def test_staff_of_another_ward_count_nothing_of_it(counted: tuple[Database, Actor]) -> None:
    other = add_staff(counted[0], "other", "officer", OTHER_WARD)
    with read_as(counted[0], other) as connection:
        assert indicators.figures(connection, WARD, LAST, codes=MEASURED, full=True) == [Figure(c) for c in MEASURED]
        assert not any(indicators.trend(connection, WARD, MEASURED, LAST, full=True).values())


def test_a_target_and_its_comparator() -> None:
    at_least, more = Target(LAST, "at_least", 50), Target(LAST, "more_than", 50)
    assert (at_least.met_by(50), more.met_by(50), at_least.met_by(49.99), more.met_by(50.01)) == (
        True,
        False,
        False,
        True,
    )


def test_the_codes_are_those_of_sql(inside: Connection) -> None:
    known = inside.execute(text("SELECT register.indicator_codes()")).scalar_one()
    assert tuple(known) == MEASURED


def _kept(database: Database) -> list[date]:
    with database.owner.connect() as connection:
        found = connection.execute(text("SELECT DISTINCT month_end FROM register.month_end_count ORDER BY 1"))
        return list(found.scalars())


@pytest.fixture
def kept(counted: tuple[Database, Actor]) -> Iterator[Database]:
    """The month ends of the register are kept, as the service does in the background."""
    keep_month_ends(counted[0])
    yield counted[0]
    with counted[0].owner.begin() as connection:
        connection.execute(text("DELETE FROM register.month_end_count"))


def _trends(counted: tuple[Database, Actor], ward: str = WARD) -> list[Any]:
    """Trends of many days and choices of codes, as staff and anybody are told them."""
    chance = random.Random(SEED)
    found = []
    for _ in range(30):
        until = FIRST + timedelta(days=chance.randrange(310))
        codes = chance.choice((MEASURED, MEASURED[:3], MEASURED[4:5]))
        with read_as(*counted) as inside, counted[0].public.connect() as outside:
            found += [indicators.trend(inside, ward, codes, until, full=True)]
            found += [indicators.trend(outside, ward, codes, until)]
    return found


def test_kept_month_ends_are_those_counted_anew(counted: tuple[Database, Actor]) -> None:
    anew = _trends(counted)
    assert _kept(counted[0]) == []
    keep_month_ends(counted[0])
    until = today().replace(day=1) - timedelta(days=1)
    wanted = [date(2026 + month // 12, month % 12 + 1, 1) - timedelta(days=1) for month in range(1, 60)]
    assert _kept(counted[0]) == [day for day in wanted if day <= until], "from the first that was known of the ward"
    assert _trends(counted) == anew
    # A part of them is there, as when another month has ended since; another ward has none.
    with counted[0].owner.begin() as connection:
        connection.execute(text("DELETE FROM register.month_end_count WHERE month_end > '2026-06-30'"))
    assert _trends(counted) == anew
    keep_month_ends(counted[0])
    assert _kept(counted[0])[-1] == until
    assert _trends(counted) == anew
    assert not any(any(trend.values()) for trend in _trends(counted, OTHER_WARD))


def test_what_is_kept_is_read_and_not_counted(counted: tuple[Database, Actor], kept: Database) -> None:
    with kept.owner.begin() as connection:
        connection.execute(text("UPDATE register.month_end_count SET yes = 4711 WHERE month_end = '2026-06-30'"))
    with read_as(*counted) as inside:
        trend = indicators.trend(inside, WARD, MEASURED, LAST, full=True)
    june = [figure.yes for points in trend.values() for day, figure in points if day == date(2026, 6, 30)]
    assert june
    assert set(june) == {4711}


def test_of_another_definition_or_history_nothing_is_kept(kept: Database) -> None:
    asked = text("SELECT count(*) FROM register.ward w, register.month_ends_kept(w.id) WHERE w.code = :ward")
    named = text("SELECT DISTINCT concat(definition, history) FROM register.month_end_count")
    changes = (
        """CREATE OR REPLACE FUNCTION register.counts_in_figures(sector_group text, operating_status text)
           RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT sector_group <> 'market' $$""",
        """INSERT INTO register.change (seq, at, collection, record_code, kind, after, previous_hash, hash)
           VALUES (1000000, '2026-01-10 10:00+07', 'establishments', 'X', 'insert', '{}', '', 'another')""",
    )
    with kept.administrator() as connection:
        for change in changes:
            connection.execute(text("BEGIN"))
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            before = set(connection.execute(named).scalars())
            months = connection.execute(asked, {"ward": WARD}).scalar_one()
            connection.exec_driver_sql(change, execution_options={"no_parameters": True})
            assert months > 0
            assert connection.execute(asked, {"ward": WARD}).scalar_one() == 0, change
            # Counted anew, and all that was of the other is gone.
            assert connection.execute(text("SELECT register.keep_month_ends()")).scalar_one() == WARD
            assert connection.execute(asked, {"ward": WARD}).scalar_one() == months
            assert not before & set(connection.execute(named).scalars())
            connection.execute(text("ROLLBACK"))


def test_states_made_anew_leave_nothing_kept(kept: Database) -> None:
    with kept.owner.connect() as connection:
        connection.execute(text("SELECT register.rebuild_states()"))
        assert connection.execute(text("SELECT count(*) FROM register.month_end_count")).scalar_one() == 0
        with kept.staff.begin() as other:
            assert month_ends.keep(other) is None, "nobody counts states that are being replaced"
        connection.rollback()


def test_no_month_is_kept_while_somebody_may_still_write_of_it(counted: tuple[Database, Actor]) -> None:
    database = counted[0]
    with database.administrator() as connection:
        # A change of today would say that whoever comes writes of today.
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("DELETE FROM register.change"))
    with database.owner.begin() as writer:
        writer.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": CHANGE_LOCK})
        keep_month_ends(database)
        assert _kept(database) == []
    with (
        database.staff.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        pytest.raises(DBAPIError, match="read committed"),
    ):
        month_ends.keep(connection)
    assert _kept(database) == []
    keep_month_ends(database)
    assert _kept(database) != []
