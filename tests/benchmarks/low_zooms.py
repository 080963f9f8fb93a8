"""Tiles of wide views (W6): ours beside `ST_AsMVT` over every point: `python -m tests.benchmarks.low_zooms [PLACES]`.

The fullest tile of each zoom from 0 to 9, over 5 million places unless told otherwise, in the register that
`tests.benchmarks.growth` keeps in `MAPSERVICE_BENCH_DIR`. One connection, in turns; what the bare SQL takes longer than
a second for, it does once. Each tile's counts are added up and must be what the register holds there.
"""

import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyogrio.raw
from sqlalchemy import Connection, text

from layers import tiles
from layers.collections import ESTABLISHMENTS
from layers.query import FeatureQuery
from postgis.engine import Database, open_database
from postgis.settings import DatabaseSettings
from tests.benchmarks.bed import folder
from tests.benchmarks.growth import made
from tests.benchmarks.register_rows import SCHEMA, make_narrow_tables
from tests.benchmarks.workload import Tile

ZOOMS = range(10)
ROUNDS = 5
RATIO, LARGEST = 0.01, 100_000
_SLOW = 1.0  # seconds
_RAW = text(f"""
    SELECT ST_AsMVT(t, 'places', 4096, 'g', 'id') FROM (
        SELECT ST_AsMVTGeom(geom, ST_TileEnvelope(:z, :x, :y), 4096, 64, true) g,
               id, name, sector, status, accepts_cashless
          FROM {SCHEMA}.places_3857
         WHERE geom && ST_TileEnvelope(:z, :x, :y, margin => 64.0 / 4096)) t
""")
# As our cells are: half open, west and north edges belong to the tile.
_BY_TILE = text(f"""
    SELECT floor((ST_X(geom) + :half) / :side)::int AS x, ceil((:half - ST_Y(geom)) / :side)::int - 1 AS y, count(*)
      FROM {SCHEMA}.places_3857 GROUP BY 1, 2
""")


@dataclass(frozen=True, slots=True)
class Row:
    """One zoom: milliseconds and bytes of both, how many places the tile stands for and how many there are."""

    tile: Tile
    raw_ms: float
    raw_bytes: int
    ours_ms: float
    ours_bytes: int
    told: int
    there: int

    @property
    def holds(self) -> bool:
        """Whether the tile is as quick, as small and as right as it must be."""
        return self.ours_ms <= RATIO * self.raw_ms and self.ours_bytes <= LARGEST and self.told == self.there


def main() -> int:
    """Measures and reports; 0 when everything was measured, also where a goal is missed."""
    places = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    settings = DatabaseSettings(data_dir=folder(), database_url=None)
    with open_database(settings) as server:
        database = made(server, places)
        make_narrow_tables(database)
        found = measure(database)
        database.dispose()
    report(found)
    results = Path("bench-results")
    results.mkdir(exist_ok=True)
    path = results / f"low-zooms-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps([asdict(row) for row in found], indent=2) + "\n", encoding="utf-8")
    print(f"Written to {path}")
    return 0


def measure(database: Database) -> list[Row]:
    """A row for each zoom."""
    found = []
    with database.administrator() as owner, database.public.connect() as public:
        owner.execute(text("SET jit = off"))
        owner.execute(text("SET max_parallel_workers_per_gather = 0"))
        for (z, x, y), there in _fullest(owner):
            place = {"z": z, "x": x, "y": y}

            def raw(place: dict[str, int] = place) -> bytes:
                return bytes(owner.execute(_RAW, place).scalar_one())

            def ours(z: int = z, x: int = x, y: int = y) -> bytes:
                return tiles.tile(public, ESTABLISHMENTS, z, x, y, FeatureQuery())

            ours()  # what a connection learns with its first tile is not of this zoom
            (raw_ms, raw_tile), (ours_ms, our_tile) = _in_turns(raw, ours)
            found.append(Row((z, x, y), raw_ms, len(raw_tile), ours_ms, len(our_tile), _told(our_tile), there))
    return found


def _fullest(connection: Connection) -> list[tuple[Tile, int]]:
    """The tile of each zoom that holds the most places, and how many."""
    finest = ZOOMS[-1]
    side = tiles.WORLD_M / 2**finest
    rows = connection.execute(_BY_TILE, {"half": tiles.WORLD_M / 2, "side": side})
    counts = Counter({(row.x, row.y): row.count for row in rows})
    found = []
    for z in reversed(ZOOMS):
        (x, y), there = counts.most_common(1)[0]
        found.append(((z, x, y), there))
        coarser: Counter[tuple[int, int]] = Counter()
        for (column, row), count in counts.items():
            coarser[column // 2, row // 2] += count
        counts = coarser
    return found[::-1]


def _in_turns(*calls: Callable[[], bytes]) -> Sequence[tuple[float, bytes]]:
    """Median milliseconds and the answer of each; the first round warms up, unless it was slow."""
    times: list[list[float]] = [[] for _ in calls]
    answers = [b""] * len(calls)
    for number in range(ROUNDS + 1):
        for index, call in enumerate(calls):
            if number and times[index] and times[index][0] > _SLOW:
                continue
            began = time.perf_counter()
            answers[index] = call()
            took = time.perf_counter() - began
            if number or took > _SLOW:
                times[index].append(took)
    return [(statistics.median(taken) * 1000, answer) for taken, answer in zip(times, answers, strict=True)]


def _told(tile: bytes) -> int:
    """The places that a tile says it stands for, as GDAL reads it."""
    with tempfile.NamedTemporaryFile(suffix=".mvt") as file:
        file.write(tile)
        file.flush()
        _, _, _, columns = pyogrio.raw.read(file.name, layer=ESTABLISHMENTS.id, columns=["count"], read_geometry=False)
    return int(columns[0].sum())


def report(rows: Sequence[Row]) -> None:
    """The same for people."""
    print(
        f"{'tile':>18}{'raw ms':>10}{'raw kB':>10}{'ours ms':>10}{'ours kB':>10}{'ratio':>9}{'told':>10}{'there':>10}"
    )
    for row in rows:
        print(
            f"{'/'.join(map(str, row.tile)):>18}{row.raw_ms:10.1f}{row.raw_bytes / 1000:10.1f}{row.ours_ms:10.2f}"
            f"{row.ours_bytes / 1000:10.1f}{row.ours_ms / row.raw_ms:9.4f}{row.told:10}{row.there:10}"
            f"  {'holds' if row.holds else 'FALLS SHORT'}"
        )


if __name__ == "__main__":
    raise SystemExit(main())
