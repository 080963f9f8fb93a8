"""Deadlines over Tết, 2 September and weekends; and where a year's days off are not fixed, that this is said."""

from datetime import date, timedelta

import pytest

from postgis.reference_files import read_toml
from postgis.working_days import (
    FILE,
    LONGEST_WAIT,
    Deadline,
    after_working_days,
    answer_deadline,
    calendar,
    is_working,
    request_deadline,
)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-11-16", "2026-11-18"),  # Monday: Wednesday
        ("2026-11-19", "2026-11-23"),  # Thursday: Monday
        ("2026-11-20", "2026-11-25"),  # Friday: Monday, then the Day of Culture is off
        ("2026-11-22", "2026-11-25"),  # Sunday
        ("2026-11-24", "2026-11-26"),  # on a day off
        ("2026-02-12", "2026-02-23"),  # the last Thursday before Tết Bính Ngọ: Friday, then Monday of the week after
        ("2026-02-13", "2026-02-24"),
        ("2026-02-17", "2026-02-24"),  # on the first day of the year
        ("2026-04-24", "2026-04-29"),  # Hùng Vương on a Sunday is made up for on Monday
        ("2026-04-29", "2026-05-05"),
        ("2026-08-28", "2026-09-04"),  # 2 September with its swapped Monday
        ("2026-09-02", "2026-09-04"),
        ("2026-08-21", "2026-08-24"),  # the Saturday that is worked instead counts
    ],
)
def test_two_working_days_of_an_announced_year(received: str, due: str) -> None:
    assert answer_deadline(date.fromisoformat(received)) == Deadline(date.fromisoformat(due), True)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-12-30", "2027-01-04"),  # Thursday, New Year's Day, weekend: into a year not announced
        ("2027-02-02", "2027-02-11"),  # Wednesday 3 is the last before Tết Đinh Mùi
        ("2027-02-06", "2027-02-12"),
        ("2027-09-01", "2027-09-07"),
    ],
)
def test_a_year_that_is_not_announced_is_told(received: str, due: str) -> None:
    assert answer_deadline(date.fromisoformat(received)) == Deadline(date.fromisoformat(due), False)


def test_of_an_unknown_year_only_weekends_are_counted() -> None:
    unknown = max(calendar()) + 1
    assert answer_deadline(date(unknown, 9, 1)).certain is False
    assert is_working(date(2031, 1, 1)) and not is_working(date(2031, 1, 4))


def test_a_request_is_met_in_ten_days_or_twenty_and_never_ends_on_a_day_off() -> None:
    assert request_deadline(date(2026, 11, 10)) == Deadline(date(2026, 11, 20), True)
    assert request_deadline(date(2026, 11, 14)) == Deadline(date(2026, 11, 25), True)  # Tuesday 24 is off
    assert request_deadline(date(2026, 2, 6)) == Deadline(date(2026, 2, 23), True)
    assert request_deadline(date(2026, 11, 10), extended=True) == Deadline(date(2026, 11, 30), True)
    for number in range(700):
        received = date(2026, 1, 1) + timedelta(days=number)
        due = request_deadline(received)
        assert is_working(due.day) and due.day >= received + timedelta(days=10)
        assert request_deadline(received, extended=True).day <= received + LONGEST_WAIT


def test_a_deadline_is_never_earlier_for_what_came_later() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(800)]
    for count in (1, 2, 10):
        found = [after_working_days(day, count).day for day in days]
        assert found == sorted(found)
        assert all(day < due and is_working(due) for day, due in zip(days, found, strict=True))


def test_the_calendar_holds_what_the_law_gives_and_its_source() -> None:
    """Labour Code 2019, art. 112: 1 + 5 + 2 + 2 + 1 days, and 24 November; what falls on a weekend is made up for."""
    for each in read_toml(FILE)["year"]:
        assert each["source"]
        days = [found["day"] for found in each["days_off"]]
        assert days == sorted(set(days)) and {day.year for day in days} == {each["year"]}
        assert sum(day.weekday() < 5 for day in days) - len(each["working_weekends"]) == 12
        assert all(day.weekday() >= 5 for day in each["working_weekends"])
        fixed = {(1, 1), (4, 30), (5, 1), (9, 2), (11, 24)}
        assert fixed <= {(day.month, day.day) for day in days}
