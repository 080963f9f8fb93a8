"""One record as the register would have it: values, identifiers, place, and what to say of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.columns import Table
from ingest.records import Record
from ingest.row_places import Locator, PlaceOfRow
from ingest.row_values import Finding, read_values
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

    @property
    def raw(self) -> dict[int, str]:
        """The text of each cell that is not empty, by column."""
        return {column: raw_text(value) for column, value in self.cells.items()}

    @property
    def name(self) -> str | None:
        """What the place is called: on its signboard, else as it is registered."""
        return self.values.get("name") or self.values.get("registered_name")


def columns_by_field(table: Table) -> dict[str, tuple[int, ...]]:
    """The columns that hold each field of a table."""
    found: dict[str, tuple[int, ...]] = {}
    for column in table.columns:
        if column.field is not None:
            found[column.field] = (*found.get(column.field, ()), column.number)
    return found


def read_row(record: Record, numbers: Mapping[str, tuple[int, ...]], locator: Locator) -> ReadRow:
    """A record's values and place. What says neither who nor where is wrong."""
    values, findings = read_values(record, numbers)
    place = locator.place(record, numbers)
    findings += place.findings
    row = ReadRow(record.sheet, record.row, record.hidden, record.cells, values, place, findings)
    address = place.address
    somewhere = address.house_number or address.stall or address.lot or place.point
    known_by = row.name or values.get("owner_name") or values.get("tax_code") or values.get("code")
    if not known_by and not somewhere:
        findings.append(Finding(None, "nothing_to_know_it_by", weight="wrong"))
    elif not known_by:
        findings.append(Finding(None, "no_name", weight="doubtful"))
    return row
