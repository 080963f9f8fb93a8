"""/imports: lists of the office sent in, what they would do, row by row, and applying or undoing that as a whole."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.datastructures import QueryParams
from starlette.responses import Response, StreamingResponse

from layers.formats.spreadsheets import XLSX_TYPE, file_pieces
from mapservice.dependencies import Language, LinkBuilder
from mapservice.errors import Problem
from mapservice.feature_body import read_object
from mapservice.import_cells import cells_sent
from mapservice.import_documents import RowDocuments, batch_document, batch_summary, rows_document
from mapservice.import_errors_file import errors_file
from mapservice.importing import also_undone, checked_choices, deciding, found, looking, reason_of
from mapservice.links import JSON
from mapservice.openapi import import_body, import_row_body, import_upload, parameters
from mapservice.parameters import check_known, whole_number
from mapservice.responses import json_bytes, reply
from mapservice.routes.staff.personal import secrets_of
from mapservice.security import SignedIn, require
from mapservice.uploads import SentImport
from mapservice.writing import SeenVersions, seen_versions
from postgis.errors import FieldError, InvalidValues, Stale
from postgis.store import imports, imports_ask, imports_correct, imports_decide, imports_taken
from postgis.store.imports import Batch
from postgis.vocabulary import IMPORT_OUTCOMES, IMPORT_VERDICTS

router = APIRouter(prefix="/imports", tags=["Imports"])

PAGE_SIZE = 100
MOST = 1_000
_PRIVATE = {"Cache-Control": "no-store"}
_FILTERS = ("verdict", "outcome", "decided", "sheet", "problem", "q", "limit", "after")


async def version_if_seen(request: Request) -> int | None:
    """The version of If-Match where one was sent: who applies without it means the batch as it is."""
    if "if-match" not in request.headers:
        return None
    versions = await seen_versions(request)
    return versions[0] if versions else -1


async def sent_object(request: Request) -> dict[str, Any]:
    """The JSON object in the body; empty where there is none."""
    return await read_object(request)


IfSeen = Annotated[int | None, Depends(version_if_seen)]
SentObject = Annotated[dict[str, Any], Depends(sent_object)]


@router.post("", summary="Send a list to be imported", openapi_extra=import_upload(), status_code=202)
def send(request: Request, actor: SignedIn, links: LinkBuilder, sent: SentImport) -> Response:
    """Keeps the file, encrypted, and begins to read it: 202 with its address. The same file again is the same batch."""
    check_known(request.query_params, ())
    require(actor, "create", "imports")
    ward = sent.form["ward"]
    if ward and ward != actor.ward_code:
        raise Problem("forbidden")
    with deciding(request, actor, "create") as connection:
        batch = imports.start(
            connection, actor, file_name=sent.file_name, data=sent.data, secrets=secrets_of(request),
            again=sent.form["again"] == "true",
        )  # fmt: skip
    headers = {**_PRIVATE, "Location": links.url(f"/imports/{batch.code}")}
    return Response(json_bytes({"id": batch.code, "state": batch.state}), 202, headers, JSON)


@router.get("", summary="The ward's imports", openapi_extra=parameters("lang", "limit", "after"))
def index(request: Request, actor: SignedIn, links: LinkBuilder) -> Response:
    """The newest first; `next` leads to the older ones."""
    params = request.query_params
    check_known(params, ("limit", "after"))
    limit = min(whole_number(params, "limit", 50, least=1), 200)
    before = after_of(params) or None
    with looking(request, actor) as connection:
        batches = imports.list_batches(connection, limit + 1, before)
    shown = batches[:limit]
    more = [{"rel": "next", "href": _with(request, after=shown[-1].id)}] if len(batches) > limit else []
    document = {"imports": [batch_summary(batch, links) for batch in shown], "links": more}
    return Response(json_bytes(document), 200, _PRIVATE, JSON)


@router.get("/{batch_id}", summary="One import", openapi_extra=parameters("lang"))
def one(request: Request, batch_id: str, actor: SignedIn, links: LinkBuilder, lang: Language) -> Response:
    """State, counts, progress, and what was understood of the file; its ETag begins with its version."""
    check_known(request.query_params, ())
    return _shown(request, actor, batch_id, links, lang)


@router.get("/{batch_id}/rows", summary="The rows of an import", openapi_extra=parameters("lang", *_FILTERS))
def rows(request: Request, batch_id: str, actor: SignedIn, lang: Language) -> Response:
    """The sender's words, masked where they may be somebody's, and what they were understood as."""
    params = request.query_params
    check_known(params, _FILTERS)
    limit = min(whole_number(params, "limit", PAGE_SIZE, least=1), MOST)
    with looking(request, actor) as connection:
        batch = found(connection, batch_id)
        page = imports.rows(
            connection, batch.code, **row_filters(params), after_number=after_of(params),
            limit=limit + 1,
        )  # fmt: skip
    links = [{"rel": "next", "href": _with(request, after=page[limit - 1].number)}] if len(page) > limit else []
    documents = RowDocuments(batch, secrets_of(request), lang)
    return reply(
        request, json_bytes(rows_document(page[:limit], documents, links)), JSON, headers=dict(_PRIVATE),
        cache="no-store", version=batch.version,
    )  # fmt: skip


@router.patch("/{batch_id}/rows/{number}", summary="Decide about a row, or correct it", openapi_extra=import_row_body())
def decide(
    request: Request, batch_id: str, number: int, actor: SignedIn, versions: SeenVersions, sent: SentObject,
    links: LinkBuilder, lang: Language,
) -> Response:  # fmt: skip
    """`decision` is `new`, `update` with the code of a place in `target`, `leave`, or null for what the plan says.

    Or `cells`: texts by the number of their column (`columns[].column`, `problems[].column`; 1 is A). The sender's file
    stays as it was; it is read anew with them (202). An empty text empties the cell, the file's own text takes the
    correction back.
    """
    check_known(request.query_params, ())
    with deciding(request, actor) as connection:
        if "cells" in sent:
            _only(sent, "cells")
            batch = _seen(found(connection, batch_id), versions)
            cells, secrets = cells_sent(sent["cells"]), secrets_of(request)
            batch = imports_correct.correct(connection, secrets, batch.code, number, cells, batch.version)
        else:
            batch = _decided(connection, _seen(found(connection, batch_id), versions), number, sent)
    return _shown(request, actor, batch_id, links, lang, 202 if batch.job else 200)


@router.patch("/{batch_id}", summary="Correct how a file is understood", openapi_extra=import_body(seen=True))
def choose(
    request: Request, batch_id: str, actor: SignedIn, versions: SeenVersions, sent: SentObject, links: LinkBuilder,
    lang: Language,
) -> Response:  # fmt: skip
    """`choices` as GET tells them, whole; the file is read anew."""
    check_known(request.query_params, ())
    with deciding(request, actor) as connection:
        _only(sent, "choices")
        batch = _seen(found(connection, batch_id), versions)
        imports_decide.choose(connection, batch.code, checked_choices(sent.get("choices")), batch.version)
    return _shown(request, actor, batch_id, links, lang, 202)


@router.post("/{batch_id}/apply", summary="Apply an import", openapi_extra=import_body(), status_code=202)
def apply(
    request: Request, batch_id: str, actor: SignedIn, version: IfSeen, sent: SentObject, links: LinkBuilder,
    lang: Language,
) -> Response:  # fmt: skip
    """All or nothing: what is new or changed, and what a person has decided. `reason` is what the history will say."""
    check_known(request.query_params, ())
    with deciding(request, actor) as connection:
        _only(sent, "reason")
        batch = found(connection, batch_id)
        imports_ask.ask_apply(connection, batch.code, version, reason_of(sent.get("reason")))
    return _shown(request, actor, batch_id, links, lang, 202)


@router.post("/{batch_id}/undo", summary="Undo an import", openapi_extra=import_body(), status_code=202)
def undo(
    request: Request, batch_id: str, actor: SignedIn, version: IfSeen, sent: SentObject, links: LinkBuilder,
    lang: Language,
) -> Response:  # fmt: skip
    """What was edited since stays, and is listed in `undo_kept`; `also` names records to be undone nevertheless."""
    check_known(request.query_params, ())
    with deciding(request, actor) as connection:
        _only(sent, "reason", "also")
        also = also_undone(sent.get("also") or [])
        batch = found(connection, batch_id)
        imports_ask.ask_undo(connection, batch.code, version, reason_of(sent.get("reason")), also)
    return _shown(request, actor, batch_id, links, lang, 202)


@router.post("/{batch_id}/cancel", summary="Give up what is being done", openapi_extra=import_body())
def cancel(request: Request, batch_id: str, actor: SignedIn, links: LinkBuilder, lang: Language) -> Response:
    """Nothing of it is written: a reading ends as failed, an applying goes back to the plan."""
    check_known(request.query_params, ())
    with deciding(request, actor) as connection:
        imports_ask.ask_cancel(connection, found(connection, batch_id).code)
    return _shown(request, actor, batch_id, links, lang, 202)


@router.get("/{batch_id}/errors.xlsx", summary="The sender's rows that need mending", response_class=Response)
def errors(request: Request, batch_id: str, actor: SignedIn, lang: Language) -> Response:
    """An Excel file of the sender's own rows and what to mend in each. It holds what the sender wrote, personal data
    too: who takes it is noted with the batch.
    """
    check_known(request.query_params, ())
    require(actor, "reveal", "personal_data")
    with deciding(request, actor) as connection:
        batch = found(connection, batch_id)
        file, count = errors_file(connection, secrets_of(request), batch, lang)
        imports_taken.note(connection, actor, batch.code, count)
    name = f"can-sua-{batch.code}.xlsx" if lang == "vi" else f"to-mend-{batch.code}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **_PRIVATE}
    return StreamingResponse(file_pieces(file), headers=headers, media_type=XLSX_TYPE)


def row_filters(params: Any) -> dict[str, Any]:
    """Which rows an address asks for. Raises Problem."""
    found: dict[str, Any] = {}
    for name, known in (("verdict", IMPORT_VERDICTS), ("outcome", IMPORT_OUTCOMES)):
        values = [value for value in params.get(name, "").split(",") if value]
        for value in values:
            if value not in known:
                raise Problem("invalid_value", pointer=name, name=name, value=value)
        found[f"{name}s"] = values or None
    decided = params.get("decided") or None
    if decided not in (None, "true", "false"):
        raise Problem("invalid_value", pointer="decided", name="decided", value=decided)
    found["decided"] = None if decided is None else decided == "true"
    for name in ("sheet", "problem", "q"):
        text = params.get(name) or None
        if text is not None and ("\0" in text or len(text) > 200):
            raise Problem("invalid_text", pointer=name, name=name)
        found[name] = text
    return found


def after_of(params: QueryParams) -> int:
    """Where a page begins. Raises Problem for what no `next` link of ours says."""
    text = params.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Problem("invalid_cursor", pointer="after")
    return int(text)


def _shown(request: Request, actor: SignedIn, code: str, links: LinkBuilder, lang: str, status: int = 200) -> Response:
    with looking(request, actor) as connection:
        batch = found(connection, code)
        document = batch_document(
            batch, imports.counts(connection, batch.code), imports.progress(connection, batch.code), links, lang
        )
    headers = {**_PRIVATE, "Content-Language": lang}
    if status == 202:
        headers["Location"] = links.url(f"/imports/{batch.code}")
    body = json_bytes(document)
    return reply(request, body, JSON, headers=headers, cache="no-store", status=status, version=batch.version)


def _seen(batch: Batch, versions: tuple[int, ...]) -> Batch:
    """The batch, in a version that the caller has seen. Raises Stale."""
    if batch.version not in versions:
        raise Stale(batch)
    return batch


def _decided(connection: Connection, batch: Batch, number: int, sent: dict[str, Any]) -> Batch:
    _only(sent, "decision", "target")
    decision, target = sent.get("decision"), sent.get("target")
    wrong = [name for name in ("decision", "target") if not isinstance(sent.get(name), str | None)]
    if wrong:
        raise InvalidValues([FieldError(name, "not_text") for name in wrong])
    return imports_decide.decide(connection, batch.code, number, decision, target, batch.version)


def _only(sent: dict[str, Any], *names: str) -> None:
    if unknown := [name for name in sent if name not in names]:
        raise InvalidValues([FieldError(name, "unknown_field") for name in unknown])


def _with(request: Request, **more: object) -> str:
    return str(request.url.include_query_params(**more))
