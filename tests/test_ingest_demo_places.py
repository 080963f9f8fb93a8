"""Where the demonstration sample puts its places: in the ward, along its streets, at addresses as people write them."""

import re
from collections import Counter, defaultdict

import pytest
import shapely
from shapely.geometry import LineString

from ingest import demo
from ingest.demo.groups import GROUPS
from postgis.store.base_map import StreetLine
from tests.test_ingest_demo import COUNT, EAST, WARD, degrees, invent, outline, street, streets


@pytest.fixture(scope="module")
def sample() -> demo.Demo:
    return invent()


def test_places_lie_in_the_ward_and_off_bridges(sample: demo.Demo) -> None:
    ward = shapely.from_wkb(outline())
    points = shapely.points([(place.lon, place.lat) for place in sample.establishments])
    assert shapely.contains(ward, points).all()
    bridge = LineString(degrees((1915, 300), (1995, 300))).buffer(20 * EAST)
    assert not shapely.contains(bridge, points).any()
    assert not [place for place in sample.establishments if "Cầu" in (place.values["address"] or "")]


def test_house_numbers_rise_along_a_street_odd_on_one_side_even_on_the_other(sample: demo.Demo) -> None:
    sides = defaultdict(list)
    for place in sample.establishments:
        number = place.values["house_number"]
        if place.values["street_name"] == "Dọc 600" and number and re.fullmatch(r"\d+[ABC]?", number):
            x = (place.lon - 108.21) / EAST
            sides[x < 600].append((place.lat, int(re.sub(r"\D", "", number))))
    assert all(len(side) > 20 for side in sides.values())
    assert {number % 2 for _, number in sides[True]} | {number % 2 for _, number in sides[False]} == {0, 1}
    for side in sides.values():
        numbers = [number for _, number in sorted(side)]
        assert len({number % 2 for number in numbers}) == 1
        assert numbers in (sorted(set(numbers)), sorted(set(numbers), reverse=True))


def test_addresses_are_written_as_people_write_them(sample: demo.Demo) -> None:
    addresses = [place.values["address"] for place in sample.establishments]
    assert len(set(addresses)) == len(addresses)
    forms = {
        "alley": r"K45/\d+[ABC]? Dọc 600",
        "sub-alley": r"H05/\d+[ABC]? K45 Dọc 600",
        "lane": r"\d+/\d+[ABC]? Dọc 1000",
        "street": r"\d+[ABC]? Ngang 700",
        "street that is a date": r"\d+[ABC]? Đường 2 Tháng 9",
        "stall": r"Quầy [A-Z]-\d\d Chợ minh họa 1",
    }
    for form, pattern in forms.items():
        assert [address for address in addresses if re.fullmatch(pattern, address)], form
    for place in sample.establishments:
        if place.values["street_name"]:
            assert place.values["address"] == f"{place.values['house_number']} {place.values['street_name']}"


def test_nobody_trades_between_the_carriageways(sample: demo.Demo) -> None:
    median = LineString(degrees((1030, 508), (1870, 508))).buffer(6 * EAST)
    assert not [place for place in sample.establishments if shapely.contains_xy(median, place.lon, place.lat)]


def test_residential_groups_divide_the_ward(sample: demo.Demo) -> None:
    groups = sample.residential_groups
    assert [group["code"] for group in groups] == [f"{WARD}-{number:03d}" for number in range(1, GROUPS + 1)]
    shapes = [shapely.from_wkt(group["ewkt"].removeprefix("SRID=4326;")) for group in groups]
    assert all(shape.is_valid and not shape.is_empty for shape in shapes)
    assert shapely.coverage_is_valid(shapes), "neighbours share their edges exactly"
    ward = shapely.from_wkb(outline())
    assert shapely.union_all(shapes).symmetric_difference(ward).area < ward.area * 1e-5
    assert sum(shape.area for shape in shapes) == pytest.approx(ward.area, rel=1e-5)
    tree = shapely.STRtree(shapes)
    points = shapely.points([(place.lon, place.lat) for place in sample.establishments])
    assert set(tree.query(points, predicate="intersects")[0].tolist()) == set(range(COUNT))


def test_model_sites_hold_their_members(sample: demo.Demo) -> None:
    sites = {site["code"]: site for site in sample.model_sites}
    assert Counter(site["kind"] for site in sites.values()) == {"market": 1, "street": 1}
    members = defaultdict(list)
    for place in sample.establishments:
        if place.model_site_code:
            members[place.model_site_code].append(place)
    for code, site in sites.items():
        shape = shapely.from_wkt(site["ewkt"].removeprefix("SRID=4326;"))
        assert all(shapely.contains_xy(shape.buffer(1e-6), place.lon, place.lat) for place in members[code])
    stalls = members[f"{WARD}-M1"]
    assert len(stalls) == len({place.values["stall"] for place in stalls}) == round(COUNT * 180 / 9500)
    assert all(place.values["stall"] is None for place in sample.establishments if place not in stalls)
    assert len({place.values["street_name"] for place in members[f"{WARD}-S1"]}) == 1


@pytest.mark.parametrize("count", [0, 1, 40])
def test_small_samples(count: int) -> None:
    found = invent(count)
    assert len(found.establishments) == count
    assert len(found.residential_groups) == GROUPS


@pytest.mark.parametrize("given", [[], [street("x", None, "service", (10, 10), (900, 900))], streets()[:1]])
def test_wards_with_few_streets_or_none(given: list[StreetLine]) -> None:
    found = invent(300, streets=given)
    assert len(found.establishments) == 300
    ward = shapely.from_wkb(outline())
    assert all(shapely.contains_xy(ward, place.lon, place.lat) for place in found.establishments)
