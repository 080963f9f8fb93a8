"""The counted cells of the map hold what the register says, whatever is done to it and however."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from layers import tile_cells
from postgis.actor import Actor, write_as
from postgis.backup import read_backup, write_backup
from postgis.engine import Database, create_database, drop_database
from postgis.migrate import upgrade
from postgis.store import life_cycle, records
from postgis.store.imports_apply import apply
from postgis.store.imports_undo import undo
from tests.import_batches import SECRETS, add_batch, ask_undo, new_place, row
from tests.small_ward import MIDDLE, WARD, SmallWard, add_staff, fill, lift_warnings

WORLD_CM = 4007501668.557849
CELLS = "SELECT level, quad, sector_group, places, warned FROM published.tile_cell_groups"
_MADE = {"sector_group": "repair", "source": "office", "operating_status": "active"}
DIFFERENCES = "SELECT register.tile_cell_differences()"


@pytest.fixture
def officer(database: Database) -> Actor:
    return add_staff(database, "officer", "officer")


def _cells(database: Database) -> set[tuple[Any, ...]]:
    """All cells, after the checks that none differs from the register and that every level counts every place."""
    with database.owner.connect() as connection:
        assert connection.execute(text(DIFFERENCES)).scalar_one() == 0
        living = connection.execute(text("SELECT count(*) FROM published.establishments")).scalar_one()
        cells = {tuple(found) for found in connection.execute(text(CELLS))}
    for level in range(4, 19, 2):
        assert sum(places for of_level, _, _, places, _ in cells if of_level == level) == living
    return cells


def _warned(cells: set[tuple[Any, ...]]) -> int:
    return sum(warned for level, _, _, _, warned in cells if level == 4)


def _change(database: Database, actor: Actor, code: str, **values: Any) -> None:
    with write_as(database, actor, reason="sửa") as connection:
        now = records.get(connection, "establishments", code)
        records.change(connection, "establishments", code, now.version, values)


def _moved(east: float, north: float) -> dict[str, Any]:
    lon, lat = MIDDLE[WARD]
    return {"type": "Point", "coordinates": [lon + east, lat + north]}


def _without_warnings(database: Database, ward: SmallWard) -> None:
    for place in ward.places:
        lift_warnings(database, place)


def test_single_edits(database: Database, officer: Actor) -> None:
    assert _cells(database) == set()
    ward = fill(database, officer, 3)
    before = _cells(database)
    _change(database, officer, ward.places[0], name="Quán thử nghiệm đổi tên", operating_status="closed")
    assert _cells(database) == before
    _change(database, officer, ward.places[0], geometry=_moved(0.004, 0.004))
    after_move = _cells(database)
    assert after_move != before
    _change(database, officer, ward.places[0], sector_group="lodging")
    assert any(cell[0] == 18 and cell[2] == "lodging" for cell in _cells(database))
    _change(database, officer, ward.places[0], sector_group="food_service")
    assert _cells(database) == after_move
    with write_as(database, officer, reason="một quán nữa") as connection:
        said = {
            "name": "Quán Một Mình",
            "geometry": _moved(0, 0.003),
            "position_method": "surveyed",
            "source": "office",
        }
        records.create(connection, "establishments", {**said, **_MADE}, ward_id=officer.ward_id)
    assert len(_cells(database)) > len(after_move)


def test_ended_brought_back_and_merged(database: Database, officer: Actor) -> None:
    ward = fill(database, officer, 3)
    _without_warnings(database, ward)
    before = _cells(database)
    first, second, third = ward.places

    def version(connection: Any, code: str) -> int:
        return records.get(connection, "establishments", code).version

    with write_as(database, officer, reason="nhầm") as connection:
        records.end(connection, "establishments", first, version(connection, first), "nhầm")
    assert _cells(database) < before or _cells(database) != before
    with write_as(database, officer, reason="không nhầm") as connection:
        records.bring_back(connection, "establishments", first, version(connection, first))
    assert _cells(database) == before
    with write_as(database, officer, reason="trùng") as connection:
        life_cycle.merge(connection, second, version(connection, second), into=third, reason="trùng")
    assert _cells(database) != before
    with write_as(database, officer, reason="không trùng") as connection:
        life_cycle.undo_merge(connection, second, version(connection, second))
    assert _cells(database) == before


def test_warnings_that_are_lifted_and_issued(database: Database, officer: Actor) -> None:
    ward = fill(database, officer, 3)
    assert _warned(_cells(database)) == 3
    with database.owner.connect() as connection:
        seen = "SELECT version, (SELECT count(*) FROM register.change) FROM register.establishment WHERE code = :code"
        before = connection.execute(text(seen), {"code": ward.places[0]}).one()
    lift_warnings(database, ward.places[0])
    assert _warned(_cells(database)) == 2
    with database.owner.connect() as connection:
        after = connection.execute(text(seen), {"code": ward.places[0]}).one()
        assert tuple(after) == (before[0], before[1] + 1), "the warning changed, the place did not"
        flag = "SELECT live_warning FROM published.establishments WHERE code = :code"
        assert connection.execute(text(flag), {"code": ward.places[0]}).scalar_one() is False
    _without_warnings(database, ward)
    assert _warned(_cells(database)) == 0
    with write_as(database, officer, reason="cảnh báo") as connection:
        said = {"establishment": ward.places[1], "issued_on": "2026-02-03", "headline": "Thử", "agency": "Đoàn thử"}
        records.create(connection, "warnings", {**said, "source": "office"}, ward_id=officer.ward_id)
    assert _warned(_cells(database)) == 1


def test_nobody_writes_the_flag_or_the_cells(database: Database, officer: Actor) -> None:
    ward = fill(database, officer, 1)
    lift_warnings(database, ward.places[0])
    flag = text("SELECT live_warning FROM register.establishment WHERE code = :code")
    with write_as(database, officer, reason="thử") as connection:
        connection.execute(text("UPDATE register.establishment SET live_warning = true, stall = '9'"))
        assert connection.execute(flag, {"code": ward.places[0]}).scalar_one() is False
        assert records.get(connection, "establishments", ward.places[0]).version == 2
    for table in ("tile_cell", "tile_cell_group"):
        for statement in (f"DELETE FROM register.{table}", f"UPDATE register.{table} SET places = 0"):
            with pytest.raises(DBAPIError, match="permission denied"), database.staff.begin() as staff:
                staff.execute(text(statement))


def test_an_import_and_its_undo(database: Database, officer: Actor) -> None:
    fill(database, officer, 2)
    before = _cells(database)
    code = add_batch(database, officer, [row([new_place(WARD, number)]) for number in range(700)])
    assert set(apply(database, SECRETS, officer, code).outcomes) == {"applied"}
    assert sum(cell[3] for cell in _cells(database) if cell[0] == 4) == 702
    ask_undo(database, officer, code)
    undo(database, officer, code)
    assert _cells(database) == before


def test_two_writers_at_once(database: Database, officer: Actor) -> None:
    """Outside the history's lock too, in case a later writer comes without it."""
    ward = fill(database, officer, 8)
    move = text(
        "UPDATE register.establishment SET geom = ST_Translate(geom, :east, 0), sector_group = :kind WHERE code = :code"
    )

    def shift(code: str) -> None:
        for number in range(6):
            with database.owner.begin() as connection:
                east = 0.0005 if number % 2 else -0.0005
                connection.execute(move, {"east": east, "kind": ("cafe_drinks", "grocery")[number % 2], "code": code})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(shift, ward.places))
    assert {cell[2] for cell in _cells(database)} == {"grocery"}


@pytest.mark.usefixtures("no_photos")
def test_the_sample_a_backup_and_what_a_repair_finds(server: Database, demo_database: Database, tmp_path: Path) -> None:
    cells = _cells(demo_database)
    assert _warned(cells) > 20
    write_backup(demo_database, tmp_path)
    restored = create_database(server, "restored_cells")
    try:
        read_backup(restored, tmp_path)
        upgrade(restored)
        assert _cells(restored) == cells
        with restored.owner.begin() as connection:
            connection.execute(text("UPDATE register.tile_cell_group SET places = places + 1 WHERE level = 18"))
            wrong = connection.execute(text(DIFFERENCES)).scalar_one()
            finest = connection.execute(
                text("SELECT count(*) FROM register.tile_cell_group WHERE level = 18")
            ).scalar_one()
            assert wrong > finest
            connection.execute(text("SELECT register.fill_tile_cells()"))
        assert _cells(restored) == cells
    finally:
        restored.dispose()
        drop_database(server, "restored_cells")


def test_the_finest_cell_is_the_one_that_the_tile_asks_for(demo_database: Database) -> None:
    """The database and layers/tile_cells.py number cells alike."""
    side = WORLD_CM / 2**18
    with demo_database.public.connect() as connection:
        for column, line in ((0, 0), (1, 0), (0, 1), (211_111, 119_211), (262_143, 262_143), (12_345, 200_001)):
            x = round((column + 0.5) * side - WORLD_CM / 2)
            y = round(WORLD_CM / 2 - (line + 0.5) * side)
            found = connection.execute(text("SELECT published.finest_cell(:x, :y)"), {"x": x, "y": y}).scalar_one()
            assert found == tile_cells.quad(column, line)
        beyond = text(
            "SELECT published.finest_cell(-9000000000, 9000000000), published.finest_cell(9000000000, -9000000000)"
        )
        assert tuple(connection.execute(beyond).one()) == (0, 2**36 - 1)
