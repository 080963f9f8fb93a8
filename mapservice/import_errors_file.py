"""The sender's own rows that need mending, as an Excel file: as they were sent, and what to do in a column before them.

It can be sent in again when it is mended: titles, headers and group rows stand where they stood, and our column is
recognised and passed over. Every cell is text, so no zero is lost and no formula starts.
"""

import heapq
import tempfile
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import IO, Any

from sqlalchemy import Connection

from ingest.encoding_columns import Decoder
from mapservice.import_documents import RowDocuments, headers_of
from mapservice.import_words import column_letters
from postgis.secrets import Secrets
from postgis.store import imports
from postgis.store.imports import Batch, ImportRow
from web import labels, staff_imports
from web.field_errors import error_words

_AT_ONCE = 1_000
_ABOVE = ("title", "header", "column_numbers")
_WEIGHTS = ("wrong", "doubtful")
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_LONGEST_CELL = 32_767
_OPTIONS = {
    "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
}  # fmt: skip


def errors_file(connection: Connection, secrets: Secrets, batch: Batch, lang: str) -> tuple[IO[bytes], int]:
    """An open temporary file, which the caller closes, and how many of the sender's rows are in it."""
    file = tempfile.TemporaryFile(prefix="mapservice-errors-")  # noqa: SIM115 - handed to the caller
    import xlsxwriter

    with xlsxwriter.Workbook(file, _OPTIONS) as book:
        written = _Book(book, batch, secrets, lang)
        for row in _rows(connection, batch):
            written.take(row)
        written.end()
    file.seek(0)
    return file, written.count


def needs_mending(row: ImportRow) -> bool:
    """Whether a row goes back to the sender."""
    undecided = row.verdict == "doubtful" and row.decision is None
    return row.verdict == "wrong" or undecided or row.outcome in ("conflict", "refused")


def _rows(connection: Connection, batch: Batch) -> Iterator[ImportRow]:
    """What needs mending and the rows that stand over it, in their order, each once."""
    last = 0
    several = (
        _pages(connection, batch, verdicts=("wrong", "doubtful", "skipped")),
        _pages(connection, batch, verdicts=("new", "changed"), outcomes=("conflict", "refused")),
    )
    for row in heapq.merge(*several, key=lambda row: row.number):
        if row.number > last:
            last = row.number
            yield row


def _pages(connection: Connection, batch: Batch, **wanted: Any) -> Iterator[ImportRow]:
    after = 0
    while page := imports.rows(connection, batch.code, **wanted, after_number=after, limit=_AT_ONCE):
        yield from page
        after = page[-1].number


class _Book:
    """The workbook while it is written, row after row, sheet after sheet."""

    def __init__(self, book: Any, batch: Batch, secrets: Secrets, lang: str) -> None:
        self.count = 0
        self._book, self._batch, self._secrets, self._lang = book, batch, secrets, lang
        self._documents = RowDocuments(batch, secrets, lang)
        summary = batch.summary or {}
        self._headers = headers_of(summary)
        self._columns: dict[str, list[Mapping[str, Any]]] = {}
        for column in summary.get("columns", ()):
            self._columns.setdefault(column["sheet"], []).append(column)
        self._wrap = {"text_wrap": True, "valign": "top", "num_format": "@"}
        self._plain = book.add_format({"num_format": "@", "valign": "top"})
        self._bold = book.add_format({**self._wrap, "bold": True, "bottom": 1})
        self._say = book.add_format({**self._wrap, "bg_color": "#fdf3e4"})
        self._marked = {
            "wrong": book.add_format({"num_format": "@", "valign": "top", "bg_color": "#fbe3e0"}),
            "doubtful": book.add_format({"num_format": "@", "valign": "top", "bg_color": "#fdf3e4"}),
        }
        self._used: set[str] = set()
        self._sheet: Any = None
        self._name: str | None = None
        self._above: list[ImportRow] = []
        self._decoders: dict[int, Decoder] = {}
        self._line = 0
        self._headed = False

    def take(self, row: ImportRow) -> None:
        """The next row of the file: kept until one below it needs mending, or written."""
        if row.sheet != self._name:
            self._name, self._sheet, self._above, self._line, self._headed = row.sheet, None, [], 0, False
        if row.verdict == "skipped":
            if (row.reason in _ABOVE and self._sheet is None) or row.reason == "group":
                self._above.append(row)
        elif needs_mending(row):
            self._begin()
            for above in self._above:
                self._write(above, {}, self._bold if above.reason != "title" else self._plain)
            self._above = []
            self._head()
            self._mend(row)

    def end(self) -> None:
        """A workbook has a sheet, even where nothing is to be mended."""
        if not self._used:
            sheet = self._book.add_worksheet()
            sheet.write_string(0, 0, labels.text("imports.file.nothing", self._lang), self._plain)

    def _begin(self) -> None:
        if self._sheet is not None:
            return
        self._sheet = self._book.add_worksheet(self._unused(self._name or ""))
        self._sheet.set_column(0, 0, 48)
        self._sheet.set_column(1, 200, 18)
        self._sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        self._decoders = {
            column["column"]: Decoder(column["decoded_from"], column["decoded_from"][0])
            for column in self._columns.get(self._name or "", ())
            if column.get("decoded_from")
        }

    def _head(self) -> None:
        """Where the sender's table has no header, one of ours: what each column was understood as."""
        if self._headed:
            return
        self._headed = True
        if any(
            sheet["name"] == self._name and sheet["header_rows"]
            for sheet in (self._batch.summary or {}).get("sheets", ())
        ):
            return
        self._sheet.write_string(self._line, 0, labels.text("imports.file.to_mend", self._lang), self._bold)
        for column in self._columns.get(self._name or "", ()):
            if column["field"]:
                words = labels.text(f"import_fields.{column['field']}", self._lang)
                self._sheet.write_string(self._line, column["column"], words, self._bold)
        self._line += 1

    def _write(self, row: ImportRow, marked: Mapping[int, Any], plain: Any, words: str = "") -> None:
        opened = imports.unseal(self._secrets, self._batch, row)
        cells = {**opened["cells"], **opened.get("carried", {})}
        if row.verdict == "skipped" and row.reason == "header" and self._is_last_header(row):
            self._headed = True
            words = labels.text("imports.file.to_mend", self._lang)
        if words:
            self._sheet.write_string(self._line, 0, words, self._bold if row.verdict == "skipped" else self._say)
        for number, text in cells.items():
            column = int(number)
            as_sent = column in self._decoders and number not in opened.get("replaced", {})
            shown = self._decoders[column](text)[0] if as_sent else text
            self._sheet.write_string(self._line, column, shown[:_LONGEST_CELL], marked.get(column, plain))
        self._line += 1

    def _mend(self, row: ImportRow) -> None:
        said = [each for each in row.problems if each["weight"] in _WEIGHTS]
        marked: dict[int, Any] = {}
        for each in sorted(said, key=lambda each: _WEIGHTS.index(each["weight"])):
            if each["column"] is not None:
                marked.setdefault(each["column"], self._marked[each["weight"]])
        words = [self._problem(row.sheet, each) for each in said] + outcome_words(row, self._lang)
        self._write(row, marked, self._plain, "\n".join(dict.fromkeys(words)))
        self.count += 1

    def _problem(self, sheet: str, problem: Mapping[str, Any]) -> str:
        told = self._documents.problem(sheet, problem)
        if told["header"] is None:
            return str(told["message"])
        return labels.text("imports.file.column", self._lang, header=told["header"], message=told["message"])

    def _is_last_header(self, row: ImportRow) -> bool:
        sheets = (self._batch.summary or {}).get("sheets", ())
        rows: list[int] = next((sheet["header_rows"] for sheet in sheets if sheet["name"] == row.sheet), [])
        return bool(rows) and row.row == rows[-1]

    def _unused(self, name: str) -> str:
        plain = name.translate(_FORBIDDEN).strip("' ")[:31] or column_letters(len(self._used) + 1)
        number, found = 1, plain
        while found.lower() in self._used:
            number += 1
            found = f"{plain[: 30 - len(str(number))]} {number}"
        self._used.add(found.lower())
        return found


def outcome_words(row: ImportRow, lang: str) -> list[str]:
    """Why applying left a row out."""
    values = row.outcome_values or {}
    if row.outcome == "refused":
        errors = values.get("errors") or ()
        found = [error_words("establishments", e["field"], e["code"], e.get("values") or {}, lang) for e in errors]
        return found or [labels.text("imports.outcome_words.refused", lang)]
    if row.outcome != "conflict":
        return []
    words = []
    for why, conflicts in groupby(values.get("conflicts") or (), key=lambda each: each["why"]):
        fields = (staff_imports.field_words(each["collection"], each["field"], lang)
                  for each in conflicts if each.get("field"))  # fmt: skip
        titles = ", ".join(dict.fromkeys(fields))
        words.append(labels.text(f"imports.outcome_words.{why}", lang, fields=titles))
    return words or [labels.text("imports.outcome_words.gone", lang)]
