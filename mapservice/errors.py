"""Errors as people and machines get them: RFC 9457 problems, worded in `web/translations`, never database text.

`PROBLEMS` is the whole list: a code, its status. Title and detail stand under `problems.CODE` in the translations.
"""

import json
import logging
from typing import Any, cast

import psycopg2.errors
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from layers.errors import InvalidCursor, TooBroad
from mapservice.language import language_of, wants_html
from mapservice.onward import sign_in_address
from web import labels
from web.render import render

log = logging.getLogger("mapservice.errors")

PROBLEMS: dict[str, int] = {
    "unknown_parameter": 400,
    "repeated_parameter": 400,
    "invalid_bbox": 400,
    "unknown_crs": 400,
    "unknown_property": 400,
    "invalid_sortby": 400,
    "filter_unfinished": 400,
    "filter_syntax": 400,
    "filter_json": 400,
    "filter_too_long": 400,
    "filter_too_deep": 400,
    "filter_too_large": 400,
    "filter_property": 400,
    "filter_operation": 400,
    "filter_arguments": 400,
    "filter_operand": 400,
    "filter_kinds": 400,
    "filter_value": 400,
    "filter_geometry": 400,
    "invalid_filter_lang": 400,
    "invalid_limit": 400,
    "invalid_offset": 400,
    "invalid_datetime": 400,
    "invalid_as_of": 400,
    "unknown_period": 400,
    "day_before_period": 400,
    "unknown_text_version": 404,
    "day_not_final": 409,
    "as_of_not_told": 400,
    "adoption_by_staff": 403,
    "invalid_cursor": 400,
    "too_broad": 400,
    "invalid_format": 400,
    "export_too_large": 400,
    "exports_busy": 503,
    "export_failed": 503,
    "invalid_language": 400,
    "invalid_value": 400,
    "invalid_text": 400,
    "text_too_long": 400,
    "invalid_tile": 400,
    "not_found": 404,
    "unknown_collection": 404,
    "unknown_ward": 404,
    "unknown_indicator": 404,
    "unknown_feature": 404,
    "unknown_style": 404,
    "unknown_tile_matrix_set": 404,
    "tile_out_of_range": 404,
    "mistyped_code": 404,
    "unknown_code": 404,
    "unused_code": 404,
    "unknown_record": 404,
    "unknown_worklist": 404,
    "unknown_photo": 404,
    "unknown_sticker": 404,
    "unknown_sticker_run": 404,
    "unknown_proof": 404,
    "unknown_phase": 404,
    "proof_withdrawn": 409,
    "unknown_work_list": 404,
    "unknown_model_site": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "address_too_long": 414,
    "invalid_request": 400,
    "invalid_form": 400,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "sign_in_required": 401,
    "invalid_token": 401,
    "forbidden": 403,
    "cross_site": 403,
    "form_expired": 403,
    "password_change_required": 403,
    "too_many_sign_ins": 503,
    "personal_undecipherable": 500,
    "unknown_proposal": 404,
    "already_decided": 409,
    "proposal_conflicts": 409,
    "proposal_outdated": 409,
    "record_ended": 409,
    "approver_needed": 403,
    "second_person_needed": 403,
    "not_yours_to_withdraw": 403,
    "basis_needed": 422,
    "invalid_proposal": 422,
    "too_many_proposals": 429,
    "owner_sign_in_required": 401,
    "unknown_report": 404,
    "report_changed": 409,
    "report_photo_too_large": 413,
    "ended_code": 410,
    "merged_feature": 410,
    "ended_feature": 410,
    "no_tiles": 404,
    "unknown_action": 404,
    "invalid_json": 400,
    "missing_media_type": 400,
    "invalid_feature": 400,
    "invalid_reason": 400,
    "invalid_since": 400,
    "unsupported_crs": 400,
    "invalid_key": 400,
    "key_reused": 422,
    "precondition_required": 428,
    "stale": 412,
    "invalid_fields": 422,
    "propose_instead": 403,
    "not_possible": 409,
    "unknown_import": 404,
    "import_too_large": 413,
    "import_not_now": 409,
    "import_stale": 412,
    "database_away": 503,
    "too_slow": 503,
    "register_busy": 503,
    "not_signed": 503,
    "internal": 500,
}
RETRY_AFTER_S = 5
CHALLENGES = {"sign_in_required": "Bearer", "invalid_token": 'Bearer error="invalid_token"'}
"""What a program is told with a 401 (RFC 6750, 3)."""


class Problem(Exception):
    """Something is wrong with a request. `values` fill the wording; `pointer` names the parameter or field."""

    def __init__(self, code: str, *, pointer: str | None = None, **values: object) -> None:
        super().__init__(code)
        self.code, self.pointer, self.values = code, pointer, values
        self.status = PROBLEMS[code]

    def members(self, lang: str) -> dict[str, Any]:
        """What the document says beside title and detail; for problems that know more."""
        del lang
        return {}

    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer."""
        return {}


def problem_document(problem: Problem, request: Request, lang: str) -> dict[str, Any]:
    """The problem as RFC 9457 has it, in the reader's language."""
    values = {name: _shorten(value) for name, value in problem.values.items()}
    detail = labels.text(f"problems.{problem.code}.detail", lang, **values)
    document: dict[str, Any] = {
        "type": f"urn:mapservice:problem:{problem.code}",
        "title": labels.text(f"problems.{problem.code}.title", lang),
        "status": problem.status,
        "detail": detail,
        "instance": request.url.path,
    }
    if problem.pointer:
        document["errors"] = [{"pointer": problem.pointer, "detail": detail}]
    return {**document, **problem.members(lang)}


def problem_response(problem: Problem, request: Request) -> Response:
    """The problem: a page for a browser, else problem+json. A person who must sign in is led to where that is done."""
    if wants_html(request) and problem.code in ("sign_in_required", "password_change_required"):
        way = sign_in_address(request) if problem.code == "sign_in_required" else "/staff/password"
        return Response(status_code=303, headers={"Location": way, "Cache-Control": "no-store"})
    lang = language_of(request)
    document = problem_document(problem, request, lang)
    headers = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language", "Content-Language": lang}
    headers |= problem.headers()
    if problem.status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if problem.code in CHALLENGES:
        headers["WWW-Authenticate"] = CHALLENGES[problem.code]
    if wants_html(request):
        page = _page_for_staff(request, document) or render("error.html", lang, problem=document)
        return Response(page, problem.status, headers, "text/html; charset=utf-8")
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, problem.status, headers, "application/problem+json")


def _page_for_staff(request: Request, document: dict[str, Any]) -> str | None:
    """The problem inside the frame of the staff screens, where somebody is signed in; never when the service itself is
    ill: then nothing more is asked of the database.
    """
    make = getattr(request.app.state, "staff_error_page", None) if "app" in request.scope else None
    if make is None or document["status"] >= 500:
        return None
    try:
        page: str | None = make(request, document)
    except (Problem, DBAPIError, PoolTimeout):
        return None
    return page


def _shorten(value: object) -> str:
    """What the sender typed, short enough to show back to them."""
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in str(value))
    return text if len(text) <= 80 else f"{text[:77]}…"


FAILURES = (Problem, InvalidCursor, TooBroad, HTTPException, RequestValidationError, DBAPIError, PoolTimeout, Exception)
"""What can go wrong with a request; the last is what should not."""


def install(app: FastAPI) -> None:
    """Registers one handler for each kind of failure."""
    for kind in FAILURES:
        app.add_exception_handler(kind, failure)


def failure(request: Request, error: Exception) -> Response:
    """What is answered when making an answer has failed."""
    instead = getattr(request.app.state, "instead_of_failure", None) if "app" in request.scope else None
    if instead is not None and (answer := instead(request, error)) is not None:
        return cast(Response, answer)
    problem = problem_of(request, error)
    if problem is None:
        return _unexpected(request, error)
    response = problem_response(problem, request)
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    return response


def problem_of(request: Request, error: Exception) -> Problem | None:
    """The problem that an exception stands for; None: it should not have been."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, InvalidCursor):
        return Problem("invalid_cursor", pointer="cursor")
    if isinstance(error, TooBroad):
        return Problem("too_broad", pointer=next(iter(error.names), None), name=", ".join(error.names))
    if isinstance(error, HTTPException):
        codes = {404: "not_found", 405: "method_not_allowed", 406: "not_acceptable"}
        return Problem(codes.get(error.status_code, "invalid_request"), method=request.method)
    if isinstance(error, RequestValidationError):
        where = str(error.errors()[0]["loc"][-1]) if error.errors() else None
        return Problem("invalid_value", pointer=where, name=where, value="")
    if isinstance(error, PoolTimeout):
        return Problem("database_away")
    return _database_problem(error) if isinstance(error, DBAPIError) else None


def _database_problem(error: DBAPIError) -> Problem | None:
    if isinstance(error.orig, psycopg2.errors.QueryCanceled):
        return Problem("too_slow")
    if isinstance(error.orig, psycopg2.errors.LockNotAvailable):
        return Problem("register_busy")
    if isinstance(error, OperationalError) or error.connection_invalidated:
        log.warning("database away", extra={"error": type(error.orig).__name__})
        return Problem("database_away")
    return None


def _unexpected(request: Request, error: Exception) -> Response:
    # Types and places only: an exception's text may quote what was stored or typed.
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
        trace = trace.tb_next
    log.error("unexpected error", extra={"error": type(error).__name__, "frames": frames[-6:]})
    return problem_response(Problem("internal"), request)
