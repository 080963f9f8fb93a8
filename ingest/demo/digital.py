"""Invented checks of digital tools: e-invoice, sales software, marketplaces, delivery, social selling."""

from datetime import date
from random import Random
from typing import Any

from ingest.demo.businesses import SOURCE, Business
from ingest.demo.days import between, days_before

_HOUSEHOLD = {"e_invoice": 0.18, "sales_software": 0.14, "marketplace": 0.2, "social_selling": 0.24}
_ENTERPRISE = {"e_invoice": 0.9, "sales_software": 0.5, "marketplace": 0.24, "social_selling": 0.35}
_ENTERPRISE_MORE = {"e_contract": 0.2, "website": 0.35, "zalo_oa": 0.15}
_HOUSEHOLD_MORE = {"website": 0.03, "zalo_oa": 0.06}
_DELIVERY = 0.45
_SHARE_OF_STREET_SELLERS = 0.3
"""Street sellers use each tool this much less."""
_STARTED_THIS_YEAR = 0.35


def digital_uses(business: Business, as_of: date, rng: Random) -> list[dict[str, Any]]:
    """What was found at the first and the last visit, earliest first; nothing for a place never surveyed.

    The main tools are asked for at every place; the others are noted only where they are used.
    """
    if not business.checks:
        return []
    asked = dict(_ENTERPRISE if business.is_enterprise else _HOUSEHOLD)
    if business.trade.sector_group in ("food_service", "cafe_drinks"):
        del asked["marketplace"]
        asked["food_delivery"] = _DELIVERY
    factor = 1.0 if business.is_registered else _SHARE_OF_STREET_SELLERS
    since = {kind: _since(share * factor, business.checks[-1], as_of, rng) for kind, share in asked.items()}
    for kind, share in (_ENTERPRISE_MORE if business.is_enterprise else _HOUSEHOLD_MORE).items():
        if (day := _since(share * factor, business.checks[-1], as_of, rng)) is not None:
            since[kind] = day
    visits = sorted({business.checks[0], business.checks[-1]})
    return [
        {"kind": kind, "used": started is not None and visit >= started, "checked_on": visit, "source": SOURCE}
        for visit in visits
        for kind, started in since.items()
        if kind in asked or (started is not None and visit >= started)
    ]


def _since(share: float, last_check: date, as_of: date, rng: Random) -> date | None:
    """Since when a tool is used; None when it is not."""
    if rng.random() >= share:
        return None
    return between(rng, days_before(as_of, 360), last_check) if rng.random() < _STARTED_THIS_YEAR else date.min
