"""One record as the register would have it: values, identifiers, place, and what to say of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.choices import Choices, sector_key
from ingest.columns import Table
from ingest.records import Record
from ingest.row_places import Locator, PlaceOfRow
from ingest.row_values import Finding, read_values
from ingest.values_sectors import Sector
from ingest.values_words import read_payments
from ingest.workbook import Value, raw_text


@dataclass(slots=True, repr=False)
class ReadRow:
    """A row understood. `cells` hold all that the sender wrote; `values` may be a person's, so there is no `repr`."""

    sheet: str
    row: int
    hidden: bool
    cells: Mapping[int, Value]
    values: dict[str, Any]
    place: PlaceOfRow
    findings: list[Finding]
    columns: Mapping[str, tuple[int, ...]]
    """The columns of each field, as the table has them."""
    carried: Mapping[int, str]
    """The text of columns whose value stands in a row above: a merged cell, or a ditto mark."""
    replaced: Mapping[int, Value | None]
    """What the file says in the cells that a person has written anew."""
    sector_text: str | None = None
    sector_read: tuple[Sector | None, float] = (None, 0.0)
    """What the text of its sector was taken for, and how surely, whether it is used or not."""
    sector_by_person: bool = False

    @property
    def raw(self) -> dict[int, str]:
        """The text of each cell that is not empty, by column."""
        return {column: raw_text(value) for column, value in self.cells.items()}

    @property
    def name(self) -> str | None:
        """What the place is called: on its signboard, else as it is registered."""
        return self.values.get("name") or self.values.get("registered_name")

    def text_of(self, field: str) -> str | None:
        """The first cell of a field that is not empty, as it stands there or in the row above that it repeats."""
        for column in self.columns.get(field, ()):
            if column in self.carried:
                return self.carried[column]
            if column in self.cells:
                return raw_text(self.cells[column]).strip() or None
        return None

    def say(self, code: str, field: str | None = None, weight: Any = "note", **values: object) -> None:
        """Add a finding: of the first column of a field that this row fills, or of the row as a whole."""
        columns = self.columns.get(field, ()) if field else ()
        column = next((at for at in columns if at in self.cells or at in self.carried), None)
        written = tuple((name, str(value)) for name, value in values.items())
        self.findings.append(Finding(column, code, written, weight))


class RowReader:
    """Reads the records of one table."""

    def __init__(self, table: Table, locator: Locator, choices: Choices) -> None:
        self._locator, self._choices = locator, choices
        self.columns: dict[str, tuple[int, ...]] = {}
        for column in table.columns:
            if column.field is not None:
                self.columns[column.field] = (*self.columns.get(column.field, ()), column.number)
        heads = {column.number: read_payments(column.header) for column in table.columns}
        of_payment = (*self.columns.get("payment", ()), *self.columns.get("wallet", ()))
        # Of a head that is of two minds ("không dùng tiền mặt") nothing follows.
        self._methods = {number: heads[number].value for number in of_payment if not heads[number].problems}

    def read(self, record: Record) -> ReadRow:
        """A record's values and place. What says neither who nor where is wrong."""
        values, findings = read_values(record, self.columns, self._methods)
        place = self._locator.place(record, self.columns, self._choices.points)
        findings += place.findings
        carried = {column: raw_text(value) for column, value in record.carried.items()} if record.carried else {}
        row = ReadRow(
            record.sheet,
            record.row,
            record.hidden,
            record.cells,
            values,
            place,
            findings,
            self.columns,
            carried,
            record.replaced,
        )
        self._take_sector(row)
        address = place.address
        somewhere = address.house_number or address.stall or address.lot or place.shown
        known_by = row.name or values.get("owner_name") or values.get("tax_code") or values.get("code")
        if not known_by and not somewhere:
            row.findings.append(Finding(None, "nothing_to_know_it_by", weight="wrong"))
        elif not known_by:
            row.findings.append(Finding(None, "no_name", weight="doubtful"))
        row.findings += (Finding(column, "corrected_by_person") for column in record.replaced)
        return row

    def _take_sector(self, row: ReadRow) -> None:
        """What a person has said of this text holds; else what is sure enough by itself."""
        reading = row.values.pop("sector_reading", None)
        if reading is None:
            return
        row.sector_text, row.sector_read = reading.raw, (reading.value, reading.confidence)
        key = sector_key(reading.raw)
        if key in self._choices.sectors:
            chosen, row.sector_by_person = self._choices.sectors[key], True
            row.sector_read = chosen, 1.0
            row.values.pop("sector", None)
            if chosen is not None:
                row.values["sector"] = chosen
            columns = (*self.columns.get("business_line", ()), *self.columns.get("sector_code", ()))
            row.findings = [each for each in row.findings if each.column not in columns]
