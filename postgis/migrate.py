"""Brings a database to the version of this code: schemas, tables, functions, views, grants and base data.

Everything happens in one transaction behind an advisory lock: it is all there or nothing is, and two services that
start at once do not meet.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from postgis import cells
from postgis.engine import Database
from postgis.reference_data import load_reference

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent
FUNCTIONS = HERE / "functions"
VERSIONS = HERE / "migrations" / "versions"
UPGRADE_LOCK = 20257_001


def alembic_config(connection: Connection | None = None) -> "Config":
    """Alembic's settings; there is no alembic.ini, since the connection always comes from the caller."""
    # Imported here, as Alembic is below: whoever serves asks for the version of the tables, and makes none.
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations"))
    config.attributes["connection"] = connection
    return config


def apply_functions(connection: Connection, *, before_tables: bool) -> None:
    """Runs `functions/*.sql` in the order of their names: 0xx before the tables exist, the others after."""
    for path in sorted(FUNCTIONS.glob("*.sql")):
        if path.name.startswith("0") is before_tables:
            # Without parameters psycopg2 leaves % signs alone.
            connection.exec_driver_sql(path.read_text(encoding="utf-8"), execution_options={"no_parameters": True})


def upgrade(database: Database) -> dict[str, int]:
    """Upgrades the database and loads base data that changed; safe to repeat. Returns rows loaded by table."""
    from alembic import command

    with database.owner.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        apply_functions(connection, before_tables=True)
        command.upgrade(alembic_config(connection), "head")
        apply_functions(connection, before_tables=False)
        cells.fill(connection)
        return load_reference(connection)


def schema_is_current(connection: Connection) -> bool:
    """Whether the tables are those of this code's newest migration. Any role may ask."""
    there = set(connection.execute(text("SELECT version_num FROM published.schema_versions")).scalars())
    return there == {max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))}
