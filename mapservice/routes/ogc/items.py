"""/ogc/collections/{collectionId}/items: features by page and one by one."""

import json

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers import features
from layers.features import FeaturePage
from layers.query import FeatureQuery
from mapservice import links as rel
from mapservice.dependencies import Language, LinkBuilder
from mapservice.feature_answers import feature_answer, no_such_feature
from mapservice.language import wants_html
from mapservice.links import Links
from mapservice.openapi import common_parameters, item_parameters
from mapservice.parameters import check_known, feature_query, item_names
from mapservice.reading import SeenCollection, SeenConnection, privacy
from mapservice.responses import json_bytes, reply
from mapservice.routes.ogc.negotiation import check_format
from mapservice.security import MaybeActor
from web.render import render

router = APIRouter(prefix="/ogc/collections", tags=["OGC API Features"])

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


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
    headers = {"Content-Language": lang, "Content-Crs": f"<{CRS84}>", **privacy(actor)}
    if wants_html(request):
        document = {**head, "features": json.loads(f"[{page.features}]")}
        html = render("ogc/items.html", lang, document=document, collection=collection.id)
        return reply(request, html.encode(), "text/html; charset=utf-8", headers=headers)
    # PostGIS has written the features: they pass through as text, only the frame is ours.
    body = b'{"type":"FeatureCollection","features":[\n' + page.features.encode() + b"\n]," + json_bytes(head)[1:]
    return reply(request, body, rel.GEOJSON, headers=headers)


@router.get("/{collectionId}/items/{featureId}", summary="One feature", openapi_extra=common_parameters())
def item(
    request: Request,
    actor: MaybeActor,
    connection: SeenConnection,
    collection: SeenCollection,
    featureId: str,
    lang: Language,
    links: LinkBuilder,
) -> Response:
    """The feature by its id."""
    check_known(request.query_params, ())
    check_format(request)
    found = None if "\x00" in featureId else features.one(connection, collection, featureId)
    if found is None:
        raise no_such_feature(connection, collection, featureId, lang)
    return feature_answer(request, collection, featureId, found, lang, links, actor)


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
