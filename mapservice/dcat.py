"""The catalogue of the open data as JSON-LD, by DCAT-AP 3: what portals of open data harvest.

Mandatory there: title, description, publisher and datasets of a catalogue; title and description of a dataset; access
address of a distribution; title and endpoint of a data service; name of an agent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from layers.surroundings import Box
from mapservice.links import Links
from web import labels
from web.open_data_page import Download, Offer

CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "geo": "http://www.opengis.net/ont/geosparql#",
}
_AUTHORITY = "http://publications.europa.eu/resource/authority"
_LANGUAGES = {"vi": "VIE", "en": "ENG"}
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
_PUBLIC = {"@id": f"{_AUTHORITY}/access-right/PUBLIC"}

Node = dict[str, Any]
Words = Mapping[str, str]
"""By language."""


def catalog(offers: Mapping[str, Sequence[Offer]], publisher: Words, box: Box | None, links: Links) -> Node:
    """The catalogue. `offers` are the same datasets in each language, `box` is where they lie, in degrees."""
    page, api = links.url("/open-data"), links.url("/ogc")
    agent = {"@id": f"{page}#publisher", "@type": "foaf:Agent", "foaf:name": _both(publisher)}
    datasets = [
        _dataset(dict(zip(offers, same, strict=True)), page, agent, box) for same in zip(*offers.values(), strict=True)
    ]
    changed = max((offer.updated_at for offer in next(iter(offers.values())) if offer.updated_at), default=None)
    return {
        "@context": CONTEXT,
        "@id": page,
        "@type": "dcat:Catalog",
        "dct:title": _words("open_data.catalog_title"),
        "dct:description": _words("open_data.lead"),
        "dct:publisher": agent,
        "dct:language": [_language(lang) for lang in offers],
        "foaf:homepage": {"@id": page},
        **({"dct:modified": _moment(changed)} if changed else {}),
        "dcat:dataset": datasets,
        "dcat:service": {
            "@id": api,
            "@type": "dcat:DataService",
            "dct:title": _words("open_data.service_title"),
            "dcat:endpointURL": {"@id": api},
            "dcat:endpointDescription": {"@id": links.url("/ogc/api")},
            "dcat:servesDataset": [{"@id": dataset["@id"]} for dataset in datasets],
        },
    }


def _dataset(offers: Mapping[str, Offer], page: str, agent: Node, box: Box | None) -> Node:
    one = next(iter(offers.values()))
    address = f"{page}#{one.id}"
    return {
        "@id": address,
        "@type": "dcat:Dataset",
        "dct:identifier": one.id,
        "dct:title": _both({lang: offer.title for lang, offer in offers.items()}),
        "dct:description": _both({lang: offer.description for lang, offer in offers.items()}),
        "dct:publisher": {"@id": agent["@id"]},
        "dct:accessRights": _PUBLIC,
        "dct:language": [_language(lang) for lang in offers],
        "dcat:landingPage": {"@id": page},
        **({"dct:modified": _moment(one.updated_at)} if one.updated_at else {}),
        **({"dct:spatial": _location(box)} if box else {}),
        "dcat:distribution": [_distribution(download, address, one) for download in one.downloads],
    }


def _distribution(download: Download, dataset: str, offer: Offer) -> Node:
    licence = offer.licence
    return {
        "@id": f"{dataset}.{download.form}",
        "@type": "dcat:Distribution",
        "dct:title": f"{offer.id}: {download.name}",
        "dcat:accessURL": {"@id": download.url},
        "dcat:downloadURL": {"@id": download.url},
        "dcat:mediaType": {"@id": _MEDIA_TYPES + download.media_type},
        **({"dct:license": {"@id": licence.url}} if licence.url else {}),
        **({"dct:rights": _rights(licence.attribution)} if licence.attribution else {}),
    }


def _rights(attribution: str) -> Node:
    return {"@type": "dct:RightsStatement", "rdfs:label": attribution}


def _location(box: Box) -> Node:
    west, south, east, north = box
    ring = ", ".join(f"{x} {y}" for x, y in ((west, south), (east, south), (east, north), (west, north), (west, south)))
    return {"@type": "dct:Location", "dcat:bbox": {"@value": f"POLYGON(({ring}))", "@type": "geo:wktLiteral"}}


def _language(lang: str) -> Node:
    return {"@id": f"{_AUTHORITY}/language/{_LANGUAGES[lang]}"}


def _moment(value: Any) -> Node:
    return {"@value": value.isoformat(), "@type": "xsd:dateTime"}


def _words(key: str) -> list[Node]:
    return _both({lang: labels.text(key, lang) for lang in labels.LANGUAGES})


def _both(words: Words) -> list[Node]:
    return [{"@value": value, "@language": lang} for lang, value in words.items()]
