"""Pages of any order: whole and without repeats while others edit; counts; what a file says to whom."""

import csv
import io
import json
import random
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Connection, text

from layers import boxed, features
from layers.boxed import COUNTED_AT_ONCE, box_page
from layers.collections import COLLECTIONS, ESTABLISHMENTS, STAFF_COLLECTIONS
from layers.errors import InvalidCursor
from layers.features import Matched
from layers.formats.files import Words, write_file
from layers.keyset import decode_cursor
from layers.query import FeatureQuery, SortKey
from mapservice.reading import reading_long
from postgis.actor import read_as
from postgis.engine import Database
from postgis.migrate import upgrade
from tests.small_ward import OTHER_WARD, WARD, add_staff, fill, lift_warnings
from tests.statements_sent import noted

WORDS = Words("Cơ sở", "Dữ liệu", "Giới thiệu", [("Tên", "Cơ sở kinh doanh")])
ORDERS: dict[str, tuple[SortKey, ...]] = {
    "as registered": (),
    "text with unknowns": (SortKey("name_en"),),
    "text downwards": (SortKey("name", descending=True),),
    "days downwards": (SortKey("last_inspection_on", descending=True), SortKey("name")),
    "moments": (SortKey("updated_at"),),
    "flags": (SortKey("live_warning", descending=True), SortKey("illustrative")),
    "codes": (SortKey("licence_status"), SortKey("sector_group", descending=True)),
}


def _walk(connection: Connection, query: FeatureQuery, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = features.rows(connection, ESTABLISHMENTS, _with(query, limit=limit, cursor=cursor))
        found += page.rows
        if page.next_cursor is None:
            return found
        cursor = decode_cursor(page.next_cursor)


def _with(query: FeatureQuery, **values: Any) -> FeatureQuery:
    return replace(query, **values)


@pytest.mark.parametrize("order", list(ORDERS))
def test_pages_of_every_order_make_the_whole(demo_connection: Connection, order: str) -> None:
    query = FeatureQuery(sortby=ORDERS[order], equals={"sector_group": ("lodging", "health")})
    whole = features.rows(demo_connection, ESTABLISHMENTS, _with(query, limit=10_000)).rows
    assert len(whole) > 200
    assert [row["code"] for row in _walk(demo_connection, query, 37)] == [row["code"] for row in whole]


def test_vietnamese_names_in_the_order_of_the_alphabet(demo_connection: Connection) -> None:
    names = [row["name"] for row in _walk(demo_connection, FeatureQuery(sortby=(SortKey("name"),)), 5_000)]
    first = {name[0].casefold(): place for place, name in reversed(list(enumerate(names))) if name}
    assert first["d"] < first["đ"] < first["g"] < first["t"]
    assert names[-1] is None or all(names), "what is not known comes last"


def test_pages_stay_right_while_others_edit(database: Database) -> None:
    """Rows that nobody touches come once each, whatever is added, moved in the order or ended meanwhile."""
    actor = add_staff(database, "b-pages", "officer")
    ward = fill(database, actor, 30)
    query = FeatureQuery(sortby=(SortKey("name", descending=True),), limit=4)
    touched: set[str] = set()
    seen: list[str] = []
    cursor = None
    for turn in range(100):
        with database.public.connect() as connection:
            page = features.page(connection, ESTABLISHMENTS, _with(query, cursor=cursor))
            seen += [row.split('"id":"', 1)[1].split('"', 1)[0] for row in page.features.split("\n")]
        if page.next_cursor is None:
            break
        cursor = decode_cursor(page.next_cursor)
        # Of those already seen and those to come: one is renamed, one ended, and one is added in front.
        moved, ended = ward.places[turn], ward.places[29 - turn]
        lift_warnings(database, ended)
        with database.owner.begin() as connection:
            connection.execute(
                text("UPDATE register.establishment SET name = :name WHERE code = :code"),
                {"name": f"Đổi tên {turn}", "code": moved},
            )
            connection.execute(
                text("UPDATE register.establishment SET ended_at = now(), end_reason = 'thử' WHERE code = :code"),
                {"code": ended},
            )
        touched |= {moved, ended}
    rest = [code for code in ward.places if code not in touched]
    assert len(rest) > 5
    assert sorted(code for code in seen if code in rest) == sorted(rest)
    assert len([code for code in seen if code not in touched]) == len({code for code in seen if code not in touched})


@pytest.mark.parametrize(
    "cursor",
    [("",), ("", "x"), ("", None), ("", "1_0"), ("", str(2**63)), ("sort:name", "a", "1"), ("", "1", "2"), ()],
)
def test_a_cursor_of_another_order_or_making_is_refused(
    demo_connection: Connection, cursor: tuple[str | None, ...]
) -> None:
    with pytest.raises(InvalidCursor):
        features.page(demo_connection, ESTABLISHMENTS, FeatureQuery(cursor=cursor))


@pytest.mark.parametrize("day", ["2026-W01-1", "20260101", "infinity", "2026-13-01", "2026-01-01\x00"])
def test_a_forged_day_in_a_cursor_is_refused(demo_connection: Connection, day: str) -> None:
    query = FeatureQuery(sortby=(SortKey("verified_on"),), cursor=("sort:verified_on", day, "1"))
    with pytest.raises(InvalidCursor):
        features.page(demo_connection, ESTABLISHMENTS, query)


def test_counting_ends_where_it_gets_dear(demo_connection: Connection) -> None:
    payments = COLLECTIONS["payment_acceptances"]
    true: int = demo_connection.execute(text("SELECT count(*) FROM published.payment_acceptances")).scalar_one()
    assert true > features.EXACT_UP_TO
    page = features.page(demo_connection, payments, FeatureQuery(limit=1))
    assert page.estimated
    assert page.number_matched is not None
    assert 0.8 < page.number_matched / true < 1.25
    exact = features.page(demo_connection, payments, FeatureQuery(limit=1, equals={"method": ("vietqr",)}))
    counted = text("SELECT count(*) FROM published.payment_acceptances WHERE method = 'vietqr'")
    assert (exact.number_matched, exact.estimated) == (demo_connection.execute(counted).scalar_one(), False)
    assert Matched(demo_connection, payments, FeatureQuery()).more_than(true - 1)
    assert not Matched(demo_connection, payments, FeatureQuery()).more_than(true)


@pytest.mark.parametrize("collection", ["establishments", "streets", "basemap_areas", "wards"])
def test_a_box_is_answered_at_once_as_it_is_the_long_way(demo_connection: Connection, collection: str) -> None:
    """Boxes that end at a place or a hair beside it among them: the index knows them in single precision only."""
    rng, seen = random.Random(20), COLLECTIONS[collection]
    corner = text(f"SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geom) p FROM published.{collection}) points")
    points = [tuple(row) for row in demo_connection.execute(corner)]
    found = at_once = 0
    for number in range(120):
        (west, south), (east, north) = rng.choice(points), rng.choice(points)
        if number % 3:
            side = rng.choice([1e-9, 1e-6, 1e-5, 1e-4, 2e-4, 1e-3, 0.01])
            west, south = rng.choice([(west - side, south - side), (west, south), (west - side / 2, south - side)])
            east, north = west + side, south + side
        box = min(west, east), min(south, north), max(west, east), max(south, north)
        query = FeatureQuery(bbox=box, limit=rng.choice([1, 10, 100]), offset=rng.choice([0, 0, 3]))
        page, rows = features.page(demo_connection, seen, query), features.rows(demo_connection, seen, query)
        assert [one["id"] for one in json.loads(f"[{page.features}]")] == [row[seen.id_field] for row in rows.rows]
        assert (page.number_returned, page.next_cursor) == (len(rows.rows), rows.next_cursor)
        if page.number_returned or not query.offset:
            assert (page.number_matched, page.estimated) == (rows.number_matched, rows.estimated)
        found += page.number_returned
        at_once += box_page(demo_connection, seen, query) is not None
    assert found > 120
    assert at_once > 60


def test_a_box_that_holds_too_much_is_read_but_once(
    demo_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxed, "_full", deque(maxlen=2))
    lon, lat = demo_connection.execute(
        text("SELECT avg(ST_X(geom)), avg(ST_Y(geom)) FROM published.establishments WHERE illustrative")
    ).one()
    around = [(lon - side, lat - side, lon + side, lat + side) for side in (0.2, 0.3, 0.0005)]
    with noted(demo_connection) as asked:
        assert box_page(demo_connection, ESTABLISHMENTS, FeatureQuery(bbox=around[0])) is None
        assert asked
        asked.clear()
        assert box_page(demo_connection, ESTABLISHMENTS, FeatureQuery(bbox=around[1])) is None
        assert not asked
    page = features.page(demo_connection, ESTABLISHMENTS, FeatureQuery(bbox=around[1], limit=5))
    assert (page.number_returned, page.estimated) == (5, False)
    assert page.number_matched is not None
    assert page.number_matched > COUNTED_AT_ONCE
    assert box_page(demo_connection, ESTABLISHMENTS, FeatureQuery(bbox=around[2])) is not None


def test_a_kept_plan_outlives_what_happens_to_it(database: Database) -> None:
    ward = fill(database, add_staff(database, "b-plan", "officer"), 2)
    code = ward.places[0]

    def found(connection: Connection) -> str:
        feature = features.one(connection, ESTABLISHMENTS, code)
        assert feature is not None
        return feature.text

    planned = text("SELECT count(*) FROM pg_prepared_statements")
    with database.public.connect() as connection:
        before = found(connection)
        assert features.one(connection, ESTABLISHMENTS, ward.places[1]) is not None
        assert features.one(connection, ESTABLISHMENTS, "'); SELECT 1") is None
        assert connection.execute(planned).scalar_one() == 1
        assert connection.exec_driver_sql("SHOW plan_cache_mode").scalar_one() == "force_custom_plan"
        connection.exec_driver_sql("DEALLOCATE ALL")
        assert [found(connection), found(connection)] == [before, before]
        upgrade(database)
        with database.owner.begin() as owner:
            renamed = text("UPDATE register.establishment SET name = 'Quán đã đổi tên' WHERE code = :code")
            owner.execute(renamed, {"code": code})
        assert '"name":"Quán đã đổi tên"' in found(connection)
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with database.administrator() as administrator:
        assert administrator.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)").scalar_one()
    with database.public.connect() as connection:
        assert '"name":"Quán đã đổi tên"' in found(connection)
        assert connection.execute(planned).scalar_one() == 1


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_would_start_a_formula_is_text(database: Database, tmp_path: Path, form: str) -> None:
    actor = add_staff(database, "b-formula", "officer")
    ward = fill(database, actor, 2)
    evil = '=HYPERLINK("http://a.example","Phở")'
    with database.owner.begin() as connection:
        connection.execute(
            text("UPDATE register.establishment SET name = :name WHERE code = :code"),
            {"name": evil, "code": ward.places[0]},
        )
    path = tmp_path / f"places.{form}"
    with reading_long(database, None, 60) as connection:
        write_file(connection, ESTABLISHMENTS, FeatureQuery(limit=1_000), form, path, WORDS)
    if form == "csv":
        names = [row["name"] for row in csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))]
        assert f"'{evil}" in names
        assert not [name for name in names if name.startswith("=")]
    else:
        cells = [row[1] for row in openpyxl.load_workbook(path).worksheets[0].iter_rows()]
        assert [(cell.value, cell.data_type) for cell in cells if cell.value == evil] == [(evil, "s")]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_staff_fields_are_in_the_files_of_their_own_ward_alone(database: Database, tmp_path: Path, form: str) -> None:
    here, there = add_staff(database, "b-here", "officer"), add_staff(database, "b-there", "officer", OTHER_WARD)
    fill(database, here, 2)
    other = fill(database, there, 2)
    path = tmp_path / "places"
    with read_as(database, here) as connection:
        write_file(connection, STAFF_COLLECTIONS["establishments"], FeatureQuery(limit=100), form, path, WORDS)
    found = path.read_text("utf-8-sig")
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(found, newline="")))
        assert {bool(row["legal_entity"]) for row in rows if row["ward"] == WARD} == {True}
        assert {row["legal_entity"] for row in rows if row["ward"] == OTHER_WARD} == {""}
    assert not [code for code in other.entities if code in found]
    with reading_long(database, None, 60) as connection:
        write_file(connection, ESTABLISHMENTS, FeatureQuery(limit=100), form, path, WORDS)
    assert "legal_entity" not in path.read_text("utf-8-sig")
