"""The API called at random, as anybody and as an officer who writes: no 5xx, no status or form that is not told.

A small share of `python -m tests.benchmarks.schemathesis_run`, which makes 20,000 calls.
"""

from collections.abc import Iterator

import httpx
import pytest

from tests.benchmarks.schemathesis_run import try_all
from tests.live_register import ITEMS, LiveRegister, live_register

EXAMPLES = 5
COLLECTION = "/ogc/collections/{collectionId}"


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


@pytest.mark.parametrize(
    ("address", "path", "status"),
    [
        ("/?place=nobody", "/", 404),
        (f"{ITEMS}/{{place}}?f=html&as_of=2000-01-01", f"{COLLECTION}/items/{{featureId}}", 303),
    ],
)
def test_what_random_calls_have_met_is_described(register: LiveRegister, address: str, path: str, status: int) -> None:
    with httpx.Client(base_url=register.url, timeout=30) as client:
        answer = client.get(address.format(place=register.ward.places[0]), headers={"Accept": "text/html"})
        assert answer.status_code == status
        described = client.get("/ogc/api?f=json").json()["paths"][path]["get"]["responses"]
    assert str(status) in described


@pytest.mark.parametrize("step", ["apply", "undo"])
def test_an_empty_version_of_an_import_is_described(register: LiveRegister, step: str) -> None:
    headers = {"Authorization": f"Bearer {register.tokens[0]}", "If-Match": ""}
    with httpx.Client(base_url=register.url, timeout=30) as client:
        assert client.post(f"/imports/0/{step}", headers=headers, json={}).status_code == 428
        described = client.get("/ogc/api?f=json").json()["paths"][f"/imports/{{batch_id}}/{step}"]["post"]["responses"]
    assert "428" in described
