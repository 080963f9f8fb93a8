"""What our answers cost beside the SQL they cannot do without, in turns on one connection.

The bounds lie at twice to three times what is measured, so that only a clear regression fails: a statement put together
anew for each request, a sort, an index that is no longer used, an answer that is no longer kept.
"""

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Connection, text

from layers import features, tiles
from layers.collections import ESTABLISHMENTS
from layers.query import FeatureQuery
from tests.benchmarks.turns import medians
from tests.benchmarks.workload import tile_at
from tests.conftest import Service

POINT = (108.2185, 16.0445)
BOX = (108.214, 16.04, 108.223, 16.049)
FIVE = ("code", "name", "sector_group", "operating_status", "accepts_cashless")

_TILE = text("""
    SELECT public.ST_AsMVT(t, 'establishments', 4096, 'g', 'id') FROM (
        SELECT public.ST_AsMVTGeom(geom_3857, public.ST_TileEnvelope(:z, :x, :y), 4096, 64, true) g,
               id, code, name, kind, sector_group, operating_status, live_warning, illustrative
          FROM published.establishments
         WHERE geom_3857 && public.ST_TileEnvelope(:z, :x, :y, margin => 64.0 / 4096)) t
""")
_PAGE = text("""
    SELECT string_agg('{"type":"Feature","id":"' || code || '","geometry":' || public.ST_AsGeoJSON(geom, 6)
                      || ',"properties":' || json_build_object('code', code, 'name', name, 'sector_group', sector_group,
                         'operating_status', operating_status, 'accepts_cashless', accepts_cashless) || '}', ',')
      FROM (SELECT * FROM published.establishments
             WHERE geom && public.ST_MakeEnvelope(:west, :south, :east, :north, 4326) ORDER BY id LIMIT 100) t
""")
_ONE = text("SELECT row_to_json(e) FROM published.establishments e WHERE code = :code")


def _ratio(ours: Callable[[], object], bare: Callable[[], object]) -> float:
    taken = medians({"ours": ours, "bare": bare})
    return taken["ours"] / taken["bare"]


@pytest.mark.parametrize("zoom", [15, 16, 17])
def test_a_tile_costs_little_more_than_its_sql(demo_connection: Connection, zoom: int) -> None:
    z, x, y = tile_at(*POINT, zoom)
    found = _ratio(
        lambda: tiles.tile(demo_connection, ESTABLISHMENTS, z, x, y, FeatureQuery()),
        lambda: demo_connection.execute(_TILE, {"z": z, "x": x, "y": y}).scalar_one(),
    )
    assert found < 2.5


def test_a_page_costs_little_more_than_its_sql(demo_connection: Connection) -> None:
    query = FeatureQuery(bbox=BOX, properties=FIVE)
    assert features.page(demo_connection, ESTABLISHMENTS, query).number_returned == 100
    west, south, east, north = BOX
    edges = {"west": west, "south": south, "east": east, "north": north}
    found = _ratio(
        lambda: features.page(demo_connection, ESTABLISHMENTS, query),
        lambda: demo_connection.execute(_PAGE, edges).scalar_one(),
    )
    assert found < 3.5


def test_one_feature_costs_little_more_than_its_row(demo_connection: Connection) -> None:
    code = demo_connection.execute(text("SELECT min(code) FROM published.establishments")).scalar_one()
    found = _ratio(
        lambda: features.one(demo_connection, ESTABLISHMENTS, code),
        lambda: demo_connection.execute(_ONE, {"code": code}).scalar_one(),
    )
    assert found < 3.5


def test_a_kept_tile_is_much_cheaper_than_one_that_is_made(live_service: Service) -> None:
    address = urlsplit(live_service.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    z, x, y = tile_at(*POINT, 15)
    path = f"/ogc/collections/establishments/tiles/WebMercatorQuad/{z}/{y}/{x}"
    never_asked = iter(range(1, 1000))

    def get(asked: str) -> None:
        connection.request("GET", asked)
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()

    # A filter that holds for every place, another one each time, so that each tile has to be made.
    taken = medians(
        {
            "kept": lambda: get(path),
            "made": lambda: get(f"{path}?filter=name%20%3C%3E%20%27{next(never_asked)}%27"),
        }
    )
    connection.close()
    assert taken["made"] / taken["kept"] > 2
