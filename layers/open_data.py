"""What can be taken away whole: the published collections, cut where another licence begins.

OpenStreetMap's data stand under the ODbL, which asks that what is made of them be shared alike; the ward's own do not.
So the two never come in one file: a collection whose records name their `source` is offered as two datasets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection, text

from layers.collections import COLLECTIONS, Collection
from layers.surroundings import freshness
from postgis.vocabulary import SOURCES

FORMS = ("json", "csv", "parquet")
"""The formats that are offered, of `layers.formats.FORMATS`."""

_OSM = ("osm_detail",)
_WITH_OSM_RECORDS = ("establishments", "payment_acceptances")
"""Collections to which records are loaded from OpenStreetMap."""
_TAKEN_OVER: Mapping[str, tuple[str, ...]] = {
    "wards": ("wards_2025",),
    "streets": ("osm_detail", "osm_main_roads"),
    "basemap_areas": ("osm_detail", "han_river", "natural_earth"),
}
"""Collections that come from elsewhere as a whole, the strictest licence first."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A collection or a part of it that stands under one licence."""

    id: str
    collection: Collection
    equals: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """The parameters that cut it out, as at the collection's items."""
    sources: tuple[str, ...] = ()
    """Codes of `published.data_sources` under whose licences it stands; none: it is the ward's own."""


@dataclass(frozen=True, slots=True)
class Dates:
    """When the register last changed, and when base data were last loaded; None where there are none."""

    register: datetime | None
    base: datetime | None


def _datasets() -> dict[str, Dataset]:
    found = []
    own = tuple(source for source in SOURCES if source != "osm")
    for name, collection in COLLECTIONS.items():
        source = collection.field_by_name.get("source")
        if name in _TAKEN_OVER:
            found.append(Dataset(name, collection, sources=_TAKEN_OVER[name]))
        elif source is None or source.code_list is None:
            found.append(Dataset(name, collection))
        else:
            found.append(Dataset(name, collection, {"source": own}))
        if name in _WITH_OSM_RECORDS:
            found.append(Dataset(f"{name}_osm", collection, {"source": ("osm",)}, _OSM))
    return {dataset.id: dataset for dataset in found}


DATASETS = _datasets()
"""Every dataset by its id, in the order of the collections."""


def dates(connection: Connection) -> Dates:
    """How old what is taken away is."""
    base = connection.execute(text("SELECT base_loaded_at FROM published.register_head(0)")).scalar_one()
    return Dates(freshness(connection).updated_at, base)
