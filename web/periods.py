"""Periods that wards report on: months, quarters, half-years and years."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

KINDS = ("monthly", "quarterly", "half_yearly", "yearly")
_WRITTEN = {
    "monthly": re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])"),
    "quarterly": re.compile(r"(20[0-9]{2})-Q([1-4])"),
    "half_yearly": re.compile(r"(20[0-9]{2})-H([12])"),
    "yearly": re.compile(r"(20[0-9]{2})()"),
}
_MONTHS = {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12}
REPORT_DAY = 15
"""Monthly reports are due before this day of the month after."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days of a report, first and last included. `text`: 2026-10, 2026-Q3, 2026-H1 or 2026."""

    kind: str
    text: str
    first: date
    last: date

    @property
    def number(self) -> int:
        """Which month, quarter or half of its year."""
        return (self.first.month - 1) // _MONTHS[self.kind] + 1


def period(kind: str, text: str) -> Period:
    """The days of a period as it is written. Raises ValueError."""
    found = _WRITTEN[kind].fullmatch(text) if kind in KINDS else None
    if found is None:
        raise ValueError(text)
    months = _MONTHS[kind]
    first = date(int(found[1]), (int(found[2] or 1) - 1) * months + 1, 1)
    after = date(first.year + (first.month - 1 + months) // 12, (first.month - 1 + months) % 12 + 1, 1)
    return Period(kind, text, first, after - timedelta(days=1))


def of_day(kind: str, day: date) -> Period:
    """The period of that kind that a day lies in."""
    number = (day.month - 1) // _MONTHS[kind] + 1
    written = {"monthly": f"-{number:02}", "quarterly": f"-Q{number}", "half_yearly": f"-H{number}", "yearly": ""}
    return period(kind, f"{day.year}{written[kind]}")


def latest(kind: str, today: date, count: int) -> list[Period]:
    """The latest periods that have begun, newest first."""
    found = [of_day(kind, today)]
    while len(found) < count:
        found.append(of_day(kind, found[-1].first - timedelta(days=1)))
    return found
