"""The spool between a writer and a slower reader."""

import asyncio
import gzip
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mapservice.spool import Dropped, Spool


def _run(reading: Coroutine[Any, Any, bytes]) -> bytes:
    """In a thread of its own: the browser's tests leave an event loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, reading).result()


async def _read(spool: Spool) -> bytes:
    return b"".join([piece async for piece in spool.pieces()])


@pytest.mark.parametrize("compress", [False, True])
def test_everything_comes_out_in_order(tmp_path: Path, compress: bool) -> None:
    spool = Spool(tmp_path, 1 << 30, compress=compress)
    rows = [b"%d,\n" % number * 20 for number in range(20_000)]

    def write() -> None:
        for row in rows:
            spool.write(row)
        spool.end()

    writer = threading.Thread(target=write)
    writer.start()
    found = _run(_read(spool))
    writer.join()
    assert (gzip.decompress(found) if compress else found) == b"".join(rows)


def test_the_first_bytes_do_not_wait_for_the_last(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, compress=True)
    spool.write(b"first")
    spool.wait_for_first()

    async def first() -> bytes:
        async for piece in spool.pieces():
            return piece
        return b""

    assert _run(first()).startswith(b"\x1f\x8b")


def test_a_failure_before_the_first_byte_is_told_and_later_ones_end_the_answer(tmp_path: Path) -> None:
    early = Spool(tmp_path, 1 << 20)
    early.end(ValueError("early"))
    with pytest.raises(ValueError, match="early"):
        early.wait_for_first()
    late = Spool(tmp_path, 1 << 20)
    late.write(b"some")
    late.end(ValueError("late"))
    late.wait_for_first()
    with pytest.raises(ValueError, match="late"):
        _run(_read(late))


def test_the_writer_hears_that_nobody_reads_and_that_it_is_too_much(tmp_path: Path) -> None:
    left = Spool(tmp_path, 1 << 20)
    left.write(b"some")
    left.drop()
    with pytest.raises(Dropped):
        left.write(b"more")
    left.end()
    small = Spool(tmp_path, 1_000)
    with pytest.raises(Dropped):
        for _ in range(100):
            small.write(b"x" * 10_000)
    assert not list(tmp_path.iterdir())


def test_the_reader_hears_that_the_last_piece_was_too_much(tmp_path: Path) -> None:
    """What waits to be written when the writer ends belongs to the whole."""
    spool = Spool(tmp_path, 1_000)
    spool.write(b"x" * 900)
    spool.write(b"x" * 900)
    spool.end()
    with pytest.raises(Dropped):
        _run(_read(spool))
