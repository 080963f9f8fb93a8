"""/board/data-quality: whether the register is right, complete, clean and alive, by group and through time."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from layers import data_quality as measured
from layers import register
from layers.data_quality import MEASURES, NOW, Figure, Measure, Quality
from layers.formats.spreadsheets import CSV_TYPE, Column, csv_stream
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.record_forms import typed_past_day
from mapservice.routes.staff.exports import download_headers
from mapservice.security import SignedIn, require
from mapservice.staff_page import page_language, staff_page
from postgis.actor import read_as
from postgis.today import today
from postgis.vocabulary import FOOD_GROUPS, OPERATING_STATUSES, SECTOR_GROUPS
from web import labels
from web.chart_svg import svg
from web.charts import LineChart, TimePoint, written
from web.render import format_date, local

router = APIRouter(tags=["Board"], include_in_schema=False)

PAGE = "/board/data-quality"
MOST_GROUPS = 30
"""Residential groups that are shown at first: a ward has hundreds, and the worst stand before the others."""
SECTIONS = ("right", "complete", "clean", "alive")
_LISTS = {"outside_ward": "/staff/this-week/outside_ward", "same_point": "/staff/this-week/same_point",
          "duplicates": "/staff/this-week/duplicates"}  # fmt: skip
_SECTION_NOW = {"outside_ward": "right", "same_point": "clean", "duplicates": "clean"}
_COUNTED = {
    "operating_status": ",".join(each for each in OPERATING_STATUSES if each not in ("closed", "moved", "not_found")),
    "sector_group": ",".join(each for each in SECTOR_GROUPS if each != "public_place"),
}
"""The places that count, as filters of the staff's list (register.counts_in_figures)."""
_FIGURES = ("population", "yes", "no", "unknown", "share")


@router.get(PAGE, summary="Quality of the data", response_class=Response)
def show(request: Request, actor: SignedIn) -> Response:
    """Each figure with its definition, its denominator, its day and the records behind it; `measure` chooses which one
    is shown by residential group and month; `f=csv` all of them as a file.
    """
    check_known(request.query_params, ("as_of", "measure", "groups"))
    require(actor, "read", "board")
    lang = page_language(request)
    chosen = request.query_params.get("measure") or "position"
    if chosen not in MEASURES:
        raise Problem("invalid_value", pointer="measure", name="measure", value=chosen)
    day = typed_past_day(request.query_params) or today()
    with read_as(database(request), actor) as connection:
        found = measured.quality(connection, actor.ward_id, day)
        names = register.choices(connection)["residential_group"]
        if request.query_params.get("f") == "csv":
            return _csv(found, names, lang)
        trend = measured.trend(connection, actor.ward_id, day)
        only_now = measured.now(connection) if day == today() else {}
    groups = _groups(found, chosen, names, lang)
    every = len(groups) <= MOST_GROUPS or request.query_params.get("groups") == "all"
    return staff_page(
        request,
        actor,
        "board/data_quality.html",
        as_of=day,
        today=day == today(),
        population=found.ward["name"].population,
        illustrative=found.illustrative,
        sections=[
            (section, [*_lasting(found, section, lang), *_listed(only_now, section, lang)]) for section in SECTIONS
        ],
        chosen=chosen,
        measures={code: labels.text(f"quality.measures.{code}.title", lang) for code in MEASURES},
        groups=groups if every else groups[:MOST_GROUPS],
        more=0 if every else len(groups),
        more_href=local(lang, PAGE, measure=chosen, as_of=_past(found), groups="all") + "#by-group",
        trend=[_figure(figures[chosen], lang) | {"day": each} for each, figures in reversed(trend)],
        chart=_chart(trend, chosen, lang),
        csv_href=local(lang, PAGE, f="csv", as_of=day.isoformat()),
    )


def _lasting(found: Quality, section: str, lang: str) -> list[dict[str, Any]]:
    return [
        _figure(found.ward[code], lang)
        | _words(code, lang)
        | _links(measure, found, lang)
        | {"href": local(lang, PAGE, measure=code, as_of=_past(found)) + "#groups"}
        for code, measure in MEASURES.items()
        if measure.section == section
    ]


def _listed(found: Mapping[str, Figure | None], section: str, lang: str) -> list[dict[str, Any]]:
    """The figures that a worklist stands behind; one that takes too long to count is not known, and still listed."""
    return [
        _figure(found[code] or Figure(), lang)
        | _words(code, lang)
        | {"no_href": local(lang, _LISTS[code]), "unknown_href": "", "href": "", "uncounted": found[code] is None}
        for code in NOW
        if code in found and _SECTION_NOW[code] == section
    ]


def _words(code: str, lang: str) -> dict[str, str]:
    own = f"quality.measures.{code}"
    return {
        "code": code,
        "title": labels.text(f"{own}.title", lang),
        "definition": labels.text(f"{own}.definition", lang),
    }


def _figure(figure: Figure, lang: str) -> dict[str, Any]:
    return {
        "population": figure.population,
        "yes": figure.yes,
        "no": figure.no,
        "unknown": figure.unknown,
        "share": written(figure.share, "%", lang),
        "uncounted": False,
    }


def _links(measure: Measure, found: Quality, lang: str, group: str | None = "") -> dict[str, str]:
    """Where the records behind a figure of today are listed; nothing for a day gone by, which no list shows."""
    if found.as_of != today():
        return {"no_href": "", "unknown_href": ""}
    kept = dict(_COUNTED)
    if measure.code in ("food_safety", "fresh_food_safety"):
        kept["sector_group"] = ",".join(FOOD_GROUPS)
    if group:
        kept["residential_group"] = group
    no, unknown = _filters(measure)
    if group is None:
        # Places in no group are listed by that they lack one; of those, no second thing that is missing.
        if "missing" in no:
            return {"no_href": "", "unknown_href": ""}
        no, unknown = ({**each, "missing": "residential_group"} if each else each for each in (no, unknown))
    return {
        name: local(lang, "/staff/establishments", **{**kept, **filters}) if filters else ""
        for name, filters in (("no_href", no), ("unknown_href", unknown))
    }


def _filters(measure: Measure) -> tuple[dict[str, str], dict[str, str]]:
    """Filters of the staff's list for what is not as it should be, and for what is not known."""
    if measure.code == "position":
        return {"position_quality": "poor,generated"}, {"position_quality": "unknown"}
    if measure.section == "alive":
        return {"stale": measure.code.removeprefix("fresh_")}, {}
    return {"missing": measure.code}, {}


def _groups(found: Quality, chosen: str, names: Mapping[str, str], lang: str) -> list[dict[str, Any]]:
    """The figure by residential group, the worst first; places in no group last."""
    rows = []
    for code, figures in found.groups.items():
        figure = figures[chosen]
        rows.append(
            _figure(figure, lang)
            | _links(MEASURES[chosen], found, lang, code)
            | {
                "name": _group_name(code, names, lang),
                "order": (code is None, figure.share or 0.0, -figure.no, code or ""),
            }
        )
    return sorted(rows, key=lambda row: row["order"])


def _group_name(code: str | None, names: Mapping[str, str], lang: str) -> str:
    return labels.text("quality.no_group", lang) if code is None else names.get(code, code) or code


def _chart(trend: list[tuple[date, dict[str, Figure]]], chosen: str, lang: str) -> Any:
    points = tuple(TimePoint(day, figures[chosen].share) for day, figures in trend)
    if sum(point.value is not None for point in points) < 2:
        return ""
    return svg(LineChart(labels.text(f"quality.measures.{chosen}.title", lang), points), lang)


def _past(found: Quality) -> str | None:
    return None if found.as_of == today() else found.as_of.isoformat()


def _csv(found: Quality, names: Mapping[str, str], lang: str) -> Response:
    """Every figure of every group, a row each; the ward's own first."""
    columns = [Column(name, labels.text(f"quality.columns.{name}", lang)) for name in
               ("as_of", "group", "code", "section", "title", *_FIGURES)]  # fmt: skip

    def rows() -> Iterator[dict[str, Any]]:
        of_ward: list[tuple[str, Mapping[str, Figure]]] = [(labels.text("quality.ward", lang), found.ward)]
        ordered = sorted(found.groups.items(), key=lambda item: (item[0] is None, item[0] or ""))
        for group, figures in of_ward + [(_group_name(code, names, lang), each) for code, each in ordered]:
            for code, figure in figures.items():
                yield {
                    "as_of": format_date(found.as_of), "group": group, "code": code,
                    "section": labels.text(f"quality.sections.{MEASURES[code].section}.title", lang),
                    "title": labels.text(f"quality.measures.{code}.title", lang),
                    **{name: getattr(figure, name) for name in _FIGURES},
                }  # fmt: skip

    headers = download_headers(f"data-quality-{found.as_of.isoformat()}.csv")
    return StreamingResponse(csv_stream(columns, rows()), headers=headers, media_type=CSV_TYPE)
