"""The page of one import: the four steps as plain data for `web/templates/staff/imports/batch.html`."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from fastapi import Request
from sqlalchemy import Connection
from starlette.datastructures import QueryParams
from starlette.responses import Response

from ingest.encoding import ENCODINGS
from ingest.header_words import fields
from ingest.values_sectors import sector_names
from layers.register import brief
from layers.surroundings import ward_box
from mapservice.import_cells import NEVER_WRITTEN, editable_cells, is_correctable
from mapservice.import_documents import RowDocuments, numbers, problem_documents, progress_document
from mapservice.import_errors_file import outcome_words
from mapservice.import_words import column_letters, failure_words, finding_words
from mapservice.importing import found, looking
from mapservice.routes.staff.import_batches import after_of, row_filters
from mapservice.routes.staff.personal import secrets_of
from mapservice.security import can
from mapservice.staff_page import page_language, staff_page
from postgis.actor import Actor
from postgis.store import imports
from postgis.store.imports import Batch, Counts, ImportRow
from postgis.vocabulary import LEGAL_FORMS
from web import labels, staff_imports
from web.render import local
from web.staff_record import map_data

PAGE = "/staff/imports"
ROWS_SHOWN = 20
_SAMPLES = 3
_SAMPLED_ROWS = 12
SECTORS_SHOWN = 40
FILTERS = ("verdict", "outcome", "decided", "problem", "q")
DONE = ("sent", "known", "chosen", "decided", "decided_many", "corrected", "asked_apply", "asked_undo", "cancelled")
_JOBS = ("sent", "chosen", "corrected", "asked_apply", "asked_undo", "cancelled")
"""Of these, what began a job."""
_OWN_CODES = ("establishments", "legal_entities")


def batch_page(
    request: Request, actor: Actor, code: str, *, problem: str = "", errors: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    """The page as things stand; with what is wrong in a form that was sent, and the row that it was about first."""
    lang, params = page_language(request), _shown_with(request, typed)
    secrets = secrets_of(request)
    with looking(request, actor) as connection:
        batch = found(connection, code)
        counts = imports.counts(connection, batch.code)
        progress = imports.progress(connection, batch.code)
        documents = RowDocuments(batch, secrets, lang)
        context = {
            "batch": batch,
            "busy": batch.job is not None,
            "numbers": numbers(batch),
            "verdicts": staff_imports.VERDICTS,
            "counts": counts,
            "outcomes": {name: counts.outcomes[name] for name in staff_imports.OUTCOMES if counts.outcomes.get(name)},
            "progress": progress_document(progress) if batch.job else None,
            "error": failure_words(batch.error, lang) if batch.error else "",
            "done": _done(params.get("done"), batch, lang),
            "problem": problem,
            "errors": errors or {},
            "typed": typed or {},
            "may_take_back": can(actor, "reveal", "personal_data"),
            "to_mend": counts.verdicts.get("wrong", 0) + counts.undecided + sum(
                counts.outcomes.get(name, 0) for name in ("conflict", "refused")
            ),
            **_understood(connection, batch, documents, lang),
            **_result(connection, batch, counts, documents, params, lang, typed or {}, errors or {}),
            "kept": _kept(batch, lang),
            "page_address": f"{PAGE}/{batch.code}",
        }  # fmt: skip
        box = ward_box(connection, actor.ward_code)
    context["script"] = {
        **map_data({}, box, actor.ward_code, lang, editable=False),
        "words": {**labels.table("register.script", lang), **labels.table("imports.script", lang)},
        "points": [[point["lon"], point["lat"]] for point in context["points"]["shown"]] if context["points"] else [],
        "stepWords": labels.code_list("import_step", lang),
        "watch": f"/imports/{batch.code}?lang={lang}" if batch.job else "",
    }
    return staff_page(request, actor, "staff/imports/batch.html", status=status, **context)


def _shown_with(request: Request, typed: Mapping[str, str] | None) -> QueryParams:
    """Which rows are shown: as the address says; where cells of a row were refused, that row and those after it."""
    if typed is None or typed.get("part") != "cells":
        return request.query_params
    kept = {name: typed[name] for name in FILTERS if typed.get(name)}
    return QueryParams({**kept, "after": str(int(typed["number"]) - 1)})


def _done(done: str | None, batch: Batch, lang: str) -> str:
    """What the last form did; of a job that it asked for only while that goes on."""
    if done not in DONE or (done in _JOBS and batch.job is None):
        return ""
    return labels.text(f"imports.done.{done}", lang)


def _understood(connection: Connection, batch: Batch, documents: RowDocuments, lang: str) -> dict[str, Any]:
    """Steps one and two: what the reader found, and what each column was taken for."""
    summary = batch.summary or {}
    samples = _samples(connection, batch, documents, summary)
    sheets = [
        {
            **sheet,
            "skipped": [
                (labels.text(f"import_skips.{reason}", lang), count)
                for reason, count in sheet["skipped_because"].items()
            ],
            "columns": [
                _column(column, samples, lang) for column in summary["columns"] if column["sheet"] == sheet["name"]
            ],
        }
        for sheet in summary.get("sheets", ())
    ]
    sectors = summary.get("sectors", ())
    return {
        "understood": bool(summary),
        "sheets": sheets,
        "notes": [
            labels.text(f"import_notes.{note['code']}", lang, **note["values"]) for note in summary.get("notes", ())
        ],
        "field_choices": {name: labels.text(f"import_fields.{name}", lang) for name in fields()},
        "legal_forms": {code: labels.code_label("legal_form", code, lang) for code in LEGAL_FORMS},
        "sectors": [_sector(each, batch.choices) for each in sectors[:SECTORS_SHOWN]],
        "more_sectors": max(0, len(sectors) - SECTORS_SHOWN),
        "points": _points(connection, batch, summary.get("points") or {}, lang),
        "classes": sector_classes(),
        "problems": problem_documents(summary, lang),
    }


def _column(column: Mapping[str, Any], samples: Mapping[tuple[str, int], list[str]], lang: str) -> dict[str, Any]:
    encodings = [name for name in ENCODINGS if name in {each["encoding"] for each in column["encodings"]}]
    return {
        **column,
        "letters": column_letters(column["column"]),
        "samples": samples.get((column["sheet"], column["column"]), []),
        "sure": staff_imports.confidence_word(column) if column["field"] else "",
        "not_written": column["field"] in NEVER_WRITTEN,
        "other": labels.text(f"import_fields.{column['runner_up']['field']}", lang) if column["runner_up"] else "",
        "offered": {name: labels.text(f"import_encodings.{name}", lang) for name in encodings},
        "examples": [pair for each in column["encodings"] for pair in each["examples"]][:_SAMPLES],
    }


def _samples(
    connection: Connection, batch: Batch, documents: RowDocuments, summary: Mapping[str, Any]
) -> dict[tuple[str, int], list[str]]:
    """A few cells of each column as the sender wrote them, masked; records only."""
    found_cells: dict[tuple[str, int], list[str]] = {}
    records = [name for name in staff_imports.VERDICTS if name != "skipped"]
    for sheet in summary.get("sheets", ()):
        for row in imports.rows(connection, batch.code, verdicts=records, sheet=sheet["name"], limit=_SAMPLED_ROWS):
            for column, text in documents.raw(row).items():
                kept = found_cells.setdefault((sheet["name"], column), [])
                if len(kept) < _SAMPLES and text not in kept:
                    kept.append(text)
    return found_cells


def _sector(sector: Mapping[str, Any], choices: Mapping[str, Any]) -> dict[str, Any]:
    by_person: Mapping[str, str | None] = choices.get("sectors") or {}
    said = by_person[sector["key"]] if sector["key"] in by_person else sector["proposal"]
    code = (said or "").rpartition(" ")[2]
    return {
        **sector,
        "decided": sector["key"] in by_person,
        "percent": round(float(sector["confidence"] or 0) * 100),
        "code": code,
        "words": sector_names().names.get(code, ""),
    }


@cache
def sector_classes() -> dict[str, str]:
    """The classes of four digits that a text may be said to mean, by code."""
    return {code: name for code, name in sorted(sector_names().names.items()) if len(code) == 4}


def _points(connection: Connection, batch: Batch, points: Mapping[str, Any], lang: str) -> dict[str, Any] | None:
    if not points.get("count"):
        return None
    shown = []
    for sample in points["samples"]:
        row = imports.row(connection, batch.code, sample["number"])
        proposed = row.proposed or {}
        shown.append(
            {
                **sample,
                "sheet": row.sheet,
                "row": row.row,
                "name": proposed.get("name") or "",
                "address": proposed.get("address") or "",
                "words": staff_imports.coordinates(sample["lon"], sample["lat"], lang),
            }
        )
    return {
        "count": points["count"],
        "systems": [labels.text("imports.points.system", lang, epsg=str(epsg), count=count)
                    for epsg, count in points["systems"].items()],
        "swapped": points["swapped"],
        "asked": points["needs_confirmation"],
        "chosen": batch.choices.get("points") or "",
        "shown": shown,
    }  # fmt: skip


def _result(
    connection: Connection, batch: Batch, counts: Counts, documents: RowDocuments, params: QueryParams, lang: str,
    typed: Mapping[str, str], errors: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    """Step three: the rows asked for, a page of them. `typed` and `errors`: of a form about one of them."""
    wanted = {name: params.get(name, "") for name in FILTERS}
    if not any(wanted.values()):
        first = next((name for name in ("doubtful", "wrong", "new", "changed") if counts.verdicts.get(name)), "")
        wanted["verdict"] = first
    after = after_of(params)
    page: list[ImportRow] = []
    if batch.summary:
        page = imports.rows(connection, batch.code, **row_filters(wanted), after_number=after, limit=ROWS_SHOWN + 1)
    rows = page[:ROWS_SHOWN]
    places = brief(connection, sorted({match["code"] for row in rows for match in row.matches}))
    kept = {name: value for name, value in wanted.items() if value}
    address = f"{PAGE}/{batch.code}"
    may_decide = batch.state == "planned" and batch.job is None
    cells: dict[int, list[staff_imports.EditableCell]] = {}
    if may_decide and batch.has_file:
        for row in filter(is_correctable, rows):
            refused = (typed, errors) if typed.get("number") == str(row.number) else ({}, {})
            cells[row.number] = editable_cells(batch, row, documents, *refused)
    return {
        "wanted": wanted,
        "after": after,
        "showing": _showing(wanted, lang),
        "problem_words": finding_words(wanted["problem"], _any_values(batch, wanted["problem"]), lang)
        if wanted["problem"]
        else "",
        "rows": [_row(row, documents, places, cells.get(row.number, ()), lang) for row in rows],
        "back": local(lang, address, **kept, after=after or None),
        "first_href": local(lang, address, **kept) if after else "",
        "next_href": local(lang, address, **kept, after=rows[-1].number) if len(page) > ROWS_SHOWN else "",
        "undecided_here": wanted["verdict"] == "doubtful" and batch.state == "planned" and counts.undecided > 0,
        "may_decide": may_decide,
    }


def _showing(wanted: Mapping[str, str], lang: str) -> str:
    parts = [labels.code_label(f"import_{name}", wanted[name], lang) for name in ("verdict", "outcome") if wanted[name]]
    parts += [labels.text("imports.row.only_undecided", lang)] if wanted["decided"] == "false" else []
    parts += [f"“{wanted['q']}”"] if wanted["q"] else []
    return " · ".join(parts) or labels.text("imports.rows_read", lang)


def _any_values(batch: Batch, code: str) -> Mapping[str, str]:
    """What fills the wording of a problem: of one row with it, as an example."""
    found_problems = (batch.summary or {}).get("problems", ())
    return next((each["values"] for each in found_problems if each["code"] == code), {})


def _row(
    row: ImportRow, documents: RowDocuments, places: Mapping[str, Mapping[str, Any]],
    cells: Sequence[staff_imports.EditableCell], lang: str,
) -> staff_imports.ShownRow:  # fmt: skip
    theirs = documents.raw(row)
    headers = {column: documents.header(row.sheet, column) or "" for column in theirs}
    problems = [documents.problem(row.sheet, each) for each in row.problems]
    personal = documents.personal(row)
    return staff_imports.row_view(
        row, theirs, headers, problems, places, outcome_words(row, lang), lang, cells, personal
    )  # fmt: skip


def _kept(batch: Batch, lang: str) -> list[dict[str, Any]]:
    """What an undo left, since somebody had changed it."""
    whys = labels.table("imports.kept_because", lang)
    return [
        {
            **each,
            "why": whys.get(str(each.get("why")), whys["edited"]),
            "value": each["code"] if each["collection"] in _OWN_CODES else f"{each['collection']}:{each['code']}",
            "record": labels.collection_title(each["collection"], lang),
            "fields": ", ".join(
                staff_imports.field_words(each["collection"], name, lang) for name in each.get("fields") or ()
            ),
        }
        for each in batch.undo_kept or ()
    ]
