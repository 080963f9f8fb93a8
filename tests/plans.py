"""Plans of small files for tests: all rows at once, against a register that the test makes up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.choices import Choices
from ingest.identity import Identities
from ingest.known import KnownPlace
from ingest.plan import plan_rows
from ingest.plan_summary import PlanSummary
from ingest.planned import PlannedRow, SkippedRow
from ingest.row_places import Locator
from ingest.workbook import Workbook


@dataclass
class Known:
    """A place of the register, as the reader would give it."""

    code: str
    values: dict[str, Any]
    entity: str | None = None
    entity_values: dict[str, Any] = field(default_factory=dict)
    records: dict[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    tax_code: str | None = None
    hashes: tuple[tuple[str, bytes], ...] = ()
    lon: float = 108.215
    lat: float = 16.0425
    accuracy_m: float | None = 5.0


@dataclass
class Register:
    """All of them, and the model sites."""

    places: Iterable[KnownPlace] = ()
    sites: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Plan:
    """A whole plan."""

    everything: list[PlannedRow | SkippedRow]
    summary: PlanSummary

    @property
    def rows(self) -> list[PlannedRow]:
        return [row for row in self.everything if isinstance(row, PlannedRow)]

    @property
    def skipped(self) -> list[SkippedRow]:
        return [row for row in self.everything if isinstance(row, SkippedRow)]


def plan(
    workbook: Workbook, locator: Locator, register: Register | None = None, identities: Identities | None = None,
    choices: Choices | None = None,
) -> Plan:  # fmt: skip
    """The plan of a file that was read."""
    summary = PlanSummary()
    rows = plan_rows(
        workbook, locator, register or Register(), identities or Identities(None), choices, summary=summary
    )
    return Plan(list(rows), summary)
