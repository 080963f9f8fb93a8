"""The base data: what the files hold, and that they can be made again."""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shapely import union_all
from shapely.geometry import Point, box, shape

from postgis import tables, vocabulary
from postgis.reference_data import group_members
from postgis.reference_files import REFERENCE, read_features, read_rows, read_toml

ROOT = REFERENCE.parent.parent
COLLECTED = ROOT.parent / "shared" / "data"
DRAWN = ("wards.geojsonl.gz", "streets.geojsonl.gz", "basemap_areas.geojsonl.gz", "osm_places.geojsonl.gz")
MADE = (*DRAWN, "former_wards.csv", "ward_succession.csv", "vsic_2025.csv", "vsic_collisions.csv",
        "house_numbers.csv", "street_names.csv")  # fmt: skip
PLANS = ("00235", "00367", "10507", "10603", "20257")


def all_texts() -> Iterator[tuple[str, str]]:
    """Every reference file with its text."""
    for path in sorted(REFERENCE.rglob("*")):
        if path.suffix == ".gz":
            yield path.name, gzip.decompress(path.read_bytes()).decode()
        elif path.is_file():
            yield path.name, path.read_text(encoding="utf-8")


def numbers(coordinates: Any) -> Iterator[float]:
    if isinstance(coordinates, list):
        for part in coordinates:
            yield from numbers(part)
    else:
        yield coordinates


def test_wards_are_all_94_with_hoa_cuong_among_them() -> None:
    wards = {feature.properties["code"]: feature.properties for feature in read_features("wards.geojsonl.gz")}
    assert Counter(ward["kind"] for ward in wards.values()) == {"ward": 23, "commune": 70, "special_zone": 1}
    assert wards["20257"] == {
        "code": "20257",
        "name": "Hòa Cường",
        "name_en": "Hoa Cuong",
        "kind": "ward",
        "province_code": "48",
        "valid_from": "2025-07-01",
        "area_km2": 15.72,
        "population": 119363,
    }
    assert wards["20333"]["name_en"] == "Hoang Sa"
    assert [code for code, ward in wards.items() if "population" in ward] == ["20257"]


def test_names_follow_one_tone_placement() -> None:
    names = [feature.properties["name"] for feature in read_features("wards.geojsonl.gz")]
    names += [row["name"] or "" for row in read_rows("former_wards.csv")]
    assert not [name for name in names if re.search(r"o[àáảãạèéẻẽẹ]\b|(?<![qQ])u[ỳýỷỹỵ]\b", name)]


def test_every_former_unit_became_a_known_one() -> None:
    former = {(row["code"], row["valid_to"]) for row in read_rows("former_wards.csv")}
    current = {(feature.properties["code"], None) for feature in read_features("wards.geojsonl.gz")}
    steps = [
        ((row["old_code"], row["old_valid_to"]), (row["new_code"], row["new_valid_to"]), row["partial"])
        for row in read_rows("ward_succession.csv")
    ]
    assert {old for old, _, _ in steps} == former
    assert {new for _, new, _ in steps} <= former | current
    assert Counter(valid_to for _, valid_to in former) == {"2025-06-30": 280, "2024-12-31": 3}
    assert {old for old, _, partial in steps if partial == "yes"} == {("20296", "2025-06-30")}
    into_hoa_cuong = {old for old, new, _ in steps if new == ("20257", None)}
    assert into_hoa_cuong == {(code, "2025-06-30") for code in ("20245", "20254", "20257", "20258")}
    assert (("20246", "2024-12-31"), ("20254", "2025-06-30"), "no") in steps


def test_vsic_has_the_counts_of_the_decision() -> None:
    classes = read_rows("vsic_2025.csv")
    assert Counter(row["level"] for row in classes) == {"1": 22, "2": 87, "3": 259, "4": 495, "5": 17}
    codes = {row["code"] for row in classes}
    assert all(row["parent_code"] in codes for row in classes if row["level"] != "1")
    assert all(row["name"] for row in classes if row["level"] in {"1", "4", "5"})
    assert len(read_rows("vsic_collisions.csv")) == 20


def test_every_class_has_exactly_one_known_group() -> None:
    classes = read_rows("vsic_2025.csv")
    rules = read_rows("sector_groups.csv")
    members = group_members(classes, rules)
    group_of = {member["class_code"]: member["sector_group"] for member in members}
    assert len(members) == len(group_of) == 495
    assert set(group_of.values()) <= set(vocabulary.SECTOR_GROUPS)
    assert not {rule["classes"] for rule in rules} - {row["code"] for row in classes} - {"*"}
    expected = {"5610": "food_service", "5630": "cafe_drinks", "9532": "vehicles", "9521": "repair", "8610": "health"}
    assert expected.items() <= group_of.items()
    assert group_of["0111"] == "other"


def test_places_are_all_there() -> None:
    places = [feature.properties for feature in read_features("osm_places.geojsonl.gz")]
    kinds = {row["kind"]: row["sector_group"] for row in read_rows("osm_kinds.csv")}
    assert len(places) == len({place["ref"] for place in places}) == 630
    assert sum(place["ward_code"] == "20257" for place in places) == 178
    assert {place["kind"] for place in places} <= kinds.keys()
    assert set(kinds.values()) <= set(vocabulary.SECTOR_GROUPS)


def test_streets_leave_out_what_is_only_planned() -> None:
    streets = [feature.properties for feature in read_features("streets.geojsonl.gz")]
    names = {street.get("name") for street in streets}
    assert {street["kind"] for street in streets} == {
        "primary", "secondary", "tertiary", "residential", "unclassified", "service", "alley", "footway",
    }  # fmt: skip
    assert {"Đường Núi Thành", "Đường Tiểu La", "Đường Nguyễn Hữu Thọ", "Kiệt 354/22 Trưng Nữ Vương"} <= names
    assert "LRT2" not in names
    assert not [name for name in names if name and "chưa đặt tên" in name]
    assert {street["kind"] for street in streets if (street.get("name") or "").startswith("Kiệt ")} == {"alley"}


def test_no_main_road_is_drawn_twice() -> None:
    streets = list(read_features("streets.geojsonl.gz"))
    detailed = union_all(
        [
            shape(street.geometry)
            for street in streets
            if street.properties["source"] == "osm_detail" and street.properties["kind"] != "footway"
        ]
    ).buffer(2e-5)
    main = [shape(street.geometry) for street in streets if street.properties["source"] == "osm_main_roads"]
    repeated = sum(line.intersection(detailed).length for line in main) / sum(line.length for line in main)
    assert repeated < 0.005  # crossings and joints


def test_land_joins_the_city_and_stays_out_of_its_sea() -> None:
    land = next(
        shape(f.geometry) for f in read_features("basemap_areas.geojsonl.gz") if f.properties["layer"] == "land"
    )
    wards = {feature.properties["code"]: shape(feature.geometry) for feature in read_features("wards.geojsonl.gz")}
    city = union_all([ward for code, ward in wards.items() if code != "20333"])
    both = union_all([land, city])
    # Along the inland borders and between the wards no sliver of sea shows.
    assert both.contains(box(107.2, 14.9, 108.12, 16.1))
    assert not both.intersects(Point(108.15, 16.12))  # Đà Nẵng bay, which Natural Earth takes for land
    assert not land.intersects(Point(108.22, 16.05))  # the city itself: the wards draw it


def test_archipelagos_are_named_as_vietnams() -> None:
    areas = list(read_features("basemap_areas.geojsonl.gz"))
    points = {f.properties["code"]: f for f in areas if f.properties["layer"] == "archipelago"}
    assert points["hoang-sa"].properties["name"] == "Quần đảo Hoàng Sa (Đà Nẵng, Việt Nam)"
    assert points["truong-sa"].properties["name"] == "Quần đảo Trường Sa (Khánh Hòa, Việt Nam)"
    assert {f.properties["name_en"] for f in points.values()} == {"Hoang Sa (Viet Nam)", "Truong Sa (Viet Nam)"}
    assert {f.properties["layer"] for f in areas} == set(vocabulary.BASEMAP_LAYERS)
    assert "military" not in {f.properties["kind"] for f in areas}


@pytest.mark.parametrize("name", DRAWN)
def test_geometry_is_valid_and_of_six_decimals(name: str) -> None:
    for feature in read_features(name):
        found = list(numbers(feature.geometry["coordinates"]))
        assert all(value == round(value, 6) for value in found), feature.properties
        assert shape(feature.geometry).is_valid, feature.properties


def test_plans_of_five_wards() -> None:
    plans = {path.stem: read_toml(path) for path in REFERENCE.glob("targets/*.toml")}
    assert sorted(plans) == list(PLANS)
    assert {code: len(plan.get("indicator", [])) for code, plan in plans.items()} == {
        "00235": 3, "00367": 10, "10507": 1, "10603": 0, "20257": 3,
    }  # fmt: skip
    assert [phase["code"] for phase in plans["20257"]["phase"]] == ["phase_1", "phase_2", "upkeep"]


def test_every_source_has_licence_and_attribution() -> None:
    sources = {source["code"]: source for source in read_toml(REFERENCE / "SOURCES.toml")["source"]}
    columns = {column.name for column in tables.data_source.columns}
    for source in sources.values():
        assert source.keys() <= columns
        assert all(source[field].strip() for field in ("title", "title_en", "licence", "attribution", "origin"))
        assert ("note" in source) == ("note_en" in source)
    used = {f.properties["source"] for name in DRAWN[1:3] for f in read_features(name)}
    assert used <= sources.keys()
    assert "© OpenStreetMap contributors" in sources["osm_detail"]["attribution"]


def test_no_personal_data_in_any_file() -> None:
    for name, content in all_texts():
        assert not re.search(r'"(phone|fax|email|contact:\w+|operator|facebook)"', content), name
        assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", content), name
        if not name.startswith(("wards", "streets", "basemap")):  # coordinates only
            assert not re.search(r"(?<![\d.])(\+84|0)[\s.-]?[35789]\d[\s.-]?\d{3}[\s.-]?\d{3,4}(?!\d)", content), name
        assert "facebook.com/profile.php" not in content, name


def test_files_are_small() -> None:
    assert sum(path.stat().st_size for path in REFERENCE.rglob("*") if path.is_file()) < 2_500_000


def test_files_are_what_the_script_makes_of_the_collected_data(tmp_path: Path) -> None:
    if not (COLLECTED / "open").is_dir():
        pytest.skip(
            f"The collected data are not on this machine ({COLLECTED}): the files cannot be made again to compare."
        )
    shutil.copy(REFERENCE / "osm_kinds.csv", tmp_path)
    script = [sys.executable, str(ROOT / "scripts" / "distil_reference.py"), str(COLLECTED), "--output", str(tmp_path)]
    subprocess.run(script, check=True, capture_output=True, timeout=300)
    for name in (*MADE, *(f"targets/{code}.toml" for code in PLANS)):
        assert (tmp_path / name).read_bytes() == (REFERENCE / name).read_bytes(), (
            f"{name}: run scripts/distil_reference.py"
        )
    collected = {hashlib.sha256(path.read_bytes()).digest() for path in COLLECTED.rglob("*") if path.is_file()}
    ours = {hashlib.sha256(path.read_bytes()).digest() for path in REFERENCE.rglob("*") if path.is_file()}
    assert not collected & ours


def test_script_refuses_a_folder_without_data(tmp_path: Path) -> None:
    script = [sys.executable, str(ROOT / "scripts" / "distil_reference.py"), str(tmp_path), "--output", str(tmp_path)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "holds no collected data" in done.stderr) == (1, True)


def test_reference_files_parse_as_what_they_claim() -> None:
    for path in REFERENCE.rglob("*.toml"):
        tomllib.loads(path.read_text(encoding="utf-8"))
    for name in DRAWN:
        for line in gzip.decompress((REFERENCE / name).read_bytes()).decode().splitlines():
            feature = json.loads(line)
            assert (feature["type"], None in feature["properties"].values()) == ("Feature", False)
