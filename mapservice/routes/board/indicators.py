"""/indicators: every indicator of a ward's plan against its target, for dashboards."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from mapservice.dependencies import Language, Settings
from mapservice.indicator_documents import asked_for, document
from mapservice.openapi import parameters
from mapservice.parameters import check_known
from mapservice.reading import SeenConnection, privacy
from mapservice.routes.ogc.negotiation import answer
from mapservice.security import MaybeActor

router = APIRouter(tags=["Board"])


@router.get(
    "/indicators",
    summary="A ward's indicators against their targets",
    openapi_extra=parameters("ward", "as_of", "known", "f", "lang"),
)
def indicators(
    request: Request, actor: MaybeActor, connection: SeenConnection, settings: Settings, lang: Language
) -> Response:
    """As of a day: as the register knew it then, or (`known=now`) as it knows that day now. Staff are told figures of
    fewer than five places of their own ward, too.
    """
    check_known(request.query_params, ("ward", "as_of", "known"))
    found = document(connection, asked_for(request.query_params, actor, settings.ward), lang)
    return answer(request, lang, "ogc/document.html", found, headers=privacy(actor))
