"""Statistics of use without tracking: how often each look-up page is answered, added up in memory, written by day.

Only the place's code is looked at: no address of the reader, no cookie, no time of day. What a process has counted
since the last time is lost when it is killed: half a minute at most, as long as the database is there.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from itertools import islice

from starlette.types import Message, Scope, Send

from postgis.engine import Database
from postgis.store import lookup_days
from postgis.today import today

log = logging.getLogger("mapservice.lookup_counts")

EVERY_S = 30.0
AT_ONCE = 500
"""Places in one transaction."""
MOST = 50_000
"""Places that are remembered while the database is away; of more, those looked up first are counted."""

_PREFIX = "/q/"
_ANSWERED = (200, 304)
"""A page that stands behind a code; what helps those who mistyped is no look-up of a place."""


class LookupCounts:
    """What one process has counted. All but the writing happens on the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted: dict[str, int] = {}
        self._day = today()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writes every half a minute for as long as the context lasts, and once more at its end."""
        writing = asyncio.get_running_loop().create_task(self._run())
        try:
            yield
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
            await self.write()

    def note(self, scope: Scope, status: int) -> None:
        """Counts an answer, if it is the page of a place to somebody who asked for it."""
        path: str = scope["path"]
        if status not in _ANSWERED or not path.startswith(_PREFIX) or scope["method"] != "GET":
            return
        code = path[len(_PREFIX) :]
        # Its data, its QR and what is below it are not its page; other spellings are led to it first.
        if code.isalnum() and (code in self._counted or len(self._counted) < MOST):
            self._counted[code] = self._counted.get(code, 0) + 1

    def watching(self, scope: Scope, send: Send) -> Send:
        """`send`, which counts what is answered where that may be a look-up."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            return send

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.note(scope, message["status"])
            await send(message)

        return watch

    async def write(self) -> None:
        """Writes what was counted; what cannot be written now is kept for the next time.

        A day's last half minute may be counted with the day before or after it.
        """
        counted, self._counted = self._counted, {}
        day, self._day = self._day, today()
        while counted:
            batch = dict(islice(counted.items(), AT_ONCE))
            try:
                await asyncio.to_thread(self._add, day, batch)
            except Exception as error:  # the database is away: nobody waits for this
                log.info("look-ups were not written", extra={"error": type(error).__name__})
                break
            for code in batch:
                del counted[code]
        for code, number in counted.items():
            self._counted[code] = self._counted.get(code, 0) + number

    def _add(self, day: date, counted: dict[str, int]) -> None:
        with self._database.staff.begin() as connection:
            lookup_days.add(connection, day, counted)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.write()
