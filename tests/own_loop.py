"""Coroutines run to their end, also where a browser of another test keeps a loop running in this thread."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """What `work` answers, from a thread of its own: Playwright's session holds the loop of the one it was begun in,
    and which tests share a worker with it is a matter of chance."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
