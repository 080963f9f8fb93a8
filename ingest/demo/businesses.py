"""The invented businesses themselves: trade, name, legal form, status and the days of their lives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from ingest.demo.days import between, days_before
from ingest.demo.hospitality import HOSPITALITY
from ingest.demo.retail import RETAIL
from ingest.demo.services import SERVICES
from ingest.demo.sites import Location
from ingest.demo.trade import Trade

SOURCE = "demo"
"""Of the businesses and of every fact about them: nobody has surveyed or declared any of it."""

TRADES: tuple[Trade, ...] = (*HOSPITALITY, *RETAIL, *SERVICES)

_SCHEME = "VSIC2025"
_WITH_SECTOR_CODE = 0.94
_WITH_HOURS = 0.6
_STATUSES = {"active": 0.86, "suspended": 0.04, "closed": 0.07, "not_found": 0.03}
_SURVEYED = {"active": 0.78, "suspended": 0.7, "closed": 0.55, "not_found": 0.4}
_SURVEYED_ON_SITE = 0.96
"""In the model sites."""
_CHECKS = (0.42, 0.33, 0.19, 0.06)
"""Shares of surveyed places with one, two, three, four checks in the last twelve months."""
_YEAR = 365
_OLDEST_YEARS = 15


@dataclass(frozen=True, slots=True)
class Business:
    """One invented business and what its records hang on."""

    number: int
    trade: Trade
    location: Location
    legal_form: str
    sector_code: str | None
    status: str
    opened_on: date
    closed_on: date | None
    checks: tuple[date, ...]
    """When surveyors came in the last twelve months, earliest first; empty for a place never surveyed."""
    verified_on: date | None
    opening_hours: str | None

    @property
    def is_registered(self) -> bool:
        """Whether it needs a registration at all."""
        return self.legal_form != "unregistered_individual"

    @property
    def is_enterprise(self) -> bool:
        """Whether it belongs to an enterprise rather than to a household or a person."""
        return self.legal_form in ("enterprise", "branch", "business_location")

    def last_day(self, as_of: date) -> date:
        """The last day on which anything could be seen of it."""
        return min(self.closed_on or as_of, as_of)


def invent(locations: Sequence[Location], as_of: date, rng: Random) -> list[Business]:
    """A business for each location, numbered from 1 in no spatial order."""
    pairs = _matched(locations, rng)
    rng.shuffle(pairs)
    return [_business(number, trade, place, as_of, rng) for number, (trade, place) in enumerate(pairs, start=1)]


def values(business: Business, count: int) -> dict[str, Any]:
    """What the establishment's row says of the business itself; `count` sets how wide its number is written."""
    number = f"{business.number:0{max(4, len(str(count)))}d}"
    return {
        "name": f"{business.trade.word} minh họa {number}",
        "kind": business.trade.kind,
        "legal_form": business.legal_form,
        "sector_scheme": _SCHEME if business.sector_code else None,
        "sector_code": business.sector_code,
        "sector_group": business.trade.sector_group,
        "offering": business.trade.offering,
        "operating_status": business.status,
        "opened_on": business.opened_on,
        "closed_on": business.closed_on,
        "opening_hours": business.opening_hours,
        "verified_on": business.verified_on,
    }


def _matched(locations: Sequence[Location], rng: Random) -> list[tuple[Trade, Location]]:
    """Trades in their exact shares, those that want a main road on the main roads: both ranked, then paired."""
    trades = list(_in_shares(len(locations)))
    rng.shuffle(trades)
    stalls = [place for place in locations if place.stall]
    fronts = [place for place in locations if not place.stall]
    traders = [index for index, trade in enumerate(trades) if trade.stall][: len(stalls)]
    taken = set(traders)
    others = [trade for index, trade in enumerate(trades) if index not in taken]
    wishes = sorted(((trade.front + rng.gauss(0, 0.22), index) for index, trade in enumerate(others)), reverse=True)
    offers = sorted(((place.standing + rng.gauss(0, 0.22), index) for index, place in enumerate(fronts)), reverse=True)
    pairs = [(others[wish], fronts[offer]) for (_, wish), (_, offer) in zip(wishes, offers, strict=False)]
    # Where a small sample has too few market trades, the stalls left over take what is left over.
    rest = others[len(fronts) :]
    return pairs + list(zip([trades[index] for index in traders] + rest, stalls, strict=True))


def _in_shares(count: int) -> Iterator[Trade]:
    """`count` trades by their shares, rounded so that the whole comes out (largest remainders first)."""
    exact = [trade.share * count / sum(trade.share for trade in TRADES) for trade in TRADES]
    short = count - sum(int(wanted) for wanted in exact)
    order = sorted(range(len(TRADES)), key=lambda index: int(exact[index]) - exact[index])
    rounded_up = set(order[:short])
    for index, trade in enumerate(TRADES):
        yield from [trade] * (int(exact[index]) + (index in rounded_up))


def _business(number: int, trade: Trade, place: Location, as_of: date, rng: Random) -> Business:
    status = rng.choices(list(_STATUSES), list(_STATUSES.values()))[0]
    closed_on = days_before(as_of, rng.randrange(1, _YEAR)) if status == "closed" else None
    latest = days_before(closed_on or as_of, 45 if closed_on else 1)
    opened_on = days_before(latest, int(rng.random() ** 1.3 * _OLDEST_YEARS * _YEAR))
    checks = _checks(opened_on, closed_on or as_of, as_of, _chance_of_survey(status, place), rng)
    return Business(
        number=number,
        trade=trade,
        location=place,
        legal_form=_legal_form(trade, place, rng),
        sector_code=trade.sector_code if rng.random() < _WITH_SECTOR_CODE else None,
        status=status,
        opened_on=opened_on,
        closed_on=closed_on,
        checks=checks,
        verified_on=_verified_on(opened_on, closed_on, checks, as_of, rng),
        opening_hours=rng.choice(trade.hours) if rng.random() < _WITH_HOURS else None,
    )


def _chance_of_survey(status: str, place: Location) -> float:
    return _SURVEYED_ON_SITE if place.model_site_code and status == "active" else _SURVEYED[status]


def _legal_form(trade: Trade, place: Location, rng: Random) -> str:
    if place.stall:
        return "household_business" if rng.random() < 0.85 else "unregistered_individual"
    draw = rng.random()
    if draw < trade.enterprise:
        return "enterprise"
    if draw < trade.enterprise + trade.branch:
        return rng.choice(("branch", "business_location"))
    if draw < trade.enterprise + trade.branch + trade.vendor:
        return "unregistered_individual"
    if trade.sector_group == "education" and draw > 0.9:
        return "public_service_unit"
    return (
        "cooperative" if trade.sector_group in ("production", "food_retail") and draw > 0.99 else "household_business"
    )


def _checks(opened_on: date, last_day: date, as_of: date, chance: float, rng: Random) -> tuple[date, ...]:
    """Days of visits: one round at a time across the last year, at least a month apart."""
    first = max(opened_on, days_before(as_of, _YEAR - 1))
    if rng.random() >= chance or first > last_day:
        return ()
    wanted = rng.choices(range(1, len(_CHECKS) + 1), _CHECKS)[0]
    kept: list[date] = []
    for day in sorted(between(rng, first, last_day) for _ in range(wanted)):
        if not kept or day - kept[-1] >= timedelta(days=30):
            kept.append(day)
    return tuple(kept)


def _verified_on(
    opened_on: date, closed_on: date | None, checks: Sequence[date], as_of: date, rng: Random
) -> date | None:
    """The last visit, or the day someone found it closed; half of the rest were seen years ago, half never."""
    if closed_on:
        return between(rng, closed_on, min(as_of, closed_on + timedelta(days=60)))
    if checks:
        return checks[-1]
    old = days_before(as_of, rng.randint(_YEAR, 4 * _YEAR))
    return old if old >= opened_on and rng.random() < 0.6 else None
