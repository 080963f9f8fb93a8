"""The register that every server reads, of invented places, and the narrow tables the others are given.

The places are written to the register's own tables with the store's own functions, so that triggers derive and record
as they do for real ones. The narrow tables are made from the published view, in the same database: five attributes, the
coordinate system each server is fastest with, a primary key and a spatial index.
"""

import random
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import Connection, text

from postgis import codes
from postgis.bulk import analyse
from postgis.engine import Database
from postgis.store import establishments
from postgis.store.establishments import NewEstablishment
from tests.benchmarks.workload import BOX

CENTRES = 60
SPREAD = 0.004  # degrees: the standard deviation around a centre
SCHEMA = "bench"
_NAMES = ("Quán phở", "Tạp hóa", "Cà phê", "Sửa xe", "Nhà thuốc", "May mặc")
_WARD_OF = text("""
    SELECT p.number, w.code
      FROM unnest(CAST(:lons AS float8[]), CAST(:lats AS float8[])) WITH ORDINALITY AS p (lon, lat, number)
     CROSS JOIN LATERAL (
           SELECT code FROM register.ward
            WHERE valid_to IS NULL AND ST_Intersects(geom, ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4326)) LIMIT 1) w
""")


def fill(database: Database, places: int) -> None:
    """Adds so many places to a register that holds none; the same ones each time."""
    rng = random.Random(42)
    today = date.today()
    with database.owner.begin() as connection:
        groups = connection.execute(text("SELECT code FROM register.sector_group ORDER BY position")).scalars().all()
        establishments.add_many(
            connection, [_place(rng, groups, today, *at) for at in _points(connection, rng, places)]
        )
    with database.owner.begin() as connection:
        analyse(connection)


def _points(connection: Connection, rng: random.Random, count: int) -> list[tuple[float, float, str]]:
    """Longitude, latitude and ward of points around the centres of trade; what falls into the sea is drawn again."""
    west, south, east, north = BOX
    centres = [(rng.uniform(west, east), rng.uniform(south, north)) for _ in range(CENTRES)]
    weights = [rng.random() ** 2 for _ in centres]
    found: list[tuple[float, float, str]] = []
    while len(found) < count:
        drawn = [
            (min(max(rng.gauss(lon, SPREAD), west), east), min(max(rng.gauss(lat, SPREAD), south), north))
            for lon, lat in rng.choices(centres, weights, k=count)
        ]
        wards = connection.execute(_WARD_OF, {"lons": [p[0] for p in drawn], "lats": [p[1] for p in drawn]})
        found.extend((*drawn[number - 1], ward) for number, ward in wards.tuples())
    return found[:count]


def _place(
    rng: random.Random, groups: Sequence[str], today: date, lon: float, lat: float, ward: str
) -> NewEstablishment:
    group = groups[int(rng.random() ** 2 * len(groups))]
    number = rng.randrange(1_000_000)
    checked = today - timedelta(days=rng.randrange(300))
    values = {
        "code": codes.new_code(rng),
        "name": f"{rng.choice(_NAMES)} {number}",
        "sector_group": group,
        "operating_status": rng.choices(("active", "suspended", "closed"), (4, 1, 1))[0],
        "address": f"{rng.randrange(1, 400)} đường minh họa số {rng.randrange(40)}",
        "position_method": "generated",
        "verified_on": checked,
        "source": "demo",
        "illustrative": True,
    }
    method, accepted = rng.choice((("vietqr", True), ("bank_transfer", True), ("cash_only", True)))
    payment = {
        "method": method, "accepted": accepted, "evidence_level": "observed", "checked_on": checked, "source": "demo",
    }  # fmt: skip
    return NewEstablishment(values, ward, lon, lat, records={"payment_acceptance": [payment]})


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
