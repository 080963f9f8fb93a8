"""/ogc/collections/{collectionId}/items: features by page and one by one."""

import json
from datetime import date

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import features, history
from layers.collections import Collection
from layers.features import FeaturePage
from layers.query import FeatureQuery
from mapservice import links as rel
from mapservice.dependencies import Language, LinkBuilder
from mapservice.feature_answers import feature_answer, no_such_feature
from mapservice.language import wants_html
from mapservice.links import Links
from mapservice.openapi import item_parameters, parameters
from mapservice.parameters import COMMON, check_known, crs, feature_query, item_names, past_day
from mapservice.reading import SeenCollection, SeenConnection, privacy
from mapservice.responses import json_bytes, reply
from mapservice.routes.ogc.negotiation import answer, check_format
from mapservice.security import MaybeActor, require
from postgis.actor import Actor
from postgis.today import end_of
from web.render import render

router = APIRouter(prefix="/ogc/collections", tags=["OGC API Features"])


@router.get("/{collectionId}/items", summary="Features, by page", openapi_extra=item_parameters())
def items(
    request: Request,
    actor: MaybeActor,
    connection: SeenConnection,
    collection: SeenCollection,
    lang: Language,
    links: LinkBuilder,
) -> Response:
    """The features that match, with a link to the next page."""
    check_known(request.query_params, item_names(collection))
    check_format(request)
    query = feature_query(collection, request.query_params)
    path = f"/ogc/collections/{collection.id}/items"
    page = features.page(connection, collection, query)
    head = {
        "numberReturned": page.number_returned,
        **({} if page.number_matched is None else {"numberMatched": page.number_matched}),
        "links": _page_links(request, links, path, page, query),
    }
    headers = {"Content-Language": lang, "Content-Crs": f"<{query.crs.uri}>", **privacy(actor)}
    if wants_html(request):
        document = {**head, "features": json.loads(f"[{page.features}]")}
        html = render("ogc/items.html", lang, document=document, collection=collection.id)
        return reply(request, html.encode(), "text/html; charset=utf-8", headers=headers)
    # PostGIS has written the features: they pass through as text, only the frame is ours.
    body = b'{"type":"FeatureCollection","features":[\n' + page.features.encode() + b"\n]," + json_bytes(head)[1:]
    return reply(request, body, rel.GEOJSON, headers=headers)


@router.get(
    "/{collectionId}/items/{featureId}", summary="One feature", openapi_extra=parameters(*COMMON, "as_of", "crs")
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
    check_known(request.query_params, ("crs", "as_of") if collection.versioned else ("crs",))
    check_format(request)
    day = past_day(request.query_params)
    if day is not None:
        return _past(request, actor, connection, collection, featureId, day, lang)
    asked = crs(request.query_params, "crs")
    found = None if "\x00" in featureId else features.one(connection, collection, featureId, asked)
    if found is None:
        raise no_such_feature(connection, collection, featureId, lang)
    headers = {"Content-Crs": f"<{asked.uri}>"}
    return feature_answer(request, collection, featureId, found, lang, links, actor, headers=headers)


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


def _page_links(
    request: Request, links: Links, path: str, page: FeaturePage, query: FeatureQuery
) -> list[dict[str, str]]:
    asked = dict(request.query_params)
    found = links.itself(path, rel.GEOJSON, asked)
    if page.next_cursor is not None:
        # The cursor says where to go on: an offset would be counted twice.
        kept = {name: value for name, value in asked.items() if name not in ("offset", "cursor")}
        following = {**kept, "limit": query.limit, "cursor": page.next_cursor}
        found.append(links.link(path, "next", rel.GEOJSON, query=following))
    return found
