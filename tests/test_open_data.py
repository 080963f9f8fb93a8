"""Open data: every dataset can be had, no file mixes licences, the catalogue is DCAT-AP, the dictionary is whole."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from layers.collections import COLLECTIONS
from layers.collections.disclosure import of_collection
from layers.formats import FORMATS
from layers.open_data import DATASETS, FORMS
from layers.query import MAX_LIMIT
from mapservice.open_data import DICTIONARY_COLUMNS, dictionary
from mapservice.settings import HttpSettings
from postgis.vocabulary import CODE_LISTS, SOURCES
from web import labels

DCT, DCAT, FOAF = "http://purl.org/dc/terms/", "http://www.w3.org/ns/dcat#", "http://xmlns.com/foaf/0.1/"

MANDATORY = {
    f"{DCAT}Catalog": {f"{DCT}title", f"{DCT}description", f"{DCT}publisher", f"{DCAT}dataset"},
    f"{DCAT}Dataset": {f"{DCT}title", f"{DCT}description"},
    f"{DCAT}Distribution": {f"{DCAT}accessURL"},
    f"{DCAT}DataService": {f"{DCT}title", f"{DCAT}endpointURL"},
    f"{FOAF}Agent": {f"{FOAF}name"},
}
"""DCAT-AP 3.0: the properties of cardinality 1..1 and 1..n of the classes that are used."""
RESOURCES = {f"{DCAT}dataset", f"{DCAT}accessURL", f"{DCAT}endpointURL", f"{DCT}publisher", f"{DCT}license"}
"""Properties whose values are things with an address, not words."""


@pytest.fixture(scope="module")
def catalog(client: httpx.Client) -> dict[str, Any]:
    answer = client.get("/open-data/catalog.jsonld")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/ld+json"
    found: dict[str, Any] = answer.json()
    return found


def expanded(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every typed node with its keys and types as whole IRIs; a prefix that the context lacks fails."""
    context = document["@context"]

    def iri(name: str) -> str:
        prefix, _, rest = name.partition(":")
        return f"{context[prefix]}{rest}"

    def walk(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, list):
            for part in value:
                yield from walk(part)
        elif isinstance(value, dict):
            if "@type" in value and "@value" not in value:
                yield {
                    "@id": value.get("@id"),
                    "@type": iri(value["@type"]),
                    **{iri(name): part for name, part in value.items() if not name.startswith("@")},
                }
            for name, part in value.items():
                if not name.startswith("@"):
                    yield from walk(part)

    yield from walk({name: part for name, part in document.items() if name != "@context"})


def test_every_source_of_records_is_offered_once() -> None:
    for collection in COLLECTIONS.values():
        parts = [dataset for dataset in DATASETS.values() if dataset.collection is collection]
        assert parts, collection.id
        offered = [source for part in parts for source in part.equals.get("source", ())]
        assert len(offered) == len(set(offered))
        if len(parts) > 1:
            assert sorted(offered) == sorted(SOURCES), collection.id


def test_what_is_under_the_odbl_is_never_in_a_file_of_the_wards_own() -> None:
    for dataset in DATASETS.values():
        of_records = dataset.collection.field_by_name.get("source")
        if dataset.sources or of_records is None or of_records.code_list is None:
            continue
        assert dataset.equals["source"] and "osm" not in dataset.equals["source"], dataset.id


def test_the_catalogue_has_what_dcat_ap_asks_for(catalog: dict[str, Any]) -> None:
    nodes = list(expanded(catalog))
    for kind, properties in MANDATORY.items():
        found = [node for node in nodes if node["@type"] == kind]
        assert found, kind
        for node in found:
            assert properties <= set(node), (kind, node["@id"])
            for name in properties:
                values = node[name] if isinstance(node[name], list) else [node[name]]
                assert values and all(values), (kind, name)
                for value in values:
                    if name in RESOURCES:
                        assert value["@id"].startswith("http"), (kind, name)
                    else:
                        assert isinstance(value, str) or value["@value"].strip(), (kind, name)
    identities = [node["@id"] for node in nodes if node["@id"]]
    assert len(identities) == len(set(identities))


def test_the_catalogue_names_every_dataset_with_its_licence_and_both_languages(catalog: dict[str, Any]) -> None:
    datasets = catalog["dcat:dataset"]
    assert [dataset["dct:identifier"] for dataset in datasets] == list(DATASETS)
    for dataset in datasets:
        assert {words["@language"] for words in dataset["dct:title"]} == set(labels.LANGUAGES)
        licences = {distribution["dct:license"]["@id"] for distribution in dataset["dcat:distribution"]}
        assert len(licences) == 1
        odbl = any("osm" in source for source in DATASETS[dataset["dct:identifier"]].sources)
        assert (licences == {"https://opendatacommons.org/licenses/odbl/1-0/"}) == odbl, dataset["dct:identifier"]
        assert dataset["dct:modified"]["@value"]
    served = {dataset["@id"] for dataset in catalog["dcat:service"]["dcat:servesDataset"]}
    assert served == {dataset["@id"] for dataset in datasets}


def test_every_download_is_there_and_of_its_kind(client: httpx.Client, catalog: dict[str, Any]) -> None:
    """A few features of each, and two of the files that a process makes; the next test takes whole ones."""
    for dataset in catalog["dcat:dataset"]:
        for distribution in dataset["dcat:distribution"]:
            form = distribution["@id"].rpartition(".")[2]
            if form == "parquet" and dataset["dct:identifier"] not in ("wards", "licences"):
                continue
            address = distribution["dcat:downloadURL"]["@id"]
            assert f"limit={MAX_LIMIT}&" in address
            answer = client.get(address.replace(f"limit={MAX_LIMIT}&", "limit=5&"))
            assert answer.status_code == 200, distribution["@id"]
            assert answer.headers["content-type"].partition(";")[0] == FORMATS[form].media_type
            assert answer.content.startswith({"json": b"{", "csv": b"\xef\xbb\xbf", "parquet": b"PAR1"}[form])


def test_a_file_holds_the_whole_part_and_nothing_of_the_other(client: httpx.Client, catalog: dict[str, Any]) -> None:
    whole = client.get("/ogc/collections/establishments/items?limit=1000000&properties=code,source").json()["features"]
    addresses = {
        dataset["dct:identifier"]: distribution["dcat:downloadURL"]["@id"]
        for dataset in catalog["dcat:dataset"]
        for distribution in dataset["dcat:distribution"]
        if distribution["@id"].endswith(".json")
    }
    own = client.get(addresses["establishments"]).json()["features"]
    theirs = client.get(addresses["establishments_osm"]).json()["features"]
    assert theirs and {feature["properties"]["source"] for feature in theirs} == {"osm"}
    assert own and "osm" not in {feature["properties"]["source"] for feature in own}
    assert {feature["id"] for feature in own + theirs} == {feature["id"] for feature in whole}


@pytest.mark.parametrize("lang", labels.LANGUAGES)
def test_the_page_offers_everything_without_a_script(client: httpx.Client, lang: str) -> None:
    answer = client.get("/open-data", params={"lang": lang})
    assert answer.status_code == 200 and answer.headers["content-language"] == lang
    assert "<script" not in answer.text and "set-cookie" not in answer.headers
    for dataset in DATASETS:
        assert f'id="{dataset}"' in answer.text
    offered = re.findall(r'href="([^"]+)" download="', answer.text)
    assert len(offered) == len(DATASETS) * len(FORMS)
    asked = [parse_qs(urlsplit(address.replace("&amp;", "&")).query)["f"] for address in offered]
    assert {form for forms in asked for form in forms} == set(FORMS)
    assert labels.text("open_data.illustrative", lang) in answer.text
    for licence in ("CC BY 4.0", "ODbL 1.0", "MIT"):
        assert licence in answer.text


def test_the_dictionary_tells_every_published_field_in_both_languages(client: httpx.Client) -> None:
    expected = [(name, told.field) for name, collection in COLLECTIONS.items() for told in of_collection(collection)]
    found = client.get("/open-data/dictionary.json").json()["fields"]
    assert [(entry["collection"], entry["field"]) for entry in found] == expected
    assert found == dictionary()
    for entry in found:
        assert entry["title_vi"] and entry["title_en"] and entry["type"]
        if entry["code_list"]:
            assert list(entry["codes_vi"]) == list(entry["codes_en"]) == list(CODE_LISTS[entry["code_list"]])
    answer = client.get("/open-data/dictionary.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["collection"], row["field"]) for row in rows] == expected
    assert tuple(rows[0]) == DICTIONARY_COLUMNS
    group = next(row for row in rows if row["field"] == "sector_group")
    assert "food_service = " in group["codes_vi"] and group["codes_vi"] != group["codes_en"]


def test_the_wards_licence_is_an_address() -> None:
    assert HttpSettings(open_data_licence="https://example.org/l").open_data_licence == "https://example.org/l"
    with pytest.raises(ValueError, match="open_data_licence"):
        HttpSettings(open_data_licence="javascript:alert(1)")
