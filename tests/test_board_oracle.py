"""The board's figures against an independent computation from the exported history (tests/board_oracle.py)."""

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from io import BytesIO
from typing import Any

import httpx
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, text

from layers import data_quality, indicators
from layers.indicators import GROUPS, MONTHS, Known
from mapservice.app import create_app
from mapservice.brief_parts import Asked
from mapservice.briefs import brief_data
from mapservice.settings import HttpSettings
from postgis.actor import Actor, read_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import tokens
from postgis.store.imports_apply import apply
from postgis.today import today
from postgis.vocabulary import CASHLESS_METHODS, EVIDENCE_LEVELS
from tests import board_oracle as oracle
from tests.board_oracle import History, end_of
from tests.grown_register import SECTORS, Growing, grow
from tests.import_batches import SECRETS, add_batch, new_place, record, row
from tests.small_ward import WARD, add_staff
from web.brief import Share, fingerprint
from web.periods import of_day

DAYS = 50
SINCE, GROWN = today() - timedelta(days=800), today() - timedelta(days=1)
SAME = (
    "stall", "street_name", "sector_group", "kind", "legal_form", "operating_status", "source", "illustrative",
    "opened_on", "closed_on", "verified_on", "position_method", "licence_state", "licence_valid_until",
    "licence_checked_on", "food_safety_kind", "food_safety_valid_until", "food_safety_checked_on",
    "last_inspection_result", "last_inspection_on", "live_warning", "payment_checked_on", "accepts_cashless",
    "active_acceptance", "on_digital_platform", "digital_checked_on", "refused_on", "outreach_on", "ward",
    "residential_group", "model_site",
)  # fmt: skip
STATES = text("""
    SELECT s.*, ST_X(s.point) AS lon, ST_Y(s.point) AS lat, w.code AS ward, g.code AS residential_group,
           m.code AS model_site
      FROM register.establishment_state s JOIN register.ward w ON w.id = s.ward_id
      LEFT JOIN register.residential_group g ON g.id = s.residential_group_id
      LEFT JOIN register.model_site m ON m.id = s.model_site_id
     WHERE s.known_from <= :moment AND :moment < s.known_to ORDER BY s.establishment_id
""")


def history_of(connection: Connection) -> list[dict[str, Any]]:
    """The history of every ward in the shape of the feed, as its owner reads it."""
    rows = connection.execute(
        text("SELECT c.seq, c.at, c.collection, c.record_code AS id, register.wire_state(c.after) AS after "
             "FROM register.change c ORDER BY c.seq")
    )  # fmt: skip
    return [{**row, "at": row["at"].isoformat()} for row in rows.mappings()]


@dataclass
class Grown:
    """A register that grew, the API on it, and its history as exported."""

    growing: Growing
    client: TestClient
    token: str
    officer: Actor
    history: History

    @property
    def database(self) -> Database:
        """Its database."""
        return self.growing.database

    def get(self, path: str, *, staff: bool = True, **parameters: Any) -> Any:
        """What a GET answers, which must be well."""
        headers = {"Authorization": f"Bearer {self.token}"} if staff else {}
        found: httpx.Response = self.client.get(path, params=parameters, headers=headers)
        assert found.status_code == 200, found.text
        return found.json()


@pytest.fixture(scope="module")
def grown(server: Database, base_database: Database) -> Iterator[Grown]:
    base_database.dispose()
    database = create_database(server, "grown", template="base")
    growing = grow(database, 7, since=SINCE, until=GROWN, places=60, edits=450)
    officer = add_staff(database, "officer", "officer")
    with database.owner.begin() as connection:
        # All indicators of all plans, for the one ward: of the others the register holds no places.
        connection.execute(text(_EVERY_INDICATOR), {"ward": WARD})
        token = tokens.issue(connection, officer.staff_id, "thử", "read", 1)
    with database.owner.connect() as connection:
        history = History(history_of(connection))
    with TestClient(create_app(HttpSettings(sample="none", ward=WARD), database)) as client:
        yield Grown(growing, client, token, officer, history)
    database.dispose()
    drop_database(server, "grown")


_EVERY_INDICATOR = """
    INSERT INTO register.indicator (ward_code, code, title, unit, report, source, measured_by)
    SELECT DISTINCT ON (code) :ward, code, title, unit, report, source, measured_by FROM register.indicator
     WHERE code NOT IN (SELECT code FROM register.indicator WHERE ward_code = :ward) ORDER BY code, ward_code
"""


def random_days(rng: random.Random, times: int) -> list[date]:
    return [SINCE + timedelta(days=rng.randrange((today() - SINCE).days + 1)) for _ in range(times)]


def plain(value: Any) -> Any:
    """A value as the two sides have it in common: days as text, nothing as None."""
    if isinstance(value, date):
        return value.isoformat()
    return None if value is pd.NaT or (isinstance(value, float) and value != value) else value


def differences(states: list[Mapping[str, Any]], places: pd.DataFrame) -> list[str]:
    """What the kept states say other than the history, in words."""
    expected = places.to_dict("index")
    found = [f"{code}: in one only" for code in {row["code"] for row in states} ^ set(expected)]
    for state in states:
        place = expected.get(state["code"], {})
        if not place:
            continue
        there = {name: plain(state[name]) for name in SAME}
        there |= {
            "payment": dict(zip(state["payment_methods"], state["payment_evidence"], strict=True)),
            "used": sorted(state["digital_used"]), "unused": sorted(state["digital_unused"]),
            "point": [state["lon"], state["lat"]], "has_name": state["has_name"], "has_address": state["has_address"],
            "cells": state["cells"],
        }  # fmt: skip
        here = {name: plain(place[name]) for name in SAME}
        lon, lat = place["geometry"]["coordinates"]
        here |= {
            "payment": place["payment_methods"], "used": list(place["digital_used"]),
            "unused": list(place["digital_unused"]), "point": [lon, lat], "has_name": plain(place["name"]) is not None,
            "has_address": plain(place["address"]) is not None, "cells": oracle.cells_of(lat, lon),
        }  # fmt: skip
        found += [f"{state['code']} {n}: {there[n]} != {here[n]}" for n in there if there[n] != here[n]]
    return found


def test_states_are_what_the_history_says(grown: Grown) -> None:
    """All columns of all places at random moments, half of them the very moment of a change or right before it."""
    rng = random.Random(1)
    with grown.database.owner.connect() as connection:
        moments = list(connection.execute(text("SELECT DISTINCT at FROM register.change ORDER BY 1")).scalars())
        chosen = [end_of(day) for day in random_days(rng, DAYS // 2)]
        chosen += [rng.choice(moments) - timedelta(microseconds=rng.choice((0, 1))) for _ in range(DAYS // 2)]
        for moment in [datetime.now(UTC), *chosen]:
            states = connection.execute(STATES, {"moment": moment}).mappings().all()
            assert not differences(list(states), grown.history.places(moment)), moment
    assert len(grown.growing.done) > 12, "every kind of edit"


def test_staff_can_export_the_same_history(grown: Grown) -> None:
    """The feed gives an officer all that the figures of the ward rest on, but for places that went to another ward:
    that change is the other ward's."""
    read: list[dict[str, Any]] = []
    since = 0
    while page := grown.get("/changes", since=since, limit=1000)["changes"]:
        read += [change for change in page if change["ward"] == WARD]
        since = page[-1]["seq"]
    now = datetime.now(UTC)
    exported, whole = History(read).places(now), grown.history.places(now)
    stayed = whole.index[(whole["ward"] == WARD) & ~whole.index.isin(grown.growing.went)]
    assert len(stayed) > 50
    names = [*SAME, "payment_methods", "digital_used", "digital_unused", "geometry"]
    for code in stayed:
        there, here = exported.loc[code, names], whole.loc[code, names]
        assert [plain(each) for each in there] == [plain(each) for each in here], code


COUNTS = ("population", "numerator", "denominator", "unknown", "refused", "not_surveyed", "value", "low", "high")


def as_told(expected: Mapping[str, Any]) -> dict[str, Any]:
    """A figure as the wire has it: nothing is said where nobody counts, and shares are floats."""
    if not expected["population"]:
        return dict.fromkeys(COUNTS)
    return {name: float(each) if isinstance(each := expected[name], Fraction) else each for name in COUNTS}


def places_of(history: History, ward: str, day: date, known: str) -> pd.DataFrame:
    """The places of a ward on a day, in either way of knowing."""
    now = datetime.now(UTC)
    everywhere = history.places(end_of(day)) if known == "then" else history.places_known_now(day, now)
    return everywhere[everywhere["ward"] == ward]


def test_indicators_on_random_days(grown: Grown) -> None:
    """Every count and share of every measured indicator, as known then and as known now."""
    rng = random.Random(2)
    compared, wrong = 0, []
    for day in random_days(rng, DAYS):
        known = rng.choice(("then", "now"))
        places = places_of(grown.history, WARD, day, known)
        told = {each["code"]: each for each in grown.get("/indicators", as_of=str(day), known=known)["indicators"]}
        assert oracle.INDICATORS.keys() <= told.keys()
        for code, definition in oracle.INDICATORS.items():
            expected = as_told(oracle.figures(places, definition))
            got = {name: told[code][name] for name in COUNTS}
            compared += expected["unknown"] is not None
            if got != expected:
                wrong.append(f"{day} {known} {code}: {got} instead of {expected}")
    assert not wrong, f"{len(wrong)} of {compared}:\n" + "\n".join(wrong[:5])
    assert compared > 200


def test_trends_on_random_days(grown: Grown) -> None:
    """Each month end of a trend is the figure of its day; none is missing since the first place counted."""
    for day in random_days(random.Random(3), 4):
        told = {each["code"]: each["trend"] for each in grown.get("/indicators", as_of=str(day))["indicators"]}
        ends = list(month_ends(SINCE, day))[-MONTHS:]
        by_end = {end: places_of(grown.history, WARD, end, "then") for end in ends}
        for code, definition in oracle.INDICATORS.items():
            expected = [(str(end), as_told(oracle.figures(places, definition))) for end, places in by_end.items()]
            kept = [(end, figure) for end, figure in expected if figure["population"]]
            names = [name for name in COUNTS if name != "not_surveyed"]
            got = [(point["as_of"], {name: point[name] for name in names}) for point in told[code]]
            assert got == [(end, {name: figure[name] for name in names}) for end, figure in kept], (day, code)


def month_ends(first: date, last: date) -> Iterator[date]:
    """The last day of each month that is over by the end of `last`."""
    day = first
    while (day := date(day.year + day.month // 12, day.month % 12 + 1, 1)) - timedelta(days=1) <= last:
        yield day - timedelta(days=1)


def test_a_closed_day_stays_as_it_was_told(grown: Grown) -> None:
    """A hundred edits and an import with facts of days long past: what was known then stays; what is known now of those
    days is what the history says now."""
    days = random_days(random.Random(4), 6)
    states = [states_of(grown.database, day) for day in days]
    before = [grown.get("/indicators", as_of=str(day)) for day in days]
    now_before = [grown.get("/indicators", as_of=str(day), known="now") for day in days]
    reports = [report_of(grown, day) for day in days]
    grown.growing.now = datetime.now(UTC)
    grown.growing.edit(100)
    applied = apply(grown.database, SECRETS, grown.officer, import_of(grown))
    assert applied.outcomes == {"applied": 40}
    assert [grown.get("/indicators", as_of=str(day)) for day in days] == before
    assert [states_of(grown.database, day) for day in days] == states
    assert [report_of(grown, day) for day in days] == reports
    with grown.database.owner.connect() as connection:
        history = History(history_of(connection))
    wrong, changed = [], 0
    for day, was in zip(days, now_before, strict=True):
        places = places_of(history, WARD, day, "now")
        told = {each["code"]: each for each in grown.get("/indicators", as_of=str(day), known="now")["indicators"]}
        then = {each["code"]: each for each in was["indicators"]}
        for code, definition in oracle.INDICATORS.items():
            got, expected = ({name: told[code][name] for name in COUNTS}, as_told(oracle.figures(places, definition)))
            changed += {name: then[code][name] for name in COUNTS} != got
            if got != expected:
                wrong.append(f"{day} {code}: {got} instead of {expected}")
    assert not wrong, "\n".join(wrong[:5])
    assert changed > 20, "of these days more is known now"


def report_of(grown: Grown, day: date) -> str:
    """The fingerprint of the report of a day's month."""
    with read_as(grown.database, grown.officer) as connection:
        return fingerprint(brief_data(connection, Asked(WARD, of_day("monthly", day), day, texts=0)))


def states_of(database: Database, day: date) -> list[dict[str, Any]]:
    """What was known at the end of a day, but for how long it stayed so."""
    with database.owner.connect() as connection:
        rows = connection.execute(STATES, {"moment": end_of(day)}).mappings()
        return [{name: value for name, value in row.items() if name != "known_to"} for row in rows]


def import_of(grown: Grown) -> str:
    """A batch of places that opened years ago and whose checks are up to two years old."""
    rng, rows = random.Random(5), []
    for number in range(40):
        day, method = str(today() - timedelta(days=rng.randrange(700))), rng.choice(("vietqr", "momo", "cash_only"))
        check = {"method": method, "accepted": True, "evidence_level": "observed", "checked_on": day}
        place = new_place(WARD, number, sector_group="market", legal_form="household_business", opened_on="2020-01-01")
        rows.append(row([place, record("payment_acceptances", **check)]))
    return add_batch(grown.database, grown.officer, rows)


PART = {"residential_group": "residential_group", "street": "street_name", "sector_group": "sector_group",
        "model_site": "model_site"}  # fmt: skip
"""The property of a place that says of which group it is."""
ADOPTION = "/ogc/collections/payment_adoption/items"
ADOPTED = ("establishments", "surveyed", "accepting", "share", "low", "high")


def features_of(grown: Grown, staff: bool = True, **parameters: Any) -> dict[str, dict[str, Any]]:
    """All features of the heat map by their ids."""
    found = grown.get(ADOPTION, staff=staff, limit=1000, ward=WARD, f="json", **parameters)
    assert found["numberReturned"] == len(found["features"]) < 1000
    return {each["id"]: each["properties"] for each in found["features"]}


def random_filters(rng: random.Random) -> dict[str, str]:
    """Some of the filters that staff have."""
    wanted = {
        "sector_group": rng.choice(SECTORS), "method": rng.choice(CASHLESS_METHODS[:4]),
        "evidence_level": rng.choice(EVIDENCE_LEVELS),
    }  # fmt: skip
    return {name: value for name, value in wanted.items() if rng.random() < 0.5}


def test_cells_on_random_days_and_filters(grown: Grown) -> None:
    """Every cell and figure of the heat map, at all resolutions, with the filters that staff have."""
    rng, told_cells = random.Random(6), 0
    history = History(history_now(grown.database))
    for day in random_days(rng, DAYS):
        known, resolution = rng.choice(("then", "now")), rng.choice(oracle.RESOLUTIONS)
        filters = random_filters(rng)
        expected = oracle.adoption(
            places_of(history, WARD, day, known), resolution, sector_group=filters.get("sector_group"),
            method=filters.get("method"), evidence=filters.get("evidence_level"),
        )  # fmt: skip
        told = features_of(grown, as_of=str(day), known=known, resolution=resolution, **filters)
        got = {cell: {name: figures[name] for name in ADOPTED} for cell, figures in told.items()}
        assert got == {cell: rounded(figures) for cell, figures in expected.items()}, (day, known, resolution, filters)
        assert not any(figures["suppressed"] for figures in told.values())
        told_cells += len(got)
    assert told_cells > 300


def rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Shares to two decimals, as the heat map tells them, a half up."""
    return {
        name: float((Decimal(each.numerator) / each.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP))
        if isinstance(each, Fraction)
        else each
        for name, each in figures.items()
    }


def history_now(database: Database) -> list[dict[str, Any]]:
    """The history up to now: tests before may have edited."""
    with database.owner.connect() as connection:
        return history_of(connection)


def test_what_the_public_is_told_of_cells(grown: Grown) -> None:
    """Shown figures are the true ones; the hidden are at least two, some accepting among them and some not; where that
    cannot be had, nothing is told."""
    history, shown = History(history_now(grown.database)), 0
    for day in [*list(month_ends(SINCE, today()))[::3], today()]:
        true = oracle.adoption(places_of(history, WARD, day, "then"), 9)
        told = features_of(grown, staff=False, as_of=str(day))
        few = {cell for cell, figures in true.items() if figures["establishments"] < 5}
        assert told.keys() == true.keys() or (few and not told), day
        hidden = {cell for cell, figures in told.items() if figures["suppressed"]}
        for cell, figures in told.items():
            expected = dict.fromkeys(ADOPTED) if cell in hidden else rounded(true[cell])
            assert {name: figures[name] for name in ADOPTED} == expected, (day, cell)
        assert not told or few <= hidden
        if hidden:
            accepting, surveyed = (sum(true[cell][name] for cell in hidden) for name in ("accepting", "surveyed"))
            assert len(hidden) > 1 and 0 < accepting < surveyed, day
        shown += len(told) - len(hidden)
    assert shown


def test_parts_on_random_days_and_filters(grown: Grown) -> None:
    """The same by residential group, street and model site; what lies in none is left out."""
    rng, compared = random.Random(8), 0
    history = History(history_now(grown.database))
    for day in random_days(rng, DAYS):
        known, by = rng.choice(("then", "now")), rng.choice(("residential_group", "street", "model_site"))
        filters = random_filters(rng)
        expected = oracle.adoption(
            places_of(history, WARD, day, known), PART[by], sector_group=filters.get("sector_group"),
            method=filters.get("method"), evidence=filters.get("evidence_level"),
        )  # fmt: skip
        expected.pop(None, None)
        asked = {"ward": WARD, "by": by, "as_of": str(day), "known": known, **filters}
        parts = grown.get("/board/adoption", f="json", **asked)["parts"]
        got = {part["code"]: {name: part[name] for name in ADOPTED} for part in parts}
        assert got == {name: rounded(figures) for name, figures in expected.items()}, asked
        compared += len(got)
    assert compared > 100


FILED = ("Establishments", "Surveyed", "Accepting", "Share (%)", "Lowest (%)", "Highest (%)")


def test_files_of_adoption_on_random_days(grown: Grown) -> None:
    """The workbook and the text file hold the same figures, what lies in no group left out, and cells by hexagon."""
    rng, compared = random.Random(10), 0
    history = History(history_now(grown.database))
    for day in random_days(rng, 10):
        known, by = rng.choice(("then", "now")), rng.choice(("residential_group", "street", "h3"))
        part = 9 if by == "h3" else PART[by]
        expected = oracle.adoption(places_of(history, WARD, day, known), part)
        expected.pop(None, None)
        asked = {"ward": WARD, "by": by, "as_of": str(day), "known": known, "lang": "en"}
        asked |= {"resolution": "9"} if by == "h3" else {}
        wanted = {name: list(rounded(figures).values()) for name, figures in expected.items()}
        sheet = pd.read_excel(BytesIO(file_of(grown, f="xlsx", **asked)), dtype={"Code": str}).set_index("Code")
        listed = pd.read_csv(BytesIO(file_of(grown, f="csv", **asked)), dtype={"Code": str}).set_index("Code")
        for table in (sheet, listed):
            got = {code: [plain(row[name]) for name in FILED] for code, row in table.iterrows()}
            assert got == wanted, asked
        compared += len(wanted)
    assert compared > 50


def file_of(grown: Grown, **asked: str) -> bytes:
    """A file of /board/adoption as staff get it."""
    answer = grown.client.get("/board/adoption", params=asked, headers={"Authorization": f"Bearer {grown.token}"})
    assert answer.status_code == 200, answer.text
    return answer.content


def test_reports_on_random_days(grown: Grown) -> None:
    """Every table of a report: indicators, parts of the ward, hexagons, what is missing, criteria, and data quality."""
    rng, told_parts = random.Random(11), 0
    history = History(history_now(grown.database))
    for day in [day for day in random_days(rng, 12) if day < today()]:
        known: Known = rng.choice(("then", "now"))
        with read_as(grown.database, grown.officer) as connection:
            data = brief_data(connection, Asked(WARD, of_day("monthly", day), day, known, texts=0))
        places = places_of(history, WARD, day, known)
        for each in data.figures:
            if each.code in oracle.INDICATORS:
                assert shared(each.now) == as_shared(oracle.figures(places, oracle.INDICATORS[each.code])), (
                    day,
                    each.code,
                )
        for part in data.breakdowns:
            expected = oracle.figures_by(places, oracle.INDICATORS[part.code], PART[part.by])
            got = {code: shared(share) for code, (_, share) in zip(part.codes, part.rows, strict=True)}
            assert got == {name or "": as_shared(figures) for name, figures in expected.items()}, (day, part.by)
            told_parts += len(got)
        cells = {c.cell: (c.establishments, c.surveyed, c.accepting) for c in (data.map.cells if data.map else ())}
        adopted = oracle.adoption(places, 9)
        assert cells == {cell: tuple(figures[name] for name in ADOPTED[:3]) for cell, figures in adopted.items()}, day
        facts = {part.code: {row[0]: row[1:] for row in part.facts} for part in data.parts}
        # These two are as known then, whatever was asked.
        then = places_of(history, WARD, day, "then")
        quality = {name: said[WARD] for name, said in oracle.quality(then, day, "ward").items()}
        assert {name: row for name, row in facts["quality"].items() if len(row) == 3 and row[0]} == quality, day
        for criterion, measure in (("names_and_addresses", None), ("residential_groups", "residential_group"),
                                   ("licence_states", "licence"), ("sectors_standardised", "sector_code")):  # fmt: skip
            counted = then[then["counted"]]
            named = sum(
                isinstance(row["name"], str) and isinstance(row["address"], str) for _, row in counted.iterrows()
            )
            yes = named if measure is None else quality.get(measure, (0, 0, 0))[1]
            assert facts["rollout"][criterion][1:3] == (yes, len(counted)), (day, criterion)
    assert told_parts > 100


def shared(share: Share) -> tuple[Any, ...]:
    return (
        share.population,
        share.yes,
        share.denominator,
        share.unknown,
        share.refused,
        share.value,
        share.low,
        share.high,
    )


def as_shared(expected: Mapping[str, Any]) -> tuple[Any, ...]:
    """Figures as a report has them."""
    figures = as_told(expected)
    names = ("population", "numerator", "denominator", "unknown", "refused", "value", "low", "high")
    return tuple(figures[name] for name in names)


def test_data_quality_on_random_days(grown: Grown) -> None:
    """Each measure of each residential group, and of each month end of its trend."""
    history = History(history_now(grown.database))
    with read_as(grown.database, grown.officer) as connection:
        for day in random_days(random.Random(9), 20):
            found = data_quality.quality(connection, grown.officer.ward_id, day)
            expected = oracle.quality(places_of(history, WARD, day, "then"), day, "residential_group")
            for measure in data_quality.MEASURES:
                got = {group: counts(figures[measure]) for group, figures in found.groups.items()}
                got = {group: said for group, said in got.items() if said[0]}
                assert got == expected.get(measure, {}), (day, measure)
        for day, figures in data_quality.trend(connection, grown.officer.ward_id, GROWN):
            whole = oracle.quality(places_of(history, WARD, day, "then"), day, "ward")
            assert {name: counts(each) for name, each in figures.items() if each.population} == {
                name: said[WARD] for name, said in whole.items()
            }, day


def counts(figure: data_quality.Figure) -> tuple[int, int, int]:
    return figure.population, figure.yes, figure.no


def test_the_demo(demo_database: Database) -> None:
    """The same on the demo at the last month end: indicators, and two of them by every kind of part."""
    history = History(history_now(demo_database))
    for day in [today().replace(day=1) - timedelta(days=1)]:
        places = places_of(history, WARD, day, "then")
        with demo_database.owner.connect() as connection:
            for figure in indicators.figures(connection, WARD, day, "then", oracle.INDICATORS, full=True):
                expected = oracle.figures(places, oracle.INDICATORS[figure.code])
                assert told(figure) == as_told(expected), (day, figure.code)
            for code, group in itertools.product(("digital_platform_use", "model_site_payment_method"), GROUPS):
                parts = oracle.figures_by(places, oracle.INDICATORS[code], PART[group])
                by = indicators.by(connection, WARD, day, "then", code, group)
                assert {member: told(each) for member, each in by} == {
                    member: as_told(each) for member, each in parts.items()
                }, (day, code, group)


def told(figure: indicators.Figure) -> dict[str, Any]:
    """A figure by the names on the wire."""
    return {"numerator": figure.yes, **{name: getattr(figure, name) for name in COUNTS if name != "numerator"}}
