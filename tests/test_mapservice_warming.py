"""The ward's pyramid of tiles is made ahead, within its share of the room, also where the database speaks late."""

import asyncio
from collections.abc import Iterator
from time import monotonic

import pytest

from mapservice.lane import FILLED_AHEAD, Lane
from mapservice.settings import HttpSettings
from mapservice.warming import DEEPEST, pyramid
from postgis.engine import Database
from tests import own_loop
from tests.register_api import Api, register_api
from tests.small_ward import WARD

SECONDS = 120


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "warming") as found:
        yield found


def settings(cache_mb: int) -> HttpSettings:
    return HttpSettings(sample="none", ward=WARD, cache_mb=cache_mb)


def test_the_whole_pyramid_is_made_ahead(api: Api) -> None:
    wanted = pyramid(api.database, settings(16))
    zooms = {int(key.split(b"WebMercatorQuad/")[1].split(b"/")[0]) for key in wanted}
    assert zooms == set(range(DEEPEST + 1))

    async def warmed() -> Lane:
        lane = Lane(api.database, settings(16))
        async with lane.running(), asyncio.timeout(SECONDS):
            while lane._warming is None or not lane._warming.done():
                await asyncio.sleep(0.05)
        return lane

    cache = own_loop.run(warmed()).kept.cache
    assert set(wanted) <= cache.entries.keys()
    assert cache.bytes < cache.limit * FILLED_AHEAD
    assert cache.evicted == 0


def test_a_busy_moment_does_not_end_it_and_its_share_does(api: Api) -> None:
    async def warmed() -> Lane:
        lane = Lane(api.database, settings(1))
        warming = asyncio.create_task(lane._warm())
        await asyncio.sleep(1)
        assert not lane.kept.cache.entries, "the database has not said a word"
        assert not warming.done()
        async with asyncio.timeout(SECONDS):
            while not warming.done():
                lane.kept.hear(monotonic())
                await asyncio.sleep(0.05)
        return lane

    cache = own_loop.run(warmed()).kept.cache
    assert len(cache.entries) > 50
    assert cache.limit * FILLED_AHEAD < cache.bytes < cache.limit
    assert cache.evicted == 0
