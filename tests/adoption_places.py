"""Invented places on a grid of H3 cells, each surveyed or not: what figures of cells are made of."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

import h3
from sqlalchemy import text

from postgis import codes
from postgis.engine import Database
from tests.small_ward import MIDDLE, WARD

RESOLUTION = 9


@dataclass(frozen=True, slots=True)
class Place:
    """A place to be: its cell, what it deals in, and what was learnt of payment there (None: nothing)."""

    cell: str
    sector_group: str
    method: str | None = None
    """A method that it takes, or `cash_only`."""
    evidence_level: str = "observed"
    operating_status: str = "active"


def cells_around(rings: int, ward: str = WARD) -> list[str]:
    """The cells around the middle of the ward, nearest first."""
    lon, lat = MIDDLE[ward]
    return list(h3.grid_disk(h3.latlng_to_cell(lat, lon, RESOLUTION), rings))


def point_in(cell: str, rng: random.Random) -> tuple[float, float]:
    """Longitude and latitude of somewhere well inside a cell."""
    lat, lon = h3.cell_to_latlng(cell)
    return lon + rng.uniform(-0.0006, 0.0006), lat + rng.uniform(-0.0006, 0.0006)


def add_places(database: Database, places: Sequence[Place], seed: int = 1, ward: str = WARD) -> list[str]:
    """Writes them as the administrator would, past forms and rights but not past triggers; returns their codes."""
    rng, rows, payments = random.Random(seed), [], []
    for number, place in enumerate(places):
        code = codes.new_code(rng)
        lon, lat = point_in(place.cell, rng)
        rows.append(
            {"code": code, "name": f"Nơi Thử {number}", "sector_group": place.sector_group,
             "status": place.operating_status, "lon": lon, "lat": lat}
        )  # fmt: skip
        if place.method is not None:
            payments.append({"code": code, "method": place.method, "evidence_level": place.evidence_level})
    with database.owner.begin() as connection:
        connection.execute(_CODES, {"rows": json.dumps(rows)})
        connection.execute(_PLACES, {"rows": json.dumps(rows), "ward": ward})
        connection.execute(_PAYMENTS, {"rows": json.dumps(payments)})
    return [row["code"] for row in rows]


def clear_places(database: Database) -> None:
    """Forgets all states, as if there had never been a place: for tests that make one register after the other."""
    with database.owner.begin() as connection:
        connection.execute(text("TRUNCATE register.establishment_state"))


_CODES = text("""
    INSERT INTO register.lookup_code (code)
    SELECT r.code FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (code text)
""")
_PLACES = text("""
    INSERT INTO register.establishment (
        code, ward_id, name, sector_group, operating_status, geom, position_method, source,
        outside_accepted)
    SELECT r.code, w.id, r.name, r.sector_group, r.status, ST_SetSRID(ST_MakePoint(r.lon, r.lat), 4326), 'surveyed',
           'office', true
      FROM register.ward w, jsonb_to_recordset(CAST(:rows AS jsonb))
           AS r (code text, name text, sector_group text, status text, lon float8, lat float8)
     WHERE w.code = :ward AND w.valid_to IS NULL
""")
_PAYMENTS = text("""
    INSERT INTO register.payment_acceptance (establishment_id, method, accepted, evidence_level, checked_on, source)
    SELECT e.id, r.method, true, r.evidence_level, '2026-01-02', 'office'
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (code text, method text, evidence_level text)
      JOIN register.establishment e ON e.code = r.code
""")
