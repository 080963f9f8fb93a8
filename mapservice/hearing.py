"""A thread that hears from the database what was committed, and says so on the event loop.

The last word of the database is asked for twice a second, whatever was told. Only when that word has come, and what it
touches is forgotten, are kept answers good for another second: a lost notice, connection or server shows within that.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable

from layers.answer_cache import Touched
from layers.touched import touched_by
from postgis.engine import Database
from postgis.notices import Head, Notices, Touch, listening
from postgis.today import today

log = logging.getLogger("mapservice.hearing")

BEAT_S = 0.4
AGAIN_S = 0.2
"""Between attempts to reach a database that is away."""
MOST_CHANGES = 2_000
"""Changes at once that are looked at one by one; of more, as of an import, everything is forgotten."""

Heard = Callable[[Touched | None, float], None]
"""Told what was touched (None: everything) and since when on the monotonic clock nothing newer is known of."""


class Hearing:
    """Listens from `start` to `stop`; calls `heard` on the event loop."""

    def __init__(self, database: Database, loop: asyncio.AbstractEventLoop, heard: Heard) -> None:
        self._database, self._loop, self._heard = database, loop, heard
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="hearing", daemon=True)

    def start(self) -> None:
        """Begins to listen."""
        self._thread.start()

    def wake(self) -> None:
        """Asks for the database's word at once."""
        os.write(self._waker, b"x")

    def stop(self) -> None:
        """Ends listening, and waits for that."""
        self._stopped = True
        self.wake()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        away = False
        while not self._stopped:
            try:
                with listening(self._database) as notices:
                    away = False
                    self._listen(notices)
            except Exception as error:  # this thread may never end: without it nothing is kept
                if not away and not self._stopped:
                    log.warning("not hearing from the database", extra={"error": type(error).__name__})
                away = True
                time.sleep(AGAIN_S)

    def _listen(self, notices: Notices) -> None:
        """Until the connection is lost or we are stopped. What is known begins afresh with each connection."""
        known: Head | None = None
        day = today()
        base, more = False, list[Touch]()
        while not self._stopped:
            asked_at = time.monotonic()
            head, follows = notices.head(known)
            # Pages tell how long ago by our clock, statuses go by the database's: either may pass midnight first.
            day, day_before = today(), day
            if base or day != day_before or not follows or known is None or head.seq - known.seq > MOST_CHANGES:
                touched = None
            else:
                touched = touched_by(more + (notices.touched(known, head) if head.seq > known.seq else []))
            known = head
            self._loop.call_soon_threadsafe(self._heard, touched, asked_at)
            notices.wait(BEAT_S, self._woken)
            with contextlib.suppress(BlockingIOError):
                os.read(self._woken, 4096)
            base, more = notices.told()
