"""What an xlsx sheet hides, merges and leaves out, and how far it reaches, found without building it.

The quick reader gives neither hidden rows and columns nor the errors of formulas, and it lays out a sheet as one grid
from its first cell to its last: two cells in far corners would cost gigabytes. This scan of the sheet's XML knows
before. It looks at tags only, so that nothing in the text can mislead it and no entity is ever expanded.
"""

import dataclasses
import re
from collections.abc import Iterator

from ingest.refusal import Refusal
from ingest.workbook import Area

MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
_MOST_PENDING = 32 * 2**20
_MOST_NOTED = 10_000

_Q = rb"""["']"""
_ROW = re.compile(rb"<(?:[\w.-]+:)?row\b([^>]*)>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*)>")
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*?\bref=" + _Q + rb"([A-Z]+)(\d+):([A-Z]+)(\d+)" + _Q)
_PLAIN_REFS = re.compile(rb'<c r="([A-Z]{1,3})([1-9]\d{0,6})"')
_ROW_NUMBER = re.compile(rb"\br=" + _Q + rb"(\d{1,9})" + _Q)
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*[^/])>(.*?)</(?:\w+:)?c>", re.S)
_FORMULA = re.compile(rb"<(?:\w+:)?f\b")
_GIVEN = re.compile(rb"<(?:\w+:)?(?:v>([^<]+)<|is\b|t\b)")
_REF = re.compile(rb"\sr=" + _Q + rb"([A-Z]{1,3})([1-9]\d{0,6})" + _Q)
_ANY_CELL = re.compile(rb"<(?:[\w.-]+:)?c(?=[\s/>])([^>]*)>")
_HAS_REF = re.compile(rb"(?:^|[\s\"'])r\s*=")
_HIDDEN = re.compile(rb"\bhidden=" + _Q + rb"(?:1|true)" + _Q)


@dataclasses.dataclass(slots=True)
class Layout:
    """How far a sheet reaches (rows, columns, cells with something in them) and what is not plain about it."""

    rows: int = 0
    columns: int = 0
    cells: int = 0
    merged: list[Area] = dataclasses.field(default_factory=list)
    hidden_rows: set[int] = dataclasses.field(default_factory=set)
    hidden_columns: set[int] = dataclasses.field(default_factory=set)
    errors: dict[tuple[int, int], str] = dataclasses.field(default_factory=dict)
    formulas_without_value: list[tuple[int, int]] = dataclasses.field(default_factory=list)

    @property
    def area(self) -> int:
        """The cells of the smallest grid that holds the sheet."""
        return self.rows * self.columns


def scan(pieces: Iterator[bytes]) -> Layout:
    """The layout of one sheet's XML."""
    layout = Layout()
    pending = b""
    for piece in pieces:
        pending += piece
        cut = _last_cell_or_row(pending)
        if cut <= 0:
            if len(pending) > _MOST_PENDING:
                raise Refusal("damaged")
            continue
        _scan_piece(pending[:cut], layout)
        pending = pending[cut:]
    _scan_piece(pending, layout)
    return layout


def _last_cell_or_row(text: bytes) -> int:
    """Where the last cell or row starts: all before it is whole."""
    found = max(text.rfind(b"<c "), text.rfind(b"<row"), text.rfind(b":c "), text.rfind(b":row "))
    return text.rfind(b"<", 0, found + 1) if found > 0 else -1


def _scan_piece(text: bytes, layout: Layout) -> None:
    for match in _COLUMN.finditer(text) if b"col " in text else ():
        _note_columns(match[1], layout)
    if not (_is_plainly_written(text) and _reach(text, layout)):
        _reach_of_any_writer(text, layout)
    if b"hidden" in text:
        _note_hidden_rows(text, layout)
    if b't="e"' in text or b"t='e'" in text or b"<f" in text or b":f" in text:
        _note_formulas(text, layout)
    for match in _MERGE.finditer(text) if b"mergeCell " in text else ():
        left, top, right, bottom = match.groups()
        layout.merged.append(Area(int(top), column_number(left), int(bottom), column_number(right)))
    if layout.rows > MOST_ROWS or layout.columns > MOST_COLUMNS:
        raise Refusal("too_large", rows=layout.rows, columns=layout.columns)


def _is_plainly_written(text: bytes) -> bool:
    return (
        text.count(b"<c ") == text.count(b'<c r="')
        and text.count(b"<row") == text.count(b'<row r="')
        and not any(other in text for other in (b":c", b":row", b"<c>", b"<c/", b"<c\t", b"<c\n", b"<c\r"))
    )


def _reach(text: bytes, layout: Layout) -> bool:
    """How far the cells of a piece reach, when each row and cell begins with its address, as is usual."""
    refs = _PLAIN_REFS.findall(text)
    if len(refs) != text.count(b'<c r="'):
        return False
    layout.cells += text.count(b"</c>")
    layout.columns = max([layout.columns, *map(column_number, {letters for letters, _ in refs})])
    _go_down([int(digits) for _, digits in refs], layout)
    return True


def _reach_of_any_writer(text: bytes, layout: Layout) -> None:
    """The same for cells and rows written in any other way that XML allows."""
    cells = [match[1] for match in _ANY_CELL.finditer(text)]
    refs = [ref for cell in cells if (ref := _REF.search(cell))]
    if refs and len(refs) < len(cells):
        # An address that is none: the quick reader would make what it likes of it.
        raise Refusal("damaged")
    layout.cells += len(cells)
    if refs:
        layout.columns = max([layout.columns, *map(column_number, {ref[1] for ref in refs})])
        _go_down([int(ref[2]) for ref in refs], layout)
        return
    if any(_HAS_REF.search(cell) for cell in cells):
        raise Refusal("damaged")
    # Cells without an address count from the left, rows from the top: there are no more of them than there are.
    rows = [match[1] for match in _ROW.finditer(text)]
    layout.columns = max([layout.columns, *(len(_ANY_CELL.findall(row)) for row in _ROW.split(text))])
    for row in rows:
        given = _ROW_NUMBER.search(row)
        _go_down([int(given[1]) if given else layout.rows + 1], layout)


def _go_down(rows: list[int], layout: Layout) -> None:
    """Note the rows of cells in their order. The quick reader takes the first and the last for the sheet's ends."""
    if rows:
        if rows[0] < layout.rows or rows != sorted(rows):
            raise Refusal("damaged")
        layout.rows = rows[-1]


def _note_hidden_rows(text: bytes, layout: Layout) -> None:
    for match in _ROW.finditer(text):
        found = _ROW_NUMBER.search(match[1])
        if found and _HIDDEN.search(match[1]) and int(found[1]) <= MOST_ROWS:
            layout.hidden_rows.add(int(found[1]))


def _note_columns(attributes: bytes, layout: Layout) -> None:
    ends = [re.search(rb"\b" + end + rb"=" + _Q + rb"(\d{1,5})" + _Q, attributes) for end in (b"min", b"max")]
    if _HIDDEN.search(attributes) and ends[0] and ends[1]:
        first, last = int(ends[0][1]), min(int(ends[1][1]), MOST_COLUMNS)
        layout.hidden_columns.update(range(first, last + 1))


def _note_formulas(text: bytes, layout: Layout) -> None:
    for match in _CELL.finditer(text):
        attributes, inner = match.groups()
        is_error = b't="e"' in attributes or b"t='e'" in attributes
        if not is_error and not _FORMULA.search(inner):
            continue
        ref = _REF.search(attributes)
        if not ref:
            continue
        place = (int(ref[2]), column_number(ref[1]))
        given = _GIVEN.search(inner)
        if is_error and len(layout.errors) < MOST_ROWS:
            name = given[1] if given and given[1] else b"#N/A"
            layout.errors[place] = name.decode("ascii", "replace")[:20]
        elif not given and b't="str"' not in attributes and len(layout.formulas_without_value) < _MOST_NOTED:
            layout.formulas_without_value.append(place)


def column_number(letters: bytes) -> int:
    """`A` is 1, `XFD` 16,384."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
