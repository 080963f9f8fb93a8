"""H3 cells of establishments, computed here and nowhere else: PostgreSQL has no h3 extension here.

A transaction that began a state with a point and no cells says so (functions/145_states.sql); just before its commit
the cells are filled in, whoever wrote and however many.
"""

from collections.abc import Iterable
from typing import Any

from psycopg2.extensions import TRANSACTION_STATUS_INTRANS
from sqlalchemy import Connection, Engine, event

RESOLUTIONS = (7, 8, 9, 10, 11)
"""About 5 km² to 0.002 km² a cell. The position in `cells` is that of the resolution here."""
_AT_ONCE = 20_000
_TOLD = "SELECT current_setting('mapservice.points_without_cells', true)"


def fill_before_commit(engine: Engine) -> None:
    """Whatever is committed by this engine has its cells."""
    event.listen(engine, "commit", _fill_if_told)


def cells_of(lon: float, lat: float) -> list[int]:
    """The cells that hold a point (WGS 84, degrees), one of each resolution, each found from the point itself: the
    hexagons of one resolution do not lie in those of another."""
    from h3.api import basic_int as h3  # only who writes places loads it

    return [h3.latlng_to_cell(lat, lon, resolution) for resolution in RESOLUTIONS]


def fill(connection: Connection) -> int:
    """Fills in all cells that are missing; returns in how many states."""
    cursor = connection.connection.cursor()
    try:
        return _fill(cursor)
    finally:
        cursor.close()


def wrong(connection: Connection) -> int:
    """Open states whose cells are missing or not those of their point: 0, unless somebody wrote past the triggers."""
    found = connection.exec_driver_sql(
        "SELECT ST_X(point), ST_Y(point), cells FROM register.establishment_state "
        "WHERE known_to = 'infinity' AND (point IS NOT NULL OR cells IS NOT NULL)"
    )
    return sum(1 for lon, lat, cells in found if lon is None or cells != cells_of(lon, lat))


def _fill_if_told(connection: Connection) -> None:
    driver: Any = connection.connection.dbapi_connection
    # Nothing was asked of the database, or it has refused something: there is nothing to commit.
    if driver.get_transaction_status() != TRANSACTION_STATUS_INTRANS:
        return
    # Asked by way of the connection and not of the driver: a server that is gone is then told as everywhere else.
    if connection.exec_driver_sql(_TOLD).scalar_one():
        fill(connection)


def _fill(cursor: Any) -> int:
    filled = 0
    while True:
        cursor.execute("SELECT id, lon, lat FROM register.points_without_cells(%s)", (_AT_ONCE,))
        points = cursor.fetchall()
        if not points:
            return filled
        cells = ["{" + ",".join(map(str, cells_of(lon, lat))) + "}" for _, lon, lat in points]
        cursor.execute("SELECT register.note_cells(%s, %s)", ([row[0] for row in points], cells))
        _outline(cursor, [row[0] for row in cursor.fetchall()])
        filled += len(points)


def _outline(cursor: Any, cells: list[int]) -> None:
    if cells:
        outlines = [_wkt(cell) for cell in cells]
        cursor.execute("SELECT register.note_outlines(%s::bigint[], %s::text[])", (cells, outlines))


def _wkt(cell: int) -> str:
    from h3.api import basic_int as h3

    corners: Iterable[tuple[float, float]] = h3.cell_to_boundary(cell)
    ring = [f"{lon!r} {lat!r}" for lat, lon in corners]
    return f"POLYGON(({', '.join([*ring, ring[0]])}))"
