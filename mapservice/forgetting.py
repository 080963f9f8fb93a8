"""Forgets what is past keeping: look-ups by day, and what citizens reported.

Each process does so. What it forgets is forgotten whoever does it, and by the database's clock.
"""

from functools import partial

from mapservice.regularly import Regularly
from postgis.engine import Database
from postgis.store import lookup_days, reports

FIRST_AFTER_S = 60.0
EVERY_S = 6 * 3600.0


def forgetting(database: Database) -> Regularly:
    """The thread that forgets."""
    return Regularly("forgetting", partial(forget, database), FIRST_AFTER_S, EVERY_S)


def forget(database: Database) -> None:
    """Forgets once. Raises DBAPIError while the database is away, OSError for a photo that cannot be removed."""
    with database.staff.begin() as connection:
        lookup_days.forget_old(connection)
    with database.staff.begin() as connection:
        reports.forget_old(connection, database.settings.data_dir)
