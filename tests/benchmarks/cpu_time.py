"""What a call costs in time of processors, ours and the database's: steadier than a clock on a machine with others."""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import text

from postgis.engine import Database


def backends(database: Database) -> Sequence[int]:
    """The processes that serve the connections to a database on this machine."""
    with database.administrator() as connection:
        asked = "SELECT pid FROM pg_stat_activity WHERE datname = :name AND backend_type = 'client backend'"
        found = connection.execute(text(f"{asked} AND pid <> pg_backend_pid()"), {"name": database.name})
        return list(found.scalars())


def timed(processes: Sequence[int], call: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds that a call takes, by the clock and of processors."""
    before, began = spent_ms(processes), time.perf_counter()
    call()
    took = time.perf_counter() - began
    return took * 1000, spent_ms(processes) - before


def spent_ms(processes: Sequence[int]) -> float:
    """Milliseconds of processor time that this process and those have used since they began.

    Exact for those that wait, as a connection does between two calls; one that has ended counts no more.
    """
    spent = time.process_time() * 1000
    for process in processes:
        with contextlib.suppress(FileNotFoundError):
            spent += int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e6
    return spent
