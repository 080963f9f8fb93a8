"""How the C library keeps the memory of this process: what answers were made in goes back to the system."""

import contextlib
import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # malloc.h
_LARGE = 128 * 1024
"""Bytes: glibc's own threshold at first, which otherwise grows with each large answer, to 32 MB."""


def keep_small() -> None:
    """Before any thread is started. Other C libraries than glibc have no such wishes.

    Without it a worker with full caches takes a tenth more: pieces of large answers stay between the small ones.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        # One arena: threads wait for each other's Python far more than for this.
        for option, value in (_ARENA_MAX, 1), (_TRIM_THRESHOLD, _LARGE), (_MMAP_THRESHOLD, _LARGE):
            mallopt(option, value)
