"""What the counted cells add to an edit: `python -m tests.benchmarks.upkeep [SIZES]`.

Edits as the service makes them (`postgis.store.records`, with rights, versions, history and a commit of their own), in
blocks, in turn with the cells' triggers and without, over the registers that `tests.benchmarks.growth` keeps. After
each comes the edit that undoes it, in the same block, so that the cells are right again after those without triggers.
"""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from sqlalchemy import text

from postgis.actor import Actor, write_as
from postgis.engine import Database, open_database
from postgis.settings import DatabaseSettings
from postgis.store import records
from tests.benchmarks.bed import folder
from tests.benchmarks.cpu_time import backends, timed
from tests.benchmarks.growth import made
from tests.benchmarks.growth_data import FIRST_WARD
from tests.small_ward import add_staff

BLOCKS, PAIRS = 10, 10
"""Blocks with and without; edits and their undoings in each, besides a few that are not timed."""
_WARM = 2
METRE = 1 / 111_320
_TRIGGERS = ("count_cells_added", "count_cells_changed", "count_cells_removed")
Values = Mapping[str, Any]
Edit = Callable[[Database, Actor, str, Sequence[int]], list[tuple[float, float]]]


def main() -> int:
    """Measures and prints; 0 when everything was measured."""
    sizes = [int(size) for size in (sys.argv[1] if len(sys.argv) > 1 else "20000,5000000").split(",")]
    taken: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        server = stack.enter_context(open_database(DatabaseSettings(data_dir=folder(), database_url=None)))
        for size in sizes:
            database = made(server, size)
            stack.callback(database.dispose)
            taken |= {f"{kind}, {size:,}": row for kind, row in measure(database).items()}
    report(taken)
    return 0


def measure(database: Database) -> dict[str, dict[str, float]]:
    """Median milliseconds of each kind of edit without and with the cells' upkeep: by the clock and of processors."""
    actor = add_staff(database, f"upkeep-{time.time_ns()}", "officer", FIRST_WARD)
    places = _places(database)
    found = {}
    try:
        for kind, edit in KINDS.items():
            times: dict[bool, list[float]] = {False: [], True: []}
            costs: dict[bool, list[float]] = {False: [], True: []}
            for number in range(2 * BLOCKS):
                # Off, on; on, off: what drifts hits both alike.
                on = number % 4 in (1, 2)
                _set(database, enabled=on)
                for _ in range(_WARM):
                    edit(database, actor, next(places), ())
                processes = backends(database)
                for _ in range(PAIRS):
                    for took, cost in edit(database, actor, next(places), processes):
                        times[on].append(took)
                        costs[on].append(cost)
            found[kind] = {"edits": len(times[True])} | _medians("", times) | _medians("cpu_", costs)
    finally:
        _set(database, enabled=True)
    return found


def _medians(name: str, taken: Mapping[bool, list[float]]) -> dict[str, float]:
    off, on = statistics.median(taken[False]), statistics.median(taken[True])
    return {f"{name}without_ms": off, f"{name}with_ms": on, f"{name}times": on / off}


def _places(database: Database) -> Iterator[str]:
    with database.owner.connect() as connection:
        found = connection.execute(
            text("""
                SELECT e.code FROM register.establishment e JOIN register.ward w ON w.id = e.ward_id
                 WHERE w.code = :ward AND e.ended_at IS NULL AND ST_X(e.geom) BETWEEN 111.006 AND 111.020 ORDER BY e.id
            """),
            {"ward": FIRST_WARD},
        )
        codes = list(found.scalars())
    random.Random(5).shuffle(codes)
    return cycle(codes)


def _set(database: Database, *, enabled: bool) -> None:
    with database.owner.begin() as connection:
        for name in _TRIGGERS:
            connection.execute(
                text(f"ALTER TABLE register.establishment {'ENABLE' if enabled else 'DISABLE'} TRIGGER {name}")
            )


def _of_place(change: Callable[[Values], Values]) -> Edit:
    """An edit of the place itself, and its undoing."""

    def edit(database: Database, actor: Actor, code: str, processes: Sequence[int]) -> list[tuple[float, float]]:
        with write_as(database, actor, reason="đo") as writer:
            there = records.get(writer, "establishments", code).values
        wanted = change(there)

        def write(values: Values) -> None:
            with write_as(database, actor, reason="đo") as writer:
                version = records.get(writer, "establishments", code).version
                records.change(writer, "establishments", code, version, values)

        undone = {name: there[name] for name in wanted}
        return [timed(processes, partial(write, values)) for values in (wanted, undone)]

    return edit


def _moved(metres: float) -> Callable[[Values], Values]:
    def moved(there: Values) -> Values:
        east, north = there["geometry"]["coordinates"]
        # As exact as the register gives a position, so that the way back leads where the place was.
        return {"geometry": {"type": "Point", "coordinates": [round(east + metres * METRE, 7), north]}}

    return moved


def _cashless(database: Database, actor: Actor, code: str, processes: Sequence[int]) -> list[tuple[float, float]]:
    """A method of payment is added, and ended."""
    said = {"establishment": code, "method": "pos_card", "accepted": True, "evidence_level": "observed"}
    added: list[records.Record] = []

    def add() -> None:
        with write_as(database, actor, reason="đo") as writer:
            values = {**said, "source": "field_survey", "checked_on": "2026-11-01"}
            added.append(records.create(writer, "payment_acceptances", values, ward_id=actor.ward_id))

    def end() -> None:
        with write_as(database, actor, reason="đo") as writer:
            records.end(writer, "payment_acceptances", added[0].code, added[0].version, "đo")

    return [timed(processes, add), timed(processes, end)]


KINDS: Mapping[str, Edit] = {
    "another name": _of_place(lambda there: {"name": f"{there['name']} hai"}),
    "another sector": _of_place(
        lambda there: {"sector_group": "repair" if there["sector_group"] != "repair" else "grocery"}
    ),
    "cashless": _cashless,
    "moved by 5 m": _of_place(_moved(5)),
    "moved by 500 m": _of_place(_moved(500)),
}


def report(taken: Mapping[str, Mapping[str, float]]) -> None:
    """Prints a table and writes it as JSON."""
    print(f"{'':28}{'edits':>7}{'without ms':>12}{'with ms':>10}{'times':>8}{'CPU without':>13}{'with':>8}{'times':>8}")
    for name, row in taken.items():
        print(
            f"{name:28}{row['edits']:7}{row['without_ms']:12.2f}{row['with_ms']:10.2f}{row['times']:8.3f}"
            f"{row['cpu_without_ms']:13.2f}{row['cpu_with_ms']:8.2f}{row['cpu_times']:8.3f}"
        )
    results = Path("bench-results")
    results.mkdir(exist_ok=True)
    path = results / f"upkeep-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps(taken, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Written to {path}")


if __name__ == "__main__":
    raise SystemExit(main())
