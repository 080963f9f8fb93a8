"""Statistics of use: each look-up is counted once, also from memory; nothing of who; no number tells of one alone."""

import itertools
import re
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from layers import lookup_days as told
from mapservice import lookup_counts
from mapservice.app import create_service
from mapservice.lookup_counts import LookupCounts
from mapservice.protocol import BoundedHttp
from mapservice.settings import HttpSettings
from postgis import sticker_marks
from postgis.actor import prepare_as, read_as
from postgis.engine import Database
from postgis.secrets import open_secrets
from postgis.store import lookup_days, stickers
from postgis.store.stickers import RunOrder
from postgis.today import today
from tests import own_loop
from tests.register_api import Api, register_api
from tests.small_ward import WARD
from tests.staff_clients import Browser, add_member, location


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


def genuine(api: Api, place: str) -> str:
    """What a sticker's QR code carries beside the place's code."""
    secrets, officer = open_secrets(api.database.settings.data_dir), api.actors["officer"]
    with api.database.owner.begin() as connection:
        for table in ("sticker_event", "sticker", "sticker_print", "sticker_run", "sticker_key"):
            connection.execute(text(f"DELETE FROM register.{table}"))
    with prepare_as(api.database, officer) as connection:
        order = RunOrder(officer.ward_id, officer.staff_id, "thử", "chosen", {}, "a4_10", 10)
        stickers.make_run(connection, secrets, order, [place], only_missing=False)
    with api.database.owner.connect() as connection:
        serial = connection.execute(text("SELECT serial FROM register.sticker")).scalar_one()
    return serial + sticker_marks.mark(secrets.sticker_key(1)[0], place, serial)


def test_every_answered_page_is_counted_once_and_nothing_else(api: Api) -> None:
    place, other, quiet = api.ward.places
    for _ in range(7):
        assert api.client.get(f"/q/{place}").status_code == 200
    etag = api.client.get(f"/q/{other}?lang=en").headers["etag"]
    assert api.client.get(f"/q/{other}?lang=en", headers={"If-None-Match": etag}).status_code == 304
    scan = f"/q/{other}?t={genuine(api, other)}"
    assert api.client.get(scan).status_code == 200
    for path in (f"{quiet}.json", f"{quiet}.svg", "22222222", "nobody", f"{quiet}?t=ABCDE23456", f"{quiet}/report"):
        api.client.get(f"/q/{path}", follow_redirects=False)
    api.client.get(f"/?place={quiet}")
    api.client.head(f"/q/{quiet}")
    end = time.monotonic() + 10
    while counted(api) != {place: 7, other: 3} and time.monotonic() < end:
        time.sleep(0.1)
    assert counted(api) == {place: 7, other: 3}


def test_what_is_answered_from_memory_is_counted_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a connection, where an answer that stands ready goes out before the application is asked."""
    place = api.ward.places[0]
    clear(api)
    early: list[bytes] = []
    note_sent = LookupCounts.note_sent

    def watched(counts: LookupCounts, target: bytes, status: int) -> None:
        early.append(target)
        note_sent(counts, target, status)

    monkeypatch.setattr(LookupCounts, "note_sent", watched)
    app = create_service(HttpSettings(sample="none", ward=WARD), api.database)
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=BoundedHttp, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    asked = 0
    with httpx.Client(base_url=f"http://{host}:{port}") as client:
        end = time.monotonic() + 20
        while len(early) < 20 and time.monotonic() < end:
            answer = client.get(f"/q/{place}?lang=en", headers={"If-None-Match": '"x"'})
            asked += 1
            assert answer.status_code == 200
            assert (
                client.get(f"/q/{place}?lang=en", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
            )
            asked += 1
            client.head(f"/q/{place}?lang=en")
            client.get(f"/q/{place}.json")
    server.should_exit = True
    thread.join()
    assert len(early) >= 20
    assert counted(api) == {place: asked}


def test_the_table_has_no_room_for_anybody(owner_connection: Any) -> None:
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'register.lookup_day'::regclass AND attnum > 0"
    assert set(owner_connection.execute(text(columns)).scalars()) == {"establishment_id", "day", "lookups"}


def yesterday() -> date:
    return today() - timedelta(days=1)


def note(api: Api, day: date, counted: dict[str, int]) -> None:
    with api.database.staff.begin() as connection:
        lookup_days.add(connection, day, counted)


def clear(api: Api) -> None:
    with api.database.owner.begin() as connection:
        connection.execute(text("DELETE FROM register.lookup_day"))
        connection.execute(text("DELETE FROM register.lookup_month"))


def test_small_numbers_todays_and_other_wards_are_not_told(api: Api) -> None:
    place = api.ward.places[2]
    clear(api)
    for number, expected in ((4, None), (1, 5), (3, 10)):
        note(api, yesterday(), {place: number, "22222222": 9})
        note(api, today(), {place: 50})
        with read_as(api.database, api.actors["surveyor"]) as connection:
            assert told.of_place(connection, place) == told.of_ward(connection) == expected
            shown = [(row.code, row.lookups) for row in told.most_viewed(connection)]
            assert shown == ([(place, expected)] if expected else [])
    with read_as(api.database, api.actors["other"]) as connection:
        assert told.of_place(connection, place) is None and told.of_ward(connection) is None
        assert told.most_viewed(connection) == []
        assert {views for _, views in told.by_day(connection) or ()} == {None}
    with api.database.owner.begin() as connection:
        connection.execute(text("UPDATE register.lookup_day SET day = day - 31"))
    with read_as(api.database, api.actors["officer"]) as connection:
        assert told.of_place(connection, place) is None


def test_what_is_left_for_the_hidden_tells_none_of_them() -> None:
    """Even exactly known: each of the hidden may be each number below five."""
    shown = 0
    for hidden in range(1, 7):
        possible: dict[int, set[int]] = {}
        for numbers in itertools.product(range(5), repeat=hidden):
            possible.setdefault(sum(numbers), set()).add(numbers[0])
        for left, first in possible.items():
            if left and told.hides(left, hidden):
                shown += 1
                assert first == set(range(5)), (left, hidden)
    assert shown > 10 and told.hides(0, 0) and told.hides(0, 9) and not told.hides(1, 9)


def test_days_are_told_where_they_hide_the_places(api: Api) -> None:
    place, other, _ = api.ward.places
    clear(api)
    note(api, yesterday(), {place: 17, other: 3})
    with read_as(api.database, api.actors["officer"]) as connection:
        # Twenty on the day less about fifteen would be the other place's.
        assert told.by_day(connection) is None and told.of_ward(connection) == 15
    for back in (2, 3, 4, 5):
        note(api, today() - timedelta(days=back), {place: 4})
    many = add_places(api, 12)
    note(api, yesterday(), dict.fromkeys(many[:6], 2))
    with read_as(api.database, api.actors["officer"]) as connection:
        days = told.by_day(connection)
        assert days is not None and days[0] == (yesterday(), 30) and {views for _, views in days[1:]} == {None}
        assert told.of_ward(connection) == 35


def add_places(api: Api, number: int) -> list[str]:
    return [api.add_place(name=f"Quán Thêm {each}").rpartition("/")[2] for each in range(number)]


def test_pages_say_about_how_many(api: Api) -> None:
    place, other, quiet = api.ward.places
    clear(api)
    note(api, yesterday(), {place: 13, other: 7, quiet: 3})
    month = today().replace(day=1)
    for back, number in ((40, 2), (5, 1233)):
        note(api, month - timedelta(days=back), {place: number})
    with api.database.owner.begin() as connection:
        connection.execute(text("DELETE FROM register.lookup_day WHERE day < :day"), {"day": yesterday()})
    browser = Browser(api.database)
    add_member(api.database, "lan")
    location(browser.sign_in("lan"))
    staff = browser.get("/staff/lookups").text
    assert "khoảng 20 lượt" in staff and "khoảng 15<" in staff and "khoảng 5<" in staff
    assert f"/staff/establishments/{place}" in staff and f"/staff/establishments/{quiet}" not in staff
    assert not re.search(r"\b(13|7|3|23)\b(</td>| lượt)", staff)
    assert "Khoảng 15 lượt" in browser.get(f"/staff/establishments/{place}").text
    public = api.client.get("/open-data").text
    last = month - timedelta(days=5)
    assert f"Tháng {last.month}/{last.year}" in public and "khoảng 1.250" in public and "dưới 50" in public
    assert f"Tháng {month.month}/{month.year}" not in public


def test_days_are_forgotten_and_months_are_not(api: Api) -> None:
    place = api.ward.places[0]
    clear(api)
    for back in (401, 400):
        note(api, today() - timedelta(days=back), {place: 6})
    with api.database.staff.begin() as connection:
        lookup_days.forget_old(connection)
    with api.database.owner.connect() as connection:
        days = connection.execute(text("SELECT day FROM register.lookup_day")).scalars().all()
        assert days == [today() - timedelta(days=400)]
        assert connection.execute(text("SELECT sum(lookups) FROM register.lookup_month")).scalar_one() == 12


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
    own_loop.run(counts.write())
    assert counted(api) == {place: 2}
    counts.note(asked(f"/q/{other}"), 304)
    monkeypatch.setattr(lookup_days, "add", add)
    own_loop.run(counts.write())
    own_loop.run(counts.write())
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
