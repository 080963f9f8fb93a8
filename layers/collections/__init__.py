"""The registry: one entry per collection says what it shows, to whom, how it may be filtered and what its tiles carry.

The API schema, queryables, items, tiles and pages are all made from it. Titles of collections, fields and codes are
words for people and stand in `web/translations`; a documentation test holds the two together.
"""

from layers.collections import adoption, base_map, establishments, records
from layers.collections.model import Access, Collection, Field, TileRule

__all__ = [
    "COLLECTIONS",
    "ESTABLISHMENTS",
    "PAYMENT_ADOPTION",
    "STAFF_COLLECTIONS",
    "STREETS",
    "WARDS",
    "Access",
    "Collection",
    "Field",
    "TileRule",
]

_REGISTRY = (
    base_map.WARDS,
    base_map.RESIDENTIAL_GROUPS,
    establishments.ESTABLISHMENTS,
    records.LICENCES,
    records.INSPECTIONS,
    records.WARNINGS,
    records.PAYMENT_ACCEPTANCES,
    establishments.MODEL_SITES,
    adoption.PAYMENT_ADOPTION,
    base_map.STREETS,
    base_map.BASEMAP_AREAS,
    records.LEGAL_ENTITIES,
    records.FOOD_SAFETY_RECORDS,
    records.DIGITAL_USES,
    records.OUTREACH,
    records.VISITS,
)

COLLECTIONS: dict[str, Collection] = {entry.id: entry.face("public") for entry in _REGISTRY if entry.access == "public"}
"""Every published collection as everybody sees it, in the order in which `/ogc/collections` lists them."""

STAFF_COLLECTIONS: dict[str, Collection] = {entry.id: entry.face("staff") for entry in _REGISTRY}
"""Every collection as the staff of a ward see it."""

WARDS = COLLECTIONS["wards"]
ESTABLISHMENTS = COLLECTIONS["establishments"]
STREETS = COLLECTIONS["streets"]
PAYMENT_ADOPTION = COLLECTIONS["payment_adoption"]
