"""How often places are looked up: sums by day are added, nothing else is ever written."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import ARRAY, Connection, Date, Integer, Text, cast, func, select


def add(connection: Connection, day: date, counted: Mapping[str, int]) -> None:
    """Adds to the look-ups of a day, by the places' codes; a code that there is not is left out.

    Within the caller's transaction of the role mapservice_staff, for which nobody need be signed in.
    """
    codes, numbers = cast(list(counted), ARRAY(Text)), cast(list(counted.values()), ARRAY(Integer))
    connection.execute(select(func.register.count_lookups(cast(day, Date), codes, numbers)))


def forget_old(connection: Connection) -> None:
    """Removes the days that are past keeping (register.forget_lookups)."""
    connection.execute(select(func.register.forget_lookups()))
