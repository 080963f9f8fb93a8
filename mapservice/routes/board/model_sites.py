"""/board/model-sites: the markets and streets that the ward's plan digitises first, stall by stall."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import indicators, work
from layers import model_sites as sites
from layers.indicator_codes import SITE_INDICATORS
from layers.indicators import Figure, Indicator
from layers.lookup import find_ward
from mapservice.dependencies import Settings, database
from mapservice.errors import Problem
from mapservice.forms import Form
from mapservice.parameters import check_known
from mapservice.record_forms import argument_errors, seen_version
from mapservice.responses import reply
from mapservice.security import MaybeActor, SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from postgis.actor import Actor, read_as, write_as
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.store import records
from postgis.today import today
from postgis.vocabulary import MODEL_SITE_KINDS
from web import labels
from web import model_sites as words
from web.field_errors import error_words
from web.lookup import ward_title
from web.render import local, render

router = APIRouter(tags=["Board"], include_in_schema=False)

PAGE = "/board/model-sites"
DONE = ("made", "drawn", "unchanged")
_HTML = "text/html; charset=utf-8"


@router.get(PAGE, summary="Model sites", response_class=Response)
def index(request: Request, actor: MaybeActor, settings: Settings) -> Response:
    """For everybody: which there are. For staff: how each stands against its targets, and who is missing why."""
    check_known(request.query_params, ("done",))
    lang = page_language(request)
    if actor is None:
        with database(request).public.connect() as connection:
            found = sites.told_to_anybody(connection, settings.ward)
            title = ward_title(find_ward(connection, settings.ward), lang)
        page = render("board/model_sites/public.html", lang, sites=found, ward_title=title)
        return reply(request, page.encode(), _HTML, headers={"Content-Language": lang})
    require(actor, "read", "board")
    return _index_page(request, actor)


@router.post(PAGE, summary="Add a model site", response_class=Response)
def add(request: Request, actor: SignedIn, form: SentForm) -> Response:
    """Adds a market or street with its outline: drawn, pasted, or the street as the map has it."""
    check_form(request, actor, form)
    require(actor, "create", "model_sites")
    errors = argument_errors({"reason": form["reason"]})
    wrong: list[FieldError] = []
    try:
        with write_as(database(request), actor, reason=form["reason"] or None) as connection:
            shape, wrong = _shape(connection, actor, form)
            values = {"kind": form["kind"], "name": form["name"], "geometry": shape}
            code = records.create(connection, "model_sites", values, ward_id=actor.ward_id).code
            if errors:
                raise InvalidValues(())
    except InvalidValues as invalid:
        # That there is no outline follows from what is wrong with it.
        others = [each for each in invalid.errors if not (wrong and each.field == "geometry")]
        return _index_page(request, actor, form, [*others, *wrong, *errors], 422)
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, f"{PAGE}/{code}", done="made")


@router.get(PAGE + "/{code}", summary="A model site", response_class=Response)
def show(request: Request, code: str, actor: SignedIn) -> Response:
    """Its outline, its targets by date, its stalls with the evidence, and who is missing and why."""
    check_known(request.query_params, ("done",))
    require(actor, "read", "board")
    return _site_page(request, actor, code)


@router.post(PAGE + "/{code}/outline", summary="Draw a model site", response_class=Response)
def draw(request: Request, code: str, actor: SignedIn, form: SentForm) -> Response:
    """Sets the outline on the version that was seen: drawn, pasted, or the street as the map has it."""
    check_form(request, actor, form)
    require(actor, "change", "model_sites")
    errors = argument_errors({"reason": form["reason"]})
    try:
        with write_as(database(request), actor, reason=form["reason"] or None) as connection:
            shape, wrong = _shape(connection, actor, form)
            if shape is None and not wrong:
                wrong = [FieldError("geometry", "no_outline")]
            if shape is not None:
                records.change(connection, "model_sites", code, seen_version(form), {"geometry": shape})
            if errors or wrong:
                raise InvalidValues(wrong)
    except InvalidValues as invalid:
        return _site_page(request, actor, code, form=form, errors=[*errors, *invalid.errors], status=422)
    except Stale:
        return _site_page(request, actor, code, form=form, stale=True, status=409)
    except NotFound:
        raise Problem("unknown_model_site", value=code) from None
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, f"{PAGE}/{code}", done="drawn")


def _shape(connection: Connection, actor: Actor, form: Form) -> tuple[Any, list[FieldError]]:
    """The outline that the form wants, and what is wrong with it; what was drawn goes before a street."""
    if form["geometry"]:
        try:
            found = json.loads(form["geometry"])
        except (ValueError, RecursionError):
            return None, [FieldError("geometry", "not_an_outline")]
        if isinstance(found, dict) and found.get("type") == "Feature":
            found = found.get("geometry")
        if isinstance(found, dict) and found.get("type") == "FeatureCollection":
            features = found.get("features")
            one = features[0] if isinstance(features, list) and len(features) == 1 else None
            found = one.get("geometry") if isinstance(one, dict) else None
        return (found, []) if isinstance(found, dict) else (None, [FieldError("geometry", "not_an_outline")])
    if form["street"]:
        street = sites.street_shape(connection, actor.ward_id, form["street"][:200])
        return (json.loads(street), []) if street else (None, [FieldError("street", "no_such_street")])
    return None, []


def _figures(connection: Connection, actor: Actor) -> dict[str, dict[str | None, Figure]]:
    """The two indicators of model sites, by site."""
    return {
        code: dict(indicators.by(connection, actor.ward_code, today(), "then", code, "model_site"))
        for code in SITE_INDICATORS
    }


def _targets(
    plan: Sequence[Indicator], figures: dict[str, dict[str | None, Figure]], code: str, lang: str
) -> list[dict[str, Any]]:
    """Each target of the plan for model sites, as one site stands."""
    rows = []
    for each in plan:
        if each.code in SITE_INDICATORS:
            figure = figures[each.code].get(code, Figure(each.code))
            rows += [
                {
                    "code": each.code,
                    "due_on": target.due,
                    **words.target_row(each.title, target, figure, work.needed(target, figure), today(), lang),
                }
                for target in each.targets
            ]
    return rows


def _index_page(
    request: Request, actor: Actor, form: Form | None = None, errors: Sequence[FieldError] = (), status: int = 200
) -> Response:
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        found = sites.sites(connection)
        figures = _figures(connection, actor)
        stalls = sites.stalls(connection, [row["id"] for row in found])
        plan = indicators.plan(connection, actor.ward_code)
        streets = sites.street_names(connection, actor.ward_id)
    rows = [
        {
            **row,
            "href": local(lang, f"{PAGE}/{row['code']}"),
            "kind": labels.code_label("model_site_kind", row["kind"], lang),
            "figures": {
                code: words.figure_row(figures[code].get(row["code"], Figure(code)), lang) for code in SITE_INDICATORS
            },
            "missing": [
                each
                for each in words.tally((s for s in stalls if s["model_site_id"] == row["id"]), sites.MISSING, lang)
                if each["count"]
            ],
        }
        for row in found
    ]  # fmt: skip
    typed = {name: form[name] if form is not None else "" for name in ("name", "kind", "street", "geometry", "reason")}
    return staff_page(
        request, actor, "board/model_sites/index.html", status=status, sites=rows, streets=streets, typed=typed,
        indicators=[
            {"code": each.code, "title": each.title, "short": labels.text(f"board.indicators.{each.code}.short", lang)}
            for each in plan if each.code in SITE_INDICATORS
        ],
        kinds=MODEL_SITE_KINDS,
        may_add=can(actor, "create", "model_sites"), errors=_words(errors, lang), adding=form is not None,
    )  # fmt: skip


def _site_page(
    request: Request,
    actor: Actor,
    code: str,
    *,
    form: Form | None = None,
    errors: Sequence[FieldError] = (),
    stale: bool = False,
    status: int = 200,
) -> Response:
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        site = sites.site(connection, code) if "\0" not in code else None
        if site is None:
            raise Problem("unknown_model_site", value=code)
        stalls = sites.stalls(connection, [site["id"]])
        figures = _figures(connection, actor)
        plan = indicators.plan(connection, actor.ward_code)
        outline = json.loads(site["outline"])
        box = words.box_around(outline, [(row["lon"], row["lat"]) for row in stalls])
        ground = sites.ground(connection, *box)
        streets = sites.street_names(connection, actor.ward_id)
    done = request.query_params.get("done")
    lag = next((row for row in _targets(plan, figures, code, lang) if not row["met"] and not row["past"]), None)
    return staff_page(
        request, actor, "board/model_sites/site.html", status=status,
        site={**site, "kind": labels.code_label("model_site_kind", site["kind"], lang)},
        figures=[
            {
                "code": each.code, "title": each.title,
                **words.figure_row(figures[each.code].get(code, Figure(each.code)), lang),
            }
            for each in plan if each.code in SITE_INDICATORS
        ],
        targets=_targets(plan, figures, code, lang), stalls=[words.stall_row(row, lang) for row in stalls],
        tally=words.tally(stalls, sites.WHY, lang), drawing=words.drawing(outline, stalls, ground, box),
        streets=streets,
        work_href=_work_href(lag, code, lang) if lag else "",
        may_make=can(actor, "create", "work"), may_draw=can(actor, "change", "model_sites"),
        typed={name: form[name] if form is not None else "" for name in ("street", "geometry", "reason")},
        errors=_words(errors, lang), drawing_open=form is not None,
        problem=labels.text("model_sites.stale", lang) if stale else "",
        done=labels.text(f"model_sites.done.{done}", lang) if done in DONE else "",
    )  # fmt: skip


def _work_href(lag: Mapping[str, Any], code: str, lang: str) -> str:
    """The list for the target that the page says is missed, which need not be the next one."""
    asked = {"indicator": lag["code"], "scope": "model_site", "code": code, "due": lag["due_on"].isoformat()}
    return local(lang, "/board/work/new", **asked)


def _words(errors: Sequence[FieldError], lang: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for error in errors:
        found.setdefault(error.field, error_words("model_sites", error.field, error.code, error.values, lang))
    return found
