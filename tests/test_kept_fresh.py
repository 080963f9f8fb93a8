"""Random edits under load, two workers: all are seen in time, though the database is restarted and a worker dies."""

import contextlib
import os
import random
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from postgis.actor import Actor, write_as
from postgis.store import records
from tests.cluster_holders import postmaster_of
from tests.import_process import kill, until, web_workers_of
from tests.live_register import ITEMS, LiveRegister, live_register
from tests.small_ward import add_staff
from tests.test_freshness import address_of, tile_at

EDITS = 500
SECONDS = float(os.environ.get("FRESH_SECONDS", "60"))
"""After which no further edit is begun; a busy machine needs more of them for all the edits."""
EDITORS = 4
FRESH_S = 1.0
IN_A_ROW = 3
"""New answers on connections of their own: with two workers, one that lags would be met."""


@pytest.fixture(scope="module")
def register() -> Iterator[LiveRegister]:
    with live_register(places=80) as found:
        yield found


class Editors:
    """Rename places by chance, each its own, and watch until nobody is shown the old name."""

    def __init__(self, register: LiveRegister, officer: Actor) -> None:
        self.register, self.officer = register, officer
        self.until = time.monotonic() + SECONDS
        self.done = 0
        self.waited: dict[str, list[float]] = {}
        self.missed: list[str] = []
        self.lock = threading.Lock()
        # Now: the database is away for a while later, and nobody moves.
        with register.database.owner.connect() as connection:
            rows = connection.execute(
                text("SELECT code, public.st_x(geom), public.st_y(geom) FROM register.establishment")
            )
            self.positions = {code: (lon, lat) for code, lon, lat in rows}

    def run(self, number: int) -> None:
        chance = random.Random(number)
        own = self.register.ward.places[number::EDITORS]
        while time.monotonic() < self.until and self.done < EDITS:
            code = chance.choice(own)
            name = f"Quán Ngẫu Nhiên {chance.randrange(10**9):09d}"
            committed = self._edit(code, name)
            if committed is not None:
                self._watch(code, name, committed)
                with self.lock:
                    self.done += 1

    def wait(self, share: float) -> None:
        """Until so much of the edits, or of the time for them, is gone."""
        deadline = self.until - (1 - share) * SECONDS
        while self.done < share * EDITS and time.monotonic() < deadline:
            time.sleep(0.05)

    def _edit(self, code: str, name: str) -> float | None:
        try:
            with write_as(self.register.database, self.officer, reason="thử", source="office") as connection:
                version = records.version(connection, "establishments", code)
                assert version is not None
                records.change(connection, "establishments", code, version, {"name": name})
        except DBAPIError:
            time.sleep(0.2)  # the database is being restarted: nothing was committed, or nobody was told so
            return None
        return time.monotonic()

    def _watch(self, code: str, name: str, committed: float) -> None:
        lon, lat = self.positions[code]
        shown = {
            "item": f"{ITEMS}/{code}",
            "tile": address_of(tile_at(lon, lat, 17)),
            "search": f"{ITEMS}?q={name.split()[-1]}",
            "page": f"/q/{code}",
        }
        for surface, address in shown.items():
            last_old, in_a_row = committed, 0
            while in_a_row < IN_A_ROW:
                asked = time.monotonic()
                answer = self._get(address)
                if answer is None:
                    continue
                if name in answer:
                    in_a_row += 1
                else:
                    last_old, in_a_row = asked, 0
                    if asked - committed > 10 * FRESH_S:
                        self.missed.append(address)
                        break
            self.waited.setdefault(surface, []).append(last_old - committed)

    def _get(self, address: str) -> str | None:
        """The text of an answer; None where the database or the worker is away."""
        try:
            with httpx.Client(base_url=self.register.url, timeout=20, verify=False) as client:
                answer = client.get(address)
        except httpx.TransportError:
            return None  # whoever was to answer has been killed
        if answer.status_code == 503:
            time.sleep(0.1)
            return None
        assert answer.status_code == 200, (answer.status_code, address)
        return answer.content.decode("utf-8", "replace")


def load(url: str, stop: threading.Event, addresses: list[str]) -> int:
    """Somebody who keeps asking for what most ask for."""
    count = 0
    with httpx.Client(base_url=url, timeout=20) as client:
        while not stop.is_set():
            with contextlib.suppress(httpx.TransportError):
                client.get(addresses[count % len(addresses)])
            count += 1
    return count


def restart_database(register: LiveRegister) -> None:
    """The server is stopped at once; the service starts it again."""
    os.kill(postmaster_of(register.data_dir), signal.SIGINT)


def test_every_edit_is_seen_within_a_second(register: LiveRegister) -> None:
    officer = add_staff(register.database, "editor", "officer")
    lon, lat = 108.2136, 16.0432
    asked = [address_of(tile_at(lon, lat, zoom)) for zoom in range(10, 18)] + [f"{ITEMS}?limit=20"]
    editors, stop = Editors(register, officer), threading.Event()
    with ThreadPoolExecutor(EDITORS + 2) as people:
        loads = [people.submit(load, register.url, stop, asked) for _ in range(2)]
        running = [people.submit(editors.run, number) for number in range(EDITORS)]
        try:
            editors.wait(1 / 3)
            restart_database(register)
            editors.wait(2 / 3)
            kill(web_workers_of(register.process.pid)[0])
            for each in running:
                each.result()
        finally:
            stop.set()
        asked_for = sum(each.result() for each in loads)
    print(f"\n{editors.done} edits, {asked_for} other answers; last old answer after a commit, in ms:")
    for surface, times in editors.waited.items():
        in_ms = sorted(seconds * 1000 for seconds in times)
        late = statistics.quantiles(in_ms, n=100)[98] if len(in_ms) > 1 else in_ms[0]
        print(f"  {surface}: median {statistics.median(in_ms):.0f}, p99 {late:.0f}, most {in_ms[-1]:.0f}")
        assert late < FRESH_S * 1000
    assert not editors.missed
    until(lambda: len(web_workers_of(register.process.pid)) == 2)
    assert editors.done > 50
