"""What a share may be at its deadline if it goes on as it has: a straight line through month ends, with its doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

FEWEST_POINTS = 4
MOST_POINTS = 12
"""What is older than a year says little of the next months."""
CONFIDENCE = 80
"""Of the interval, in per cent: one deadline in five falls outside it, even if all goes on as it has."""
_T_80 = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372, 1.363)
"""Student's t for an interval of 80 %, by degrees of freedom from 1."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The share (0-100) on a day to come, and between which shares it falls with CONFIDENCE."""

    due: date
    value: float
    low: float
    high: float
    points: int
    """From how many measured month ends."""


@dataclass(frozen=True, slots=True)
class NoForecast:
    """Why nothing is foretold: no_target, due_over, few_points, no_change."""

    why: str


def forecast(points: Sequence[tuple[date, float]], due: date | None, day: date) -> Forecast | NoForecast:
    """From measured shares, oldest first, to the deadline, as it looks on a day: least squares over the last year, and
    the interval in which a single new observation falls. Shares stay between 0 and 100.
    """
    if due is None:
        return NoForecast("no_target")
    if due <= day:
        return NoForecast("due_over")
    used = list(points)[-MOST_POINTS:]
    if len(used) < FEWEST_POINTS:
        return NoForecast("few_points")
    if len({value for _, value in used}) == 1:
        return NoForecast("no_change")
    times = [float((when - used[0][0]).days) for when, _ in used]
    count, ahead = len(used), float((due - used[0][0]).days)
    mean_time, mean = sum(times) / count, sum(value for _, value in used) / count
    spread = sum((time - mean_time) ** 2 for time in times)
    slope = sum((time - mean_time) * (value - mean) for time, (_, value) in zip(times, used, strict=True)) / spread
    left = sum((value - mean - slope * (time - mean_time)) ** 2 for time, (_, value) in zip(times, used, strict=True))
    error = sqrt(left / (count - 2) * (1 + 1 / count + (ahead - mean_time) ** 2 / spread))
    value, doubt = mean + slope * (ahead - mean_time), _T_80[count - 3] * error
    return Forecast(due, _share(value), _share(value - doubt), _share(value + doubt), count)


def _share(value: float) -> float:
    return min(100.0, max(0.0, value))
