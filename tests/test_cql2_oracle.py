"""Our SQL against the `cql2` package, which reads and evaluates CQL2 for itself: the same rows for every filter."""

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
