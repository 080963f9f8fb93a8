"""Where a record's place is: its address from all cells and groups that say something of it, located in the ward."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from ingest.addresses import Address, parse_address, street_way
from ingest.gazetteer import Gazetteer
from ingest.geocode import Located, locate_address
from ingest.records import Record
from ingest.row_values import Finding, Weight, columns_of
from ingest.values import Cell, is_ditto, is_empty, tidy
from ingest.values_coordinates import Position, Window, read_point
from postgis.folding import flatten

_WARD_WORD = re.compile(r"^(?:phuong|p\.|xa|x\.|dia ban phuong)\s*")
_STREET_WORD = re.compile(r"^(?:tuyen duong|truc duong|tuyen pho|tuyen)\s+")
_GROUP = re.compile(r"(?:^\d{5}-0*)?(\d+[a-zA-Z]?)")
"""A residential group's number, also in its code (20257-012), as our own lists give it."""
_STREETS = ("kiet", "hem")
_PAIRS = (("lat", "lon"), ("northing", "easting"))
Points = Literal["confirmed", "ignored"]
_DEGREES = 4326
_DECIMALS = re.compile(r"(?<=\d[.,])\d+")
_FINE = 4
_ADDRESS_FIELDS = (
    "address", "house_number", "alley", "street_name", "residential_group", "ward", "market", "stall",
)  # fmt: skip
_FLAGS = frozenset(("outside_ward", "other_ward_named", "outside_window"))


@dataclass(frozen=True, slots=True)
class PlaceOfRow:
    """What a row says of where it is. `stated` is the address as the sender wrote it.

    `point` was in the file and may be used; `shown` was there too, but a person has not confirmed its system yet, or
    does not want it. `separate` is what columns of their own say of number, alley and street, where the row has an
    address beside them.
    """

    stated: str
    address: Address
    located: Located | None
    point: Position | None
    findings: tuple[Finding, ...]
    shown: Position | None = None
    point_error_m: float = 10.0
    is_inside: bool = True
    """Whether `point` lies in the ward."""
    separate: Address | None = None


class Locator:
    """Reads places of one ward. `gazetteer`: what is known of it."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.gazetteer = gazetteer
        west, south, east, north = gazetteer.outline.bounds
        (left, bottom), (right, top) = gazetteer.degrees((west, south)), gazetteer.degrees((east, north))
        self.window = Window(left, bottom, right, top)
        self.parse = lru_cache(maxsize=20_000)(self._parse)
        at, _, far = gazetteer.extent_of(gazetteer.outline, "ward")
        lon, lat = gazetteer.degrees(at)
        self.middle = round(lon, 6), round(lat, 6), float(round(far))
        """Somewhere in the ward: longitude, latitude, and how far from there nine tenths of the ward lie."""

    def _parse(self, text: str) -> Address:
        return parse_address(text, self.gazetteer.book)

    def place(self, record: Record, numbers: Mapping[str, tuple[int, ...]], points: Points | None = None) -> PlaceOfRow:
        """Everything that a record says of its place. `points`: what a person says of the file's own coordinates."""
        said = {
            field: ", ".join(text for cell in cells if (text := _text(cell)))
            for field in _ADDRESS_FIELDS
            if (cells := record.values.get(field))
        }
        for group in record.groups:
            _add_group(said, group.kind, group.text)
        stated, address = self._address(said)
        column = next((at for field in ("address", "street_name") for at in columns_of(record, numbers, field)), None)
        findings = [_finding(column, code) for code in address.problems]
        shown, more, error_m = self._point(record, numbers)
        # Metres may be of another zone or an old local grid: only a map tells.
        point = shown if points != "ignored" and (points or shown is None or shown.epsg == _DEGREES) else None
        located = locate_address(self.gazetteer, address)
        if located is not None:
            # Where the file has a point of its own, what lies outside is said of that.
            codes = [code for code in located.problems if point is None or code != "outside_ward"]
            findings += [_finding(column, code) for code in codes]
        elif address.ward_code not in (None, self.gazetteer.ward.code):
            findings.append(_finding(column, "other_ward_named"))
        elif point is None:
            findings.append(Finding(column, "not_located" if stated else "no_address"))
        inside = point is None or self.gazetteer.is_inside(self.gazetteer.metres(point.lon, point.lat))
        if not inside:
            findings.append(_finding(column, "outside_ward"))
        separate = self._separate(said)
        return PlaceOfRow(stated, address, located, point, (*findings, *more), shown, error_m, inside, separate)

    def _separate(self, said: Mapping[str, str]) -> Address | None:
        way = street_way(said.get("house_number"), said.get("alley"), said.get("street_name"))
        return self.parse(way) if way and said.get("address") else None

    def _address(self, said: Mapping[str, str]) -> tuple[str, Address]:
        stated = said.get("address", "")
        way = street_way(said.get("house_number"), said.get("alley"), said.get("street_name"))
        address = self.parse(stated or way)
        if stated and way and address.street_name is None:
            separate = self.parse(way)
            parts = ("house_number", "alley", "street_name")
            missing = {name: getattr(separate, name) for name in parts if getattr(address, name) is None}
            problems = tuple(code for code in address.problems if code not in ("no_street", "no_number"))
            address = replace(address, **missing, problems=problems)
        more: dict[str, Any] = {}
        if address.residential_group is None and (number := _GROUP.search(said.get("residential_group", ""))):
            more["residential_group"] = number[1].upper()
        if address.ward is None and (written := said.get("ward")):
            word = _WARD_WORD.match(flatten(written))
            name = written[len(word[0]) :] if word else written
            known = self.gazetteer.book.ward(name)
            more |= {"ward": known[0], "ward_code": known[1]} if known else {"ward": name}
        # Columns of their own are surer than what was taken from the address.
        if market := said.get("market"):
            more["site"] = self.gazetteer.book.site(market) or market
        if stall := said.get("stall"):
            more["stall"] = stall.upper()
        whole = stated or ", ".join(part for part in (said.get("stall"), said.get("market"), way) if part)
        return whole, replace(address, **more) if more else address

    def _point(
        self, record: Record, numbers: Mapping[str, tuple[int, ...]]
    ) -> tuple[Position | None, list[Finding], float]:
        for first, second in _PAIRS:
            if first in record.values and second in record.values:
                pair = record.values[first][0], record.values[second][0]
                return self._read(pair[0], pair[1], columns_of(record, numbers, first))
        if "coordinates" in record.values:
            cell = record.values["coordinates"][0]
            return self._read(cell, None, columns_of(record, numbers, "coordinates"))
        return None, [], 0.0

    def _read(self, first: Cell, second: Cell, columns: list[int]) -> tuple[Position | None, list[Finding], float]:
        reading = read_point(first, second, self.window)
        column = columns[0] if columns else None
        codes = reading.codes
        lost = reading.value is None and "outside_window" not in codes
        findings = [
            Finding(column, problem.code, problem.values, "wrong" if lost else _weight(problem.code))
            for problem in reading.problems
        ]
        # A point that is far away or only may be meant is no proposal.
        return (None if "outside_window" in codes else reading.value), findings, _error_m(reading.raw)


def _error_m(written: str) -> float:
    """How exact degrees are by their decimals: 16.05 may be a kilometre off."""
    decimals = min((len(part) for part in _DECIMALS.findall(written)), default=_FINE)
    return float(max(10, round(111_195 * 10.0**-decimals))) if decimals < _FINE else 10.0


def _text(cell: Cell) -> str:
    text = tidy(cell)
    return "" if is_empty(text) or is_ditto(text) else text


def _weight(code: str) -> Weight:
    return "doubtful" if code in _FLAGS else "note"


def _finding(column: int | None, code: str) -> Finding:
    return Finding(column, code, weight=_weight(code))


def _add_group(said: dict[str, str], kind: str, text: str) -> None:
    """A group row speaks where the row itself is silent."""
    flat = flatten(text)
    if kind == "street" and not said.get("address") and not said.get("street_name"):
        named = _STREET_WORD.match(flat)
        said["alley" if flat.startswith(_STREETS) else "street_name"] = text[len(named[0]) :] if named else text
    elif kind in ("residential_group", "ward", "market") and not said.get(kind):
        said[kind] = text
