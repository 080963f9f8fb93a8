"""Locates an address: exact house number, else between known numbers, else street, landmark, group, ward.

Every answer states how it was found and an expected error: nine of ten places should lie within it. The figures behind
that are calibrated on house numbers of the neighbouring wards and checked on those of Hòa Cường
(`python -m tests.geocode_trial`). Nothing is invented: where nothing is known there is no answer.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.addresses import Address, parse_address
from ingest.along import along_lane, guesses, mouth_of
from ingest.extents import XY, pieces
from ingest.gazetteer import Gazetteer, Way, WayKey, middle
from ingest.geocode_errors import EXACT_M, expected_error
from postgis.folding import search_key


@dataclass(frozen=True, slots=True)
class Located:
    """Where an address lies (WGS 84).

    `method` is the register's word; `basis` says finer what it rests on: house_number, between_numbers, along_numbers,
    alley, alley_mouth, street, landmark, residential_group, ward.
    """

    lon: float
    lat: float
    method: str
    basis: str
    expected_error_m: float
    inside_ward: bool
    address: Address
    problems: tuple[str, ...] = ()

    def parts(self) -> Mapping[str, str]:
        """The address's parts, by the names of the register."""
        return self.address.parts()


@dataclass(slots=True)
class _Spot:
    at: XY
    basis: str
    error_m: float
    method: str = "interpolated"
    problems: list[str] = field(default_factory=list)


def locate(gazetteer: Gazetteer, text: str, hidden: frozenset[int] = frozenset()) -> Located | None:
    """Where an address lies, or None when nothing is known of it. `hidden`: house points that count as unknown."""
    return locate_address(gazetteer, parse_address(text, gazetteer.book), hidden)


def locate_address(gazetteer: Gazetteer, address: Address, hidden: frozenset[int] = frozenset()) -> Located | None:
    """Where a parsed address lies."""
    spot = _on_a_way(gazetteer, address, hidden) or _at_landmark(gazetteer, address) or _in_area(gazetteer, address)
    if spot is None:
        return None
    problems = spot.problems
    inside = gazetteer.is_inside(spot.at)
    if not inside:
        problems.append("outside_ward")
    if address.ward_code and address.ward_code != gazetteer.ward.code:
        problems.append("other_ward_named")
    lon, lat = gazetteer.degrees(spot.at)
    return Located(
        round(lon, 6), round(lat, 6), spot.method, spot.basis, float(math.ceil(spot.error_m)), inside, address,
        tuple(problems),
    )  # fmt: skip


def _on_a_way(gazetteer: Gazetteer, address: Address, hidden: frozenset[int]) -> _Spot | None:
    found = gazetteer.way_of(address)
    if found is None:
        return None
    (street, path), number = found
    main = gazetteer.ways.get((street, ()), Way())
    if path:
        return _in_alley(gazetteer, (street, path), number, address, hidden) or _on_street(main)
    if number is None:
        return _at_landmark(gazetteer, address) or _on_street(main)
    return _at_number(main, number, address.house_number or "", hidden) or _on_street(main)


def _at_number(way: Way, number: int, spelt: str, hidden: frozenset[int], mouth: XY | None = None) -> _Spot | None:
    exact = _exactly(way, spelt, hidden)
    if exact is not None:
        return exact
    tried = [(expected_error(guess.kind, guess.spread), guess) for guess in guesses(way, number, hidden, mouth)]
    if not tried:
        return None
    error, guess = min(tried, key=lambda pair: pair[0])
    if way.middle is not None and mouth is None and error > way.middle[1]:
        # A number far from all that are known says no more than the street does.
        return None
    basis = "between_numbers" if guess.kind in ("between", "beside", "opposite") else "along_numbers"
    return _Spot(guess.at, basis, error)


def _exactly(way: Way, spelt: str, hidden: frozenset[int]) -> _Spot | None:
    known = {house.id: house for part in spelt.split("-") for house in way.spelt.get(part, ())}
    same = [known[number] for number in sorted(known) if number not in hidden]
    if not same:
        return None
    at = middle([house.at for house in same])
    apart = max(math.dist(at, house.at) for house in same)
    stated = max((house.accuracy_m or 0.0 for house in same), default=0.0)
    spot = _Spot(at, "house_number", max(EXACT_M, apart, stated), same[0].method)
    if apart > 100:
        # One number in two places: nobody can tell which is meant.
        spot.problems.append("number_twice")
    return spot


def _in_alley(
    gazetteer: Gazetteer, key: WayKey, number: int | None, address: Address, hidden: frozenset[int]
) -> _Spot | None:
    """In the alley, as deep as it is known: hẻm 12 of kiệt 45, else kiệt 45, else where it leaves the street."""
    street, path = key
    while path:
        way = gazetteer.ways.get((street, path))
        mouth = mouth_at(gazetteer, street, path, hidden)
        spelt = address.house_number or "" if path == key[1] else ""
        if way is not None:
            spot = _at_number(way, number, spelt, hidden, mouth) if number is not None else None
            if spot is None and way.line is not None:
                near = mouth or next(iter(pieces(way.line))).coords[0][:2]
                guess = along_lane(way.line, (near[0], near[1]), number)
                spot = _Spot(guess.at, "alley", expected_error(guess.kind, guess.spread))
            if spot is not None:
                if path != key[1]:
                    # The house lies further in than what is known.
                    spot.error_m += 2 * expected_error("mouth", 0.0)
                return spot
        if len(path) == 1:
            break
        number, path = int("".join(filter(str.isdigit, path[-1])) or 0), path[:-1]
    digits = "".join(filter(str.isdigit, path[0]))
    main = gazetteer.ways.get((street, ()), Way())
    at_mouth = _at_number(main, int(digits), path[0], hidden) if digits else None
    if at_mouth is None:
        return None
    depth = (number or 10) * 2.0 + 40.0 * (len(key[1]) - 1)
    inwards = expected_error("mouth", depth)
    error = math.hypot(at_mouth.error_m, inwards)
    return _Spot(at_mouth.at, "alley_mouth", error, problems=["alley_not_drawn"])


def mouth_at(gazetteer: Gazetteer, street: str, path: tuple[str, ...], hidden: frozenset[int]) -> XY | None:
    """Where an alley begins, from the lines of both or from its number on the street."""
    if hidden:
        return _mouth_at(gazetteer, street, path, hidden)
    if (street, path) not in gazetteer.mouths:
        gazetteer.mouths[street, path] = _mouth_at(gazetteer, street, path, hidden)
    return gazetteer.mouths[street, path]


def _mouth_at(gazetteer: Gazetteer, street: str, path: tuple[str, ...], hidden: frozenset[int]) -> XY | None:
    lane, outer = gazetteer.ways.get((street, path)), gazetteer.ways.get((street, path[:-1]))
    if outer is None:
        return None
    if lane is not None and lane.line is not None and outer.line is not None:
        return mouth_of(lane.line, outer.line)
    digits = "".join(filter(str.isdigit, path[-1]))
    spot = _at_number(outer, int(digits), path[-1], hidden) if digits else None
    return spot.at if spot and spot.error_m <= 60 else None


def _on_street(way: Way) -> _Spot | None:
    if way.middle is None:
        return None
    at, far = way.middle
    return _Spot(at, "street", max(far, 20.0))


def _at_landmark(gazetteer: Gazetteer, address: Address) -> _Spot | None:
    # A name without a street may be read as one: "Tầng 2, Vincom".
    street = address.street_name if "unknown_street" in address.problems and not address.house_number else None
    for name in (address.site, address.rest, street):
        if name and (known := gazetteer.landmarks.get(search_key(name))):
            return _Spot(gazetteer.metres(known.lon, known.lat), "landmark", max(known.radius_m, EXACT_M), known.method)
    return None


def _in_area(gazetteer: Gazetteer, address: Address) -> _Spot | None:
    elsewhere = address.ward_code is not None and address.ward_code != gazetteer.ward.code
    if elsewhere:
        return None
    if address.residential_group and address.residential_group.isdigit():
        areas = gazetteer.groups.get(int(address.residential_group), [])
        if len(areas) == 1:
            return _Spot(*gazetteer.extent_of(areas[0], "residential_group"))
    known_street = address.street_name is not None and "unknown_street" not in address.problems
    if address.ward_code == gazetteer.ward.code or known_street:
        return _Spot(*gazetteer.extent_of(gazetteer.outline, "ward"))
    return None
