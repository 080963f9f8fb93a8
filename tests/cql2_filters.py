"""Filters made up by Hypothesis, written as CQL2 text, over a small collection that has a property of every kind."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers.collections import Collection, Field

COLLECTION = Collection(
    id="oracle",
    geometry="Point",
    fields=(
        Field("code"),
        Field("word"),
        Field("other"),
        Field("label"),
        Field("whole", "integer"),
        Field("real", "number"),
        Field("flag", "boolean"),
        Field("opened", "date"),
        Field("closed", "date"),
        Field("seen", "date-time"),
        Field("heard", "date-time"),
        Field("methods", "array"),
    ),
    tile=None,
    searchable=True,
    indexed=("label", "word"),
)
WORDS = ("", "a", "ab", "abc", "b", "bánh", "pho", "xyz", "a_c", "a%c", "a.c", "50%", "o'clock")
LABELS = (
    "Phở Thìn",
    "phở thìn",
    "PHO THIN",
    "Bún chả cá",
    "Hồng Khởi",
    "hong khoi",
    "Bánh mì (nóng)",
    "Quán Ốc",
    "[x]*",
)
METHODS = ("cash", "vietqr", "momo")
FIRST_DAY = date(2026, 1, 1)
CORNER = (108.20, 16.03)
ROWS = 24
# Not the ends of an interval: whether half of one is unknown or decides is left open by the standard.
_MISSED = ("word", "other", "label", "whole", "real", "flag", "opened", "methods")


def _day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def _moment(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=6 * number)


def rows(*, nulls: bool) -> list[dict[str, Any]]:
    """The rows: values recur, so that filters tell them apart; with `nulls`, every property is missing at times."""
    found = []
    for number in range(ROWS):
        row: dict[str, Any] = {
            "word": WORDS[number % len(WORDS)],
            "other": WORDS[(number * 5 + 1) % len(WORDS)],
            "label": LABELS[number % len(LABELS)],
            "whole": number % 7 - 2,
            "real": (number % 5) * 1.5 - 2,
            "flag": number % 3 == 0,
            "opened": _day(number % 6),
            "closed": _day(number % 6 + number % 4),
            "seen": _moment(number % 9),
            "heard": _moment(number % 9 + number % 5),
            "methods": [method for place, method in enumerate(METHODS) if number >> place & 1],
        }
        if nulls and number % 2:
            row[_MISSED[number // 2 % len(_MISSED)]] = None
        row["code"] = f"r{number:02}"
        row["lon"], row["lat"] = round(CORNER[0] + number % 6 * 0.01, 2), round(CORNER[1] + number // 6 * 0.01, 2)
        found.append(row)
    return found


def fill(connection: Connection, table_rows: list[dict[str, Any]]) -> None:
    """A view that the collection reads, for as long as the transaction lasts."""
    connection.execute(
        text(
            "CREATE TABLE published.oracle (id bigint GENERATED ALWAYS AS IDENTITY, code text, word text, other text, "
            "label text, whole integer, real numeric, flag boolean, opened date, closed date, seen timestamptz, "
            "heard timestamptz, methods text[], geom geometry(Point, 4326), name_key text, search_key text GENERATED "
            "ALWAYS AS (published.search_key(coalesce(label, '') || ' ' || coalesce(word, ''))) STORED)"
        )
    )
    connection.execute(
        text(
            "INSERT INTO published.oracle (code, word, other, label, whole, real, flag, opened, closed, seen, heard, "
            "methods, geom) VALUES (:code, :word, :other, :label, :whole, :real, :flag, :opened, :closed, :seen, "
            ":heard, :methods, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326))"
        ),
        table_rows,
    )


def as_feature(row: dict[str, Any]) -> dict[str, Any]:
    """The row as the GeoJSON feature that the items of the collection would show."""
    told = {name: value for name, value in row.items() if name not in ("lon", "lat")}
    for name, value in told.items():
        if isinstance(value, datetime):
            told[name] = value.isoformat().replace("+00:00", "Z")
        elif isinstance(value, date):
            told[name] = value.isoformat()
    point = {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
    return {"type": "Feature", "id": row["code"], "geometry": point, "properties": told}


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


_SIGNS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
_EQUAL = st.sampled_from(["=", "<>"])
_ASCII = [_quoted(word) for word in WORDS if word.isascii() and word.isalnum()]
_NUMBERS = st.one_of(
    st.integers(-4, 8).map(str), st.sampled_from(["1.5", "-0.5", "2.5", "1e0", "0"]), st.sampled_from(["whole", "real"])
)
_SHAPES = [
    "{0}",
    "({0} + {1})",
    "{0} - {1} - {2}",
    "{0} + {1} * {2}",
    "({0} - {1}) * {2}",
    "2 - ({0} + 1)",
]
_SUMS = st.builds(str.format, st.sampled_from(_SHAPES), _NUMBERS, _NUMBERS, _NUMBERS)
_TEXTS = st.sampled_from([*map(_quoted, WORDS), "word", "other"])
_WRITTEN = st.sampled_from([*map(_quoted, WORDS)])
_LABELS = st.sampled_from([*map(_quoted, LABELS), "label"])
_ORDERED_TEXTS = st.sampled_from([*_ASCII, "code"])
_PATTERNS = st.lists(
    st.sampled_from([r"\%", r"\_", "%", "_", "a", "b", "c", ".", "*", "(", "50", "bánh", "''"]), max_size=4
).map(lambda parts: "'" + "".join(parts) + "'")
_LABEL_PATTERNS = st.sampled_from(["'%pho%'", "'Phở%'", "'%o_g%'", "'%KHỞI'", "'[x]_'", "'%(n%'", "'%'", "''"])
_DAYS = st.one_of(
    st.integers(0, 9).map(lambda number: f"DATE('{_day(number)}')"), st.sampled_from(["opened", "closed"])
)
_MOMENTS = st.one_of(
    st.integers(0, 12).map(lambda number: f"TIMESTAMP('{_moment(number):%Y-%m-%dT%H:%M:%SZ}')"),
    st.sampled_from(["seen", "heard"]),
)
_MOMENT_TEXT = st.integers(0, 12).map(lambda number: f"'{_moment(number):%Y-%m-%dT%H:%M:%SZ}'")
_INTERVALS = st.one_of(
    st.just("INTERVAL(seen, heard)"),
    st.tuples(st.integers(0, 7), st.integers(0, 6)).map(
        lambda found: (
            f"INTERVAL('{_moment(found[0]):%Y-%m-%dT%H:%M:%SZ}', '{_moment(found[0] + found[1]):%Y-%m-%dT%H:%M:%SZ}')"
        )
    ),
    st.builds("INTERVAL({}, '..')".format, _MOMENT_TEXT),
    st.builds("INTERVAL('..', {})".format, _MOMENT_TEXT),
)
_INSTANT_RELATIONS = st.sampled_from(["T_AFTER", "T_BEFORE", "T_DISJOINT", "T_EQUALS", "T_INTERSECTS"])
_INTERVAL_RELATIONS = st.sampled_from(
    ["T_AFTER", "T_BEFORE", "T_CONTAINS", "T_DISJOINT", "T_DURING", "T_EQUALS", "T_FINISHEDBY", "T_FINISHES",
     "T_INTERSECTS", "T_MEETS", "T_METBY", "T_OVERLAPPEDBY", "T_OVERLAPS", "T_STARTEDBY", "T_STARTS"]
)  # fmt: skip
_ARRAY_RELATIONS = st.sampled_from(["A_EQUALS", "A_CONTAINS", "A_CONTAINEDBY", "A_OVERLAPS"])
_ARRAYS = st.one_of(
    st.lists(st.sampled_from([*METHODS, "zalo"]), min_size=2, max_size=3, unique=True).map(
        lambda found: "(" + ", ".join(map(_quoted, found)) + ")"
    ),
    st.just("methods"),
)
# On the rows' points and halfway between them: what lies on an edge is part of the question.
_LON = st.integers(-1, 12).map(lambda step: round(CORNER[0] + step * 0.005, 3))
_LAT = st.integers(-1, 8).map(lambda step: round(CORNER[1] + step * 0.005, 3))
_BOXES = st.tuples(_LON, _LON, _LAT, _LAT).map(
    lambda found: f"BBOX({min(found[:2])}, {min(found[2:])}, {max(found[:2]) + 0.01:.3f}, {max(found[2:]) + 0.01:.3f})"
)
_AREAS = st.builds("POLYGON(({0} {1}, 108.27 {1}, 108.27 16.09, {0} {1}))".format, _LON, _LAT)
_PLACES = st.one_of(
    _BOXES,
    _AREAS,
    st.builds("POINT({} {})".format, _LON, _LAT),
    st.builds("LINESTRING({} {}, 108.27 16.09)".format, _LON, _LAT),
    st.builds("MULTIPOINT(({} {}), (108.25 16.05))".format, _LON, _LAT),
)
_PLACE_RELATIONS = st.sampled_from(["S_INTERSECTS", "S_DISJOINT", "S_WITHIN", "S_EQUALS", "S_TOUCHES"])
_NOT = st.sampled_from(["", "NOT "])
_NAMES = st.sampled_from([field.name for field in COLLECTION.fields])
_WHOLE = st.integers(-4, 8)

PREDICATES = st.one_of(
    st.builds("{} {} {}".format, _SUMS, _SIGNS, _SUMS),
    st.builds("{} {} {}".format, _TEXTS, _EQUAL, _TEXTS),
    st.builds("{} {} {}".format, _ORDERED_TEXTS, _SIGNS, _ORDERED_TEXTS),
    st.builds("flag {} {}".format, _EQUAL, st.sampled_from(["TRUE", "false"])),
    st.builds("{} {} {}".format, _DAYS, _SIGNS, _DAYS),
    st.builds("{} {} {}".format, _MOMENTS, _SIGNS, _MOMENTS),
    st.builds("CASEI({}) {} casei({})".format, _LABELS, _EQUAL, _LABELS),
    st.builds("CASEI(ACCENTI({})) {} CASEI(ACCENTI({}))".format, _LABELS, _EQUAL, _LABELS),
    st.builds("{} {}LIKE {}".format, st.sampled_from(["word", "other"]), _NOT, _PATTERNS),
    st.builds("CASEI(label) {}LIKE CASEI({})".format, _NOT, _LABEL_PATTERNS),
    st.builds("CASEI(ACCENTI(label)) LIKE CASEI(ACCENTI({}))".format, _LABEL_PATTERNS),
    st.builds("ACCENTI(CASEI(word)) LIKE ACCENTI(CASEI({}))".format, _PATTERNS),
    st.builds("{} {}BETWEEN {} AND {}".format, _SUMS, _NOT, _WHOLE, _WHOLE),
    st.builds("word {}IN ({}, {})".format, _NOT, _WRITTEN, _WRITTEN),
    st.builds("whole {}IN ({}, {}, 1)".format, _NOT, _WHOLE, _WHOLE),
    st.builds("{} IS {}NULL".format, _NAMES, _NOT),
    st.builds("{}({}, {})".format, _INSTANT_RELATIONS, _MOMENTS, _MOMENTS),
    st.builds("{}({}, {})".format, _INTERVAL_RELATIONS, _INTERVALS, _INTERVALS),
    st.builds("{}({}, {})".format, _ARRAY_RELATIONS, _ARRAYS, _ARRAYS),
    st.builds("{}(geometry, {})".format, _PLACE_RELATIONS, _PLACES),
    st.builds("S_CONTAINS({}, geometry)".format, _PLACES),
)
_TOGETHER = st.sampled_from(
    ["{0}", "NOT ({0})", "({0} AND {1})", "{0} OR {1}", "NOT {0} AND {1}", "({0} AND {1}) OR {2}", "NOT ({0} OR {1})",
     "({0} OR NOT ({1})) AND {2}", "{0} OR {1} AND {2}", "{0} AND ({1} OR ({2} AND NOT {0}))"]
)  # fmt: skip
FILTERS = st.builds(str.format, _TOGETHER, PREDICATES, PREDICATES, PREDICATES)
"""Filters that the `cql2` package evaluates as the standard has them. It takes no property in a list of IN, leaves đ as
it is, orders texts by code point, and takes a day for all of its moments: for these, tests have values of their own."""
