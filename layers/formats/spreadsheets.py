"""Tables as files for the office: XLSX and CSV that open rightly in Excel, and start no formula there.

XlsxWriter and not openpyxl: it only writes, keeps one row in memory (constant_memory) and takes about half the time.
"""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from postgis.today import VIETNAM

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE = "text/csv; charset=utf-8"
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CHUNK = 256 * 1024
_MAX_WIDTH = 48


@dataclass(frozen=True)
class Column:
    """One column: the key of its values and the words above it."""

    key: str
    title: str


def csv_stream(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, so that Excel takes it for Vietnamese, in pieces."""
    yield b"\xef\xbb\xbf"
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([_harmless(column.title) for column in columns])
    for row in rows:
        writer.writerow([_harmless(_text(row.get(column.key))) for column in columns])
        if buffer.tell() > _CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


About = tuple[str, Sequence[tuple[str, str]]]
"""The name of the sheet that says what a table is, and its rows of two cells."""


def xlsx_file(sheet: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], about: About) -> IO[bytes]:
    """An open temporary file with the table and a second sheet that says what it is. The caller closes it."""
    file = tempfile.TemporaryFile(prefix="mapservice-export-")  # noqa: SIM115 - handed to the caller
    write_xlsx(file, sheet, columns, rows, about)
    file.seek(0)
    return file


def write_xlsx(
    file: IO[bytes], sheet: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], about: About
) -> int:
    """Writes the table and a second sheet that says what it is; how many rows there were."""
    # Large, and few requests need it.
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "remove_timezone": True}
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        moment = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        table = book.add_worksheet(sheet[:31])
        table.freeze_panes(1, 2)
        for place, column in enumerate(columns):
            table.set_column(place, place, min(max(len(column.title) + 2, 12), _MAX_WIDTH))
            table.write_string(0, place, column.title, bold)
        last = 0
        for last, row in enumerate(rows, 1):
            for place, column in enumerate(columns):
                _cell(table, last, place, row.get(column.key), day, moment)
        table.autofilter(0, 0, last, len(columns) - 1)
        notes = book.add_worksheet(about[0][:31])
        notes.set_column(0, 0, 24)
        notes.set_column(1, 1, 100)
        for number, (title, words) in enumerate(about[1]):
            notes.write_string(number, 0, title, bold)
            notes.write_string(number, 1, words)
    return last


def file_pieces(file: IO[bytes]) -> Iterator[bytes]:
    """The file's content in pieces; closes it."""
    with file:
        while piece := file.read(_CHUNK):
            yield piece


def _cell(table: Any, row: int, place: int, value: Any, day: Any, moment: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, datetime):
        local = value.astimezone(VIETNAM) if value.tzinfo else value
        table.write_datetime(row, place, local.replace(tzinfo=None), moment)
    elif isinstance(value, date):
        table.write_datetime(row, place, datetime(value.year, value.month, value.day), day)
    elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        table.write_number(row, place, float(value))
    else:
        table.write_string(row, place, str(value))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        local = value.astimezone(VIETNAM) if value.tzinfo else value
        return f"{local:%d/%m/%Y %H:%M}"
    return f"{value:%d/%m/%Y}" if isinstance(value, date) else str(value)


def _harmless(text: str) -> str:
    """A text that Excel takes for text: what would start a formula gets an apostrophe in front.

    Numbers below nought stay numbers.
    """
    if not text.startswith(_STARTS_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text if text.startswith("-") else f"'{text}"
