"""How well addresses are located: each known house number withheld in turn and located from its text alone.

    .venv/bin/python -m tests.geocode_trial [--fit]

Withheld is every point with the same address (OpenStreetMap has some twice), so that no answer is exact. The expected
error is fitted on the numbers outside the ward and checked on the 173 inside.
"""

import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ingest.addresses import Address, parse_address
from ingest.along import guesses
from ingest.gazetteer import Gazetteer, GazetteerData, HousePoint, WardArea
from ingest.geocode import Located, locate, mouth_at
from postgis.reference_files import read_features, read_rows

WARD = "20257"


@dataclass(frozen=True)
class Trial:
    """One withheld number: where it was put, and how far off."""

    text: str
    ward: str
    located: Located | None
    error_m: float


def gazetteer() -> Gazetteer:
    """The base data, as the service's own reader brings them, without a database."""
    wards = list(read_features("wards.geojsonl.gz"))
    ward = next(feature for feature in wards if feature.properties["code"] == WARD)
    present = {feature.properties["name"]: feature.properties["code"] for feature in wards}
    former: dict[str, str | None] = {str(row["name"]): None for row in read_rows("former_wards.csv")}
    streets = [
        (feature.properties["name"], feature.geometry)
        for feature in read_features("streets.geojsonl.gz")
        if feature.properties.get("name")
    ]
    return Gazetteer(
        GazetteerData(
            WardArea(WARD, "Hòa Cường", ward.geometry),
            streets,
            [_point(row) for row in read_rows("house_numbers.csv")],
            ward_names=former | present,
            street_names=[str(row["street"]) for row in read_rows("street_names.csv")],
        )
    )


def _point(row: dict[str, str | None]) -> HousePoint:
    return HousePoint(str(row["number"]), str(row["street"]), float(row["lon"] or 0), float(row["lat"] or 0))


def withheld(known: Gazetteer) -> list[tuple[dict[str, str | None], Address, frozenset[int]]]:
    """Every house number: its row, its address, and the ids of all points with that address."""
    rows = read_rows("house_numbers.csv")
    addresses = [parse_address(f"{row['number']} {row['street']}", known.book) for row in rows]
    same: dict[tuple[str | None, ...], set[int]] = defaultdict(set)
    for at, address in enumerate(addresses):
        same[_key(address)].add(at)
    return [(row, address, frozenset(same[_key(address)])) for row, address in zip(rows, addresses, strict=True)]


def _key(address: Address) -> tuple[str | None, ...]:
    return address.house_number, address.alley, address.street_name, address.lot


def trials(known: Gazetteer, *, twins_too: bool = True) -> list[Trial]:
    """Every house number, withheld and located; without `twins_too` other points of the same address stay known."""
    found = []
    for at, (row, address, same) in enumerate(withheld(known)):
        located = locate(known, address.raw, same if twins_too else frozenset({at}))
        error = math.inf if located is None else math.dist(known.metres(located.lon, located.lat), _at(known, row))
        found.append(Trial(address.raw, str(row["ward_code"]), located, error))
    return found


def _at(known: Gazetteer, row: dict[str, str | None]) -> tuple[float, float]:
    return known.metres(float(row["lon"] or 0), float(row["lat"] or 0))


def fit(known: Gazetteer) -> dict[str, tuple[int, float, float, float]]:
    """By kind of guess: how many there are outside the ward, and the line under which nine tenths of the errors lie."""
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row, address, hidden in withheld(known):
        if row["ward_code"] == WARD or (found := known.way_of(address)) is None or found[1] is None:
            continue
        (street, path), number = found
        mouth = mouth_at(known, street, path, hidden) if path else None
        for guess in guesses(known.ways[street, path], number, hidden, mouth):
            points[guess.kind].append((guess.spread, math.dist(guess.at, _at(known, row))))
    return {kind: (len(some), *_line(some)) for kind, some in points.items()}


def _line(points: list[tuple[float, float]]) -> tuple[float, float, float]:
    """a, b of a + b * spread with the least pinball loss at 0.9, and the share of errors below it."""

    def loss(a: float, b: float) -> float:
        return sum(max(0.9 * (e - a - b * s), 0.1 * (a + b * s - e)) for s, e in points)

    a, b = min(((a, b / 20) for a in range(5, 160, 5) for b in range(31)), key=lambda line: loss(*line))
    return a, b, sum(e <= a + b * s for s, e in points) / len(points)


def twins(known: Gazetteer) -> list[float]:
    """How far apart the points of one address lie: what a known house number is worth."""
    apart = []
    places = [_at(known, row) for row, _, _ in withheld(known)]
    for at, (_, address, same) in enumerate(withheld(known)):
        if address.house_number and address.street_name:
            apart += [math.dist(places[at], places[other]) for other in same if other > at]
    return sorted(apart)


def summary(chosen: Iterable[Trial]) -> dict[str, float]:
    """Median, 90th percentile, share within 50 m, share within the expected error, how much is expected."""
    some = sorted(chosen, key=lambda trial: trial.error_m)
    errors = [trial.error_m for trial in some]
    located = [trial for trial in some if trial.located is not None]
    count = len(some)
    return {
        "count": count,
        "located": len(located),
        "median_m": errors[count // 2],
        "p90_m": errors[min(int(0.9 * count), count - 1)],
        "within_50_m": sum(error <= 50 for error in errors) / count,
        "within_expected": sum(t.located is not None and t.error_m <= t.located.expected_error_m for t in located)
        / max(len(located), 1),
        "median_expected_m": sorted(t.located.expected_error_m for t in located if t.located)[len(located) // 2],
    }


def by_basis(chosen: Iterable[Trial]) -> dict[str, list[Trial]]:
    """The trials by what the answer rests on."""
    found: dict[str, list[Trial]] = defaultdict(list)
    for trial in chosen:
        found[trial.located.basis if trial.located else "nothing"].append(trial)
    return found


def _print(title: str, chosen: list[Trial]) -> None:
    figures = summary(chosen)
    print(
        f"{title:28} {figures['count']:4.0f}  median {figures['median_m']:6.1f} m  p90 {figures['p90_m']:7.1f} m  "
        f"<=50 m {figures['within_50_m']:6.1%}  within expected {figures['within_expected']:6.1%} "
        f"(expected, median {figures['median_expected_m']:.0f} m)"
    )


def main() -> None:
    """Print the figures."""
    known = gazetteer()
    all_trials = trials(known)
    for title, chosen in (
        ("ward (checked on)", [trial for trial in all_trials if trial.ward == WARD]),
        ("elsewhere (fitted on)", [trial for trial in all_trials if trial.ward != WARD]),
    ):
        _print(title, chosen)
        for basis, some in sorted(by_basis(chosen).items()):
            if basis != "nothing":
                _print(f"  {basis}", some)
    alone = [trial for trial in trials(known, twins_too=False) if trial.ward == WARD]
    _print("ward, only the point itself", alone)
    apart = twins(known)
    print(f"points of one address: {len(apart)} pairs, 90 % within {apart[int(0.9 * (len(apart) - 1))]:.0f} m: "
          f"{[round(each) for each in apart]}")  # fmt: skip
    if "--fit" in sys.argv:
        for kind, (count, a, b, share) in sorted(fit(known).items()):
            print(f"{kind:10} {count:4}  {a} + {b} * spread  ({share:.0%} below)")
    started = time.perf_counter()
    for trial in all_trials:
        locate(known, trial.text)
    print(f"{len(all_trials) / (time.perf_counter() - started):,.0f} addresses read and located a second")
    worst = sorted((t for t in all_trials if t.ward == WARD), key=lambda t: -t.error_m)[:12]
    for trial in worst:
        where = trial.located
        print(json.dumps([trial.text, round(trial.error_m), where and [where.basis, where.expected_error_m]],
                         ensure_ascii=False))  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
