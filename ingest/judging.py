"""Compares the rows of a file with the register and with one another, one after the other."""

from dataclasses import replace
from typing import Literal

from ingest.choices import Choices
from ingest.compare import Change, changes_of, house_key_of, wishes_of_update
from ingest.identity import Identities
from ingest.known import KnownPlace, KnownRegister
from ingest.list_facts import ListFacts
from ingest.match import Matcher
from ingest.nothing_lost import say_kept
from ingest.planned import PlannedRow
from ingest.row_places import Locator
from ingest.row_values import Finding
from ingest.rows import ReadRow
from ingest.said import Said, said_of, say_unnamed, site_key
from ingest.twins import Twins
from ingest.verdicts import Verdict
from ingest.weighing import Match, Place, Sketch, sketch_of
from ingest.wishes import entity_to_make, wishes_of_new
from postgis.identifiers import mask
from postgis.vocabulary import PERSONAL_FIELDS

_STATED_POINT_M = 10.0


class Judging:
    """Knows the register, and of the rows so far what later rows may repeat."""

    def __init__(self, locator: Locator, register: KnownRegister, identities: Identities, choices: Choices) -> None:
        self._locator, self._identities, self._choices = locator, identities, choices
        self._sites = {site_key(name): code for name, code in register.sites.items()}
        self._known: dict[str, KnownPlace] = {}
        for known in register.places:
            self._known[known.code] = known
            identities.learn(known)
        places = [self._place(known) for known in self._known.values()]
        self._houses = {place.ref: house_key_of(place) for place in places}
        # A bench or a statue is known by its code alone: no list means it by a name.
        self._matcher = Matcher(
            [place for place in places if self._known[place.ref].values.get("sector_group") != "public_place"]
        )
        self._twins = Twins()
        self._taken: dict[str, tuple[str, int]] = {}
        self._owners: dict[str, int] = {}

    def judge(self, row: PlannedRow, facts: ListFacts) -> None:
        """Fill in what becomes of a row."""
        read = row.read
        said = said_of(read, facts, self._choices, self._sites)
        say_kept(read, said)
        place = self._place_of(read, str(row.number))
        sketch = sketch_of(place)
        best = self._find(row, sketch)
        self._propose(row, said, best, place.tax_code)
        if not _by_code(row):
            # Two of the register's own records, each named by its code, are no twins.
            self._tell_twins(row, sketch)
        row.proposed = _proposed(said)
        row.verdict = _verdict(row)
        if row.verdict == "new":
            row.wishes.update = {}
        elif row.verdict in ("changed", "same"):
            row.wishes.new = None
            row.wishes.update = dict(list(row.wishes.update.items())[:1]) if row.verdict == "changed" else {}
        elif row.verdict == "wrong":
            row.wishes.new, row.wishes.update = None, {}

    def _find(self, row: PlannedRow, sketch: Sketch) -> Match | None:
        written = row.read.values.get("code")
        code = str(written).strip().upper() if written else None
        if code in self._known:
            row.matches = [Match(code, 1.0, "same", ("same_code",), (), 1.0, None)]
        else:
            if code:
                row.read.say("unknown_code", "code", "doubtful")
            row.matches = self._matcher.matches_of(sketch)
        if not row.matches:
            return None
        best = row.matches[0]
        if best.verdict != "same":
            row.read.findings.append(_of_match("may_be_known", best))
            return best
        # The register knows where it is; an address is located less surely.
        row.read.findings = [
            replace(each, weight="note") if each.code in ("outside_ward", "other_ward_named") else each
            for each in row.read.findings
            if each.code != "placed_in_ward"
        ]
        if len(row.matches) > 1 and row.matches[1].verdict == "same" and row.matches[1].score > best.score - 0.1:
            row.read.findings.append(_of_match("several_known", row.matches[1]))
        here = (row.read.sheet, row.read.row)
        first = self._taken.setdefault(best.ref, here)
        if first != here:
            row.read.findings.append(_of_row("same_place_twice", first, "doubtful"))
        return best

    def _propose(self, row: PlannedRow, said: Said, best: Match | None, mark: str | None) -> None:
        """What the row wants as a place of its own, and as each place that it may be."""
        read = row.read
        owner = None if mark is None else self._identities.entity_of(mark)
        same_as = None
        if mark is not None and owner is None and said.owner.is_said:
            first = self._owners.setdefault(mark, row.number)
            same_as = first if first != row.number else None
        before = len(read.findings)
        for match in row.matches:
            known = self._known[match.ref]
            row.wishes.update[match.ref] = wishes_of_update(read, said, known, self._houses[match.ref], owner, same_as)
            if match is best:
                before = len(read.findings)
            else:
                # What is to be said of the less likely ones, their own comparison will say when they are chosen.
                del read.findings[before:]
        if best is None or best.verdict != "same":
            say_unnamed(read, said)
        row.wishes.new = wishes_of_new(said, owner, same_as)
        target = self._known[best.ref] if best is not None else None
        row.personal = self._personal(said, target)
        has_entity = owner is not None or "legal_form" in said.owner.entity or bool(target and target.entity)
        if said.owner.is_said and not has_entity:
            read.say("no_legal_form")
        elif said.owner.is_said and not (owner or (target and target.entity) or entity_to_make(said)):
            read.say("no_owners_name")
        if target is not None:
            row.changes = changes_of(row.wishes.update[target.code]) + self._personal_changes(row.personal, target)

    def _personal(self, said: Said, target: KnownPlace | None) -> dict[str, str]:
        """The personal values; where the known place has another of a row's telephone numbers, that one."""
        found = {name: said.owner.personal[name] for name in PERSONAL_FIELDS if name in said.owner.personal}
        if target is not None and len(said.owner.phones) > 1:
            kept = next((each for each in said.owner.phones
                         if self._identities.holds(target, "owner_phone", each)), None)  # fmt: skip
            if kept:
                found["owner_phone"] = kept
        return found

    def _personal_changes(self, personal: dict[str, str], target: KnownPlace) -> list[Change]:
        return [
            Change("legal_entities", name, "***" if self._identities.has(target, name) else None, mask(name, value))
            for name, value in personal.items()
            if self._identities.says_otherwise(target, name, value)
        ]

    def _tell_twins(self, row: PlannedRow, sketch: Sketch) -> None:
        """Rows that say one place twice: the later ones say so."""
        told: set[str] = set()
        for first, match in self._twins.earlier(sketch, (row.read.sheet, row.read.row)):
            code = "twice_in_file" if match.verdict == "same" else "may_be_twice"
            if code not in told:
                told.add(code)
                row.read.findings.append(_of_row(code, first, "doubtful" if match.verdict == "same" else "note"))

    def _place(self, known: KnownPlace) -> Place:
        said = known.values
        # A market that is no model site of the register's is still named in the address.
        parts = {name: said.get(name) for name in ("house_number", "alley", "street_name", "stall", "site")}
        if not parts["street_name"] and said.get("address"):
            address = self._locator.parse(said["address"])
            parts |= {name: parts[name] or getattr(address, name) for name in parts}
        return Place(
            known.code, said.get("name") or known.entity_values.get("registered_name"), **parts,
            tax_code=self._identities.tax_mark(known), phone=self._identities.phone_mark(known),
            lon=known.lon, lat=known.lat, error_m=known.accuracy_m,
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


def _by_code(row: PlannedRow) -> bool:
    return bool(row.matches) and row.matches[0].reasons == ("same_code",)


def _proposed(said: Said) -> dict[str, object]:
    lon, lat = said.position["geometry"]["coordinates"]
    return {
        **said.place, "lon": lon, "lat": lat, "position_method": said.position["position_method"],
        "expected_error_m": said.position["position_accuracy_m"],
    }  # fmt: skip


def _of_match(code: str, match: Match) -> Finding:
    return Finding(None, code, (("place", match.ref), ("score", f"{match.score:.2f}")), "doubtful")


def _of_row(code: str, row: tuple[str, int], weight: Literal["doubtful", "note"]) -> Finding:
    return Finding(None, code, (("sheet", row[0]), ("row", str(row[1]))), weight)


def _verdict(row: PlannedRow) -> Verdict:
    weights = {finding.weight for finding in row.read.findings}
    if "wrong" in weights:
        return "wrong"
    if "doubtful" in weights:
        return "doubtful"
    if row.matches:
        return "changed" if row.changes else "same"
    return "new"
