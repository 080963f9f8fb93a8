"""MapLibre styles of the tiles."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers.styles import STYLES, style
from mapservice import links as rel
from mapservice.dependencies import Language, LinkBuilder, Settings
from mapservice.errors import Problem
from mapservice.openapi import common_parameters
from mapservice.parameters import check_known
from mapservice.responses import json_bytes, reply
from mapservice.routes.ogc.negotiation import answer

router = APIRouter(prefix="/ogc/styles", tags=["OGC API Styles"])


@router.get("", summary="All styles", openapi_extra=common_parameters())
def all_styles(request: Request, lang: Language, links: LinkBuilder) -> Response:
    """The styles there are."""
    check_known(request.query_params, ())
    found = [{"id": name, "links": [links.link(f"/ogc/styles/{name}", "stylesheet", rel.STYLE)]} for name in STYLES]
    return answer(request, lang, "ogc/document.html", {"styles": found})


@router.get("/{styleId}", summary="One style", openapi_extra=common_parameters())
def one_style(request: Request, styleId: str, links: LinkBuilder, settings: Settings) -> Response:
    """The style, for MapLibre."""
    check_known(request.query_params, ())
    found = style(styleId, links.base, settings.ward)
    if found is None:
        raise Problem("unknown_style", value=styleId, known=", ".join(STYLES))
    return reply(request, json_bytes(found), rel.JSON)
