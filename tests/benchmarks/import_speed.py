"""How fast long lists are read and planned beside a bare COPY of the same rows, and in how much memory.

    .venv/bin/python -m tests.benchmarks.import_speed

Each list is planned in a process of its own against the demo register, so that its peak memory is its own; the COPY of
the same cells into a table of text columns is measured right before and after.
"""

import csv
import io
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ingest.identity import Identities
from ingest.plan import plan_rows
from ingest.plan_summary import PlanSummary
from ingest.row_places import Locator
from ingest.workbook import raw_text
from ingest.workbook_reader import read
from layers.gazetteer import surroundings
from layers.register_places import register_of
from mapservice.geocoding import gazetteer
from postgis.engine import Database, open_database
from postgis.secrets import open_secrets
from postgis.settings import DatabaseSettings
from tests.benchmarks.import_lists import WARD, fhrs, made_up
from tests.conftest import start_service, stop_service

MADE_UP_ROWS = 200_000
MEGABYTE = 1024


def measure(database: Database, settings: DatabaseSettings, folder: Path) -> list[dict[str, Any]]:
    """For each list: rows, rows a second for COPY and for read → plan, their ratio, the peak memory of the plan."""
    lists = {"FHRS": fhrs(folder), f"{MADE_UP_ROWS:,} rows": made_up(folder, MADE_UP_ROWS)}
    found = []
    for name, path in lists.items():
        if path is None:
            print(f"{name}: ../shared/data does not lie here, left out")
            continue
        copies = [_copy(database, path)]
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            row: dict[str, Any] = {"list": name, **pool.apply(plan_alone, (settings, path))}
        copies.append(_copy(database, path))
        row["copy_rows_s"] = statistics.median(copies)
        row["plan_to_copy"] = row["plan_rows_s"] / row["copy_rows_s"]
        # What applying the same list takes belongs here too: row["apply_rows_s"], row["apply_to_copy"].
        found.append(row)
    return found


def plan_alone(settings: DatabaseSettings, path: Path) -> dict[str, Any]:
    """Read and plan a list as `mapservice ingest` does: rows a second, and this process's peak memory."""
    summary = PlanSummary()
    with open_database(settings) as database, database.owner.connect() as connection:
        around = surroundings(connection, WARD)
        assert around is not None
        locator = Locator(gazetteer(around))
        began, began_cpu = time.perf_counter(), time.process_time()
        rows = plan_rows(
            read(path, path.name), locator, register_of(connection, WARD),
            Identities(open_secrets(settings.data_dir)), summary=summary,
        )  # fmt: skip
        count = sum(1 for _ in rows)
        seconds, busy = time.perf_counter() - began, time.process_time() - began_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
    counts = {str(verdict): number for verdict, number in summary.counts.items()}
    # On a machine with other work the time on the processor says more than the clock.
    return {
        "rows": count, "plan_s": seconds, "plan_rows_s": count / seconds, "plan_rows_cpu_s": count / busy,
        "peak_mb": peak, **counts,
    }  # fmt: skip


def _copy(database: Database, path: Path) -> float:
    """Rows a second for a bare COPY of the same cells, as text."""
    rows = [
        ["" if value is None else raw_text(value) for value in row.values]
        for sheet in read(path, path.name).sheets
        for row in sheet.rows()
    ]
    width = max(map(len, rows))
    text = io.StringIO()
    csv.writer(text).writerows([*row, *[""] * (width - len(row))] for row in rows)
    text.seek(0)
    columns = ", ".join(f"c{number} text" for number in range(width))
    connection = database.owner.raw_connection()
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE bare_copy ({columns})")
            began = time.perf_counter()
            cursor.copy_expert("COPY bare_copy FROM STDIN WITH (FORMAT csv)", text)  # type: ignore[attr-defined]
            seconds = time.perf_counter() - began
    finally:
        connection.rollback()
        connection.close()
    return len(rows) / seconds


def report(rows: list[dict[str, Any]]) -> None:
    """The same for people."""
    print(f"\n{'list':16}{'rows':>9}{'COPY/s':>10}{'plan/s':>9}{'CPU/s':>9}{'plan/COPY':>11}{'peak MB':>9}")
    for row in rows:
        print(
            f"{row['list']:16}{row['rows']:9,}{row['copy_rows_s']:10,.0f}{row['plan_rows_s']:9,.0f}{row['plan_rows_cpu_s']:9,.0f}"
            f"{row['plan_to_copy']:11.3f}{row['peak_mb']:9,.0f}"
        )


def main() -> int:
    """Measures with a register of its own; 0 when everything was measured."""
    with ExitStack() as stack:
        root = Path(f"/tmp/mapservice-bench-import-{os.getpid()}")
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.mkdir(mode=0o755)
        service = start_service(root / "data", MAPSERVICE_SAMPLE="demo")
        stack.callback(stop_service, service)
        settings = DatabaseSettings(data_dir=root / "data", database_url=None)
        database = stack.enter_context(open_database(settings))
        rows = measure(database, settings, root)
    report(rows)
    print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
