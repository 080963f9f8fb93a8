"""The demonstration sample: always the same, openly invented, and what the register takes."""

import hashlib
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry import LineString, MultiLineString, Polygon
from sqlalchemy import Connection, text

from ingest import demo
from ingest.demo.businesses import TRADES
from postgis import codes, vocabulary
from postgis.engine import Database
from postgis.reference_files import read_rows
from postgis.store import base_map, establishments, model_sites, residential_groups
from postgis.store.base_map import StreetLine
from postgis.store.establishments import COLUMNS, RECORD_TABLES, NewEstablishment

AS_OF = date(2026, 8, 15)
WARD = "20257"
COUNT = 2000
EAST, NORTH = 1 / 107_000, 1 / 110_660  # degrees for a metre, near enough


def degrees(*points: tuple[float, float]) -> list[tuple[float, float]]:
    return [(108.21 + x * EAST, 16.04 + y * NORTH) for x, y in points]


def street(code: str, name: str | None, kind: str, *points: tuple[float, float]) -> StreetLine:
    return StreetLine(code, name, kind, shapely.to_wkb(LineString(degrees(*points))))


def outline() -> bytes:
    """An L-shaped ward of 2 by 2 km, so that not every cell of it is convex."""
    corners = [(0, 0), (2000, 0), (2000, 1100), (1300, 1100), (1300, 2000), (0, 2000)]
    return shapely.to_wkb(Polygon(degrees(*corners)))


def streets() -> list[StreetLine]:
    blocks = [street(f"s{x}", f"Đường Dọc {x}", "secondary", (x, 100), (x, 1900)) for x in (200, 600, 1000)]
    blocks += [street(f"t{y}", f"Đường Ngang {y}", "tertiary", (200, y), (1000, y)) for y in (100, 700, 1300, 1900)]
    divided = MultiLineString([degrees((1000, 500), (1900, 500)), degrees((1900, 516), (1000, 516))])
    return [
        *blocks,
        StreetLine("p1", "Đường 2 Tháng 9", "primary", shapely.to_wkb(divided)),
        street("p2", "Đường Cuối", "primary", (1900, 100), (1900, 1000)),
        street("p3", "Đường Nam", "tertiary", (1000, 100), (1900, 100)),
        street("a1", "Kiệt 45 Dọc 600", "alley", (604, 1000), (780, 1000)),
        street("a2", "Hem 05 Kiệt 45 Dọc 600", "alley", (700, 1003), (700, 1100)),
        street("a3", None, "residential", (990, 1600), (800, 1600)),
        street("b1", "Cầu Lớn", "primary", (1900, 300), (1995, 300)),
        street("b2", None, "service", (300, 300), (500, 300)),
    ]


def invent(count: int = COUNT, **changes: Any) -> demo.Demo:
    given: dict[str, Any] = {"ward_code": WARD, "as_of": AS_OF, "count": count} | changes
    return demo.generate(given.pop("outline", outline()), given.pop("streets", streets()), **given)


@pytest.fixture(scope="module")
def sample() -> demo.Demo:
    return invent()


def digest(found: demo.Demo) -> str:
    return hashlib.sha256(repr(found).encode()).hexdigest()


def records(found: demo.Demo, table: str) -> Iterator[tuple[NewEstablishment, dict[str, Any]]]:
    for place in found.establishments:
        for row in place.records.get(table, ()):
            yield place, row


# --- The same everywhere


def test_the_same_arguments_give_the_same_rows(sample: demo.Demo) -> None:
    assert digest(invent()) == digest(sample)
    assert digest(invent(streets=streets()[::-1])) == digest(sample), "the order of the streets must not matter"


@pytest.mark.parametrize("change", [{"seed": 1}, {"ward_code": "20242"}, {"as_of": date(2026, 8, 16)}])
def test_other_arguments_give_other_rows(change: dict[str, Any]) -> None:
    assert digest(invent(200, **change)) != digest(invent(200))


def test_another_process_gives_the_same_rows() -> None:
    """Sets and hashes differ from process to process; the sample must not."""
    program = "from tests.test_ingest_demo import digest, invent; print(digest(invent(300)))"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {digest(invent(300))}


def test_codes_follow_from_ward_and_number(sample: demo.Demo) -> None:
    # Stickers printed from the sample carry them: a change here is a change of every printed code.
    first = next(place for place in sample.establishments if place.values["source_ref"] == "demo-00001")
    assert first.values["code"] == codes.code_for("demo:20257:1")


# --- What the register takes


def test_as_many_as_asked_each_with_its_own_code_name_and_reference(sample: demo.Demo) -> None:
    assert len(sample.establishments) == COUNT
    for column in ("code", "name", "source_ref"):
        assert len({place.values[column] for place in sample.establishments}) == COUNT, column
    assert all(codes.is_valid(place.values["code"]) for place in sample.establishments)


def test_only_columns_and_codes_that_the_register_knows(sample: demo.Demo) -> None:
    kinds = {row["kind"] for row in read_rows("osm_kinds.csv")}
    for place in sample.establishments:
        assert place.values.keys() <= set(COLUMNS)
        for column in ("sector_group", "legal_form", "operating_status", "position_method", "source"):
            assert place.values[column] in vocabulary.CODE_LISTS[column], column
        assert place.values["kind"] is None or place.values["kind"] in kinds
    lists = {
        "licence": {"kind": vocabulary.LICENCE_KINDS},
        "food_safety_record": {"kind": vocabulary.FOOD_SAFETY_KINDS},
        "inspection": {"result": vocabulary.INSPECTION_RESULTS},
        "warning": {},
        "payment_acceptance": {"method": vocabulary.PAYMENT_METHODS, "evidence_level": vocabulary.EVIDENCE_LEVELS},
        "digital_use": {"kind": vocabulary.DIGITAL_USES},
    }
    for table, checked in lists.items():
        for _, row in records(sample, table):
            assert row.keys() <= set(RECORD_TABLES[table])
            assert row["source"] == "demo"
            assert all(row[column] in allowed for column, allowed in checked.items())


def test_sector_codes_exist_and_belong_to_the_group() -> None:
    classes = {row["code"] for row in read_rows("vsic_2025.csv") if row["level"] == "4"}
    groups = {row["classes"]: row["sector_group"] for row in read_rows("sector_groups.csv")}
    for trade in TRADES:
        if trade.sector_code is not None:
            assert trade.sector_code in classes, trade.word
            assert groups.get(trade.sector_code, trade.sector_group) == trade.sector_group, trade.word
    assert sum(trade.share for trade in TRADES) == pytest.approx(100)
    assert len({trade.word for trade in TRADES}) == len(TRADES)


def test_everything_says_that_it_is_invented(sample: demo.Demo) -> None:
    for place in sample.establishments:
        assert " minh họa " in place.values["name"]
        assert place.values["illustrative"] is True
        assert (place.values["source"], place.values["position_method"]) == ("demo", "generated")
        assert place.values.get("website") is None
    for row in [*sample.residential_groups, *sample.model_sites]:
        assert "minh họa" in row["name"]
        assert row["illustrative"] is True


def test_nothing_looks_like_a_telephone_or_a_personal_number(sample: demo.Demo) -> None:
    written = [
        str(value)
        for place in sample.establishments
        for row in (place.values, *(row for rows in place.records.values() for row in rows))
        for column, value in row.items()
        if isinstance(value, str) and column != "code"
    ]
    assert not [value for value in written if re.search(r"\d{7}|[@+]", value)]


def test_days_stand_in_order_and_none_lies_ahead(sample: demo.Demo) -> None:
    for place in sample.establishments:
        opened, closed = place.values["opened_on"], place.values["closed_on"]
        end = closed or AS_OF
        assert AS_OF - timedelta(days=16 * 366) < opened <= end
        assert (closed is not None) == (place.values["operating_status"] == "closed")
        assert closed is None or AS_OF - timedelta(days=365) <= closed < AS_OF
        assert place.values["verified_on"] is None or opened <= place.values["verified_on"] <= AS_OF
        for table in ("payment_acceptance", "digital_use", "food_safety_record", "licence"):
            assert all(opened <= row["checked_on"] <= end for row in place.records.get(table, ())), table
        for row in place.records.get("licence", ()):
            assert row.get("issued_on") is None or opened <= row["issued_on"] <= row["checked_on"]
            assert row.get("expires_on") is None or row["issued_on"] < row["expires_on"]
        for row in place.records.get("food_safety_record", ()):
            assert row.get("issued_on") is None or opened <= row["issued_on"] < row["valid_until"]
        for row in place.records.get("inspection", ()):
            assert max(opened, AS_OF - timedelta(days=730)) <= row["inspected_on"] <= end
            assert row["signed_on"] is None or row["inspected_on"] <= row["signed_on"] <= AS_OF
        for row in place.records.get("warning", ()):
            assert opened <= row["issued_on"] <= (row["lifted_on"] or AS_OF) <= AS_OF
        for row in place.records.get("payment_acceptance", ()):
            assert row["accepted"] or row.get("has_transactions") is not True


# --- Over the real base data


def test_the_real_ward_in_a_few_seconds(owner_connection: Connection) -> None:
    ward = base_map.ward_outline(owner_connection, WARD)
    lines = base_map.street_lines(owner_connection, WARD)
    assert ward is not None
    started = time.process_time()
    found = demo.generate(ward, lines, ward_code=WARD, as_of=AS_OF)
    assert time.process_time() - started < 5
    assert len(found.establishments) == 9500
    assert all(place.values["address"] for place in found.establishments)
    kinds = Counter(re.sub(r"\d+\w?", "0", p.values["house_number"] or "stall") for p in found.establishments)
    assert kinds["K0/0"] > 500
    assert kinds["0/0"] > 2000
    assert kinds["0"] > 3000
    with owner_connection.begin_nested() as savepoint:
        residential_groups.add_many(owner_connection, found.residential_groups)
        model_sites.add_many(owner_connection, found.model_sites)
        assert establishments.add_many(owner_connection, found.establishments) == 9500
        savepoint.rollback()


def test_the_loaded_sample_shows_every_state(demo_database: Database) -> None:
    with demo_database.owner.connect() as connection:
        lost = connection.execute(
            text("SELECT count(*) FROM published.establishments WHERE source = 'demo' AND residential_group IS NULL")
        ).scalar_one()
        assert lost == 0
        for column, expected in {
            "licence_status": vocabulary.LICENCE_STATUSES,
            "food_safety_status": vocabulary.FOOD_SAFETY_STATUSES,
            "accepts_cashless": vocabulary.YES_NO_UNKNOWN,
        }.items():
            found = connection.execute(
                text(f"SELECT DISTINCT {column} FROM published.establishments WHERE source = 'demo'")
            ).scalars()
            assert set(found) == set(expected), column
