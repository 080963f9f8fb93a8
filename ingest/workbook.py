"""A file as its sender sees it: sheets, rows and typed cells, with the row and column numbers of the sender's screen.

`read` finds out by its content what the file is, refuses what is no table or would not be safe to open, and gives a
`Workbook`. Nothing is cleaned or understood here: that is the work of `encoding` and `columns`.
"""

import dataclasses
import datetime
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

FileKind = Literal["xlsx", "xls", "xlsb", "ods", "csv", "gpkg", "shapefile", "geojson", "kml"]
CellKind = Literal["text", "number", "truth", "date", "datetime", "time", "duration", "error"]


class CellError(NamedTuple):
    """What a formula gave instead of a value: `#N/A`, `#DIV/0!`…"""

    name: str


Value = str | int | float | bool | datetime.date | datetime.datetime | datetime.time | datetime.timedelta | CellError

_KINDS: dict[type, CellKind] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "truth",
    datetime.date: "date",
    datetime.datetime: "datetime",
    datetime.time: "time",
    datetime.timedelta: "duration",
    CellError: "error",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """One cell that is not empty. Row and column count from 1, as on the sender's screen."""

    row: int
    column: int
    value: Value

    @property
    def kind(self) -> CellKind:
        """What the file says the value is, which need not be what it means."""
        return _KINDS[type(self.value)]

    @property
    def raw(self) -> str:
        """The value as text, with nothing rounded, trimmed or decoded."""
        return raw_text(self.value)


@dataclasses.dataclass(slots=True)
class Row:
    """One row: the values from column 1 on, `None` where a cell is empty or holds only blanks."""

    number: int
    values: list[Value | None]

    def cells(self) -> Iterator[Cell]:
        """The cells that are not empty, from left to right."""
        return (
            Cell(self.number, column, value) for column, value in enumerate(self.values, start=1) if value is not None
        )

    def is_blank(self) -> bool:
        """Whether no cell holds anything."""
        return not any(value is not None for value in self.values)


class Area(NamedTuple):
    """A merged range of cells, both ends within it."""

    top: int
    left: int
    bottom: int
    right: int


@dataclasses.dataclass(slots=True)
class Sheet:
    """One sheet, or one layer of a GIS file. `rows` may be called again: each call reads from the first row on."""

    name: str
    rows: Callable[[], Iterator[Row]]
    merged: tuple[Area, ...] = ()
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    formulas_without_value: tuple[tuple[int, int], ...] = ()
    """Cells (row, column) whose program never stored what the formula gives: they read as empty, and must be told."""
    header_row: int | None = None
    """Where the format itself says which row names the columns."""
    crs: str | None = None
    """Of a GIS layer: the coordinate system as the file names it."""


@dataclasses.dataclass(slots=True)
class Workbook:
    """A file that could be read. `notes` say what was unusual about it, each a code and what fills its wording."""

    filename: str
    kind: FileKind
    sheets: list[Sheet]
    notes: list[tuple[str, dict[str, Any]]] = dataclasses.field(default_factory=list)
    encoding: str | None = None
    delimiter: str | None = None


def raw_text(value: Value) -> str:
    """A value as text: dates as written in Viet Nam, whole numbers without a point, all digits of the others."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, CellError):
        return value.name
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.strftime("%d/%m/%Y %H:%M:%S") if value.time() != datetime.time() else value.strftime("%d/%m/%Y")
    if isinstance(value, datetime.date):
        return value.strftime("%d/%m/%Y")
    return str(value)


def is_empty(value: object) -> bool:
    """Whether a value read from a file is an empty cell: nothing, or blanks only."""
    return value is None or (isinstance(value, str) and (not value or value.isspace()))


_BLANK_STARTS = frozenset(["", *(letter for letter in map(chr, range(0x3001)) if letter.isspace())])


def empty_as_none(values: Sequence[Any]) -> list[Value | None]:
    """A row's values with `None` for each empty cell. Only cells that start with a blank are looked through."""
    return [
        (None if is_empty(value) else value) if type(value) is str and value[:1] in _BLANK_STARTS else value
        for value in values
    ]
