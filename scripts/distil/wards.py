"""The 94 units of Đà Nẵng since 1 July 2025, the units before them, and what became of those."""

from pathlib import Path
from typing import NamedTuple

from shapely.geometry import MultiPolygon, shape
from shapely.geometry.base import BaseGeometry

from distil.files import Drawn, Row, read_csv, read_features, write_csv, write_features
from distil.names import place_tone
from distil.shapes import polygons, rounded

REFORM = "2025-07-01"
LAST_DAY_BEFORE_REFORM = "2025-06-30"
LAST_DAY_OF_2024 = "2024-12-31"

KINDS = {"Phường": "ward", "Xã": "commune", "Thị trấn": "township", "Đặc khu": "special_zone"}

# The English name in the source is a foreign one; the unit's own name without marks is used instead.
ENGLISH_NAMES = {"20333": "Hoang Sa"}

# Only Hòa Cường's figure is known to us (Lao Động, 2026).
POPULATIONS = {"20257": 119_363}


class FormerUnit(NamedTuple):
    """A unit that ended before the reform of July 2025."""

    code: str
    name: str
    successor: str


# Merged whole, on 1 January 2025, into a neighbour in the old district Hải Châu that kept its own code and name
# (Lao Động, 30 July 2024). The same reform in other districts is not in our data.
ENDED_WITH_2024 = (
    FormerUnit("20246", "Hòa Thuận Đông", "20254"),
    FormerUnit("20248", "Nam Dương", "20242"),
    FormerUnit("20251", "Bình Hiên", "20242"),
)


class Wards(NamedTuple):
    """The current units by code, for whatever is to be placed in one."""

    shapes: dict[str, BaseGeometry]

    def containing(self, geometry: BaseGeometry) -> str | None:
        """The code of the unit that holds most of a line or area, or the point; None outside the city."""
        if geometry.geom_type == "Point":
            return next((code for code, unit in self.shapes.items() if unit.covers(geometry)), None)
        touched = {code: unit for code, unit in self.shapes.items() if unit.intersects(geometry)}
        shares = {code: _size(unit.intersection(geometry)) for code, unit in touched.items()}
        return max(shares, key=lambda code: shares[code]) if shares else None


def distil_wards(data: Path, output: Path) -> tuple[Wards, list[str]]:
    """Write `wards`, `former_wards` and `ward_succession`; return the current units and the spellings that changed."""
    current, changed = _current_units(data)
    write_features(output / "wards.geojsonl.gz", current)
    former, successions = _former_units(data)
    write_csv(output / "former_wards.csv", ["code", "name", "kind", "province_code", "valid_to"], former)
    write_csv(
        output / "ward_succession.csv", ["old_code", "old_valid_to", "new_code", "new_valid_to", "partial"], successions
    )
    return Wards({properties["code"]: geometry for properties, geometry in current}), changed


def _current_units(data: Path) -> tuple[list[Drawn], list[str]]:
    units: list[Drawn] = []
    changed = []
    features = read_features(data / "open/wards_danang_2025.geojson.gz")
    for feature in sorted(features, key=lambda feature: str(feature["properties"]["code"])):
        given = feature["properties"]
        code, name = given["code"], place_tone(given["name"])
        if name != given["name"]:
            changed.append(f"{code} {given['name']} -> {name}")
        properties = {
            "code": code,
            "name": name,
            "name_en": ENGLISH_NAMES.get(code, given["name_en"]),
            "kind": KINDS[given["full_name"].removesuffix(given["name"]).strip()],
            "province_code": given["province_code"],
            "valid_from": REFORM,
            "area_km2": given["area_km2"],
            "population": POPULATIONS.get(code),
        }
        units.append((properties, _multi(rounded(shape(feature["geometry"])))))
    return units, changed


def _former_units(data: Path) -> tuple[list[Row], list[Row]]:
    former: dict[tuple[str, str], Row] = {}
    successions: dict[tuple[str, str, str], Row] = {}
    for row in read_csv(data / "open/ward_conversion_legacy_to_2025_danang.csv"):
        code = row["wardCode"].removesuffix(".0")
        if not code:
            continue  # huyện Hoàng Sa had no ward; the special zone 20333 is a current unit of its own
        name = place_tone(row["ward"]).removeprefix(row["wardType"]).strip()
        former[code, LAST_DAY_BEFORE_REFORM] = _former(code, name, KINDS[row["wardType"]], LAST_DAY_BEFORE_REFORM)
        successions[code, LAST_DAY_BEFORE_REFORM, row["newWardCode"]] = {
            "old_code": code,
            "old_valid_to": LAST_DAY_BEFORE_REFORM,
            "new_code": row["newWardCode"],
            "new_valid_to": None,
            "partial": "yes" if row["isDividedWard"] == "True" else "no",
        }
    for unit in ENDED_WITH_2024:
        former[unit.code, LAST_DAY_OF_2024] = _former(unit.code, unit.name, "ward", LAST_DAY_OF_2024)
        successions[unit.code, LAST_DAY_OF_2024, unit.successor] = {
            "old_code": unit.code,
            "old_valid_to": LAST_DAY_OF_2024,
            "new_code": unit.successor,
            "new_valid_to": LAST_DAY_BEFORE_REFORM,
            "partial": "no",
        }
    return [former[key] for key in sorted(former)], [successions[key] for key in sorted(successions)]


def _former(code: str, name: str, kind: str, valid_to: str) -> Row:
    return {"code": code, "name": name, "kind": kind, "province_code": "48", "valid_to": valid_to}


def _multi(geometry: BaseGeometry) -> MultiPolygon:
    return MultiPolygon(polygons(geometry))


def _size(geometry: BaseGeometry) -> float:
    return float(geometry.area or geometry.length)
