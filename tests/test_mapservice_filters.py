"""`filter` over HTTP: what it finds of a small ward, for whom, and how it refuses what is wrong or too much."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Connection, select

from layers import cql2
from layers.collections import ESTABLISHMENTS, STAFF_COLLECTIONS
from layers.cql2 import limits
from layers.errors import InvalidFilter
from postgis.engine import Database
from tests.register_api import ITEMS, Api, register_api

PLACES = ITEMS.format("establishments")
TILE = "/ogc/collections/establishments/tiles/WebMercatorQuad/5/14/25"
NAMES = ("Phở Thìn", "PHỞ XÀO", "Bún chả cá", "Đồng Khởi", "dong ho", "Cà phê 100%", "Trà_sữa", "Ốc \\ Hến")


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "filters", places=4) as found:
        for place, name in enumerate(NAMES):
            point = {"type": "Point", "coordinates": [108.2100 + place * 0.001, 16.0400]}
            found.add_place(name=name, geometry=point, sector_group="cafe_drinks", address=f"{place} Núi Thành")
        yield found


def _ask(api: Api, expression: str | dict[str, Any], who: str | None = None, **more: str) -> Any:
    if isinstance(expression, dict):
        expression, more = json.dumps(expression), {"filter-lang": "cql2-json", **more}
    return api.client.get(
        more.pop("path", PLACES),
        params={"filter": expression, **more},
        headers={} if who is None else {"Authorization": f"Bearer {api.tokens[who]}"},
    )


def _names(api: Api, expression: str | dict[str, Any], who: str | None = None, **more: str) -> list[str]:
    answer = _ask(api, expression, who, limit="100", **more)
    assert answer.status_code == 200, answer.text
    return [feature["properties"]["name"] for feature in answer.json()["features"]]


FOUND = [
    ("ACCENTI(name) LIKE ACCENTI('%pho%')", ["Phở Thìn", "PHỞ XÀO"]),
    ("ACCENTI(name) LIKE ACCENTI('DONG%')", ["Đồng Khởi", "dong ho"]),
    ("ACCENTI(name) = accenti('bun cha ca')", ["Bún chả cá"]),
    ("CASEI(name) LIKE CASEI('phở%')", ["Phở Thìn", "PHỞ XÀO"]),
    ("CASEI(name) = CASEI('ĐỒNG KHỞI')", ["Đồng Khởi"]),
    ("name LIKE 'Phở%'", ["Phở Thìn"]),
    ("name = 'Pho\u031b\u0309 Thìn'", ["Phở Thìn"]),
    (r"name LIKE '%\%'", ["Cà phê 100%"]),
    (r"name LIKE '%\_%'", ["Trà_sữa"]),
    (r"name LIKE '%\\%'", ["Ốc \\ Hến"]),
    (r"ACCENTI(name) LIKE ACCENTI('%\\%')", ["Ốc \\ Hến"]),
    # Unaccent makes signs of a pattern from full-width letters.
    ("ACCENTI(name) LIKE ACCENTI('tra＿sua')", ["Trà_sữa"]),
    ("ACCENTI(name) LIKE ACCENTI('%100％')", ["Cà phê 100%"]),
    ("ACCENTI(name) LIKE ACCENTI('%＼')", []),
    # In Vietnamese order đ follows d, and ô follows o: not what their code points say.
    ("sector_group = 'cafe_drinks' AND name > 'dz' AND name < 'e'", ["Đồng Khởi"]),
    ("name IN ('Bún chả cá', name_en, 'x')", ["Bún chả cá"]),
    ("sector_group = 'cafe_drinks' AND residential_group IS NULL AND name LIKE 'Tr%'", ["Trà_sữa"]),
    ("name_en = 'a' OR NOT (name_en = 'a')", []),
    ("NOT (name_en <> 'a') OR name = 'Bún chả cá'", ["Bún chả cá"]),
    ("sector_group = 'cafe_drinks' AND S_INTERSECTS(geometry, BBOX(108.2095, 16.03, 108.2115, 16.05))",
     ["Phở Thìn", "PHỞ XÀO"]),
    ("sector_group = 'cafe_drinks' AND S_WITHIN(geometry, POLYGON Z((108 16 1,108.2105 16 1,108.2105 17 1,108 16 1)))",
     ["Phở Thìn"]),
    ("\"name\" = 'dong ho' AND updated_at > TIMESTAMP('2020-01-01T00:00:00+07:00') AND live_warning = false",
     ["dong ho"]),
    ("name = 'dong ho' AND T_AFTER(verified_on, DATE('1900-01-01'))", []),
    ("name = 'dong ho' AND 2 * (3 + 4) = 14 AND 7 div 2 = 3 AND 7 % 4 = 3 AND 2 ^ 3 = 8 AND 1 / 4 = .25", ["dong ho"]),
    ("name = 'dong ho' AND 1 / 0 = 1 OR name = 'dong ho' AND (1 / 0 IS NULL AND (0 - 2) ^ 0.5 IS NULL)", ["dong ho"]),
    ("name = 'dong ho' AND 1e29 ^ 1e29 IS NULL AND 0.0001 ^ 99999 IS NULL", ["dong ho"]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "names"), FOUND)
def test_what_a_filter_finds(api: Api, expression: str, names: list[str]) -> None:
    assert sorted(_names(api, expression)) == sorted(names)


def test_lists_of_codes_are_sets(api: Api) -> None:
    place = api.add_place(name="Ví điện tử").rsplit("/", 1)[1]
    for method in ("vietqr", "momo"):
        api.add(
            "payment_acceptances", establishment=place, method=method, accepted=True, evidence_level="observed",
            checked_on="2026-01-02", source="office",
        )  # fmt: skip
    others = len(_names(api, "A_CONTAINS(payment_methods, ('vietqr'))")) - 1
    assert others > 0
    for expression, found in (
        ("A_EQUALS(payment_methods, ('momo', 'vietqr'))", 1),
        ("A_CONTAINS(payment_methods, ('momo'))", 1),
        ("A_CONTAINS(payment_methods, ('momo', 'cash'))", 0),
        ("A_CONTAINEDBY(payment_methods, ('momo', 'vietqr', 'cash')) AND A_OVERLAPS(payment_methods, ('momo'))", 1),
        ("A_OVERLAPS(payment_methods, ('momo', 'vietqr'))", others + 1),
    ):
        assert len(_names(api, expression)) == found, expression
    as_json = {"op": "a_containedBy", "args": [["momo"], {"property": "payment_methods"}]}
    assert _names(api, as_json) == ["Ví điện tử"]


def test_text_and_json_say_the_same(api: Api) -> None:
    name, place = {"property": "name"}, {"type": "Point", "coordinates": [108.21, 16.04]}
    as_json = {
        "op": "and",
        "args": [
            {"op": "like", "args": [{"op": "accenti", "args": [name]}, {"op": "accenti", "args": ["pho%"]}]},
            {"op": "s_intersects", "args": [{"property": "geometry"}, place]},
            {"op": "isNull", "args": [{"property": "verified_on"}]},
            {"op": "not", "args": [{"op": "between", "args": [{"op": "+", "args": [1, 1]}, 3, 4.5]}]},
            {"op": "t_before", "args": [{"date": "2026-01-01"}, {"interval": ["2026-02-01", ".."]}]},
        ],
    }  # fmt: skip
    assert _names(api, as_json) == ["Phở Thìn"]


def test_coordinates_of_a_filter_follow_its_crs(api: Api) -> None:
    first = "http://www.opengis.net/def/crs/EPSG/0/4326"
    metres = "http://www.opengis.net/def/crs/EPSG/0/5899"
    told = api.get(f"{PLACES}?q=pho%20thin&crs={metres}")["features"][0]["geometry"]["coordinates"]
    around = f"BBOX({told[0] - 5}, {told[1] - 5}, {told[0] + 5}, {told[1] + 5})"
    assert _names(api, f"S_INTERSECTS(geometry, {around})", **{"filter-crs": metres}) == ["Phở Thìn"]
    assert _names(api, "S_EQUALS(geometry, POINT(16.04 108.21))", **{"filter-crs": first}) == ["Phở Thìn"]
    assert _ask(api, "S_EQUALS(geometry, POINT(16.04 108.21))").json()["type"].endswith(":filter_geometry")


def test_a_filter_narrows_with_all_the_rest(api: Api) -> None:
    cafes = "sector_group = 'cafe_drinks'"
    assert len(_names(api, cafes)) == len(NAMES)
    assert _names(api, cafes, q="pho thin") == ["Phở Thìn"]
    assert len(_names(api, cafes, bbox="108.2095,16.03,108.2115,16.05")) == 2
    page = _ask(api, cafes, limit="5").json()
    assert page["numberMatched"] == len(NAMES)
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert len(api.client.get(following).json()["features"]) == len(NAMES) - 5
    assert _ask(api, cafes, f="html").status_code == 200


def test_tiles_take_the_same_filters(api: Api) -> None:
    whole = api.client.get(TILE).content
    narrowed = _ask(api, "ACCENTI(name) LIKE ACCENTI('%pho%')", path=TILE)
    assert narrowed.status_code == 200 and narrowed.content and narrowed.content != whole
    assert _ask(api, "name = 'there is none'", path=TILE).status_code == 204
    assert _ask(api, "tax_code = '1'", path=TILE).json()["type"].endswith(":filter_property")


STAFF_ONLY = sorted(
    {(found.id, field.name) for found in STAFF_COLLECTIONS.values() if found.access == "public"
     for field in found.fields if field.access == "staff"}
)  # fmt: skip


@pytest.mark.parametrize(("collection", "name"), STAFF_ONLY)
def test_what_staff_alone_may_see_cannot_be_asked_for(api: Api, collection: str, name: str) -> None:
    path = ITEMS.format(collection)
    answers = [_ask(api, f"{asked} IS NULL", path=path) for asked in (name, "there_is_none")]
    problems = [answer.json() for answer in answers]
    assert [problem["type"] for problem in problems] == ["urn:mapservice:problem:filter_property"] * 2
    # In the very words in which a property is refused that nobody has.
    assert problems[0]["detail"].replace(name, "there_is_none") == problems[1]["detail"]
    assert _ask(api, f"{name} IS NULL", "officer", path=path).status_code == 200


def test_staff_ask_for_their_own_wards_fields_alone(api: Api) -> None:
    """Of other wards' places staff fields are unknown, whatever stands there."""
    everywhere = _names(api, "name LIKE 'Quán Thử%'", "officer")
    own = _names(api, "name LIKE 'Quán Thử%' AND position_method IS NOT NULL", "officer")
    assert len(everywhere) == 5 and len(own) == 4


DEEP = 100_000
HOSTILE = [
    ("(" * DEEP + "name = 'a'" + ")" * DEEP, "filter_too_long"),
    ("(" * 33 + "name = 'a'" + ")" * 33, "filter_too_deep"),
    ("(" * 9_000 + "name = 'a'" + ")" * 9_000, "filter_too_deep"),
    ("(" * 19_000, "filter_too_deep"),
    ("(" * 31, "filter_unfinished"),
    ("(name = 'a' AND " * 1_200, "filter_too_deep"),
    ("NOT " * 4_000 + "live_warning", "filter_too_deep"),
    ("-" * 10_000 + "1 = 1", "filter_too_deep"),
    ("1" + "+1" * 9_000 + " = 1", "filter_too_deep"),
    ("CASEI(" * 3_000, "filter_too_deep"),
    ("S_INTERSECTS(geometry, " + "GEOMETRYCOLLECTION(" * 900, "filter_too_deep"),
    (" OR ".join(["code = 'a'"] * 1_400), "filter_too_large"),
    ("code IN (" + ",".join(["'a'"] * 4_000) + ")", "filter_too_large"),
    (f"S_INTERSECTS(geometry, LINESTRING({','.join(f'{x % 9} 1' for x in range(3_000))}))", "filter_too_large"),
    ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 0 1, 1 0, 0 0)))", "filter_geometry"),
    ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1)))", "filter_geometry"),
    ("S_INTERSECTS(geometry, POINT(1e300 1))", "filter_geometry"),
    ("S_INTERSECTS(geometry, POINT EMPTY)", "filter_geometry"),
    ("S_INTERSECTS(geometry, POINT(NaN 1))", "filter_geometry"),
    ("S_INTERSECTS(geometry, POINT(1; SELECT 1))", "filter_syntax"),
    ("S_TOUCHES(geometry, GEOMETRYCOLLECTION(POINT(1 1)))", "filter_geometry"),
    ("S_INTERSECTS(name, POINT(1 1))", "filter_operand"),
    ("S_NEAR(geometry, POINT(1 1))", "filter_operation"),
    ("pg_sleep(10) = 1", "filter_operation"),
    ("name = 'a'; DROP TABLE register.establishment", "filter_syntax"),
    ("name = 'a", "filter_syntax"),
    ("name =", "filter_unfinished"),
    ("name", "filter_operand"),
    ("1 = 'a'", "filter_kinds"),
    ("name > 1", "filter_kinds"),
    ("geometry = geometry", "filter_operand"),
    ("payment_methods = payment_methods", "filter_operand"),
    ("updated_at > DATE('2026-01-01')", "filter_kinds"),
    ("verified_on > 'yesterday'", "filter_value"),
    ("verified_on > DATE('2026-02-30')", "filter_value"),
    ("updated_at > TIMESTAMP('2026-01-01T00:00:00')", "filter_value"),
    ("updated_at > TIMESTAMP('0001-01-01T00:00:00+23:59')", "filter_value"),
    ("T_DURING(INTERVAL('2026-02-01', '2026-01-01'), INTERVAL('..', '..'))", "filter_value"),
    ("name LIKE '" + "%a" * 5_000 + "'", "filter_value"),
    ("name LIKE '" + "_" * 5_000 + "'", "filter_value"),
    ("name LIKE name", "filter_operand"),
    ("name IN ()", "filter_arguments"),
    ("no_such_thing = 1", "filter_property"),
    ("search_key = 'a'", "filter_property"),
    ("1" * 41 + " = 1", "filter_syntax"),
    ("1e300 = 1e300", "filter_value"),
    ("name = 'a\x00b'", "invalid_text"),
    ("name = '\ufffd'", "invalid_text"),
    ("\x01\x02", "filter_syntax"),
]
HOSTILE_JSON = [
    ("[" * 9_000, "filter_too_deep"),
    ('{"op":"not","args":[' * 900 + "true" + "]}" * 900, "filter_too_deep"),
    ('{"op":"=","args":[1,' + "[" * 2_000 + "]" * 2_000 + "]}", "filter_too_deep"),
    ('{"type":"Point","coordinates":' + "[" * 900 + "1" + "]" * 900 + "}", "filter_geometry"),
    ('{"type":"GeometryCollection","geometries":[' * 300 + "]}" * 300, "filter_geometry"),
    ('{"op":"=","args":[' + "9" * 10_000 + ",1]}", "filter_json"),
    ('{"op":"=","args":[1e999,1]}', "filter_value"),
    ('{"op":"=","args":[NaN,1]}', "filter_json"),
    ('{"op":"=","args":["\\u0000",{"property":"name"}]}', "filter_value"),
    ('{"op":"=","args":["\\ud800",{"property":"name"}]}', "filter_value"),
    ('{"op":{"op":1},"args":[1,2]}', "filter_operation"),
    ('{"op":"=","args":{"a":1}}', "filter_arguments"),
    ('{"op":"=","args":[1]}', "filter_arguments"),
    ('{"property":["a"]}', "filter_property"),
    ('{"op":"=","args":[null,null]}', "filter_value"),
    ('{"sql":"1=1"}', "filter_operation"),
    ('{"op":"s_intersects","args":[{"property":"geometry"},{"bbox":[1,2,3]}]}', "filter_geometry"),
    ('{"op":"s_within","args":[{"property":"geometry"},{"type":"Point","coordinates":["a",1]}]}', "filter_geometry"),
    ("true false", "filter_json"),
]  # fmt: skip


def _refused(api: Api, expression: str, language: str, code: str) -> None:
    started = time.monotonic()
    with pytest.raises(InvalidFilter) as refused:
        cql2.read(ESTABLISHMENTS, expression, language)
    assert refused.value.code == code
    # No address may be as long as the longest of them.
    for path in (PLACES, TILE) if len(quote(expression)) < 6_000 else ():
        answer = _ask(api, expression, path=path, **{"filter-lang": language})
        assert answer.status_code == 400, answer.text[:500]
        problem = answer.json()
        assert problem["type"] == f"urn:mapservice:problem:{code}", problem
        assert problem["errors"][0]["pointer"] == "filter"
        assert len(answer.content) < 2_000
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("expression", "code"), HOSTILE, ids=[f"{place}-{row[1]}" for place, row in enumerate(HOSTILE)]
)
def test_hostile_text_is_refused_by_name(api: Api, expression: str, code: str) -> None:
    _refused(api, expression, "cql2-text", code)


@pytest.mark.parametrize(
    ("expression", "code"), HOSTILE_JSON, ids=[f"{place}-{row[1]}" for place, row in enumerate(HOSTILE_JSON)]
)
def test_hostile_json_is_refused_by_name(api: Api, expression: str, code: str) -> None:
    _refused(api, expression, "cql2-json", code)


def test_another_language_is_refused(api: Api) -> None:
    for language in ("ecql", "cql-text", "CQL2-TEXT", ""):
        answer = _ask(api, "name = 'a'", **{"filter-lang": language})
        assert answer.json()["errors"][0]["pointer"] == "filter-lang"
    answer = _ask(api, "name = 'a'", **{"filter-crs": "EPSG:1"})
    assert answer.json()["errors"][0]["pointer"] == "filter-crs"


def test_the_largest_filters_are_still_answered(api: Api) -> None:
    """Each near a bound: answered in a moment."""
    saw = ",".join(f"{108 + place % 2 * 0.2:.1f} {15.5 + place * 0.001:.3f}" for place in range(300))
    for expression in (
        " OR ".join(["name = name_en"] * 200),
        "(" * 30 + "name = 'Phở Thìn'" + ")" * 30,
        "name LIKE '%" + "a%" * (limits.MAX_WILDCARDS - 1) + "'",
        f"S_INTERSECTS(geometry, LINESTRING({saw}))",
        "code IN (" + ",".join(f"'{number}'" for number in range(500)) + ")",
        "1" + "+1" * 30 + " = 31",
    ):
        started = time.monotonic()
        assert _ask(api, expression).status_code == 200, expression[:60]
        assert time.monotonic() - started < 5


def test_conditions_can_use_an_index(demo_connection: Connection) -> None:
    for expression in (
        "code IN ('A', 'B')",
        "code = 'A'",
        "S_INTERSECTS(geometry, BBOX(108.21, 16.03, 108.22, 16.04))",
    ):
        condition = cql2.read(ESTABLISHMENTS, expression).condition(ESTABLISHMENTS)
        statement = select(ESTABLISHMENTS.view.c.id).where(condition).compile(dialect=demo_connection.dialect)
        plan = "\n".join(demo_connection.exec_driver_sql(f"EXPLAIN {statement}", statement.params).scalars())
        assert "Index Cond" in plan, plan
