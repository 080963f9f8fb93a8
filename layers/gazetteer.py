"""What locating an address in a ward rests on: its outline, the streets around, known points, markets, groups.

Read as plain data, since the geocoder (package `ingest`) does not know this one. As owner or as staff. The house
numbers of OpenStreetMap are in no table: they come from the reference file. What was invented for illustration is left
out, or an invented market would seem to locate a real address.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, cast, func, literal, select

from postgis import tables
from postgis.reference_files import read_rows

_AROUND_DEGREES = 0.02
"""About 2 km: streets and numbers of the neighbours, for addresses that lie just outside."""
_MEASURED = ("gps", "surveyed", "map")
_LANDMARK_M = 30.0

Geometry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KnownPoint:
    """Where a house number (`number`, `street`) or a named place (`name`) is; `method` in the register's words."""

    lon: float
    lat: float
    method: str
    accuracy_m: float | None
    number: str | None = None
    street: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that is known around a ward. `ward_names`: present and former names → the present code, if there is one."""

    code: str
    name: str
    outline: Geometry
    streets: list[tuple[str, Geometry]]
    houses: list[KnownPoint]
    landmarks: list[KnownPoint]
    groups: list[tuple[str, int, Geometry]]
    ward_names: dict[str, str | None]
    street_names: list[str]


def surroundings(connection: Connection, code: str) -> Surroundings | None:
    """What is known around a present ward; None when there is no such ward or it has no outline."""
    ward = tables.ward.c
    found = connection.execute(
        select(ward.id, ward.name, _geojson(ward.geom).label("outline"), *_sides(ward.geom)).where(
            ward.code == code, ward.valid_to.is_(None), ward.geom.is_not(None)
        )
    ).one_or_none()
    if found is None:
        return None
    houses, landmarks = _places(connection, found.id)
    return Surroundings(
        code=code,
        name=found.name,
        outline=json.loads(found.outline),
        streets=_streets(connection, found.id),
        houses=[*_numbers_around(found.west, found.south, found.east, found.north), *houses],
        landmarks=[*_markets(connection, found.id), *landmarks],
        groups=_groups(connection, found.id),
        ward_names=_ward_names(connection),
        street_names=[str(row["street"]) for row in read_rows("street_names.csv")],
    )


def _streets(connection: Connection, ward_id: int) -> list[tuple[str, Geometry]]:
    street, ward = tables.street.c, tables.ward.c
    statement = (
        select(street.name, _geojson(street.geom))
        .join_from(tables.street, tables.ward, func.public.st_dwithin(street.geom, ward.geom, _AROUND_DEGREES))
        .where(ward.id == ward_id, street.name.is_not(None))
        .order_by(street.id)
    )
    return [(name, json.loads(line)) for name, line in connection.execute(statement)]


def _numbers_around(west: float, south: float, east: float, north: float) -> list[KnownPoint]:
    points = [
        KnownPoint(float(row["lon"] or 0), float(row["lat"] or 0), "osm", None, row["number"], row["street"])
        for row in read_rows("house_numbers.csv")
    ]
    more = _AROUND_DEGREES
    return [
        point
        for point in points
        if west - more <= point.lon <= east + more and south - more <= point.lat <= north + more
    ]


def _places(connection: Connection, ward_id: int) -> tuple[list[KnownPoint], list[KnownPoint]]:
    """Places of the register that somebody measured, by house number; and named ones, by name."""
    place = tables.establishment.c
    statement = select(
        place.name, place.house_number, place.alley, place.street_name, place.position_method,
        place.position_accuracy_m, *_point(place.geom),
    ).where(place.ward_id == ward_id, place.ended_at.is_(None), ~place.illustrative).order_by(place.id)  # fmt: skip
    houses, names = [], defaultdict(list)
    for row in connection.execute(statement):
        accuracy = None if row.position_accuracy_m is None else float(row.position_accuracy_m)
        if row.position_method in _MEASURED and row.street_name and row.house_number:
            number = f"{row.alley}/{row.house_number}" if row.alley else row.house_number
            houses.append(KnownPoint(row.lon, row.lat, row.position_method, accuracy, number, row.street_name))
        if row.name and row.position_method in (*_MEASURED, "osm"):
            known = KnownPoint(row.lon, row.lat, row.position_method, max(accuracy or 0, _LANDMARK_M), name=row.name)
            names[row.name.casefold()].append(known)
    # A chain's name says nothing of where.
    return houses, [known[0] for known in names.values() if len(known) == 1]


def _markets(connection: Connection, ward_id: int) -> list[KnownPoint]:
    site = tables.model_site.c
    radius = func.sqrt(func.public.st_area(func.public.geography(site.geom)) / 3.1416)
    statement = select(site.name, radius.label("radius"), *_point(func.public.st_pointonsurface(site.geom))).where(
        site.ward_id == ward_id, site.kind == "market", site.ended_at.is_(None), ~site.illustrative
    )
    return [
        KnownPoint(row.lon, row.lat, "map", max(row.radius, _LANDMARK_M), name=row.name)
        for row in connection.execute(statement)
    ]


def _groups(connection: Connection, ward_id: int) -> list[tuple[str, int, Geometry]]:
    group = tables.residential_group.c
    statement = select(group.code, group.number, _geojson(group.geom)).where(
        group.ward_id == ward_id, group.valid_to.is_(None), group.geom.is_not(None), ~group.illustrative
    )
    return [(code, number, json.loads(area)) for code, number, area in connection.execute(statement)]


def _ward_names(connection: Connection) -> dict[str, str | None]:
    """A former name leads to the unit it became, over two reforms if need be; to None when it was divided."""
    ward, step = tables.ward.c, tables.ward_succession.c
    present, names = {}, {}
    for number, name, code, valid_to in connection.execute(select(ward.id, ward.name, ward.code, ward.valid_to)):
        names[number] = name
        if valid_to is None:
            present[number] = code
    became: dict[int, set[int]] = defaultdict(set)
    for old, new in connection.execute(select(step.old_ward_id, step.new_ward_id)):
        became[old].add(new)
    codes: dict[str, set[str]] = defaultdict(set)
    for number, name in names.items():
        if number in present:
            continue
        reached, seen = set(became[number]), set()
        while former := [each for each in reached if each not in present and each not in seen]:
            seen.update(former)
            reached.update(new for each in former for new in became[each])
        codes[name] |= {present[each] for each in reached if each in present}
    former_names = {name: next(iter(found)) if len(found) == 1 else None for name, found in codes.items()}
    return former_names | {names[number]: code for number, code in present.items()}


def _geojson(geometry: ColumnElement[Any]) -> ColumnElement[str]:
    return cast(func.public.st_asgeojson(geometry, literal(6)), Text)


def _point(geometry: ColumnElement[Any]) -> tuple[ColumnElement[float], ColumnElement[float]]:
    return func.public.st_x(geometry).label("lon"), func.public.st_y(geometry).label("lat")


def _sides(geometry: ColumnElement[Any]) -> tuple[ColumnElement[float], ...]:
    names = {"west": "st_xmin", "south": "st_ymin", "east": "st_xmax", "north": "st_ymax"}
    return tuple(getattr(func.public, side)(geometry).label(name) for name, side in names.items())
