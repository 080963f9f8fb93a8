"""The formats that features are told in, beside the GeoJSON of a page: what they are called, and who writes them.

The same conditions, rights and fields as for a page: every writer takes its rows from `layers.formats.rows`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from layers.query import MAX_LIMIT

MAX_SECONDS = 300
"""For which one answer may keep the database at work."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format on the wire."""

    media_type: str
    suffix: str
    streamed: bool
    """Whether its first bytes can be sent before the last feature has been read."""
    most: int = MAX_LIMIT
    """Features in one answer."""


FORMATS: Mapping[str, Format] = {
    "json": Format("application/geo+json", "geojson", streamed=True),
    "geojsonseq": Format("application/geo+json-seq", "geojsons", streamed=True),
    "csv": Format("text/csv", "csv", streamed=True),
    "xlsx": Format(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", streamed=False, most=100_000
    ),
    "fgb": Format("application/flatgeobuf", "fgb", streamed=False),
    "parquet": Format("application/vnd.apache.parquet", "parquet", streamed=False),
    "gpkg": Format("application/geopackage+sqlite3", "gpkg", streamed=False),
}
"""By the value of `f`."""
