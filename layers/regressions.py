"""What got lost: places that said yes to an indicator and say no now; a yes that nobody has checked for too long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal, select

from layers import indicators
from layers.indicator_codes import MEASURED
from postgis import tables
from postgis.today import end_of

MOST = 100
_STATE, _PLACE, _SITE = tables.establishment_state, tables.establishment, tables.model_site
_BY_TOOLS = frozenset(
    {"online_selling", "enterprise_e_contract", "enterprise_e_commerce", "food_service_cash_register_invoice"}
)
_BY_EITHER = frozenset({"digital_platform_use", "sme_digital_platform", "enterprise_digital_technology"})
"""By which check an answer stands: that of digital tools, or the later of both; all others by that of payment."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A place that said yes on a day and says no on a later one. `since`: from when the register knows."""

    code: str
    name: str | None
    address: str | None
    street: str | None
    model_site: str | None
    since: datetime


def lost(connection: Connection, ward_id: int, code: str, first: date, last: date) -> list[Lost]:
    """The places of the own ward, the latest first, MOST at most. Raises KeyError for what is not measured.

    Both days as the register knew them then. A place that is gone, or of which nothing is known any more, is none.
    """
    if code not in MEASURED:
        raise KeyError(code)
    yes = _answering(ward_id, code, "yes", first).subquery("yes")
    no = _answering(ward_id, code, "no", last).subquery("no")
    statement = (
        select(
            _PLACE.c.code, _PLACE.c.name, _PLACE.c.address, no.c.street_name, _SITE.c.name.label("site"),
            no.c.known_from,
        )
        .select_from(
            no.join(yes, yes.c.establishment_id == no.c.establishment_id)
            .join(_PLACE, _PLACE.c.id == no.c.establishment_id)
            .outerjoin(_SITE, _SITE.c.id == no.c.model_site_id)
        )
        .order_by(no.c.known_from.desc(), _PLACE.c.code)
        .limit(MOST)
    )  # fmt: skip
    return [
        Lost(row.code, row.name, row.address, row.street_name, row.site, row.known_from)
        for row in connection.execute(statement)
    ]


def stale(connection: Connection, ward_id: int, code: str, day: date) -> tuple[int, int]:
    """How many say yes at the end of a day, and of how many of these the check is older than the ward relies on.

    Raises KeyError for what is not measured, and for what stands by no check.
    """
    if code not in MEASURED or code == "digital_outreach":
        raise KeyError(code)
    checked: ColumnElement[Any] = _STATE.c.payment_checked_on
    fact = "payment"
    if code in _BY_TOOLS or code in _BY_EITHER:
        fact, tools = "digital", _STATE.c.digital_checked_on
        checked = tools if code in _BY_TOOLS else func.greatest(tools, checked)
    old = checked + func.make_interval(0, func.register.shelf_life_months(ward_id, fact)) < day
    answering = _answering(ward_id, code, "yes", day)
    statement = answering.with_only_columns(func.count(), func.count().filter(old))
    found = connection.execute(statement).one()
    return int(found[0]), int(found[1])


def streets(found: Sequence[Lost]) -> dict[str, int]:
    """How many were lost by street or site, where it is more than one."""
    counts: dict[str, int] = {}
    for each in found:
        name = each.model_site or each.street
        if name:
            counts[name] = counts.get(name, 0) + 1
    return {name: count for name, count in sorted(counts.items(), key=lambda item: -item[1]) if count > 1}


def _answering(ward_id: int, code: str, wanted: str, day: date) -> Select[Any]:
    moment, answer = end_of(day), indicators.answers(_STATE)
    return (
        select(_STATE.c.establishment_id, _STATE.c.street_name, _STATE.c.model_site_id, _STATE.c.known_from)
        .select_from(_STATE.join(answer, literal(True)))
        .where(_STATE.c.ward_id == ward_id, _STATE.c.known_from <= moment, _STATE.c.known_to > moment)
        .where(answer.c[code] == wanted)
    )
