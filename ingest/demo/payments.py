"""Invented checks of how a place can be paid: what was seen at each visit, so that adoption grows over the year."""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any, NamedTuple

from ingest.demo.businesses import SOURCE, Business
from ingest.demo.days import between, days_before
from postgis.vocabulary import EVIDENCE_LEVELS

Rows = list[dict[str, Any]]


class Till(NamedTuple):
    """How such places are paid, as shares of those surveyed: assumptions, and labelled so."""

    vietqr: float
    cash_only: float
    """The rest take something other than VietQR."""
    pos_card: float
    wallet: float
    card_online: float = 0.0


TILLS = {
    "cafe": Till(0.90, 0.06, 0.09, 0.44),
    "shop": Till(0.80, 0.12, 0.11, 0.37),
    "stall": Till(0.65, 0.21, 0.01, 0.18),
    "street": Till(0.60, 0.24, 0.0, 0.18),
    "hotel": Till(0.85, 0.04, 0.70, 0.35, 0.35),
    "service": Till(0.74, 0.15, 0.06, 0.3),
    "office": Till(0.68, 0.08, 0.14, 0.13, 0.06),
}
_WALLETS = {"momo": 0.72, "zalopay": 0.38, "vnpay_wallet": 0.12, "shopeepay": 0.2}
_BANK_TRANSFER = 0.28
_VNPAY_QR = 0.08
_MOBILE_MONEY = 0.02
_ADOPTED_THIS_YEAR = 0.42
"""Of those who take cashless payment now."""
_GAVE_UP = 0.03

_EVIDENCE = (0.42, 0.36, 0.15, 0.07)
"""Shares of EVIDENCE_LEVELS at one visit."""
_EVIDENCE_ON_SITE = (0.16, 0.32, 0.3, 0.22)
"""In the model sites the plan asks for a check record and sample transactions."""
_TRANSACTIONS = {"declared": (0.2, 0.08), "observed": (0.4, 0.1), "documented": (0.65, 0.1), "confirmed": (1.0, 0.0)}
"""Shares for yes and no; the rest is not known."""


def payment_acceptances(business: Business, as_of: date, rng: Random) -> Rows:
    """Dated observations, earliest first: cash only until a place adopts, then its methods, and seldom an end to it."""
    if not business.checks:
        return []
    till = TILLS[_till(business)]
    if rng.random() < till.cash_only:
        return [_cash_only(day, rng) for day in business.checks]
    methods = _methods(till, rng)
    adopted_on = _adopted_on(business.checks[-1], as_of, rng)
    rows: Rows = []
    levels = dict.fromkeys(methods, 0)
    for visit, day in enumerate(business.checks, start=1):
        if day < adopted_on:
            rows.append(_cash_only(day, rng))
        elif visit == len(business.checks) > 1 and business.checks[0] >= adopted_on and rng.random() < _GAVE_UP:
            rows += [_refused(method, day) for method in methods]
            rows.append(_cash_only(day, rng))
        else:
            for method in methods:
                # Evidence only grows: a later visit does not lose the record of an earlier one.
                levels[method] = max(levels[method], _level(business, rng))
                rows.append(_accepted(method, EVIDENCE_LEVELS[levels[method]], day, rng))
    return rows


def _till(business: Business) -> str:
    if business.location.stall:
        return "stall"
    return business.trade.till if business.is_registered else "street"


def _methods(till: Till, rng: Random) -> Sequence[str]:
    """The cashless methods of a place that takes some, always at least one."""
    found = ["vietqr"] if rng.random() < till.vietqr / (1 - till.cash_only) else []
    chances = {
        "vnpay_qr": _VNPAY_QR,
        "bank_transfer": _BANK_TRANSFER,
        "pos_card": till.pos_card,
        "mobile_money": _MOBILE_MONEY,
        "card_online": till.card_online,
    }
    found += [method for method, chance in chances.items() if rng.random() < chance]
    if rng.random() < till.wallet:
        found += [wallet for wallet, chance in _WALLETS.items() if rng.random() < chance] or ["momo"]
    return found or ["bank_transfer" if rng.random() < 0.8 else "momo"]


def _adopted_on(last_check: date, as_of: date, rng: Random) -> date:
    """No later than the last check, so that the latest observations come out at the shares above."""
    if rng.random() >= _ADOPTED_THIS_YEAR:
        return date.min
    return between(rng, days_before(as_of, 360), last_check)


def _level(business: Business, rng: Random) -> int:
    shares = _EVIDENCE_ON_SITE if business.location.model_site_code else _EVIDENCE
    return rng.choices(range(len(EVIDENCE_LEVELS)), shares)[0]


def _cash_only(day: date, rng: Random) -> dict[str, Any]:
    level = rng.choice(("declared", "observed"))
    return {"method": "cash_only", "accepted": True, "evidence_level": level, "checked_on": day, "source": SOURCE}


def _refused(method: str, day: date) -> dict[str, Any]:
    return {"method": method, "accepted": False, "evidence_level": "observed", "checked_on": day, "source": SOURCE}


def _accepted(method: str, level: str, day: date, rng: Random) -> dict[str, Any]:
    yes, no = _TRANSACTIONS[level]
    draw = rng.random()
    return {
        "method": method,
        "accepted": True,
        "evidence_level": level,
        "has_transactions": True if draw < yes else False if draw < yes + no else None,
        "checked_on": day,
        "source": SOURCE,
    }
