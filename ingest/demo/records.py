"""All dated records of an invented business, by the table they belong to."""

from datetime import date
from random import Random
from typing import Any

from ingest.demo.businesses import Business
from ingest.demo.digital import digital_uses
from ingest.demo.food_safety import food_safety_files, inspections, last_failure
from ingest.demo.licences import licences
from ingest.demo.payments import payment_acceptances
from ingest.demo.warnings import warnings


def invent(business: Business, as_of: date, rng: Random) -> dict[str, list[dict[str, Any]]]:
    """The records of a business before and on `as_of`, none of them after it."""
    visited = inspections(business, as_of, rng)
    rows = {
        "licence": licences(business, as_of, rng),
        "food_safety_record": food_safety_files(business, as_of, rng),
        "inspection": visited,
        "warning": warnings(business, last_failure(visited), as_of, rng),
        "payment_acceptance": payment_acceptances(business, as_of, rng),
        "digital_use": digital_uses(business, as_of, rng),
    }
    return {table: found for table, found in rows.items() if found}
