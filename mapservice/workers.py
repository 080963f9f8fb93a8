"""Several worker processes, forked from one that has loaded the application, so that they share its memory.

uvicorn's own supervisor starts each from nothing: that costs the whole application's memory once more for each.
"""

import contextlib
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from uvicorn.config import STARTUP_FAILURE

logger = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds in which a worker must show that it lives. Few would be too few on a machine under load."""
_BEAT = 1.0
_PAUSE = 0.5
"""Before a worker takes another's place: one that ends at once shall not keep the machine busy."""


@dataclass(slots=True)
class _Worker:
    """A worker as its parent sees it; `beat` can be read while it lives, and comes to its end with it."""

    pid: int
    beat: int
    heard_at: float


class Workers:
    """So many processes that do `work`, which ends at SIGTERM; each is replaced when it ends or shows no life."""

    def __init__(self, number: int, work: Callable[[], None], grace: float) -> None:
        """`grace`: seconds in which `work` ends when it is told to."""
        self._number, self._work, self._grace = number, work, grace
        self._workers: list[_Worker] = []
        self._stopping = False
        self._told, self._tell = os.pipe()
        # Nobody writes here: its end tells the workers that this process is gone, `kill -9` included.
        self._lifeline, self._held = os.pipe()

    def stop(self) -> None:
        """Ends them all; `run` then returns. May be called in a signal handler."""
        if not self._stopping:
            self._stopping = True
            os.write(self._tell, b".")

    def run(self) -> int:
        """Until `stop`: 0. Or until one cannot even start, as the next could not: 1."""
        failed = False
        for _ in range(self._number):
            self._start()
        while not self._stopping:
            for worker in self._gone(_BEAT):
                if (status := self._status(worker)) == STARTUP_FAILURE:
                    failed = True
                    self.stop()
                if not self._stopping:
                    logger.warning("A worker ended; another takes its place.", extra={"status": status})
                    self._listen(_PAUSE)
                    self._start()
        self._end_all()
        return 1 if failed else 0

    def _start(self) -> None:
        beat, shown = os.pipe()
        os.set_blocking(shown, False)
        # What stands in a buffer would be written by both.
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._be_worker(shown)
        os.close(shown)
        self._workers.append(_Worker(pid, beat, time.monotonic()))

    def _be_worker(self, beat: int) -> NoReturn:
        """Nothing of what the parent has begun is ended here: no context is left, no `finally` of its reached."""
        status = 1
        try:
            os.close(self._held)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            threading.Thread(target=self._show_life, args=(beat,), name="show-life", daemon=True).start()
            self._work()
            status = 0
        except SystemExit as exit_:
            status = exit_.code if isinstance(exit_.code, int) else 1
        except BaseException as error:
            logger.error("A worker could not go on.", extra={"error": type(error).__name__})
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _show_life(self, beat: int) -> None:
        """In the worker. Without this, workers of a service killed with `kill -9` would keep the port for ever."""
        while not select.select([self._lifeline], [], [], _BEAT)[0]:
            with contextlib.suppress(OSError):
                os.write(beat, b".")
        os.kill(os.getpid(), signal.SIGTERM)

    def _listen(self, seconds: float) -> set[int]:
        """Takes the workers' beats, for so long or until `stop`; the pipes that came to their end."""
        pipes = {worker.beat: worker for worker in self._workers}
        ended = set()
        for descriptor in select.select([self._told, *pipes], [], [], seconds)[0]:
            if descriptor == self._told:
                continue
            if os.read(descriptor, 4096):
                pipes[descriptor].heard_at = time.monotonic()
            else:
                ended.add(descriptor)
        return ended

    def _gone(self, seconds: float) -> list[_Worker]:
        """The workers that have ended within that time, and those that had to be ended."""
        ended = self._listen(seconds)
        quiet_since = time.monotonic() - PATIENCE
        gone = [worker for worker in self._workers if worker.beat in ended or worker.heard_at < quiet_since]
        for worker in gone:
            if worker.beat not in ended:
                os.kill(worker.pid, signal.SIGKILL)
        return gone

    def _status(self, worker: _Worker) -> int:
        """The exit code of a worker that is ending; negative: the signal that ended it."""
        status = os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1])
        os.close(worker.beat)
        self._workers.remove(worker)
        return status

    def _end_all(self) -> None:
        for worker in self._workers:
            os.kill(worker.pid, signal.SIGTERM)
        until = time.monotonic() + self._grace + _BEAT
        while self._workers and (left := until - time.monotonic()) > 0:
            beats = {worker.beat: worker for worker in self._workers}
            for beat in select.select(beats, [], [], left)[0]:
                if not os.read(beat, 4096):
                    self._status(beats[beat])
        for worker in self._workers[:]:
            os.kill(worker.pid, signal.SIGKILL)
            self._status(worker)
