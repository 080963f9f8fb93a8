"""The narrow tables that the other servers read, made from what our service publishes in the same database.

Five attributes, the coordinate system each server is fastest with, a primary key and a spatial index.
"""

from sqlalchemy import Connection, text

from postgis.engine import Database

SCHEMA = "bench"


def make_narrow_tables(database: Database) -> None:
    """The tables that the other servers read, anew from what is published now."""
    with database.administrator() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        for name, source, srid in (("places_3857", "geom_3857", 3857), ("places_4326", "geom", 4326)):
            table = f"{SCHEMA}.{name}"
            connection.execute(
                text(f"""
                CREATE TABLE {table} AS
                SELECT id, name, sector_group AS sector, operating_status AS status, accepts_cashless,
                       {source}::geometry(Point, {srid}) AS geom
                  FROM published.establishments""")
            )
            connection.execute(text(f"ALTER TABLE {table} ADD PRIMARY KEY (id)"))
            connection.execute(text(f"CREATE INDEX ON {table} USING gist (geom)"))
            connection.execute(text(f"VACUUM ANALYZE {table}"))


def identifiers(connection: Connection) -> list[tuple[int, str]]:
    """Number and public code of every published place: others ask for the one, we for the other."""
    rows = connection.execute(text("SELECT id, code FROM published.establishments ORDER BY id"))
    return [(row.id, row.code) for row in rows]
