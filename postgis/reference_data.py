"""Loads the base data: wards, sectors, streets, basemap, the wards' plans, and where each came from.

A release (one or a few files that belong together) is loaded only when its content differs from what the database
holds. Rows keep their ids for ever, since others refer to them: a known row is changed, never replaced. Rows that a
new release no longer has are removed only where nothing may refer to them (streets, areas, targets, mappings).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import insert

from postgis import tables
from postgis.reference_files import REFERENCE, Feature, content_hash, read_features, read_rows, read_toml
from postgis.vocabulary import SECTOR_GROUPS

Row = dict[str, Any]
Counts = dict[str, int]

_LOADER = "1"
"""Counts up when the same files must be loaded again because this module reads them differently."""


@dataclass(frozen=True)
class Release:
    """Files that are loaded together. `extra`: what else decides the result, so that a change of it loads anew."""

    name: str
    files: tuple[str, ...]
    load: Callable[[Connection], Counts]
    extra: str = ""

    def paths(self) -> list[Path]:
        """The files, with patterns spelt out, in a fixed order."""
        return [path for pattern in self.files for path in sorted(REFERENCE.glob(pattern))]


def load_reference(connection: Connection) -> Counts:
    """Bring the base data up to date; return the rows written by table (empty when nothing had changed).

    Runs in the caller's transaction and does not commit. Needs the owner's rights.
    """
    release = tables.reference_release
    known = {row.name: row.sha256 for row in connection.execute(select(release.c.name, release.c.sha256))}
    counts: Counts = {}
    for wanted in RELEASES:
        sha256 = content_hash(wanted.paths(), _LOADER + wanted.extra)
        if known.get(wanted.name) == sha256:
            continue
        counts |= wanted.load(connection)
        row = {"name": wanted.name, "sha256": sha256, "loaded_at": func.now()}
        update = insert(release).values(row).on_conflict_do_update(index_elements=["name"], set_=row)
        connection.execute(update)
    return counts


def _load_sources(connection: Connection) -> Counts:
    rows: list[Row] = read_toml(REFERENCE / "SOURCES.toml")["source"]
    _upsert(connection, tables.data_source, ["code"], rows)
    _delete_others(connection, tables.data_source, [row["code"] for row in rows])
    return {"data_source": len(rows)}


def _load_wards(connection: Connection) -> Counts:
    """The present units and the former ones.

    A later reform needs a migration besides new files: it ends units that rows refer to.
    """
    current = [_with_geometry(feature) for feature in read_features("wards.geojsonl.gz")]
    former = read_rows("former_wards.csv")
    _upsert(connection, tables.ward, ["code"], current, where="valid_to IS NULL")
    _upsert(connection, tables.ward, ["code", "valid_to"], former, where="valid_to IS NOT NULL")
    successions = _successions(connection)
    connection.execute(delete(tables.ward_succession))
    _upsert(connection, tables.ward_succession, ["old_ward_id", "new_ward_id"], successions)
    return {"ward": len(current) + len(former), "ward_succession": len(successions)}


def _successions(connection: Connection) -> list[Row]:
    ward = tables.ward
    ids = {
        (code, valid_to and valid_to.isoformat()): number
        for number, code, valid_to in connection.execute(select(ward.c.id, ward.c.code, ward.c.valid_to))
    }
    return [
        {
            "old_ward_id": ids[row["old_code"], row["old_valid_to"]],
            "new_ward_id": ids[row["new_code"], row["new_valid_to"]],
            "partial": row["partial"] == "yes",
        }
        for row in read_rows("ward_succession.csv")
    ]


def _load_sectors(connection: Connection) -> Counts:
    classes = read_rows("vsic_2025.csv")
    collisions = read_rows("vsic_collisions.csv")
    groups = [{"code": code, "position": position} for position, code in enumerate(SECTOR_GROUPS, start=1)]
    members = group_members(classes, read_rows("sector_groups.csv"))
    _upsert(connection, tables.sector_class, ["scheme", "code"], classes)
    _upsert(connection, tables.sector_code_collision, ["code"], collisions)
    _delete_others(connection, tables.sector_code_collision, [row["code"] for row in collisions])
    # Positions are unique, so a new order needs the old places out of the way first.
    connection.execute(text("UPDATE register.sector_group SET position = -position"))
    _upsert(connection, tables.sector_group, ["code"], groups)
    connection.execute(delete(tables.sector_group_class))
    _upsert(connection, tables.sector_group_class, ["scheme", "class_code"], members)
    return {
        "sector_class": len(classes),
        "sector_code_collision": len(collisions),
        "sector_group": len(groups),
        "sector_group_class": len(members),
    }


def group_members(classes: Iterable[Mapping[str, str | None]], rules: Iterable[Mapping[str, str | None]]) -> list[Row]:
    """The display group of every level-4 class: the rule with the longest code, else the section's letter, else `*`."""
    group_of = {rule["classes"]: rule["sector_group"] for rule in rules}
    members = []
    for row in classes:
        if row["level"] == "4" and row["code"]:
            code = row["code"]
            candidates = [*(code[:length] for length in range(len(code), 1, -1)), row["section"], "*"]
            group = next(group_of[candidate] for candidate in candidates if candidate in group_of)
            members.append({"scheme": row["scheme"], "class_code": code, "sector_group": group})
    return members


def _load_streets(connection: Connection) -> Counts:
    ward = tables.ward
    current = select(ward.c.code, ward.c.id).where(ward.c.valid_to.is_(None))
    ward_ids = {row.code: row.id for row in connection.execute(current)}
    rows = [_with_geometry(feature) for feature in read_features("streets.geojsonl.gz")]
    for row in rows:
        row["ward_id"] = ward_ids.get(row.pop("ward_code", None))
    return _load_drawn(connection, tables.street, rows)


def _load_basemap(connection: Connection) -> Counts:
    rows = [_with_geometry(feature) for feature in read_features("basemap_areas.geojsonl.gz")]
    return _load_drawn(connection, tables.basemap_area, rows)


def _with_geometry(feature: Feature) -> Row:
    return {**feature.properties, "geom": json.dumps(feature.geometry)}


def _load_drawn(connection: Connection, table: Table, rows: Sequence[Row]) -> Counts:
    """Rows by code; those of the same sources that are no longer in the files go."""
    _upsert(connection, table, ["code"], rows)
    sources = {row["source"] for row in rows}
    _delete_others(connection, table, [row["code"] for row in rows], table.c.source.in_(sources))
    return {table.name: len(rows)}


def _load_plans(connection: Connection) -> Counts:
    """Indicators keep their rows, since measured figures refer to them; targets and phases are as the plans say now."""
    indicators: list[Row] = []
    targets: list[Row] = []
    phases: list[Row] = []
    for path in sorted(REFERENCE.glob("targets/*.toml")):
        plan = read_toml(path)
        ward = {"ward_code": plan["ward_code"]}
        for position, indicator in enumerate(plan.get("indicator", [])):
            aims = indicator.pop("target", [])
            indicators.append(ward | indicator | {"position": position})
            targets.extend(ward | {"indicator_code": indicator["code"]} | aim for aim in aims)
        phases.extend(ward | phase for phase in plan.get("phase", []))
    _upsert(connection, tables.indicator, ["ward_code", "code"], indicators)
    connection.execute(delete(tables.target))
    _upsert(connection, tables.target, ["ward_code", "indicator_code", "due"], targets)
    connection.execute(delete(tables.phase))
    _upsert(connection, tables.phase, ["ward_code", "code"], phases)
    return {"indicator": len(indicators), "target": len(targets), "phase": len(phases)}


def _upsert(
    connection: Connection,
    table: Table,
    key: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    where: str | None = None,
) -> None:
    """Insert rows, or change those that have the same key. Columns absent from a row become null.

    `geom` is GeoJSON text in WGS 84. `where` names the partial unique index that makes the key unique.
    """
    if not rows:
        return
    columns = sorted({column for row in rows for column in row})
    values = {
        column: func.public.st_geomfromgeojson(bindparam(column)) if column == "geom" else bindparam(column)
        for column in columns
    }
    statement = insert(table).values(values)
    changes = {column: statement.excluded[column] for column in columns if column not in key}
    if changes:
        upsert = statement.on_conflict_do_update(
            index_elements=list(key), index_where=literal_column(where) if where else None, set_=changes
        )
    else:
        upsert = statement.on_conflict_do_nothing(index_elements=list(key))
    connection.execute(upsert, [{column: row.get(column) for column in columns} for row in rows])


def _delete_others(connection: Connection, table: Table, codes: Sequence[str | None], *conditions: Any) -> None:
    """Delete the rows whose code is not among `codes`, as far as the conditions allow."""
    connection.execute(delete(table).where(table.c.code.not_in(codes), *conditions))


_SECTOR_FILES = ("vsic_2025.csv", "vsic_collisions.csv", "sector_groups.csv")

RELEASES = (
    Release("data_sources", ("SOURCES.toml",), _load_sources),
    Release("wards", ("wards.geojsonl.gz", "former_wards.csv", "ward_succession.csv"), _load_wards),
    Release("sectors", _SECTOR_FILES, _load_sectors, extra=" ".join(SECTOR_GROUPS)),
    Release("streets", ("streets.geojsonl.gz",), _load_streets),
    Release("basemap_areas", ("basemap_areas.geojsonl.gz",), _load_basemap),
    Release("ward_plans", ("targets/*.toml",), _load_plans, extra="2"),
)
"""In an order in which each finds what it refers to."""
