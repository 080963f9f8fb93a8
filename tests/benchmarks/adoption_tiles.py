"""A tile of the adoption map against one of establishments: `python -m tests.benchmarks.adoption_tiles`.

On the database of MAPSERVICE_DATA_DIR, as anybody, interleaved; prints the quickest of each in ms and their
ratio by zoom, and what the first tile after a change takes, which computes the cells.
"""

import math
import statistics
import time

from sqlalchemy import Connection

from layers import computed_tiles, tiles
from layers.collections import ESTABLISHMENTS, PAYMENT_ADOPTION, Collection
from layers.query import FeatureQuery
from postgis.engine import open_database
from postgis.settings import DatabaseSettings

ROUNDS = 40
MIDDLE = (108.2136, 16.0432)
WARD = "20257"


def tile_at(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    """Column and row of the tile that holds a point."""
    side = 2**zoom
    return int((lon + 180) / 360 * side), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * side)


def taken(connection: Connection, collection: Collection, zoom: int, query: FeatureQuery) -> float:
    """Milliseconds for one tile."""
    x, y = tile_at(*MIDDLE, zoom)
    began = time.perf_counter()
    tiles.tile(connection, collection, zoom, x, y, query)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Prints the table."""
    heat = FeatureQuery(asked={"ward": WARD})
    with open_database(DatabaseSettings(), prepare=False) as database, database.public.connect() as connection:
        first = []
        for _ in range(5):
            computed_tiles._kept.clear()
            first.append(taken(connection, PAYMENT_ADOPTION, 13, heat))
        print(f"first tile of a state: {statistics.median(first):.1f} ms")
        for zoom in range(9, 17):
            times: dict[str, list[float]] = {"heat": [], "places": []}
            for _ in range(ROUNDS):
                times["heat"].append(taken(connection, PAYMENT_ADOPTION, zoom, heat))
                times["places"].append(taken(connection, ESTABLISHMENTS, zoom, FeatureQuery()))
            # The quickest of each: what other programs on the machine take is in all others.
            ours, theirs = (min(times[name]) for name in ("heat", "places"))
            print(f"zoom {zoom:2}: heat {ours:6.2f} ms, establishments {theirs:6.2f} ms, ratio {ours / theirs:5.2f}")


if __name__ == "__main__":
    main()
