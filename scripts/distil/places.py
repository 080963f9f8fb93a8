"""Places of OpenStreetMap: what a register may know of them, and nothing about persons."""

import csv
import re
from pathlib import Path

from shapely.geometry import shape

from distil.files import Drawn, Row, read_features, write_features
from distil.names import tidy
from distil.wards import Wards

# In this order: the first key that a place has says what it is.
_MAIN_KEYS = ("amenity", "shop", "office", "craft", "tourism", "leisure", "healthcare")

_PHONE = re.compile(r"(?:\+?84|0)(?:[\s.\-]?\d){8,}")
_EMAIL = re.compile(r"\S+@\S+\.\S+")
_WEB_ADDRESS = re.compile(r"^(?:https?://|www\.)", re.IGNORECASE)
# A link to a numbered social profile may be a person's own account: left out.
_PERSONAL_PROFILE = re.compile(r"facebook\.com/profile\.php", re.IGNORECASE)


def distil_places(data: Path, output: Path, wards: Wards) -> list[str]:
    """Write `osm_places`; return what was left out of names and addresses, for the person who runs this."""
    kinds = _read_kinds(output / "osm_kinds.csv")
    left_out: list[str] = []
    rows: list[Drawn] = []
    for feature in read_features(data / "open/osm_danang_pois.geojson.gz"):
        given = feature["properties"]
        point = shape(feature["geometry"])
        ref = f"{given['osm_type']}/{given['osm_id']}"
        properties = {
            "ref": ref,
            **_facts(ref, given["tags"], left_out),
            "kind": _kind(given["tags"], kinds),
            "payment": _payment(given["tags"]),
            "check_date": given["tags"].get("check_date"),
            "edited_on": given["osm_timestamp"],
            "ward_code": wards.containing(point),
        }
        rows.append((properties, point))
    write_features(output / "osm_places.geojsonl.gz", sorted(rows, key=lambda row: _sort_key(row[0]["ref"])))
    return left_out


def _read_kinds(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["osm_tag"]: row["kind"] for row in csv.DictReader(stream)}


def _kind(tags: dict[str, str], kinds: dict[str, str]) -> str:
    tag = next(f"{key}={tags[key]}" for key in _MAIN_KEYS if key in tags)
    return kinds[tag]


def _facts(ref: str, tags: dict[str, str], left_out: list[str]) -> Row:
    facts: Row = {
        "name": tags.get("name"),
        "name_en": tags.get("name:en"),
        "cuisine": tags.get("cuisine"),
        "house_number": tags.get("addr:housenumber"),
        "street": tags.get("addr:street"),
        "address": tags.get("addr:full") or tags.get("address"),
        "opening_hours": tags.get("opening_hours"),
    }
    for field, value in facts.items():
        if value is None:
            continue
        facts[field] = tidy(value)
        if _PHONE.search(value) or _EMAIL.search(value) or _WEB_ADDRESS.match(value):
            left_out.append(f"{ref} {field}")
            facts[field] = None
    website = tags.get("website") or tags.get("contact:website")
    if website and (not website.startswith(("http://", "https://")) or _PERSONAL_PROFILE.search(website)):
        left_out.append(f"{ref} website")
        website = None
    return {**facts, "website": website}


def _payment(tags: dict[str, str]) -> dict[str, str]:
    """The `payment:*` tags with a plain yes or no."""
    return {
        key.removeprefix("payment:"): value
        for key, value in sorted(tags.items())
        if key.startswith("payment:") and value in ("yes", "no")
    }


def _sort_key(ref: str) -> tuple[str, int]:
    kind, number = ref.split("/")
    return kind, int(number)
