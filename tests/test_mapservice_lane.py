"""The lane beside the router says what the router says, keeps what it may, and forgets what is touched."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from mapservice import lane_figures
from mapservice.app import create_app
from mapservice.middleware import Observe
from mapservice.settings import HttpSettings
from postgis.actor import write_as
from postgis.engine import Database
from postgis.notices import listening
from postgis.store import records
from tests.register_api import ITEMS, Api, register_api
from tests.small_ward import MIDDLE, WARD
from tests.test_freshness import address_of, tile_at

PLACES = ITEMS.format("establishments")
LIMIT_S = 1.0


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "lane", places=30, lane=True) as found:
        yield found


@pytest.fixture(scope="module")
def router(api: Api) -> Iterator[TestClient]:
    """The same register without the lane."""
    app = Observe(create_app(HttpSettings(sample="none", ward=WARD), api.database))
    with TestClient(app, raise_server_exceptions=False) as found:
        yield found


def addresses(api: Api) -> list[str]:
    place = api.ward.places[0]
    tile = address_of(tile_at(*MIDDLE[WARD], 16))
    dataset = tile.replace("/collections/establishments", "")
    licence = f"{ITEMS.format('licences')}/{api.ward.codes['licences'][0]}"
    return [
        tile, f"{tile}?operating_status=active", f"{tile}?q=quan", f"{tile}?nonsense=1", f"{tile}?operating_status=x",
        address_of((16, 3, 3)), address_of((30, 3, 3)), address_of((3, 9, 3)), f"{TILES_OF_LICENCES}/3/3/3",
        f"{dataset}?collections=wards,basemap_areas,streets", f"{dataset}?collections=wards&f=x", dataset,
        f"{dataset}?collections=licences", f"{PLACES}?limit=3", f"{PLACES}?limit=3&lang=en", f"{PLACES}?limit=0",
        f"{PLACES}?limit=2&f=json", f"{PLACES}?f=html&limit=1", f"{PLACES}?limit=5000", f"{PLACES}?q=thu&limit=2",
        f"{PLACES}?bbox=108,16,109,17&limit=2", f"{PLACES}?bbox=1", f"{PLACES}?lang=fr", f"{PLACES}?cursor=x",
        f"{PLACES}/{place}", f"{PLACES}/{place}?lang=en", f"{PLACES}/{place}?f=html", f"{PLACES}/{place}?x=1",
        f"{PLACES}/{place}?as_of=2026-01-02", f"{PLACES}/22222222", f"{PLACES}/nobody", f"{PLACES}/%20", licence,
        f"{ITEMS.format('wards')}/{WARD}", f"{ITEMS.format('legal_entities')}", f"{ITEMS.format('warnings')}?limit=1",
        f"/q/{place}", f"/q/{place}?lang=en", f"/q/{place}?from=22222222", f"/q/{place}.json", "/q/22222222",
        f"/q/{place.lower()}", "/q/22222222.json",
    ]  # fmt: skip


TILES_OF_LICENCES = "/ogc/collections/licences/tiles/WebMercatorQuad"
WAYS: tuple[dict[str, str], ...] = (
    {"Accept-Encoding": "identity"},
    {"Accept-Encoding": "gzip"},
    {"Accept-Encoding": "br, gzip"},
    {"Accept-Encoding": "identity;q=0, gzip;q=0.5"},
    {"Accept-Encoding": "identity;q=0, *"},
    {"Accept-Encoding": "*"},
    {"Accept-Language": "en", "Accept-Encoding": "gzip"},
    {"Accept": "text/html", "Accept-Encoding": "gzip"},
    {"Accept": "application/geo+json", "Accept-Language": "en, vi;q=0.5"},
    {"Accept": "text/csv"},
    {"Host": "ban-do.example", "Accept-Encoding": "identity"},
    {"Range": "bytes=0-9", "Accept-Encoding": "identity"},
    {"If-None-Match": "*"},
    {"Cookie": "mapservice_session=nonsense"},
    {"Cookie": "other=1"},
    {"Authorization": "Bearer nonsense"},
    {"X-Forwarded-Proto": "https"},
)


def told(answer: httpx.Response) -> tuple[object, ...]:
    changing = ("x-request-id", "date")
    headers = {name: value for name, value in answer.headers.items() if name not in changing}
    assert len(answer.headers["x-request-id"]) == 16
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(f"{n}={v}" for n, v in way.items()))
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_lane_says_what_the_router_says(api: Api, router: TestClient, way: dict[str, str], method: str) -> None:
    for address in addresses(api):
        expected = told(router.request(method, address, headers=way, follow_redirects=False))
        for turn in ("made", "kept", "kept again"):
            found = told(api.client.request(method, address, headers=way, follow_redirects=False))
            assert found == expected, (turn, address)


def test_an_etag_is_known_again_in_every_encoding(api: Api) -> None:
    for address in addresses(api):
        plain = api.client.get(address, headers={"Accept-Encoding": "identity"}, follow_redirects=False)
        # A long page is sent while it is being made: nobody knows yet what its ETag would be.
        if plain.status_code != 200 or "limit=5000" in address:
            continue
        packed = api.client.get(address, headers={"Accept-Encoding": "br"}, follow_redirects=False)
        for etag in (plain.headers["etag"], packed.headers["etag"], f'"x", W/{packed.headers["etag"]}'):
            again = api.client.get(address, headers={"If-None-Match": etag})
            assert (again.status_code, again.content) == (304, b""), address
        assert api.client.get(address, headers={"If-None-Match": '"x"'}).status_code == 200


def counted() -> float:
    return sum(
        sample.value for metric in lane_figures.MADE.collect() for sample in metric.samples if "total" in sample.name
    )


def test_many_who_ask_for_one_tile_cost_one_query(api: Api) -> None:
    address = address_of(tile_at(*MIDDLE[WARD], 14)) + "?sector_group=food_service"
    settle(api)
    before = counted()
    with ThreadPoolExecutor(24) as many:
        found = set(many.map(lambda _: api.client.get(address).content, range(120)))
    assert len(found) == 1
    assert counted() - before == 1


def settle(api: Api) -> None:
    """Waits until kept answers are trusted again, after a write of another process."""
    time.sleep(0.6)
    api.client.get("/healthz")


def rename(api: Api, code: str, name: str) -> None:
    """As another process does: this one hears of it from the database alone."""
    with write_as(api.database, api.actors["officer"], reason="thử", source="office") as connection:
        version = connection.execute(
            text("SELECT version FROM register.establishment WHERE code = :code"), {"code": code}
        ).scalar_one()
        records.change(connection, "establishments", code, version, {"name": name})


def seconds_until(api: Api, address: str, needle: str) -> float:
    began = last_old = time.monotonic()
    while time.monotonic() - began < 5:
        if needle.encode() in api.client.get(address).content:
            return last_old - began
        last_old = time.monotonic()
    pytest.fail(f"{address} stays old")


def surfaces(code: str, lon: float, lat: float, name: str) -> list[str]:
    return [
        f"{PLACES}/{code}",
        address_of(tile_at(lon, lat, 17)),
        address_of(tile_at(lon, lat, 18)) + "?sector_group=food_service",
        f"{PLACES}?limit=100",
        f"{PLACES}?q={name.replace(' ', '+')}",
        f"/q/{code}",
        f"/q/{code}.json",
    ]


def check_fresh(api: Api, code: str, name: str) -> None:
    lon, lat = api.client.get(f"{PLACES}/{code}").json()["geometry"]["coordinates"]
    shown = surfaces(code, lon, lat, name)
    for address in shown:
        for _ in range(3):
            api.client.get(address)
    rename(api, code, name)
    assert max(seconds_until(api, address, name) for address in shown) < LIMIT_S


def test_what_another_process_writes_is_seen(api: Api) -> None:
    for number, code in enumerate(api.ward.places[:6]):
        check_fresh(api, code, f"Quán Nghe Thấy {number}")


def test_a_notice_that_is_lost_costs_no_freshness(api: Api) -> None:
    with api.database.administrator() as connection:
        connection.execute(text("ALTER TABLE register.change DISABLE TRIGGER tell_change"))
    try:
        for number, code in enumerate(api.ward.places[6:10]):
            check_fresh(api, code, f"Quán Không Báo {number}")
    finally:
        with api.database.administrator() as connection:
            connection.execute(text("ALTER TABLE register.change ENABLE TRIGGER tell_change"))


def test_a_listening_connection_that_is_cut_costs_no_freshness(api: Api) -> None:
    for number, code in enumerate(api.ward.places[10:14]):
        with api.database.administrator() as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                     "AND query LIKE '%register_head%' AND pid <> pg_backend_pid()")
            )  # fmt: skip
        check_fresh(api, code, f"Quán Mất Kết Nối {number}")


def test_an_older_state_put_back_is_what_is_answered(api: Api) -> None:
    code = api.ward.places[14]
    rename(api, code, "Quán Sẽ Bị Bỏ")
    settle(api)
    assert "Quán Sẽ Bị Bỏ" in api.client.get(f"{PLACES}/{code}").text
    with api.database.administrator() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(
            text("UPDATE register.establishment SET name = 'Quán Như Trước' WHERE code = :code"), {"code": code}
        )
        connection.execute(text("DELETE FROM register.change WHERE seq = (SELECT max(seq) FROM register.change)"))
    assert seconds_until(api, f"{PLACES}/{code}", "Quán Như Trước") < LIMIT_S


def test_base_data_that_changes_is_seen(api: Api) -> None:
    address = f"{ITEMS.format('wards')}/{WARD}"
    api.client.get(address)
    with api.database.owner.begin() as connection:
        connection.execute(
            text("UPDATE register.ward SET name_en = 'Renamed Ward' WHERE code = :code AND valid_to IS NULL"),
            {"code": WARD},
        )
    assert seconds_until(api, address, "Renamed Ward") < LIMIT_S


def test_a_new_day_begins_afresh(api: Api) -> None:
    with listening(api.database) as notices:
        head, follows = notices.head(None)
        assert not follows
        assert notices.head(head) == (head, True)
        assert not notices.head(replace(head, today=head.today.replace(year=2020)))[1]
        assert not notices.head(replace(head, seq=head.seq + 1))[1]
        assert not notices.head(replace(head, mark="another"))[1]
