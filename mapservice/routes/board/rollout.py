"""/rollout and /board/rollout: how far the business map has come; and the forms by which officers prove and note it."""

import re
from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from layers import rollout as measured
from mapservice.dependencies import Language, ReadConnection, Settings, database
from mapservice.document_files import SentDocument, document
from mapservice.errors import Problem
from mapservice.openapi import parameters
from mapservice.parameters import check_known
from mapservice.record_forms import typed_texts, wire_values
from mapservice.rollout_page import PAGE, Sent, rollout_page, ward_of
from mapservice.rollout_page import document as as_json
from mapservice.routes.ogc.negotiation import answer
from mapservice.security import MaybeActor, SentForm, SignedIn, check_form, require
from mapservice.staff_page import see_other
from postgis.actor import Actor, prepare_as, read_as
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.store import documents, rollout
from postgis.store.record_types import RecordType

router = APIRouter(tags=["Board"])

PROOFS, NOTES = "/staff/rollout/proofs", "/staff/rollout/notes"
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg"}


@router.get(
    "/rollout",
    summary="Phases of the rollout, with measured and needed values",
    response_class=Response,
    openapi_extra=parameters("f", "lang"),
)
def show(
    request: Request, connection: ReadConnection, settings: Settings, lang: Language, ward: str | None = None
) -> Response:
    """Each criterion as it stands now, with what that rests on; no phase where the ward's plan has none."""
    check_known(request.query_params, ("ward",))
    ward = ward or settings.ward
    ward_of(connection, ward, lang)
    return answer(request, lang, "ogc/document.html", as_json(measured.rollout(connection, ward), lang))


@router.get(PAGE, summary="Phases of the rollout and their proof", response_class=Response, include_in_schema=False)
def show_page(request: Request, actor: MaybeActor) -> Response:
    """For everybody: phases, criteria, what was measured. For the ward's officers: documents, notes, forms."""
    return rollout_page(request, actor)


@router.post(PROOFS, summary="Add a document", response_class=Response, include_in_schema=False)
def add_proof(request: Request, actor: SignedIn, sent: SentDocument) -> Response:
    """Keeps the file and what it is called; it proves nothing until it is signed."""
    check_form(request, actor, sent.form)
    require(actor, "create", "rollout")
    typed = typed_texts(sent.form, rollout.PROOF.fields) | {"criterion": sent.form["criterion"]}
    values = wire_values(typed, rollout.PROOF.fields)
    errors: list[FieldError] = []
    try:
        file = document(sent.data)
    except InvalidValues as invalid:
        errors += invalid.errors
    with read_as(database(request), actor) as connection:
        errors += rollout.wrong(connection, rollout.PROOF, values)
    if errors:
        return _again(request, actor, "proof", typed, errors)
    name = documents.keep_file(database(request).settings.data_dir, file.content, file.kind)
    kept = rollout.KeptFile(name, file.kind, len(file.content))
    try:
        with prepare_as(database(request), actor) as connection:
            rollout.attach(connection, actor, sent.form["criterion"], values, kept)
    except NotFound:
        return _again(request, actor, "proof", typed, [FieldError("criterion", "no_such_criterion")])
    except Forbidden:
        raise Problem("forbidden") from None
    return _on(request, "proof_added", "proofs")


@router.post(PROOFS + "/{proof}/{action}", summary="Sign or withdraw", response_class=Response, include_in_schema=False)
def decide_proof(request: Request, proof: str, action: str, actor: SignedIn, form: SentForm) -> Response:
    """A leader answers for a document, or it is withdrawn with a reason."""
    check_form(request, actor, form)
    if action not in ("sign", "withdraw"):
        raise Problem("unknown_action", value=action, known="sign, withdraw")
    require(actor, "review" if action == "sign" else "create", "rollout")
    number = _number(proof, "unknown_proof")
    try:
        with prepare_as(database(request), actor) as connection:
            if action == "sign":
                rollout.sign(connection, actor, number)
            else:
                rollout.withdraw(connection, actor, number, form["reason"])
    except NotFound:
        raise Problem("unknown_proof", value=proof) from None
    except Stale:
        raise Problem("proof_withdrawn") from None
    except Forbidden:
        raise Problem("forbidden") from None
    except InvalidValues as invalid:
        return _again(request, actor, f"withdraw-{number}", {"reason": form["reason"]}, list(invalid.errors))
    return _on(request, "proof_signed" if action == "sign" else "proof_withdrawn", f"proof-{number}")


@router.get(PROOFS + "/{proof}/document", summary="A document's file", response_class=Response, include_in_schema=False)
def show_document(request: Request, proof: str, actor: SignedIn) -> Response:
    """The file as a download, for officers of its ward."""
    require(actor, "read", "rollout")
    try:
        with read_as(database(request), actor) as connection:
            kept = rollout.document(connection, _number(proof, "unknown_proof"))
    except NotFound:
        raise Problem("unknown_proof", value=proof) from None
    content = documents.read_file(database(request).settings.data_dir, kept.name, kept.kind)
    if content is None:
        raise Problem("unknown_proof", value=proof)
    headers = {
        "Content-Disposition": f'attachment; filename="rollout-{int(proof)}.{kept.kind}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
    return Response(content, 200, headers, _TYPES[kept.kind])


@router.post(NOTES + "/{phase}/{kind}", summary="Note about a phase", response_class=Response, include_in_schema=False)
def note(request: Request, phase: str, kind: str, actor: SignedIn, form: SentForm) -> Response:
    """How a phase goes (`state`), what stands in its way (`blocker`), or, with that one's number, that it is gone
    (`solved`)."""
    check_form(request, actor, form)
    require(actor, "create", "rollout")
    write: dict[str, tuple[RecordType, Callable[..., None]]] = {
        "state": (rollout.STATE, rollout.note_state),
        "blocker": (rollout.BLOCKER, rollout.note_blocker),
        "solved": (rollout.BLOCKER, rollout.note_solved),
    }
    if kind not in write:
        raise Problem("unknown_action", value=kind, known=", ".join(write))
    if not _KEY.fullmatch(form["key"]):
        raise Problem("invalid_form")
    record_type, noting = write[kind]
    about = _number(phase, "unknown_phase") if kind == "solved" else phase
    typed = typed_texts(form, record_type.fields)
    try:
        with prepare_as(database(request), actor) as connection:
            noting(connection, actor, about, form["key"], wire_values(typed, record_type.fields))
    except NotFound:
        raise Problem("unknown_phase", value=phase) from None
    except Forbidden:
        raise Problem("forbidden") from None
    except InvalidValues as invalid:
        return _again(request, actor, f"{kind}-{about}", typed, list(invalid.errors))
    return _on(request, "noted", "notes")


def _again(request: Request, actor: Actor, form: str, typed: dict[str, str], errors: list[FieldError]) -> Response:
    return rollout_page(request, actor, status=422, sent=Sent(form, typed, errors))


def _on(request: Request, done: str, place: str) -> Response:
    response = see_other(request, PAGE, done=done)
    response.headers["Location"] += f"#{place}"
    return response


def _number(text: str, problem: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 15):
        raise Problem(problem, value=text)
    return int(text)
