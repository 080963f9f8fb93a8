"""/about: what the map is, what it knows, where its data come from; /about/data: what is public, and why."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers.collections.disclosure import LEGAL_BASES, disclosures
from layers.lookup import find_ward
from layers.surroundings import data_sources
from mapservice.dependencies import ReadConnection, Settings
from mapservice.responses import reply
from mapservice.routes.public.map import surroundings
from web.data_page import FieldPolicy, data_page
from web.map_page import about_page

router = APIRouter(tags=["Public map"])


@router.get("/about", summary="About the map, sources and licences", response_class=Response)
def about(request: Request, connection: ReadConnection, settings: Settings) -> Response:
    """A page in Vietnamese, or in English with `lang=en`."""
    lang = "en" if request.query_params.get("lang") == "en" else "vi"
    page = about_page(surroundings(connection, settings), data_sources(connection), lang)
    return reply(request, page.encode(), "text/html; charset=utf-8", headers={"Content-Language": lang})


@router.get("/about/data", summary="What is public, why, and on which legal basis", response_class=Response)
def public_fields(request: Request, connection: ReadConnection, settings: Settings) -> Response:
    """A page in Vietnamese, or in English with `lang=en`: every field of the register, made from the registry."""
    lang = "en" if request.query_params.get("lang") == "en" else "vi"
    policies = (FieldPolicy(d.collection, d.field, d.shown, d.reason.code, d.reason.bases) for d in disclosures())
    page = data_page(policies, LEGAL_BASES, find_ward(connection, settings.ward), lang)
    return reply(request, page.encode(), "text/html; charset=utf-8", headers={"Content-Language": lang})
