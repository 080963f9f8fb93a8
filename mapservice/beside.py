"""The processes beside the web server: one makes the database ready and ends, the other works off imports.

Whatever they load leaves with them, or is theirs: nothing here imports what they need.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

logger = logging.getLogger(__name__)

NOBODY = 3
"""Exit code of the preparation: all is ready, and nobody has an account yet."""
AWAY = 4
"""Exit code of the preparation: the database server does not answer."""


def run_preparation(patience: float | None = None) -> int:
    """`python -m mapservice.preparation`, with our settings from the environment; its exit code."""
    process = _start("mapservice.preparation", *([] if patience is None else [str(patience)]))
    try:
        return process.wait()
    finally:
        # Told to stop: what it has begun is undone, and the database is ours alone again.
        end(process, 0.0)


class LatePreparation(threading.Thread):
    """Prepares a database that was away when the service started, as soon as it is back, and then calls `ready`."""

    def __init__(self, ready: Callable[[], None], pause: float = 5.0) -> None:
        super().__init__(name="late-preparation", daemon=True)
        self._ready, self._pause = ready, pause
        self._stopping = threading.Event()

    def run(self) -> None:
        """Try until it is done."""
        while not self._stopping.wait(self._pause):
            if run_preparation(0) in (0, NOBODY):
                logger.warning("The database is back.")
                if not self._stopping.is_set():
                    self._ready()
                return

    def stop(self) -> None:
        """Try no more. What is under way ends with this process."""
        self._stopping.set()


class JobProcess(threading.Thread):
    """Keeps the job process running while the service runs, trying more and more slowly while that fails."""

    def __init__(self, longest: float = 30.0) -> None:
        super().__init__(name="import-jobs", daemon=True)
        self._longest = longest
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Start it, and again whenever it ends."""
        pause = 0.5
        while not self._stopping.is_set():
            began = time.monotonic()
            process = self._process = start_jobs()
            status = process.wait()
            if self._stopping.is_set():
                break
            pause = 0.5 if time.monotonic() - began > 60 else min(2 * pause, self._longest)
            logger.warning("The import process ended; starting it again.", extra={"status": status})
            self._stopping.wait(pause)

    def stop(self, patience: float = 10.0) -> None:
        """End it, and wait until it has ended."""
        self._stopping.set()
        process = self._process
        if process is not None:
            end(process, patience)
        if self.is_alive():
            self.join(patience)


def start_jobs(*arguments: str) -> "subprocess.Popen[bytes]":
    """`python -m mapservice.import_jobs`."""
    return _start("mapservice.import_jobs", *arguments)


def _start(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
    """The process, in a session of its own: Ctrl-C is for whoever holds its standard input."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, start_new_session=True)


def end(process: "subprocess.Popen[bytes]", patience: float) -> None:
    """End the process, by force when it has not ended after `patience` seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    held: IO[bytes] | None = process.stdin
    if held is not None:
        held.close()


def leave_with_parent(status: int) -> None:
    """From now on the process ends when whoever holds its standard input is gone, `kill -9` included."""

    def leave() -> None:
        until_end_of_input()
        os._exit(status)

    threading.Thread(target=leave, name="leave-with-parent", daemon=True).start()


def until_end_of_input() -> None:
    """Waits until nobody holds the other end of standard input."""
    while True:
        try:
            if not os.read(0, 64):
                return
        except OSError:
            return
