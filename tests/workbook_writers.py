"""Writers of small files in every format that officers send, for the corpus of tests/workbook_corpus.py."""

import csv
import dataclasses
import datetime
import io
import struct
import zipfile
from typing import Any

import xlsxwriter
import xlwt
from odf.namespaces import TABLENS
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, TableCell, TableColumn, TableRow
from odf.table import Table as OdfTable
from odf.text import P


@dataclasses.dataclass
class Grid:
    """One sheet: rows of values, and what is merged (top, left, bottom, right from 1) or hidden (from 1)."""

    name: str
    rows: list[list[Any]]
    merged: list[tuple[int, int, int, int]] = dataclasses.field(default_factory=list)
    hidden_columns: tuple[int, ...] = ()
    hidden_rows: tuple[int, ...] = ()
    hidden: bool = False


def xlsx(*grids: Grid) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": datetime.datetime(2026, 1, 1)})
    date = book.add_format({"num_format": "dd/mm/yyyy"})
    for grid in grids:
        sheet = book.add_worksheet(grid.name)
        for row, values in enumerate(grid.rows):
            for column, value in enumerate(values):
                if isinstance(value, datetime.date):
                    sheet.write_datetime(row, column, value, date)
                elif isinstance(value, tuple):
                    sheet.write_formula(row, column, value[0], None, value[1])
                elif value is not None:
                    sheet.write(row, column, value)
        for top, left, bottom, right in grid.merged:
            sheet.merge_range(top - 1, left - 1, bottom - 1, right - 1, grid.rows[top - 1][left - 1])
        for column in grid.hidden_columns:
            sheet.set_column(column - 1, column - 1, None, None, {"hidden": True})
        for row in grid.hidden_rows:
            sheet.set_row(row - 1, None, None, {"hidden": True})
        if grid.hidden:
            sheet.hide()
    book.close()
    return buffer.getvalue()


def xls(*grids: Grid) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    date = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for grid in grids:
        sheet = book.add_sheet(grid.name)
        starts = {(top, left): (bottom, right) for top, left, bottom, right in grid.merged}
        for row, values in enumerate(grid.rows):
            for column, value in enumerate(values):
                end = starts.get((row + 1, column + 1))
                if end:
                    sheet.write_merge(row, end[0] - 1, column, end[1] - 1, value)
                elif isinstance(value, datetime.date):
                    sheet.write(row, column, value, date)
                elif value is not None:
                    sheet.write(row, column, value)
        for column in grid.hidden_columns:
            sheet.col(column - 1).hidden = True
        for row in grid.hidden_rows:
            sheet.row(row - 1).hidden = True
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def ods(*grids: Grid, rows_after: int = 0) -> bytes:
    document = OpenDocumentSpreadsheet()
    for grid in grids:
        table = OdfTable(name=grid.name)
        width = max(len(row) for row in grid.rows)
        for column in range(1, width + 1):
            hidden = {"visibility": "collapse"} if column in grid.hidden_columns else {}
            table.addElement(TableColumn(**hidden))
        starts = {(top, left): (bottom, right) for top, left, bottom, right in grid.merged}
        for number, values in enumerate(grid.rows, start=1):
            line = TableRow(**({"visibility": "collapse"} if number in grid.hidden_rows else {}))
            for column, value in enumerate(values, start=1):
                line.addElement(_ods_cell(value, (number, column), starts, grid))
            table.addElement(line)
        if rows_after:
            line = TableRow(numberrowsrepeated=rows_after)
            line.addElement(TableCell(numbercolumnsrepeated=1024))
            table.addElement(line)
        document.spreadsheet.addElement(table)
    buffer = io.BytesIO()
    document.write(buffer)
    return buffer.getvalue()


def _ods_cell(value: Any, place: tuple[int, int], starts: dict[tuple[int, int], tuple[int, int]], grid: Grid) -> Any:
    if place in starts:
        bottom, right = starts[place]
        cell = TableCell(
            valuetype="string", numberrowsspanned=bottom - place[0] + 1, numbercolumnsspanned=right - place[1] + 1
        )
        cell.addElement(P(text=str(value)))
        return cell
    if any(top <= place[0] <= bottom and left <= place[1] <= right for top, left, bottom, right in grid.merged):
        return CoveredTableCell()
    if value is None:
        return TableCell()
    if isinstance(value, datetime.date):
        cell = TableCell(valuetype="date", datevalue=value.isoformat())
        cell.addElement(P(text=value.strftime("%d/%m/%Y")))
    elif isinstance(value, int | float):
        cell = TableCell(valuetype="float", value=str(value))
        cell.addElement(P(text=str(value)))
    else:
        cell = TableCell(valuetype="string")
        cell.addElement(P(text=value))
    assert cell.qname[0] == TABLENS
    return cell


def text(grid: Grid, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    for row in grid.rows:
        writer.writerow(["" if value is None else _plain(value) for value in row])
    return buffer.getvalue().encode(encoding)


def _plain(value: Any) -> str:
    return value.strftime("%d/%m/%Y") if isinstance(value, datetime.date) else str(value)


def xlsb(grid: Grid) -> bytes:
    """The least that MS-XLSB asks of a workbook: one sheet of texts and numbers."""
    size = struct.pack("<IIII", 0, len(grid.rows) - 1, 0, max(len(row) for row in grid.rows) - 1)
    sheet = _record(129) + _record(148, size) + _record(145)
    for row, values in enumerate(grid.rows):
        hidden = 0x10 if row + 1 in grid.hidden_rows else 0
        sheet += _record(0, struct.pack("<IIHBBBI", row, 0, 300, 0, hidden, 0, 0))
        for column, value in enumerate(values):
            head = struct.pack("<II", column, 0)
            if isinstance(value, int | float):
                sheet += _record(5, head + struct.pack("<d", value))
            elif value is not None:
                sheet += _record(6, head + _wide(_plain(value)))
    sheet += _record(146)
    for top, left, bottom, right in grid.merged:
        sheet += _record(176, struct.pack("<IIII", top - 1, bottom - 1, left - 1, right - 1))
    sheet += _record(130)
    bundle = struct.pack("<II", 0, 1) + _wide("rId1") + _wide(grid.name)
    book = _record(131) + _record(143) + _record(156, bundle) + _record(144) + _record(132)
    kinds = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        f'<Default Extension="bin" ContentType="{kinds}"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{relation}/officeDocument" Target="xl/workbook.bin"/></Relationships>',
        "xl/workbook.bin": book,
        "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{relation}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>',
        "xl/worksheets/sheet1.bin": sheet,
    }
    return archive(parts)


def archive(parts: dict[str, bytes | str]) -> bytes:
    """A zip of these parts, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def changed_parts(source: bytes, parts: dict[str, bytes | str]) -> bytes:
    """A zip with some parts added or replaced."""
    with zipfile.ZipFile(io.BytesIO(source)) as file:
        kept: dict[str, bytes | str] = {name: file.read(name) for name in file.namelist()}
    return archive(kept | parts)


def _record(kind: int, data: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = b""
    left = len(data)
    while True:
        size += bytes([left & 0x7F | (0x80 if left > 127 else 0)])
        left >>= 7
        if not left:
            return head + size + data


def _wide(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode("utf-16-le")
