"""Statistics of use: each look-up is counted once, also from memory; nothing of who; small numbers are never told."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from layers import lookup_days as told
from mapservice import lookup_counts
from mapservice.lookup_counts import LookupCounts
from postgis.actor import read_as
from postgis.engine import Database
from postgis.store import lookup_days
from postgis.today import today
from tests.register_api import Api, register_api


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookup_counts, "EVERY_S", 0.1)
        with register_api(server, base_database, "lookup_days", places=3, lane=True) as found:
            with found.database.owner.begin() as connection:
                connection.execute(text("DELETE FROM register.lookup_day"))
            yield found


def counted(api: Api) -> dict[str, int]:
    statement = """
        SELECT e.code, d.lookups FROM register.lookup_day d JOIN register.establishment e ON e.id = d.establishment_id
    """
    with api.database.owner.connect() as connection:
        return {row.code: row.lookups for row in connection.execute(text(statement))}


def asked(path: str, method: str = "GET") -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path}


def test_every_answered_page_is_counted_once_and_nothing_else(api: Api) -> None:
    place, other, quiet = api.ward.places
    for _ in range(7):
        assert api.client.get(f"/q/{place}").status_code == 200
    etag = api.client.get(f"/q/{other}?lang=en").headers["etag"]
    assert api.client.get(f"/q/{other}?lang=en", headers={"If-None-Match": etag}).status_code == 304
    for path in (f"/q/{quiet}.json", f"/q/{quiet}.svg", "/q/22222222", "/q/nobody", f"/?place={quiet}"):
        api.client.get(path, follow_redirects=False)
    api.client.head(f"/q/{quiet}")
    end = time.monotonic() + 10
    while counted(api) != {place: 7, other: 2} and time.monotonic() < end:
        time.sleep(0.1)
    assert counted(api) == {place: 7, other: 2}


def test_the_table_has_no_room_for_anybody(owner_connection: Any) -> None:
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'register.lookup_day'::regclass AND attnum > 0"
    assert set(owner_connection.execute(text(columns)).scalars()) == {"establishment_id", "day", "lookups"}


def test_small_numbers_and_other_wards_are_not_told(api: Api) -> None:
    place = api.ward.places[2]
    with api.database.owner.begin() as connection:
        connection.execute(text("DELETE FROM register.lookup_day"))
    for number, expected in ((4, None), (1, 5)):
        with api.database.staff.begin() as connection:
            lookup_days.add(connection, today(), {place: number, "22222222": 9})
        with read_as(api.database, api.actors["surveyor"]) as connection:
            assert told.of_place(connection, place) == told.of_ward(connection) == expected
    with read_as(api.database, api.actors["other"]) as connection:
        assert told.of_place(connection, place) is None and told.of_ward(connection) is None
    with api.database.owner.begin() as connection:
        connection.execute(text("UPDATE register.lookup_day SET day = day - 30"))
    with read_as(api.database, api.actors["officer"]) as connection:
        assert told.of_place(connection, place) is None


def test_what_cannot_be_written_is_kept_and_written_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    place, other, _ = api.ward.places
    with api.database.owner.begin() as connection:
        connection.execute(text("DELETE FROM register.lookup_day"))
    counts, add = LookupCounts(api.database), lookup_days.add
    monkeypatch.setattr(lookup_counts, "AT_ONCE", 1)
    for path in (f"/q/{place}", f"/q/{place}", f"/q/{other}"):
        counts.note(asked(path), 200)
    tries = []

    def away_after_the_first(*arguments: Any) -> None:
        tries.append(arguments)
        if len(tries) > 1:
            raise OperationalError("", {}, Exception())
        add(*arguments)

    monkeypatch.setattr(lookup_days, "add", away_after_the_first)
    asyncio.run(counts.write())
    assert counted(api) == {place: 2}
    counts.note(asked(f"/q/{other}"), 304)
    monkeypatch.setattr(lookup_days, "add", add)
    asyncio.run(counts.write())
    asyncio.run(counts.write())
    assert counted(api) == {place: 2, other: 2}


def test_memory_is_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup_counts, "MOST", 2)
    counts = LookupCounts(api.database)
    for code in ("AAAA", "BBBB", "CCCC", "AAAA"):
        counts.note(asked(f"/q/{code}"), 200)
    assert counts._counted == {"AAAA": 2, "BBBB": 1}
    for path, method, status in (("/q/BBBB", "HEAD", 200), ("/q/BBBB", "GET", 404), ("/q/BBBB/report", "GET", 200)):
        counts.note(asked(path, method), status)
    assert counts._counted == {"AAAA": 2, "BBBB": 1}
