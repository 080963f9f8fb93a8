"""The board as pages: for everybody the figures of the ward, for its staff what stands behind them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from fastapi import Request
from sqlalchemy import Connection
from starlette.datastructures import QueryParams
from starlette.responses import Response

from layers.surroundings import has_illustrations
from mapservice.dependencies import database, http_settings
from mapservice.errors import Problem
from mapservice.indicator_documents import Asked, asked_for, document
from mapservice.parameters import check_known, day_gone_by
from mapservice.reading import VARY, reading
from mapservice.record_forms import read_day
from mapservice.responses import reply
from mapservice.rights import can
from mapservice.rollout_page import ward_of
from mapservice.staff_page import HTML, page_language, staff_page
from postgis.actor import Actor
from postgis.today import today
from web import labels
from web.board import LARGE, IndicatorView, indicator_view
from web.render import format_date, local, render

Context = dict[str, Any]
Part = Callable[[Request, Connection, Actor | None, Asked, str], Context]
"""What a part of the board's first page needs: more context for the template, such as `has_map`."""
PARAMETERS = ("ward", "as_of", "known")
LINKS = (("/board/rollout", "rollout"), ("/indicators", "json"))
INNER_LINKS = (
    ("/board/data-quality", "quality"),
    ("/board/work", "work"),
    ("/board/model-sites", "model_sites"),
    ("/staff/figures/entered", "entered"),
)


class Day:
    """The day that a page is asked for. What cannot be read as one is told beside the input, and today is shown."""

    def __init__(self, request: Request, actor: Actor | None, lang: str) -> None:
        params = request.query_params
        self.typed, self.error = params.get("as_of", "").strip(), ""
        given = {name: params[name] for name in params if name != "as_of"}
        try:
            if self.typed:
                given["as_of"] = day_gone_by(read_day(self.typed)).isoformat()
        except ValueError:
            self.error = labels.text("register.past.wrong", lang, value=self.typed[:40])
        self.asked = asked_for(QueryParams(given), actor, http_settings(request).ward)
        self.typed = self.typed if self.error else format_date(self.asked.day)
        self.status = 422 if self.error else 200


def board_page(request: Request, actor: Actor | None, parts: Sequence[Part]) -> Response:
    """The first page, with its other parts. Raises Problem for a ward that there is not."""
    lang, day = _read(request, actor)
    with reading(database(request), actor) as connection:
        title = ward_of(connection, day.asked.ward, lang)
        told = document(connection, day.asked, lang)
        context = frame_context(request, connection, day, told, lang) | {"of_ward": title}
        for part in parts:
            context |= part(request, connection, actor, day.asked, lang)
    context = {"has_map": False, "has_work": False, **context}
    views = [indicator_view(each, lang) for each in told["indicators"]]
    links = [
        (local(lang, address, **context["kept"]), labels.text(f"board.links.{name}", lang)) for address, name in LINKS
    ]
    if day.asked.full:
        links += [(local(lang, address), labels.text(f"board.links.{name}", lang)) for address, name in INNER_LINKS]
        if can(actor, "read", "board_reports"):
            links.append((local(lang, "/board/reports"), labels.text("board.links.reports", lang)))
    return answer_page(
        request, actor, "board/page.html", day, title, {**context, "views": views, "large": LARGE, "links": links}
    )


def indicator_page(request: Request, actor: Actor | None, code: str, more: "More") -> Response:
    """One indicator. `more`: what the ward's staff are shown besides. Raises Problem."""
    lang, day = _read(request, actor, "group", "all")
    with reading(database(request), actor) as connection:
        title = ward_of(connection, day.asked.ward, lang)
        told = document(connection, day.asked, lang, [code])
        if not told["indicators"]:
            raise Problem("unknown_indicator", value=code)
        context = frame_context(request, connection, day, told, lang)
        if day.asked.full:
            context |= more(request, connection, day.asked, told["indicators"][0], lang)
    each = told["indicators"][0]
    context |= {"view": indicator_view(each, lang), "targets": _milestones(each, lang)}
    return answer_page(request, actor, "board/indicator.html", day, title, context)


More = Callable[[Request, Connection, Asked, dict[str, Any], str], Context]


def view_of(request: Request, connection: Connection, code: str, lang: str) -> tuple[IndicatorView, str]:
    """An indicator as anybody is told it, and its ward's title. Raises Problem."""
    asked = replace(asked_for(request.query_params, None, http_settings(request).ward), full=False)
    title = ward_of(connection, asked.ward, lang)
    told = document(connection, asked, lang, [code])
    if not told["indicators"]:
        raise Problem("unknown_indicator", value=code)
    return indicator_view(told["indicators"][0], lang), title


def frame_context(request: Request, connection: Connection, day: Day, told: Context, lang: str) -> Context:
    """What every page of the board says around its figures."""
    asked, params = day.asked, request.query_params
    past = asked.day < today()
    which = "now" if asked.known == "now" else "then"
    basis = labels.text(f"board.basis.{which if past else 'today'}", lang, day=format_date(asked.day))
    if past and asked.known == "then" and told["final"]:
        basis += " " + labels.text("board.basis.final", lang)
    kept = {
        "ward": asked.ward if params.get("ward") else None,
        "as_of": asked.day.isoformat() if past else None,
        "known": asked.known if asked.known != "then" else None,
    }
    return {
        "basis": basis,
        "kept": kept,
        "illustrative": has_illustrations(connection),
        "ward_asked": asked.ward if params.get("ward") else "",
        "typed_day": day.typed,
        "day_error": day.error,
        "known": asked.known,
        "inside": day.asked.full,
    }


def answer_page(
    request: Request, actor: Actor | None, template: str, day: Day, title: str, context: Context
) -> Response:
    """The page in the frame of whoever asks: staff of any ward keep theirs."""
    lang = page_language(request)
    if actor is not None:
        context = {**context, "frame": "staff/base.html", "inside": True, "of_ward": title}
        return staff_page(request, actor, template, status=day.status, **context)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    page = render(
        template, lang, frame="base.html", here=here, ward_title=title, **{**context, "inside": False, "of_ward": ""}
    )
    return reply(request, page.encode(), HTML, headers={**VARY, "Content-Language": lang}, status=day.status)


def _read(request: Request, actor: Actor | None, *more: str) -> tuple[str, Day]:
    check_known(request.query_params, (*PARAMETERS, *more))
    lang = page_language(request)
    return lang, Day(request, actor, lang)


def _milestones(told: Context, lang: str) -> list[tuple[str, str]]:
    return [
        (
            labels.text("board.until", lang, day=format_date(each["due"])),
            labels.text(f"board.target.{each['comparator']}", lang, value=f"{labels.number(each['value'], lang)} %"),
        )
        for each in told["targets"]
    ]
