"""Several pytest workers on one machine: whole files for each, and the machine alone for what it would disturb."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
"""Name of this worker, empty when there is one process only."""

# Files that are there anyway: a lock on them needs no cleaning up, and two runs from one checkout share them rightly.
_ROOM = Path(__file__)
_DOOR = Path(__file__).with_name("conftest.py")


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a file to one worker whole, since its fixtures serve that file; the browser's files all to the same."""

    def _split_scope(self, nodeid: str) -> str:
        folder, _, name = nodeid.partition("::")[0].rpartition("/")
        return folder if folder.endswith("browser") else f"{folder}/{name}"


class Room:
    """Shared by the tests that run at the same time, had alone by those marked `alone`.

    Whoever wants it alone waits in the door, so that nobody else comes in meanwhile, and keeps it for as long as tests
    of the same file go on wanting it.
    """

    def __init__(self) -> None:
        self._room = os.open(_ROOM, os.O_RDONLY)
        self._door = os.open(_DOOR, os.O_RDONLY)
        self._alone = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
        """Enters before a test and its fixtures, leaves after them."""
        if not self._alone:
            self._enter(_wants_alone(item))
        try:
            return (yield)
        finally:
            stays = self._alone and nextitem is not None and nextitem.path == item.path and _wants_alone(nextitem)
            if not stays:
                self._leave()

    def _enter(self, alone: bool) -> None:
        fcntl.flock(self._door, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        finally:
            fcntl.flock(self._door, fcntl.LOCK_UN)
        self._alone = alone

    def _leave(self) -> None:
        fcntl.flock(self._room, fcntl.LOCK_UN)
        self._alone = False


def _wants_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None
