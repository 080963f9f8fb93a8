"""What the public pages say around the places: where the ward is, how fresh the data are, where they come from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, column, exists, func, select, table

from layers.collections import ESTABLISHMENTS, WARDS

_SOURCES = table(
    "data_sources",
    *(
        column(name)
        for name in (
            "code",
            "title",
            "title_en",
            "licence",
            "licence_url",
            "attribution",
            "origin",
            "retrieved_on",
            "note",
            "note_en",
        )
    ),
    schema="published",
)

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Freshness:
    """When the published places last changed (None: there are none), and whether invented ones are among them."""

    updated_at: datetime | None
    illustrative: bool


def ward_box(connection: Connection, code: str) -> Box | None:
    """West, south, east, north of a ward in degrees (CRS84), for fitting a view; None for a ward without a boundary."""
    view = WARDS.view
    box = func.public.st_extent(view.c.geom)
    sides = (func.public.st_xmin(box), func.public.st_ymin(box), func.public.st_xmax(box), func.public.st_ymax(box))
    found = connection.execute(select(*sides).where(view.c.code == code)).one()
    return None if found[0] is None else (found[0], found[1], found[2], found[3])


def freshness(connection: Connection) -> Freshness:
    """How fresh the published places are."""
    found = connection.execute(select(func.max(ESTABLISHMENTS.view.c.updated_at), _invented())).one()
    return Freshness(found[0], bool(found[1]))


def has_illustrations(connection: Connection) -> bool:
    """Whether invented places are among the published ones; far cheaper than `freshness`, which reads every place."""
    return bool(connection.execute(select(_invented())).scalar_one())


def _invented() -> ColumnElement[bool]:
    view = ESTABLISHMENTS.view
    return exists(select(view.c.id).where(view.c.illustrative))


def data_sources(connection: Connection) -> list[dict[str, Any]]:
    """Where the base data came from and under which licence, in the order in which they were recorded."""
    return [dict(row) for row in connection.execute(select(_SOURCES).order_by(_SOURCES.c.code)).mappings()]
