"""What the service costs beside what it is made of: each request over HTTP and its SQL, on one client and connection.

Rounds take turns, so that noise of the machine hits all of them alike.
"""

import os
import shutil
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from layers import features, tiles
from layers.collections import ESTABLISHMENTS
from layers.query import FeatureQuery
from postgis.engine import open_database
from postgis.settings import DatabaseSettings
from tests.benchmarks import import_speed
from tests.conftest import start_service, stop_service

ROUNDS = 5
CALLS = 60
TILE_14, TILE_16 = (14, 13117, 7451), (16, 52468, 29806)  # by the corner of Duy Tân and Trưng Nữ Vương
ITEMS = "/ogc/collections/establishments/items"


def measure() -> dict[str, Any]:
    """Each request over HTTP and as SQL, the first start with its sample, and how fast lists are read."""
    with ExitStack() as stack:
        root = Path(f"/tmp/mapservice-bench-{os.getpid()}")
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.mkdir(mode=0o755)
        began = time.perf_counter()
        service = start_service(root / "data", MAPSERVICE_SAMPLE="demo")
        stack.callback(stop_service, service)
        first_start = time.perf_counter() - began
        settings = DatabaseSettings(data_dir=root / "data", database_url=None)
        database = stack.enter_context(open_database(settings))
        connection = stack.enter_context(database.public.connect())
        client = stack.enter_context(httpx.Client(base_url=service.url, headers={"Accept-Encoding": "br"}))
        code = client.get(f"{ITEMS}?limit=1&illustrative=true").json()["features"][0]["id"]
        box = (108.205, 16.045, 108.225, 16.065)

        def get(address: str) -> Callable[[], object]:
            return lambda: client.get(address).raise_for_status()

        def tile_address(z: int, x: int, y: int) -> str:
            return f"/ogc/collections/establishments/tiles/WebMercatorQuad/{z}/{y}/{x}"

        etag = client.get(tile_address(*TILE_14)).headers["etag"]
        pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "tile z14, clusters": (
                get(tile_address(*TILE_14)),
                lambda: tiles.tile(connection, ESTABLISHMENTS, *TILE_14, FeatureQuery()),
            ),
            "tile z16, places": (
                get(tile_address(*TILE_16)),
                lambda: tiles.tile(connection, ESTABLISHMENTS, *TILE_16, FeatureQuery()),
            ),
            "tile z14, not modified": (
                lambda: client.get(tile_address(*TILE_14), headers={"If-None-Match": etag}),
                lambda: tiles.tile(connection, ESTABLISHMENTS, *TILE_14, FeatureQuery()),
            ),
            "page of 100 by bbox": (
                get(f"{ITEMS}?limit=100&bbox={','.join(map(str, box))}"),
                lambda: features.page(connection, ESTABLISHMENTS, FeatureQuery(bbox=box)),
            ),
            "search, 20 of many": (
                get(f"{ITEMS}?limit=20&q=ca%20phe"),
                lambda: features.page(connection, ESTABLISHMENTS, FeatureQuery(q="ca phe", limit=20)),
            ),
            "one feature": (
                get(f"{ITEMS}/{code}"),
                lambda: features.one(connection, ESTABLISHMENTS, code),
            ),
            "look-up page": (
                get(f"/q/{code}"),
                lambda: connection.execute(
                    text("SELECT * FROM published.establishments WHERE code = :c"), {"c": code}
                ).one(),
            ),
        }
        rows = _measure(pairs)
        imports = import_speed.measure(database, settings, root)
    return {"first_start_s": first_start, "rows": rows, "imports": imports}


def _measure(pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]]) -> list[dict[str, object]]:
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in pairs}
    for round_number in range(ROUNDS + 1):
        for name, both in pairs.items():
            for side, call in enumerate(both):
                taken = [_time(call) for _ in range(CALLS)]
                if round_number:  # the first round warms up
                    times[name][side].extend(taken)
    return [
        {
            "what": name,
            "http_ms": statistics.median(over_http) * 1000,
            "http_p95_ms": statistics.quantiles(over_http, n=20)[-1] * 1000,
            "sql_ms": statistics.median(sql) * 1000,
            "ratio": statistics.median(over_http) / statistics.median(sql),
        }
        for name, (over_http, sql) in times.items()
    ]


def _time(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def report(found: dict[str, Any]) -> None:
    """The same for people."""
    print(f"\n{'':26}{'HTTP ms':>9}{'p95':>9}{'SQL ms':>9}{'HTTP / SQL':>12}")
    for row in found["rows"]:
        print(f"{row['what']:26}{row['http_ms']:9.2f}{row['http_p95_ms']:9.2f}{row['sql_ms']:9.2f}{row['ratio']:12.2f}")
    import_speed.report(found["imports"])
    print(f"\nfirst start with the demo sample, database made and filled: {found['first_start_s']:.1f} s")
