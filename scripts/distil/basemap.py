"""What lies under the streets: buildings, parks, water, land use, the Hàn river's western half, the archipelagos."""

import gzip
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from shapely import make_valid
from shapely.geometry import Point, Polygon, shape

from distil.files import Drawn, read_csv, read_features, write_features
from distil.land import land_areas
from distil.names import place_tone, tidy
from distil.shapes import parts, rounded
from distil.wards import Wards

# The tag that says what an area of a layer is, by layer.
_KIND_TAGS = {"building": ("building",), "landuse": ("landuse",), "park": ("leisure",), "water": ("water", "natural")}

# Where our word differs from OSM's, since a kind is one code list over all layers.
_KINDS = {
    ("building", "yes"): "building",
    ("building", "commercial"): "commercial_building",
    ("building", "residential"): "residential_building",
}

# Defence sites have no place on a public business map.
_LEFT_OUT = {("landuse", "military")}

# OSM way of the river's western bank, and the wards whose border runs in the river beside it.
_BANK_WAY = "303047261"
_BANK_WARDS = ("20242", "20257")
_EAST_OF_RIVER = 108.26

_HOANG_SA = "20333"
_TRUONG_SA = "22736"


def distil_basemap(data: Path, output: Path, wards: Wards) -> None:
    """Write `basemap_areas`."""
    rows = [*land_areas(wards), *_osm_areas(data), *_han_river(data, wards), *_archipelagos(data, wards)]
    write_features(output / "basemap_areas.geojsonl.gz", sorted(rows, key=lambda row: row[0]["code"]))


def _osm_areas(data: Path) -> list[Drawn]:
    rows: list[Drawn] = []
    for feature in read_features(data / "open/osm_danang_basemap_areas.geojson.gz"):
        given = feature["properties"]
        layer, tags = given["layer"], given["tags"]
        value = next(tags[key] for key in _KIND_TAGS[layer] if key in tags)
        if (layer, value) in _LEFT_OUT:
            continue
        # A building's name is that of a place in it (or a mapper's working title): places carry their own names.
        named = layer != "building"
        properties = {
            "code": f"osm-{given['osm_type']}-{given['osm_id']}",
            "layer": layer,
            "kind": _KINDS.get((layer, value), value),
            "name": tidy(tags["name"]) if named and "name" in tags else None,
            "name_en": tidy(tags["name:en"]) if named and "name:en" in tags else None,
            "source": "osm_detail",
        }
        rows.append((properties, rounded(shape(feature["geometry"]))))
    return rows


def _han_river(data: Path, wards: Wards) -> list[Drawn]:
    """The part of each ward that lies east of the mapped bank: the river up to the ward border in its middle."""
    bank = _bank(data / "open/osm_danang_haichau_2026-03.osm.gz")
    # The bank runs from south to north, so everything from it to the meridian is on the river's side.
    (_, south), (_, north) = bank[0], bank[-1]
    east_of_bank = make_valid(Polygon([*bank, (_EAST_OF_RIVER, north), (_EAST_OF_RIVER, south)]))
    rows: list[Drawn] = []
    for ward in _BANK_WARDS:
        properties = {
            "code": f"han-river-{ward}",
            "layer": "water",
            "kind": "river",
            "name": "Sông Hàn",
            "name_en": "Han River",
            "source": "han_river",
        }
        rows.append((properties, rounded(wards.shapes[ward].intersection(east_of_bank))))
    return rows


def _bank(path: Path) -> list[tuple[float, float]]:
    with gzip.open(path) as stream:
        root = ElementTree.parse(stream).getroot()
    positions = {node.get("id"): (float(node.get("lon", "")), float(node.get("lat", ""))) for node in root.iter("node")}
    way = next(way for way in root.iter("way") if way.get("id") == _BANK_WAY)
    return [positions[node.get("ref")] for node in way.iter("nd")]


def _archipelagos(data: Path, wards: Wards) -> list[Drawn]:
    """The two archipelagos as points to label, named as Việt Nam's."""
    units = {row["ward_code"]: row for row in read_csv(data / "domain/vn_admin_units_2025-07-01.csv")}
    truong_sa = units[_TRUONG_SA]
    province = place_tone(truong_sa["province"]).removeprefix("Tỉnh ")
    hoang_sa = wards.shapes[_HOANG_SA]
    middle = min(parts(hoang_sa), key=lambda island: float(island.distance(hoang_sa.centroid)))
    labels = (
        ("Hoàng Sa", "Đà Nẵng", "Hoang Sa", "wards_2025", middle.representative_point()),
        ("Trường Sa", province, "Truong Sa", "admin_units_2025", _centroid(truong_sa)),
    )
    return [
        (
            {
                "code": name_en.lower().replace(" ", "-"),
                "layer": "archipelago",
                "kind": "archipelago",
                "name": f"Quần đảo {name} ({belongs_to}, Việt Nam)",
                "name_en": f"{name_en} (Viet Nam)",
                "source": source,
            },
            rounded(point),
        )
        for name, belongs_to, name_en, source, point in labels
    ]


def _centroid(unit: dict[str, str]) -> Point:
    return Point(float(unit["centroid_lon"]), float(unit["centroid_lat"]))
