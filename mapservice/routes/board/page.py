"""/board: where adoption stands against the plan; one indicator with all that is behind it; one to embed elsewhere."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from mapservice import adoption_page, work_board
from mapservice.board_inside import inside
from mapservice.board_page import board_page, indicator_page, view_of
from mapservice.dependencies import ReadConnection
from mapservice.middleware import CONTENT_SECURITY_POLICY
from mapservice.parameters import check_known
from mapservice.responses import reply
from mapservice.security import MaybeActor
from mapservice.staff_page import HTML, page_language
from web.render import render

router = APIRouter(tags=["Board"])

PAGE = "/board"
FRAMED = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'self'", "frame-ancestors *")
"""The widget alone may stand in others' pages: it holds no form, no script, and nothing that is not for everybody."""


@router.get(PAGE, summary="The leaders' board", response_class=Response, include_in_schema=False)
def show(request: Request, actor: MaybeActor) -> Response:
    """The ward's indicators at the end of a day; for its staff also the map in full and what to do."""
    return board_page(request, actor, (adoption_page.board_part, work_board.part))


@router.get(PAGE + "/indicators/{indicator}", summary="One indicator", response_class=Response, include_in_schema=False)
def show_indicator(request: Request, indicator: str, actor: MaybeActor) -> Response:
    """Definition, counts, range, months, forecast; for the ward's staff its parts by `group` and what got lost."""
    return indicator_page(
        request,
        actor,
        indicator,
        lambda request, connection, asked, told, lang: (
            inside(request, connection, actor, asked, told, lang) if actor else {}
        ),
    )


@router.get(PAGE + "/widget", summary="One figure, to embed", response_class=Response, include_in_schema=False)
def widget(request: Request, connection: ReadConnection, indicator: str = "digital_platform_use") -> Response:
    """`indicator` as anybody is told it, without script, for an iframe on the ward's own pages."""
    check_known(request.query_params, ("ward", "as_of", "known", "indicator"))
    lang = page_language(request)
    view, title = view_of(request, connection, indicator, lang)
    page = render("board/widget.html", lang, view=view, of_ward=title, indicator=indicator)
    headers = {"Content-Security-Policy": FRAMED, "Content-Language": lang}
    return reply(request, page.encode(), HTML, headers=headers)
