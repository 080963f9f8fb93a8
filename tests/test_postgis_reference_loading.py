"""Loading the base data: complete, quick, safe to repeat, and without changing an id."""

import csv
import shutil
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from postgis import reference_data, tables, vocabulary
from postgis.reference_data import RELEASES, load_reference
from postgis.reference_files import REFERENCE


def test_base_database_holds_the_base_data(owner_connection: Connection) -> None:
    counts = {
        name: owner_connection.execute(text(f"SELECT count(*) FROM register.{name}")).scalar_one()
        for name in ("ward", "ward_succession", "sector_class", "sector_code_collision", "sector_group_class")
    }
    assert counts == {
        "ward": 94 + 283,
        "ward_succession": 284,
        "sector_class": 880,
        "sector_code_collision": 20,
        "sector_group_class": 495,
    }
    groups = owner_connection.execute(select(tables.sector_group.c.code).order_by(tables.sector_group.c.position))
    assert tuple(groups.scalars()) == vocabulary.SECTOR_GROUPS
    named = owner_connection.execute(
        text(
            "SELECT count(*) FROM register.street s JOIN register.ward w ON w.id = s.ward_id "
            "WHERE w.code = '20257' AND w.valid_to IS NULL AND s.geom IS NOT NULL AND s.geom_3857 IS NOT NULL"
        )
    ).scalar_one()
    assert named > 700
    loaded = set(owner_connection.execute(select(tables.reference_release.c.name)).scalars())
    assert loaded == {release.name for release in RELEASES}


def test_loading_again_does_nothing(owner_connection: Connection) -> None:
    assert load_reference(owner_connection) == {}


@pytest.mark.alone
def test_loading_anew_keeps_ids_and_mends_rows(owner_connection: Connection) -> None:
    before = snapshot(owner_connection)
    owner_connection.execute(text("DELETE FROM register.reference_release"))
    owner_connection.execute(text("UPDATE register.ward SET name = 'wrong' WHERE code = '20257' AND valid_to IS NULL"))
    owner_connection.execute(text("UPDATE register.street SET name = 'wrong'"))
    owner_connection.execute(
        text(
            "INSERT INTO register.basemap_area (code, layer, source, geom) "
            "VALUES ('gone', 'park', 'osm_detail', ST_SetSRID(ST_MakePoint(108, 16), 4326)), "
            "('kept', 'park', 'office', ST_SetSRID(ST_MakePoint(108, 16), 4326))"
        )
    )
    started = time.perf_counter()
    counts = load_reference(owner_connection)
    seconds = time.perf_counter() - started
    assert counts["ward"] == 377
    # Row by row it would take minutes.
    assert seconds < 30
    after = snapshot(owner_connection)
    assert set(after) - set(before) == {entry for entry in after if entry[2] == "kept"}
    assert set(before) <= set(after)


def snapshot(connection: Connection) -> list[tuple[str, int, str, str | None]]:
    """Ids, codes and names of the rows that others may refer to or people may see."""
    found: list[tuple[str, int, str, str | None]] = []
    for table in ("ward", "street", "basemap_area"):
        rows = connection.execute(text(f"SELECT id, code, name FROM register.{table} ORDER BY id"))
        found += [(table, row.id, row.code, row.name) for row in rows]
    return found


def test_a_changed_file_is_loaded_and_the_others_are_not(
    owner_connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(REFERENCE, tmp_path / "reference")
    collisions = tmp_path / "reference" / "vsic_collisions.csv"
    rows = list(csv.reader(collisions.read_text(encoding="utf-8").splitlines()))
    with collisions.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows[:-1])
    monkeypatch.setattr("postgis.reference_files.REFERENCE", tmp_path / "reference")
    monkeypatch.setattr(reference_data, "REFERENCE", tmp_path / "reference")
    assert load_reference(owner_connection) == {
        "sector_class": 880,
        "sector_code_collision": 19,
        "sector_group": 24,
        "sector_group_class": 495,
    }
    left = owner_connection.execute(select(tables.sector_code_collision.c.code)).scalars().all()
    assert rows[-1][0] not in left
    assert len(left) == 19


def test_targets_are_loaded_with_their_comparators(owner_connection: Connection) -> None:
    found = owner_connection.execute(
        text(
            "SELECT indicator_code, comparator, value FROM register.target "
            "WHERE ward_code = '20257' AND due = '2026-12-31' ORDER BY indicator_code"
        )
    ).all()
    assert [tuple(row) for row in found] == [
        ("digital_platform_use", "at_least", 50),
        ("model_site_active_acceptance", "at_least", 60),
    ]
    stricter = text("SELECT comparator FROM register.target WHERE ward_code = '00235' AND indicator_code = :code")
    assert owner_connection.execute(stricter, {"code": "enterprise_e_contract"}).scalar_one() == "more_than"
    entered = text("SELECT code FROM register.indicator WHERE measured_by = 'entered'")
    assert owner_connection.execute(entered).scalars().all() == ["retail_cashless_share"]
