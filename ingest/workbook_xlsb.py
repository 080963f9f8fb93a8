"""How far each sheet of a binary workbook (xlsb, MS-XLSB) reaches, and what it hides, merges and leaves out."""

import struct
from collections.abc import Iterator

from ingest.refusal import Refusal
from ingest.workbook import Area
from ingest.workbook_archive import Archive
from ingest.workbook_layout import MOST_COLUMNS, MOST_ROWS, Layout
from ingest.workbook_relations import sheet_relations

_ROW, _COLUMN, _MERGE, _SHEET = 0, 60, 176, 156
_BLANK, _ERROR, _FORMULA_ERROR = 1, 3, 11
_CELLS = frozenset([*range(1, 12), 62])
_ERROR_NAMES = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_LONGEST = 1 << 24


def sheet_parts(archive: Archive) -> dict[str, str]:
    """The part of each worksheet, by its name, as xl/workbook.bin says."""
    folder, relations = sheet_relations(archive, "bin")
    parts = {}
    for kind, data in _records(archive.pieces(f"{folder}workbook.bin")):
        if kind == _SHEET:
            relation, rest = _text(data[8:])
            name, _ = _text(rest)
            part = relations.get(relation, "")
            if part in archive.parts and "worksheets/" in part:
                parts[name] = part
    return parts


def scan(pieces: Iterator[bytes]) -> Layout:
    """The layout of one sheet's records."""
    layout = Layout()
    row = 0
    for kind, data in _records(pieces):
        if kind == _ROW and len(data) >= 12:
            row = struct.unpack_from("<I", data)[0] + 1
            if data[11] & 0x10:
                layout.hidden_rows.add(row)
        elif kind in _CELLS and len(data) >= 8:
            if kind == _BLANK:
                continue
            column = struct.unpack_from("<I", data)[0] + 1
            if row > MOST_ROWS or column > MOST_COLUMNS:
                raise Refusal("too_large", rows=row, columns=column)
            layout.rows = max(layout.rows, row)
            layout.columns = max(layout.columns, column)
            layout.cells += 1
            if kind in (_ERROR, _FORMULA_ERROR) and len(data) > 8:
                layout.errors[(row, column)] = _ERROR_NAMES.get(data[8], "#N/A")
        elif kind == _COLUMN and len(data) >= 18:
            first, last = struct.unpack_from("<II", data)
            if struct.unpack_from("<H", data, 16)[0] & 1:
                layout.hidden_columns.update(range(first + 1, min(last + 1, MOST_COLUMNS) + 1))
        elif kind == _MERGE and len(data) >= 16:
            top, bottom, left, right = struct.unpack_from("<IIII", data)
            layout.merged.append(Area(top + 1, left + 1, bottom + 1, right + 1))
    return layout


def _records(pieces: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    pending = b""
    for piece in pieces:
        pending += piece
        position = 0
        while (found := _record(pending, position)) is not None:
            kind, start, end = found
            yield kind, pending[start:end]
            position = end
        pending = pending[position:]


def _record(data: bytes, position: int) -> tuple[int, int, int] | None:
    """The record at a position: its kind, and where its data starts and ends. None when it is not there as a whole."""
    end = len(data)
    if position >= end:
        return None
    kind = data[position]
    position += 1
    if kind & 0x80:
        if position >= end:
            return None
        kind = (kind & 0x7F) | (data[position] & 0x7F) << 7
        position += 1
    size = 0
    for shift in (0, 7, 14, 21):
        if position >= end:
            return None
        part = data[position]
        position += 1
        size |= (part & 0x7F) << shift
        if not part & 0x80:
            break
    if size > _LONGEST:
        raise Refusal("damaged")
    return (kind, position, position + size) if position + size <= end else None


def _text(data: bytes) -> tuple[str, bytes]:
    length = struct.unpack_from("<I", data)[0]
    if length == 0xFFFFFFFF:
        return "", data[4:]
    return data[4 : 4 + 2 * length].decode("utf-16-le", "replace"), data[4 + 2 * length :]
