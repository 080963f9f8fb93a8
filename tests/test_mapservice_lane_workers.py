"""Work in threads, told of on the event loop: every piece once, whatever becomes of it and of who waits."""

import asyncio
import threading
import time

import pytest

from mapservice.lane_workers import Workers
from tests import own_loop


def test_every_piece_of_work_comes_back_to_who_gave_it() -> None:
    def work(number: int) -> int:
        if number % 7 == 0:
            raise ValueError(number)
        time.sleep(number % 3 / 1000)
        return number * 2

    async def ask() -> list[object]:
        workers = Workers(4, "test")
        found = await asyncio.gather(*(workers.run(work, number) for number in range(500)), return_exceptions=True)
        workers.stop()
        return list(found)

    for number, found in enumerate(own_loop.run(ask())):
        if number % 7:
            assert found == number * 2
        else:
            assert isinstance(found, ValueError) and found.args == (number,)


def test_who_gives_up_holds_up_nobody() -> None:
    async def ask() -> int:
        workers, going = Workers(1, "test"), threading.Event()
        first = workers.run(going.wait, 10)
        second = workers.run(int, "3")
        first.cancel()
        going.set()
        found = await asyncio.wait_for(second, 10)
        with pytest.raises(asyncio.CancelledError):
            await first
        workers.stop()
        return found

    assert own_loop.run(ask()) == 3


def test_its_threads_begin_with_work_and_end_when_told() -> None:
    def named() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("ending-")]

    async def ask() -> None:
        workers = Workers(3, "ending")
        assert not named()
        await workers.run(time.sleep, 0)
        assert len(named()) == 1
        await asyncio.gather(*(workers.run(time.sleep, 0.01) for _ in range(10)))
        threads = named()
        assert len(threads) == 3
        workers.stop()
        for thread in threads:
            thread.join(10)
        assert not named()

    own_loop.run(ask())
