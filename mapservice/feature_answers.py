"""A feature as it is answered: to whoever reads it, to whoever has just written it, and why there is none."""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from layers import features
from layers.collections import Collection
from layers.features import Feature, FeaturePage
from layers.formats import FORMATS
from layers.lookup import known_code, live_warnings
from layers.query import FeatureQuery
from mapservice import links as rel
from mapservice.errors import Problem
from mapservice.language import wants_html
from mapservice.links import Links
from mapservice.reading import privacy
from mapservice.responses import Answer, json_bytes, reply
from postgis import codes
from postgis.actor import Actor
from web import labels
from web.render import render

_MAY_PRAISE = ("establishments", "inspections", "licences")
"""Collections whose features may tell something good of a place."""


def items_answer(
    connection: Connection,
    collection: Collection,
    query: FeatureQuery,
    links: Links,
    lang: str,
    asked: Mapping[str, str],
) -> Answer:
    """A page as GeoJSON. `asked` are the parameters as they were given, for the links. Raises InvalidCursor."""
    page = features.page(connection, collection, query)
    head = page_head(collection, page, query, links, lang, asked)
    # PostGIS has written the features: they pass through as text, only the frame is ours.
    body = b'{"type":"FeatureCollection","features":[\n' + page.features.encode() + b"\n]," + json_bytes(head)[1:]
    return Answer(body, rel.GEOJSON, _headers(query, lang))


def item_answer(
    connection: Connection,
    collection: Collection,
    feature_id: str,
    query: FeatureQuery,
    links: Links,
    lang: str,
    asked: Mapping[str, str],
) -> Answer:
    """One feature as GeoJSON; of the query only what says how it is shown counts. Raises Problem."""
    found = one_feature(connection, collection, feature_id, query, lang)
    body = feature_body(collection, feature_id, found, lang, links, asked)
    return Answer(body, rel.GEOJSON, _headers(query, lang), found.version)


def one_feature(
    connection: Connection, collection: Collection, feature_id: str, query: FeatureQuery, lang: str
) -> Feature:
    """The feature by its id, shown as the query says. Raises Problem that says why there is none."""
    found = None if "\x00" in feature_id else features.one(connection, collection, feature_id, query)
    if found is None:
        raise no_such_feature(connection, collection, feature_id, lang)
    return found


def page_head(
    collection: Collection, page: FeaturePage, query: FeatureQuery, links: Links, lang: str, asked: Mapping[str, str]
) -> dict[str, object]:
    """What a page says beside its features: how many, and the way on."""
    path = f"/ogc/collections/{collection.id}/items"
    found = links.itself(path, rel.GEOJSON, dict(asked))
    # A file without a limit would hold all that matches, which is no other form of this page.
    found += links.forms(path, "alternate", file_forms(lang), {**asked, "limit": query.limit})
    if page.next_cursor is not None:
        # The cursor says where to go on: an offset would be counted twice.
        kept = {name: value for name, value in asked.items() if name not in ("offset", "cursor")}
        following = {**kept, "limit": query.limit, "cursor": page.next_cursor}
        found.append(links.link(path, "next", rel.GEOJSON, query=following))
    # OGC API Features calls an exact number numberMatched: what is only estimated gets a name of its own.
    name = "numberMatchedEstimate" if page.estimated else "numberMatched"
    matched = {} if page.number_matched is None else {name: page.number_matched}
    return {"numberReturned": page.number_returned, **matched, "links": found}


@cache
def file_forms(lang: str) -> tuple[tuple[str, str, str], ...]:
    """The formats for files, for `Links.forms`."""
    return tuple(
        (form, kind.media_type, labels.text(f"formats.{form}", lang))
        for form, kind in FORMATS.items()
        if form != "json"
    )


def _headers(query: FeatureQuery, lang: str) -> dict[str, str]:
    return {"Content-Language": lang, "Content-Crs": f"<{query.crs.uri}>"}


def feature_answer(
    request: Request,
    collection: Collection,
    feature_id: str,
    feature: Feature,
    lang: str,
    links: Links,
    actor: Actor | None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    warned: AbstractSet[str] = frozenset(),
) -> Response:
    """A feature as it is answered to whoever reads it and to whoever has just written it. `warned`: as
    `warned_features` says, for pages.
    """
    sent = {"Content-Language": lang, **privacy(actor), **(headers or {})}
    if wants_html(request):
        document = {**json.loads(feature.text), "links": feature_links(collection, feature_id, lang, links)}
        page = render("ogc/item.html", lang, document=document, collection=collection.id, warned=warned).encode()
        return reply(request, page, "text/html; charset=utf-8", headers=sent, status=status, version=feature.version)
    body = feature_body(collection, feature_id, feature, lang, links)
    return reply(request, body, rel.GEOJSON, headers=sent, status=status, version=feature.version)


def warned_features(connection: Connection, collection: Collection, shown: Sequence[Mapping[str, Any]]) -> set[str]:
    """The codes of places that a warning is live about, of features that may speak well of them."""
    if collection.id not in _MAY_PRAISE:
        return set()
    places = {str(one["id"] if collection.geometry else one["properties"].get("establishment")) for one in shown}
    return set(live_warnings(connection, sorted(places))) if places else set()


def feature_body(
    collection: Collection,
    feature_id: str,
    feature: Feature,
    lang: str,
    links: Links,
    asked: Mapping[str, str] | None = None,
) -> bytes:
    """The GeoJSON of a feature with its links."""
    found = feature_links(collection, feature_id, lang, links, asked)
    return feature.text[:-1].encode() + b',"links":' + json_bytes(found) + b"}"


def feature_links(
    collection: Collection, feature_id: str, lang: str, links: Links, asked: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """To the feature itself, as data and as a page, and to its collection."""
    title = labels.collection_title(collection.id, lang)
    return [
        *links.itself(f"/ogc/collections/{collection.id}/items/{feature_id}", rel.GEOJSON, dict(asked or {})),
        links.link(f"/ogc/collections/{collection.id}", "collection", rel.JSON, title),
    ]


def no_such_feature(connection: Connection, collection: Collection, feature_id: str, lang: str) -> Problem:
    """Why there is nothing: never was, ended, or merged into another, whose code is told."""
    state, successor = None, None
    if collection.id == "establishments" and codes.is_valid(feature_id):
        state, successor = known_code(connection, feature_id)
    if state == "merged" and successor is not None:
        return Problem("merged_feature", value=feature_id, successor=successor)
    code = "ended_feature" if state in ("ended", "merged") else "unknown_feature"
    return Problem(code, value=feature_id, collection=labels.collection_title(collection.id, lang))
