"""Read replicas: which of them may answer now. Each is asked all the time how far it has come, by a thread of its own.

PostgreSQL copies by itself (streaming replication); here is only the choice. A replica that lags, is dead or does not
answer is left out within a second, since its leave to answer ends by itself unless it is renewed. Whoever has written
is answered only by replicas that hold their write.
"""

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

logger = logging.getLogger(__name__)

_EVERY = 0.2
_LAG = 0.5
"""Seconds that a replica may be behind. With the time between two looks, an edit is everywhere within a second."""
_LEAVE = 0.8
"""Seconds that one good answer of a replica counts."""

_WRITTEN = text("SELECT pg_current_wal_insert_lsn()")
_REPLAYED = text("SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()")


def position_number(position: str) -> int:
    """A position of the write-ahead log, such as 16/B374D848, as a number that grows. Raises ValueError."""
    high, _, low = position.partition("/")
    if not (0 < len(high) <= 8 and 0 < len(low) <= 8):
        raise ValueError(position)
    return int(high, 16) << 32 | int(low, 16)


def written_position(since: str | None) -> int:
    """As a number; what no server of ours has written is nobody's, so the primary answers."""
    if since is None:
        return 0
    try:
        return position_number(since)
    except ValueError:
        return 2**64


class Replica:
    """One replica: where it answers, how far it has come, and until when it may answer."""

    def __init__(self, engine: Engine, watcher: Engine) -> None:
        self.engine, self.watcher = engine, watcher
        self.replayed = 0
        self.until = 0.0

    def may_answer(self, since: int) -> bool:
        """Whether it is fresh, and holds what was written at that position."""
        return time.monotonic() < self.until and self.replayed >= since


class Replicas:
    """The replicas of one primary."""

    def __init__(self, primary: Engine, replicas: Sequence[Replica]) -> None:
        """`primary`: a connection of its own, for looking how far the primary has come."""
        self.primary, self.replicas = primary, replicas
        self._turn = itertools.count()
        self._written: deque[tuple[float, int]] = deque([(0.0, 0)], maxlen=32)
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(look,), name="replicas", daemon=True)
            for look in (self._look_at_primary, *(self._look_at(replica) for replica in replicas))
        ]
        for thread in self._threads:
            thread.start()

    def choose(self, since: int = 0) -> Replica | None:
        """The next replica in turn that may answer whoever wrote at that position; None: the primary has to."""
        able = [replica for replica in self.replicas if replica.may_answer(since)]
        return able[next(self._turn) % len(able)] if able else None

    def leave_out(self, replica: Replica) -> None:
        """Lets it answer nobody until it is found well again."""
        replica.until = 0.0

    def stop(self) -> None:
        """Ends the threads; what they use is the caller's to dispose of."""
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=2)

    def _watch(self, look: Callable[[], None]) -> None:
        well = True
        while not self._over.is_set():
            try:
                look()
                well = True
            except SQLAlchemyError as error:
                if well:
                    # The error's words hold an address; its kind is enough.
                    logger.warning("a database server cannot be reached", extra={"kind": type(error).__name__})
                well = False
            self._over.wait(_EVERY)

    def _look_at_primary(self) -> None:
        began = time.monotonic()
        with self.primary.connect() as connection:
            self._written.append((began, position_number(connection.execute(_WRITTEN).scalar_one())))

    def _look_at(self, replica: Replica) -> Callable[[], None]:
        def look() -> None:
            began = time.monotonic()
            try:
                with replica.watcher.connect() as connection:
                    in_recovery, replayed = connection.execute(_REPLAYED).one()
            except SQLAlchemyError:
                replica.until = 0.0
                raise
            replica.replayed = position_number(replayed) if in_recovery and replayed else 0
            # All that was written before this moment less the lag has to be there. One that recovers no more is a
            # server of its own, whatever it says.
            needed = max((number for at, number in self._written if at <= began - _LAG), default=None)
            known = len(self._written) > 1 and needed is not None
            if in_recovery and replayed and known and replica.replayed >= (needed or 0):
                replica.until = began + _LEAVE
            else:
                replica.until = 0.0

        return look
