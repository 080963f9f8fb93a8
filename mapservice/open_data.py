"""The open data in words and addresses: what is offered, under which licence, and what each field means."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection

from layers.collections import COLLECTIONS, Collection, Field
from layers.collections.disclosure import of_collection
from layers.formats import FORMATS
from layers.lookup import find_ward
from layers.open_data import DATASETS, FORMS, Dataset, Dates, dates
from layers.query import MAX_LIMIT
from layers.surroundings import data_sources
from mapservice.links import Links
from mapservice.settings import HttpSettings
from postgis.vocabulary import CODE_LISTS
from web import labels
from web.lookup import ward_in_sentence
from web.open_data_page import Download, Licence, Offer, licence_name

DICTIONARY_COLUMNS = (
    "collection",
    "collection_title_vi",
    "collection_title_en",
    "field",
    "title_vi",
    "title_en",
    "type",
    "unit",
    "code_list",
    "codes_vi",
    "codes_en",
    "why_public_vi",
    "why_public_en",
)


def offers(connection: Connection, settings: HttpSettings, links: Links, lang: str) -> list[Offer]:
    """Every dataset with its licence, date and downloads."""
    sources = {row["code"]: row for row in data_sources(connection)}
    found, publisher = dates(connection), publisher_name(find_ward(connection, settings.ward), lang)
    own = Licence(licence_name(settings.open_data_licence), settings.open_data_licence, publisher)
    return [_offer(dataset, sources, found, own, links, lang) for dataset in DATASETS.values()]


def publisher_name(ward: Mapping[str, Any] | None, lang: str) -> str:
    """Who answers for the data: the ward's office, or the map where the ward is not known."""
    if ward is None:
        return labels.text("site.title", lang)
    return labels.text("open_data.publisher", lang, ward=ward_in_sentence(ward, lang))


def dictionary() -> list[dict[str, Any]]:
    """What each published field means, in both languages; `codes` are None where any value may stand."""
    return [entry for collection in COLLECTIONS.values() for entry in _entries(collection)]


def dictionary_rows() -> Iterator[dict[str, Any]]:
    """The same with one text for each of DICTIONARY_COLUMNS."""
    for entry in dictionary():
        for lang in labels.LANGUAGES:
            codes = entry[f"codes_{lang}"]
            entry[f"codes_{lang}"] = "; ".join(f"{code} = {words}" for code, words in codes.items()) if codes else None
        yield entry


def _offer(
    dataset: Dataset, sources: Mapping[str, Mapping[str, Any]], found: Dates, own: Licence, links: Links, lang: str
) -> Offer:
    collection = dataset.collection
    title = labels.collection_title(collection.id, lang)
    of_others = [sources[code] for code in dataset.sources if code in sources]
    licence, changed = own, found.register
    if dataset.sources:
        changed = found.base if collection.reference else found.register
        title = title if collection.reference else labels.text("open_data.of_osm", lang, title=title)
    if of_others:
        credit = "; ".join(dict.fromkeys(row["attribution"] for row in of_others if row["attribution"]))
        licence = Licence(of_others[0]["licence"], of_others[0]["licence_url"], credit)
    return Offer(
        id=dataset.id,
        collection=collection.id,
        title=title,
        description=labels.collection_description(collection.id, lang),
        licence=licence,
        updated_at=changed,
        downloads=[_download(dataset, form, links) for form in FORMS],
    )


def _download(dataset: Dataset, form: str, links: Links) -> Download:
    kind, path = FORMATS[form], f"/ogc/collections/{dataset.collection.id}/items"
    asked = {name: ",".join(values) for name, values in dataset.equals.items()}
    # Without a limit the GeoJSON is one page of it.
    query = {**asked, "limit": min(MAX_LIMIT, kind.most), "f": form}
    name = "Parquet" if form == "parquet" and dataset.collection.geometry is None else _NAMES[form]
    address = links.url(path) + "?" + urlencode(query, safe=",")
    return Download(form, name, kind.media_type, address, f"{dataset.id}.{kind.suffix}")


_NAMES = {"json": "GeoJSON", "csv": "CSV", "parquet": "GeoParquet"}


def _entries(collection: Collection) -> Iterator[dict[str, Any]]:
    for told in of_collection(collection):
        field = collection.field_by_name.get(told.field) or Field(told.field)
        codes = CODE_LISTS[field.code_list] if field.code_list else None
        entry: dict[str, Any] = {
            "collection": collection.id,
            "field": field.name,
            "type": field.type if told.field in collection.field_by_name else collection.geometry,
            "unit": field.unit,
            "code_list": field.code_list,
        }
        for lang in labels.LANGUAGES:
            entry[f"collection_title_{lang}"] = labels.collection_title(collection.id, lang)
            entry[f"title_{lang}"] = labels.field_title(collection.id, field.name, lang)
            entry[f"why_public_{lang}"] = labels.text(f"data.reasons.{told.reason.code}", lang)
            entry[f"codes_{lang}"] = (
                {code: labels.code_label(str(field.code_list), code, lang) for code in codes} if codes else None
            )
        yield {name: entry[name] for name in DICTIONARY_COLUMNS}
