"""Whether the time of an answer tells which codes exist, where the answer itself does not.

    .venv/bin/python -m tests.benchmarks.lookup_timing

Codes that were never issued, that were issued and given to no place, and whose record was ended: each code is asked for
once, in turns, plain and with a mark that somebody made up (one and the same page for all of them). Beside them codes
never issued once more: what they differ by from the first is noise. Prints medians, 95 %, and whether it is no chance.
"""

import http.client
import math
import os
import random
import shutil
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import text

from postgis import codes
from postgis.engine import Database, open_database
from postgis.settings import DatabaseSettings
from postgis.store import lookup_codes
from postgis.store.establishments import NewEstablishment, add_many
from tests.conftest import start_service, stop_service

EACH = 400
"""Codes of a kind."""
NEVER, CONTROL, UNUSED, ENDED = "never issued", "never issued, again", "no place yet", "ended"
SURE = 4.0
"""Standard errors of the mean rank from which on a difference is no chance."""


def measure() -> dict[str, dict[str, list[float]]]:
    """Milliseconds by way of asking and kind of code."""
    with ExitStack() as stack:
        root = Path(f"/tmp/mapservice-bench-{os.getpid()}")
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.mkdir(mode=0o755)
        service = start_service(root / "data", MAPSERVICE_SAMPLE="none")
        stack.callback(stop_service, service)
        settings = DatabaseSettings(data_dir=root / "data", database_url=None)
        database = stack.enter_context(open_database(settings))
        dice = random.Random(20257)
        kinds = _kinds(database, dice)
        address = urlsplit(service.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port)
        stack.callback(connection.close)
        ways = {"plain": "", "made-up mark": "?t={}"}
        taken: dict[str, dict[str, list[float]]] = {way: {kind: [] for kind in kinds} for way in ways}
        for number in range(EACH):
            asked = [(way, kind) for way in ways for kind in kinds]
            dice.shuffle(asked)
            for way, kind in asked:
                mark = "".join(dice.choices(codes.ALPHABET, k=10))
                path = f"/q/{kinds[kind][number]}{ways[way].format(mark)}"
                began = time.perf_counter()
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                taken[way][kind].append(1000 * (time.perf_counter() - began))
                assert answer.status == (410 if (way, kind) == ("plain", ENDED) else 404), (path, answer.status)
    return taken


def _kinds(database: Database, dice: random.Random) -> dict[str, list[str]]:
    ended = codes.codes_for(f"ended/{number}" for number in range(EACH))
    places = [
        NewEstablishment(
            values={"code": code, "name": "Quán minh họa", "sector_group": "food_service", "source": "demo",
                    "operating_status": "active", "position_method": "generated", "illustrative": True},
            ward_code="20257", lon=108.2225, lat=16.047, records={},
        )
        for code in ended
    ]  # fmt: skip
    with database.owner.begin() as connection:
        add_many(connection, places)
        connection.execute(text("UPDATE register.establishment SET ended_at = now(), end_reason = 'đo'"))
        unused = lookup_codes.issue(connection, EACH)
    never = [codes.new_code(dice) for _ in range(2 * EACH)]
    return {NEVER: never[:EACH], CONTROL: never[EACH:], UNUSED: unused, ENDED: ended}


def by_chance(one: Sequence[float], other: Sequence[float]) -> float:
    """How many standard errors two samples lie apart by their ranks (Mann and Whitney): beyond SURE it is no chance."""
    ranks = {value: rank for rank, value in enumerate(sorted([*one, *other]))}
    apart = statistics.fmean(ranks[value] for value in other) - statistics.fmean(ranks[value] for value in one)
    count = len(one) + len(other)
    return apart / math.sqrt(count * count * (count + 1) / (12 * len(one) * len(other)))


def report(taken: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, Any]:
    """The same for people; what was found."""
    found: dict[str, Any] = {}
    print(f"\n{'':14}{'code':22}{'median ms':>10}{'95 % ms':>9}{'apart':>8}")
    for way, kinds in taken.items():
        for kind, times in kinds.items():
            apart = by_chance(kinds[NEVER], times) if kind != NEVER else 0.0
            late = statistics.quantiles(times, n=20)[-1]
            found[f"{way}, {kind}"] = {"median_ms": statistics.median(times), "p95_ms": late, "apart": apart}
            told = "" if abs(apart) < SURE else "  TOLD BY TIME"
            print(f"{way:14}{kind:22}{statistics.median(times):10.3f}{late:9.3f}{apart:8.1f}{told}")
    return found


if __name__ == "__main__":
    report(measure())
