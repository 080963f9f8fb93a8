"""The adoption map as its page, its files and the board have it: one question, read from the address."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import Request
from sqlalchemy import Connection
from starlette.datastructures import QueryParams

from layers import adoption
from layers.adoption import BY, RESOLUTIONS, Part, Question
from layers.collections import STAFF_COLLECTIONS
from layers.lookup import find_ward
from layers.surroundings import has_illustrations, ward_box
from mapservice.errors import Problem
from mapservice.indicator_documents import Asked
from mapservice.parameters import check_known, past_day, values
from mapservice.rights import can
from postgis.actor import Actor
from postgis.today import VIETNAM, today
from postgis.vocabulary import CASHLESS_METHODS, EVIDENCE_LEVELS, KNOWN, SECTOR_GROUPS
from web import labels
from web.adoption import feature_properties, file_row, legend, shown
from web.assets import asset
from web.lookup import ward_title
from web.one_file_map import Drawn, one_file_map
from web.render import format_date, local

PAGE = "/board/adoption"
_FIELDS = STAFF_COLLECTIONS["payment_adoption"].field_by_name
_EVERYBODY = ("ward", "by", "resolution", "sector_group", "as_of")
_STAFF = (*_EVERYBODY, "method", "evidence_level", "known")
_DA_NANG = (107.8, 15.9, 108.4, 16.2)
"""Where nobody has drawn the ward."""
_COLUMNS = ("code", "name", "establishments", "surveyed", "unknown", "accepting", "share", "low", "high", "note")


def question_of(params: QueryParams, actor: Actor | None, ward: str, *more: str) -> tuple[Question, bool]:
    """What the address asks, and whether the asker is told all of it. Raises Problem."""
    wanted = values(_FIELDS["ward"], params["ward"])[0] if params.get("ward") else actor.ward_code if actor else ward
    full = actor is not None and can(actor, "read", "register", ward_code=wanted)
    check_known(params, (*(_STAFF if full else _EVERYBODY), *more))
    chosen = {
        name: values(_FIELDS[name], params[name])[0]
        for name in ("resolution", "sector_group", "method", "evidence_level", "known")
        if params.get(name)
    }
    by = params.get("by") or "h3"
    if by not in BY:
        raise Problem("invalid_value", pointer="by", name="by", value=by)
    if by != "h3" and not full:
        raise Problem("adoption_by_staff", pointer="by")
    day = past_day(params)
    if day is not None and not full and not adoption.may_be_told(day):
        raise Problem("as_of_not_told", pointer="as_of", value=params["as_of"])
    resolution = int(chosen.pop("resolution", adoption.TOLD_RESOLUTION))
    return Question(ward=wanted, by=by, resolution=resolution, as_of=day, **chosen), full


def asked(question: Question) -> dict[str, str]:
    """The parameters of a question, without what holds anyway."""
    usual = Question(question.ward)
    found = {name: value for name, value in asdict(question).items() if value not in (None, getattr(usual, name))}
    return {name: value.isoformat() if isinstance(value, date) else str(value) for name, value in found.items()}


def document(question: Question, found: Sequence[Part], lang: str, *, full: bool) -> dict[str, Any]:
    """The figures as JSON."""
    head = _head(question)
    told = {"totals": adoption.totals(found)} if full else {}
    rows = [{**asdict(part), "name": file_row(part, question.by, lang)["name"]} for part in found]
    for row in rows:
        del row["geometry"]
    return {**head, **told, "parts": rows}


def geojson(question: Question, found: Sequence[Part], lang: str) -> bytes:
    """The figures as GeoJSON, geometry as the database wrote it."""
    features = (
        f'{{"type":"Feature","id":{json.dumps(part.code)},"geometry":{part.geometry or "null"},"properties":'
        f"{json.dumps(feature_properties(part, question.by, lang), ensure_ascii=False)}}}"
        for part in found
    )
    head = json.dumps({"type": "FeatureCollection", **_head(question)}, ensure_ascii=False)
    body = ",\n".join(features)
    return f'{head[:-1]},"features":[\n{body}\n]}}'.encode()


def _head(question: Question) -> dict[str, Any]:
    told = {name: value for name, value in asdict(question).items() if value is not None}
    if question.by != "h3":
        del told["resolution"]
    return {**told, "as_of": (question.as_of or today()).isoformat(), "known": question.known or "then"}


def columns(lang: str) -> list[tuple[str, str]]:
    """Names and titles of the files' columns."""
    return [(name, labels.text(f"adoption.columns.{name}", lang)) for name in _COLUMNS]


def about(question: Question, lang: str) -> list[tuple[str, str]]:
    """What the figures are of, in words: for the page, for files and for the map that is sent."""
    found = [
        ("as_of", format_date(question.as_of or today())),
        ("by", labels.text(f"adoption.by.{question.by}", lang)),
        ("sector_group", labels.code_label("sector_group", question.sector_group, lang) if question.sector_group
         else labels.text("adoption.all_sectors", lang)),
    ]  # fmt: skip
    for name, code_list in (("method", "payment_method"), ("evidence_level", "evidence_level"), ("known", "known")):
        code = getattr(question, name)
        if code:
            found.append((name, labels.code_label(code_list, code, lang)))
    return [(labels.text(f"adoption.asked.{name}", lang), words) for name, words in found]


def context(
    connection: Connection, question: Question, lang: str, *, full: bool, on_board: bool = False
) -> dict[str, Any]:
    """What `board/map.html` needs. `connection` as `layers.adoption.parts` wants it. `on_board`: the board says around
    it what a page of its own has to say.
    """
    found = adoption.parts(connection, question, full=full)
    ward = find_ward(connection, question.ward)
    days = adoption.days_shown()
    kept = asked(question)
    files = {form: local(lang, PAGE, ward=question.ward, f=form, **kept) for form in ("csv", "xlsx", "json", "geojson")}
    return {
        "adoption": {
            "question": question,
            "full": full,
            "rows": [shown(part, question.by, lang) for part in found],
            "totals": _total_row(question, found, lang) if full else None,
            "legend": legend(found, lang),
            "about": about(question, lang),
            "choices": _choices(lang, full=full, days=days),
            "as_of": (question.as_of or today()).isoformat(),
            "files": files,
            "one_file": local(lang, "/board/map.html", ward=question.ward, **kept),
            # The board says it once for all its parts.
            "illustrative": not on_board and has_illustrations(connection),
            "ward": ward,
            "on_board": on_board,
            "more": bool(kept.keys() & {"resolution", "method", "evidence_level", "known"}),
        },
        "map_script": _script(connection, question, days, lang),
    }


def _total_row(question: Question, found: Sequence[Part], lang: str) -> Any:
    sums = adoption.totals(found)
    n, known, yes = sums["establishments"], sums["surveyed"], sums["accepting"]
    whole = Part(
        "", None, n, known, yes, 100 * yes / known if known else None, 100 * yes / n if n else None,
        100 * (yes + n - known) / n if n else None, False, None,
    )  # fmt: skip
    return shown(whole, question.by, lang)


def _choices(lang: str, *, full: bool, days: Sequence[date]) -> dict[str, list[tuple[str, str]]]:
    sectors = [code for code in SECTOR_GROUPS if code != "public_place"]

    def coded(code_list: str, codes: Sequence[str]) -> list[tuple[str, str]]:
        return [(code, labels.code_label(code_list, code, lang)) for code in codes]

    found = {
        "sector_group": [("", labels.text("adoption.all_sectors", lang)), *coded("sector_group", sectors)],
        "as_of": [(day.isoformat(), _day_words(day, lang)) for day in days],
    }
    if not full:
        return found
    every = [("", labels.text("adoption.any", lang))]
    return {
        "by": [(code, labels.text(f"adoption.by.{code}", lang)) for code in BY],
        "resolution": [(str(r), labels.text(f"adoption.resolutions.r{r}", lang)) for r in RESOLUTIONS],
        **found,
        "known": coded("known", KNOWN),
        "method": [*every, *coded("payment_method", CASHLESS_METHODS)],
        "evidence_level": [*every, *coded("evidence_level", EVIDENCE_LEVELS)],
    }


def _day_words(day: date, lang: str) -> str:
    return labels.text("adoption.today", lang, day=format_date(day)) if day == today() else format_date(day)


def _script(connection: Connection, question: Question, days: Sequence[date], lang: str) -> Mapping[str, Any]:
    """What the page's modules need; `js/words.js` reads it."""
    box = ward_box(connection, question.ward)
    return {
        "lang": lang,
        "ward": question.ward,
        "bbox": list(box) if box else None,
        "codes": {},
        "words": labels.table("adoption.script", lang),
        "library": {
            "script": asset("vendor/maplibre-gl.js"),
            "style": asset("vendor/maplibre-gl.css"),
            "bold": asset("css/bold.css"),
        },
        "style": "/ogc/styles/map",
        "days": [{"day": day.isoformat(), "words": _day_words(day, lang)} for day in days],
    }


def board_part(_request: Request, connection: Connection, _actor: Actor | None, at: Asked, lang: str) -> dict[str, Any]:
    """The map of the board's first page. Everybody is shown the last day that they may be told of."""
    day = at.day
    while not at.full and not adoption.may_be_told(day):
        day -= timedelta(days=1)
    known = at.known if at.full and at.known != "then" else None
    question = Question(at.ward, as_of=None if day == today() else day, known=known)
    return {"has_map": True, **context(connection, question, lang, full=at.full, on_board=True)}


def file_of(connection: Connection, question: Question, lang: str, *, full: bool) -> str:
    """The map as one file (`web.one_file_map`). `connection` as `layers.adoption.parts` wants it."""
    found, ward = adoption.parts(connection, question, full=full), find_ward(connection, question.ward)
    return one_file_map(
        [Drawn(part, part.geometry) for part in found],
        adoption.base_map(connection, question.ward),
        ward_box(connection, question.ward) or _DA_NANG,
        lang,
        by=question.by,
        ward_title=ward_title(ward, lang),
        about=about(question, lang),
        made=f"{datetime.now(VIETNAM):%d/%m/%Y %H:%M}",
        illustrative=has_illustrations(connection),
        full=full,
    )
