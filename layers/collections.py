"""The registry: one entry per collection says what it shows, how it may be filtered and what its tiles carry.

The API schema, queryables, items, tiles and pages are all made from it. Titles of collections, fields and codes are
words for people and stand in `web/translations`; a documentation test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sqlalchemy import ColumnElement, TableClause, column, table

FieldType = Literal["string", "integer", "number", "boolean", "date", "date-time", "array"]


@dataclass(frozen=True, slots=True)
class Field:
    """A property on the wire."""

    name: str
    type: FieldType = "string"
    code_list: str | None = None
    """Name of the list in `postgis.vocabulary.CODE_LISTS` that the values come from."""
    filterable: bool = False
    """Whether `?name=value,value` (any of) is a query parameter of items and tiles."""
    unit: str | None = None
    """UCUM code of the unit, for numbers that have one."""


@dataclass(frozen=True, slots=True)
class TileRule:
    """What the tiles of a collection carry."""

    fields: tuple[str, ...]
    priority: tuple[str, ...] = ()
    """SQL order that decides what a full tile keeps; `id` is always added, so the choice is never at random."""
    cluster_below: int = 0
    """Below this zoom points are gathered into cells with their count; 0: never."""
    from_zoom: Mapping[str, int] | None = None
    """For line and area layers: the first zoom at which each value of `zoom_column` shows; others from zoom 0."""
    zoom_column: str = "kind"
    max_features: int = 20_000


@dataclass(frozen=True)
class Collection:
    """A published collection: a view of schema `published` whose `code` is the feature's id."""

    id: str
    geometry: Literal["Point", "MultiPolygon", "MultiLineString", "Geometry"]
    fields: tuple[Field, ...]
    tile: TileRule
    searchable: bool = False
    """Whether the view has `name_key` and `search_key`, so that `q` works."""
    interval: tuple[str, str] | None = None
    """Columns with the first and last day for `datetime`; null is open."""
    reference: bool = False
    """Base data: it changes only when a new release of the reference files is loaded."""
    id_field: str = "code"

    @cached_property
    def view(self) -> TableClause:
        """The published view with its columns."""
        names = [field.name for field in self.fields]
        extra = ["id", "geom", "geom_3857", *(("name_key", "search_key") if self.searchable else ())]
        interval = [name for name in self.interval or () if name not in names]
        return table(self.id, *(column(name) for name in [*names, *extra, *interval]), schema="published")

    @cached_property
    def field_by_name(self) -> dict[str, Field]:
        """The fields by their names."""
        return {field.name: field for field in self.fields}

    @cached_property
    def filterable(self) -> tuple[str, ...]:
        """Names of the fields that are query parameters."""
        return tuple(field.name for field in self.fields if field.filterable)

    def column(self, name: str) -> ColumnElement[object]:
        """A column of the view by its name."""
        return self.view.c[name]


WARDS = Collection(
    id="wards",
    geometry="MultiPolygon",
    fields=(
        Field("code", filterable=True),
        Field("name"),
        Field("name_en"),
        Field("kind", code_list="ward_kind", filterable=True),
        Field("province_code"),
        Field("area_km2", "number", unit="km2"),
        Field("population", "integer"),
        Field("valid_from", "date"),
        Field("valid_to", "date"),
        Field("formed_from", "array"),
    ),
    tile=TileRule(fields=("code", "name", "kind")),
    interval=("valid_from", "valid_to"),
    reference=True,
)

RESIDENTIAL_GROUPS = Collection(
    id="residential_groups",
    geometry="MultiPolygon",
    fields=(
        Field("code", filterable=True),
        Field("ward", filterable=True),
        Field("number", "integer", filterable=True),
        Field("name"),
        Field("valid_from", "date"),
        Field("valid_to", "date"),
        Field("illustrative", "boolean", filterable=True),
    ),
    tile=TileRule(fields=("code", "name", "number"), from_zoom={}, zoom_column="code"),
    interval=("valid_from", "valid_to"),
)

ESTABLISHMENTS = Collection(
    id="establishments",
    geometry="Point",
    fields=(
        Field("code", filterable=True),
        Field("name"),
        Field("name_en"),
        Field("kind", filterable=True),
        Field("legal_form", code_list="legal_form", filterable=True),
        Field("sector_scheme", filterable=True),
        Field("sector_code", filterable=True),
        Field("sector_group", code_list="sector_group", filterable=True),
        Field("offering"),
        Field("address"),
        Field("residential_group", filterable=True),
        Field("ward", filterable=True),
        Field("model_site", filterable=True),
        Field("stall"),
        Field("operating_status", code_list="operating_status", filterable=True),
        Field("licence_status", code_list="licence_status", filterable=True),
        Field("licence_valid_until", "date"),
        Field("food_safety_status", code_list="food_safety_status", filterable=True),
        Field("food_safety_valid_until", "date"),
        Field("last_inspection_result", code_list="inspection_result", filterable=True),
        Field("last_inspection_on", "date"),
        Field("live_warning", "boolean", filterable=True),
        Field("payment_methods", "array", code_list="payment_method", filterable=True),
        Field("payment_checked_on", "date"),
        Field("accepts_cashless", code_list="yes_no_unknown", filterable=True),
        Field("opening_hours"),
        Field("website"),
        Field("verified_on", "date"),
        Field("source", code_list="source", filterable=True),
        Field("illustrative", "boolean", filterable=True),
        Field("updated_at", "date-time"),
    ),
    tile=TileRule(
        fields=("code", "name", "kind", "sector_group", "operating_status", "live_warning", "illustrative"),
        priority=("live_warning DESC NULLS LAST",),
        cluster_below=15,
    ),
    searchable=True,
    interval=("opened_on", "closed_on"),
)

STREETS = Collection(
    id="streets",
    geometry="MultiLineString",
    fields=(
        Field("code", filterable=True),
        Field("name"),
        Field("kind", filterable=True),
        Field("ward", filterable=True),
        Field("source"),
    ),
    tile=TileRule(
        fields=("name", "kind"),
        from_zoom={
            "primary": 9,
            "secondary": 10,
            "tertiary": 11,
            "residential": 13,
            "unclassified": 13,
            "living_street": 13,
            "pedestrian": 14,
            "alley": 14,
            "service": 15,
            "footway": 16,
            "steps": 16,
        },
    ),
    searchable=True,
    reference=True,
)

BASEMAP_AREAS = Collection(
    id="basemap_areas",
    geometry="Geometry",
    fields=(
        Field("code", filterable=True),
        Field("layer", code_list="basemap_layer", filterable=True),
        Field("kind", filterable=True),
        Field("name"),
        Field("name_en"),
        Field("source"),
    ),
    tile=TileRule(
        fields=("layer", "kind", "name", "name_en"),
        zoom_column="layer",
        from_zoom={"water": 9, "park": 12, "landuse": 12, "building": 15},
    ),
    reference=True,
)

COLLECTIONS: dict[str, Collection] = {
    collection.id: collection for collection in (WARDS, RESIDENTIAL_GROUPS, ESTABLISHMENTS, STREETS, BASEMAP_AREAS)
}
"""Every collection by its id, in the order in which `/ogc/collections` lists them."""
