"""The plan of a file: row by row what it would do to the register, and why. Nothing is written.

Each row read is counted once: new, changed, same, doubtful, wrong or skipped. What is wrong the sender mends; what is
doubtful a person decides; the rest needs nobody.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from math import cos, hypot, radians
from typing import Any, Literal, Protocol

from ingest.columns import Correction, Table, recognise
from ingest.compare import Change, differences, house_key_of
from ingest.identity import Identities, RegisterNumbers
from ingest.match import Match, Matcher, Place
from ingest.records import Record, Skipped, read_records
from ingest.row_places import Locator
from ingest.row_values import Finding
from ingest.rows import ReadRow, columns_by_field, read_row
from ingest.workbook import Workbook

Verdict = Literal["new", "changed", "same", "doubtful", "wrong", "skipped"]
VERDICTS: tuple[Verdict, ...] = ("new", "changed", "same", "doubtful", "wrong", "skipped")
Progress = Callable[[str, int], None]
"""What is being done (`reading`, `matching`), and with how many rows it is done."""
_STEP = 500
_STATED_POINT_M = 10.0


class KnownPlace(RegisterNumbers, Protocol):
    """A place of the register, as its reader gives it."""

    @property
    def values(self) -> Mapping[str, Any]:
        """What is known of it, by the register's names."""

    @property
    def lon(self) -> float:
        """Longitude."""

    @property
    def lat(self) -> float:
        """Latitude."""

    @property
    def accuracy_m(self) -> float | None:
        """How far off the point may be; None where that is not known."""


@dataclass(slots=True, repr=False)
class PlannedRow:
    """A record of the file and what would become of it."""

    read: ReadRow
    verdict: Verdict = "new"
    matches: list[Match] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    """What it says otherwise than the register of its likeliest match, even where a person has to confirm that."""


@dataclass(slots=True, repr=False)
class SheetPlan:
    """A sheet as it was understood, with all its rows."""

    table: Table
    rows: list[PlannedRow] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def rows_read(self) -> int:
        """All rows that the reader gave, records or not."""
        return len(self.rows) + len(self.skipped)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many rows have each verdict; the six add up to `rows_read`."""
        found = Counter(row.verdict for row in self.rows)
        return {verdict: len(self.skipped) if verdict == "skipped" else found[verdict] for verdict in VERDICTS}


@dataclass(slots=True, repr=False)
class Plan:
    """Everything a dry run says."""

    sheets: list[SheetPlan] = field(default_factory=list)
    notes: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """What was unusual about the file, each a code and what fills its wording."""

    @property
    def rows(self) -> Iterator[PlannedRow]:
        """The records of all sheets."""
        return chain.from_iterable(sheet.rows for sheet in self.sheets)

    @property
    def rows_read(self) -> int:
        """All rows of all sheets."""
        return sum(sheet.rows_read for sheet in self.sheets)

    @property
    def counts(self) -> dict[Verdict, int]:
        """The sheets' counts together."""
        return {verdict: sum(sheet.counts[verdict] for sheet in self.sheets) for verdict in VERDICTS}


def make_plan(
    workbook: Workbook, locator: Locator, register: Iterable[KnownPlace], identities: Identities,
    progress: Progress = lambda _step, _done: None, correction: Correction | None = None,
) -> Plan:  # fmt: skip
    """Read a file and say what it would do. May raise `Refusal` while it reads."""
    plan = Plan(notes=workbook.notes)
    done = 0
    for sheet in workbook.sheets:
        part = SheetPlan(recognise(sheet, correction))
        plan.sheets.append(part)
        numbers = columns_by_field(part.table)
        for found in read_records(part.table):
            if isinstance(found, Record):
                part.rows.append(PlannedRow(read_row(found, numbers, locator)))
            else:
                part.skipped.append(found)
            done += 1
            if done % _STEP == 0:
                progress("reading", done)
    _Judging(locator, register, identities).judge(list(plan.rows), progress)
    return plan


class _Judging:
    """Compares rows with the register and with one another."""

    def __init__(self, locator: Locator, register: Iterable[KnownPlace], identities: Identities) -> None:
        self._locator, self._identities = locator, identities
        self._known = {place.code: place for place in register}
        for place in self._known.values():
            identities.learn(place)
        places = [self._place(place) for place in self._known.values()]
        self._houses = {place.ref: house_key_of(place) for place in places}
        # A bench or a statue is known by its code alone: no list means it by a name.
        self._matcher = Matcher(
            [place for place in places if self._known[place.ref].values.get("sector_group") != "public_place"]
        )
        self._taken: dict[str, ReadRow] = {}

    def judge(self, rows: Sequence[PlannedRow], progress: Progress) -> None:
        places = [self._place_of(row.read, str(at)) for at, row in enumerate(rows)]
        for at, (row, place) in enumerate(zip(rows, places, strict=True), start=1):
            self._find(row, place)
            if at % _STEP == 0:
                progress("matching", at)
        _tell_twins(rows, places)
        for row in rows:
            row.verdict = _verdict(row)

    def _find(self, row: PlannedRow, place: Place) -> None:
        written = row.read.values.get("code")
        code = str(written).strip().upper() if written else None
        if code in self._known:
            row.matches = [Match(code, 1.0, "same", ("same_code",), (), 1.0, None)]
        else:
            if code:
                row.read.findings.append(Finding(None, "unknown_code", weight="doubtful"))
            row.matches = self._matcher.matches(place)
        if not row.matches:
            return
        best = row.matches[0]
        known = self._known[best.ref]
        other_phone = self._identities.has_other_phone(row.read.values, known)
        row.changes = differences(
            row.read, known.values, self._houses[best.ref], other_phone=other_phone, apart_m=_apart(row.read, known)
        )
        if best.verdict != "same":
            row.read.findings.append(_of_match("may_be_known", best))
            return
        # The register knows where it is; an address is located less surely.
        row.read.findings = [
            replace(each, weight="note") if each.code in ("outside_ward", "other_ward_named") else each
            for each in row.read.findings
        ]
        if len(row.matches) > 1 and row.matches[1].verdict == "same" and row.matches[1].score > best.score - 0.1:
            row.read.findings.append(_of_match("several_known", row.matches[1]))
        first = self._taken.setdefault(best.ref, row.read)
        if first is not row.read:
            row.read.findings.append(_of_row("same_place_twice", first, "doubtful"))

    def _place(self, place: KnownPlace) -> Place:
        said = place.values
        parts = {name: said.get(name) for name in ("house_number", "alley", "street_name", "stall")}
        if not parts["street_name"] and said.get("address"):
            address = self._locator.parse(said["address"])
            parts |= {name: parts[name] or getattr(address, name) for name in parts}
        return Place(
            place.code, said.get("name") or said.get("registered_name"), **parts, site=said.get("site"),
            tax_code=self._identities.tax_mark(place), phone=self._identities.phone_mark(place),
            lon=place.lon, lat=place.lat, error_m=place.accuracy_m,
        )  # fmt: skip

    def _place_of(self, row: ReadRow, ref: str) -> Place:
        address, located, point = row.place.address, row.place.located, row.place.point
        phones = self._identities.phone_marks_of(row.values)
        lon, lat, error = None, None, None
        if point is not None:
            lon, lat, error = point.lon, point.lat, _STATED_POINT_M
        elif located is not None:
            lon, lat, error = located.lon, located.lat, located.expected_error_m
        return Place(
            ref, row.name, address.house_number, address.alley, address.street_name, address.site, address.stall,
            self._identities.tax_mark_of(row.values), phones[0] if phones else None, lon, lat, error,
        )  # fmt: skip


def _apart(row: ReadRow, known: KnownPlace) -> float | None:
    """Metres between the point that the file itself states and the known one, less the known one's own error."""
    if row.place.point is None:
        return None
    east = (row.place.point.lon - known.lon) * 111_195 * cos(radians(known.lat))
    return hypot(east, (row.place.point.lat - known.lat) * 111_195) - (known.accuracy_m or 0.0)


def _tell_twins(rows: Sequence[PlannedRow], places: Sequence[Place]) -> None:
    """Rows that say one place twice: the later ones say so."""
    told: dict[int, set[str]] = defaultdict(set)
    for earlier, match in Matcher(places).twins():
        first, later = int(earlier.ref), int(match.ref)
        if all(found and found[0].reasons == ("same_code",) for found in (rows[first].matches, rows[later].matches)):
            # Two of the register's own records, each named by its code.
            continue
        code = "twice_in_file" if match.verdict == "same" else "may_be_twice"
        if code not in told[later]:
            told[later].add(code)
            rows[later].read.findings.append(
                _of_row(code, rows[first].read, "doubtful" if match.verdict == "same" else "note")
            )


def _of_match(code: str, match: Match) -> Finding:
    return Finding(None, code, (("place", match.ref), ("score", f"{match.score:.2f}")), "doubtful")


def _of_row(code: str, row: ReadRow, weight: Literal["doubtful", "note"]) -> Finding:
    return Finding(None, code, (("sheet", row.sheet), ("row", str(row.row))), weight)


def _verdict(row: PlannedRow) -> Verdict:
    weights = {finding.weight for finding in row.read.findings}
    if "wrong" in weights:
        return "wrong"
    if "doubtful" in weights:
        return "doubtful"
    if row.matches:
        return "changed" if row.changes else "same"
    return "new"
