"""Calls timed in turns, so that noise of the machine hits all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping


def medians(calls: Mapping[str, Callable[[], object]], rounds: int = 40) -> dict[str, float]:
    """Median seconds of each call; the first tenth of the rounds warms up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + rounds // 10):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if number >= rounds // 10:
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(taken) for name, taken in times.items()}
