"""A feature as it is answered: to whoever reads it, to whoever has just written it, and why there is none."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from layers.collections import Collection
from layers.features import Feature
from layers.lookup import known_code
from mapservice import links as rel
from mapservice.errors import Problem
from mapservice.language import wants_html
from mapservice.links import Links
from mapservice.reading import privacy
from mapservice.responses import json_bytes, reply
from postgis import codes
from postgis.actor import Actor
from web import labels
from web.render import render


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
) -> Response:
    """A feature as it is answered to whoever reads it and to whoever has just written it."""
    sent = {"Content-Language": lang, **privacy(actor), **(headers or {})}
    if wants_html(request):
        document = {**json.loads(feature.text), "links": feature_links(collection, feature_id, lang, links)}
        page = render("ogc/item.html", lang, document=document, collection=collection.id).encode()
        return reply(request, page, "text/html; charset=utf-8", headers=sent, status=status, version=feature.version)
    body = feature_body(collection, feature_id, feature, lang, links)
    return reply(request, body, rel.GEOJSON, headers=sent, status=status, version=feature.version)


def feature_body(collection: Collection, feature_id: str, feature: Feature, lang: str, links: Links) -> bytes:
    """The GeoJSON of a feature with its links."""
    found = feature_links(collection, feature_id, lang, links)
    return feature.text[:-1].encode() + b',"links":' + json_bytes(found) + b"}"


def feature_links(collection: Collection, feature_id: str, lang: str, links: Links) -> list[dict[str, str]]:
    """To the feature itself, as data and as a page, and to its collection."""
    title = labels.collection_title(collection.id, lang)
    return [
        *links.itself(f"/ogc/collections/{collection.id}/items/{feature_id}", rel.GEOJSON),
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
