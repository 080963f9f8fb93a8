"""A thread that forgets what is past keeping: look-ups by day, and what citizens reported.

Each process does so. What it forgets is forgotten whoever does it, and by the database's clock.
"""

import logging
import threading

from postgis.engine import Database
from postgis.store import lookup_days, reports

log = logging.getLogger("mapservice.forgetting")

FIRST_AFTER_S = 60.0
"""After a start, which has better things to do."""
EVERY_S = 6 * 3600.0


class Forgetting:
    """Works from `start` to `stop`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="forgetting", daemon=True)

    def start(self) -> None:
        """Begins in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Ends, and waits for that."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        wait = FIRST_AFTER_S
        while not self._stopping.wait(wait):
            wait = EVERY_S
            try:
                forget(self._database)
            except Exception as error:  # whatever it was: what was not forgotten now is the next time
                log.warning("what is past keeping was not forgotten", extra={"error": type(error).__name__})


def forget(database: Database) -> None:
    """Forgets once. Raises DBAPIError while the database is away, OSError for a photo that cannot be removed."""
    with database.staff.begin() as connection:
        lookup_days.forget_old(connection)
    with database.staff.begin() as connection:
        reports.forget_old(connection, database.settings.data_dir)
