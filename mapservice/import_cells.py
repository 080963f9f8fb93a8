"""Cells of a row that a person writes anew: as a program sends them, and as the form on the screen shows and sends
them. What may be somebody's is never filled in: an empty box leaves such a cell as it is."""

from collections.abc import Mapping
from typing import Any

from mapservice.forms import Form
from mapservice.import_documents import RowDocuments
from postgis.errors import FieldError, InvalidValues
from postgis.store.imports import Batch, ImportRow
from web.staff_imports import EditableCell

NEVER_WRITTEN = ("computed", "machine_code", "to_mend", "row_number")
"""Columns that nothing of is read: there is nothing to correct in them."""
CORRECTED = "corrected_by_person"


def cells_sent(sent: Any) -> dict[int, str]:
    """The member `cells` of a program's body: texts by the number of their column. Raises InvalidValues."""
    if not isinstance(sent, dict) or not sent:
        raise InvalidValues([FieldError("cells", "not_cells")])
    errors = []
    for column, text in sent.items():
        if not _is_column(column):
            errors.append(FieldError(f"cells.{column}", "unknown_cell", {"header": column}))
        elif not isinstance(text, str):
            errors.append(FieldError(f"cells.{column}", "cell_not_text", {"header": column}))
    if errors:
        raise InvalidValues(errors)
    return {int(column): text for column, text in sent.items()}


def cells_typed(form: Form, batch: Batch, row: ImportRow, documents: RowDocuments) -> dict[int, str]:
    """The same from the form: a masked cell only where something was typed, or where it is to be emptied."""
    typed: dict[int, str] = {}
    for cell in editable_cells(batch, row, documents):
        name = f"cell.{cell.column}"
        if f"clear.{cell.column}" in form:
            typed[cell.column] = ""
        elif name in form and (form[name] or not cell.masked):
            typed[cell.column] = form[name]
    return typed


def editable_cells(
    batch: Batch, row: ImportRow, documents: RowDocuments, typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[EditableCell]:  # fmt: skip
    """Every cell of a row that something is read of, those with a problem first. `typed` and `errors`: of a form that
    was refused."""
    told: dict[int, list[Mapping[str, Any]]] = {}
    for each in row.problems:
        if each["column"] is not None:
            told.setdefault(each["column"], []).append(documents.problem(row.sheet, each))
    found = []
    for column in (batch.summary or {}).get("columns", ()):
        number = column["column"]
        if column["sheet"] != row.sheet or column["field"] in NEVER_WRITTEN:
            continue
        shown, masked = documents.cell(row, number)
        found.append(
            EditableCell(
                column=number,
                title=documents.header(row.sheet, number) or "",
                text="" if masked else (typed or {}).get(f"cell.{number}", shown),
                mask=shown if masked else "",
                masked=masked,
                problems=tuple(each["message"] for each in told.get(number, ())),
                first=any(each["code"] != CORRECTED for each in told.get(number, ())),
                error=(errors or {}).get(f"cells.{number}", ""),
            )
        )
    return sorted(found, key=lambda cell: not (cell.first or cell.error))


def is_correctable(row: ImportRow) -> bool:
    """Whether the screen offers it: a row that somebody has to look at, or that somebody has corrected."""
    return row.verdict in ("wrong", "doubtful") or any(each["code"] == CORRECTED for each in row.problems)


def _is_column(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6
