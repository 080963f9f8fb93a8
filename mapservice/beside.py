"""The processes beside the web server: one makes the database ready, others each do the job of an import, and end.

Whatever they load leaves with them: nothing here imports what they need.
"""

import os
import subprocess
import sys
import threading
from typing import IO

NOBODY = 3
"""Exit code of the preparation: all is ready, and nobody has an account yet."""


def run_preparation() -> int:
    """`python -m mapservice.preparation`, with our settings from the environment; its exit code."""
    process = _start("mapservice.preparation")
    try:
        return process.wait()
    finally:
        # Told to stop: what it has begun is undone, and the database is ours alone again.
        end(process, 0.0)


def start_job(code: str) -> "subprocess.Popen[bytes]":
    """`python -m mapservice.import_jobs`, for the job of one batch."""
    return _start("mapservice.import_jobs", code)


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
