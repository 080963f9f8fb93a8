"""How fast a batch is applied, with full history, beside a bare COPY of the same rows in the same run.

`python -m tests.benchmarks.import_apply [ROWS [inspection|owner]]`. Two mixes: a place with an inspection (as the open
inspection data has), and a place with its owner, two personal values, a licence and a payment method (as a ward's own
list has).
"""

import contextlib
import json
import os
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from postgis.actor import Actor, write_as
from postgis.bulk import copy_rows
from postgis.engine import Database, create_database, open_database
from postgis.migrate import upgrade
from postgis.settings import DatabaseSettings
from postgis.store import records
from postgis.store.changes import verify
from postgis.store.imports_apply import apply
from postgis.store.imports_undo import undo
from tests.import_batches import (
    SECRETS,
    add_batch,
    ask_undo,
    inspection,
    licence,
    new_entity,
    new_place,
    point,
    record,
    row,
)
from tests.small_ward import WARD, add_staff, fill

ROWS = 50_200


def main() -> int:
    """Measures and prints; 0 when the history is whole afterwards."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with ExitStack() as stack:
        root = Path(f"/tmp/mapservice-bench-{os.getpid()}")
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.mkdir(mode=0o755)
        server = stack.enter_context(open_database(DatabaseSettings(data_dir=root, database_url=None)))
        for mix in sys.argv[2:] or ("inspection", "owner"):
            database = create_database(server, f"bench_{mix}")
            upgrade(database)
            print(json.dumps({mix: _measure(database, mix, rows)}, indent=2), flush=True)
            database.dispose()
    return 0


def _measure(database: Database, mix: str, rows: int) -> dict[str, Any]:
    actor = add_staff(database, "officer", "officer")
    ward = fill(database, actor, 1)
    wanted = [_row(mix, number) for number in range(rows)]
    code = add_batch(database, actor, wanted)
    bare = _copy(database, wanted, "CREATE TABLE public.{} ({})")
    # The register's own columns, checks and indexes, without its triggers and references.
    indexed = _copy(database, wanted, "CREATE TABLE public.{} (LIKE register.{} INCLUDING ALL)")
    taken, waits = _timed(database, actor, ward.places[0], code)
    with database.owner.connect() as connection:
        changes = connection.execute(text("SELECT count(*) FROM register.change")).scalar_one()
        assert verify(connection).whole
    ask_undo(database, actor, code)
    began = time.perf_counter()
    undo(database, actor, code)
    undone = time.perf_counter() - began
    whole = taken["matching"] + taken["writing"]
    return {
        "rows": rows, "changes": changes,
        "prepare_s": round(taken["matching"], 1), "locked_s": round(taken["writing"], 1),
        "rows_per_s": round(rows / whole), "rows_per_s_locked": round(rows / taken["writing"]),
        "copy_bare_s": round(bare, 2), "copy_indexed_s": round(indexed, 2),
        "ratio_to_bare": round(bare / whole, 3), "ratio_to_indexed": round(indexed / whole, 3),
        "ratio_locked_to_indexed": round(indexed / taken["writing"], 3),
        "edits_meanwhile": len(waits),
        "edit_median_s": round(statistics.median(waits), 3), "edit_longest_s": round(max(waits), 2),
        "undo_s": round(undone, 1),
    }  # fmt: skip


def _timed(database: Database, actor: Actor, place: str, code: str) -> tuple[dict[str, float], list[float]]:
    """Seconds that each step took, and how long each edit of an officer took meanwhile, one after another."""
    starts: dict[str, float] = {}
    waits: list[float] = []
    over = threading.Event()

    def progress(step: str, _done: int, _total: int | None) -> None:
        starts.setdefault(step, time.perf_counter())

    def edit() -> None:
        number = 0
        while not over.is_set():
            began, number = time.perf_counter(), number + 1
            # After PATIENCE_S it is told to try again: that is how long it waited.
            with contextlib.suppress(OperationalError), write_as(database, actor, reason="sửa tay") as connection:
                now = records.get(connection, "establishments", place)
                records.change(connection, "establishments", place, now.version, {"stall": str(number)})
            waits.append(time.perf_counter() - began)
            time.sleep(0.05)

    thread = threading.Thread(target=edit, daemon=True)
    thread.start()
    applied = apply(database, SECRETS, actor, code, progress=progress)
    assert set(applied.outcomes) == {"applied"}
    end = time.perf_counter()
    over.set()
    thread.join()
    return {"matching": starts["writing"] - starts["matching"], "writing": end - starts["writing"]}, waits


def _row(mix: str, number: int) -> dict[str, Any]:
    place = new_place(
        WARD, number, name=f"Quán Ăn Hương Biển {number}", address=f"{number} Nguyễn Văn Linh, tổ {number % 300}"
    )
    if mix == "inspection":
        return row([place, inspection()])
    pay = record(
        "payment_acceptances", method="vietqr", accepted=True, evidence_level="declared", checked_on="2026-01-02"
    )
    personal = {"owner_name": f"Nguyễn Thị Thử {number}", "owner_phone": f"09{number:08d}"}
    return row([new_entity(number), place, licence(number=f"41A8{number:06d}"), pay], personal=personal)


_TABLES = {
    "legal_entities": "legal_entity", "establishments": "establishment", "inspections": "inspection",
    "licences": "licence", "payment_acceptances": "payment_acceptance",
}  # fmt: skip


def _copy(database: Database, wanted: Sequence[Mapping[str, Any]], making: str) -> float:
    """Seconds to COPY the rows' records into empty tables."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for number, each in enumerate(wanted):
        for wish in each["wishes"]["new"]:
            values = {**wish["values"]}
            if wish["collection"] == "establishments":
                lon, lat = point(WARD, number)["coordinates"]
                values |= {
                    "geom": f"SRID=4326;POINT({lon} {lat})",
                    "code": f"X{number}",
                    "ward_id": 1,
                    "sector_group": "other",
                }
                del values["geometry"]
            elif wish["collection"] == "legal_entities":
                values |= {"code": f"L{number}", "ward_id": 1}
            else:
                values["establishment_id"] = number
            tables.setdefault(wish["collection"], []).append(values)
    taken = 0.0
    with database.owner.connect() as connection:
        connection.execute(text("SET client_min_messages = warning"))
        for collection, rows in tables.items():
            name, table = f"bench_{collection}", _TABLES[collection]
            columns = list(rows[0])
            if "LIKE" in making:
                connection.execute(text(making.format(name, table)))
            else:
                found = connection.execute(
                    text("SELECT attname, format_type(atttypid, atttypmod) AS kind FROM pg_attribute WHERE attnum > 0 "
                         "AND attrelid = CAST(:t AS regclass)"), {"t": f"register.{table}"},
                )  # fmt: skip
                kinds = {row.attname: row.kind for row in found}
                listed = ", ".join(f"{column} {kinds[column]}" for column in columns)
                connection.execute(text(making.format(name, listed)))
            began = time.perf_counter()
            copy_rows(connection, f"public.{name}", columns, rows)
            taken += time.perf_counter() - began
        connection.rollback()
    return taken


if __name__ == "__main__":
    raise SystemExit(main())
