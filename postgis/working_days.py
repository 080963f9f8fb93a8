"""Deadlines: working days of Vietnam's public offices, counted with the days off that are known.

The days stand in `postgis/reference/working_calendar.toml`, by year, with their source. A deadline that depends on a
year whose days are not announced, or not known at all, is told as such: it may still move.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from postgis.reference_files import REFERENCE, read_toml

FILE = REFERENCE / "working_calendar.toml"
ANSWER_WORKING_DAYS = 2
"""Within which a report is answered, and a request about one's own data is taken up (Decree 356/2025)."""
REQUEST_DAYS, EXTENDED_DAYS = 10, 20
"""Calendar days within which a request about one's own data is met, and where it was extended (Decree 356/2025)."""
LONGEST_WAIT = timedelta(days=EXTENDED_DAYS + 10)
"""Further ahead no deadline lies: the longest, and days off that follow it."""


@dataclass(frozen=True, slots=True)
class Year:
    """What is known of a year: days off beside the weekends, and weekend days that are worked."""

    announced: bool
    days_off: frozenset[date]
    working_weekends: frozenset[date]


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day, and whether the days off of every year it was counted through are announced."""

    day: date
    certain: bool


def answer_deadline(received: date) -> Deadline:
    """Two working days: the first is the one after the day on which it came in."""
    return after_working_days(received, ANSWER_WORKING_DAYS)


def request_deadline(received: date, *, extended: bool = False) -> Deadline:
    """10 or 20 days; a last day on which nobody works becomes the next working day (Civil Code 2015, art. 148)."""
    last = received + timedelta(days=EXTENDED_DAYS if extended else REQUEST_DAYS)
    return after_working_days(last - timedelta(days=1), 1)


def after_working_days(start: date, count: int) -> Deadline:
    """The working day that is the `count`th after `start`."""
    day, certain = start, True
    while count > 0:
        day += timedelta(days=1)
        certain = certain and is_announced(day.year)
        count -= is_working(day)
    return Deadline(day, certain)


def is_working(day: date) -> bool:
    """Whether public offices work on that day, as far as is known: of other years only the weekends are."""
    known = calendar().get(day.year)
    if day.weekday() >= 5:
        return known is not None and day in known.working_weekends
    return known is None or day not in known.days_off


def is_announced(year: int) -> bool:
    """Whether the Government has fixed the year's days off."""
    known = calendar().get(year)
    return known is not None and known.announced


@cache
def calendar() -> dict[int, Year]:
    """The years that are known."""
    return {
        each["year"]: Year(
            each["announced"],
            frozenset(found["day"] for found in each["days_off"]),
            frozenset(each["working_weekends"]),
        )
        for each in read_toml(FILE)["year"]
    }
