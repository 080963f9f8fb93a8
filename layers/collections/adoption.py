"""How far payment without cash has come, cell by cell."""

from layers.collections.model import Collection, Field, TileRule

PAYMENT_ADOPTION = Collection(
    id="payment_adoption",
    geometry="Polygon",
    fields=(
        Field("cell"),
        Field("ward", asked=True),
        Field("resolution", "integer", asked=True, within=(7, 11)),
        Field("sector_group", code_list="sector_group", asked=True),
        Field("as_of", "date", asked=True),
        Field("method", code_list="payment_method", access="staff", asked=True),
        Field("evidence_level", code_list="evidence_level", access="staff", asked=True),
        Field("known", code_list="known", access="staff", asked=True),
        Field("establishments", "integer"),
        Field("surveyed", "integer"),
        Field("accepting", "integer"),
        Field("share", "number", unit="%"),
        Field("low", "number", unit="%"),
        Field("high", "number", unit="%"),
        Field("suppressed", "boolean", filterable=True),
    ),
    tile=TileRule(
        fields=("cell", "establishments", "surveyed", "accepting", "share", "low", "high", "suppressed"),
        zooms=(9, 16),
    ),
    computed=True,
    id_field="cell",
)
"""H3 cells, of resolution 9 where none is asked for, with the establishments that count, how many of them are known to
take payment without cash or not, and how many do; shares in per cent. Of a small cell the public is told no figures."""
