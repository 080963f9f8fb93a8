"""/open-data: the published data to take away, what they mean, and the catalogue that portals harvest."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers.formats.spreadsheets import CSV_TYPE, Column, csv_stream
from layers.lookup import find_ward
from layers.lookup_days import MONTHS_TO, by_month
from layers.surroundings import freshness, ward_box
from mapservice import links as rel
from mapservice.dcat import catalog
from mapservice.dependencies import LinkBuilder, ReadConnection, Settings
from mapservice.open_data import DICTIONARY_COLUMNS, dictionary, dictionary_rows, offers, publisher_name
from mapservice.responses import json_bytes, reply
from web.labels import LANGUAGES
from web.open_data_page import open_data_page

router = APIRouter(tags=["Open data"])

JSON_LD = "application/ld+json"


@router.get("/open-data", summary="The published data, to take away", response_class=Response)
def open_data(request: Request, connection: ReadConnection, settings: Settings, links: LinkBuilder) -> Response:
    """A page in Vietnamese, or in English with `lang=en`: every dataset with its licence, date and downloads."""
    lang = "en" if request.query_params.get("lang") == "en" else "vi"
    ward, found = find_ward(connection, settings.ward), offers(connection, settings, links, lang)
    views = by_month(connection, settings.ward)
    page = open_data_page(found, ward, freshness(connection).illustrative, views, MONTHS_TO, lang)
    return reply(request, page.encode(), "text/html; charset=utf-8", headers={"Content-Language": lang})


@router.get("/open-data/catalog.jsonld", summary="The catalogue of the open data (DCAT-AP)", response_class=Response)
def open_data_catalog(request: Request, connection: ReadConnection, settings: Settings, links: LinkBuilder) -> Response:
    """JSON-LD in both languages at once."""
    ward = find_ward(connection, settings.ward)
    found = {lang: offers(connection, settings, links, lang) for lang in LANGUAGES}
    publisher = {lang: publisher_name(ward, lang) for lang in LANGUAGES}
    document = catalog(found, publisher, ward_box(connection, settings.ward), links)
    return reply(request, json_bytes(document), JSON_LD)


@router.get("/open-data/dictionary.json", summary="What each published field means", response_class=Response)
def dictionary_json(request: Request) -> Response:
    """Made from the registry of collections, in both languages at once."""
    return reply(request, json_bytes({"fields": dictionary()}), rel.JSON)


@router.get("/open-data/dictionary.csv", summary="What each published field means, as a table", response_class=Response)
def dictionary_csv(request: Request) -> Response:
    """The same as CSV that opens rightly in Excel."""
    body = b"".join(csv_stream([Column(name, name) for name in DICTIONARY_COLUMNS], dictionary_rows()))
    headers = {"Content-Disposition": 'attachment; filename="dictionary.csv"'}
    return reply(request, body, CSV_TYPE, headers=headers)
