"""Families of sector groups: the few colours that 24 groups can be told apart by on a map.

Never colour alone: every family has a name in the legend, and on the map an icon of its own group. The map style
(`layers/styles/map.json`) paints the same colours; a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """A family of sector groups and its colour, dark enough for white icons (contrast of 4.5 and more)."""

    code: str
    colour: str
    groups: tuple[str, ...]


FAMILIES = (
    Family("eat", "#b34700", ("food_service", "cafe_drinks")),
    Family("food", "#4d7a0f", ("grocery", "food_retail", "market")),
    Family("shop", "#7a4cb8", ("fashion", "electronics", "household_goods", "books_sports_gifts", "online_trade")),
    Family("care", "#b8327f", ("pharmacy_cosmetics", "health", "beauty_laundry")),
    Family("repair", "#7a5a3a", ("vehicles", "fuel_gas", "repair")),
    Family("stay", "#1f66c1", ("lodging", "travel", "entertainment")),
    Family("serve", "#0b6e75", ("education", "finance", "production", "other")),
    Family("public", "#66727f", ("public_place",)),
)

_BY_GROUP: Mapping[str, Family] = {group: family for family in FAMILIES for group in family.groups}


def family_of(sector_group: str | None) -> Family:
    """Return the family of a sector group; a place whose group is not known counts with `other`."""
    return _BY_GROUP[sector_group or "other"]
