"""What one answer costs as the register grows at the same density: `python -m tests.benchmarks.growth [SIZES]`.

`SIZES`: establishments, such as `20000,200000,5000000` (the default is the first two). `MAPSERVICE_BENCH_DIR` keeps the
databases for the next run (5 million take some 20 minutes and 10 GB). Every round asks every size in turn, the first
ward's same questions, so that noise of the machine hits all alike. Prints medians, by the clock and of
processors, and their ratios to the smallest.
"""

import json
import os
import random
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from layers import features, tiles
from layers.collections import ESTABLISHMENTS
from layers.extents import extent_of
from layers.query import FeatureQuery
from postgis.actor import Actor, write_as
from postgis.engine import Database, create_database, drop_database, open_database
from postgis.migrate import upgrade
from postgis.settings import DatabaseSettings
from postgis.store import records
from tests.benchmarks.cpu_time import backends, timed
from tests.benchmarks.growth_data import FIRST_WARD, fill
from tests.small_ward import add_staff

ROUNDS, CALLS = 9, 7
SLOW_MS = 500
"""What takes longer is asked a few times only."""
Taken = Mapping[str, Mapping[int, float]]
BOX = (111.010, 13.210, 111.020, 13.220)
"""About a square kilometre in the middle of the first ward."""
POINT = (111.0135, 13.2135)


def main() -> int:
    """Measures and prints; 0 when everything was measured."""
    sizes = [int(size) for size in (sys.argv[1] if len(sys.argv) > 1 else "20000,200000").split(",")]
    kept = os.environ.get("MAPSERVICE_BENCH_DIR")
    with ExitStack() as stack:
        root = Path(kept or f"/tmp/mapservice-bench-{os.getpid()}")
        if not kept:
            stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.mkdir(mode=0o755, exist_ok=True)
        server = stack.enter_context(open_database(DatabaseSettings(data_dir=root, database_url=None)))
        databases = {size: made(server, size) for size in sizes}
        questions: dict[int, Mapping[str, Callable[[], object]]] = {}
        for size, database in databases.items():
            stack.callback(database.dispose)
            connection = stack.enter_context(database.public.connect())
            questions[size] = _questions(database, connection)
        taken = measure(questions, databases)
    report(*taken)
    return 0


def made(server: Database, size: int) -> Database:
    """The register of that many invented places on a server, as it was kept or made now."""
    name = f"growth_{size}"
    with server.administrator() as connection:
        there = (
            connection.execute(text("SELECT FROM pg_database WHERE datname = :name"), {"name": name}).first()
            is not None
        )
    if there:
        database = server.named(name)
        upgrade(database)
        return database
    database = create_database(server, name)
    try:
        upgrade(database)
        began = time.perf_counter()
        fill(database, size)
    except BaseException:
        database.dispose()
        drop_database(server, name)
        raise
    print(f"{size} establishments made in {time.perf_counter() - began:.0f} s", flush=True)
    return database


def _questions(database: Database, connection: Connection) -> dict[str, Callable[[], object]]:
    rng = random.Random(1)
    first = _codes(connection, "WHERE ward = :ward ORDER BY id LIMIT 2000")
    last = connection.execute(text("SELECT id FROM published.establishments ORDER BY id DESC LIMIT 1")).scalar_one()
    anywhere = _codes(connection, f"WHERE id = ANY (ARRAY(SELECT generate_series(1, {last}, {max(1, last // 500)})))")
    actor = _officer(database)
    for code in (*first, *anywhere):
        # A register that is in use has its pages in memory.
        features.one(connection, ESTABLISHMENTS, code)

    def tile(z: int) -> Callable[[], object]:
        side = tiles.WORLD_M / 2**z
        x, y = connection.execute(
            text(
                "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_Transform(ST_SetSRID(ST_MakePoint(:x, :y), 4326), 3857) p) s"
            ),
            {"x": POINT[0], "y": POINT[1]},
        ).one()
        col, row = int((x + tiles.WORLD_M / 2) / side), int((tiles.WORLD_M / 2 - y) / side)
        return lambda: tiles.tile(connection, ESTABLISHMENTS, z, col, row, FeatureQuery())

    def page(**asked: Any) -> Callable[[], object]:
        return lambda: features.page(connection, ESTABLISHMENTS, FeatureQuery(**asked))

    def edit() -> object:
        place = rng.choice(first)
        with write_as(database, actor, reason="sửa thử") as writer:
            version = records.get(writer, "establishments", place).version
            return records.change(writer, "establishments", place, version, {"stall": str(rng.random())[2:8]})

    def move() -> object:
        place, point = rng.choice(first), [round(111.01 + rng.random() / 200, 6), round(13.21 + rng.random() / 200, 6)]
        with write_as(database, actor, reason="dời thử") as writer:
            version = records.get(writer, "establishments", place).version
            return records.change(
                writer, "establishments", place, version, {"geometry": {"type": "Point", "coordinates": point}}
            )

    return {
        "tile z16": tile(16), "tile z14": tile(14), "tile z9": tile(9), "tile z5": tile(5),
        "page of 100 by bbox": page(bbox=BOX),
        "page of 100 of a ward": page(equals={"ward": (FIRST_WARD,)}),
        "page of 100 of all": page(),
        "by id, in the ward": lambda: features.one(connection, ESTABLISHMENTS, rng.choice(first)),
        "by id, anywhere": lambda: features.one(connection, ESTABLISHMENTS, rng.choice(anywhere)),
        "q a name": page(q="banh mi truc xua 464", limit=20),
        "q common, ca phe": page(q="ca phe", limit=20),
        "q common, ca phe in bbox": page(q="ca phe", bbox=BOX, limit=20),
        "q common, ca phe in ward": page(q="ca phe", equals={"ward": (FIRST_WARD,)}, limit=20),
        "q middling, nha khoa lan": page(q="nha khoa lan", limit=20),
        "q an address": page(q="66 hoa sua 1", limit=20),
        "q one letter, c": page(q="c", limit=20),
        "q two letters, ph": page(q="ph", limit=20),
        "q inside a word, oa sua": page(q="oa sua", limit=20),
        "q misspelt, bahn mi truc": page(q="bahn mi truc", limit=20),
        "q found nowhere": page(q="zzyzx", limit=20),
        "q a code": page(q=first[7], limit=20),
        "extent": lambda: extent_of(connection, ESTABLISHMENTS),
        "edit": edit, "edit of the place": move,
    }  # fmt: skip


def _codes(connection: Connection, where: str) -> list[str]:
    return list(
        connection.execute(
            text(f"SELECT code FROM published.establishments {where}"), {"ward": FIRST_WARD} if ":ward" in where else {}
        ).scalars()
    )


def _officer(database: Database) -> Actor:
    return add_staff(database, f"bench-{time.time_ns()}", "officer", FIRST_WARD)


def measure(
    questions: Mapping[int, Mapping[str, Callable[[], object]]], databases: Mapping[int, Database]
) -> tuple[Taken, Taken]:
    """Median milliseconds of every question at every size, by the clock and of processors; the calls of a question in
    turns between the sizes."""
    names = list(next(iter(questions.values())))
    both: dict[str, dict[int, list[tuple[float, float]]]] = {name: {size: [] for size in questions} for name in names}
    slow: set[tuple[str, int]] = set()
    processes: dict[int, Sequence[int]] = dict.fromkeys(questions, ())
    for round_number in range(ROUNDS + 1):
        for name in names:
            for size, asked in questions.items():
                if (name, size) in slow and round_number > 2:
                    continue
                for _ in range(1 if (name, size) in slow else CALLS):
                    took = timed(processes[size], lambda call=asked[name]: _tolerant(call))  # type: ignore[misc]
                    if took[0] > SLOW_MS:
                        slow.add((name, size))
                    if round_number or took[0] > SLOW_MS:
                        both[name][size].append(took)
                    if took[0] > SLOW_MS:
                        break
        if not round_number:
            # After the first round all connections are there.
            processes = {size: backends(database) for size, database in databases.items()}
    clock, cost = (
        {
            name: {size: statistics.median(t[way] for t in taken) for size, taken in by.items()}
            for name, by in both.items()
        }
        for way in (0, 1)
    )
    return clock, cost


def _tolerant(call: Callable[[], object]) -> None:
    from sqlalchemy.exc import OperationalError

    try:
        call()
    except OperationalError as error:
        if "statement timeout" not in str(error):
            raise
        cause = getattr(call, "__closure__", None)
        for cell in cause or ():
            if isinstance(cell.cell_contents, Connection):
                cell.cell_contents.rollback()


def report(clock: Taken, cost: Taken) -> None:
    """Prints tables and writes them as JSON."""
    sizes = list(next(iter(clock.values())))
    for title, taken in (("ms by the clock", clock), ("ms of processors", cost)):
        print(f"{title:30}" + "".join(f"{size:>12,}" for size in sizes) + "   times the smallest   times a read by id")
        by_id = taken["by id, in the ward"]
        for name, by_size in taken.items():
            ratios = "  ".join(f"{by_size[size] / by_size[sizes[0]]:.2f}" for size in sizes[1:])
            beside = "  ".join(f"{by_size[size] / by_id[size]:.1f}" for size in sizes) if name.startswith("q ") else ""
            print(f"{name:30}" + "".join(f"{by_size[size]:12.2f}" for size in sizes) + f"   {ratios:21}{beside}")
    folder = Path("bench-results")
    folder.mkdir(exist_ok=True)
    path = folder / f"growth-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps({"clock": clock, "processors": cost}, indent=2) + "\n", encoding="utf-8")
    print(f"Written to {path}")


if __name__ == "__main__":
    raise SystemExit(main())
