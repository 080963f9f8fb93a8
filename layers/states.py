"""What the register knows of each establishment on a day: the one base of every figure, in SQLAlchemy's terms.

Rows are those of `postgis.tables.establishment_state`, under the asker's row-level security.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import Connection, Date, Text, cast, column, func, select, text
from sqlalchemy.sql import Subquery

from postgis.tables import establishment_state, ward
from postgis.today import end_of

Standing = Literal["then", "now"]
"""`then`: as the register had it at the end of the day, for ever the same; `now`: by what it holds now, dated up to
that day."""
_NAME = "state"


@dataclass(frozen=True, slots=True)
class Head:
    """The last change of the history at a moment."""

    seq: int
    hash: str
    """SHA-256 in hexadecimal."""


def states(ward_code: str, day: date, standing: Standing = "then") -> Subquery:
    """The places of a ward on a day, one row each."""
    return as_of(ward_code, end_of(day)) if standing == "then" else known_now(ward_code, day)


def as_of(ward_code: str, moment: datetime) -> Subquery:
    """The places of a ward as the register had them at a moment."""
    state = establishment_state
    own = select(ward.c.id).where(ward.c.code == ward_code, ward.c.valid_to.is_(None)).scalar_subquery()
    at_moment = (state.c.known_from <= moment, state.c.known_to > moment)
    return select(state).where(state.c.ward_id == own, *at_moment).subquery(_NAME)


def known_now(ward_code: str, day: date) -> Subquery:
    """The places of a ward on a day by what is known now and dated up to that day (register.states_known_now)."""
    found = func.register.states_known_now(cast(ward_code, Text), cast(day, Date))
    columns = [column(each.name, each.type) for each in establishment_state.columns]
    return select(found.table_valued(*columns, name="known")).subquery(_NAME)


def is_final(connection: Connection, day: date) -> bool:
    """Whether nothing can be noted of that day any more; ask before the figures are read, in a statement of its own."""
    return bool(connection.execute(select(func.register.day_is_final(cast(day, Date)))).scalar_one())


def head(connection: Connection, moment: datetime) -> Head | None:
    """The head of the history at a moment, for fingerprints; None before its first change."""
    found = connection.execute(
        text("SELECT seq, encode(hash, 'hex') AS hash FROM register.head_at(:moment)"), {"moment": moment}
    ).one_or_none()
    return None if found is None else Head(found.seq, found.hash)


def latest(connection: Connection) -> Head | None:
    """The history's last change: while it is the same, nothing that the history notes has changed."""
    found = connection.execute(
        text("SELECT seq, encode(hash, 'hex') AS hash FROM register.head_at('infinity')")
    ).one_or_none()
    return None if found is None else Head(found.seq, found.hash)
