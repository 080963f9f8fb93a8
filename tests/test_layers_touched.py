"""What a change is said to touch is all that it changes: held against rendering every tile before and after."""

import random
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, text

from layers import features, tiles
from layers.answer_cache import Sources, Touched
from layers.collections import COLLECTIONS
from layers.query import FeatureQuery
from layers.touched import touched_by
from postgis.actor import Actor, write_as
from postgis.engine import Database
from postgis.notices import listening
from postgis.store import records
from tests.small_ward import MIDDLE, WARD, SmallWard, add_staff, fill
from tests.test_freshness import tile_at

CHANGES = 26
DRAWN = ("establishments", "model_sites")
Tile = tuple[str, int, int, int]


@pytest.fixture
def ward(database: Database) -> Iterator[tuple[Database, Actor, SmallWard]]:
    officer = add_staff(database, "officer", "officer")
    yield database, officer, fill(database, officer, 12)


def rendered(connection: Connection) -> dict[Tile, bytes]:
    """Every tile of the middle of the ward and around it."""
    lon, lat = MIDDLE[WARD]
    found: dict[Tile, bytes] = {}
    for z in (*range(0, 12, 3), *range(12, 19)):
        reach = 2 ** max(0, z - 15)
        _, row, column = tile_at(lon, lat, z)
        for x in range(max(0, column - reach), min(2**z - 1, column + reach) + 1):
            for y in range(max(0, row - reach), min(2**z - 1, row + reach) + 1):
                for name in DRAWN:
                    found[name, z, x, y] = tiles.tile(connection, COLLECTIONS[name], z, x, y, FeatureQuery())
    return found


def shown(connection: Connection) -> dict[tuple[str, str], str]:
    """Every feature that anybody may see."""
    found: dict[tuple[str, str], str] = {}
    for name in ("establishments", "licences", "inspections", "warnings", "payment_acceptances", "model_sites"):
        collection = COLLECTIONS[name]
        codes = connection.execute(text(f"SELECT code FROM published.{name}")).scalars().all()
        for code in codes:
            feature = features.one(connection, collection, code, FeatureQuery())
            found[name, code] = feature.text if feature else ""
    return found


def edits(ward: SmallWard, chance: random.Random) -> list[Callable[[Connection], object]]:
    """One change of each kind, of places chosen by chance."""
    lon, lat = MIDDLE[WARD]

    def change(collection: str, code: str, **values: object) -> Callable[[Connection], object]:
        def run(connection: Connection) -> object:
            version = records.version(connection, collection, code)
            assert version is not None
            return records.change(connection, collection, code, version, values)

        return run

    def point() -> dict[str, object]:
        where = [round(lon + chance.uniform(-0.002, 0.002), 7), round(lat + chance.uniform(-0.002, 0.002), 7)]
        return {"type": "Point", "coordinates": where}

    kinds = ["certificate", "commitment"]
    place = chance.choice(ward.places)
    number = chance.randrange(10**6)
    one = chance.randrange(len(ward.places))
    return [
        change("establishments", place, name=f"Quán {number}"),
        change("establishments", place, geometry=point()),
        change("establishments", place, geometry=point(), name=f"Quán Dời {number}"),
        change("establishments", place, operating_status=chance.choice(["active", "closed", "suspended"])),
        change("establishments", place, legal_form=chance.choice(["enterprise", "household_business"])),
        change("licences", ward.codes["licences"][one], number=f"GP-{number}"),
        change("inspections", ward.codes["inspections"][one], result=chance.choice(["pass", "fail"])),
        change("warnings", ward.codes["warnings"][one], lifted_on=chance.choice(["2026-02-01", None])),
        change("payment_acceptances", ward.codes["payment_acceptances"][one], accepted=chance.choice([True, False])),
        change("food_safety_records", ward.codes["food_safety_records"][one], kind=chance.choice(kinds)),
        change("digital_uses", ward.codes["digital_uses"][one], used=chance.choice([True, False])),
        change("model_sites", ward.codes["model_sites"][0], name=f"Chợ {number}"),
        change("legal_entities", ward.entities[one], registered_name=f"Hộ {number}"),
    ]  # fmt: skip


def test_what_changes_is_what_is_told(ward: tuple[Database, Actor, SmallWard]) -> None:
    database, officer, made = ward
    chance = random.Random(20257)
    with database.public.connect() as reader, listening(database) as notices:
        reader = reader.execution_options(isolation_level="AUTOCOMMIT")
        before, before_shown, (head, _) = rendered(reader), shown(reader), notices.head(None)
        for number in range(CHANGES):
            choice = edits(made, chance)
            edit = choice[number % len(choice)]
            with write_as(database, officer, reason="thử", source="office") as connection:
                edit(connection)
            after, after_shown, (now, follows) = rendered(reader), shown(reader), notices.head(head)
            assert follows
            base, more = notices.told()
            touched = touched_by([*more, *notices.touched(head, now)])
            assert touched is not None
            assert not base
            _check_tiles(touched, before, after)
            _check_features(touched, before_shown, after_shown)
            before, before_shown, head = after, after_shown, now


def _check_tiles(touched: Touched, before: dict[Tile, bytes], after: dict[Tile, bytes]) -> None:
    changed = {tile for tile in before if before[tile] != after[tile]}
    named = {tile for tile in before if touched.touches(Sources((tile[0],), tile[1:]))}
    assert changed <= named
    # At most four tiles of a zoom meet in a corner, before and after.
    assert all(sum(1 for tile in named if tile[:2] == of) <= 8 for of in {tile[:2] for tile in named})


def _check_features(touched: Touched, before: dict[tuple[str, str], str], after: dict[tuple[str, str], str]) -> None:
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    for collection, code in changed:
        assert collection in touched.collections
        if collection in DRAWN:
            assert (collection, code) in touched.records
    named = {code for collection, code in touched.records if collection == "establishments"}
    assert len(named) <= 1


def test_every_recorded_table_is_known(database: Database) -> None:
    """A table that begins to be recorded must be said to touch something, or nothing."""
    with database.owner.connect() as connection:
        recorded = set(connection.execute(text("SELECT collection FROM register.recorded_tables()")).scalars())
        ignored = connection.execute(
            text("SELECT pg_get_functiondef('published.touched(bigint, bigint)'::regprocedure)")
        ).scalar_one()
    known = {
        "establishments", "model_sites", "licences", "inspections", "warnings", "payment_acceptances",
        "food_safety_records", "digital_uses", "photos",
    }  # fmt: skip
    assert {name for name in recorded - known if f"'{name}'" not in ignored} == set()


def test_all_that_is_published_is_recorded_or_told(database: Database) -> None:
    """Every table that a published view reads wakes the listeners when it changes."""
    with database.owner.connect() as connection:
        read = set(
            connection.execute(
                text("SELECT DISTINCT table_name::text FROM information_schema.view_table_usage "
                     "WHERE view_schema = 'published' AND table_schema = 'register'")
            ).scalars()
        )  # fmt: skip
        telling = set(
            connection.execute(
                text("SELECT c.relname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                     "WHERE t.tgname IN ('tell_change', 'note_changed', 'tell_moved', 'tell_misused')")
            ).scalars()
        )  # fmt: skip
    # Facts and cells change in the transaction of their records, the mark with what it marks; a code issued, a month
    # that is over and a migration show in no kept answer.
    along = {"establishment_fact", "tile_cell", "tile_cell_group", "published_mark"}
    assert read - telling <= along | {"lookup_code", "lookup_month", "schema_version"}
