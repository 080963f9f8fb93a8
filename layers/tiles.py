"""Vector tiles, made by PostGIS."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, literal_column, or_, select

from layers.collections import Collection
from layers.filters import conditions
from layers.query import FeatureQuery
from layers.search import Search

EXTENT = 4096
BUFFER = 64
"""In tile units: what reaches over a tile's edge, so that line ends and icons are not cut."""
CELLS_PER_TILE = 16
"""Clusters are gathered in cells of 1/16 of a tile's side: a power of two, so that no cell spans two tiles."""
WORLD_M = 40075016.68557849


def tile(connection: Connection, collection: Collection, z: int, x: int, y: int, query: FeatureQuery) -> bytes:
    """The MVT of one tile of WebMercatorQuad; empty where nothing is. The layer's name is the collection's id."""
    where = conditions(collection, query)
    if query.q is not None:
        where.append(Search(connection, collection, query.q).condition())
    build = _clusters if z < collection.drawn.cluster_below else _features
    features = build(collection, z, x, y, where).subquery("features")
    mvt = func.public.st_asmvt(literal_column("features.*"), collection.id, EXTENT, "geom", "id")
    return bytes(connection.execute(select(mvt).select_from(features)).scalar_one())


def _bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile in metres of EPSG:3857."""
    side = WORLD_M / 2**z
    west, north = x * side - WORLD_M / 2, WORLD_M / 2 - y * side
    return west, north - side, west + side, north


def _box(z: int, x: int, y: int, margin: float = 0.0) -> ColumnElement[Any]:
    west, south, east, north = _bounds(z, x, y)
    return func.public.st_makeenvelope(west - margin, south - margin, east + margin, north + margin, 3857)


def _features(collection: Collection, z: int, x: int, y: int, where: list[ColumnElement[bool]]) -> Select[Any]:
    view, rule = collection.view, collection.drawn
    margin = WORLD_M / 2**z * BUFFER / EXTENT
    geom = func.public.st_asmvtgeom(view.c.geom_3857, _box(z, x, y), EXTENT, BUFFER, True).label("geom")
    shown: list[ColumnElement[bool]] = [view.c.geom_3857.op("&&")(_box(z, x, y, margin)), *where]
    hidden = [value for value, first in (rule.from_zoom or {}).items() if first > z]
    if hidden:
        kind = collection.column(rule.zoom_column)
        shown.append(or_(kind.is_(None), kind.notin_(hidden)))
    chosen = (
        select(view.c.id, geom, *(collection.column(name) for name in rule.fields))
        .where(*shown)
        # A limit without an order would drop features at random, other ones each time.
        .order_by(*(literal_column(order) for order in rule.priority), view.c.id)
        .limit(rule.max_features)
        .subquery("chosen")
    )
    return select(chosen, *([literal(1).label("count")] if rule.cluster_below else [])).where(
        chosen.c.geom.is_not(None)
    )


def _clusters(collection: Collection, z: int, x: int, y: int, where: list[ColumnElement[bool]]) -> Select[Any]:
    """Points by cell. A cell with one point carries that point; with more, its count and its commonest group.

    Cells are half open (west and north edges belong to the cell), so every point counts in exactly one tile.
    """
    view, rule = collection.view, collection.drawn
    west, south, east, north = _bounds(z, x, y)
    cell = (east - west) / CELLS_PER_TILE
    px, py = func.public.st_x(view.c.geom_3857), func.public.st_y(view.c.geom_3857)
    points = (
        select(view.c.id, px.label("px"), py.label("py"), *(collection.column(name) for name in rule.fields))
        .where(view.c.geom_3857.op("&&")(_box(z, x, y)), px >= west, px < east, py > south, py <= north, *where)
        .subquery("points")
    )
    count = func.count()
    centre = func.public.st_setsrid(func.public.st_makepoint(func.avg(points.c.px), func.avg(points.c.py)), 3857)

    def alone(name: str) -> ColumnElement[Any]:
        return case((count == 1, func.min(points.c[name]))).label(name)

    def any_of(name: str) -> ColumnElement[Any]:
        return func.bool_or(points.c[name]).label(name)

    flags = {field.name for field in collection.fields if field.type == "boolean"}
    return select(
        func.min(points.c.id).label("id"),
        func.public.st_asmvtgeom(centre, _box(z, x, y), EXTENT, BUFFER, True).label("geom"),
        count.label("count"),
        func.mode().within_group(points.c.sector_group).label("sector_group"),
        *(any_of(name) if name in flags else alone(name) for name in rule.fields if name != "sector_group"),
    ).group_by(func.floor((points.c.px - west) / cell), func.floor((north - points.c.py) / cell))
