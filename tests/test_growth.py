"""What must not grow with the register: extents, searches; and 94 wards in one database, each with its own officer."""

import random
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text

from layers import features
from layers.collections import COLLECTIONS, ESTABLISHMENTS
from layers.extents import extent_of
from layers.keyset import decode_cursor
from layers.query import FeatureQuery
from layers.search import BEST, Search
from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.errors import Forbidden, NotFound
from postgis.store import records
from tests.benchmarks.growth_data import FIRST_WARD, fill
from tests.small_ward import add_staff

PLACES = 20_000


@pytest.fixture(scope="module")
def grown(server: Database, base_database: Database) -> Iterator[Database]:
    """A register of 20,000 invented places in two wards."""
    base_database.dispose()
    database = create_database(server, "grown", template="base")
    fill(database, PLACES, lambda _line: None)
    yield database
    database.dispose()
    drop_database(server, "grown")


@pytest.fixture
def anybody(grown: Database) -> Iterator[Connection]:
    with grown.public.connect() as connection:
        yield connection


def test_every_invented_place_is_marked_and_has_its_facts(anybody: Connection) -> None:
    of_each = anybody.execute(
        text("SELECT count(*), count(*) FILTER (WHERE illustrative), count(DISTINCT code), count(accepts_cashless), "
             "count(residential_group) FROM published.establishments")
    ).one()  # fmt: skip
    assert tuple(of_each) == (PLACES,) * 5


def test_extents_are_those_of_every_row(anybody: Connection) -> None:
    for collection in COLLECTIONS.values():
        if collection.geometry is None or collection.computed:
            continue
        every = anybody.execute(
            text(f"SELECT ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b) "
                 f"FROM (SELECT ST_Extent(geom) AS b FROM published.{collection.id}) s")
        ).one()  # fmt: skip
        assert (extent_of(anybody, collection) or (None,) * 4) == pytest.approx(tuple(every)), collection.id


def _rows_read(connection: Connection, statement: str, **values: object) -> int:
    """Rows that the nodes of a plan read or threw away, all together."""
    (plan,) = connection.execute(text(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"), values).scalar_one()

    def read(node: dict[str, object]) -> int:
        own = sum(
            int(node.get(name, 0)) * int(node["Actual Loops"])  # type: ignore[call-overload]
            for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        )
        return own + sum(read(child) for child in node.get("Plans", ()))  # type: ignore[attr-defined]

    return read(plan["Plan"])


def test_the_extent_reads_no_more_than_the_edges(anybody: Connection) -> None:
    reads = _rows_read(
        anybody,
        "SELECT ST_XMin(geom) FROM published.establishments "
        "ORDER BY geom OPERATOR(public.<->) ST_GeomFromText('LINESTRING(-180 -90, -180 90)', 4326) LIMIT 1",
    )
    assert reads < 100


@pytest.mark.parametrize("q", ["c", "p", "ph", "1", "ca phe", "hoa", "minh hoa", "duong hoa", "9 hoa sua 1", "oa sua"])
def test_a_search_ranks_a_bounded_number(anybody: Connection, q: str) -> None:
    found = Search(anybody, ESTABLISHMENTS, q)
    assert found.ids
    assert len(found.ids) <= 3 * BEST
    page = features.page(anybody, ESTABLISHMENTS, FeatureQuery(q=q, limit=20))
    assert page.number_returned == 20


def test_a_search_that_is_not_cut_short_finds_all(anybody: Connection) -> None:
    for q in ("banh mi truc xua", "nha khoa lan gan gui", "ca phe tre 7", "tiem toc cuc vuon", "6 hoa sua"):
        words = q.split()
        every = set(
            anybody.execute(
                text("SELECT id FROM published.establishments WHERE search_key LIKE :text OR "
                     "(search_key ~ ALL (:whole) AND search_key ~ :begun)"),
                {"text": f"%{q}%", "whole": [rf"\m{w}\M" for w in words[:-1]], "begun": rf"\m{words[-1]}"},
            ).scalars()
        )  # fmt: skip
        search = Search(anybody, ESTABLISHMENTS, q)
        assert not search.cut or len(every) >= BEST
        if not search.cut:
            assert set(search.ids or ()) == every, q
        found = features.page(anybody, ESTABLISHMENTS, FeatureQuery(q=q, limit=500))
        assert found.number_returned == min(len(every), BEST) or search.cut, q


@pytest.mark.parametrize("others", [{}, {"ward": (FIRST_WARD,)}])
def test_what_is_not_ranked_follows_what_is(anybody: Connection, others: dict[str, tuple[str, ...]]) -> None:
    asked = FeatureQuery(q="nha thuoc", equals=others, limit=170)
    first = features.page(anybody, ESTABLISHMENTS, asked)
    assert first.estimated
    found, page = re.findall(r'"id":"(\w+)"', first.features), first
    while page.next_cursor is not None:
        page = features.page(anybody, ESTABLISHMENTS, replace(asked, cursor=decode_cursor(page.next_cursor)))
        found += re.findall(r'"id":"(\w+)"', page.features)
    every = anybody.execute(
        text("SELECT code FROM published.establishments WHERE search_key LIKE '%nha thuoc%' AND ward = ANY (:wards)"),
        {"wards": list(others.get("ward", (FIRST_WARD, "90002")))},
    ).scalars()
    assert len(found) == len(set(found)) > BEST
    assert set(found) == set(every)


def test_the_words_are_found_by_their_index(anybody: Connection) -> None:
    plan = "\n".join(
        anybody.execute(
            text("EXPLAIN SELECT id FROM published.establishments "
                 "WHERE published.search_words(id, search_key) @@ '''0.truc'' & ''0.xua'''::tsquery")
        ).scalars()
    )  # fmt: skip
    assert "ix_establishment_search_words" in plan
    plan = "\n".join(
        anybody.execute(
            text("EXPLAIN SELECT id FROM published.establishments WHERE name_key LIKE 'c%' "
                 "ORDER BY name_key USING ~<~, id LIMIT 300")
        ).scalars()
    )  # fmt: skip
    assert "ix_establishment_name_key" in plan and "Sort" not in plan


def test_ninety_four_wards_each_with_an_officer(database: Database) -> None:
    with database.owner.connect() as connection:
        wards = connection.execute(
            text("SELECT code, ST_X(ST_PointOnSurface(geom)) AS lon, ST_Y(ST_PointOnSurface(geom)) AS lat "
                 "FROM register.ward WHERE valid_to IS NULL ORDER BY code")
        ).all()  # fmt: skip
    assert len(wards) == 94
    officers = [add_staff(database, f"officer-{ward.code}", "officer", ward.code) for ward in wards]
    places = [_place(database, officer, ward.lon, ward.lat) for officer, ward in zip(officers, wards, strict=True)]
    rng = random.Random(94)
    for number, officer in enumerate(officers):
        with read_as(database, officer) as connection:
            seen = connection.execute(text("SELECT code FROM register.establishment")).scalars().all()
            assert seen == [places[number]]
        with write_as(database, officer, reason="sửa") as connection:
            records.change(connection, "establishments", places[number], 1, {"stall": "1"})
    for officer in rng.sample(officers, 12):
        other = rng.choice([place for place, owner in zip(places, officers, strict=True) if owner is not officer])
        with pytest.raises((Forbidden, NotFound)), write_as(database, officer, reason="sửa") as connection:
            records.change(connection, "establishments", other, 2, {"stall": "2"})
    with database.public.connect() as connection:
        of_one = features.page(
            connection, ESTABLISHMENTS, FeatureQuery(equals={"ward": (wards[7].code,)})
        )  # fmt: skip
        assert of_one.number_returned == 1 and places[7] in of_one.features


def _place(database: Database, officer: Actor, lon: float, lat: float) -> str:
    values = {
        "name": f"Quán Minh Họa {officer.ward_code}", "sector_group": "other", "source": "office",
        "position_method": "surveyed", "geometry": {"type": "Point", "coordinates": [round(lon, 6), round(lat, 6)]},
    }  # fmt: skip
    with write_as(database, officer, reason="một phường") as connection:
        return records.create(connection, "establishments", values, ward_id=officer.ward_id).code
