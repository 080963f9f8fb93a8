"""Days in cells: real dates, Excel's serial numbers of both systems, and days as people write them.

Vietnamese dates put the day first. An impossible day gives no value; what only a year or month says is marked so.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from ingest.values import Cell, Problem, Reading, nothing, raw_text, tidy
from postgis.folding import flatten
from postgis.today import today as vietnams_today

Precision = Literal["day", "month", "year"]
_FIRST, _LAST = date(1900, 1, 1), date(2100, 12, 31)
_BASE_1900, _BASE_1904 = date(1899, 12, 30), date(1904, 1, 1)
_SERIALS = (366, 73_415)
"""1 January 1901 to 31 December 2100: smaller numbers are years, counts, or ages."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day; of a year or month alone, its first."""

    on: date
    precision: Precision = "day"

    def __str__(self) -> str:
        return self.on.isoformat()[: {"day": 10, "month": 7, "year": 4}[self.precision]]


_SIGN = r"\s*[/.\-\s]\s*"
_DAY_FIRST = re.compile(rf"(\d{{1,2}}){_SIGN}(\d{{1,2}}){_SIGN}(\d{{4}}|\d{{2}})")
_YEAR_FIRST = re.compile(rf"(\d{{4}}){_SIGN}(\d{{1,2}}){_SIGN}(\d{{1,2}})")
_WORDS = re.compile(r"(?:ngay\s*)?(\d{1,2})\s*(?:thang|th\.?)\s*(\d{1,2}|[a-z]+)\s*(?:,|nam|/|-)?\s*(\d{4}|\d{2})")
_ENGLISH = re.compile(
    r"(\d{1,2})[\s\-]*(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,?[\s\-]*(\d{4}|\d{2})"
)
_MONTH = re.compile(r"(?:(?:thang|t)\.?\s*)?(\d{1,2})\s*(?:/|-|nam|\.|\s)\s*(\d{4})")
_MONTH_BACK = re.compile(r"(\d{4})-(\d{2})")
_YEAR = re.compile(r"(?:nam\s*)?((?:19|20)\d{2})")
_TIME = re.compile(r"[\st]+\d{1,2}[:h]\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:am|pm|sa|ch)?$")
_ENGLISH_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_WORDS = {
    "gieng": 1, "mot": 1, "hai": 2, "ba": 3, "tu": 4, "bon": 4, "nam": 5, "sau": 6, "bay": 7, "tam": 8, "chin": 9,
    "muoi": 10, "chap": 12,
}  # fmt: skip


def read_date(cell: Cell, *, system_1904: bool = False, today: date | None = None) -> Reading[Day]:
    """The day of a cell. `system_1904`: the workbook counts days as old Macs did. `today` decides two-digit years."""
    if (empty := nothing(cell)) is not None:
        return empty
    raw = raw_text(cell)
    now = today or vietnams_today()
    if isinstance(cell, bool):
        return Reading(raw, problems=(Problem("not_a_date"),))
    if isinstance(cell, datetime):
        return _checked(raw, cell.date())
    if isinstance(cell, date):
        return _checked(raw, cell)
    text = _TIME.sub("", flatten(tidy(cell))).strip(" .,;")
    if re.fullmatch(r"\d{1,6}(?:\.\d+)?", text):
        return _number(raw, float(text), system_1904)
    return _written(raw, text, now)


def _number(raw: str, number: float, system_1904: bool) -> Reading[Day]:
    if number.is_integer() and 1900 <= number <= 2100:
        return Reading(raw, Day(date(int(number), 1, 1), "year"), 0.6, (Problem("year_only"),))
    if not _SERIALS[0] <= number <= _SERIALS[1]:
        return Reading(raw, problems=(Problem("not_a_date"),))
    day = (_BASE_1904 if system_1904 else _BASE_1900) + timedelta(days=int(number))
    if not _FIRST <= day <= _LAST:
        return Reading(raw, problems=(Problem("unlikely_date"),))
    # Small serials are days before 1950: more likely a number of something.
    sure = day.year >= 1950
    problems = (Problem("serial_date"),) if sure else (Problem("serial_date"), Problem("unlikely_date"))
    return Reading(raw, Day(day), 0.9 if sure else 0.4, problems)


def _written(raw: str, text: str, now: date) -> Reading[Day]:
    if match := _YEAR_FIRST.fullmatch(text):
        return _day(raw, int(match[3]), int(match[2]), match[1], now, swap=False)
    if match := _DAY_FIRST.fullmatch(text):
        return _day(raw, int(match[1]), int(match[2]), match[3], now, swap=True)
    if match := _WORDS.fullmatch(text):
        month = int(match[2]) if match[2].isdigit() else _MONTH_WORDS.get(match[2], 0)
        return _day(raw, int(match[1]), month, match[3], now, swap=False)
    if match := _ENGLISH.fullmatch(text):
        return _day(raw, int(match[1]), _ENGLISH_MONTHS.index(match[2]) + 1, match[3], now, swap=False)
    if match := _MONTH_BACK.fullmatch(text):
        return _month(raw, int(match[2]), int(match[1]))
    if match := _MONTH.fullmatch(text):
        return _month(raw, int(match[1]), int(match[2]))
    if match := _YEAR.fullmatch(text):
        return Reading(raw, Day(date(int(match[1]), 1, 1), "year"), 0.6, (Problem("year_only"),))
    return Reading(raw, problems=(Problem("not_a_date"),))


def _day(raw: str, day: int, month: int, year_text: str, now: date, *, swap: bool) -> Reading[Day]:
    problems: list[Problem] = []
    confidence = 1.0
    year = int(year_text)
    if len(year_text) == 2:
        year += 2000 if year <= now.year % 100 + 10 else 1900
        problems.append(Problem("two_digit_year"))
        confidence = 0.9
    if swap and month > 12 >= day:
        day, month = month, day
        problems.append(Problem("month_first"))
        confidence = 0.7
    try:
        found = date(year, month, day)
    except ValueError:
        return Reading(raw, problems=(Problem("impossible_date"),))
    reading = _checked(raw, found)
    if reading.value is None:
        return reading
    return Reading(raw, reading.value, confidence, tuple(problems))


def _month(raw: str, month: int, year: int) -> Reading[Day]:
    if not 1 <= month <= 12 or not _FIRST.year <= year <= _LAST.year:
        return Reading(raw, problems=(Problem("impossible_date"),))
    return Reading(raw, Day(date(year, month, 1), "month"), 0.6, (Problem("month_only"),))


def _checked(raw: str, day: date) -> Reading[Day]:
    if not _FIRST <= day <= _LAST:
        return Reading(raw, problems=(Problem("unlikely_date"),))
    return Reading(raw, Day(day), 1.0)
