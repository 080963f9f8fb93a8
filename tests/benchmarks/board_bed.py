"""Wards of any size with three years of history, for measuring the board.

A few thousand invented places are added by the register's own functions, surveyed anew each year (ingest.demo,
postgis/store/past.py): their states and history are what the triggers wrote. Each is then copied as many times as
needed, states, dated records and all, past the triggers: to a spot some metres away, or into another ward. For
measuring only: the chain of hashes is not that of the copies.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import h3
from sqlalchemy import Connection, text

from ingest import demo
from postgis.bulk import analyse, copy_rows
from postgis.engine import Database
from postgis.store import base_map, model_sites, past, residential_groups
from postgis.store.establishments import NewEstablishment
from postgis.today import today
from tests.benchmarks.growth_data import MAKE_CODE, drop_indexes
from tests.small_ward import WARD, ward_id_of

TEMPLATE = 2_000
YEARS = 3
_FIRST_WARD = 95_001
_SHIFT = 0.08
"""Degrees: the copies of the ward lie side by side, to the east."""
_PER_PLACE = (
    "establishment_fact", "licence", "food_safety_record", "inspection", "warning", "payment_acceptance", "digital_use",
    "establishment_state",
)  # fmt: skip


def fill(database: Database, wards: int, places_each: int, *, history: bool = True) -> None:
    """Fills a database that has base data and no establishment: the first ward is WARD, with `places_each` places.

    `history`: with rows of `register.change` for every copy, not for the first of each alone.
    """
    copies = places_each // TEMPLATE
    with database.owner.begin() as connection:
        _add_template(connection)
    with database.administrator() as connection:
        connection.execute(text("BEGIN"))
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica; SET LOCAL synchronous_commit = off")
        connection.exec_driver_sql(MAKE_CODE, execution_options={"no_parameters": True})
        _plan_copies(connection, wards, copies)
        indexes = [
            made for table in ("establishment", "establishment_state") for made in drop_indexes(connection, table)
        ]
        _copy_places(connection)
        for made in indexes:
            connection.exec_driver_sql(made)
        if history:
            _copy_history(connection, wards * copies)
        connection.execute(text("COMMIT"))
    with database.owner.begin() as connection:
        analyse(connection)
        connection.execute(text("SELECT register.fill_tile_cells()"))
        connection.execute(text("SELECT register.fill_adoption_cells()"))
    with database.administrator() as connection:
        for table in ("establishment", *_PER_PLACE, "change"):
            connection.execute(text(f"VACUUM (ANALYZE) register.{table}"))


def _add_template(connection: Connection) -> None:
    outline = base_map.ward_outline(connection, WARD)
    assert outline is not None
    streets = base_map.street_lines(connection, WARD)
    surveys = [
        demo.generate(outline, streets, ward_code=WARD, as_of=today() - timedelta(days=365 * back), count=TEMPLATE)
        for back in reversed(range(YEARS))
    ]
    since = today() - timedelta(days=366 * YEARS)
    residential_groups.add_many(connection, surveys[-1].residential_groups)
    with past.noted_on(connection, since):
        model_sites.add_many(connection, surveys[-1].model_sites)
    past.add_with_past(connection, _surveyed_each_year([survey.establishments for survey in surveys]), since, today())


def _surveyed_each_year(surveys: list[list[NewEstablishment]]) -> list[NewEstablishment]:
    """The places of the first survey, as the last found them, with the dated records of all."""
    latest = {str(new.values["code"]): new for new in surveys[-1]}
    for survey in surveys[:-1]:
        for new in survey:
            place = latest[str(new.values["code"])]
            place.values = {**place.values, "opened_on": _earlier(place.values, new.values)}
            for table, rows in new.records.items():
                place.records.setdefault(table, [])[:0] = rows
    return list(latest.values())


def _earlier(*values: Mapping[str, object]) -> date | None:
    days = [day for each in values if isinstance(day := each.get("opened_on"), date)]
    return min(days, default=None)


def _plan_copies(connection: Connection, wards: int, copies: int) -> None:
    """Temporary tables: which ward, group and site a copy belongs to, its id and code, and how far it is shifted."""
    first = ward_id_of(connection, WARD)
    connection.exec_driver_sql(
        "CREATE TEMP TABLE ward_copy (n int, old bigint, id bigint);"
        "CREATE TEMP TABLE group_copy (n int, old bigint, id bigint);"
        "CREATE TEMP TABLE site_copy (n int, old bigint, id bigint)"
    )
    for number in range(wards):
        values = {"n": number, "old": first, "shift": number * _SHIFT, "code": f"{_FIRST_WARD + number:05}"}
        if number:
            connection.execute(text(_NEW_WARD), values)
            connection.execute(text(_NEW_GROUPS), values)
            connection.execute(text(_NEW_SITES), values)
        else:
            connection.execute(text("INSERT INTO ward_copy VALUES (:n, :old, :old)"), values)
            for kind, table in (("group", "residential_group"), ("site", "model_site")):
                connection.execute(
                    text(f"INSERT INTO {kind}_copy SELECT :n, id, id FROM register.{table} WHERE ward_id = :old"),
                    values,
                )
    connection.execute(text(_PLACE_COPIES), {"copies": copies})
    connection.exec_driver_sql("CREATE INDEX ON place_copy (old); ANALYZE place_copy")


_NEW_WARD = """
    WITH made AS (
        INSERT INTO register.ward (code, name, kind, province_code, valid_from, geom)
        SELECT :code, 'Phường Minh Họa ' || :code, kind, province_code, valid_from, ST_Translate(geom, :shift, 0)
          FROM register.ward WHERE id = :old RETURNING id)
    INSERT INTO ward_copy SELECT :n, :old, id FROM made
"""
_NEW_GROUPS = """
    WITH made AS (
        INSERT INTO register.residential_group (code, ward_id, number, name, illustrative, geom)
        SELECT :code || substr(code, 6), (SELECT id FROM ward_copy WHERE n = :n), number, name, true,
               ST_Translate(geom, :shift, 0)
          FROM register.residential_group WHERE ward_id = :old RETURNING id, number)
    INSERT INTO group_copy
    SELECT :n, g.id, made.id FROM made JOIN register.residential_group g ON g.ward_id = :old AND g.number = made.number
"""
_NEW_SITES = """
    WITH made AS (
        INSERT INTO register.model_site (code, ward_id, kind, name, illustrative, geom)
        SELECT code || '-' || :code, (SELECT id FROM ward_copy WHERE n = :n), kind, name, true,
               ST_Translate(geom, :shift, 0)
          FROM register.model_site WHERE ward_id = :old RETURNING id, code)
    INSERT INTO site_copy
    SELECT :n, m.id, made.id FROM made JOIN register.model_site m ON m.ward_id = :old
     WHERE made.code = m.code || '-' || :code
"""
# Up to some 150 m away; hashes, not random(): the same on every machine.
_PLACE_COPIES = """
    CREATE TEMP TABLE place_copy AS
    SELECT w.n * :copies + k AS copy, e.id AS old, w.n AS ward, e.code AS old_code,
           (SELECT max(id) FROM register.establishment) + row_number() OVER () AS id,
           pg_temp.invented_code(1000000 + row_number() OVER ()) AS code,
           (hashint8extended(e.id, k) % 1000) / 800000.0 + w.n * 0.08 AS dx,
           (hashint8extended(e.id, k + 7) % 1000) / 800000.0 AS dy
      FROM ward_copy w CROSS JOIN generate_series(0, :copies - 1) k CROSS JOIN register.establishment e
     WHERE w.n > 0 OR k > 0
"""


_OF_THE_COPY = "(SELECT p.cells FROM placed p WHERE p.x = ST_X(t.point) + c.dx AND p.y = ST_Y(t.point) + c.dy)"


def _copy_places(connection: Connection) -> None:
    _find_cells(connection)
    connection.execute(text("INSERT INTO register.lookup_code (code) SELECT code FROM place_copy"))
    moved = {"geom": "ST_Translate(t.geom, c.dx, c.dy)"}
    ward = "(SELECT id FROM ward_copy WHERE n = c.ward)"
    own = {
        "ward_id": ward,
        "residential_group_id": "(SELECT id FROM group_copy g WHERE g.n = c.ward AND g.old = t.residential_group_id)",
        "model_site_id": "(SELECT id FROM site_copy s WHERE s.n = c.ward AND s.old = t.model_site_id)",
        "code": "c.code",
    }
    apart = {"source_ref": "NULL", "moved_to_id": "NULL", "merged_into_id": "NULL", "legal_entity_id": "NULL"}
    _copy(connection, "establishment", "t.id = c.old", {**own, **moved, **apart, "id": "c.id"})
    for table in _PER_PLACE:
        more: dict[str, str] = {"establishment_id": "c.id"}
        if table == "establishment_state":
            more |= {**own, "point": "ST_Translate(t.point, c.dx, c.dy)", "cells": _OF_THE_COPY}
        _copy(connection, table, "t.establishment_id = c.old", more, without=("id",))
    connection.execute(
        text(
            "SELECT setval(pg_get_serial_sequence('register.establishment', 'id'), max(id)) FROM register.establishment"
        )
    )


def _copy(connection: Connection, table: str, on: str, other: Mapping[str, str], without: tuple[str, ...] = ()) -> None:
    """Copies a table's rows of every place; `other`: what a copy has instead of a column's value."""
    names = connection.execute(
        text("SELECT attname FROM pg_attribute WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 "
             "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"), {"name": f"register.{table}"},
    ).scalars()  # fmt: skip
    wanted = [name for name in names if name not in without]
    values = ", ".join(other.get(name, f't."{name}"') for name in wanted)
    listed = ", ".join(f'"{name}"' for name in wanted)
    connection.execute(
        text(f"INSERT INTO register.{table} ({listed}) OVERRIDING SYSTEM VALUE "
             f"SELECT {values} FROM register.{table} t JOIN place_copy c ON {on}")
    )  # fmt: skip


def _copy_history(connection: Connection, copies: int) -> None:
    """Each change once for each copy, right after it."""
    columns = "collection, record_code, establishment_code, kind, actor_id, actor_name, reason, source, before, after"
    connection.execute(
        text(f"CREATE TEMP TABLE told AS SELECT (seq - 1) * :copies + 1 AS seq, at, ward_id, {columns}, previous_hash, "
             "hash FROM register.change"), {"copies": copies},
    )  # fmt: skip
    connection.exec_driver_sql("DELETE FROM register.change; INSERT INTO register.change SELECT * FROM told")
    replaced = "|| jsonb_build_object('establishment_id', c.id, 'code', coalesce(c.code, ''))"
    states = ", ".join(
        f"t.{name} {replaced}"
        if name in ("before", "after")
        else "c.code"
        if name == "establishment_code"
        else f"t.{name}"
        for name in columns.split(", ")
    )
    connection.execute(
        text(f"INSERT INTO register.change SELECT t.seq + c.copy, t.at, w.id, {states}, t.previous_hash, t.hash "
             "FROM told t JOIN place_copy c ON c.old_code = t.establishment_code JOIN ward_copy w ON w.n = c.ward")
    )  # fmt: skip


def _find_cells(connection: Connection) -> None:
    """A temporary table of the copies' points with their cells."""
    points = connection.execute(
        text("SELECT DISTINCT ST_X(s.point) + c.dx AS x, ST_Y(s.point) + c.dy AS y "
             "FROM register.establishment_state s JOIN place_copy c ON c.old = s.establishment_id")
    ).all()  # fmt: skip
    connection.exec_driver_sql("CREATE TEMP TABLE placed (x double precision, y double precision, cells bigint[])")
    copy_rows(
        connection, "placed", ("x", "y", "cells"), ({"x": p.x, "y": p.y, "cells": _cells(p.y, p.x)} for p in points)
    )
    connection.exec_driver_sql("CREATE INDEX ON placed (x, y); ANALYZE placed")


def _cells(lat: float, lon: float) -> str:
    return "{" + ",".join(str(h3.str_to_int(h3.latlng_to_cell(lat, lon, r))) for r in range(7, 12)) + "}"
