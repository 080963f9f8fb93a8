"""Vector tiles, made by PostGIS."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Double,
    Select,
    Text,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy import literal_column as column_text
from sqlalchemy.dialects import postgresql

from layers import computed_tiles, tile_cells, tile_points
from layers.collections import Collection
from layers.filters import asked, conditions, spatial_tests
from layers.query import FeatureQuery
from layers.search import Search
from layers.statements import Statement

EXTENT = 4096
BUFFER = 64
"""In tile units: what reaches over a tile's edge, so that line ends and icons are not cut."""
WORLD_M = 40075016.68557849
DETAIL_FROM_ZOOM = 12
"""From here on lines and areas have all their corners."""


def tile(connection: Connection, collection: Collection, z: int, x: int, y: int, query: FeatureQuery) -> bytes:
    """The MVT of one tile of WebMercatorQuad; empty where nothing is. The layer's name is the collection's id.

    Raises TooBroad for a filter that no count answers and no index narrows, over more than about a million places.
    """
    place = _bounds(z, x, y) | asked(collection, query)
    if tile_cells.can_answer(collection, z, query):
        text = tile_cells.statement(collection, z, query)
        place |= {"extent": EXTENT, "buffer": BUFFER} | tile_cells.parameters(z, x, y, query)
        return bytes(connection.exec_driver_sql(text, place).scalar_one())
    where = conditions(collection, query)
    if query.q is not None:
        where.append(Search(connection, collection, query.q).condition())
    if collection.computed and not where:
        return computed_tiles.draw(connection, collection, query, _bounds(z, x, y), EXTENT, BUFFER)
    if z < collection.drawn.cluster_below:
        gathered = Statement(_drawn(collection, _clusters(collection, z, where)))
        tests = spatial_tests(query)
        return bytes(gathered.run_bounded(connection, place, *_asked(query), spatial_tests=tests).scalar_one())
    if collection.drawn.rows is not None and not where:
        mvt, count = tile_points.draw(connection, collection, tuple(place.values()), EXTENT, BUFFER)
    else:
        mvt, count = _in_no_order(connection, collection, z, where, place)
    if count > collection.drawn.max_features:
        rows = _features(collection, z, where, in_order=True)
        return bytes(connection.execute(_drawn(collection, rows), place).scalar_one())
    return bytes(mvt)


def _asked(query: FeatureQuery) -> list[str]:
    """The parameters that the places of a tile are chosen by."""
    others = {"q": query.q, "filter": query.filter, "datetime": query.interval}
    return [*query.equals, *(name for name, value in others.items() if value is not None)]


def _bounds(z: int, x: int, y: int) -> dict[str, Any]:
    """West, south, east, north of a tile in metres of EPSG:3857."""
    side = WORLD_M / 2**z
    west, north = x * side - WORLD_M / 2, WORLD_M / 2 - y * side
    return {"west": west, "south": north - side, "east": west + side, "north": north}


def _in_no_order(
    connection: Connection, collection: Collection, z: int, where: list[ColumnElement[bool]], place: Mapping[str, Any]
) -> Sequence[Any]:
    """The tile with its features in no order, as no map needs one: to sort them takes a quarter of the time.

    And how many there are, so that it is known when they are too many.
    """
    if where:
        return connection.execute(_drawn(collection, _features(collection, z, where)), place).one()
    known = _TEXTS.get((collection.id, z))
    if known is None:
        drawn = _drawn(collection, _features(collection, z, where))
        compiled = drawn.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        known = _TEXTS[collection.id, z] = str(compiled), dict(compiled.params)
    text, fixed = known
    return connection.exec_driver_sql(text, {**fixed, **place}).one()


_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_TEXTS: dict[tuple[str, int], tuple[str, dict[str, Any]]] = {}
"""The SQL of tiles without a filter, by collection and zoom, with its fixed parameters: to put it together takes longer
than to draw a small tile."""


def _drawn(collection: Collection, rows: Select[Any]) -> Select[Any]:
    features = rows.subquery("features")
    mvt = func.public.st_asmvt(column_text("features.*"), collection.id, EXTENT, "geom", "id")
    return select(mvt, func.count()).select_from(features)


def _box(margin: float = 0.0) -> ColumnElement[Any]:
    west, south, east, north = (_side(name) for name in ("west", "south", "east", "north"))
    return func.public.st_makeenvelope(west - margin, south - margin, east + margin, north + margin, 3857)


def _side(name: str) -> ColumnElement[float]:
    # A value to compile with; each tile gives its own.
    return bindparam(name, 0.0, type_=Double())


def _features(
    collection: Collection, z: int, where: list[ColumnElement[bool]], *, in_order: bool = False
) -> Select[Any]:
    """The features themselves; `in_order`: the first of them, else one more than a tile may have."""
    rule, rows = collection.drawn, collection.view
    shown: list[ColumnElement[bool]] = [
        rows.c.geom_3857.op("&&", is_comparison=True)(_box(WORLD_M / 2**z * BUFFER / EXTENT)),
        *where,
    ]
    hidden = [value for value, first in (rule.from_zoom or {}).items() if first > z]
    if hidden:
        kind = rows.c[rule.zoom_column]
        # One array: the text of a list that is still to be filled in cannot be kept.
        shown.append(or_(kind.is_(None), not_(kind == any_(cast(hidden, ARRAY(Text))))))
    geom = func.public.st_asmvtgeom(_outline(collection, rows.c.geom_3857, z), _box(), EXTENT, BUFFER, True).label(
        "geom"
    )
    count = [literal(1).label("count")] if rule.cluster_below else []
    chosen = select(rows.c.id, geom, *(rows.c[name] for name in rule.fields), *count).where(*shown)
    if in_order:
        # A limit without an order would drop features at random, other ones each time.
        return chosen.order_by(*(column_text(order) for order in rule.priority), rows.c.id).limit(rule.max_features)
    return chosen.limit(rule.max_features + 1)


def _outline(collection: Collection, geometry: ColumnElement[Any], z: int) -> ColumnElement[Any]:
    """Lines and areas as fine as a screen shows them: of a wide view's corners it shows one in many.

    By half a pixel of a tile drawn 512 wide, so that neighbours show no gap; what is smaller stays as what it is.
    """
    if collection.geometry == "Point" or z >= DETAIL_FROM_ZOOM:
        return geometry
    return func.public.st_simplify(geometry, WORLD_M / 2**z / 1024, True)


def _clusters(collection: Collection, z: int, where: list[ColumnElement[bool]]) -> Select[Any]:
    """Points by cell, as `tile_cells` has them, for queries that the kept cells cannot answer.

    Cells are half open (west and north edges belong to the cell), so every point counts in exactly one tile.
    """
    view, rule = collection.view, collection.drawn
    west, south, east, north = (_side(name) for name in ("west", "south", "east", "north"))
    cell = WORLD_M / 2**z / tile_cells.PER_TILE
    px, py = func.public.st_x(view.c.geom_3857), func.public.st_y(view.c.geom_3857)
    inside = view.c.geom_3857.op("&&", is_comparison=True)(_box())
    points = (
        select(view.c.id, px.label("px"), py.label("py"), *(collection.column(name) for name in rule.fields))
        .where(inside, px >= west, px < east, py > south, py <= north, *where)
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
        case((count == 1, func.min(points.c.id))).label("id"),
        func.public.st_asmvtgeom(centre, _box(), EXTENT, BUFFER, True).label("geom"),
        count.label("count"),
        *(any_of(name) if name in flags else alone(name) for name in rule.fields),
    ).group_by(func.floor((points.c.px - west) / cell), func.floor((north - points.c.py) / cell))
