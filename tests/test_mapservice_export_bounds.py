"""No export costs without bound: rows, bytes, time, and how many at once. The bounds are lowered, nothing else."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from layers.formats import FORMATS
from mapservice import exporting
from postgis.engine import Database
from tests.register_api import ITEMS, Api, register_api

PLACES = ITEMS.format("establishments")


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "export_bounds", places=30) as found:
        yield found


def _ask(api: Api, query: str) -> httpx.Response:
    return api.ask("GET", f"{PLACES}?{query}", Accept_Encoding="identity")


def _problem(answer: httpx.Response) -> tuple[int, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def test_rows(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "csv", replace(FORMATS["csv"], most=10))  # type: ignore[arg-type]
    assert _problem(_ask(api, "f=csv"))[0] == 400
    assert _ask(api, "f=csv&limit=9").status_code == 200


def test_bytes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too much ends in the middle, and ends at all: the server then breaks off the connection."""
    whole = _ask(api, "f=geojsonseq").content
    monkeypatch.setattr(exporting, "MAX_BYTES", len(whole) // 2)
    assert len(_ask(api, "f=geojsonseq").content) < len(whole)
    monkeypatch.setattr(exporting, "MAX_BYTES", len(whole) + 1)
    assert _ask(api, "f=geojsonseq").content == whole


def test_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing has been sent yet, the client hears why; a table's first bytes go out before its rows are read."""
    monkeypatch.setattr(exporting, "MAX_SECONDS", 1)
    with api.database.owner.begin() as connection:
        connection.execute(text("LOCK TABLE register.establishment IN ACCESS EXCLUSIVE MODE"))
        begun = time.monotonic()
        assert _problem(_ask(api, "f=geojsonseq&limit=5"))[0] == 503
        assert len(_ask(api, "f=csv&limit=5").content) < 1_000
        assert time.monotonic() - begun < 10
    assert len(_ask(api, "f=csv").content) > 5_000


def test_how_many_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two are read; the next waits for a while and hears that all are busy. Short pages go on as ever."""
    monkeypatch.setattr(exporting, "PATIENCE_S", 0.2)
    with ThreadPoolExecutor(exporting.AT_ONCE) as several:
        with api.database.owner.begin() as connection:
            connection.execute(text("LOCK TABLE register.establishment_fact IN ACCESS EXCLUSIVE MODE"))
            held = [several.submit(_ask, api, "f=csv&limit=5") for _ in range(exporting.AT_ONCE)]
            time.sleep(1)
            busy = _ask(api, "f=geojsonseq&limit=5")
            assert _problem(busy)[0] == 503
            assert api.ask("GET", f"{ITEMS.format('wards')}?limit=1").status_code == 200
        assert [each.result().status_code for each in held] == [200] * exporting.AT_ONCE
    assert _ask(api, "f=geojsonseq").status_code == 200
