"""What the map is drawn from and divided into: wards, residential groups, streets, basemap areas."""

from layers.collections.model import Collection, Field, TileRule

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
    tile=TileRule(fields=("code", "name", "kind"), zooms=(0, 14)),
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
    tile=TileRule(fields=("code", "name", "number"), zooms=(9, 15)),
    interval=("valid_from", "valid_to"),
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
        zooms=(5, 16),
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
