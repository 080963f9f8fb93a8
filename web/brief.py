"""A report of a period to the leaders and to the city: what stands in it, as plain data.

Its form is that of administrative documents: Decree 30/2020/NĐ-CP, Appendix I. What people write themselves (results,
shortcomings, causes, solutions) is kept apart from the figures; the fingerprint is of the figures.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

TEXTS = ("results", "shortcomings", "causes", "solutions")
"""The parts that an officer writes, in the order in which they stand."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many say yes among those that are known, and who is not. Percentages are 0-100; None: not known."""

    population: int | None
    yes: int | None
    denominator: int | None
    unknown: int | None
    refused: int | None
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """A forecast to a deadline."""

    due: date
    value: float
    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class BriefFigure:
    """An indicator at the end of the report's day. `entered`: where an entered figure comes from."""

    code: str
    title: str
    definition: str
    source: str
    now: Share
    before: Share | None
    """At the end of the day before the period."""
    target: float | None
    comparator: str | None
    due: date | None
    met: bool | None
    trend: tuple[tuple[date, Share], ...]
    ahead: Ahead | None
    no_forecast: str
    entered: str = ""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """An indicator by parts of the ward: name of the part (empty: not known which), share. `codes`: of the rows' parts,
    which stay when a part gets another name."""

    by: str
    code: str
    title: str
    rows: tuple[tuple[str, Share], ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A hexagon of the map: its outline (WGS 84, longitude and latitude), how many are there, asked, and say yes."""

    cell: str
    ring: tuple[tuple[float, float], ...]
    establishments: int
    surveyed: int
    accepting: int


@dataclass(frozen=True, slots=True)
class BriefMap:
    """Payment without cash by hexagon, within the ward's outline."""

    outline: tuple[tuple[tuple[float, float], ...], ...]
    cells: tuple[Cell, ...]


Value = str | int | float | date | None
"""What stands in a field of a table: a float is a percentage, None what nobody knows."""


@dataclass(frozen=True, slots=True)
class Part:
    """A table beside those of the indicators, with what it counts in words; without rows, `note` says why."""

    code: str
    title: str
    note: str
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[Value, ...], ...] = ()
    widths: tuple[float, ...] = ()
    """In mm, 160 in all."""
    facts: tuple[tuple[str | int | float | None, ...], ...] = ()
    """The same without words: what the fingerprint is of."""
    most: int | None = None
    """How many rows are printed; the workbook has them all."""
    strong: tuple[int, ...] = ()
    """Rows that head those below them, counted from 0."""
    definitions: tuple[tuple[str, str], ...] = ()
    sheet: tuple[tuple[Value, ...], ...] = ()
    """What the workbook shows in place of headings and rows, headings first, where words would stand for numbers."""


@dataclass(frozen=True, slots=True)
class BriefData:
    """All that a report says. `head`: sequence number and hash of the history's last change at `moment`."""

    ward: str
    ward_name: str
    """Such as phường Hòa Cường; `place`: Hòa Cường."""
    place: str
    kind: str
    period: str
    first: date
    last: date
    as_of: date
    moment: datetime
    known: str
    provisional: bool
    head: tuple[int, str]
    figures: tuple[BriefFigure, ...]
    breakdowns: tuple[Breakdown, ...] = ()
    map: BriefMap | None = None
    parts: tuple[Part, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    texts_version: int = 0
    illustrative: bool = False
    """Whether invented places of a sample count in the figures."""


def fingerprint(data: BriefData) -> str:
    """SHA-256, as hexadecimal, over the canonical JSON of all figures and where the history stood."""
    written = json.dumps(facts(data), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def facts(data: BriefData) -> dict[str, Any]:
    """The figures of a report, without the words around them."""
    return {
        "ward": data.ward,
        "kind": data.kind,
        "period": data.period,
        "as_of": data.as_of.isoformat(),
        "known": data.known,
        "provisional": data.provisional,
        "moment": data.moment.isoformat(),
        "history": list(data.head),
        "indicators": [
            {
                "code": each.code,
                "now": _counts(each.now),
                "before": _counts(each.before),
                "target": [each.target, each.comparator, each.due.isoformat() if each.due else None],
                "entered": each.entered,
                "trend": [[day.isoformat(), _counts(share)] for day, share in each.trend],
            }
            for each in data.figures
        ],
        "breakdowns": [
            [each.by, each.code, [[code, _counts(row[1])] for code, row in zip(each.codes, each.rows, strict=True)]]
            for each in data.breakdowns
        ],
        "cells": [[c.cell, c.establishments, c.surveyed, c.accepting] for c in data.map.cells] if data.map else None,
        "parts": [[part.code, [list(row) for row in part.facts]] for part in data.parts],
    }


def _counts(share: Share | None) -> list[Any] | None:
    if share is None:
        return None
    # The value itself only where nobody counted: all others follow from the counts.
    value = share.value if share.denominator is None else None
    return [share.population, share.yes, share.denominator, share.refused, value]


def short_fingerprint(whole: str) -> str:
    """The fingerprint in groups of eight characters, to be read aloud and compared."""
    return " ".join(whole[start : start + 8] for start in range(0, len(whole), 8))


def main_figure(data: BriefData) -> BriefFigure | None:
    """The measured indicator that most places count for: what breakdowns are about."""
    return widest(data.figures)


def widest(figures: Iterable[BriefFigure]) -> BriefFigure | None:
    """The indicator that most places count for; None where nothing counts."""
    return max(
        (each for each in figures if each.now.population), key=lambda each: each.now.population or 0, default=None
    )
