"""The generator of a fixed rate leaves out nothing that people wait for, and sees what is wrong with an answer."""

import asyncio

from tests import own_loop
from tests.benchmarks.open_loop import Answers, Asked, send

STALL_S = 0.5


def answers(requests: list[Asked], rate: float) -> Answers:
    """What a server gives that answers one after the other and stands still at the first."""

    async def run() -> Answers:
        turn, stalled = asyncio.Lock(), False

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal stalled
            while not reader.at_eof():
                try:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                except EOFError:
                    break
                async with turn:
                    if not stalled:
                        stalled = True
                        await asyncio.sleep(STALL_S)
                known = 'If-None-Match: "1"' in head
                status = "404 Not Found" if "/missing" in head else "304 Not Modified" if known else "200 OK"
                body = b"" if known else b"words"
                writer.write(f'HTTP/1.1 {status}\r\nETag: "1"\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()
            return await send(host, port, requests, rate)

    return own_loop.run(run())


def test_a_stall_is_felt_by_all_who_came_meanwhile() -> None:
    found = answers([Asked("page", "/q/A", 200, "words")] * 60, rate=100)
    taken = found.taken["page"]
    assert found.errors == [] and len(taken) == 60
    # A generator that waits for each answer would have felt it once.
    assert max(taken) >= STALL_S * 0.95
    assert sum(seconds > STALL_S / 4 for seconds in taken) > 15


def test_what_is_wrong_is_counted_and_what_is_known_is_not_sent_again() -> None:
    found = answers([Asked("page", "/q/A", 200, revalidates=True)] * 2, rate=1)
    assert (found.not_modified, found.errors) == (1, [])
    found = answers([Asked("page", "/missing", 200), Asked("page", "/q/A", 200, "other words")] * 10, rate=100)
    assert set(found.errors) == {"page: 404 instead of 200"}
    assert len(found.errors) == 10
    # One in ten is looked into.
    found = answers([Asked("page", "/q/A", 200, "other words")] * 20, rate=100)
    assert found.errors == ["page: without other words"] * 2
