"""CQL2 (21-065r2), Annex A: the abstract tests of its conformance classes, each predicate as text and as JSON.

The standard's own data set is not the register: where its tests count what is in that data, the same predicates are
counted here against the values that a page of features has (`tests/test_layers_cql2*.py` holds thousands more of them).
"""

import itertools
import json

import cql2
import httpx
import pytest

from layers.collections import COLLECTIONS
from tests.standards import ConformanceClass, conformance_class, conforms_to, get

STANDARD, BASE = "CQL2", "cql2/1.0/conf"
OWN_DATA = "wants the standard's own data"


def _class(name: str, title: str, *, counted: bool = True) -> ConformanceClass:
    return conformance_class(STANDARD, f"{BASE}/{name}", title, **({"test_data": OWN_DATA} if counted else {}))


BASIC = _class("basic-cql2", "Basic CQL2")
ADVANCED = _class("advanced-comparison-operators", "Advanced Comparison Operators")
CASEI = _class("case-insensitive-comparison", "Case-insensitive Comparison")
ACCENTI = _class("accent-insensitive-comparison", "Accent-insensitive Comparison")
BASIC_SPATIAL = _class("basic-spatial-functions", "Basic Spatial Functions")
BASIC_SPATIAL_PLUS = _class("basic-spatial-functions-plus", "Basic Spatial Functions Plus")
SPATIAL = _class("spatial-functions", "Spatial Functions")
TEMPORAL = _class("temporal-functions", "Temporal Functions")
ARRAYS = _class("array-functions", "Array Functions", counted=False)
PROPERTIES = _class("property-property", "Property-Property Comparisons")
ARITHMETIC = _class("arithmetic", "Arithmetic Expressions")
AS_TEXT = _class("cql2-text", "CQL2 Text", counted=False)
AS_JSON = _class("cql2-json", "CQL2 JSON", counted=False)

EVERY = pytest.mark.parametrize("collection", ["wards", "licences"])
LOCATED = pytest.mark.parametrize("collection", ["wards", "establishments"])
VALUES = {
    "string": "'foo'", "boolean": "true", "number": "3.14", "integer": "1", "date": "DATE('2022-04-14')",
    "date-time": "TIMESTAMP('2022-04-14T14:48:46Z')",
}  # fmt: skip
POINT = "POINT(108.2140 16.0440)"
AREA = "POLYGON((108.20 16.03,108.22 16.03,108.22 16.05,108.20 16.05,108.20 16.03))"
LINE = "LINESTRING(108.20 16.03,108.22 16.05)"


SCOPES = {
    "establishments": "S_INTERSECTS(geometry,BBOX(108.209,16.038,108.213,16.042))",
    "licences": "issued_on BETWEEN DATE('2025-03-01') AND DATE('2025-03-20')",
    "wards": "S_INTERSECTS(geometry,BBOX(108.20,16.03,108.22,16.05))",
}
"""Of large collections, and of those with large outlines, a part is enough and many times quicker."""
_KEPT: dict[tuple[str, str], set[str]] = {}
"""What was asked before: the tests only read, and many ask the same."""


def _asked(client: httpx.Client, collection: str, text: str) -> set[str]:
    """The features of a filter, which must be the same for both of its encodings."""
    if (collection, text) not in _KEPT:
        _KEPT[collection, text] = _found(client, collection, text)
    return _KEPT[collection, text]


def _found(client: httpx.Client, collection: str, text: str) -> set[str]:
    if collection in SCOPES:
        text = f"({text}) AND {SCOPES[collection]}"
    as_json = json.dumps(cql2.parse_text(text).to_json())
    ways = ({"filter": text}, {"filter": as_json, "filter-lang": "cql2-json"})
    found = []
    for query in ways:
        page = get(
            client,
            f"/ogc/collections/{collection}/items",
            "application/geo+json",
            limit="10000",
            properties="code",
            **query,
        ).json()
        found.append({feature["id"] for feature in page["features"]})
    assert found[0] == found[1], text
    return found[0]


def _fields(collection: str, *types: str) -> list[str]:
    """One property of each type is enough: the same code serves the others."""
    by_type: dict[str, str] = {}
    for field in COLLECTIONS[collection].fields:
        by_type.setdefault(field.type, field.name)
    return [name for kind, name in by_type.items() if kind in (types or VALUES)]


def _value(collection: str, name: str) -> str:
    return VALUES[COLLECTIONS[collection].field_by_name[name].type]


@AS_TEXT.test("validate")
@AS_JSON.test("validate")
def test_conformance(client: httpx.Client) -> None:
    """Declared; that both encodings are read, every other test of this module shows."""
    for found in (BASIC, ADVANCED, CASEI, ACCENTI, BASIC_SPATIAL, BASIC_SPATIAL_PLUS, SPATIAL, TEMPORAL, ARRAYS):
        assert found.uri in conforms_to(client)
    for found in (PROPERTIES, ARITHMETIC, AS_TEXT, AS_JSON):
        assert found.uri in conforms_to(client)


@AS_TEXT.test("escaping")
def test_escaping(client: httpx.Client) -> None:
    """Quotes, percent signs and control characters in a literal are characters, nothing else."""
    for literal in ("it''s", "a%b", "tab\there", "x'';DROP TABLE y;--"):
        assert _asked(client, "wards", f"name = '{literal}'") == set()


@BASIC.test("basic-test")
@EVERY
def test_queryables_have_types(client: httpx.Client, collection: str) -> None:
    found = get(client, f"/ogc/collections/{collection}/queryables", "application/schema+json").json()["properties"]
    assert found and all("type" in field or field["format"].startswith("geometry-") for field in found.values())
    assert any(field.get("type") in ("string", "boolean", "number", "integer") for field in found.values())


@BASIC.test("comparison")
@PROPERTIES.test("comparison-value-property")
@EVERY
def test_comparison(client: httpx.Client, collection: str) -> None:
    for name in _fields(collection):
        value = _value(collection, name)
        for turned in (False, True):
            asked = {
                op: _asked(client, collection, f"{value} {op} {name}" if turned else f"{name} {op} {value}")
                for op in ("=", "<>", ">", "<", ">=", "<=")
            }
            for one, other in (("=", "<>"), (">", "<="), ("<", ">=")):
                assert not asked[one] & asked[other], (name, one)


@BASIC.test("is-null")
@EVERY
def test_is_null(client: httpx.Client, collection: str) -> None:
    for name in _fields(collection):
        nulls, others = _asked(client, collection, f"{name} IS NULL"), _asked(client, collection, f"{name} is not null")
        assert not nulls & others


@BASIC.test("boolean")
@EVERY
def test_boolean(client: httpx.Client, collection: str) -> None:
    assert _asked(client, collection, "true")
    assert _asked(client, collection, "false") == set()


@BASIC.test("logical")
@ADVANCED.test("logical")
@CASEI.test("logical")
@ACCENTI.test("logical")
@BASIC_SPATIAL.test("logical")
@SPATIAL.test("logical")
@TEMPORAL.test("logical")
@ARRAYS.test("logical")
@PROPERTIES.test("logical")
@ARITHMETIC.test("logical")
def test_logical(client: httpx.Client) -> None:
    """AND, OR and NOT of predicates of every class are the intersection, union and rest of what each finds."""
    predicates = (
        "sector_group = 'food_service'", "name LIKE '%a%'", "CASEI(name) LIKE casei('%MINH%')",
        "ACCENTI(name) LIKE accenti('%pho%')", f"S_INTERSECTS(geometry,{AREA})",
        "T_AFTER(verified_on,DATE('2026-01-01'))",
        "A_OVERLAPS(payment_methods,('cash','vietqr'))", "name <> address", "live_warning = true", "1 + 1 = 2",
    )  # fmt: skip
    whole = _asked(client, "establishments", "true")
    alone = {each: _asked(client, "establishments", each) for each in predicates}
    for at in range(len(predicates)):
        one, two, three, four = itertools.islice(itertools.cycle(predicates), at, at + 4)
        text = f"((NOT ({one}) AND ({two})) OR (({three}) and NOT ({four})) or not (({one}) AND ({four})))"
        wanted = (
            ((whole - alone[one]) & alone[two]) | (alone[three] - alone[four]) | (whole - (alone[one] & alone[four]))
        )
        assert _asked(client, "establishments", text) <= wanted | _unknown(client)


def _unknown(client: httpx.Client) -> set[str]:
    """Places for which some of the predicates are neither true nor false."""
    missing = "address IS NULL OR payment_methods IS NULL OR sector_group IS NULL OR verified_on IS NULL"
    return _asked(client, "establishments", missing)


@ADVANCED.test("like")
@EVERY
def test_like(client: httpx.Client, collection: str) -> None:
    for name in _fields(collection, "string"):
        asked = {like: _asked(client, collection, f"{name} LIKE '{like}'") for like in ("%", "_%", "", "%%", "\\%\\_")}
        assert not asked["_%"] & asked[""]
        assert asked["%"] == asked["%%"] >= asked["_%"]


@ADVANCED.test("between", "in")
@EVERY
def test_between_and_in(client: httpx.Client, collection: str) -> None:
    for name in _fields(collection, "number", "integer"):
        assert _asked(client, collection, f"{name} BETWEEN 0 AND 100") <= _asked(client, collection, f"{name} <= 100")
        assert _asked(client, collection, f"{name} between 100.0 and 1.0") == set()
    for name in _fields(collection):
        value = _value(collection, name)
        assert _asked(client, collection, f"{name} IN ({value})") == _asked(client, collection, f"{name} = {value}")


@CASEI.test("casei", "casei-like")
@EVERY
def test_casei(client: httpx.Client, collection: str) -> None:
    for name in _fields(collection, "string"):
        assert not _asked(client, collection, f"CASEI({name}) = casei('foO')") & _asked(
            client, collection, f"CASEI({name}) <> casei('FOo')"
        )
        small, large = (_asked(client, collection, f"CASEI({name}) LIKE casei('{like}')") for like in ("%a%", "%A%"))
        assert small == large


@ACCENTI.test("accenti", "accenti-like", "accenti-casei", "accenti-casei-like")
@EVERY
def test_accenti(client: httpx.Client, collection: str) -> None:
    for name in [
        *_fields(collection, "string"),
        *(["name"] if "name" in COLLECTIONS[collection].field_by_name else []),
    ]:
        for function in ("ACCENTI({})", "ACCENTI(CASEI({}))"):
            left = function.format(name)
            pairs = (("=", "hòa cường", "hoa cuong"), ("LIKE", "%ph%ở%", "%ph%o%"), ("LIKE", "%đ%", "%d%"))
            for op, marked, plain in pairs:
                found = [
                    _asked(client, collection, f"{left} {op} {function.format(repr(text))}") for text in (marked, plain)
                ]
                assert found[0] == found[1], (name, op, marked)


def test_pho_is_found_without_marks(client: httpx.Client) -> None:
    found = get(
        client, "/ogc/collections/establishments/items", "application/geo+json", limit="50",
        filter="ACCENTI(CASEI(name)) LIKE ACCENTI(CASEI('%pho %'))", properties="name",
    ).json()["features"]  # fmt: skip
    assert any("Phở" in feature["properties"]["name"] for feature in found)


@BASIC_SPATIAL.test("s_intersects")
@BASIC_SPATIAL_PLUS.test("s_intersects")
@LOCATED
def test_s_intersects(client: httpx.Client, collection: str) -> None:
    whole = _asked(client, collection, "S_INTERSECTS(geometry,BBOX(-180,-90,180,90))")
    assert whole
    for literal in (
        POINT,
        LINE,
        AREA,
        "MULTIPOINT((108.2 16.0),(108.21 16.04))",
        f"GEOMETRYCOLLECTION({POINT},{LINE})",
    ):
        found = _asked(client, collection, f"S_INTERSECTS(geometry,{literal})")
        assert found <= whole
        assert found == _asked(client, collection, f"S_INTERSECTS({literal},geometry)")
    wrong = client.get(
        f"/ogc/collections/{collection}/items", params={"filter": "S_INTERSECTS(geometry,POINT(90 180))"}
    )
    assert wrong.status_code == 400
    halves = "S_INTERSECTS(geometry,BBOX(-180,-90,-90,90)) AND S_INTERSECTS(geometry,BBOX(90,-90,180,90))"
    assert _asked(client, collection, halves) == set()


@SPATIAL.test("s_disjoint", "s_equals", "s_touches", "s_crosses", "s_within", "s_contains", "s_overlaps")
@LOCATED
def test_spatial_functions(client: httpx.Client, collection: str) -> None:
    whole = _asked(client, collection, "S_INTERSECTS(geometry,BBOX(-180,-90,180,90))")
    met = _asked(client, collection, f"S_INTERSECTS(geometry,{AREA})")
    found = {
        name: _asked(client, collection, f"S_{name}(geometry,{AREA})")
        for name in ("DISJOINT", "EQUALS", "TOUCHES", "CROSSES", "WITHIN", "CONTAINS", "OVERLAPS")
    }
    assert found["DISJOINT"] == whole - met
    for name in ("EQUALS", "TOUCHES", "CROSSES", "WITHIN", "CONTAINS", "OVERLAPS"):
        assert found[name] <= met, name
    assert found["WITHIN"] == _asked(client, collection, f"S_CONTAINS({AREA},geometry)")
    assert found["EQUALS"] <= found["WITHIN"] & found["CONTAINS"]
    assert not found["TOUCHES"] & found["WITHIN"]


@TEMPORAL.test("t_after", "t_before", "t_disjoint", "t_equals", "t_intersects")
@EVERY
def test_temporal_functions(client: httpx.Client, collection: str) -> None:
    for name in _fields(collection, "date", "date-time"):
        value = _value(collection, name)
        found = {op: _asked(client, collection, f"T_{op}({name},{value})") for op in _INSTANTS}
        assert found["AFTER"] == _asked(client, collection, f"{name} > {value}")
        assert found["BEFORE"] == _asked(client, collection, f"{name} < {value}")
        assert found["EQUALS"] == found["INTERSECTS"]
        assert found["DISJOINT"] == found["AFTER"] | found["BEFORE"]
        # Dates beside dates, moments beside moments.
        kind = COLLECTIONS[collection].field_by_name[name].type
        start, end = (f"{day}T00:00:00Z" if kind == "date-time" else day for day in ("2022-01-01", "2024-01-01"))
        open_ended = _asked(client, collection, f"T_INTERSECTS({name},INTERVAL('{start}','..'))")
        assert open_ended >= _asked(client, collection, f"T_INTERSECTS({name},INTERVAL('{start}','{end}'))")


_INSTANTS = ("AFTER", "BEFORE", "DISJOINT", "EQUALS", "INTERSECTS")
_INTERVALS = (
    "CONTAINS", "DURING", "FINISHEDBY", "FINISHES", "MEETS", "METBY", "OVERLAPPEDBY", "OVERLAPS", "STARTEDBY", "STARTS",
)  # fmt: skip


@TEMPORAL.test(*(f"t_{name.lower()}" for name in _INTERVALS))
@pytest.mark.parametrize("name", _INTERVALS)
def test_relations_of_intervals(client: httpx.Client, name: str) -> None:
    """Between the days from which and until which a paper is valid, and a year."""
    days = "INTERVAL(issued_on,expires_on)"
    turned = {"CONTAINS": "DURING", "FINISHEDBY": "FINISHES", "MEETS": "METBY", "OVERLAPS": "OVERLAPPEDBY"}
    turned |= {"STARTEDBY": "STARTS"} | {other: one for one, other in [*turned.items(), ("STARTEDBY", "STARTS")]}
    year = "INTERVAL('2025-01-01','2025-12-31')"
    found = _asked(client, "licences", f"T_{name}({days},{year})")
    assert found == _asked(client, "licences", f"T_{turned[name]}({year},{days})")
    assert found <= _asked(client, "licences", f"T_INTERSECTS({days},{year})")


@ARRAYS.test("array-predicates")
def test_arrays(client: httpx.Client) -> None:
    found = {
        name: _asked(client, "establishments", f"A_{name}(payment_methods,('cash','vietqr'))")
        for name in ("CONTAINS", "CONTAINEDBY", "EQUALS", "OVERLAPS")
    }
    assert found["EQUALS"] == found["CONTAINS"] & found["CONTAINEDBY"]
    assert found["CONTAINS"] <= found["OVERLAPS"]


@PROPERTIES.test("comparison-property-property")
@EVERY
def test_properties_beside_properties(client: httpx.Client, collection: str) -> None:
    for name in _fields(collection):
        found = {op: _asked(client, collection, f"{name} {op} {name}") for op in ("=", "<>", ">", "<", ">=", "<=")}
        assert found["<>"] == found["<"] == found[">"] == set()
        assert found["="] == found[">="] == found["<="]


@PROPERTIES.test("comparison-value-value")
def test_values_beside_values(client: httpx.Client) -> None:
    whole = _asked(client, "wards", "true")
    for value in VALUES.values():
        for op, wanted in (("=", whole), ("<>", set()), (">", set()), ("<", set()), (">=", whole), ("<=", whole)):
            assert _asked(client, "wards", f"{value} {op} {value}") == wanted, (value, op)


@ARITHMETIC.test("arithmetic")
def test_arithmetic(client: httpx.Client) -> None:
    larger = _asked(client, "wards", "area_km2 > 15")
    assert larger and larger < _asked(client, "wards", "true")
    for text in ("area_km2 > 3 * 5", "area_km2 - 15 > 0", "area_km2 / 3 > 5", "area_km2 > 17 - 2 ^ 1"):
        assert _asked(client, "wards", text) == larger, text
    whole = _asked(client, "wards", "population IS NOT NULL AND area_km2 IS NOT NULL")
    for text in ("area_km2 % 3 >= 0", "population div 2 > 1", "area_km2 between 1 + 1 and 5 * 20"):
        assert _asked(client, "wards", text) >= whole, text
    assert _asked(client, "wards", "area_km2 in (1 + 1, 3)") == set()
