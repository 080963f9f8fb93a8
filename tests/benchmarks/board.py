"""What the leaders' board costs on large wards: `python -m tests.benchmarks.board [BEDS]`.

`BEDS`: wards x places in each, such as `1x20000,1x200000,20x10000` (the default is the first); each ward with three
years of history. `MAPSERVICE_BENCH_DIR` keeps the databases for the next run. Every round asks each question once, in
turn, right after an edit of the ward, which makes every kept answer old; then tiles once more, which may be kept.
Prints medians in milliseconds, by the clock and of processors (ours and PostgreSQL's: what the clock of an idle machine
would show), and their ratios to one scan of all the ward's states within the same rounds.
"""

import json
import os
import random
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import Connection, text

from layers.tiles import WORLD_M
from mapservice.app import create_app
from mapservice.month_ends import keep_month_ends
from mapservice.settings import HttpSettings
from postgis.actor import Actor, write_as
from postgis.engine import Database, create_database, drop_database, open_database
from postgis.migrate import upgrade
from postgis.settings import DatabaseSettings
from postgis.store import records, tokens
from tests.benchmarks.board_bed import fill
from tests.benchmarks.cpu_time import backends, timed
from tests.small_ward import MIDDLE, WARD, add_staff
from tests.staff_clients import PASSWORD, Browser, add_member

ROUNDS = 7
ZOOMS = (12, 13, 14, 15, 16)
SCAN = text("""
    SELECT count(*), count(*) FILTER (WHERE accepts_cashless = 'yes' AND known_to > now())
      FROM register.establishment_state
     WHERE ward_id = (SELECT id FROM register.ward WHERE code = :ward AND valid_to IS NULL)
""")
LONGEST = {20_000: 1_000, 200_000: 2_500}
"""Milliseconds within which the board must be there, by places of the ward."""


def main() -> int:
    """Measures and prints; 0 when everything was measured, also where a goal is missed."""
    beds = [tuple(map(int, bed.split("x"))) for bed in (sys.argv[1] if len(sys.argv) > 1 else "1x20000").split(",")]
    kept = os.environ.get("MAPSERVICE_BENCH_DIR")
    found = {}
    with ExitStack() as stack:
        root = Path(kept or f"/tmp/mapservice-bench-{os.getpid()}")
        if not kept:
            stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.mkdir(mode=0o755, exist_ok=True)
        server = stack.enter_context(open_database(DatabaseSettings(data_dir=root, database_url=None)))
        for wards, each in beds:
            database = made(server, wards, each)
            stack.callback(database.dispose)
            taken = measure(database)
            found[f"{wards}x{each}"] = taken
            report(f"{wards} x {each:,}", taken, LONGEST.get(each))
    folder = Path("bench-results")
    folder.mkdir(exist_ok=True)
    path = folder / f"board-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps({"load": os.getloadavg(), "ms": found}, indent=2) + "\n", encoding="utf-8")
    print(f"Written to {path}; load {os.getloadavg()[0]:.1f}")
    return 0


def made(server: Database, wards: int, each: int) -> Database:
    """The bed on a server, as it was kept or made now."""
    name = f"board_{wards}x{each}"
    with server.administrator() as connection:
        asked = text("SELECT FROM pg_database WHERE datname = :name")
        there = connection.execute(asked, {"name": name}).first() is not None
    if there:
        database = server.named(name)
        upgrade(database)
        return database
    database = create_database(server, name)
    try:
        upgrade(database)
        began = time.perf_counter()
        # Of 200,000 places the changes would fill a disk, and no view of the board reads them.
        fill(database, wards, each, history=wards * each <= 20_000)
    except BaseException:
        database.dispose()
        drop_database(server, name)
        raise
    with database.owner.connect() as connection:
        states = connection.execute(text("SELECT count(*) FROM register.establishment_state")).scalar_one()
    print(f"{name}: {states:,} states made in {time.perf_counter() - began:.0f} s", flush=True)
    return database


def measure(database: Database) -> dict[str, tuple[float, float]]:
    """Median milliseconds of every question, by the clock and of processors."""
    stamp = str(time.time_ns())
    officer = add_staff(database, f"bench-{stamp}", "officer")
    leader = f"leader-{stamp}"
    add_member(database, leader, "approver")
    with database.owner.begin() as connection:
        token = tokens.issue(connection, officer.staff_id, "bench", "read", 1)
    browser = Browser(database, ward=WARD)
    browser.sign_in(leader, PASSWORD)
    with (
        TestClient(create_app(HttpSettings(sample="none", ward=WARD), database)) as client,
        database.owner.connect() as connection,
    ):
        connection.execute(text("SET max_parallel_workers_per_gather = 0; SET jit = off"))
        edit = _editor(database, officer, connection)
        questions = _questions(browser, client, token, connection)
        tiles = _tiles(client, token)
        taken: dict[str, list[tuple[float, float]]] = {}
        keep_month_ends(database)
        processes: Sequence[int] = ()
        for number in range(ROUNDS + 1):
            for name, ask in questions.items():
                edit()
                _time(taken, name, ask, processes)
            # As after an upgrade, before the service has counted them; at all else it has, whichever process answers.
            with database.owner.begin() as owner:
                owner.execute(text("DELETE FROM register.month_end_count"))
            for name in ("/board, anybody", "/board, staff"):
                edit()
                _time(taken, f"{name}, no month end kept", questions[name], processes)
            _time(taken, "month ends counted and kept", partial(keep_month_ends, database), processes)
            for name, ask in tiles.items():
                edit()
                _time(taken, f"{name}, after an edit", ask, processes)
                _time(taken, name, ask, processes)
            if not number:
                # After the first round all connections are there.
                processes = backends(database)
                taken.clear()
    return {
        name: (statistics.median(clock for clock, _ in times), statistics.median(cost for _, cost in times))
        for name, times in taken.items()
    }


def _time(
    taken: dict[str, list[tuple[float, float]]], name: str, ask: Callable[[], object], processes: Sequence[int]
) -> None:
    taken.setdefault(name, []).append(timed(processes, ask))


def _editor(database: Database, officer: Actor, connection: Connection) -> Callable[[], None]:
    codes = connection.execute(
        text("SELECT e.code FROM register.establishment e JOIN register.ward w ON w.id = e.ward_id "
             "WHERE w.code = :ward AND e.ended_at IS NULL ORDER BY e.id LIMIT 500"), {"ward": WARD},
    ).scalars().all()  # fmt: skip
    connection.rollback()
    # Of one seed, a bed that was kept would be given what it has: no edit at all.
    rng = random.Random()

    def edit() -> None:
        place = rng.choice(codes)
        with write_as(database, officer, reason="sửa thử") as writer:
            version = records.get(writer, "establishments", place).version
            records.change(writer, "establishments", place, version, {"stall": str(rng.random())[2:8]})

    return edit


def _questions(
    browser: Browser, client: TestClient, token: str, connection: Connection
) -> dict[str, Callable[[], object]]:
    def page(path: str, who: Browser | None) -> Callable[[], object]:
        def ask() -> None:
            found = (who.client if who else client).get(path, headers={"Accept": "text/html"})
            assert found.status_code == 200, (path, found.status_code)

        return ask

    def told(path: str, staff: bool) -> Callable[[], object]:
        headers = {"Authorization": f"Bearer {token}"} if staff else {}

        def ask() -> None:
            found = client.get(path, headers=headers)
            assert found.status_code == 200, (path, found.text)

        return ask

    def scan() -> None:
        connection.execute(SCAN, {"ward": WARD})
        connection.rollback()

    return {
        "scan of the ward's states": scan,
        "/board, anybody": page("/board", None),
        "/board, staff": page("/board", browser),
        "/indicators, anybody": told("/indicators", False),
        "/indicators, staff": told("/indicators", True),
        "heat map's items, anybody": told("/ogc/collections/payment_adoption/items?limit=1000", False),
        "heat map's items, staff": told("/ogc/collections/payment_adoption/items?limit=1000", True),
    }


def _tiles(client: TestClient, token: str) -> dict[str, Callable[[], object]]:
    """Tiles over the middle of the ward, of the heat map and of establishments in turn."""
    import math

    lon, lat = MIDDLE[WARD]
    found: dict[str, Callable[[], object]] = {}
    for z in ZOOMS:
        side = WORLD_M / 2**z
        x, y = lon / 360 * WORLD_M, math.asinh(math.tan(math.radians(lat))) / math.pi * WORLD_M / 2
        col, row = int((x + WORLD_M / 2) / side), int((WORLD_M / 2 - y) / side)
        for collection in ("establishments", "payment_adoption"):
            for who, headers in (("anybody", {}), ("staff", {"Authorization": f"Bearer {token}"})):
                path = f"/ogc/collections/{collection}/tiles/WebMercatorQuad/{z}/{row}/{col}"

                def ask(path: str = path, headers: dict[str, str] = headers) -> None:
                    answer = client.get(path, headers=headers)
                    assert answer.status_code in (200, 204), (path, answer.text)

                found[f"tile z{z} {collection}, {who}"] = ask
    return found


def report(bed: str, taken: dict[str, tuple[float, float]], longest: int | None) -> None:
    """Prints the medians, their ratios to the scan, and heat tiles beside establishments tiles."""
    scan = taken["scan of the ward's states"]
    goal = f"; the board within {longest} ms" if longest else ""
    print(f"\n{f'{bed} places{goal}':56}{'clock':>8}{'scans':>7}{'processors':>12}{'scans':>7}")
    for name, (clock, cost) in taken.items():
        beside = ""
        if "tile" in name and "payment_adoption" in name:
            other = taken[name.replace("payment_adoption", "establishments")]
            beside = f"   {clock / other[0]:.2f} and {cost / other[1]:.2f} times establishments"
        print(f"  {name:54}{clock:8.1f}{clock / scan[0]:7.2f}{cost:12.1f}{cost / scan[1]:7.2f}{beside}")


if __name__ == "__main__":
    raise SystemExit(main())
