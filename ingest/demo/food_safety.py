"""Invented food-safety files, inspections and warnings, for places that handle food only."""

from datetime import date, timedelta
from random import Random
from typing import Any

from ingest.demo.businesses import SOURCE, Business
from ingest.demo.days import between, days_before, years_after

Rows = list[dict[str, Any]]

_KNOWN = 0.86
"""Share of the food places whose file somebody has looked at."""

_FILES = {
    "vendor": {"commitment": 0.5, "not_required": 0.34, "missing": 0.16},
    "household": {"certificate": 0.22, "commitment": 0.5, "not_required": 0.06, "missing": 0.22},
    "enterprise": {"certificate": 0.6, "equivalent": 0.14, "commitment": 0.1, "missing": 0.16},
}
_CERTIFICATE_YEARS = 3
_COMMITMENT_YEARS = 3
_OVERDUE_DAYS = 130
_AGENCIES = {"health": "Cơ quan y tế", "trade": "Cơ quan công thương", "agri": "Cơ quan nông nghiệp và môi trường"}
_INSPECTORS = (
    "Tổ kiểm tra an toàn thực phẩm phường",
    "Đoàn kiểm tra liên ngành",
    "Cơ quan quản lý an toàn thực phẩm thành phố",
)

_INSPECTED = 0.36
_INSPECTION_DAYS = 730
_RESULTS = {"pass": 0.86, "fail": 0.12, "pending": 0.02}
_GRADES = {"a": 0.25, "b": 0.65, "c": 0.1}
"""Places under the agricultural rules are graded (Circular 38/2018/TT-BNNPTNT)."""
_ADVERSE = ("fail", "c")
_WORDS = {
    "pass": "Đạt",
    "fail": "Không đạt",
    "pending": "Chờ hoàn thiện",
    "a": "Xếp loại A (tốt)",
    "b": "Xếp loại B (đạt)",
    "c": "Xếp loại C (không đạt)",
}
_CHECKED_AGAIN = 0.6
_STILL_DRAFT = 0.008


def food_safety_files(business: Business, as_of: date, rng: Random) -> Rows:
    """The food-safety files of a food place, oldest first; none where nobody has looked."""
    if business.trade.food is None or rng.random() >= _KNOWN:
        return []
    last_day = business.last_day(as_of)
    checked_on = business.checks[-1] if business.checks else between(rng, days_before(last_day, 700), last_day)
    checked_on = max(checked_on, business.opened_on)
    form = "vendor" if not business.is_registered else "enterprise" if business.is_enterprise else "household"
    kind = rng.choices(list(_FILES[form]), list(_FILES[form].values()))[0]
    rows = [_file(business, kind, checked_on, rng)]
    if kind != "missing" and len(business.checks) > 1 and rng.random() < 0.15:
        # It had nothing at the first visit, and mended that.
        rows.insert(0, _file(business, "missing", business.checks[0], rng))
    return rows


def _file(business: Business, kind: str, checked_on: date, rng: Random) -> dict[str, Any]:
    row = {"kind": kind, "checked_on": checked_on, "source": SOURCE}
    years = {"certificate": _CERTIFICATE_YEARS, "equivalent": _CERTIFICATE_YEARS, "commitment": _COMMITMENT_YEARS}.get(
        kind
    )
    if years is None:
        return row
    # A commitment is signed again in time, since that costs an hour; a certificate often lapses.
    overdue = _OVERDUE_DAYS if kind == "certificate" else -200
    earliest = max(business.opened_on, days_before(years_after(checked_on, -years), overdue))
    issued_on = between(rng, earliest, checked_on)
    agency = "Ủy ban nhân dân phường" if kind == "commitment" else _AGENCIES[business.trade.food or "health"]
    number = f"MH-ATTP-{business.number:05d}"
    return row | {
        "number": number,
        "agency": agency,
        "issued_on": issued_on,
        "valid_until": years_after(issued_on, years),
    }


def inspections(business: Business, as_of: date, rng: Random) -> Rows:
    """Inspections of the last two years, oldest first; a bad result is often followed by a second visit."""
    if business.trade.food is None or rng.random() >= _INSPECTED:
        return []
    last_day = business.last_day(as_of)
    first = max(business.opened_on + timedelta(days=30), days_before(as_of, _INSPECTION_DAYS))
    if first > last_day:
        return []
    scale = _GRADES if business.trade.food == "agri" else _RESULTS
    rows: Rows = []
    day = between(rng, first, last_day)
    while day <= last_day:
        result = rng.choices(list(scale), list(scale.values()))[0]
        rows.append(_inspection(day, result, as_of, rng))
        if result in _ADVERSE and rng.random() < _CHECKED_AGAIN:
            day += timedelta(days=rng.randint(20, 90))
            if day <= last_day:
                rows.append(_inspection(day, "b" if scale is _GRADES else "pass", as_of, rng))
        day += timedelta(days=rng.randint(200, 600))
    return rows


def _inspection(day: date, result: str, as_of: date, rng: Random) -> dict[str, Any]:
    signed_on: date | None = day + timedelta(days=rng.randint(1, 14))
    if signed_on and (signed_on > as_of or rng.random() < _STILL_DRAFT):
        signed_on = None
    return {
        "inspected_on": day,
        "agency": rng.choice(_INSPECTORS),
        "result": result,
        "official_words": _WORDS[result],
        "signed_on": signed_on,
        "source": SOURCE,
    }


def last_failure(rows: Rows) -> date | None:
    """The day on which a bad result was signed that no later signed result has put right."""
    signed = [row for row in rows if row["signed_on"]]
    if not signed or signed[-1]["result"] not in _ADVERSE:
        return None
    day: date = signed[-1]["signed_on"]
    return day
