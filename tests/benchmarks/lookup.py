"""The look-up page under the load of a busy day: 300 requests a second for a minute, as telephones send them.

    .venv/bin/python -m tests.benchmarks.lookup                    as the goal has it
    .venv/bin/python -m tests.benchmarks.lookup --seconds 10       a look

Two workers, the demo's register, a sticker at every door; the memory of answers is cold at the beginning. Few places
are asked for often and many seldom. Then what the same pages take when the telephone has them already (304), with wrk.
"""

import argparse
import asyncio
import os
import random
import re
import shutil
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from sqlalchemy import text

from mapservice.place_copies import FOLDER
from postgis import codes, sticker_marks
from postgis.engine import Database, open_database
from postgis.secrets import open_secrets
from postgis.settings import DatabaseSettings
from postgis.store import stickers
from postgis.store.stickers import RunOrder
from tests.benchmarks.load import http_load, memory_mb, processor_seconds
from tests.benchmarks.open_loop import Asked, send
from tests.conftest import start_service, stop_service

RATE, SECONDS, WORKERS = 300, 60, 2
MOST_P95_MS, LEAST_304 = 60, 1_000
MIX = {"scanned": 60, "plain": 16, "json": 8, "false": 5, "unknown": 5, "mistyped": 3, "spelled otherwise": 3}
"""Per cent of the requests by kind."""
ENGLISH, AGAIN = 0.15, 0.3
"""Shares of the pages: in English; asked for by a telephone that has it."""
REVALIDATED = 400
"""Pages that wrk asks for in turn."""


def measure(rate: int = RATE, seconds: int = SECONDS) -> dict[str, Any]:
    """Times by kind in milliseconds, errors, processors' time for each request; the rate of "not modified"."""
    with ExitStack() as stack:
        root = Path(f"/tmp/mapservice-bench-{os.getpid()}")
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.mkdir(mode=0o755)
        settings = {"MAPSERVICE_SAMPLE": "demo", "MAPSERVICE_WORKERS": str(WORKERS)}
        data = root / "data"
        service = start_service(data, **settings)
        stack.callback(stop_service, service)
        database = stack.enter_context(open_database(DatabaseSettings(data_dir=data, database_url=None)))
        assert database.cluster is not None
        postmaster = database.cluster.status().pid
        assert postmaster is not None
        carried = tokens(database)
        settle(data)
        asked = requests(carried, rate * seconds)
        address = urlsplit(service.url)
        before, kept = (processor_seconds(service.process.pid), processor_seconds(postmaster)), _hits(service.url)
        answers = asyncio.run(send(address.hostname or "", address.port or 80, asked, rate))
        after, count = (processor_seconds(service.process.pid), processor_seconds(postmaster)), len(asked)
        found = {
            "rate": count / answers.seconds,
            "seconds": answers.seconds,
            "all": _times([taken for kind in answers.taken.values() for taken in kind]),
            **{kind: _times(taken) for kind, taken in answers.taken.items()},
            "errors": answers.errors[:20],
            "error_count": len(answers.errors),
            "not_modified": answers.not_modified,
            "from_memory": (_hits(service.url) - kept) / count,
            "service_cpu_ms": (after[0] - before[0]) * 1000 / count,
            "database_cpu_ms": (after[1] - before[1]) * 1000 / count,
            "pss_mb": memory_mb(service.process.pid),
        }
        paths = list(dict.fromkeys(one.path for one in asked if one.kind == "scanned"))[:REVALIDATED]
        known = {
            "base": service.url, "seconds": min(5, seconds), "connections": 32, "header": "If-None-Match: *",
            "server": service.process.pid, "database": postmaster,
        }  # fmt: skip
        http_load(paths=paths, **{**known, "seconds": 1, "header": None})  # kept from here on
        again = http_load(paths=paths, **known)
    return found | {"304": {"per_second": again.per_second, "p99_ms": again.p99_ms, "errors": again.errors,
                            "cpu_ms": again.cpu_ms}}  # fmt: skip


def tokens(database: Database) -> dict[str, str]:
    """A sticker for every place of the ward: what the addresses carry, by code."""
    with database.owner.begin() as connection:
        ward = stickers.present_ward(connection, "20257")
        asked = "SELECT code FROM register.establishment WHERE ward_id = :ward AND ended_at IS NULL ORDER BY code"
        places = list(connection.execute(text(asked), {"ward": ward}).scalars())
        order = RunOrder(ward, None, "benchmark", "ward", {}, "a4_10", 10)
        secrets = open_secrets(database.settings.data_dir)
        run = stickers.make_run(connection, secrets, order, places, only_missing=False)
        made = connection.execute(
            text("SELECT e.code, s.serial, s.key_version FROM register.sticker s JOIN register.establishment e "
                 "ON e.id = s.establishment_id WHERE s.run_id = :run"), {"run": run},
        ).all()  # fmt: skip
    return {
        code: serial + sticker_marks.mark(secrets.sticker_key(version)[0], code, serial)
        for code, serial, version in made
    }


def requests(carried: dict[str, str], count: int, seed: int = 20257) -> list[Asked]:
    """Requests in the mix, the same in every run on the same register."""
    dice = random.Random(seed)
    places = sorted(carried)
    dice.shuffle(places)
    # The hundredth most asked for is asked for a tenth as often as the first.
    weights = [1 / (rank + 10) for rank in range(len(places))]
    kinds = dice.choices(list(MIX), list(MIX.values()), k=count)
    return [_request(kind, place, carried[place], dice) for kind, place in
            zip(kinds, dice.choices(places, weights, k=count), strict=True)]  # fmt: skip


def _request(kind: str, code: str, token: str, dice: random.Random) -> Asked:
    english, again, shown = dice.random() < ENGLISH, dice.random() < AGAIN, codes.display(code)
    match kind:
        case "scanned":
            return Asked(kind, f"/q/{code}?t={token}{'&lang=en' * english}", 200, shown, again)
        case "plain":
            return Asked(kind, f"/q/{code}{'?lang=en' * english}", 200, shown, again)
        case "json":
            return Asked(kind, f"/q/{code}.json", 200, code, again)
        case "false":
            made_up = "".join(dice.choices(codes.ALPHABET, k=10))
            return Asked(kind, f"/q/{code}?t={made_up}{'&lang=en' * english}", 404, shown)
        case "unknown":
            return Asked(kind, f"/q/{codes.new_code(dice)}{'?lang=en' * english}", 404, '<form action="/q">')
        case "mistyped":
            other = dice.choice([sign for sign in codes.ALPHABET if sign != code[3]])
            return Asked(kind, f"/q/{code[:3]}{other}{code[4:]}", 404, '<form action="/q">')
        case _:
            return Asked(kind, f"/q/{shown.lower()}", 308)


def settle(data: Path) -> None:
    """Until every place has its copy on disk, with its sticker: a service that has just begun is busy with that."""
    confirmed, since = data / FOLDER / "confirmed", datetime.now(UTC)
    while not confirmed.exists() or datetime.fromisoformat(confirmed.read_text()) < since:
        time.sleep(0.5)


def _hits(url: str) -> float:
    """Answers from memory so far, as the service counts them."""
    with urlopen(f"{url}/metrics") as answer:
        figures = answer.read().decode()
    return sum(
        float(found) for found in re.findall(r"^mapservice_cache_hits_total\{[^}]*\} (\S+)", figures, re.MULTILINE)
    )


def _times(taken: Sequence[float]) -> dict[str, float]:
    ordered = sorted(1000 * seconds for seconds in taken)
    share = {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] for name, part in
             {"p95_ms": 0.95, "p99_ms": 0.99}.items()}  # fmt: skip
    return {"count": len(ordered), "p50_ms": statistics.median(ordered), **share, "most_ms": ordered[-1]}


def report(found: dict[str, Any]) -> None:
    """The same for people, with the goals."""
    print(f"\n{'look-up':20}{'requests':>10}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'most ms':>9}")
    for kind in ("all", *MIX):
        if kind in found:
            row = found[kind]
            print(f"{kind:20}{row['count']:10}{row['p50_ms']:9.2f}{row['p95_ms']:9.2f}{row['p99_ms']:9.2f}"
                  f"{row['most_ms']:9.1f}")  # fmt: skip
    print(f"{found['rate']:.0f} a second for {found['seconds']:.0f} s, {WORKERS} workers")
    print(f"{found['error_count']} errors {found['errors'][:3] or ''}")
    print(f"{found['from_memory']:.0%} from memory, {found['not_modified']} not modified")
    print(f"processors' time for each: service {found['service_cpu_ms']:.2f} ms, "
          f"PostgreSQL {found['database_cpu_ms']:.2f} ms; memory {found['pss_mb']:.0f} MB")  # fmt: skip
    again = found["304"]
    print(f"not modified, as fast as it goes: {again['per_second']:.0f} a second, p99 {again['p99_ms']:.1f} ms, "
          f"{again['cpu_ms']:.3f} ms of processors each, {again['errors']} errors")  # fmt: skip
    for goal, holds in {
        f"p95 at most {MOST_P95_MS} ms": found["all"]["p95_ms"] <= MOST_P95_MS,
        "no error": not found["error_count"] and not again["errors"],
        f"at least {LEAST_304} not modified a second": again["per_second"] >= LEAST_304,
    }.items():
        print(f"{'holds' if holds else 'FALLS SHORT':12}{goal}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=RATE, help="requests a second")
    parser.add_argument("--seconds", type=int, default=SECONDS)
    given = parser.parse_args()
    report(measure(given.rate, given.seconds))
