"""/ogc/collections/{collectionId}/items: features by page and one by one."""

import json
from dataclasses import replace
from datetime import date

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import features, history
from layers.collections import Collection
from layers.features import WHOLE_AT_ONCE
from layers.formats import FORMATS
from layers.query import FeatureQuery
from mapservice import links as rel
from mapservice.dependencies import Language, LinkBuilder, database, http_settings
from mapservice.exporting import export
from mapservice.feature_answers import (
    feature_answer,
    file_forms,
    item_answer,
    items_answer,
    no_such_feature,
    one_feature,
    page_head,
    warned_features,
)
from mapservice.language import wants_html
from mapservice.links import Links
from mapservice.openapi import item_parameters, parameters
from mapservice.parameters import (
    COMMON,
    ITEM_NAMES,
    check_known,
    feature_query,
    item_names,
    item_query,
    one_item_names,
    past_day,
)
from mapservice.reading import SeenCollection, SeenConnection, privacy, reading
from mapservice.responses import reply
from mapservice.routes.ogc.negotiation import answer, check_format, chosen_format
from mapservice.security import MaybeActor, require
from postgis.actor import Actor
from postgis.today import end_of
from web.render import render

router = APIRouter(prefix="/ogc/collections", tags=["OGC API Features"])

LONGEST_PAGE = 500
"""Rows of a page for people: a browser shows more only slowly."""


@router.get("/{collectionId}/items", summary="Features, by page", openapi_extra=item_parameters())
def items(
    request: Request,
    actor: MaybeActor,
    collection: SeenCollection,
    lang: Language,
    links: LinkBuilder,
) -> Response:
    """The features that match: a page with a link to the next one, or all of them in a format for files."""
    check_known(request.query_params, item_names(collection))
    form = chosen_format(request)
    query = feature_query(collection, request.query_params, http_settings(request).ward)
    if form not in ("html", "json"):
        most = FORMATS[form].most
        query = replace(query, limit=min(query.limit, most) if "limit" in request.query_params else most)
        return export(request, actor, collection, query, form, lang, links)
    if form == "json" and query.limit > WHOLE_AT_ONCE:
        return export(request, actor, collection, query, form, lang, links)
    with reading(database(request), actor) as connection:
        if form == "html":
            query = replace(query, limit=min(query.limit, LONGEST_PAGE))
            return _page(request, actor, connection, collection, query, lang, links)
        found = items_answer(connection, collection, query, links, lang, request.query_params)
    return reply(request, found.body, found.media_type, headers={**found.headers, **privacy(actor)})


@router.get(
    "/{collectionId}/items/{featureId}",
    summary="One feature",
    openapi_extra=parameters(*COMMON, "as_of", *ITEM_NAMES),
)
def item(
    request: Request,
    actor: MaybeActor,
    connection: SeenConnection,
    collection: SeenCollection,
    featureId: str,
    lang: Language,
    links: LinkBuilder,
) -> Response:
    """The feature by its id, in the CRS asked for; for staff, with `as_of`, as it was at the end of a past day."""
    check_known(request.query_params, one_item_names(collection))
    check_format(request)
    day = past_day(request.query_params) if collection.versioned else None
    if day is not None:
        return _past(request, actor, connection, collection, featureId, day, lang)
    query = item_query(collection, request.query_params, http_settings(request).ward)
    if wants_html(request):
        found = one_feature(connection, collection, featureId, query, lang)
        warned = warned_features(connection, collection, [json.loads(found.text)])
        return feature_answer(request, collection, featureId, found, lang, links, actor, warned=warned)
    data = item_answer(connection, collection, featureId, query, links, lang, request.query_params)
    headers = {**data.headers, **privacy(actor)}
    return reply(request, data.body, data.media_type, headers=headers, version=data.version)


def _page(
    request: Request,
    actor: Actor | None,
    connection: Connection,
    collection: Collection,
    query: FeatureQuery,
    lang: str,
    links: Links,
) -> Response:
    """The page for people, from the same features."""
    page = features.page(connection, collection, query)
    head = page_head(collection, page, query, links, lang, request.query_params)
    matching = {
        name: value for name, value in request.query_params.items() if name not in ("limit", "cursor", "offset")
    }
    path = f"/ogc/collections/{collection.id}/items"
    files = links.forms(path, "alternate", file_forms(lang), matching)
    shown = json.loads(f"[{page.features}]")
    document, warned = {**head, "features": shown, "files": files}, warned_features(connection, collection, shown)
    html = render("ogc/items.html", lang, document=document, collection=collection.id, warned=warned)
    headers = {"Content-Language": lang, **privacy(actor)}
    return reply(request, html.encode(), "text/html; charset=utf-8", headers=headers)


def _past(
    request: Request,
    actor: Actor | None,
    connection: Connection,
    collection: Collection,
    feature_id: str,
    day: date,
    lang: str,
) -> Response:
    """What was written down of the record. What is made from it, such as a licence's status, is made of its days."""
    require(actor, "read", "history")
    state = None if "\x00" in feature_id else history.as_of(connection, collection.id, feature_id, end_of(day))
    if state is None:
        raise no_such_feature(connection, collection, feature_id, lang)
    written = {name: state[name] for name in collection.field_by_name if name in state}
    document = {
        "type": "Feature",
        "id": feature_id,
        "as_of": day.isoformat(),
        "geometry": state.get("geometry"),
        "properties": {**written, "ended": state["ended_at"] is not None},
    }
    media_type = rel.GEOJSON
    return answer(
        request, lang, "ogc/item.html", document, media_type, headers=privacy(actor), collection=collection.id
    )
