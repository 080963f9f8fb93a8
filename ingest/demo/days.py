"""Days drawn at random, and terms counted in years."""

from datetime import date, timedelta
from random import Random


def between(rng: Random, first: date, last: date) -> date:
    """A day from `first` to `last`, both included; `last` when they are the wrong way round."""
    return last - timedelta(days=rng.randint(0, max((last - first).days, 0)))


def days_before(day: date, days: int) -> date:
    """The day so many days earlier."""
    return day - timedelta(days=days)


def years_after(day: date, years: int) -> date:
    """The same day of a later year; 28 February for 29 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
