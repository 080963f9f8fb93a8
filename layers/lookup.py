"""What the look-up page needs to know, from the published views alone."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, column, func, select, table

from layers.collections import ESTABLISHMENTS, WARDS
from layers.features import COORDINATE_DIGITS

_VIEW = table(
    "establishments",
    *(column(field.name) for field in ESTABLISHMENTS.fields),
    *(column(name) for name in ("closed_on", "geom")),
    schema="published",
)
_WARNINGS = table(
    "warnings",
    *(column(name) for name in ("id", "establishment", "issued_on", "headline", "instruction", "agency")),
    schema="published",
)
_CODES = table("known_codes", *(column(name) for name in ("code", "state", "successor")), schema="published")
_WARD = WARDS.view
_WARD_COLUMNS = ("code", "name", "name_en", "kind")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """An establishment as the public may see it, with what stands beside it on the look-up page."""

    properties: Row
    """Named as in the establishments collection."""
    closed_on: Any
    position: tuple[float, float]
    """Longitude and latitude, WGS 84."""
    warnings: list[Row]
    """Live warnings, latest first: `issued_on`, `headline`, `instruction`, `agency`."""
    ward: Row | None
    """`code`, `name`, `name_en`, `kind` of the present unit it lies in."""


def find_establishment(connection: Connection, code: str) -> FoundPlace | None:
    """The establishment with a public code in canonical form, or None when the code leads to none."""
    found = (
        connection.execute(
            select(
                *(_VIEW.c[field.name] for field in ESTABLISHMENTS.fields),
                _VIEW.c.closed_on,
                func.public.st_x(_VIEW.c.geom).label("lon"),
                func.public.st_y(_VIEW.c.geom).label("lat"),
                *(_WARD.c[name].label(f"ward_{name}") for name in _WARD_COLUMNS),
            )
            .select_from(_VIEW.outerjoin(_WARD, _WARD.c.code == _VIEW.c.ward))
            .where(_VIEW.c.code == code)
        )
        .mappings()
        .one_or_none()
    )
    if found is None:
        return None
    return FoundPlace(
        properties={field.name: found[field.name] for field in ESTABLISHMENTS.fields},
        closed_on=found["closed_on"],
        position=(round(found["lon"], COORDINATE_DIGITS), round(found["lat"], COORDINATE_DIGITS)),
        warnings=live_warnings(connection, code),
        ward=_ward_of(found),
    )


def known_code(connection: Connection, code: str) -> tuple[str | None, str | None]:
    """What stands behind a code, and the code that it leads on to.

    The state is None for a code that was never issued, `unused`, `ended` (a record made by mistake), `merged` (with the
    code of the place that it was a duplicate of), else the operating status (of a place that has moved with the code of
    its new one, where that is known).
    """
    found = connection.execute(select(_CODES.c.state, _CODES.c.successor).where(_CODES.c.code == code)).one_or_none()
    return (None, None) if found is None else (found[0], found[1])


def live_warnings(connection: Connection, code: str) -> list[Row]:
    """The live warnings about an establishment, latest first."""
    statement = (
        select(*(_WARNINGS.c[name] for name in ("issued_on", "headline", "instruction", "agency")))
        .where(_WARNINGS.c.establishment == code)
        .order_by(_WARNINGS.c.issued_on.desc(), _WARNINGS.c.id.desc())
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def find_ward(connection: Connection, code: str) -> Row | None:
    """`code`, `name`, `name_en` and `kind` of a present unit, or None."""
    statement = select(*(_WARD.c[name] for name in _WARD_COLUMNS)).where(_WARD.c.code == code)
    found = connection.execute(statement).mappings().one_or_none()
    return None if found is None else dict(found)


def _ward_of(row: Any) -> Row | None:
    return None if row["ward_code"] is None else {name: row[f"ward_{name}"] for name in _WARD_COLUMNS}
