"""/staff/shelf-lives: how long the ward relies on a checked fact before it counts as stale."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.record_forms import argument_errors
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from postgis.actor import Actor, read_as, write_as
from postgis.errors import FieldError, Forbidden, InvalidValues
from postgis.store import shelf_lives
from postgis.store.shelf_lives import ChangedMeanwhile, ShelfLife
from postgis.vocabulary import FRESHNESS_FACTS, SHELF_LIFE_MONTHS
from web import labels
from web.field_errors import error_words

router = APIRouter(tags=["Staff"], include_in_schema=False)

PAGE = "/staff/shelf-lives"


@router.get(PAGE, summary="How long facts stay fresh", response_class=Response)
def show(request: Request, actor: SignedIn) -> Response:
    """The months of each kind of fact; a form for those who may choose them."""
    check_known(request.query_params, ("done",))
    require(actor, "read", "register")
    return _page(request, actor)


@router.post(PAGE, summary="Choose how long facts stay fresh", response_class=Response)
def choose(request: Request, actor: SignedIn, form: SentForm) -> Response:
    """Sets the months, with a reason, unless a colleague has changed them since the form was made."""
    check_form(request, actor, form)
    require(actor, "change", "shelf_lives")
    typed = {fact: form[fact] for fact in FRESHNESS_FACTS}
    wanted = {fact: int(text) for fact, text in typed.items() if _whole(text)}
    seen = {fact: int(form[f"seen.{fact}"]) for fact in FRESHNESS_FACTS if _whole(form[f"seen.{fact}"])}
    reason = form["reason"]
    errors = [_wrong(fact) for fact in FRESHNESS_FACTS if fact not in wanted] + argument_errors({"reason": reason})
    try:
        with write_as(database(request), actor, reason=reason or None) as connection:
            changed = shelf_lives.choose(connection, actor, seen, wanted)
            if errors:
                raise InvalidValues(())
    except InvalidValues as invalid:
        return _page(request, actor, typed, reason, [*errors, *invalid.errors], 422)
    except ChangedMeanwhile as changed_meanwhile:
        return _page(request, actor, typed, reason, errors, 409, now=changed_meanwhile.now)
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, PAGE, done="saved" if changed else "unchanged")


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 9


def _wrong(fact: str) -> FieldError:
    return FieldError(fact, "shelf_life_months", {"least": SHELF_LIFE_MONTHS[0], "most": SHELF_LIFE_MONTHS[1]})


def _page(
    request: Request,
    actor: Actor,
    typed: Mapping[str, str] | None = None,
    reason: str = "",
    errors: Sequence[FieldError] = (),
    status: int = 200,
    *,
    now: Sequence[ShelfLife] | None = None,
) -> Response:
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        lives = shelf_lives.shelf_lives(connection, actor)
    words = {each.field: error_words("shelf_lives", each.field, each.code, each.values, lang) for each in errors}
    done = request.query_params.get("done")
    return staff_page(
        request,
        actor,
        "staff/shelf_lives.html",
        status=status,
        lives=[
            {
                "fact": each.fact,
                "title": labels.code_label("freshness_fact", each.fact, lang),
                "months": each.months,
                "default": each.default,
                "typed": str(each.months) if typed is None else typed[each.fact],
                "differs": now is not None,
                "error": words.get(each.fact, ""),
            }
            for each in lives
        ],
        reason=reason,
        reason_error=words.get("reason", ""),
        problem=labels.text("register.shelf.changed_meanwhile", lang) if now is not None else "",
        done=labels.text(f"register.shelf.{done}", lang) if done in ("saved", "unchanged") else "",
        may_change=can(actor, "change", "shelf_lives"),
    )
