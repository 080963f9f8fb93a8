"""/changes: the feed for the city's systems. Ordered, resumable, complete."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers import changes as feed
from mapservice import links as rel
from mapservice.dependencies import Language, LinkBuilder
from mapservice.openapi import parameters
from mapservice.parameters import check_known, whole_number
from mapservice.reading import SeenConnection, privacy
from mapservice.routes.ogc.negotiation import answer
from mapservice.security import MaybeActor

router = APIRouter(tags=["Changes"])

MOST = 2**62


@router.get("/changes", summary="What changed, in order", openapi_extra=parameters("since", "limit", "f", "lang"))
def changes(
    request: Request, actor: MaybeActor, connection: SeenConnection, lang: Language, links: LinkBuilder
) -> Response:
    """The changes after `since`; ask again with `last_seq` to go on. Staff are told who and why, too."""
    check_known(request.query_params, ("since", "limit"))
    since = whole_number(request.query_params, "since", 0, most=MOST)
    limit = min(whole_number(request.query_params, "limit", feed.DEFAULT_LIMIT, least=1), feed.MAX_LIMIT)
    page = feed.page(connection, since, limit, staff=actor is not None)
    asked = {name: request.query_params[name] for name in ("since", "limit") if name in request.query_params}
    found = links.itself("/changes", rel.JSON, asked)
    if page.more:
        found.append(links.link("/changes", "next", rel.JSON, query={"since": page.last_seq, "limit": limit}))
    document: dict[str, Any] = {"changes": page.changes, "last_seq": page.last_seq, "links": found}
    return answer(request, lang, "ogc/document.html", document, headers=privacy(actor))
