"""A tile of single places, read from its index, is the tile that the places themselves make."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers import tile_points, tiles
from layers.collections import ESTABLISHMENTS
from tests.mvt import layers_of

UNITS = st.one_of(
    st.floats(-66, -62), st.floats(4158, 4162), st.floats(-70, 4166), st.sampled_from((-64.5, -64.0, 4160.0, 4160.5))
)
"""Where in a tile a place lies, its edges above all."""
PLAINLY = text(f"""
    SELECT id, ST_X(at) AS x, ST_Y(at) AS y, {", ".join(ESTABLISHMENTS.drawn.fields)}
      FROM (SELECT *, ST_AsMVTGeom(geom_3857, ST_MakeEnvelope(:west, :south, :east, :north, 3857),
                                   {tiles.EXTENT}, {tiles.BUFFER}, true) AS at
              FROM published.establishments
             WHERE geom_3857 && ST_Expand(ST_MakeEnvelope(:west, :south, :east, :north, 3857), (:east - :west) / 16)) s
     WHERE at IS NOT NULL
""")


def _plainly(connection: Connection, bounds: tuple[float, ...]) -> set[Any]:
    found = connection.execute(PLAINLY, dict(zip(("west", "south", "east", "north"), bounds, strict=True))).mappings()
    return {
        (row["id"], ((int(row["x"]), int(row["y"])),), _known({**{n: row[n] for n in ESTABLISHMENTS.drawn.fields}}))
        for row in found
    }


def _known(properties: dict[str, Any]) -> frozenset[tuple[str, Any]]:
    return frozenset((name, value) for name, value in ({"count": 1} | properties).items() if value is not None)


def _drawn(connection: Connection, bounds: tuple[float, ...]) -> set[Any]:
    mvt, count = tile_points.draw(connection, ESTABLISHMENTS, bounds, tiles.EXTENT, tiles.BUFFER)
    found = {
        (feature.id, tuple(feature.points), frozenset(feature.properties.items()))
        for layer in layers_of(mvt)
        for feature in layer.features
    }
    assert len(found) <= count
    return found


def test_it_is_the_tile_of_the_places(demo_connection: Connection) -> None:
    places = demo_connection.execute(
        text("SELECT ST_X(geom_3857) AS x, ST_Y(geom_3857) AS y FROM published.establishments ORDER BY id")
    ).all()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(places) - 1), st.integers(15, 22), UNITS, UNITS)
    def check(number: int, zoom: int, right: float, down: float) -> None:
        side = tiles.WORLD_M / 2**zoom
        west = places[number].x - right * side / tiles.EXTENT
        north = places[number].y + down * side / tiles.EXTENT
        bounds = west, north - side, west + side, north
        drawn = _drawn(demo_connection, bounds)
        assert drawn == _plainly(demo_connection, bounds)
        if -64.4 < right < 4160.4 and -64.4 < down < 4160.4:
            assert drawn

    check()
