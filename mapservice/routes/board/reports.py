"""/board/reports: the reports of a period, with what officers write in them, as PDF, Word and workbook."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from mapservice.brief_parts import Asked
from mapservice.briefs import SUFFIXES, NoTexts, NotFinal, brief_data, made, usual_day
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.parameters import check_known
from mapservice.record_forms import typed_past_day
from mapservice.routes.staff.exports import download_headers
from mapservice.security import SentForm, SignedIn, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from postgis.actor import Actor, read_as, write_as
from postgis.errors import FieldError, Forbidden, InvalidValues
from postgis.store import board_reports
from postgis.store.board_reports import Texts, WrittenMeanwhile
from postgis.today import today
from web import labels
from web.brief import BriefData
from web.brief_page import brief_view, versions_view
from web.field_errors import error_words
from web.periods import Period, of_day, period

router = APIRouter(tags=["Board"], include_in_schema=False)

PAGE = "/board/reports"
_NAMES = ("kind", "period", "as_of", "known", "provisional", "texts")
_MEDIA = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@router.get(PAGE, summary="Reports of a period", response_class=Response)
def show(request: Request, actor: SignedIn) -> Response:
    """Which report, what stands in it, its texts and its files."""
    check_known(request.query_params, (*_NAMES, "done"))
    require(actor, "read", "board_reports")
    return _page(request, actor, _asked(request.query_params, actor))


@router.get(PAGE + "/file.{form}", summary="A report as a file", response_class=Response)
def file(request: Request, form: str, actor: SignedIn) -> Response:
    """The report as PDF, Word or workbook: of a closed day the same bytes each time."""
    check_known(request.query_params, _NAMES)
    require(actor, "read", "board_reports")
    if form not in SUFFIXES:
        raise Problem("not_found")
    asked = _asked(request.query_params, actor)
    with read_as(database(request), actor) as connection:
        try:
            data = brief_data(connection, asked)
        except NotFinal:
            raise Problem("day_not_final", pointer="as_of", value=asked.as_of.isoformat()) from None
        except NoTexts:
            raise Problem("unknown_text_version", pointer="texts", value=asked.texts) from None
    name = f"bao-cao-{asked.ward}-{asked.period.text}-{asked.as_of.isoformat()}.{form}"
    return Response(made(data, form), headers=download_headers(name), media_type=_MEDIA[form])


@router.post(PAGE, summary="Write the texts of a report", response_class=Response)
def write(request: Request, actor: SignedIn, form: SentForm) -> Response:
    """Saves a version of the texts, unless a colleague has saved one since the form was made."""
    check_form(request, actor, form)
    require(actor, "create", "board_reports")
    asked = _asked(QueryParams({name: form[name] for name in _NAMES if name != "texts" and form[name]}), actor)
    typed = {part: form[part] for part in board_reports.PARTS}
    seen = int(form["seen"]) if form["seen"].isascii() and form["seen"].isdigit() and len(form["seen"]) < 9 else -1
    try:
        with write_as(database(request), actor, reason=None) as connection:
            saved = board_reports.write(connection, actor, asked.period.kind, asked.period.text, seen, typed)
    except InvalidValues as invalid:
        return _page(request, actor, asked, typed, invalid.errors, status=422, seen=seen)
    except WrittenMeanwhile as meanwhile:
        return _page(request, actor, asked, typed, status=409, now=meanwhile.now)
    except Forbidden:
        raise Problem("forbidden") from None
    return see_other(request, PAGE, **_query(asked), done="saved" if saved else "unchanged")


def _asked(params: QueryParams, actor: Actor) -> Asked:
    """Which report is asked for; the running month where nothing is said. Raises Problem."""
    kind = params.get("kind") or "monthly"
    wanted = _period(kind, params.get("period"))
    day = typed_past_day(params) or usual_day(wanted)
    known, texts = params.get("known") or "then", params.get("texts")
    if known not in ("then", "now"):
        raise Problem("invalid_value", pointer="known", name="known", value=known)
    if day < wanted.first:
        # On the first day of a period nothing of it is closed; who asks for more than that is told.
        if params.get("as_of") or wanted.first > today():
            raise Problem("day_before_period", pointer="as_of")
        day = wanted.first
    if texts and not (texts.isascii() and texts.isdigit() and len(texts) < 9):
        raise Problem("unknown_text_version", pointer="texts", value=texts)
    provisional = params.get("provisional") == "1"
    version = int(texts) if texts else None
    return Asked(actor.ward_code, wanted, day, "now" if known == "now" else "then", provisional, version)


def _period(kind: str, text: str | None) -> Period:
    try:
        return period(kind, text) if text else of_day(kind, today())
    except (ValueError, KeyError):
        raise Problem("unknown_period", pointer="period", value=text or kind) from None


def _query(asked: Asked) -> dict[str, str]:
    found = {
        "kind": asked.period.kind,
        "period": asked.period.text,
        "as_of": asked.as_of.isoformat(),
        "known": asked.known,
    }
    return found | ({"provisional": "1"} if asked.provisional else {})


def _page(
    request: Request,
    actor: Actor,
    asked: Asked,
    typed: Mapping[str, str] | None = None,
    errors: Sequence[FieldError] = (),
    *,
    status: int = 200,
    seen: int | None = None,
    now: Texts | None = None,
) -> Response:
    lang = page_language(request)
    data: BriefData | None = None
    with read_as(database(request), actor) as connection:
        written = board_reports.versions(connection, actor.ward_id, asked.period.kind, asked.period.text)
        try:
            data = brief_data(connection, asked, lang)
        except NotFinal:
            # The page says so, and what can be done.
            data = None
        except NoTexts:
            raise Problem("unknown_text_version", pointer="texts", value=asked.texts) from None
    newest = written[0] if written else Texts(0, dict.fromkeys(board_reports.PARTS, ""))
    done = request.query_params.get("done")
    context: dict[str, Any] = {
        "view": brief_view(asked.period, asked.as_of, data, _query(asked), today(), lang),
        "query": _query(asked),
        "asked": asked,
        "parts": [
            {"name": part, "text": (newest.parts if typed is None else typed).get(part, ""), "error": ""}
            for part in board_reports.PARTS
        ],
        "seen": newest.version if seen is None else seen,
        "versions": versions_view(written, _query(asked), lang),
        "now": now,
        "done": labels.text(f"brief.page.{done}", lang, version=newest.version)
        if done in ("saved", "unchanged")
        else "",
        "most": board_reports.MOST_LETTERS,
    }
    words = {each.field: error_words("board_reports", each.field, each.code, each.values, lang) for each in errors}
    for part in context["parts"]:
        part["error"] = words.get(part["name"], "")
    return staff_page(request, actor, "board/reports.html", status=status, **context)
