"""/staff/imports: lists of the office sent in, looked through in four steps, applied and undone. Plain forms."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from mapservice.dependencies import database, http_settings
from mapservice.errors import Problem, problem_document
from mapservice.forms import Form
from mapservice.import_cells import cells_typed
from mapservice.import_choices import chosen_columns, chosen_points, chosen_sectors
from mapservice.import_documents import RowDocuments, numbers
from mapservice.import_page import PAGE, batch_page
from mapservice.import_words import failure_words
from mapservice.importing import also_undone, checked_choices, deciding, found, looking, reason_of
from mapservice.parameters import check_known
from mapservice.routes.staff.import_batches import after_of
from mapservice.routes.staff.personal import secrets_of
from mapservice.security import SentForm, SignedIn, can, check_form, require
from mapservice.staff_page import page_language, see_other, staff_page
from mapservice.uploads import SentImport
from mapservice.write_problems import FieldsRefused
from postgis.actor import Actor, prepare_as
from postgis.errors import InvalidValues
from postgis.store import imports, imports_ask, imports_correct, imports_decide
from postgis.store.imports import Batch
from web import labels, staff_imports
from web.field_errors import error_words as field_error_words
from web.render import local

router = APIRouter(tags=["Staff"], include_in_schema=False)

ONE = PAGE + "/{batch_id}"
_LISTED = 30
_PARTS: Mapping[str, Callable[[Form, Batch], dict[str, Any]]] = {
    "columns": chosen_columns,
    "sectors": chosen_sectors,
    "points": chosen_points,
    "again": lambda _form, _batch: {},
}
_WORDS = {"required": "import_required"}


@router.get(PAGE, summary="Imports, for staff", response_class=Response)
def index(request: Request, actor: SignedIn) -> Response:
    """A file can be dropped in; below it the ward's imports, the newest first."""
    check_known(request.query_params, ("after",))
    return _list_page(request, actor)


@router.post(PAGE, summary="Send a list to be imported", response_class=Response)
def send(request: Request, actor: SignedIn, sent: SentImport) -> Response:
    """Keeps the file and begins to read it; the same file again leads to the import that is there."""
    check_form(request, actor, sent.form)
    require(actor, "create", "imports")
    try:
        with prepare_as(database(request), actor) as connection:
            batch = imports.start(
                connection, actor, file_name=sent.file_name, data=sent.data, secrets=secrets_of(request),
                again=sent.form["again"] == "true",
            )  # fmt: skip
    except InvalidValues as invalid:
        return _list_page(request, actor, error=_words(invalid, page_language(request)))
    return see_other(request, f"{PAGE}/{batch.code}", done="known" if batch.known else "sent")


@router.get(ONE, summary="One import, in four steps", response_class=Response)
def show(request: Request, batch_id: str, actor: SignedIn) -> Response:
    """File, columns, result and applying on one page."""
    check_known(request.query_params, ("verdict", "outcome", "decided", "problem", "q", "after", "done"))
    return batch_page(request, actor, batch_id)


@router.post(ONE + "/choices", summary="Correct how a file is understood", response_class=Response)
def choose(request: Request, batch_id: str, actor: SignedIn, form: SentForm) -> Response:
    """One part of the choices (`columns`, `sectors` or `points`); the file is read anew."""
    check_form(request, actor, form)
    require(actor, "change", "imports")
    if form["part"] not in _PARTS:
        raise Problem("invalid_value", pointer="part", name="part", value=form["part"])

    def work(connection: Any, batch: Batch) -> None:
        merged = {**batch.choices, **_PARTS[form["part"]](form, batch)}
        imports_decide.choose(connection, batch.code, checked_choices(merged), _version(form))

    return _done(request, actor, batch_id, form, work, "chosen", "working")


@router.post(ONE + "/rows", summary="Decide about rows", response_class=Response)
def decide(request: Request, batch_id: str, actor: SignedIn, form: SentForm) -> Response:
    """One row (`number`, `decision` with the code of a place after a colon), or all like it that nobody has decided;
    or cells of one row written anew (`part`)."""
    check_form(request, actor, form)
    decision, _, target = form["decision"].partition(":")

    def one_row(connection: Any, batch: Batch) -> None:
        imports_decide.decide(connection, batch.code, _number(form), decision or None, target or None)

    def many(connection: Any, batch: Batch) -> None:
        imports_decide.decide_many(
            connection, batch.code, decision or None, verdicts=("doubtful",), problem=form["problem"] or None
        )

    def cells(connection: Any, batch: Batch) -> None:
        row = imports.row(connection, batch.code, number)
        written = cells_typed(form, batch, row, RowDocuments(batch, secrets, page_language(request)))
        imports_correct.correct(connection, secrets, batch.code, number, written, _version(form))

    if form["part"] == "cells":
        secrets, number = secrets_of(request), _number(form)
        return _done(request, actor, batch_id, form, cells, "corrected", "working")
    if form["many"] == "true":
        return _done(request, actor, batch_id, form, many, "decided_many", "rows")
    return _done(request, actor, batch_id, form, one_row, "decided", f"r{form['number']}")


@router.post(ONE + "/apply", summary="Apply an import", response_class=Response)
def apply(request: Request, batch_id: str, actor: SignedIn, form: SentForm) -> Response:
    """All or nothing, as the plan on the page said."""
    check_form(request, actor, form)

    def work(connection: Any, batch: Batch) -> None:
        imports_ask.ask_apply(connection, batch.code, _version(form), reason_of(form["reason"]))

    return _done(request, actor, batch_id, form, work, "asked_apply", "working")


@router.post(ONE + "/undo", summary="Undo an import", response_class=Response)
def undo(request: Request, batch_id: str, actor: SignedIn, form: SentForm) -> Response:
    """What was edited since stays, but for the records ticked as `also`."""
    check_form(request, actor, form)

    def work(connection: Any, batch: Batch) -> None:
        also = also_undone(form.all("also"))
        imports_ask.ask_undo(connection, batch.code, _version(form), reason_of(form["reason"]), also)

    return _done(request, actor, batch_id, form, work, "asked_undo", "working")


@router.post(ONE + "/cancel", summary="Give up what is being done", response_class=Response)
def cancel(request: Request, batch_id: str, actor: SignedIn, form: SentForm) -> Response:
    """Nothing of it is written."""
    check_form(request, actor, form)

    def work(connection: Any, batch: Batch) -> None:
        imports_ask.ask_cancel(connection, batch.code)

    return _done(request, actor, batch_id, form, work, "cancelled", "")


def _done(request: Request, actor: Actor, code: str, form: Form, work: Any, done: str, anchor: str) -> Response:
    """Does it, and leads back to where the form stood; or shows the page with what is in the way."""
    lang = page_language(request)
    typed = {name: values[0] for name, values in form.fields.items()}
    try:
        with deciding(request, actor) as connection:
            batch = found(connection, code)
            work(connection, batch)
    except FieldsRefused as refused:
        errors = {
            each.field: field_error_words("imports", each.field, each.code, each.values, lang)
            for each in refused.errors
        }
        return batch_page(request, actor, code, errors=errors, typed=typed, status=422)
    except Problem as problem:
        if problem.code not in ("import_not_now", "import_stale"):
            raise
        words = problem_document(problem, request, lang)["detail"]
        return batch_page(request, actor, code, problem=words, typed=typed, status=problem.status)
    kept = {name: form[name] for name in ("verdict", "outcome", "decided", "problem", "q", "after") if form[name]}
    response = see_other(request, f"{PAGE}/{batch.code}", done=done, **kept)
    if anchor:
        response.headers["Location"] += f"#{anchor}"
    return response


def _list_page(request: Request, actor: Actor, error: str = "") -> Response:
    lang = page_language(request)
    before = after_of(request.query_params) or None
    with looking(request, actor) as connection:
        batches = imports.list_batches(connection, _LISTED + 1, before)
    shown = batches[:_LISTED]
    return staff_page(
        request, actor, "staff/imports/list.html", status=422 if error else 200,
        batches=[
            {
                "href": local(lang, f"{PAGE}/{batch.code}"),
                "batch": batch,
                "numbers": numbers(batch),
                "error": failure_words(batch.error, lang) if batch.error else "",
            }
            for batch in shown
        ],
        verdicts=staff_imports.VERDICTS,
        error=error,
        first=before is None,
        next_href=local(lang, PAGE, after=shown[-1].id) if len(batches) > _LISTED else "",
        first_href=local(lang, PAGE),
        may_send=can(actor, "create", "imports"),
        megabytes=http_settings(request).import_megabytes,
        script={"lang": lang, "words": labels.table("imports.script", lang)},
    )  # fmt: skip


def _version(form: Form) -> int:
    text = form["version"]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _number(form: Form) -> int:
    text = form["number"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Problem("invalid_value", pointer="number", name="number", value=text)
    return int(text)


def _words(invalid: InvalidValues, lang: str) -> str:
    error = invalid.errors[0]
    return field_error_words("imports", error.field, _WORDS.get(error.code, error.code), error.values, lang)
