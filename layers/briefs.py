"""What a report of a period holds beside the indicators: the map's hexagons, the ward's outline, names as of a day."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, exists, select, text

from layers.indicators import Known
from layers.states import states

RESOLUTION = 9
"""Of the hexagons: about 200 m from side to side of a ward's blocks."""

_CELLS = text("""
    SELECT h.cell, a.establishments, a.surveyed, a.accepting, public.ST_AsGeoJSON(h.geom, 6) AS outline
      FROM register.adoption(:ward, 'h3', :resolution, NULL, :day, :known, NULL, NULL) a
      JOIN register.h3_cell h ON h.cell = a.part::bigint
     ORDER BY h.cell
""")

Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class CellFigure:
    """Payment without cash in a hexagon. `outline`: WGS 84."""

    cell: int
    outline: Ring
    establishments: int
    surveyed: int
    accepting: int


def cells(connection: Connection, ward: str, day: date, known: Known) -> list[CellFigure]:
    """The hexagons with places that count, at the end of a day. For staff of the ward, and for the owner."""
    asked = {"ward": ward, "resolution": RESOLUTION, "day": day, "known": known}
    return [
        CellFigure(row.cell, _rings(row.outline)[0], row.establishments, row.surveyed, row.accepting)
        for row in connection.execute(_CELLS, asked)
    ]


def outline(connection: Connection, ward: str) -> tuple[Ring, ...]:
    """The outer rings of a ward, made simple enough for a picture; none where it is not on the map."""
    asked = text(
        "SELECT public.st_asgeojson(public.st_simplifypreservetopology(geom, 0.0001), 6) FROM register.ward "
        "WHERE code = :ward AND valid_to IS NULL AND geom IS NOT NULL"
    )
    found = connection.execute(asked, {"ward": ward}).scalar_one_or_none()
    return _rings(found) if found else ()


def counts_illustrations(connection: Connection, ward: str, day: date, known: Known) -> bool:
    """Whether invented places of a sample are among those that a ward's figures of a day are made from."""
    state = states(ward, day, known)
    return bool(connection.execute(select(exists().where(state.c.illustrative))).scalar_one())


def group_names(connection: Connection, ward: str) -> dict[str, str]:
    """Names of a ward's residential groups, by code."""
    asked = text(
        "SELECT g.code, g.name FROM register.residential_group g JOIN register.ward w ON w.id = g.ward_id "
        "WHERE w.code = :ward"
    )
    return {row.code: row.name for row in connection.execute(asked, {"ward": ward})}


def site_names(connection: Connection, codes: Iterable[str], moment: datetime) -> dict[str, str]:
    """What model sites were called at a moment, by code."""
    asked = text("SELECT register.state_at('model_sites', :code, :moment) ->> 'name'")
    return {
        code: connection.execute(asked, {"code": code, "moment": moment}).scalar_one_or_none() or code for code in codes
    }


def ward_of(connection: Connection, code: str) -> tuple[int, str, str | None] | None:
    """The id, name and kind of a present ward; None where there is none of that code."""
    asked = text("SELECT id, name, kind FROM register.ward WHERE code = :code AND valid_to IS NULL")
    found = connection.execute(asked, {"code": code}).one_or_none()
    return (found.id, found.name, found.kind) if found else None


def _rings(geojson: str) -> tuple[Ring, ...]:
    shape = json.loads(geojson)
    polygons = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    return tuple(tuple((float(x), float(y)) for x, y, *_ in polygon[0]) for polygon in polygons)
