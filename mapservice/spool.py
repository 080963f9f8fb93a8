"""Bytes that one thread writes and a slower reader takes: what is not yet read waits in a file without a name.

So a client on a slow line holds a file, not a database connection; memory stays flat, and the first bytes are on their
way before the last are made.
"""

import asyncio
import os
import tempfile
import threading
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

_PIECE = 256 * 1024
_FLUSH = 64 * 1024
GZIP_LEVEL = 5


class Dropped(Exception):
    """Nobody reads any longer, or too much was written."""


class Spool:
    """One writer, one reader. The writer ends with `end`, the reader with `drop`."""

    def __init__(self, directory: Path, most_bytes: int, *, compress: bool = False) -> None:
        """`directory` is where the file is made; `compress`: the reader gets gzip."""
        self._file = tempfile.TemporaryFile(prefix="export-", dir=directory)  # noqa: SIM115 - closed in _close
        self._gzip = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31) if compress else None
        self._most, self._held, self._written = most_bytes, bytearray(), 0
        self._lock, self._news = threading.Lock(), threading.Event()
        self._wake: Callable[[], object] | None = None
        self._ended = self._dropped = False
        self._error: BaseException | None = None

    def write(self, data: bytes) -> int:
        """Takes what is to be read. Raises Dropped when nobody will read it."""
        if self._dropped:
            raise Dropped
        self._held += data
        if len(self._held) >= _FLUSH or not self._written:
            self._flush()
        return len(data)

    def end(self, error: BaseException | None = None) -> None:
        """No more will come; with an `error`, what has come is not the whole."""
        try:
            if error is None and not self._dropped:
                self._flush(last=True)
        except (Dropped, OSError) as failed:
            # Too much, or no room on the disk: the reader must hear of it, or it waits for ever.
            error = failed
        self._error, self._ended = error, True
        self._tell()

    def wait_for_first(self) -> None:
        """Waits until there is something to read. Raises what the writer failed with before it had written anything."""
        self._news.wait()
        if self._error is not None and not self._written:
            self.drop()
            raise self._error

    async def pieces(self) -> AsyncIterator[bytes]:
        """What is written, as it comes. Raises the writer's error, so that nobody takes a part for the whole."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(news.set)
        read = 0
        try:
            while True:
                news.clear()
                ended = self._ended
                while read < self._written:
                    piece = os.pread(self._file.fileno(), min(_PIECE, self._written - read), read)
                    read += len(piece)
                    yield piece
                if ended:
                    break
                await news.wait()
            if self._error is not None:
                raise self._error
        finally:
            self.drop()

    def drop(self) -> None:
        """Nobody reads any longer: the writer is told at its next piece, and the file is gone."""
        with self._lock:
            self._dropped, self._wake = True, None
            self._file.close()

    def _flush(self, *, last: bool = False) -> None:
        data = bytes(self._held)
        self._held.clear()
        if self._gzip is not None:
            # The first bytes at once, the rest as well packed as it goes.
            data = self._gzip.compress(data)
            if last or not self._written:
                data += self._gzip.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
        with self._lock:
            if self._dropped or self._written + len(data) > self._most:
                raise Dropped
            view = memoryview(data)
            while view:
                done = os.write(self._file.fileno(), view)
                self._written += done
                view = view[done:]
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        wake = self._wake
        if wake is not None:
            wake()
