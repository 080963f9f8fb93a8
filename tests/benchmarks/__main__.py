"""Runs every measurement in turns, prints medians and ratios, writes `bench-results/<time>.json`.

    make bench                                            everything
    .venv/bin/python -m tests.benchmarks --only W1,HIT    some of it, quicker; see --help

Only ratios within one run mean something: times differ from machine to machine and from hour to hour.
"""

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks import bed, contest, http_cost, lookup
from tests.benchmarks.entrants import entrants
from tests.benchmarks.peers import PeersMissing

PARTS = (*contest.WORKLOADS, "HTTP", "LOOKUP")


def main() -> int:
    """Measures and reports; 0 when everything was measured, also where a goal is missed."""
    asked = _arguments()
    found: dict[str, Any] = {}
    try:
        if workloads := [part for part in asked.only if part in contest.WORKLOADS]:
            found |= _contest(workloads, asked)
    except PeersMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    if "HTTP" in asked.only:
        found["http"] = http_cost.measure()
        http_cost.report(found["http"])
    if "LOOKUP" in asked.only:
        found["lookup"] = lookup.measure()
        lookup.report(found["lookup"])
    print("\nCompare ratios within a run; times differ from machine to machine.")
    print(f"Written to {_write(found)}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests.benchmarks",
        description=contest.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="HTTP: each request beside the SQL it rests on, and how fast lists are read.\n"
        "LOOKUP: the look-up page at a fixed rate, as tests.benchmarks.lookup does it.\n"
        "MAPSERVICE_BENCH_DIR (.bench) keeps the other servers and the register between runs.",
    )
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=list(PARTS), help=f"some of {','.join(PARTS)}"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of load in each round, for each server")
    parser.add_argument(
        "--places", type=int, default=bed.PLACES, help="in the register; other than before: with --anew"
    )
    parser.add_argument("--anew", action="store_true", help="fill the register again")
    parser.add_argument("--without", default="", metavar="PATTERN", help="servers to leave out, such as '2w|pygeoapi'")
    found = parser.parse_args()
    if unknown := set(found.only) - set(PARTS):
        parser.error(f"--only: no such part: {', '.join(sorted(unknown))}")
    return found


def _contest(workloads: list[str], asked: argparse.Namespace) -> dict[str, Any]:
    with bed.laid(asked.places, anew=asked.anew, without=asked.without) as field:
        runs = contest.hold(entrants(field, workloads), asked.rounds, asked.seconds)
    figures = {workload: contest.medians(by_name) for workload, by_name in runs.items()}
    goals = contest.judged(figures)
    contest.show(figures, goals)
    return {"figures": figures, "goals": goals, "rounds": asked.rounds, "seconds": asked.seconds}


def _write(found: dict[str, Any]) -> Path:
    folder = Path("bench-results")
    folder.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()}
    path = folder / f"{now:%Y%m%d-%H%M%S}.json"
    whole = {"at": now.isoformat(timespec="seconds"), "machine": machine, **found}
    path.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    raise SystemExit(main())
