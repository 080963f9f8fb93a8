"""/indicators: what anybody and what staff are told, of every ward that has a plan, and what is refused."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from mapservice.month_ends import keep_month_ends
from postgis.engine import Database
from postgis.today import today
from tests.register_api import Api, register_api
from tests.small_ward import WARD

WARDS = {"20257": 3, "00235": 3, "00367": 10, "10507": 1, "10603": 0}
"""Wards whose plans are known, and how many indicators each has."""
CONTRACT = (
    "code", "title", "definition", "numerator", "denominator", "unknown", "value", "low", "high", "target", "due",
    "met", "as_of", "source",
)  # fmt: skip
TOMORROW = (today() + timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "indicators_api", places=6) as found:
        yield found


@pytest.mark.parametrize("ward", WARDS)
def test_every_plan_is_answered(api: Api, ward: str) -> None:
    found = api.get(f"/indicators?ward={ward}")
    assert found["ward"] == ward and found["as_of"] == today().isoformat() and found["final"] is False
    assert len(found["indicators"]) == WARDS[ward]
    for each in found["indicators"]:
        assert set(CONTRACT) <= each.keys()
        assert each["definition"] and each["source"] and each["short_title"] != each["code"]
        if each["measured_by"] == "entered" or ward != WARD:
            counts = ("numerator", "denominator", "population", "unknown", "value", "low", "high", "met")
            told = {each[name] for name in counts}
            assert told == {None} or each["entered"], "nothing is known, and not zero"


def test_figures_of_the_ward(api: Api) -> None:
    found = {each["code"]: each for each in api.get("/indicators")["indicators"]}
    platform = found["digital_platform_use"]
    assert (platform["numerator"], platform["denominator"], platform["population"]) == (6, 6, 6)
    assert (platform["value"], platform["low"], platform["high"], platform["unknown"]) == (100, 100, 100, 0)
    assert (platform["target"], platform["due"], platform["comparator"]) == (50, "2026-12-31", "at_least")
    assert platform["met"] is True and platform["met_if_unknown_no"] is True
    assert platform["forecast"] is None and "4 mốc cuối tháng" in platform["forecast_reason"]
    site = found["model_site_payment_method"]
    assert site["value"] is None and site["met"] is None and site["numerator"] is None, "no place in a site: no zero"


def test_few_places_are_for_staff_alone(api: Api) -> None:
    place = api.add_place(name="Quán Trong Chợ", model_site=api.ward.codes["model_sites"][0])
    api.add(
        "payment_acceptances", establishment=place.rsplit("/", 1)[1], method="momo", accepted=True,
        evidence_level="confirmed", has_transactions=True, checked_on="2026-11-01", source="office",
    )  # fmt: skip

    def site(who: str | None) -> dict[str, object]:
        found = api.ask("GET", "/indicators", who)
        assert found.headers["cache-control"] == ("no-cache" if who is None else "private, no-cache")
        if who == "other":
            found = api.ask("GET", f"/indicators?ward={WARD}", who)
        named: dict[str, dict[str, object]] = {each["code"]: each for each in found.json()["indicators"]}
        return named["model_site_active_acceptance"]

    for who in (None, "other"):
        told = site(who)
        assert told["suppressed"] is True
        assert {told[name] for name in ("population", "numerator", "denominator", "unknown", "value", "low")} == {None}
    told = site("surveyor")
    assert (told["suppressed"], told["numerator"], told["denominator"], told["value"]) == (False, 1, 1, 100)


def test_a_day_before_the_register(api: Api) -> None:
    day = (today() - timedelta(days=400)).isoformat()
    found = api.get(f"/indicators?as_of={day}")
    assert found["as_of"] == day and found["final"] is True
    assert {each["value"] for each in found["indicators"]} == {None}
    assert {each["numerator"] for each in found["indicators"]} == {None}


STRETCH = (("establishment_state", "known_from"), ("establishment_state", "known_to"))


def test_a_kept_trend_moves_with_the_history(api: Api) -> None:
    """As if all had been written 100 days ago: an edit of today changes no month end, another history does."""

    def told(who: str | None) -> tuple[list[tuple[str, int]], int]:
        first = api.get("/indicators", who)["indicators"][0]
        return [(point["as_of"], point["population"]) for point in first["trend"]], first["population"]

    def moved(table: str, column: str) -> None:
        earlier = f"UPDATE register.{table} SET {column} = {column} - interval '100 days' WHERE {column} <> 'infinity'"
        with api.database.administrator() as connection:
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text(earlier))

    assert told(None)[0] == told("officer")[0] == []
    for table, column in (*STRETCH, ("change", "at")):
        moved(table, column)
    months, population = told(None)
    assert len(months) >= 3 and (months, population) == told("officer") == told("reader")
    keep_month_ends(api.database)
    assert (months, population) == told(None) == told("officer") == told("reader")
    api.add_place(name="Quán Sau Đó")
    for who in (None, "officer"):
        assert told(who) == (months, population + 1), "today's figure alone"
    for table, column in STRETCH:
        moved(table, column)
    assert told(None)[0] == told("officer")[0] == months, "of the same history it is kept"
    moved("change", "at")
    keep_month_ends(api.database)
    assert told(None)[0] == told("officer")[0]
    assert len(told(None)[0]) > len(months)


def test_english_by_choice(api: Api) -> None:
    answer = api.ask("GET", "/indicators", Accept_Language="en")
    assert answer.headers["content-language"] == "en"
    assert answer.json()["indicators"][0]["title"].startswith("Enterprises and household")
    page = api.ask("GET", "/indicators?f=html")
    assert page.status_code == 200 and "digital_platform_use" in page.text


def test_unchanged_figures_are_not_sent_again(api: Api) -> None:
    first = api.ask("GET", "/indicators")
    again = api.ask("GET", "/indicators", If_None_Match=first.headers["etag"])
    assert again.status_code == 304
    api.add_place(name="Quán Mới Nữa")
    assert api.ask("GET", "/indicators", If_None_Match=first.headers["etag"]).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "problem", "pointer"),
    [
        ("ward=99999", 404, "unknown_ward", "ward"),
        ("ward=%00", 404, "unknown_ward", "ward"),
        ("ward=" + "1" * 500, 404, "unknown_ward", "ward"),
        ("as_of=2026-02-30", 400, "invalid_as_of", "as_of"),
        (f"as_of={TOMORROW}", 400, "invalid_as_of", "as_of"),
        ("as_of=1900-01-01", 400, "invalid_as_of", "as_of"),
        ("known=maybe", 400, "invalid_value", "known"),
        ("colour=red", 400, "unknown_parameter", "colour"),
        ("as_of=2026-01-01&as_of=2026-01-02", 400, "repeated_parameter", "as_of"),
    ],
)
def test_what_is_refused(api: Api, query: str, status: int, problem: str, pointer: str) -> None:
    answer = api.ask("GET", f"/indicators?{query}")
    assert answer.status_code == status, answer.text
    assert answer.json()["type"].endswith(problem) and answer.json()["errors"][0]["pointer"] == pointer


def test_entered_figures_are_told_with_their_source(api: Api) -> None:
    add = """INSERT INTO register.entered_figure (ward_id, indicator_code, as_of, numerator, denominator, value, source,
                                                  document, entered_by, entered_at)
             SELECT w.id, 'retail_cashless_share', :as_of, :yes, :all, :value, 'Chi cục Thống kê', '12/BC', s.id, :at
               FROM register.ward w, account.staff s
              WHERE w.code = '00367' AND w.valid_to IS NULL AND s.login = 'officer'"""
    with api.database.owner.begin() as connection:
        connection.execute(
            text("INSERT INTO register.ward (code, name, kind, province_code) VALUES ('00367', 'Thử', 'ward', '01')")
        )
        for as_of, yes, value, at in (("2026-09-30", 61, 61, "2026-10-02"), ("2026-09-30", 62, 62, "2026-10-09")):
            connection.execute(text(add), {"as_of": as_of, "yes": yes, "all": 100, "value": value, "at": at})

    def told(query: str) -> dict[str, object]:
        found = api.get(f"/indicators?ward=00367{query}")["indicators"]
        each: dict[str, object] = next(each for each in found if each["code"] == "retail_cashless_share")
        return each

    assert (told("")["value"], told("")["numerator"], told("")["as_of"]) == (62, 62, "2026-09-30")
    assert told("")["entered"] == {"source": "Chi cục Thống kê", "document": "12/BC"}
    assert told("")["met"] is False and told("")["measured_by"] == "entered"
    assert told("&as_of=2026-10-05")["value"] == 61, "the correction came later"
    assert told("&as_of=2026-10-01")["value"] is None, "nobody had entered it yet"
    assert told("&as_of=2026-09-29")["value"] is None
