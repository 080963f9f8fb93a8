"""Coordinate reference systems (OGC API Features Part 2): what comes out and what a bbox means, against pyproj."""

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from pyproj import CRS, Transformer
from sqlalchemy import Connection, func, select

from layers import crs
from postgis.engine import Database
from tests.register_api import ITEMS, Api, register_api

PLACES = ITEMS.format("establishments")
WARD_WINDOW = (546_600, 1_772_000, 551_900, 1_777_100)
"""Where Hòa Cường lies in EPSG:5899: east, north, east, north."""


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "reference_systems", places=60) as found:
        yield found


def _authority(system: crs.Crs) -> str:
    return "OGC:CRS84" if system is crs.CRS84 else f"EPSG:{system.srid}"


def _told(connection: Connection, system: crs.Crs, lon: float, lat: float) -> list[float]:
    import json

    point = func.public.st_setsrid(func.public.st_makepoint(lon, lat), 4326)
    told = json.loads(connection.execute(select(crs.geometry_json(point, system, 6))).scalar_one())
    assert set(told) == {"type", "coordinates"}, "RFC 7946 has no member crs"
    return [float(value) for value in told["coordinates"]]


def test_the_test_vector(owner_connection: Connection) -> None:
    found = crs.find("http://www.opengis.net/def/crs/EPSG/0/5899")
    assert found is not None
    assert _told(owner_connection, found, 108.2225, 16.0470) == [550362.21, 1774837.19]


@pytest.mark.parametrize("system", crs.SUPPORTED, ids=crs.NAMES)
def test_axis_order_and_datum_shift_are_the_authoritys(owner_connection: Connection, system: crs.Crs) -> None:
    known = CRS.from_user_input(_authority(system))
    # Nobody is told to put the easting first: this is how the authority has it.
    there = Transformer.from_crs("OGC:CRS84", known)
    assert system.northing_first == (known.axis_info[0].direction == "north")
    assert system.projected == known.is_projected
    for lon, lat in product((105.1, 107.75, 108.2225), (10.5, 16.047, 21.03)):
        expected = there.transform(lon, lat)
        assert _told(owner_connection, system, lon, lat) == pytest.approx(expected, abs=0.011), (lon, lat)
        back = crs.to_crs84(system, [expected])[0]
        assert back == pytest.approx((lon, lat), abs=1e-8)


@pytest.mark.parametrize("system", crs.SUPPORTED, ids=crs.NAMES)
def test_items_are_told_in_the_crs_asked_for(api: Api, system: crs.Crs) -> None:
    there = Transformer.from_crs("OGC:CRS84", _authority(system))
    plain = api.get(f"{PLACES}?limit=100")["features"]
    assert len(plain) == 61
    answer = api.ask("GET", f"{PLACES}?limit=100&crs={quote(system.uri)}")
    assert answer.headers["content-crs"] == f"<{system.uri}>"
    for known, told in zip(plain, answer.json()["features"], strict=True):
        expected = there.transform(*known["geometry"]["coordinates"])
        assert told["geometry"]["coordinates"] == pytest.approx(expected, abs=0.011)
    one = api.ask("GET", f"{PLACES}/{plain[0]['id']}?crs={quote(system.uri)}")
    assert one.headers["content-crs"] == f"<{system.uri}>"
    assert one.json()["geometry"] == answer.json()["features"][0]["geometry"]


@pytest.mark.parametrize("system", crs.SUPPORTED, ids=crs.NAMES)
@pytest.mark.parametrize("part", [0.2, 0.51, 0.9])
def test_a_bbox_holds_what_pyproj_says_it_holds(api: Api, system: crs.Crs, part: float) -> None:
    there = Transformer.from_crs("OGC:CRS84", _authority(system))
    places = {found["id"]: found["geometry"]["coordinates"] for found in api.get(f"{PLACES}?limit=100")["features"]}
    at = {code: there.transform(*point) for code, point in places.items()}
    # Edges between two places: none lies on one, so that centimetres do not decide.
    firsts, seconds = (sorted({round(point[axis], 7) for point in at.values()}) for axis in (0, 1))
    x, y = ((found[int(len(found) * part) - 1] + found[int(len(found) * part)]) / 2 for found in (firsts, seconds))
    if part < 0.5:
        y = seconds[-1] + 1
    box = (firsts[0] - 1, seconds[0] - 1, x, y)
    inside = {code for code, point in at.items() if point[0] <= x and point[1] <= y}
    text = ",".join(repr(value) for value in box)
    found = api.get(f"{PLACES}?limit=100&bbox={text}&bbox-crs={quote(system.uri)}")["features"]
    assert {feature["id"] for feature in found} == inside
    assert 0 < len(inside) < len(places)


def test_a_bbox_in_metres_is_no_box_in_degrees() -> None:
    """Towards the edge of the zone the grid's north turns away from the meridian: some 11 m over the ward."""
    vn2000 = crs.find("EPSG:5899")
    assert vn2000 is not None
    box, outline = crs.box_to_crs84(vn2000, WARD_WINDOW)
    assert outline is not None and outline[0] == outline[-1]
    corner = crs.to_crs84(vn2000, [(WARD_WINDOW[0], WARD_WINDOW[1])])[0]
    assert corner[1] > box[1] + 5e-5
    assert box == pytest.approx((108.1869, 16.0207, 108.2370, 16.0676), abs=2e-3)


@pytest.mark.parametrize("name", ["crs", "bbox-crs"])
@pytest.mark.parametrize("value", ["EPSG:32648", "http://www.opengis.net/def/crs/EPSG/0/4756", "CRS84'", "%00", "5899"])
def test_another_crs_is_refused_by_name(api: Api, name: str, value: str) -> None:
    for who in (None, "officer"):
        answer = api.ask("GET", f"{PLACES}?bbox=1,2,3,4&{name}={value}", who)
        assert answer.status_code == 400
        problem = answer.json()
        assert problem["type"].endswith(":unknown_crs") and problem["errors"][0]["pointer"] == name
        assert "5899" in problem["detail"]


@pytest.mark.parametrize(
    "box", ["0,0,1e300,1e300", "551900,1772000,546600,1777100", "1e9,1e9,2e9,2e9", "-1e30,-1e30,1e30,1e30", "1,2,3"]
)
@pytest.mark.parametrize("code", [3857, 5899, 3406])
def test_a_box_beyond_the_world_is_refused(api: Api, code: int, box: str) -> None:
    answer = api.ask("GET", f"{PLACES}?bbox={box}&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/{code}")
    assert answer.status_code == 400
    assert answer.json()["type"].endswith(":invalid_bbox")


def test_collections_say_what_they_can_be_told_in(api: Api) -> None:
    document: dict[str, Any] = api.get("/ogc/collections")
    assert document["crs"] == list(crs.URIS)
    for collection in document["collections"]:
        assert collection["crs"] == list(crs.URIS)
        assert collection["storageCrs"] == crs.CRS84.uri


def test_a_staff_members_own_records_are_told_so_too(api: Api) -> None:
    ask = partial(api.ask, "GET", who="officer")
    plain = ask(f"{PLACES}?limit=1").json()["features"][0]
    told = ask(f"{PLACES}/{plain['id']}?crs={quote(crs.SUPPORTED[1].uri)}").json()
    assert told["geometry"]["coordinates"] == plain["geometry"]["coordinates"][::-1]
    assert told["properties"] == plain["properties"]
