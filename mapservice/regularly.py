"""A thread that does something every so often, and goes on whatever happens to it."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger("mapservice.regularly")


class Regularly:
    """Works from `start` to `stop`."""

    def __init__(self, name: str, work: Callable[[], None], first_after_s: float, every_s: float) -> None:
        """`first_after_s`: a start has better things to do."""
        self._name, self._work, self._first_after_s, self._every_s = name, work, first_after_s, every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Ends, and waits for that."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        wait = self._first_after_s
        while not self._stopping.wait(wait):
            wait = self._every_s
            try:
                self._work()
            except Exception as error:  # whatever it was: what was not done now is the next time
                log.warning("not done; it is tried again", extra={"work": self._name, "error": type(error).__name__})
