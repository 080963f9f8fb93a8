"""How far payment without cash has come, by part of a ward."""

from datetime import date, timedelta

from postgis.today import today


def may_be_told(day: date) -> bool:
    """Whether anybody is told of this day: today, or the last of a month. From any day to the next one could see who
    has been asked; published.payment_adoption says the same.
    """
    return day == today() or (day < today() and (day + timedelta(days=1)).day == 1)
