"""A table's rows as records: every cell under its field, the groups above it carried down, and nothing lost.

Each row of the sheet comes out once, in order: as a `Record`, or as a `Skipped` with the reason. Each cell that is not
empty is in `cells` with its raw value, and then either under a field in `values`, or in `kept` (its column means
nothing to us), or in `refused` with the reason.
"""

import dataclasses
from collections.abc import Iterator, Mapping

from ingest.columns import Table
from ingest.table_rows import Group, Reason, RowClassifier
from ingest.workbook import CellError, Row, Value

_DITTO = frozenset(
    ['"', "''", "”", "“", "〃", "-nt-", "nt", "-nt", "nt-", "như trên", "- nt -", "//", "-//-", '-"-', "“ ”"]
)
_DITTO_STARTS = frozenset(" \t") | {mark[0] for mark in _DITTO} | {"N"}


@dataclasses.dataclass(slots=True)
class Record:
    """One row that is a record. Row and columns count from 1, as on the sender's screen."""

    sheet: str
    row: int
    hidden: bool
    groups: tuple[Group, ...]
    cells: dict[int, Value]
    values: dict[str, tuple[Value, ...]]
    """By field, the values decoded but not cleaned; several only where several columns hold one field."""
    kept: tuple[int, ...]
    refused: dict[int, str]
    carried: dict[int, Value] = dataclasses.field(default_factory=dict)
    """By column the value that stands in a row above: a merged cell over several rows, or a ditto mark."""
    replaced: dict[int, Value | None] = dataclasses.field(default_factory=dict)
    """By column what the file says where a person has written something else into `cells`."""


@dataclasses.dataclass(slots=True)
class Skipped:
    """One row that is no record, with all it holds."""

    sheet: str
    row: int
    reason: Reason
    cells: dict[int, Value]


Corrections = Mapping[int, Mapping[int, str]]
"""What a person has written in place of a cell: by the row's number over all sheets, then by column; an empty text
empties the cell."""
_NONE: Corrections = {}


def read_records(
    table: Table, *, left_out: bool = False, corrections: Corrections = _NONE, before: int = 0
) -> Iterator[Record | Skipped]:
    """Every row of a sheet, once. `left_out`: a person does not want the sheet. `before`: how many rows of other
    sheets come first."""
    sheet = table.sheet
    if left_out or not table.is_table:
        reason: Reason = "sheet_left_out" if left_out else "no_table"
        for row in sheet.rows():
            yield _skipped(table, row, reason if not row.is_blank() else "blank")
        return
    yield from _Reading(table, corrections, before).rows()


def _skipped(table: Table, row: Row, reason: Reason) -> Skipped:
    return Skipped(table.sheet.name, row.number, reason, _cells(row))


def _cells(row: Row) -> dict[int, Value]:
    return {column: value for column, value in enumerate(row.values, start=1) if value is not None}


class _Reading:
    def __init__(self, table: Table, corrections: Corrections, before: int) -> None:
        self.table, self.corrections, self.before = table, corrections, before
        self.name = table.sheet.name
        self.by_number = {column.number: column for column in table.columns}
        self.field_of = {column.number: column.field for column in table.columns if column.field is not None}
        self.decoders = {column.number: column.decoder for column in table.columns if column.decoder.encodings}
        self.unvalued: dict[int, list[int]] = {}
        for place, column in table.sheet.formulas_without_value:
            self.unvalued.setdefault(place, []).append(column)
        self.above: dict[int, Value] = {}
        self.above_row: dict[int, int] = {}
        self.fills = self._merged_down()

    def _merged_down(self) -> dict[int, list[tuple[int, int]]]:
        """For each row: the columns, and the row above, of the cells merged over several rows that reach into it."""
        last = max(self.table.header_rows, default=0)
        fills: dict[int, list[tuple[int, int]]] = {}
        for area in self.table.sheet.merged:
            if area.left == area.right and area.top > last and area.bottom - area.top < 2_000:
                for row in range(area.top + 1, area.bottom + 1):
                    fills.setdefault(row, []).append((area.left, area.top))
        return fills

    def rows(self) -> Iterator[Record | Skipped]:
        header_rows = self.table.header_rows
        first, last = (header_rows[0], header_rows[-1]) if header_rows else (0, 0)
        header: list[Row] = []
        classifier: RowClassifier | None = None
        for number, row in enumerate(self.table.sheet.rows(), self.before + 1):
            if row.number <= last:
                if row.number in header_rows:
                    header.append(row)
                    yield _skipped(self.table, row, "header")
                elif row.is_blank():
                    yield Skipped(self.name, row.number, "blank", {})
                else:
                    yield _skipped(self.table, row, "title" if row.number < first else "header")
                continue
            if classifier is None:
                classifier = self._classifier(header)
            reason = classifier.reason_to_skip(row)
            if reason is None:
                yield self._record(row, classifier.groups, self.corrections.get(number))
            else:
                yield _skipped(self.table, row, reason)

    def _classifier(self, header: list[Row]) -> RowClassifier:
        names = frozenset(
            number
            for number, field in self.field_of.items()
            if field in ("name", "registered_name", "owner_name", "address")
        )
        return RowClassifier(header, len(self.table.columns), self.table.sheet.merged, names, self._decoded)

    def _decoded(self, column: int, text: str) -> str:
        decoder = self.decoders.get(column)
        return decoder(text)[0] if decoder else text

    def _record(self, row: Row, groups: tuple[Group, ...], corrected: Mapping[int, str] | None) -> Record:
        cells = _cells(row)
        refused: dict[int, str] = dict.fromkeys(self.unvalued.get(row.number, ()), "formula_without_value")
        replaced: dict[int, Value | None] = {}
        if corrected:
            replaced = {column: cells.get(column) for column in corrected}
            written = {**cells, **corrected}
            cells = {column: value for column, value in sorted(written.items()) if value != ""}
            refused = {column: why for column, why in refused.items() if column not in corrected}
        carried: dict[int, Value] = {}
        present = cells
        if row.number in self.fills:
            present = dict(cells)
            for column, top in self.fills[row.number]:
                standing = column in self.above and self.above_row.get(column, 0) >= top
                if standing and column not in present and column not in replaced:
                    present[column] = carried[column] = self.above[column]
        values: dict[str, tuple[Value, ...]] = {}
        kept: list[int] = []
        field_of, decoders, above = self.field_of, self.decoders, self.above
        for column, value in present.items():
            if isinstance(value, CellError):
                refused[column] = "formula_error"
                continue
            name = field_of.get(column)
            if name is None:
                kept.append(column)
                continue
            if isinstance(value, str):
                if value[0] in _DITTO_STARTS and value.strip().lower() in _DITTO and column in above:
                    value = carried[column] = above[column]
                elif column in decoders and column not in replaced:
                    value = decoders[column](value)[0]
            above[column] = value
            values[name] = (*values[name], value) if name in values else (value,)
        if self.fills:
            self.above_row.update(dict.fromkeys(present, row.number))
        return Record(
            self.name, row.number, row.number in self.table.sheet.hidden_rows, groups, cells, values,
            tuple(kept), refused, carried, replaced,
        )  # fmt: skip
