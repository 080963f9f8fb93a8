"""How far each sheet of a binary workbook (xlsb, MS-XLSB) reaches, and what it hides, merges and leaves out."""

import struct
from collections.abc import Iterator

from ingest.refusal import Refusal
from ingest.workbook import Area
from ingest.workbook_archive import Archive
from ingest.workbook_layout import MOST_COLUMNS, MOST_ROWS, Layout
from ingest.workbook_relations import sheet_relations, worksheet_part

_ROW, _COLUMN, _MERGE, _SHEET = 0, 60, 176, 156
_BLANK, _ERROR, _FORMULA_ERROR = 1, 3, 11
_CELLS = frozenset([*range(1, 12), 62])
_ERROR_NAMES = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_LEAST = {_ROW: 12, _COLUMN: 18, _MERGE: 16} | dict.fromkeys(_CELLS, 8)
"""The bytes that a record of each kind has at least."""
_ANNOUNCE = frozenset([159, 611, 613, 615, 617, 626])
_MOST_ANNOUNCED = 10_000_000
_LONGEST = 1 << 24


def sheet_parts(archive: Archive) -> list[str | None]:
    """The part of each sheet, as xl/workbook.bin says; None for one that is no worksheet."""
    folder, relations = sheet_relations(archive, "bin")
    parts: list[str | None] = []
    for kind, data in _records(archive.pieces(f"{folder}workbook.bin")):
        if kind == _SHEET:
            relation, _ = _text(data[8:])
            parts.append(worksheet_part(archive, relations, relation))
    return parts


def refuse_large_counts(archive: Archive) -> None:
    """The quick reader sets aside memory for as many texts and styles as these parts announce."""
    for name in archive.parts:
        if name.lower().endswith(".bin") and "worksheets/" not in name:
            for kind, data in _records(archive.pieces(name)):
                if kind in _ANNOUNCE and any(
                    count > _MOST_ANNOUNCED for (count,) in struct.iter_unpack("<I", data[: len(data) // 4 * 4])
                ):
                    raise Refusal("damaged")


def scan(pieces: Iterator[bytes]) -> Layout:
    """The layout of one sheet's records."""
    layout = Layout()
    row = 0
    for kind, data in _records(pieces):
        if len(data) < _LEAST.get(kind, 0):
            # The quick reader would take what is left in its buffer for the rest.
            raise Refusal("damaged")
        if kind == _ROW:
            row = struct.unpack_from("<I", data)[0] + 1
            if row > MOST_ROWS:
                raise Refusal("too_large", rows=row, columns=layout.columns)
            if row < layout.rows:
                # The quick reader takes the first and the last row with cells for the sheet's ends.
                raise Refusal("damaged")
            if data[11] & 0x10:
                layout.hidden_rows.add(row)
        elif kind in _CELLS:
            if kind == _BLANK:
                continue
            column = struct.unpack_from("<I", data)[0] + 1
            if column > MOST_COLUMNS:
                raise Refusal("too_large", rows=row, columns=column)
            layout.rows = max(layout.rows, row)
            layout.columns = max(layout.columns, column)
            layout.cells += 1
            if kind in (_ERROR, _FORMULA_ERROR) and len(data) > 8:
                layout.errors[(row, column)] = _ERROR_NAMES.get(data[8], "#N/A")
        elif kind == _COLUMN:
            first, last = struct.unpack_from("<II", data)
            if struct.unpack_from("<H", data, 16)[0] & 1:
                layout.hidden_columns.update(range(first + 1, min(last + 1, MOST_COLUMNS) + 1))
        elif kind == _MERGE:
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
