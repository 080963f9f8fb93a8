"""Migrations make exactly the tables that the code knows, from empty, and again without change."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.schema import SchemaItem

from postgis.backup import read_backup
from postgis.engine import Database, create_database, drop_database
from postgis.migrate import schema_is_current, upgrade
from postgis.tables import metadata
from postgis.tables.base import Geometry, Point

SHAPE = """
    SELECT string_agg(line, E'\n' ORDER BY line) FROM (
        SELECT table_schema || '.' || table_name || '.' || column_name || ' ' || data_type AS line
          FROM information_schema.columns WHERE table_schema IN ('register', 'published', 'account')
        UNION ALL
        SELECT schemaname || '.' || indexname || ' ' || indexdef FROM pg_indexes WHERE schemaname = 'register'
        UNION ALL
        SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal
    ) AS shape
"""


def _ours(_item: SchemaItem, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """Not PostGIS's own; and that geometries have their index is a test of its own below."""
    own = kind == "index" and str(name).endswith(("_geom", "_geom_3857"))
    return not own and not (kind == "table" and name == "spatial_ref_sys")


def test_tables_are_those_of_the_code(base_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ischema_names, "geometry", Geometry)
    monkeypatch.setitem(ischema_names, "point", Point)
    with base_database.owner.connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _parents: kind != "schema" or name in ("register", "account"),
            "include_object": _ours,
            "version_table": "schema_version",
            "version_table_schema": "register",
            "compare_type": True,
        }
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_checks_are_those_of_the_code(base_database: Database) -> None:
    """Alembic compares no CHECK: their names and the words they allow."""
    with base_database.owner.connect() as connection:
        made = connection.execute(
            text(
                "SELECT n.nspname || '.' || r.relname, conname, pg_get_constraintdef(c.oid) FROM pg_constraint c "
                "JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace "
                "WHERE c.contype = 'c' AND n.nspname IN ('register', 'account') AND r.relname <> 'schema_version'"
            )
        ).all()
    wanted = [
        (table.fullname, str(check.name), str(check.sqltext))
        for table in metadata.sorted_tables
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    ]
    assert _allowed(made) == _allowed(wanted)


def _allowed(checks: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], list[str]]:
    return {(table, name): sorted(set(re.findall(r"'([^']*)'", rule))) for table, name, rule in checks}


def test_upgrade_twice_changes_nothing(server: Database) -> None:
    database = create_database(server, "twice")
    try:
        first = upgrade(database)
        with database.owner.connect() as connection:
            before = connection.execute(text(SHAPE)).scalar_one()
        second = upgrade(database)
        with database.owner.connect() as connection:
            assert connection.execute(text(SHAPE)).scalar_one() == before
            assert schema_is_current(connection)
        assert sum(first.values()) > 1000
        assert sum(second.values()) == 0
    finally:
        database.dispose()
        drop_database(server, "twice")


RELEASES = sorted((Path(__file__).parent / "data").glob("release_*"))
"""Backups made by the code of earlier releases, each of a ward with two invented places."""


@pytest.mark.parametrize("release", RELEASES, ids=lambda folder: folder.name)
def test_a_backup_of_an_earlier_release_becomes_what_a_new_one_is(
    server: Database, base_database: Database, release: Path
) -> None:
    database = create_database(server, "earlier")
    try:
        read_backup(database, release)
        upgrade(database)
        with database.owner.connect() as connection, base_database.owner.connect() as new:
            assert schema_is_current(connection)
            assert connection.execute(text(SHAPE)).scalar_one() == new.execute(text(SHAPE)).scalar_one()
            places = connection.execute(text("SELECT name FROM register.establishment ORDER BY id")).scalars().all()
            assert places == ["Quán thử nghiệm Một", "Tiệm thử nghiệm Hai"]
            # Facts that are newer than the data, and a history that starts with what was there.
            facts = connection.execute(
                text("SELECT active_acceptance, on_digital_platform FROM register.establishment_fact ORDER BY 1 DESC")
            )
            assert facts.all() == [("yes", "yes"), ("unknown", "unknown")]
            noted = connection.execute(
                text("SELECT collection, count(*) FROM register.change WHERE kind = 'insert' GROUP BY 1 ORDER BY 1")
            )
            assert dict(noted.all()) == {
                "digital_uses": 1, "establishments": 2, "inspections": 1, "licences": 1, "payment_acceptances": 1,
            }  # fmt: skip
            assert connection.execute(text("SELECT broken_seq FROM register.verify_changes()")).scalar_one() is None
            states = text(
                "SELECT s.code, active_acceptance, digital_used, last_inspection_result, cardinality(cells), "
                "known_from, (SELECT min(at) FROM register.change) AS first FROM register.establishment_state s "
                "WHERE known_to = 'infinity' ORDER BY establishment_id"
            )
            kept = connection.execute(states).all()
            assert [row[:5] for row in kept] == [
                ("3HMJR2W4", "yes", ["marketplace"], None, 5), ("K4N6AR46", "unknown", [], "pass", 5),
            ]  # fmt: skip
            assert all(row.known_from >= row.first for row in kept)
            used = text("SELECT digital_used FROM register.establishment_fact ORDER BY establishment_id")
            assert connection.execute(used).scalars().all() == [["marketplace"], []]
        upgrade(database)
        with database.owner.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM register.change")).scalar_one() == 6
            assert connection.execute(states).all() == kept
    finally:
        database.dispose()
        drop_database(server, "earlier")


def test_every_geometry_has_a_gist_index(base_database: Database) -> None:
    with base_database.owner.connect() as connection:
        columns = connection.execute(
            text(
                "SELECT f_table_name, f_geometry_column FROM public.geometry_columns g "
                "JOIN pg_class c ON c.relname = g.f_table_name AND c.relkind = 'r' WHERE f_table_schema = 'register'"
            )
        ).all()
        indexes = connection.execute(
            text("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'register' AND indexdef LIKE '%gist%'")
        ).all()
    assert len(columns) >= 12
    for table, column in columns:
        assert any(name == table and f"({column})" in definition for name, definition in indexes), (table, column)
