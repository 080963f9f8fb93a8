"""Our SQL against the `cql2` package, which reads and evaluates CQL2 for itself: the same rows for every filter."""

import unicodedata
from itertools import cycle
from typing import Any

import cql2 as oracle
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from layers import cql2
from tests.cql2_filters import COLLECTION, FILTERS, as_feature, fill, rows

TOGETHER = 25
"""Filters to one statement."""
RUNS = 212


def _theirs(text: str, features: list[dict[str, Any]]) -> list[str]:
    """The features that the package finds. What it cannot make a truth value of is unknown: not found."""
    expression = oracle.parse_text(text)
    found = []
    for feature in features:
        try:
            if expression.matches(feature):
                found.append(feature["id"])
        except Exception as error:
            assert "Could not reduce" in str(error), (text, error)
    return found


def _ours(connection: Connection, filters: list[cql2.Filter]) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in filters]
    view = COLLECTION.view
    asked = [each.condition(COLLECTION).label(f"f{place}") for place, each in enumerate(filters)]
    for code, *answers in connection.execute(select(view.c.code, *asked).order_by(view.c.code)):
        for place, answer in enumerate(answers):
            if answer:
                found[place].append(code)
    return found


def _plain(value: Any) -> Any:
    """As the package writes CQL2 JSON: every number with a fraction, and no AND within an AND."""
    if isinstance(value, dict):
        found = {name: _plain(part) for name, part in value.items()}
        if found.get("op") in ("and", "or"):
            alike = [part["args"] if part.get("op") == found["op"] else [part] for part in found["args"]]
            found["args"] = [part for parts in alike for part in parts]
        return found
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("nulls", [False, True], ids=["known", "nulls"])
def test_filters_find_what_the_package_finds(owner_connection: Connection, *, nulls: bool) -> None:
    made = rows(nulls=nulls)
    fill(owner_connection, made)
    features = [as_feature(row) for row in made]
    compared = 0

    # Without shrinking: a filter that differs is short enough, and is told.
    @settings(
        max_examples=RUNS // 2, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(FILTERS, min_size=TOGETHER, max_size=TOGETHER))
    def compare(texts: list[str]) -> None:
        nonlocal compared
        filters = [cql2.read(COLLECTION, text) for text in texts]
        for text, mine in zip(texts, filters, strict=True):
            assert _plain(mine.expression) == _plain(oracle.parse_text(text).to_json()), text
            assert cql2.read(COLLECTION, mine.document, "cql2-json") == mine
        for text, found in zip(texts, _ours(owner_connection, filters), strict=True):
            assert found == _theirs(text, features), text
        compared += len(texts)

    compare()
    assert compared >= 2_600


_PARTS = st.sampled_from([*"aàâyýỳỹìđĐơphoPHO0x", *"ß½ẞKİſжЖ中 -.,'/&", "qu", "mỳ ", "Phở", "  "])
_LABELS = st.lists(_PARTS, max_size=6).map(lambda parts: unicodedata.normalize("NFC", "".join(parts)))
_PATTERNS = st.lists(st.one_of(_PARTS, st.sampled_from(["%", "_", r"\%", r"\_"])), max_size=5).map("".join)
_FOLDINGS = ("ACCENTI({})", "CASEI(ACCENTI({}))", "ACCENTI(CASEI({}))")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(_LABELS, st.one_of(_LABELS, st.none())), min_size=30, max_size=30),
    st.lists(st.tuples(st.sampled_from(_FOLDINGS), _PATTERNS), min_size=10, max_size=10),
)
def test_the_index_leaves_out_nothing_that_a_pattern_finds(
    owner_connection: Connection, labels: list[tuple[str, str | None]], patterns: list[tuple[str, str]]
) -> None:
    """Below two NOTs a filter is asked row by row: it finds the same."""
    filters = []
    for folding, pattern in patterns:
        quoted = "'" + pattern.replace("'", "''") + "'"
        plain = f"{folding.format('label')} LIKE {folding.format(quoted)}"
        filters += [cql2.read(COLLECTION, plain), cql2.read(COLLECTION, f"NOT (NOT ({plain}))")]
    with owner_connection.begin_nested() as only_here:
        made = [row | {"label": label, "word": word} for row, (label, word) in zip(cycle(rows(nulls=False)), labels)]
        fill(owner_connection, made)
        found = _ours(owner_connection, filters)
        only_here.rollback()
    for number, pattern in enumerate(patterns):
        assert found[2 * number] == found[2 * number + 1], pattern


def test_an_index_is_asked_only_where_unknown_and_false_are_the_same(owner_connection: Connection) -> None:
    """A label that is not known is neither found nor, under NOT, missed."""
    fill(owner_connection, [row | {"label": None, "word": "x"} for row in rows(nulls=False)])
    alike = "ACCENTI(label) LIKE ACCENTI('pho')"
    for expression in (f"NOT ({alike})", f"({alike}) = FALSE", f"NOT (whole > 99 OR {alike})"):
        assert _ours(owner_connection, [cql2.read(COLLECTION, expression)]) == [[]], expression
    assert len(_ours(owner_connection, [cql2.read(COLLECTION, f"({alike}) IS NULL")])[0]) == len(rows(nulls=False))
