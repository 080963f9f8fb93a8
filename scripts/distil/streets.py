"""Streets: the detailed OpenStreetMap layer where there is one, the main roads around it, no road drawn twice."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from shapely import line_merge, union_all
from shapely.geometry import MultiLineString, shape
from shapely.geometry.base import BaseGeometry

from distil.files import Drawn, read_features, write_features
from distil.names import tidy
from distil.shapes import lines, rounded
from distil.wards import Wards

DETAIL = "osm_detail"
MAIN_ROADS = "osm_main_roads"

KINDS = {
    "primary": "primary",
    "primary_link": "primary",
    "secondary": "secondary",
    "secondary_link": "secondary",
    "tertiary": "tertiary",
    "tertiary_link": "tertiary",
    "residential": "residential",
    "living_street": "residential",
    "unclassified": "unclassified",
    "service": "service",
    "footway": "footway",
    "pedestrian": "footway",
    "steps": "footway",
}
"""OSM `highway` values to ours. Others (proposed roads, the planned light rail) are not on the ground: left out."""

# "Kiệt 354/22 Trưng Nữ Vương", "Hẻm 2 Kiệt 64 …", "Hem 05 …", "K391 Nguyễn Văn Linh"
_ALLEY_NAME = re.compile(r"(kiệt|hẻm|hem)\b|k\d", re.IGNORECASE)

# The main-roads source writes this where a stretch joins a named way with an unnamed one; it is no name.
_UNNAMED = "Đường chưa đặt tên"

# Degrees. Two carriageways of one street lie at least 5 m apart, the same way in two exports under 1 m.
_SAME_ROAD = 2e-5  # 2.2 m
_REPEATED = 15e-5  # 16 m along: less is a crossing or a joint, not the same road twice
_STUB = 10e-5  # 11 m: what is left of a road after the repeat is taken away, not worth drawing


class Stretch(NamedTuple):
    """A piece of a street as one source has it, before pieces are joined."""

    way: int
    name: str | None
    kind: str
    line: BaseGeometry


def distil_streets(data: Path, output: Path, wards: Wards) -> None:
    """Write `streets`: one row for each named street, kind, ward and source; one for each unnamed way."""
    detail = _detailed(data)
    drawn = union_all([stretch.line for stretch in detail if stretch.kind != "footway"])
    rows = [*_rows(detail, DETAIL, wards), *_rows(_beyond(_main_roads(data), drawn), MAIN_ROADS, wards)]
    write_features(output / "streets.geojsonl.gz", sorted(rows, key=lambda row: row[0]["code"]))


def _detailed(data: Path) -> list[Stretch]:
    stretches = []
    for feature in read_features(data / "open/osm_danang_streets.geojson.gz"):
        tags = feature["properties"]["tags"]
        highway = KINDS.get(tags.get("highway", ""))
        # area=yes: the edge of a square, not a line to walk along
        if highway is None or tags.get("area") == "yes":
            continue
        name = tidy(tags["name"]) if tags.get("name") else None
        is_alley = tags.get("service") == "alley" or (name is not None and _ALLEY_NAME.match(name) is not None)
        kind = "alley" if is_alley else highway
        stretches.append(Stretch(feature["properties"]["osm_id"], name, kind, rounded(shape(feature["geometry"]))))
    return stretches


def _main_roads(data: Path) -> list[Stretch]:
    stretches = []
    for feature in read_features(data / "open/osm_danang_main_roads_2026-08.geojson.gz"):
        given = feature["properties"]
        if "road_class" not in given:
            continue  # hospitals that the same file carries
        name, line = _joined_name(given["name"]), rounded(shape(feature["geometry"]))
        stretches.append(Stretch(min(given["osm_way_ids"]), name, KINDS[given["road_class"]], line))
    return stretches


def _joined_name(name: str | None) -> str | None:
    """A name that the source joined from two ways ("A / B"), without the placeholder or the same name twice."""
    names = [part for part in (tidy(name).split(" / ") if name else []) if part != _UNNAMED]
    kept = [part for part in names if f"Đường {part}" not in names]
    return " / ".join(kept) or None


def _beyond(stretches: Iterable[Stretch], drawn: BaseGeometry) -> list[Stretch]:
    """What the stretches add to the roads already drawn."""
    zone = drawn.buffer(_SAME_ROAD)
    kept = []
    for stretch in stretches:
        if stretch.line.intersection(zone).length < _REPEATED:
            kept.append(stretch)
            continue
        rest = [line for line in lines(stretch.line.difference(zone)) if line.length >= _STUB]
        if rest:
            kept.append(stretch._replace(line=rounded(MultiLineString(rest))))
    return kept


def _rows(stretches: Iterable[Stretch], source: str, wards: Wards) -> list[Drawn]:
    """One row for each name, kind and ward; stretches without a name are joined only when they are of one way."""
    groups: dict[tuple[str | int, str, str | None], list[Stretch]] = defaultdict(list)
    for stretch in stretches:
        groups[stretch.name or stretch.way, stretch.kind, wards.containing(stretch.line)].append(stretch)
    rows: list[Drawn] = []
    taken: set[str] = set()
    for (_, kind, ward), members in groups.items():
        code = _code(source, min(stretch.way for stretch in members), ward, taken)
        taken.add(code)
        properties = {"code": code, "name": members[0].name, "kind": kind, "ward_code": ward, "source": source}
        rows.append((properties, _merged([stretch.line for stretch in members])))
    return rows


def _code(source: str, way: int, ward: str | None, taken: set[str]) -> str:
    """A code from the lowest OSM way in the row; a way that lies in several rows also needs the ward, then a number."""
    stem = f"{source.removeprefix('osm_')}-{way}"
    candidates = [stem, f"{stem}-{ward or 'outside'}", *(f"{stem}-{ward or 'outside'}-{n}" for n in range(2, 100))]
    return next(code for code in candidates if code not in taken)


def _merged(members: Iterable[BaseGeometry]) -> MultiLineString:
    """The lines end to end where they meet, in a fixed order."""
    merged = lines(line_merge(MultiLineString([line for member in members for line in lines(member)])))
    merged.sort(key=lambda line: list(line.coords))
    return MultiLineString(merged)
