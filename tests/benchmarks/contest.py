"""The workloads and what must come of them: every server in turn, round by round, medians at the end.

| workload | what |
|---|---|
| W1 | tiles of zoom 14 to 17 at random places, none of them cached |
| W1P | the same of zoom 15 to 17, where our tiles hold every place as the others' do |
| W2 | one full tile of zoom 14, again and again |
| W3 | pages of 100 features within a box |
| W4 | single features by identifier |
| W5 | the whole layer as GeoJSON, one after the other; per second counts features, not answers |
| HIT | a tile that is cached, beside the same bytes from nginx's disk; and "not modified" |
"""

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tests.benchmarks.load import Measured

WORKLOADS = ("W1", "W1P", "W2", "W3", "W4", "W5", "HIT")
OURS, OURS_UNCACHED = "ours", "ours, no cache"
FRONTED = f"{OURS} behind nginx"
"""With `docs/nginx.conf`, which asks ours again after a second at most."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """One server, or the bare SQL, in one workload: `run` puts it under load for so many seconds.

    `features` is how many features one answer holds, where that is what counts.
    """

    workload: str
    name: str
    run: Callable[[int], Measured]
    features: int = 1


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio that must hold: a figure of one entrant beside the same of another in the same rounds."""

    workload: str
    name: str
    beside: str
    figure: str
    ratio: float
    at_least: bool = True


def _goals() -> tuple[Goal, ...]:
    goals = []
    for workload in ("W1", "W1P"):
        goals += [
            Goal(workload, OURS_UNCACHED, "tipg 1w", "per_second", 2.0),
            Goal(workload, f"{OURS_UNCACHED}, br", "tipg 1w, gzip", "per_second", 2.0),
            Goal(workload, OURS_UNCACHED, "raw SQL, 2 connections", "per_second", 0.75),
            Goal(workload, OURS_UNCACHED, "tipg 1w", "p99_ms", 0.4, at_least=False),
            Goal(workload, OURS_UNCACHED, "tipg 1w", "cpu_ms", 0.5, at_least=False),
            Goal(workload, OURS_UNCACHED, "MapServer 2p", "per_second", 1.0),
            Goal(workload, OURS_UNCACHED, "pygeoapi 2w, patched", "per_second", 1.0),
        ]
    goals += [
        Goal("W1", OURS, "tipg 1w", "pss_mb", 1.2, at_least=False),
        Goal("W1", f"{OURS} 2w", "tipg 2w", "pss_mb", 1.2, at_least=False),
        Goal("W2", OURS, "tipg 1w", "per_second", 100),
    ]
    least = {"W3": (8, 2), "W4": (4, 1), "W5": (12, 1.3)}
    for workload, (tipg, mapserver) in least.items():
        for name in (OURS_UNCACHED, OURS, f"{OURS_UNCACHED}, all fields"):
            goals += [
                Goal(workload, name, "tipg 1w", "per_second", tipg),
                Goal(workload, name, "MapServer 2p", "per_second", mapserver),
            ]
    for coding in ("", ", br"):
        goals.append(Goal("HIT", f"{OURS}{coding}", f"nginx static{coding}", "per_second", 0.40))
        goals.append(Goal("HIT", f"{FRONTED}{coding}", f"nginx static{coding}", "per_second", 0.85))
    goals.append(Goal("HIT", f"{OURS}, 304", "nginx static, 304", "per_second", 0.40))
    return tuple(goals)


GOALS = _goals()


def hold(entrants: Sequence[Entrant], rounds: int, seconds: int) -> dict[str, dict[str, list[Measured]]]:
    """Every entrant of a workload in turn, then the next round: noise of the machine hits all of them alike."""
    found: dict[str, dict[str, list[Measured]]] = {}
    for workload in dict.fromkeys(entrant.workload for entrant in entrants):
        taking_part = [entrant for entrant in entrants if entrant.workload == workload]
        runs = found.setdefault(workload, {entrant.name: [] for entrant in taking_part})
        for entrant in taking_part:
            entrant.run(1)  # warms up
        for number in range(rounds):
            for entrant in taking_part:
                measured = entrant.run(seconds)
                measured = replace(measured, per_second=measured.per_second * entrant.features)
                runs[entrant.name].append(measured)
                print(f"{workload} {number + 1}/{rounds} {entrant.name}: {measured.per_second:.0f}/s", file=sys.stderr)
    return found


def medians(runs: Mapping[str, Sequence[Measured]]) -> dict[str, dict[str, float]]:
    """The median of each figure by entrant; errors are added up."""
    found = {}
    for name, measured in runs.items():
        rows = [asdict(one) | {"cpu_ms": one.cpu_ms} for one in measured]
        found[name] = {figure: statistics.median(row[figure] for row in rows) for figure in rows[0]}
        found[name]["errors"] = sum(row["errors"] for row in rows)
    return found


def judged(figures: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[dict[str, Any]]:
    """Each goal of which both sides took part: the ratio, and whether it holds.

    `by_cpu` is the same ratio by processor time per answer: on a machine with other work it is the steadier one.
    """
    rows = []
    for goal in GOALS:
        sides = [figures.get(goal.workload, {}).get(name) for name in (goal.name, goal.beside)]
        if sides[0] is None or sides[1] is None or not sides[1][goal.figure]:
            continue
        ratio = sides[0][goal.figure] / sides[1][goal.figure]
        rows.append(
            {
                **asdict(goal),
                "wanted": goal.ratio,
                "ratio": ratio,
                "by_cpu": sides[1]["cpu_ms"] / sides[0]["cpu_ms"] if goal.figure == "per_second" else None,
                # Refusing is quick: whoever does wins nothing by it.
                "holds": not sides[0]["errors"] and (ratio >= goal.ratio if goal.at_least else ratio <= goal.ratio),
            }
        )
    return rows


def show(figures: Mapping[str, Mapping[str, Mapping[str, float]]], goals: Sequence[Mapping[str, Any]]) -> None:
    """The same for people."""
    headings = ("per s", "p50 ms", "p99 ms", "kB", "cores", "SQL", "CPU ms", "PSS MB", "first ms", "errors")
    for workload, by_name in figures.items():
        print(f"\n{workload:30}" + "".join(f"{heading:>10}" for heading in headings))
        for name, row in by_name.items():
            print(
                f"{name:30}{row['per_second']:10.1f}{row['p50_ms']:10.2f}{row['p99_ms']:10.2f}"
                f"{row['bytes'] / 1000:10.1f}{row['server_cores']:10.2f}{row['database_cores']:10.2f}"
                f"{row['cpu_ms']:10.3f}{row['pss_mb']:10.0f}{row['first_byte_ms']:10.1f}{row['errors']:10.0f}"
            )
    print(f"\n{'goal':74}{'wanted':>10}{'ratio':>9}{'by CPU':>9}")
    for row in goals:
        what = f"{row['workload']} {row['name']} beside {row['beside']}: {row['figure']}"
        wanted = f"{'≥' if row['at_least'] else '≤'} {row['wanted']:g}"
        cost = f"{row['by_cpu']:9.2f}" if row["by_cpu"] else " " * 9
        print(f"{what:74}{wanted:>10}{row['ratio']:9.2f}{cost}  {'holds' if row['holds'] else 'FALLS SHORT'}")
