"""Keeps the counts of months that are over, so that no view of the board counts them.

Each process tries, and one at a time does it. Until it is done views count for themselves.
"""

from functools import partial

from mapservice.regularly import Regularly
from postgis.engine import Database
from postgis.store import month_ends

FIRST_AFTER_S = 2.0
EVERY_S = 300.0


def keeping_month_ends(database: Database) -> Regularly:
    """The thread that counts."""
    return Regularly("month-ends", partial(keep_month_ends, database), FIRST_AFTER_S, EVERY_S)


def keep_month_ends(database: Database) -> None:
    """Counts what is missing of all wards. Raises DBAPIError while the database is away."""
    kept: str | None = ""
    # A transaction for each ward: one of many wards would hold its lock for long.
    while kept is not None:
        with database.staff.begin() as connection:
            kept = month_ends.keep(connection)
