"""One row of a plan: what it was read as, what becomes of it, and both in the shape in which they are stored."""

from dataclasses import dataclass, field
from typing import Any

from ingest.compare import Change
from ingest.records import Skipped
from ingest.rows import ReadRow
from ingest.table_rows import Reason
from ingest.verdicts import Verdict
from ingest.weighing import Match
from ingest.wishes import Wishes
from ingest.workbook import raw_text


@dataclass(slots=True, repr=False)
class PlannedRow:
    """A record of the file and what would become of it. `number` counts all rows of all sheets from 1."""

    number: int
    read: ReadRow
    verdict: Verdict = "new"
    matches: list[Match] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    """What it says otherwise than the register of its likeliest match, even where a person has to confirm that."""
    wishes: Wishes = field(default_factory=Wishes)
    proposed: dict[str, Any] = field(default_factory=dict)
    """What it says of its place, by the property names of `establishments`, with lon, lat, position_method and
    expected_error_m. Nothing personal."""
    personal: dict[str, str] = field(default_factory=dict)
    """By the names of PERSONAL_FIELDS, each value in its one spelling: to be sealed."""

    @property
    def place_code(self) -> str | None:
        """The likeliest known place that it is."""
        return self.matches[0].ref if self.matches else None

    def as_json(self) -> dict[str, Any]:
        """All that may be stored as it is."""
        return {
            "number": self.number,
            "sheet": self.read.sheet,
            "row": self.read.row,
            "verdict": self.verdict,
            "reason": None,
            "place_code": self.place_code,
            "proposed": self.proposed,
            "changes": [change.as_json() for change in self.changes],
            "wishes": self.wishes.as_json(),
            "matches": [
                {
                    "code": match.ref,
                    "score": match.score,
                    "verdict": match.verdict,
                    "reasons": list(match.reasons),
                    "against": list(match.against),
                }
                for match in self.matches
            ],
            "problems": [
                {"column": each.column, "code": each.code, "values": dict(each.values), "weight": each.weight}
                for each in self.read.findings
            ],
        }

    def sealed(self) -> dict[str, Any]:
        """All that must be sealed: every cell as the sender wrote it or a person has corrected it, and the personal
        values."""
        found: dict[str, Any] = {"cells": {str(column): text for column, text in self.read.raw.items()}}
        found["personal"] = self.personal
        if self.read.replaced:
            found["replaced"] = {
                str(at): "" if old is None else raw_text(old) for at, old in self.read.replaced.items()
            }
        if self.read.carried:
            found["carried"] = {str(column): text for column, text in self.read.carried.items()}
        return found


@dataclass(slots=True, repr=False)
class SkippedRow:
    """A row that is no record, with the reason, and all that it holds."""

    number: int
    skipped: Skipped

    @property
    def reason(self) -> Reason:
        """Why it is no record."""
        return self.skipped.reason

    def as_json(self) -> dict[str, Any]:
        """All that may be stored as it is, in the shape of a planned row."""
        return {
            "number": self.number,
            "sheet": self.skipped.sheet,
            "row": self.skipped.row,
            "verdict": "skipped",
            "reason": self.reason,
            "place_code": None,
            "proposed": {},
            "changes": [],
            "wishes": Wishes().as_json(),
            "matches": [],
            "problems": [],
        }

    def sealed(self) -> dict[str, Any]:
        """Its cells, to be sealed. A blank row has none, and need not be stored."""
        cells = {str(column): raw_text(value) for column, value in self.skipped.cells.items()}
        return {"cells": cells, "personal": {}}
