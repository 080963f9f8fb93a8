"""Migrations make exactly the tables that the code knows, from empty, and again without change."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.schema import SchemaItem

from postgis.engine import Database, create_database, drop_database
from postgis.migrate import schema_is_current, upgrade
from postgis.tables import metadata

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
    return not (kind == "table" and name == "spatial_ref_sys")


def test_tables_are_those_of_the_code(base_database: Database) -> None:
    with base_database.owner.connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _parents: kind != "schema" or name == "register",
            "include_object": _ours,
            "version_table": "schema_version",
            "version_table_schema": "register",
            "compare_type": True,
        }
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


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
