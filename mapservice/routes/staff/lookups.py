"""/staff/lookups: how often the look-up pages of the ward's places were viewed, without saying anything of who did."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers import lookup_days
from mapservice.dependencies import database
from mapservice.parameters import check_known
from mapservice.record_page import lookups_in_words
from mapservice.security import SignedIn, require
from mapservice.staff_page import page_language, staff_page
from postgis.actor import read_as

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/lookups"


@router.get(PAGE, summary="How often look-up pages were viewed", response_class=Response)
def show(request: Request, actor: SignedIn) -> Response:
    """The ward's sum, its most viewed places and the days, none of them exact."""
    check_known(request.query_params, ())
    require(actor, "read", "register")
    with read_as(database(request), actor) as connection:
        total = lookup_days.of_ward(connection)
        places, days = lookup_days.most_viewed(connection), lookup_days.by_day(connection)
    return staff_page(
        request,
        actor,
        "staff/lookups.html",
        total=lookups_in_words("ward", total, page_language(request)),
        places=places,
        days=days,
        fewest=lookup_days.FEWEST,
    )
