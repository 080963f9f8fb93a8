"""The demonstration sample's figures: the shares of `domain.md`, section 12, and states of every kind."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from ingest import demo
from ingest.demo.businesses import TRADES
from ingest.demo.trade import Trade
from postgis import vocabulary
from postgis.reference_files import read_rows
from postgis.store.establishments import NewEstablishment
from tests.test_ingest_demo import AS_OF, invent, records

TRADE_BY_WORD = {trade.word: trade for trade in TRADES}


@pytest.fixture(scope="module")
def large() -> demo.Demo:
    """Large enough for shares to be near what they should be."""
    return invent(9500)


def share(values: list[Any], wanted: Callable[[Any], bool]) -> float:
    return sum(wanted(value) for value in values) / len(values)


def trade_of(place: NewEstablishment) -> Trade:
    return TRADE_BY_WORD[place.values["name"].rsplit(" minh họa ", 1)[0]]


def accepted(place: NewEstablishment, on: date = AS_OF) -> set[str] | None:
    """The cashless methods taken on a day by the latest observations; None where nobody had looked by then."""
    latest = {row["method"]: row for row in place.records.get("payment_acceptance", ()) if row["checked_on"] <= on}
    if not latest:
        return None
    cash = latest.get("cash_only")
    since = cash["checked_on"] if cash and cash["accepted"] else date.min
    return {m for m, row in latest.items() if m != "cash_only" and row["accepted"] and row["checked_on"] >= since}


def test_main_roads_are_denser_and_have_the_enterprises(large: demo.Demo) -> None:
    forms = defaultdict(list)
    for place in large.establishments:
        if place.values["house_number"]:
            forms["/" in place.values["house_number"]].append(place.values["legal_form"])
    main, alley = (share(forms[side], lambda form: form == "enterprise") for side in (False, True))
    assert main > 1.4 * alley
    assert len(forms[True]) > 0.2 * len(large.establishments), "places stand in alleys too"


def test_sections_follow_the_yearbook(large: demo.Demo) -> None:
    sections = {row["code"]: row["section"] for row in read_rows("vsic_2025.csv")}
    drawn = Counter(sections[code] if (code := trade_of(p).sector_code) else "G" for p in large.establishments)
    wanted = {"G": 37, "I": 25, "C": 5.5, "H": 3.7, "F": 0.4}
    for section, percent in wanted.items():
        assert 100 * drawn[section] / 9500 == pytest.approx(percent, abs=0.15), section


def test_status_and_legal_form(large: demo.Demo) -> None:
    status = Counter(place.values["operating_status"] for place in large.establishments)
    for code, percent in {"active": 86, "suspended": 4, "closed": 7, "not_found": 3}.items():
        assert 100 * status[code] / 9500 == pytest.approx(percent, abs=1), code
    form = Counter(place.values["legal_form"] for place in large.establishments)
    for codes_, percent in {
        ("household_business",): 67,
        ("enterprise", "branch", "business_location"): 25,
        ("unregistered_individual",): 8,
    }.items():
        assert 100 * sum(form[code] for code in codes_) / 9500 == pytest.approx(percent, abs=1.5), codes_


def test_payment_as_assumed_with_a_quarter_unknown(large: demo.Demo) -> None:
    known = [(place, methods) for place in large.establishments if (methods := accepted(place)) is not None]
    assert len(known) / 9500 == pytest.approx(0.75, abs=0.02)
    assert 0.10 <= share(known, lambda known: not known[1]) <= 0.15
    wallets = {"momo", "zalopay", "vnpay_wallet", "shopeepay"}
    assert share(known, lambda known: bool(known[1] & wallets)) == pytest.approx(0.30, abs=0.04)
    assert share(known, lambda known: "pos_card" in known[1]) == pytest.approx(0.10, abs=0.02)
    for till, percent in {"cafe": 90, "shop": 80}.items():
        mine = [
            methods
            for place, methods in known
            if trade_of(place).till == till
            and not place.values["stall"]
            and place.values["legal_form"] != "unregistered_individual"
        ]
        assert 100 * share(mine, lambda methods: "vietqr" in methods) == pytest.approx(percent, abs=4), till
    hotels = [methods for place, methods in known if place.values["sector_group"] == "lodging"]
    assert share(hotels, lambda methods: "pos_card" in methods) == pytest.approx(0.7, abs=0.1)


def test_adoption_grows_over_the_year(large: demo.Demo) -> None:
    shares = []
    for months in (10, 7, 4, 0):
        seen = [accepted(place, AS_OF - timedelta(days=30 * months)) for place in large.establishments]
        shares.append(share([methods for methods in seen if methods is not None], bool))
    assert shares == sorted(shares)
    assert shares[-1] - shares[0] > 0.1
    stopped = [
        place
        for place in large.establishments
        if any(not row["accepted"] for row in place.records.get("payment_acceptance", ())) and accepted(place) == set()
    ]
    assert 20 < len(stopped) < 300


def test_food_safety_only_for_food_and_as_assumed(large: demo.Demo) -> None:
    food = [place for place in large.establishments if trade_of(place).food]
    for table in ("food_safety_record", "inspection"):
        assert all(trade_of(place).food for place, _ in records(large, table))
    known = [place.records["food_safety_record"][-1] for place in food if "food_safety_record" in place.records]
    assert 0.1 < 1 - len(known) / len(food) < 0.2
    kinds = Counter(row["kind"] for row in known)
    assert kinds["certificate"] / len(known) == pytest.approx(0.25, abs=0.03)
    assert kinds["missing"] / len(known) == pytest.approx(0.20, abs=0.03)
    certificates = [row for row in known if row["kind"] == "certificate"]
    assert 0.05 < share(certificates, lambda row: row["valid_until"] < AS_OF) < 0.35


def test_inspections_and_warnings(large: demo.Demo) -> None:
    rows = [row for _, row in records(large, "inspection")]
    assert 0 < share(rows, lambda row: row["signed_on"] is None) < 0.06
    assert {row["result"] for row in rows} == set(vocabulary.INSPECTION_RESULTS)
    graded = {row["result"] for place, row in records(large, "inspection") if trade_of(place).food == "agri"}
    assert graded == {"a", "b", "c"}
    live = [(place, row) for place, row in records(large, "warning") if row["lifted_on"] is None]
    assert 0.003 < len(live) / 9500 < 0.006
    assert all(place.values["operating_status"] == "active" for place, _ in live)
    assert any(row["lifted_on"] for _, row in records(large, "warning"))


def test_licences_run_out_on_both_sides_of_today(large: demo.Demo) -> None:
    left = [(row["expires_on"] - AS_OF).days for _, row in records(large, "licence") if row.get("expires_on")]
    for first, last in ((-400, -1), (0, 30), (31, 90), (91, 180), (181, 2000)):
        assert any(first <= days <= last for days in left), (first, last)
    unknown = share(large.establishments, lambda place: "licence" not in place.records)
    assert unknown == pytest.approx(0.1, abs=0.02)
    vendors = [p for p in large.establishments if p.values["legal_form"] == "unregistered_individual"]
    assert all(row["kind"] == "not_required" for place in vendors for row in place.records.get("licence", ()))


def test_digital_uses(large: demo.Demo) -> None:
    households = [p for p in large.establishments if p.values["legal_form"] == "household_business"]
    latest = [
        {row["kind"]: row["used"] for row in p.records["digital_use"]}
        for p in households
        if p.records.get("digital_use")
    ]
    assert 0.15 <= share(latest, lambda used: used["e_invoice"]) <= 0.2
    assert share([used for used in latest if "marketplace" in used], lambda used: used["marketplace"]) == pytest.approx(
        0.2, abs=0.03
    )
    assert share(
        [used for used in latest if "food_delivery" in used], lambda used: used["food_delivery"]
    ) == pytest.approx(0.45, abs=0.05)
