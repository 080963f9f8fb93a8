"""What a person has decided about a file before it is planned anew: columns, encodings, sectors, what holds for all.

Kept with the batch as JSON. What is missing, unknown or misspelt there is no choice: a file of an older form still
reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from ingest.columns import Correction, Table
from ingest.encoding import ENCODINGS
from ingest.values import tidy
from ingest.values_sectors import SCHEME, Sector, sector_names
from postgis.today import read_day, today
from postgis.vocabulary import LEGAL_FORMS

AS_IS = "as_is"
"""Instead of an encoding: the column reads right as it stands."""
NO_FORM = "none"
"""Instead of a legal form: the list has none for all, whatever its title seems to say."""
_LONGEST_AGENCY = 200


@dataclass(frozen=True, slots=True)
class Choices:
    """Empty: everything as the file was understood by itself."""

    columns: Mapping[str, Correction] = field(default_factory=dict)
    """By a table's signature, or by the sheet's name where only that sheet is meant, which weighs more."""
    encodings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By sheet and column key: the encoding that the column is in, or `as_is`."""
    sectors: Mapping[str, Sector | None] = field(default_factory=dict)
    """By `sector_key` of the text: what a person says that it means; None where it means no class."""
    legal_form: str | None = None
    agency: str | None = None
    """Who inspected, where the list does not say so row by row."""
    as_of: date | None = None
    points: Literal["confirmed", "ignored"] | None = None
    sheets_left_out: frozenset[str] = frozenset()

    @classmethod
    def from_json(cls, stored: Any) -> "Choices":
        """What was stored; whatever is no choice is passed over."""
        if not isinstance(stored, Mapping):
            return cls()
        form, points, agency = stored.get("legal_form"), stored.get("points"), stored.get("agency")
        left_out = stored.get("sheets_left_out")
        return cls(
            columns=_corrections(stored.get("columns")),
            encodings=_encodings(stored.get("encodings")),
            sectors=_sectors(stored.get("sectors")),
            legal_form=form if form in (*LEGAL_FORMS, NO_FORM) else None,
            agency=tidy(agency)[:_LONGEST_AGENCY] or None if isinstance(agency, str) else None,
            as_of=_day(stored.get("as_of")),
            points=points if points in ("confirmed", "ignored") else None,
            sheets_left_out=frozenset(_texts(left_out)) if isinstance(left_out, list) else frozenset(),
        )

    def as_json(self) -> dict[str, Any]:
        """The same to be stored; only what was chosen."""
        found: dict[str, Any] = {
            "columns": {name: dict(correction) for name, correction in self.columns.items()},
            "encodings": {sheet: dict(columns) for sheet, columns in self.encodings.items()},
            "sectors": {key: None if sector is None else str(sector) for key, sector in self.sectors.items()},
            "legal_form": self.legal_form,
            "agency": self.agency,
            "as_of": self.as_of and self.as_of.isoformat(),
            "points": self.points,
            "sheets_left_out": sorted(self.sheets_left_out),
        }
        return {name: value for name, value in found.items() if value}

    def correction(self, table: Table) -> Correction:
        """What is to be corrected in a table: what was chosen for its shape, and over that for its sheet."""
        return {**self.columns.get(table.signature, {}), **self.columns.get(table.sheet.name, {})}

    @property
    def day(self) -> date:
        """The day that the list speaks of: nothing is known of days to come."""
        now = today()
        return min(self.as_of, now) if self.as_of else now


def sector_key(text: str) -> str:
    """A sector's text as a person confirms it once for the whole list: capitals and blanks do not matter, marks do."""
    return tidy(text).casefold()


def _texts(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _corrections(stored: Any) -> dict[str, Correction]:
    if not isinstance(stored, Mapping):
        return {}
    return {
        str(name): {str(key): chosen for key, chosen in columns.items() if chosen is None or isinstance(chosen, str)}
        for name, columns in stored.items()
        if isinstance(columns, Mapping)
    }


def _encodings(stored: Any) -> dict[str, dict[str, str]]:
    if not isinstance(stored, Mapping):
        return {}
    return {
        str(sheet): {str(key): chosen for key, chosen in columns.items() if chosen in (*ENCODINGS, AS_IS)}
        for sheet, columns in stored.items()
        if isinstance(columns, Mapping)
    }


def _sectors(stored: Any) -> dict[str, Sector | None]:
    if not isinstance(stored, Mapping):
        return {}
    found: dict[str, Sector | None] = {}
    for key, chosen in stored.items():
        if chosen is None:
            found[str(key)] = None
        elif isinstance(chosen, str):
            scheme, _, code = chosen.partition(" ")
            if scheme == SCHEME and code in sector_names().names:
                found[str(key)] = Sector(scheme, code)
    return found


def _day(stored: Any) -> date | None:
    try:
        return read_day(stored) if isinstance(stored, str) else None
    except ValueError:
        return None
