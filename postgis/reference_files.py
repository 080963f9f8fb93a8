"""Reads the reference files under `postgis/reference`: what they are is in that folder's README."""

import csv
import gzip
import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

REFERENCE = Path(__file__).parent / "reference"


class Feature(NamedTuple):
    """A row with its geometry: WGS 84 longitude and latitude, as a GeoJSON object."""

    properties: dict[str, Any]
    geometry: dict[str, Any]


def read_features(name: str) -> Iterator[Feature]:
    """The features of a `.geojsonl.gz` file, in file order. A property that a feature lacks is unknown."""
    with gzip.open(REFERENCE / name, "rt", encoding="utf-8") as stream:
        for line in stream:
            feature = json.loads(line)
            yield Feature(feature["properties"], feature["geometry"])


def read_rows(name: str) -> list[dict[str, str | None]]:
    """The rows of a CSV file; an empty cell is None."""
    with (REFERENCE / name).open(encoding="utf-8", newline="") as stream:
        return [{column: cell or None for column, cell in row.items()} for row in csv.DictReader(stream)]


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def content_hash(paths: Iterable[Path], extra: str = "") -> str:
    """SHA-256 over the files, each with its name, and over `extra`: the same when nothing that matters has changed."""
    digest = hashlib.sha256(extra.encode())
    for path in paths:
        digest.update(f"\0{path.name}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
