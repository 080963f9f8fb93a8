"""Workbooks of Excel 97 to 2003 (BIFF), also when the container around them is a little damaged.

Read by xlrd alone: it forgives broken sector chains, and it tells the hidden rows and columns that others do not.
"""

import datetime
import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import xlrd
from xlrd import xldate

from ingest.refusal import Refusal
from ingest.workbook import Area, CellError, Row, Sheet, Value, Workbook, is_empty

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_EXTERNAL = 2


def read_xls(source: Path | bytes, filename: str) -> Workbook:
    """Read an xls file; refuse one with a password, macros or links to other files."""
    content = source if isinstance(source, bytes) else source.read_bytes()
    _refuse_by_streams(content)
    notes: list[tuple[str, dict[str, Any]]] = []
    book = _open(content, forgiving=False)
    if book is None:
        book = _open(content + bytes(-len(content) % 512), forgiving=True)
        notes.append(("damaged_but_read", {}))
    if book is None:
        raise Refusal("damaged")
    if _EXTERNAL in book._supbook_types:
        raise Refusal("external_links")
    return Workbook(filename, "xls", [_sheet(sheet, book) for sheet in book.sheets()], notes)


def _open(content: bytes, *, forgiving: bool) -> Any | None:
    try:
        return xlrd.open_workbook(
            file_contents=content,
            logfile=io.StringIO(),
            formatting_info=True,
            ragged_rows=True,
            ignore_workbook_corruption=forgiving,
        )
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            raise Refusal("password") from error
        return None
    except Exception:
        # On bytes that are no workbook xlrd raises whatever its own code runs into.
        return None


def _refuse_by_streams(content: bytes) -> None:
    """By the names in the container's directory: what it holds besides a workbook."""
    if not content.startswith(_OLE):
        return
    if _named(content, "EncryptedPackage"):
        raise Refusal("password")
    if _named(content, "_VBA_PROJECT_CUR") or _named(content, "_VBA_PROJECT"):
        raise Refusal("macros")
    for name in ("Dgn~H", "Dgn-Md"):
        if _named(content, name):
            raise Refusal("cad", format="DGN")
    if _named(content, "WordDocument") and not _named(content, "Workbook"):
        raise Refusal("no_table", format="Word")
    if not _named(content, "Workbook") and not _named(content, "Book"):
        raise Refusal("truncated" if len(content) < 4096 else "damaged")


def _named(content: bytes, name: str) -> bool:
    """Whether the container has an entry of this name: its 64 bytes of name start and end so."""
    encoded = name.encode("utf-16-le")
    entry = encoded + b"\x00" * (64 - len(encoded)) + struct.pack("<H", len(encoded) + 2)
    return entry in content


def _sheet(sheet: Any, book: Any) -> Sheet:
    hidden_columns = {
        column + 1 for column, info in sheet.colinfo_map.items() if info.hidden and column < max(sheet.ncols, 1)
    }
    merged = tuple(Area(top + 1, left + 1, bottom, right) for top, bottom, left, right in sheet.merged_cells)
    return Sheet(
        name=sheet.name,
        rows=_rows_of(sheet, book),
        merged=merged,
        hidden=sheet.visibility != 0,
        hidden_rows=frozenset(row + 1 for row, info in sheet.rowinfo_map.items() if info.hidden),
        hidden_columns=frozenset(hidden_columns),
    )


def _rows_of(sheet: Any, book: Any) -> Callable[[], Iterator[Row]]:
    def rows() -> Iterator[Row]:
        for index in range(sheet.nrows):
            types = sheet.row_types(index)
            yield Row(index + 1, [_value(sheet, index, column, kind, book) for column, kind in enumerate(types)])

    return rows


def _value(sheet: Any, row: int, column: int, kind: int, book: Any) -> Value | None:
    value = sheet.cell_value(row, column)
    if kind == xlrd.XL_CELL_TEXT:
        return None if is_empty(value) else str(value)
    if kind == xlrd.XL_CELL_NUMBER:
        return float(value)
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_ERROR:
        return CellError(xlrd.error_text_from_code.get(value, "#N/A"))
    if kind == xlrd.XL_CELL_DATE:
        return _moment(value, book.datemode)
    return None


def _moment(value: float, mode: int) -> Value:
    try:
        moment = xldate.xldate_as_datetime(value, mode)
    except (ValueError, OverflowError, xldate.XLDateError):
        return float(value)
    if 0 <= value < 1:
        return datetime.time(moment.hour, moment.minute, moment.second)
    moved: datetime.datetime = moment
    return moved.date() if moved.time() == datetime.time() else moved
