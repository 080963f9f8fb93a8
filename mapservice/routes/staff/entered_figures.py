"""/staff/figures/entered: figures that the register cannot measure, entered with source and day; all that ever were."""

import re
from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers import indicators
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.indicator_documents import words
from mapservice.parameters import check_known
from mapservice.record_forms import typed_texts, wire_values
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from postgis.actor import Actor, prepare_as, read_as
from postgis.errors import FieldError, Forbidden, InvalidValues
from postgis.store import entered_figures
from postgis.store.entered_figures import FIGURE
from web.board import share
from web.field_errors import error_words
from web.render import format_date

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/figures/entered"
_GROUPED = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+|[0-9]{1,3}(,[0-9]{3})+")


@router.get(PAGE, summary="Entered figures", response_class=Response)
def show(request: Request, actor: SignedIn) -> Response:
    """The form, and all figures that were entered, corrected ones too."""
    check_known(request.query_params, ("done",))
    require(actor, "read", "entered_figures")
    return _page(request, actor)


@router.post(PAGE, summary="Enter a figure", response_class=Response)
def enter(request: Request, actor: SignedIn, form: SentForm) -> Response:
    """Adds a figure; one of the same day that was wrong stays, and counts no more."""
    check_form(request, actor, form)
    require(actor, "create", "entered_figures")
    typed = typed_texts(form, FIGURE.fields) | {"indicator": form["indicator"]}
    plain = typed | {name: _ungrouped(typed[name]) for name in ("numerator", "denominator") if name in typed}
    values = {name: value for name, value in wire_values(plain, FIGURE.fields).items() if value is not None}
    errors: list[FieldError] = []
    try:
        with prepare_as(database(request), actor) as connection:
            if typed["indicator"] not in _open(indicators.plan(connection, actor.ward_code)):
                errors.append(FieldError("indicator", "required"))
                entered_figures.checked(connection, values)
                raise InvalidValues(())
            added = entered_figures.add(connection, actor, typed["indicator"], values)
    except InvalidValues as invalid:
        return _page(request, actor, typed, [*errors, *invalid.errors], 422)
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, PAGE, done="saved" if added else "unchanged")


def _ungrouped(text: str) -> str:
    """A count written 1.234.567 or 1,234,567 as digits; anything else as typed."""
    return re.sub("[.,]", "", text) if _GROUPED.fullmatch(text) else text


def _open(plan: Sequence[indicators.Indicator]) -> dict[str, indicators.Indicator]:
    return {each.code: each for each in plan if each.measured_by == "entered"}


def _page(
    request: Request,
    actor: Actor,
    typed: Mapping[str, str] | None = None,
    errors: Sequence[FieldError] = (),
    status: int = 200,
) -> Response:
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        wanted = _open(indicators.plan(connection, actor.ward_code))
        found = indicators.entered(connection, actor.ward_code, full=True)
    names = {code: each.title if lang == "vi" else words(code, "title", lang) for code, each in wanted.items()}
    seen: set[tuple[str, object]] = set()
    rows = []
    for each in found:
        key = (each.code, each.as_of)
        rows.append(
            {
                "title": names.get(each.code, each.code),
                "as_of": format_date(each.as_of),
                "value": share(each.value, lang),
                "numerator": each.numerator,
                "denominator": each.denominator,
                "source": each.source,
                "document": each.document or "",
                "by": each.entered_by or "",
                "at": each.entered_at,
                "corrected": key in seen,
            }
        )
        seen.add(key)
    return staff_page(
        request,
        actor,
        "staff/entered_figures.html",
        status=status,
        choices=names,
        fields=[(field.name, field.required) for field in FIGURE.fields],
        typed=typed or {},
        errors={
            each.field: error_words("entered_figures", each.field, each.code, each.values, lang) for each in errors
        },
        rows=rows,
        may_enter=can(actor, "create", "entered_figures"),
        done=request.query_params.get("done") if request.query_params.get("done") in ("saved", "unchanged") else None,
    )
