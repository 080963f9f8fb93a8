"""Requests at a fixed rate, whatever the server does: each is timed from the moment at which it was to be sent.

A generator that waits for answers sends fewer while the server is slow, and so leaves out what people wait for most.
"""

import asyncio
import gzip
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

POOL = 64
FRESH = 0.2
"""Share of requests on a connection of their own, as a telephone makes it; the others stand for a proxy's."""
PATIENCE_S = 20.0
CHECK_EVERY = 10
"""Of the answers that must hold something, the share whose body is unpacked and looked at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and what must come of it."""

    kind: str
    path: str
    status: int
    holds: str = ""
    """Words of the body."""
    revalidates: bool = False
    """Sends the ETag along that this address had before, if it has been asked for."""


@dataclass(slots=True)
class Answers:
    """What came back."""

    seconds: float = 0.0
    """From the first intended moment to the last answer."""
    taken: dict[str, list[float]] = field(default_factory=dict)
    """Seconds from the intended moment, by kind."""
    not_modified: int = 0
    bytes: int = 0
    errors: list[str] = field(default_factory=list)


async def send(host: str, port: int, requests: Sequence[Asked], rate: float, seed: int = 1) -> Answers:
    """Sends the requests in order, `rate` each second on average, at moments drawn as of people who know nothing of one
    another (a Poisson process)."""
    loop = _Loop(host, port, random.Random(seed))
    began = at = time.perf_counter()
    tasks = []
    for number, asked in enumerate(requests):
        at += loop.dice.expovariate(rate)
        if (wait := at - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(loop.one(asked, at, fresh=loop.dice.random() < FRESH, number=number)))
    await asyncio.gather(*tasks)
    loop.answers.seconds = time.perf_counter() - began
    for _, writer in loop.idle:
        writer.close()
    return loop.answers


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Loop:
    def __init__(self, host: str, port: int, dice: random.Random) -> None:
        self.host, self.port, self.dice = host, port, dice
        self.idle: list[_Connection] = []
        self.answers = Answers()
        self._etags: dict[str, str] = {}

    async def one(self, asked: Asked, at: float, *, fresh: bool, number: int) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                look = number % CHECK_EVERY == 0
                connection = None if fresh else self._kept()
                try:
                    if connection is None:
                        raise ConnectionResetError
                    said = await self._exchange(connection, asked, look=look)
                except (ConnectionError, asyncio.IncompleteReadError) as closed:
                    # The server may end an idle connection just as the next request is on its way; every client asks
                    # again on another then. A connection of the request's own, or half an answer, is an error.
                    if getattr(closed, "partial", b""):
                        raise
                    connection = await asyncio.open_connection(self.host, self.port)
                    said = await self._exchange(connection, asked, look=look)
            if fresh or len(self.idle) >= POOL:
                connection[1].close()
            else:
                self.idle.append(connection)
        except (OSError, EOFError, TimeoutError) as error:
            said = type(error).__name__
        self.answers.taken.setdefault(asked.kind, []).append(time.perf_counter() - at)
        if said:
            self.answers.errors.append(f"{asked.kind}: {said}")

    def _kept(self) -> _Connection | None:
        """A connection that an earlier request has left, if there is one that the server has not ended."""
        while self.idle:
            connection = self.idle.pop()
            if not connection[0].at_eof():
                return connection
            connection[1].close()
        return None

    async def _exchange(self, connection: _Connection, asked: Asked, *, look: bool) -> str:
        """Sends and reads; what is wrong with the answer."""
        reader, writer = connection
        head = f"GET {asked.path} HTTP/1.1\r\nHost: {self.host}\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n"
        known = self._etags.get(asked.path) if asked.revalidates else None
        if known:
            head += f"If-None-Match: {known}\r\n"
        writer.write(f"{head}\r\n".encode())
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.answers.bytes += len(first) + sum(map(len, lines)) + 2 * len(lines) + len(body)
        status = int(first.split()[1])
        if "etag" in headers and status == 200:
            self._etags[asked.path] = headers["etag"]
        if known and status == 304:
            self.answers.not_modified += 1
            return ""
        if status != asked.status:
            return f"{status} instead of {asked.status}"
        if look and asked.holds:
            text = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            return "" if asked.holds.encode() in text else f"without {asked.holds}"
        return ""
