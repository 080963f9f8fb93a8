"""ETags of answers that are sent while they are made: the same tag means the same bytes, whatever was written."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text

from postgis.actor import write_own_account
from postgis.engine import Database
from postgis.store import lookup_days, sessions
from postgis.today import today
from tests.register_api import ITEMS, Api, register_api

PLACES = ITEMS.format("establishments")
STREAMS = ("json&limit=1001", "geojsonseq", "csv")


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "export_tags", places=20) as found:
        yield found


def _ask(api: Api, form: str, who: str | None = None, known: str = "", **headers: str) -> httpx.Response:
    headers = {"Accept-Encoding": "identity", **({"If-None-Match": known} if known else {}), **headers}
    return api.ask("GET", f"{PLACES}?f={form}", who, **headers)


def _tag(api: Api, form: str, **headers: str) -> str:
    answer = _ask(api, form, **headers)
    assert answer.status_code == 200, answer.text
    tag = answer.headers["etag"]
    assert not tag.startswith("W/")
    return tag


@pytest.mark.parametrize("form", STREAMS)
def test_who_has_it_already_is_told_so(api: Api, form: str) -> None:
    for encoding in ("identity", "gzip"):
        first, second = (_ask(api, form, **{"Accept-Encoding": encoding}) for _ in range(2))
        assert first.headers["etag"] == second.headers["etag"]
        assert first.content == second.content and first.content
        for known in (first.headers["etag"], f'"other", {first.headers["etag"]}', "*"):
            answer = _ask(api, form, known=known, **{"Accept-Encoding": encoding})
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == first.headers["etag"]
    # As often as it is asked for: no place among the exports is kept by an answer without a body.
    for _ in range(20):
        assert _ask(api, form, known=first.headers["etag"]).status_code == 304
    assert _ask(api, form, known='"other"').status_code == 200


def test_each_representation_has_a_tag_of_its_own(api: Api) -> None:
    asked = [
        *STREAMS,
        "csv&lang=en",
        "csv&limit=3",
        "csv&sortby=name",
        "csv&filter=name%20IS%20NULL",
        "json&limit=1002",
    ]
    tags = [_tag(api, form) for form in asked] + [_tag(api, "csv", **{"Accept-Encoding": "gzip"})]
    tags.append(_tag(api, "json&limit=1001", Host="other.example"))
    assert len(set(tags)) == len(tags)
    assert _tag(api, "csv", **{"Accept-Language": "en"}) != _tag(api, "csv", **{"Accept-Language": "vi"})


def test_what_only_staff_may_see_has_none(api: Api) -> None:
    """Nobody is to keep it, and anybody's tag is not theirs."""
    for form in STREAMS:
        answer = _ask(api, form, "officer", known=_tag(api, form))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


@pytest.mark.parametrize("form", STREAMS)
def test_every_write_that_could_matter_gives_another(api: Api, form: str) -> None:
    place = api.add_place(name="Quán Thử Nhãn")
    before = _ask(api, form)
    said = api.ask("PATCH", place, "officer", seen=api.etag(place), body={"properties": {"stall": "7"}})
    assert said.status_code == 200, said.text
    after = _ask(api, form, known=before.headers["etag"])
    assert after.status_code == 200
    assert after.content != before.content
    # One that changes nothing stands in no history, but moves updated_at; base data stands in none either.
    for write in ("UPDATE register.establishment SET name = name", "UPDATE register.street SET name = name || '.'"):
        with api.database.owner.begin() as connection:
            connection.execute(text(write))
        again = _ask(api, form, known=after.headers["etag"])
        assert again.status_code == 200, write
        assert again.headers["etag"] != after.headers["etag"]
        after = again


@pytest.mark.parametrize("form", ["xlsx", "gpkg", "fgb", "parquet"])
def test_files_that_are_made_first_have_none(client: httpx.Client, form: str) -> None:
    """Some say when they were made: two are never the same to the byte."""
    answer = client.get(f"{PLACES}?f={form}&limit=3", headers={"If-None-Match": "*"}, timeout=120)
    assert (answer.status_code, answer.headers.get("etag")) == (200, None)


@pytest.mark.parametrize("form", STREAMS)
def test_what_nobody_sees_leaves_it_standing(api: Api, form: str) -> None:
    """Sign-ins, counts of use, citizens' reports and the database's own housekeeping commit all day long."""
    tag = _tag(api, form)
    place = api.ward.places[0]
    with api.database.staff.begin() as connection:
        lookup_days.add(connection, today(), {place: 3})
    with write_own_account(api.database, api.actors["officer"].staff_id) as connection:
        sessions.start(connection, api.actors["officer"].staff_id)
    sent = {"kind": "hygiene", "words": "Sàn bếp rất bẩn, thấy sáng nay."}
    assert api.client.post(f"/q/{place}/report", data=sent, files={"photo": ("", b"")}).status_code == 200
    assert _ask(api, form, known=tag).status_code == 304
