"""Imports as the API tells them, with the words beside the codes. What a person's cell may hold is masked."""

from collections.abc import Mapping, Sequence
from typing import Any

from layers.formats.spreadsheets import XLSX_TYPE
from mapservice.import_masking import Masks
from mapservice.import_words import column_letters, failure_words, finding_words
from mapservice.links import JSON, Links
from postgis import identifiers
from postgis.secrets import Secrets
from postgis.store import imports
from postgis.store.imports import Batch, Counts, ImportRow, Progress
from postgis.vocabulary import IMPORT_VERDICTS
from web import labels

MOST_SECTORS = 500


def batch_summary(batch: Batch, links: Links) -> dict[str, Any]:
    """A batch as the list of batches tells it."""
    address = f"/imports/{batch.code}"
    return {
        "id": batch.code,
        "state": batch.state,
        "job": batch.job,
        "file_name": batch.file_name,
        "file_size": batch.file_size,
        "created_at": batch.created_at,
        "created_by": batch.created_by_name,
        "applied_at": batch.applied_at,
        "undone_at": batch.undone_at,
        **numbers(batch),
        "links": [links.link(address, "self", JSON)],
    }


def batch_document(batch: Batch, counts: Counts, progress: Progress | None, links: Links, lang: str) -> dict[str, Any]:
    """Everything about a batch but its rows."""
    summary = batch.summary or {}
    address = f"/imports/{batch.code}"
    return {
        **batch_summary(batch, links),
        "progress": progress_document(progress) if batch.job else None,
        "error": error_document(batch.error, lang),
        "cancel_asked": batch.cancel_asked,
        "to_apply": counts.to_apply,
        "undecided": counts.undecided,
        "outcomes": dict(counts.outcomes),
        "reason": batch.reason,
        "undo_kept": batch.undo_kept,
        "choices": batch.choices,
        "notes": [
            {**note, "message": labels.text(f"import_notes.{note['code']}", lang, **note["values"])}
            for note in summary.get("notes", ())
        ],
        "sheets": summary.get("sheets", []),
        "columns": summary.get("columns", []),
        "problems": problem_documents(summary, lang),
        "sectors": summary.get("sectors", [])[:MOST_SECTORS],
        "points": summary.get("points"),
        "links": [
            links.link(address, "self", JSON),
            links.link(f"{address}/rows", "items", JSON),
            links.link(f"{address}/errors.xlsx", "enclosure", XLSX_TYPE),
            links.link(f"/staff/imports/{batch.code}", "alternate", "text/html"),
        ],
    }


def numbers(batch: Batch) -> dict[str, int]:
    """The rows read and the six counts that add up to them."""
    return {name: int(batch.counts.get(name, 0)) for name in ("rows_read", *IMPORT_VERDICTS)}


def progress_document(progress: Progress | None) -> dict[str, Any] | None:
    """How far the present job has come."""
    if progress is None:
        return None
    share = None if not progress.total else min(100, progress.done * 100 // progress.total)
    return {
        "step": progress.step,
        "done": progress.done,
        "total": progress.total,
        "percent": share,
        "at": progress.at,
    }


def error_document(error: Mapping[str, Any] | None, lang: str) -> dict[str, str] | None:
    """Why a job failed, in words."""
    if error is None:
        return None
    return {"code": error["code"], "message": failure_words(error, lang)}


def problem_documents(summary: Mapping[str, Any], lang: str) -> list[dict[str, Any]]:
    """What was found, once for each column and code, the gravest and most frequent first."""
    weights = ("wrong", "doubtful", "note")
    headers = headers_of(summary)
    found = sorted(summary.get("problems", ()), key=lambda each: (weights.index(each["weight"]), -each["count"]))
    return [
        {
            **each,
            "header": headers.get((each["sheet"], each["column"])),
            "message": finding_words(each["code"], each.get("values") or {}, lang),
        }
        for each in found
    ]


def headers_of(summary: Mapping[str, Any]) -> dict[tuple[str, int], str]:
    """What stands over each column, by sheet and number; its letters where nothing does."""
    return {
        (column["sheet"], column["column"]): column["header"] or column_letters(column["column"])
        for column in summary.get("columns", ())
    }


class RowDocuments:
    """The rows of one batch as documents."""

    def __init__(self, batch: Batch, secrets: Secrets, lang: str) -> None:
        summary = batch.summary or {}
        self._batch, self._secrets, self._lang = batch, secrets, lang
        self._masks = Masks(summary.get("columns", ()))
        self._headers = headers_of(summary)
        self._opened: tuple[int, dict[str, str]] | None = None

    def raw(self, row: ImportRow) -> dict[int, str]:
        """The sender's cells by column, masked."""
        return self._masks.cells(row.sheet, imports.unseal(self._secrets, self._batch, row)["cells"])

    def personal(self, row: ImportRow) -> dict[str, str]:
        """What the row says of its owner and nobody may read here, masked, by field."""
        kept = imports.unseal(self._secrets, self._batch, row)["personal"]
        return {name: identifiers.mask(name, value) for name, value in kept.items()}

    def cell(self, row: ImportRow, column: int) -> tuple[str, bool]:
        """One cell's text, masked, and whether it is one to be masked."""
        if self._opened is None or self._opened[0] != row.number:
            self._opened = row.number, imports.unseal(self._secrets, self._batch, row)["cells"]
        text = self._opened[1].get(str(column), "")
        return self._masks.cells(row.sheet, {str(column): text})[column], self._masks.hides(row.sheet, column, text)

    def header(self, sheet: str, column: int | None) -> str | None:
        """What stands over a column."""
        return None if column is None else self._headers.get((sheet, column), column_letters(column))

    def document(self, row: ImportRow) -> dict[str, Any]:
        """One row."""
        return {
            "number": row.number,
            "sheet": row.sheet,
            "row": row.row,
            "verdict": row.verdict,
            "reason": row.reason,
            "raw": self._named(row.sheet, self.raw(row)),
            "proposed": row.proposed or {},
            "changes": row.changes,
            "matches": row.matches,
            "problems": [self.problem(row.sheet, each) for each in row.problems],
            "decision": row.decision,
            "target": row.target_code,
            "outcome": row.outcome,
            "outcome_values": row.outcome_values,
        }

    def problem(self, sheet: str, problem: Mapping[str, Any]) -> dict[str, Any]:
        """Something to say of a row, with the column it is about."""
        values = problem.get("values") or {}
        return {
            "column": problem["column"],
            "header": self.header(sheet, problem["column"]),
            "code": problem["code"],
            "message": finding_words(problem["code"], values, self._lang),
            "weight": problem["weight"],
            "values": values,
        }

    def _named(self, sheet: str, cells: Mapping[int, str]) -> dict[str, str]:
        """By what stands over each column; where that is not its alone, with its letters."""
        names = [self.header(sheet, number) or "" for number in cells]
        return {
            name if names.count(name) == 1 else f"{name} ({column_letters(number)})": text
            for (number, text), name in zip(cells.items(), names, strict=True)
        }


def rows_document(rows: Sequence[ImportRow], documents: RowDocuments, links: list[dict[str, str]]) -> dict[str, Any]:
    """A page of rows."""
    return {"rows": [documents.document(row) for row in rows], "links": links}
