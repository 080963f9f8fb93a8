"""Questions that `mapservice doctor` asks a database. Reads only."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from postgis.cluster_config import PUBLIC_ROLE

_SCHEMAS = ("register", "account", "published")

_RIGHTS = """
    SELECT n.nspname AS schema, c.relname AS name, c.relkind IN ('v', 'm') AS is_view,
           has_schema_privilege(:role, n.oid, 'USAGE')
           AND (has_table_privilege(:role, c.oid, 'SELECT') OR has_any_column_privilege(:role, c.oid, 'SELECT'))
           AS readable,
           has_table_privilege(:role, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS writable
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     ORDER BY 1, 2
"""

_BASE_DATA = {
    "wards": "SELECT count(*) FROM register.ward",
    "sector classes": "SELECT count(*) FROM register.sector_class",
    "streets": "SELECT count(*) FROM register.street",
    "targets": "SELECT count(*) FROM register.target",
}


@dataclass(frozen=True)
class PublicRights:
    """What the public role may do against the rule "reads what is published, and nothing else"."""

    leaks: tuple[str, ...]
    """Tables outside `published` it can read, and anything it can change."""
    blind: tuple[str, ...]
    """Views in `published` it can't read, so that pages would fail."""
    published: int
    """Number of views in `published`."""


def public_rights(connection: Connection) -> PublicRights:
    """Every relation of our schemas in the catalogue, held against the rule."""
    found = connection.execute(text(_RIGHTS), {"role": PUBLIC_ROLE, "schemas": list(_SCHEMAS)}).all()
    leaks = tuple(f"{r.schema}.{r.name}" for r in found if r.writable or (r.readable and r.schema != "published"))
    published = [r for r in found if r.schema == "published"]
    blind = tuple(f"{r.schema}.{r.name}" for r in published if r.is_view and not r.readable)
    return PublicRights(leaks, blind, len(published))


def base_data(connection: Connection) -> dict[str, int]:
    """Number of rows of the base data that nothing works without, by what people call it."""
    return {name: int(connection.exec_driver_sql(query).scalar_one()) for name, query in _BASE_DATA.items()}


def establishments(connection: Connection) -> int:
    """Number of establishments in the register."""
    return int(connection.exec_driver_sql("SELECT count(*) FROM register.establishment").scalar_one())


def wrong_tile_cells(connection: Connection) -> int:
    """Cells of the map that do not hold what the register says: 0, unless somebody has written past the triggers."""
    return int(connection.exec_driver_sql("SELECT register.tile_cell_differences()").scalar_one())


def wrong_adoption_cells(connection: Connection) -> int:
    """Counts of the adoption map that are not what the states say: 0, unless somebody has written past the triggers."""
    return int(connection.exec_driver_sql("SELECT register.adoption_cell_differences()").scalar_one())


def damaged_pages(connection: Connection) -> int:
    """Pages of the database whose checksum was wrong when read: a failing disk."""
    query = "SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database"
    return int(connection.exec_driver_sql(query).scalar_one())
