"""What depends on the day is told anew when a day ends where the ward is: nothing kept outlives it.

A midnight that really passes, for the database's clock and for ours: the zone is set so that it comes in some seconds.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from fastapi.testclient import TestClient

from mapservice.app import create_service
from mapservice.settings import HttpSettings
from postgis import engine
from postgis.actor import write_as
from postgis.engine import Database
from postgis.store import records
from postgis.today import today
from tests.register_api import ITEMS, Api, register_api
from tests.small_ward import WARD

BEFORE_S = 10.0
FRESH_S = 1.0
DAY_S = 86_400


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "midnight") as found:
        yield found


@pytest.fixture
def midnight(monkeypatch: pytest.MonkeyPatch) -> float:
    """When it is, on the monotonic clock, for all that is connected or told from now on."""
    now = datetime.now(UTC)
    passed = now.hour * 3600 + now.minute * 60 + now.second + now.microsecond / 1e6
    east = int(DAY_S - passed - BEFORE_S)
    if east > DAY_S // 2:
        east -= DAY_S
    came = time.monotonic() + (-(passed + east)) % DAY_S
    # PostgreSQL takes hours towards the east, and drops what is less than a second.
    hours = (east + 0.5 * (1 if east > 0 else -1)) / 3600
    monkeypatch.setitem(engine._EVERYWHERE, "timezone", f"{hours:.6f}")
    for module in ("postgis.today", "web.render", "web.lookup", "web.trust", "web.map_page"):
        monkeypatch.setattr(f"{module}.VIETNAM", timezone(timedelta(seconds=east)))
    return came


def test_nothing_kept_outlives_the_day(api: Api, midnight: float) -> None:
    place, licence = api.ward.places[0], api.ward.codes["licences"][0]
    last_day = today()
    with write_as(api.database, api.actors["officer"], reason="thử", source="office") as connection:
        version = records.version(connection, "licences", licence)
        assert version is not None
        records.change(connection, "licences", licence, version, {"expires_on": last_day.isoformat()})
    item = f"{ITEMS.format('establishments')}/{place}"
    listed = f"{ITEMS.format('licences')}?limit=100"
    shown = (item, f"{ITEMS.format('licences')}/{licence}", listed, f"/q/{place}", f"/q/{place}.json")
    database = api.database.named(api.database.name)
    try:
        with TestClient(create_service(HttpSettings(sample="none", ward=WARD), database)) as client:
            before = {address: client.get(address) for address in shown}
            assert before[item].json()["properties"]["licence_status"] == "expiring"
            time.sleep(1)  # until what is kept is trusted
            before = {address: client.get(address) for address in shown}
            last_old = dict.fromkeys(shown, midnight)
            assert time.monotonic() < midnight, "too slow for this test"
            while time.monotonic() < midnight + 2 * FRESH_S:
                for address in shown:
                    asked = time.monotonic()
                    if client.get(address).content == before[address].content:
                        last_old[address] = max(asked, midnight)
                time.sleep(0.02)
            after = {address: client.get(address) for address in shown}
            assert today() > last_day
    finally:
        database.dispose()
    assert after[item].json()["properties"]["licence_status"] == "expired"
    assert after[f"/q/{place}.json"].json()["licence_status"] == "expired"
    for address in shown:
        assert after[address].content != before[address].content, address
        assert last_old[address] - midnight < FRESH_S, address
