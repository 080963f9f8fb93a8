"""What a plan says without its rows: how each sheet and column was understood, what was found how often, what a person
should confirm for the whole list. Nothing personal stands in it, so that it may be stored as it is.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.choices import sector_key
from ingest.columns import Column, Table
from ingest.list_facts import FormProposal, ListFacts
from ingest.records import Skipped
from ingest.row_values import KEPT_FIELDS, Weight
from ingest.rows import ReadRow
from ingest.values_coordinates import Position
from ingest.verdicts import VERDICTS, Verdict

_FIRST_ROWS = 5
_MOST_SECTORS = 2_000
_SAMPLES = 50
_DEGREES = 4326
_SHOWN_FIELDS = frozenset(
    ("name", "registered_name", "address", "street_name", "ward", "business_line", "legal_form", "operating_status",
     "registry_status", "market", "inspection_result", "penalty", "food_safety_kind", "payment", "residential_group")
)  # fmt: skip
"""Columns whose cells may be shown as examples: the others may hold what is somebody's."""


@dataclass(slots=True)
class SheetSummary:
    """A sheet as it was understood."""

    table: Table
    left_out: bool
    proposal: FormProposal | None
    legal_form: str | None
    counts: Counter[Verdict] = field(default_factory=Counter)
    skipped_because: Counter[str] = field(default_factory=Counter)

    @property
    def rows_read(self) -> int:
        """All rows that the reader gave, records or not."""
        return self.counts.total()

    def count(self, verdict: Verdict) -> None:
        """One more row with this verdict."""
        self.counts[verdict] += 1

    def skip(self, row: Skipped) -> None:
        """One more row that is no record."""
        self.counts["skipped"] += 1
        self.skipped_because[row.reason] += 1

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        form = self.proposal
        return {
            "name": self.table.sheet.name,
            "hidden": self.table.sheet.hidden,
            "left_out": self.left_out,
            "is_table": self.table.is_table,
            "signature": self.table.signature,
            "header_rows": list(self.table.header_rows),
            "rows_read": self.rows_read,
            **{verdict: self.counts[verdict] for verdict in VERDICTS},
            "skipped_because": dict(self.skipped_because),
            "legal_form": self.legal_form,
            "legal_form_proposal": form
            and {"legal_form": form.legal_form, "confidence": form.confidence, "said_by": form.said_by},
        }


@dataclass(slots=True)
class ProblemSummary:
    """One thing that was found, in one column of one sheet, however often."""

    sheet: str
    column: int | None
    code: str
    weight: Weight
    values: Mapping[str, str]
    count: int = 0
    rows: list[int] = field(default_factory=list)
    """The first rows, as the sender counts them."""


@dataclass(slots=True)
class SectorSummary:
    """A text that stands for a sector: what it was taken for, how surely, and whether a person has said so."""

    text: str
    proposal: str | None
    confidence: float
    by_person: bool
    count: int = 0


@dataclass(slots=True)
class PointSummary:
    """The points that the file itself states, by the system they were read in."""

    systems: Counter[int] = field(default_factory=Counter)
    swapped: int = 0
    samples: list[tuple[int, float, float]] = field(default_factory=list)
    """Row numbers of the plan with longitude and latitude, spread over the file."""
    _seen: int = 0

    @property
    def needs_confirmation(self) -> bool:
        """Whether some are in metres, which a person confirms on a map."""
        return any(epsg != _DEGREES for epsg in self.systems)

    def add(self, number: int, point: Position) -> None:
        """One more point. Of many every second, fourth, eighth … is kept to be shown."""
        self.systems[point.epsg] += 1
        self.swapped += point.swapped
        step = 1
        while self._seen >= _SAMPLES * step:
            step *= 2
        if self._seen % step == 0:
            if len(self.samples) >= _SAMPLES:
                del self.samples[1::2]
            self.samples.append((number, point.lon, point.lat))
        self._seen += 1


@dataclass(slots=True)
class PlanSummary:
    """Filled while `plan_rows` goes on."""

    sheets: list[SheetSummary] = field(default_factory=list)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What was unusual about the file, each a code and what fills its wording."""
    problems: dict[tuple[str, int | None, str], ProblemSummary] = field(default_factory=dict)
    sectors: dict[str, SectorSummary] = field(default_factory=dict)
    points: PointSummary = field(default_factory=PointSummary)

    @property
    def rows_read(self) -> int:
        """All rows of all sheets."""
        return sum(sheet.rows_read for sheet in self.sheets)

    @property
    def counts(self) -> dict[Verdict, int]:
        """The sheets' counts together; the six add up to `rows_read`."""
        return {verdict: sum(sheet.counts[verdict] for sheet in self.sheets) for verdict in VERDICTS}

    @property
    def stored_counts(self) -> dict[str, int]:
        """The counts with `rows_read`, as they are stored."""
        return {"rows_read": self.rows_read, **{str(verdict): count for verdict, count in self.counts.items()}}

    def sheet(self, table: Table, facts: ListFacts, *, left_out: bool) -> SheetSummary:
        """Begin a sheet."""
        found = SheetSummary(table, left_out, facts.proposal, facts.legal_form)
        self.sheets.append(found)
        return found

    def tell(self, number: int, row: ReadRow) -> None:
        """Take note of what is to be said of a row."""
        for finding in row.findings:
            key = (row.sheet, finding.column, finding.code)
            problem = self.problems.get(key)
            if problem is None:
                problem = self.problems[key] = ProblemSummary(
                    row.sheet, finding.column, finding.code, finding.weight, dict(finding.values)
                )
            problem.count += 1
            if len(problem.rows) < _FIRST_ROWS:
                problem.rows.append(row.row)
        if row.place.shown is not None:
            self.points.add(number, row.place.shown)
        if row.sector_text is not None:
            self._tell_sector(row, row.sector_text)

    def _tell_sector(self, row: ReadRow, text: str) -> None:
        key = sector_key(text)
        found = self.sectors.get(key)
        if found is None:
            if len(self.sectors) >= _MOST_SECTORS:
                return
            sector, confidence = row.sector_read
            found = SectorSummary(text, None if sector is None else str(sector), confidence, row.sector_by_person)
            self.sectors[key] = found
        found.count += 1

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "sheets": [sheet.as_json() for sheet in self.sheets],
            "columns": [column_json(sheet.table, column) for sheet in self.sheets for column in sheet.table.columns],
            "notes": [{"code": code, "values": values} for code, values in self.notes],
            "problems": [
                {
                    "sheet": each.sheet, "column": each.column, "code": each.code, "weight": each.weight,
                    "values": dict(each.values), "count": each.count, "rows": each.rows,
                }
                for each in self.problems.values()
            ],
            "sectors": [
                {
                    "key": key, "text": each.text, "proposal": each.proposal, "confidence": each.confidence,
                    "by_person": each.by_person, "count": each.count,
                }
                for key, each in sorted(self.sectors.items(), key=lambda item: -item[1].count)
            ],
            "points": {
                "count": self.points.systems.total(),
                "systems": {str(epsg): count for epsg, count in self.points.systems.items()},
                "swapped": self.points.swapped,
                "needs_confirmation": self.points.needs_confirmation,
                "samples": [{"number": n, "lon": lon, "lat": lat} for n, lon, lat in self.points.samples],
            },
        }  # fmt: skip


def column_json(table: Table, column: Column) -> dict[str, Any]:
    """A column as it was understood. Examples of decoding only where the cells are surely nobody's own."""
    shown = column.field in _SHOWN_FIELDS
    return {
        "sheet": table.sheet.name,
        "signature": table.signature,
        "column": column.number,
        "key": column.key,
        "header": column.header,
        "field": column.field,
        "confidence": round(column.confidence, 2),
        "runner_up": column.runner_up and {"field": column.runner_up[0], "confidence": column.runner_up[1]},
        "by_person": column.by_person,
        "hidden": column.hidden,
        "kept": column.field is None or column.field in KEPT_FIELDS,
        "encodings": [
            {
                "encoding": proposal.encoding,
                "cells": proposal.cells,
                "confidence": proposal.confidence,
                "examples": [list(pair) for pair in proposal.examples] if shown else [],
            }
            for proposal in column.encodings
        ],
        "encoding_by_person": column.encoding_by_person,
        "decoded_from": list(column.decoder.encodings),
    }
