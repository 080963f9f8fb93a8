"""The API called at random, as anybody and as an officer who writes: no 5xx, no status or form that is not told.

A small share of `python -m tests.benchmarks.schemathesis_run`, which makes 20,000 calls.
"""

from collections.abc import Iterator

import pytest

from tests.benchmarks.schemathesis_run import try_all
from tests.live_register import LiveRegister, live_register

EXAMPLES = 5


@pytest.fixture(scope="module")
def register() -> Iterator[LiveRegister]:
    with live_register(places=20) as found:
        yield found


@pytest.mark.parametrize("who", ["anybody", "officer"])
def test_random_calls_are_answered_as_described(register: LiveRegister, who: str) -> None:
    token = register.tokens[0] if who == "officer" else None
    tried = try_all(register.url, EXAMPLES, token=token, seed=20257, phases="fuzzing")
    assert not tried.failures, tried.failures[0]
    statuses = tried.by_status()
    assert tried.calls > 200
    assert {"200", "400", "404"} <= statuses.keys()
    assert not [status for status in statuses if status.startswith("5")]
