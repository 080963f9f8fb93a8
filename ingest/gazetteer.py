"""What the geocoder knows of a ward and its surroundings: streets, alleys, house numbers, markets, groups, the ward.

Plain data come in (WGS 84 longitude and latitude), from whatever reader has them; inside all is in metres around the
ward's middle, where a flat map is good to a decimetre.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import Any

from shapely import Point, intersects_xy, prepare, transform, union_all
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ingest.address_book import AddressBook
from ingest.addresses import Address, parse_address
from ingest.extents import XY, half_way, middle_of, radius_of
from ingest.street_names import StreetNames, house_range, read_alley, street_key
from postgis.folding import search_key

_METRES_PER_DEGREE = 111_194.9
_MEETS_M = 12.0
"""An alley that ends no further from its street leaves it there; drawings stop short of wide streets."""
_DOOR_M = 10.0
"""From the middle of a street to the doors."""


@dataclass(frozen=True, slots=True)
class HousePoint:
    """A house number whose place is known. `method`: how, in the register's words; `accuracy_m`: None if not stated."""

    number: str
    street: str
    lon: float
    lat: float
    method: str = "osm"
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Landmark:
    """A market, a centre or a known establishment: addresses name it instead of a street."""

    name: str
    lon: float
    lat: float
    radius_m: float
    method: str = "osm"


@dataclass(frozen=True, slots=True)
class GroupArea:
    """A residential group. `number` as in "tổ 15"."""

    code: str
    number: int
    geometry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class WardArea:
    """The ward itself, a GeoJSON polygon."""

    code: str
    name: str
    geometry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class GazetteerData:
    """Everything that a reader brings. `streets`: name and GeoJSON lines, alleys among them by their names."""

    ward: WardArea
    streets: Sequence[tuple[str, dict[str, Any]]] = ()
    houses: Sequence[HousePoint] = ()
    landmarks: Sequence[Landmark] = ()
    groups: Sequence[GroupArea] = ()
    ward_names: Mapping[str, str | None] = field(default_factory=dict)
    street_names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class House:
    """A known house on a way, in metres."""

    id: int
    number: int
    spelt: str
    at: XY
    method: str
    accuracy_m: float | None


@dataclass
class Way:
    """A street, or an alley of one: its line where it is drawn, its known houses."""

    line: BaseGeometry | None = None
    houses: list[House] = field(default_factory=list)
    mouths: list[House] = field(default_factory=list)
    """Where alleys leave it: their numbers are house numbers too."""
    _depths: dict[XY, float] = field(default_factory=dict)

    @cached_property
    def middle(self) -> tuple[XY, float] | None:
        """Its middle, and how far from it nine tenths of it lie; None where it is not drawn."""
        return None if self.line is None else half_way(self.line)

    @cached_property
    def sides(self) -> tuple[dict[int, XY], dict[int, XY]]:
        """Where its known even and odd numbers are."""
        return sides(self)

    @cached_property
    def spelt(self) -> dict[str, list[House]]:
        """Its known houses by each number as it is spelt: "12-14" is both."""
        found: dict[str, list[House]] = defaultdict(list)
        for house in self.houses:
            for part in house.spelt.split("-"):
                found[part].append(house)
        return found

    def depth_of(self, at: XY, line: BaseGeometry) -> float:
        """How far a place stands from the middle of the street."""
        found = self._depths.get(at)
        if found is None:
            found = self._depths[at] = float(line.distance(Point(at)))
        return found


def sides(way: Way, hidden: frozenset[int] = frozenset()) -> tuple[dict[int, XY], dict[int, XY]]:
    """Where the known even and odd numbers of a way are."""
    places = _by_number(way.mouths, hidden) | _by_number(way.houses, hidden)
    even = {number: at for number, at in places.items() if number % 2 == 0}
    return even, {number: at for number, at in places.items() if number % 2}


def _by_number(houses: Sequence[House], hidden: frozenset[int]) -> dict[int, XY]:
    at: dict[int, list[XY]] = defaultdict(list)
    for house in houses:
        if house.id not in hidden:
            at[house.number].append(house.at)
    return {number: middle(places) for number, places in at.items()}


def middle(places: Sequence[XY]) -> XY:
    """The middle of some places; one that lies far off does not move it."""
    return median(x for x, _ in places), median(y for _, y in places)


WayKey = tuple[str, tuple[str, ...]]
"""A street's folded name, and the numbers of the alley from the street inwards (none: the street itself)."""


class Gazetteer:
    """The data, indexed. Made once, asked thousands of times."""

    def __init__(self, data: GazetteerData) -> None:
        outline = shape(data.ward.geometry)
        middle = outline.representative_point()
        self._lon, self._lat = middle.x, middle.y
        self._east = _METRES_PER_DEGREE * math.cos(math.radians(self._lat))
        self.ward = data.ward
        self.outline = self._metric(outline)
        prepare(self.outline)
        self.ways: dict[WayKey, Way] = defaultdict(Way)
        self.mouths: dict[WayKey, XY | None] = {}
        """Where alleys begin, as far as it has been asked for."""
        self._extents: dict[int, tuple[XY, float]] = {}
        drawn = [name for name, _ in data.streets if read_alley(name) is None and " / " not in name]
        self.book = AddressBook(
            StreetNames([*drawn, *(house.street for house in data.houses if read_alley(house.street) is None),
                         *data.street_names]),
            data.ward_names,
            [landmark.name for landmark in data.landmarks],
        )  # fmt: skip
        self._draw(data.streets)
        self._place(data.houses)
        self._mark_mouths()
        self.landmarks = {search_key(each.name): each for each in reversed(data.landmarks) if each.name}
        self.groups: dict[int, list[BaseGeometry]] = defaultdict(list)
        for group in data.groups:
            self.groups[group.number].append(self._metric(shape(group.geometry)))

    def _draw(self, streets: Iterable[tuple[str, dict[str, Any]]]) -> None:
        lines: dict[WayKey, list[BaseGeometry]] = defaultdict(list)
        for name, geometry in streets:
            for part in name.split(" / "):
                alley = read_alley(part)
                key = (street_key(alley.street), tuple(alley.path.split("/"))) if alley else (street_key(part), ())
                lines[key].append(self._metric(shape(geometry)))
        for key, members in lines.items():
            self.ways[key].line = union_all(members)

    def _place(self, houses: Iterable[HousePoint]) -> None:
        for at, house in enumerate(houses):
            address = parse_address(f"{house.number} {house.street}", self.book)
            key, number = self.way_of(address) or (("", ()), None)
            if number is None:
                continue
            known = House(at, number, address.house_number or "", self.metres(house.lon, house.lat), house.method,
                          house.accuracy_m)  # fmt: skip
            self.ways[key].houses.append(known)

    def _mark_mouths(self) -> None:
        """An alley is called by the number at which it leaves its street: one more known number, by its mouth."""
        for (street, path), lane in list(self.ways.items()):
            outer = self.ways.get((street, path[:-1])) if path else None
            if lane.line is None or outer is None or outer.line is None or not path[-1].isdigit():
                continue
            if lane.line.distance(outer.line) <= _MEETS_M:
                inside = lane.line.intersection(outer.line.buffer(_DOOR_M).boundary)
                at = (inside if not inside.is_empty else lane.line).representative_point()
                if outer.line.distance(at) <= 2 * _DOOR_M:
                    outer.mouths.append(House(-1, int(path[-1]), "", (at.x, at.y), "interpolated", None))

    def way_of(self, address: Address) -> tuple[WayKey, int | None] | None:
        """The street or alley of an address, and the house's number along it."""
        if address.street_name is None:
            return None
        street, path = search_key(address.street_name), address.alley_path
        numbers = house_range(address.house_number) if address.house_number else None
        number = numbers and (numbers[0] + numbers[1]) // 2 // 2 * 2 + numbers[0] % 2
        if number is not None and len(path) == 1 and _fronts_street(number, path[0]):
            return (street, ()), number
        return (street, path), number

    def extent_of(self, area: BaseGeometry, kind: str) -> tuple[XY, str, float]:
        """The middle of an area, what it is, and how far from the middle nine tenths of it lie."""
        if id(area) not in self._extents:
            self._extents[id(area)] = (middle_of(area), radius_of(area))
        at, radius = self._extents[id(area)]
        return at, kind, radius

    def metres(self, lon: float, lat: float) -> XY:
        """East and north of the ward's middle."""
        return (lon - self._lon) * self._east, (lat - self._lat) * _METRES_PER_DEGREE

    def degrees(self, at: XY) -> XY:
        """Longitude and latitude."""
        return self._lon + at[0] / self._east, self._lat + at[1] / _METRES_PER_DEGREE

    def is_inside(self, at: XY) -> bool:
        """Whether a place lies in the ward."""
        return bool(intersects_xy(self.outline, *at))

    def _metric(self, geometry: BaseGeometry) -> BaseGeometry:
        return transform(geometry, lambda points: (points - (self._lon, self._lat)) * (self._east, _METRES_PER_DEGREE))


def _fronts_street(number: int, alley: str) -> bool:
    """ "330 Kiệt 328 Hoàng Diệu" is a house of Hoàng Diệu beside the alley's mouth: alleys number from 1."""
    digits = "".join(letter for letter in alley if letter.isdigit())
    return bool(digits) and number >= 50 and abs(number - int(digits)) <= 20
