"""Workbooks of today: xlsx, xlsb and ods, each a zip archive of parts."""

import datetime
import io
import struct
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import python_calamine as calamine

from ingest import workbook_layout, workbook_ods, workbook_xlsb
from ingest.refusal import Refusal
from ingest.workbook import CellError, FileKind, Row, Sheet, Value, Workbook, empty_as_none, is_empty
from ingest.workbook_archive import Archive
from ingest.workbook_layout import Layout
from ingest.workbook_relations import sheet_relations, worksheet_part

MOST_CELLS = 24_000_000
"""Of one sheet's grid: 34 bytes each in the quick reader, so 0.8 GB at most."""
_SPARSE_FROM = 6_000_000
_SPARSE = 8
_MOST_SHEETS = 200
# Styles and extensions that openpyxl does not know are of no matter here.
warnings.filterwarnings("ignore", module="openpyxl")


def read_zipped(source: Path | bytes, filename: str, kind: FileKind, archive: Archive) -> Workbook:
    """Read a workbook whose archive is known to be of this kind; refuse what could do more than hold a table."""
    _refuse_more_than_tables(archive, kind)
    layouts = _layouts(archive, kind)
    try:
        # From a path the reader would go by the name's ending, which may be wrong.
        opened = calamine.load_workbook(io.BytesIO(source if isinstance(source, bytes) else source.read_bytes()))
    except calamine.PasswordError as error:
        raise Refusal("password") from error
    except BaseException as error:
        raise _as_refusal(error) from error
    if len(opened.sheets_metadata) != len(layouts):
        raise Refusal("damaged")
    if len(opened.sheet_names) > _MOST_SHEETS:
        raise Refusal("too_many_sheets", sheets=len(opened.sheet_names), most=_MOST_SHEETS)
    sheets = []
    for index, (meta, layout) in enumerate(zip(opened.sheets_metadata, layouts, strict=True)):
        if meta.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        if layout is None:
            # Its reach is unknown, and the quick reader would end the whole process where memory does not suffice.
            raise Refusal("damaged")
        sheets.append(
            Sheet(
                name=meta.name,
                rows=_rows_of(source, opened, index, layout, kind),
                merged=tuple(layout.merged),
                hidden=meta.visible != calamine.SheetVisibleEnum.Visible,
                hidden_rows=frozenset(layout.hidden_rows),
                hidden_columns=frozenset(layout.hidden_columns),
                formulas_without_value=tuple(layout.formulas_without_value),
            )
        )
    return Workbook(filename, kind, sheets)


def _as_refusal(error: BaseException) -> BaseException:
    """A failure of the quick reader as a refusal. Its panics are no `Exception`; what is not its own stays as it is."""
    own = isinstance(error, calamine.CalamineError | OSError | ValueError)
    return Refusal("damaged") if own or type(error).__name__ == "PanicException" else error


def _refuse_more_than_tables(archive: Archive, kind: FileKind) -> None:
    names = [name.lower() for name in archive.parts]
    if any(
        name.endswith("vbaproject.bin") or name.startswith(("xl/macrosheets/", "basic/", "scripts/")) for name in names
    ):
        raise Refusal("macros")
    if any(name.startswith("xl/externallinks/") for name in names):
        raise Refusal("external_links")
    if kind == "ods" and "META-INF/manifest.xml" in archive.parts:
        manifest = archive.read("META-INF/manifest.xml")
        if b"encryption-data" in manifest:
            raise Refusal("password")


def _layouts(archive: Archive, kind: FileKind) -> list[Layout | None]:
    """Each sheet's layout, in their order; None for a sheet that is no worksheet.

    Every part is unpacked once on the way, so that its real size is known.
    """
    try:
        if kind == "ods":
            layouts: list[Layout | None] = list(workbook_ods.scan(archive.pieces("content.xml")).values())
            seen = {"content.xml"}
        else:
            if kind == "xlsb":
                workbook_xlsb.refuse_large_counts(archive)
            parts = _sheet_parts(archive) if kind == "xlsx" else workbook_xlsb.sheet_parts(archive)
            scan = workbook_layout.scan if kind == "xlsx" else workbook_xlsb.scan
            layouts = [scan(archive.pieces(part)) if part else None for part in parts]
            seen = {part for part in parts if part}
    except (ElementTree.ParseError, LookupError, ValueError, struct.error) as error:
        raise Refusal("damaged") from error
    archive.measure(seen)
    for layout in layouts:
        if layout is None:
            continue
        if layout.cells > MOST_CELLS or (kind != "xlsx" and layout.area > MOST_CELLS):
            raise Refusal("too_large", rows=layout.rows, columns=layout.columns)
    return layouts


def _sheet_parts(archive: Archive) -> list[str | None]:
    """The part of each sheet, as xl/workbook.xml says; None for one that is no worksheet."""
    folder, relations = sheet_relations(archive, "xml")
    root = ElementTree.fromstring(archive.read(f"{folder}workbook.xml"))
    parts: list[str | None] = []
    for element in root.iter():
        if element.tag.rpartition("}")[2] == "sheet":
            # The relation's namespace differs between the two kinds of OOXML.
            named = [value for name, value in element.items() if name.startswith("{") and name.endswith("}id")]
            parts.append(worksheet_part(archive, relations, named[0] if named else ""))
    return parts


def _rows_of(
    source: Path | bytes, opened: Any, index: int, layout: Layout, kind: FileKind
) -> Callable[[], Iterator[Row]]:
    sparse = layout.area > MOST_CELLS or (layout.area > _SPARSE_FROM and layout.area > _SPARSE * layout.cells)
    if kind == "xlsx" and sparse:
        name = opened.sheet_names[index]
        return lambda: _sparse_rows(source, name, layout)
    kept: list[Any] = []

    def rows() -> Iterator[Row]:
        if not kept:
            try:
                kept.append(opened.get_sheet_by_index(index))
            except BaseException as error:
                raise _as_refusal(error) from error
        return _dense_rows(kept[0], layout)

    return rows


def _dense_rows(sheet: Any, layout: Layout) -> Iterator[Row]:
    errors: dict[int, list[tuple[int, str]]] = {}
    for (row, column), name in layout.errors.items():
        errors.setdefault(row, []).append((column, name))
    last = 0
    # The reader's rows count from the sheet's first, its columns only from the first that holds something.
    margin: list[Value | None] = [None] * (sheet.start[1] if sheet.start else 0)
    for number, values in enumerate(sheet.iter_rows(), start=1):
        found = Row(number, [*margin, *empty_as_none(values)])
        _put_errors(found, errors.pop(number, ()))
        last = number
        yield found
    for number in sorted(number for number in errors if number > last):
        found = Row(number, [])
        _put_errors(found, errors[number])
        yield found


def _put_errors(row: Row, errors: Iterable[tuple[int, str]]) -> None:
    for column, name in errors:
        row.values.extend([None] * (column - len(row.values)))
        if row.values[column - 1] is None:
            row.values[column - 1] = CellError(name)


def _sparse_rows(source: Path | bytes, name: str, layout: Layout) -> Iterator[Row]:
    """The rows of a sheet with far-off cells: slower, in little memory. Blank rows are left out."""
    try:
        book = openpyxl.load_workbook(
            io.BytesIO(source) if isinstance(source, bytes) else source, read_only=True, data_only=True
        )
        sheet = book[name]
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            values = [_plain(cell.value, (number, column), layout) for column, cell in enumerate(cells, start=1)]
            if any(value is not None for value in values):
                yield Row(number, values)
        book.close()
    except Exception as error:
        # On damaged parts openpyxl raises whatever its own code runs into.
        raise Refusal("damaged") from error


def _plain(value: Any, place: tuple[int, int], layout: Layout) -> Value | None:
    if is_empty(value):
        return None
    if place in layout.errors:
        return CellError(layout.errors[place])
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date()
    return (
        value
        if isinstance(value, str | int | float | datetime.date | datetime.time | datetime.timedelta)
        else str(value)
    )
