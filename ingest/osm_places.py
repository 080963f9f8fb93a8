"""The real places of the sample: what OpenStreetMap states of them, and not a word more.

A place without a name stays without one. OpenStreetMap does not say whether a business still trades: only where a
mapper recorded a check on the spot (`check_date`) is a place taken as active on that day; all others are unknown.
"""

from datetime import date
from typing import Any
from urllib.parse import urlsplit

from postgis.codes import codes_for
from postgis.reference_files import Feature, read_features, read_rows
from postgis.store.establishments import NewEstablishment

SOURCE = "osm"

_CARD_TAGS = ("cards", "credit_cards", "debit_cards", "mastercard", "visa")
_ONLINE_TAGS = ("paypal",)
# payment:cash says nothing about cashless payment: a place that takes cash may take everything else too.


def read_places() -> list[NewEstablishment]:
    """All places of the reference file, each with a public code that is the same on every machine."""
    groups = {row["kind"]: row["sector_group"] for row in read_rows("osm_kinds.csv")}
    places = list(read_features("osm_places.geojsonl.gz"))
    codes = codes_for(f"{SOURCE}:{place.properties['ref']}" for place in places)
    return [_establishment(place, code, groups) for place, code in zip(places, codes, strict=True)]


def _establishment(place: Feature, code: str, groups: dict[str | None, str | None]) -> NewEstablishment:
    stated = place.properties
    checked = stated.get("check_date")
    longitude, latitude = place.geometry["coordinates"]
    values = {
        "code": code,
        "name": stated.get("name"),
        "name_en": stated.get("name_en"),
        "kind": stated["kind"],
        "sector_group": groups[stated["kind"]],
        "offering": stated.get("cuisine"),
        "house_number": stated.get("house_number"),
        "street_name": stated.get("street"),
        "address": _address(stated),
        "operating_status": "active" if checked else "unknown",
        "opening_hours": stated.get("opening_hours"),
        "website": _website(stated.get("website")),
        "position_method": "osm",
        "verified_on": checked and date.fromisoformat(checked),
        "source": SOURCE,
        "source_ref": stated["ref"],
        "illustrative": False,
    }
    records = {"payment_acceptance": _payments(stated)}
    return NewEstablishment(values, stated["ward_code"], longitude, latitude, records=records)


def _address(stated: dict[str, Any]) -> str | None:
    """House number and street as stated, else the address in one piece; a house number alone is no address."""
    street, number = stated.get("street"), stated.get("house_number")
    if street:
        return f"{number} {street}" if number else street
    return stated.get("address")


def _website(value: str | None) -> str | None:
    """The address, if a browser may safely be sent there."""
    return value if value and urlsplit(value).scheme in ("http", "https") and urlsplit(value).hostname else None


def _payments(stated: dict[str, Any]) -> list[dict[str, Any]]:
    """Dated observations from the `payment:*` tags. A yes for any card counts; a no only where none says yes.

    The date is the mapper's check on the spot, else the day the place was last edited: the statement is no younger.
    """
    tags = stated.get("payment", {})
    checked_on = date.fromisoformat(stated.get("check_date") or stated["edited_on"])
    answers = {
        "pos_card": [tags[tag] for tag in _CARD_TAGS if tag in tags],
        "card_online": [tags[tag] for tag in _ONLINE_TAGS if tag in tags],
    }
    return [
        {
            "method": method,
            "accepted": "yes" in said,
            "evidence_level": "declared",
            "checked_on": checked_on,
            "source": SOURCE,
        }
        for method, said in answers.items()
        if said
    ]
