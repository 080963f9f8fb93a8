"""A thread that keeps the copies of places right: all of them after a start, a new day or a restored backup, then what
each change touches, as soon as the database tells of it.

Of all processes on one data directory one does this, whichever holds the lock.
"""

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from layers.lookup import find_establishments, known_code, known_codes
from layers.stickers import stickers_of
from mapservice.place_answers import relations
from mapservice.place_copies import MOST, Copy, PlaceCopies, now
from postgis.engine import Database
from postgis.notices import Head, Notices, listening

log = logging.getLogger("mapservice.copying")

BEAT_S = 10.0
AGAIN_S = 5.0
"""Between attempts, while the database is away or another process does the work."""
CONFIRM_EVERY = timedelta(seconds=30)
MOST_CHANGES = 2_000
"""Changes at once whose places are looked for; after more, as of an import, every copy is made again."""
_BATCH = 100
_REST_S = 0.05
"""After each batch: those who ask go first."""


class Copying:
    """Works from `start` to `stop`."""

    def __init__(self, database: Database, copies: PlaceCopies) -> None:
        self._database, self._copies = database, copies
        self._stopping = threading.Event()
        self._woken, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._run, name="copying", daemon=True)

    def start(self) -> None:
        """Begins in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Ends, and waits for that."""
        self._stopping.set()
        os.write(self._waker, b"x")
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._alone() as alone:
                    if alone:
                        with listening(self._database) as notices:
                            self._follow(notices)
            except Exception as error:  # whatever it was: without this thread copies grow old
                log.info("copies of places are not kept up", extra={"error": type(error).__name__})
            self._stopping.wait(AGAIN_S)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        self._copies.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        with (self._copies.folder / "writer.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _follow(self, notices: Notices) -> None:
        """Until the connection is lost or we are stopped."""
        known: Head | None = None
        confirmed = None
        while not self._stopping.is_set():
            began = now()
            base, told = notices.told()
            head, follows = notices.head(known)
            if base or not follows or known is None or head.seq - known.seq > MOST_CHANGES:
                self._copy_all()
            else:
                touched = told + (notices.touched(known, head) if head.seq > known.seq else [])
                self._copy({touch.place for touch in touched if touch.place is not None})
            if self._stopping.is_set():
                return
            if confirmed is None or known != head or began - confirmed > CONFIRM_EVERY:
                self._copies.confirm(began)
                confirmed = began
            known = head
            notices.wait(BEAT_S, self._woken)

    def _copy_all(self) -> None:
        after, seen = "", list[str]()
        while not self._stopping.is_set() and len(seen) < MOST:
            with self._database.public.connect() as connection:
                rows = known_codes(connection, after, _BATCH)
                self._write(connection, rows)
            seen += [code for code, _, _ in rows]
            if len(rows) < _BATCH:
                self._copies.keep_only(seen)
                return
            after = rows[-1][0]
            time.sleep(_REST_S)

    def _copy(self, places: Iterable[str]) -> None:
        wanted = sorted(places)
        for first in range(0, len(wanted), _BATCH):
            with self._database.public.connect() as connection:
                some = wanted[first : first + _BATCH]
                self._write(connection, [(code, *known_code(connection, code)) for code in some])

    def _write(self, connection: Connection, rows: Sequence[tuple[str, str | None, str | None]]) -> None:
        # Before the query: what is committed from here on makes another copy.
        moment = now()
        wanted = [code for code, _, _ in rows]
        places = find_establishments(connection, wanted) if rows else {}
        stickers = stickers_of(connection, wanted) if rows else {}
        for code, state, successor in rows:
            found = places.get(code)
            if state is None:
                self._copies.remove(code)
            else:
                known = relations(connection, found, None) if found else {}
                self._copies.put(code, Copy(found, known, state, successor, moment, stickers.get(code, {})))
