"""Readers of the collected data and writers of our reference files: the same input always gives the same bytes."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from distil.shapes import COORDINATE_DECIMALS

Row = dict[str, Any]
Drawn = tuple[Row, BaseGeometry]
"""A row and where it lies."""


def read_features(path: Path) -> list[Row]:
    """The features of a gzipped GeoJSON file, in file order."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        features: list[Row] = json.load(stream)["features"]
    return features


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header line."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_features(path: Path, features: Iterable[Drawn]) -> int:
    """Write one GeoJSON feature a line, gzipped without a time stamp; empty properties are left out."""
    lines = []
    for properties, geometry in features:
        shape = mapping(geometry)
        feature = {
            "type": "Feature",
            "properties": {key: value for key, value in properties.items() if value not in (None, {}, [])},
            "geometry": {"type": shape["type"], "coordinates": _round(shape["coordinates"])},
        }
        lines.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) + "\n")
    path.write_bytes(gzip.compress("".join(lines).encode(), compresslevel=9, mtime=0))
    return len(lines)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> int:
    """Write a CSV file with Unix line ends; None becomes an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="raise")
    writer.writeheader()
    count = 0
    for row in rows:
        writer.writerow(row)
        count += 1
    path.write_text(text.getvalue(), encoding="utf-8")
    return count


def _round(coordinates: Any) -> Any:
    if isinstance(coordinates, float | int):
        return round(float(coordinates), COORDINATE_DECIMALS)
    return [_round(part) for part in coordinates]
