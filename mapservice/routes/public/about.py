"""/about: what the map is, what it knows and does not know, and where its data come from."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers.surroundings import data_sources
from mapservice.dependencies import ReadConnection, Settings
from mapservice.responses import reply
from mapservice.routes.public.map import surroundings
from web.map_page import about_page

router = APIRouter(tags=["Public map"])


@router.get("/about", summary="About the map, sources and licences", response_class=Response)
def about(request: Request, connection: ReadConnection, settings: Settings) -> Response:
    """A page in Vietnamese, or in English with `lang=en`."""
    lang = "en" if request.query_params.get("lang") == "en" else "vi"
    page = about_page(surroundings(connection, settings), data_sources(connection), lang)
    return reply(request, page.encode(), "text/html; charset=utf-8", headers={"Content-Language": lang})
