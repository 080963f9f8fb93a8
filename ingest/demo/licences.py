"""Invented licences: registrations, and the permits that a trade calls for, with terms that run out on either side of
today."""

from datetime import date
from random import Random
from typing import Any

from ingest.demo.businesses import SOURCE, Business
from ingest.demo.days import between, days_before, years_after

_REGISTRATION_KNOWN = 0.9
_NOT_REQUIRED_KNOWN = 0.6
"""Among those who trade without registration; of the others nobody knows whether they would need one."""

_ISSUERS = {
    "tobacco_retail": "Ủy ban nhân dân phường",
    "alcohol_retail": "Ủy ban nhân dân phường",
    "karaoke": "Cơ quan văn hóa, thể thao",
    "security_order": "Cơ quan công an",
    "fire_safety": "Cơ quan cảnh sát phòng cháy, chữa cháy",
    "pharmacy": "Sở Y tế",
    "medical_practice": "Sở Y tế",
    "lodging_grade": "Cơ quan du lịch",
    "fuel_gas": "Sở Công Thương",
}
_TERM_YEARS = {"tobacco_retail": 5, "alcohol_retail": 5, "pharmacy": 3, "lodging_grade": 5, "fuel_gas": 5}
"""Of a pharmacy: the re-check of good practice. The others have no term."""

_OVERDUE_DAYS = 300
"""How long after its end a permit may still hang on the wall without a new one."""


def licences(business: Business, as_of: date, rng: Random) -> list[dict[str, Any]]:
    """The licences of a business. None at all means that nobody knows."""
    found = []
    last_day = business.last_day(as_of)
    if not business.is_registered:
        if rng.random() < _NOT_REQUIRED_KNOWN:
            checked_on = business.checks[-1] if business.checks else between(rng, business.opened_on, last_day)
            found.append({"kind": "not_required", "checked_on": checked_on, "source": SOURCE})
        return found
    if rng.random() < _REGISTRATION_KNOWN:
        found.append(_registration(business, last_day, rng))
    for kind, share in business.trade.permits.items():
        if rng.random() < share:
            found.append(_permit(business, kind, last_day, rng))
    return found


def _registration(business: Business, last_day: date, rng: Random) -> dict[str, Any]:
    if business.is_enterprise:
        issuer = "Cơ quan đăng ký kinh doanh thành phố"
    elif business.opened_on >= date(2025, 7, 1):
        issuer = "Phòng Kinh tế, Hạ tầng và Đô thị phường"
    else:
        issuer = "Phòng Tài chính - Kế hoạch quận"
    return _row(business, "business_registration", issuer, business.opened_on, None, last_day, rng)


def _permit(business: Business, kind: str, last_day: date, rng: Random) -> dict[str, Any]:
    years = _TERM_YEARS.get(kind)
    if years is None:
        issued_on = between(rng, business.opened_on, min(last_day, years_after(business.opened_on, 1)))
        return _row(business, kind, _ISSUERS[kind], issued_on, None, last_day, rng)
    earliest = max(business.opened_on, days_before(years_after(last_day, -years), _OVERDUE_DAYS))
    issued_on = between(rng, earliest, last_day)
    return _row(business, kind, _ISSUERS[kind], issued_on, years_after(issued_on, years), last_day, rng)


def _row(
    business: Business,
    kind: str,
    issuer: str,
    issued_on: date,
    expires_on: date | None,
    last_day: date,
    rng: Random,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "number": f"MH-{business.number:05d}",
        "issuer": issuer,
        "issued_on": issued_on,
        "expires_on": expires_on,
        "checked_on": between(rng, max(issued_on, days_before(last_day, 540)), last_day),
        "source": SOURCE,
    }
