"""Threads that work for the event loop. What several have done meanwhile, it is told of together.

An executor of the standard library takes two futures, a lock and a callback for each piece of work, which is as long as
a small answer takes to make.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

Made = TypeVar("Made")
_Job = tuple["asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


class Workers:
    """So many threads, started with the first work; used from one event loop."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads, self._name = threads, name
        self._started = 0
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._told = False
        """Whether the loop has been told of what is done, and has not yet looked."""

    def run(self, work: Callable[..., Made], *arguments: Any) -> "asyncio.Future[Made]":
        """Does the work in a thread, in its turn."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Made] = loop.create_future()
        if self._started < self._threads:
            self._started += 1
            name = f"{self._name}-{self._started}"
            threading.Thread(target=self._work, args=(loop,), name=name, daemon=True).start()
        self._jobs.put((future, work, arguments))
        return future

    def stop(self) -> None:
        """Ends the threads after what is under way."""
        for _ in range(self._started):
            self._jobs.put(None)
        self._started = 0

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not None:
            future, work, arguments = job
            made, error = None, None
            try:
                made = work(*arguments)
            except BaseException as raised:  # whatever it was is told to whoever waits
                error = raised
            self._done.append((future, made, error))
            del job, future, work, arguments, made, error  # nothing is held while there is nothing to do
            if not self._told:
                self._told = True
                with suppress(RuntimeError):  # the loop has ended: nobody waits
                    loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._told = False  # first: what is done from here on tells anew
        while self._done:
            future, made, error = self._done.popleft()
            if future.done():
                continue  # given up by who waited
            if error is None:
                future.set_result(made)
            else:
                future.set_exception(error)
