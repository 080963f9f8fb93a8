"""What is asked most, asked of 200,000 places: every plan reads the rows it needs by an index, and no table whole."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from layers import cql2, features, statements, tiles
from layers.collections import ESTABLISHMENTS
from layers.errors import TooBroad
from layers.feature_text import feature_columns
from layers.matched import Matched
from layers.query import MAX_LIMIT, FeatureQuery, SortKey
from layers.statements import Statement
from postgis.actor import write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import records
from tests.benchmarks import growth_data
from tests.small_ward import add_staff
from tests.statements_sent import noted

PLACES = 200_000
MANY = 5_000
"""Rows beyond which a table is not to be read whole, nor as many of its rows be read and thrown away."""


@pytest.fixture(scope="module")
def large(server: Database, base_database: Database) -> Iterator[Database]:
    """200,000 invented places in 20 wards, with their facts and cells. Its edits are rolled back."""
    base_database.dispose()
    own = create_database(server, "plans", template="base")
    growth_data.fill(own, PLACES, say=lambda _: None)
    with own.owner.begin() as connection:
        connection.execute(text("SELECT register.fill_tile_cells()"))
    with own.owner.begin() as connection:
        connection.execute(text("ANALYZE register.tile_cell, register.tile_cell_group, register.lookup_code"))
    yield own
    own.dispose()
    drop_database(server, "plans")


def _plans(connection: Connection, ask: Callable[[], object]) -> list[dict[str, Any]]:
    """The plans of all statements that a question sends, as they were carried out."""
    with noted(connection) as asked:
        ask()
    plans = []
    for statement in asked:
        setting, _, last = statement.rpartition("; ") if statement.startswith("SET LOCAL") else ("", "", statement)
        if last.lstrip().upper().startswith(("SELECT", "WITH", "UPDATE", "INSERT", "EXECUTE")):
            explained = connection.exec_driver_sql(
                f"{setting or 'SELECT 1'}; EXPLAIN (ANALYZE, FORMAT JSON) {last}",
                execution_options={"no_parameters": True},
            ).scalar_one()
            plans.append((json.loads(explained) if isinstance(explained, str) else explained)[0]["Plan"])
    return plans


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _check(plans: list[dict[str, Any]], index: str | None) -> None:
    nodes = [node for plan in plans for node in _nodes(plan)]
    for node in nodes:
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        if node["Node Type"] == "Seq Scan":
            assert read < MANY, f"{node['Relation Name']} is read whole"
        assert node.get("Rows Removed by Filter", 0) * node["Actual Loops"] < MANY, node
    if index:
        assert index in {node.get("Index Name") for node in nodes}


def _tile_of(connection: Connection, zoom: int) -> tuple[int, int]:
    """The tile of a zoom around the first place of the register."""
    x, y = connection.execute(
        text("SELECT ST_X(geom_3857), ST_Y(geom_3857) FROM published.establishments ORDER BY id LIMIT 1")
    ).one()
    side = tiles.WORLD_M / 2**zoom
    return int((x + tiles.WORLD_M / 2) / side), int((tiles.WORLD_M / 2 - y) / side)


@pytest.mark.parametrize(
    ("zoom", "index"),
    [
        (0, "pk_tile_cell"), (5, "pk_tile_cell"), (9, "pk_tile_cell"), (12, "pk_tile_cell"), (14, "pk_tile_cell"),
        (15, "ix_establishment_point_3857"), (16, "ix_establishment_point_3857"), (18, "ix_establishment_point_3857"),
    ],
)  # fmt: skip
def test_tiles(large: Database, zoom: int, index: str) -> None:
    with large.public.connect() as connection:
        x, y = _tile_of(connection, zoom)
        plans = _plans(connection, lambda: tiles.tile(connection, ESTABLISHMENTS, zoom, x, y, FeatureQuery()))
        _check(plans, index)
        if zoom < 15:
            thrown_away = [node.get("Rows Removed by Join Filter", 0) for plan in plans for node in _nodes(plan)]
            assert max(thrown_away) == 0, "a place is looked up for a cell that holds several"
            query = FeatureQuery(equals={"sector_group": ("food_service", "lodging")})
            plans = _plans(connection, lambda: tiles.tile(connection, ESTABLISHMENTS, zoom, x, y, query))
            _check(plans, "pk_tile_cell_group")


def test_a_page_of_a_box(large: Database) -> None:
    with large.public.connect() as connection:
        lon, lat = connection.execute(
            text("SELECT ST_X(geom), ST_Y(geom) FROM published.establishments ORDER BY id LIMIT 1")
        ).one()
        query = FeatureQuery(bbox=(lon - 0.002, lat - 0.002, lon + 0.002, lat + 0.002))
        _check(
            _plans(connection, lambda: features.page(connection, ESTABLISHMENTS, query)), "ix_establishment_point_3857"
        )


def test_a_stream_begins_at_once(large: Database) -> None:
    """Row by row in the order of the index: nothing is sorted before the first."""
    with large.public.connect() as connection:
        matched = Matched(connection, ESTABLISHMENTS, FeatureQuery(limit=MAX_LIMIT))
        chosen = matched.all_rows(feature_columns(ESTABLISHMENTS, None))
        plan = Statement(select(chosen).order_by(*matched.placed(chosen))).explained(connection)["Plan"]
    assert plan["Startup Cost"] < plan["Total Cost"] / 50
    assert "Sort" not in {node["Node Type"] for node in _nodes(plan)}
    assert "pk_establishment" in {node.get("Index Name") for node in _nodes(plan)}


def test_tiles_of_what_an_index_finds(large: Database) -> None:
    with large.public.connect() as connection:
        x, y = _tile_of(connection, 5)
        for name, value, index in (
            ("live_warning", "true", "ix_establishment_live_warning"),
            ("ward", growth_data.FIRST_WARD, "ix_establishment_ward_id"),
        ):
            query = FeatureQuery(equals={name: (value,)})
            plans = _plans(connection, partial(tiles.tile, connection, ESTABLISHMENTS, 5, x, y, query))
            assert index in {node.get("Index Name") for plan in plans for node in _nodes(plan)}


def test_what_reads_all_there_is_is_refused(large: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here from a tenth of a million places on: the least that makes it, besides what an index narrows."""
    monkeypatch.setattr(statements, "MOST_COST", 10_000)
    sorted_by_name = FeatureQuery(sortby=(SortKey("name"),), limit=10)
    sorted_by_code = FeatureQuery(sortby=(SortKey("code", descending=True),), limit=10)
    halves = FeatureQuery(equals={"accepts_cashless": ("yes",)})
    with large.public.connect() as connection:
        x, y = _tile_of(connection, 5)
        with pytest.raises(TooBroad, match="sortby"):
            features.page(connection, ESTABLISHMENTS, sorted_by_name)
        with pytest.raises(TooBroad, match="accepts_cashless"):
            tiles.tile(connection, ESTABLISHMENTS, 5, x, y, halves)
        in_ward = replace(sorted_by_name, equals={"ward": (growth_data.FIRST_WARD,)})
        assert features.page(connection, ESTABLISHMENTS, in_ward).number_returned == 10
        x, y = _tile_of(connection, 14)
        assert tiles.tile(connection, ESTABLISHMENTS, 14, x, y, halves)
        plans = _plans(connection, lambda: features.page(connection, ESTABLISHMENTS, sorted_by_code))
        _check(plans[:1], "uq_establishment_code")


def test_one_place_by_its_code(large: Database) -> None:
    with large.public.connect() as connection:
        code = connection.execute(text("SELECT code FROM published.establishments OFFSET 777 LIMIT 1")).scalar_one()
        plans = _plans(connection, lambda: features.one(connection, ESTABLISHMENTS, code))
        _check(plans, "uq_establishment_code")


def test_a_search_for_a_name(large: Database) -> None:
    with large.public.connect() as connection:
        name = connection.execute(
            text("SELECT name FROM published.establishments WHERE length(name) > 15 ORDER BY id LIMIT 1")
        ).scalar_one()
        query = FeatureQuery(q=name, limit=20)
        _check(_plans(connection, lambda: features.page(connection, ESTABLISHMENTS, query)), "pk_establishment")
    # What a function reads is in no plan, but the server counts it, with what its process read within a second.
    large.public.dispose()
    read = text(
        "SELECT sum(seq_tup_read) FROM pg_stat_xact_all_tables WHERE schemaname = 'register' AND relname = :name"
    )
    with large.public.connect().execution_options(isolation_level="READ COMMITTED") as connection:
        features.page(connection, ESTABLISHMENTS, query)
        for name in ("establishment", "establishment_fact"):
            assert connection.execute(read, {"name": name}).scalar_one() < MANY, name


@pytest.mark.parametrize("folding", ["ACCENTI({})", "CASEI(ACCENTI({}))", "ACCENTI(CASEI({}))"])
@pytest.mark.parametrize("around", ["{}", "{} AND live_warning = FALSE", "code = 'X' OR {}"])
def test_a_filter_for_part_of_a_name_without_marks(large: Database, folding: str, around: str) -> None:
    with large.public.connect() as connection:
        name = connection.execute(
            text("SELECT name FROM published.establishments WHERE length(name) > 15 ORDER BY id LIMIT 1")
        ).scalar_one()
        alike = f"{folding.format('name')} LIKE {folding.format(repr('%' + name[1:] + '%'))}"
        query = FeatureQuery(filter=cql2.read(ESTABLISHMENTS, around.format(alike)))
        assert features.page(connection, ESTABLISHMENTS, query).features
        plans = _plans(connection, lambda: features.page(connection, ESTABLISHMENTS, query))
        _check(plans, "ix_establishment_search_key")


@pytest.mark.parametrize("values", [{"stall": "7"}, {"sector_group": "repair"}], ids=["a field", "what cells count"])
def test_an_edit(large: Database, values: dict[str, str]) -> None:
    """With what its triggers do: they cannot be explained, but they count what they read."""
    actor = add_staff(large, f"officer.{next(iter(values))}", "officer", growth_data.FIRST_WARD)
    read = "SELECT relname, coalesce(seq_tup_read, 0) FROM pg_stat_xact_user_tables WHERE schemaname = 'register'"
    with pytest.raises(ZeroDivisionError), write_as(large, actor, reason="sửa thử") as connection:
        code = connection.execute(text("SELECT code FROM register.establishment LIMIT 1")).scalar_one()
        before = {row[0]: int(row[1]) for row in connection.execute(text(read))}
        now = records.get(connection, "establishments", code)
        _check(_plans(connection, lambda: records.get(connection, "establishments", code)), "uq_establishment_code")
        records.change(connection, "establishments", code, now.version, values)
        after = {row[0]: int(row[1]) for row in connection.execute(text(read))}
        whole = {
            name: count - before.get(name, 0) for name, count in after.items() if name in ("establishment", *_LARGE)
        }
        assert max(whole.values()) < MANY, whole
        raise ZeroDivisionError  # nothing of it is kept


_LARGE = (
    "establishment_fact",
    "tile_cell",
    "tile_cell_group",
    "lookup_code",
    "inspection",
    "payment_acceptance",
    "change",
)
