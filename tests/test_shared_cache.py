"""A cache between the service and its users never hands one what was answered to another.

The cache here is the worst that RFC 9111 allows and a little worse: it stores all that it may, and never asks again.
"""

from collections.abc import Iterator, Mapping

import httpx
import pytest

from postgis.engine import Database
from tests.register_api import ITEMS, Api, register_api
from tests.staff_clients import PASSWORD, Browser, add_member

PLACES = ITEMS.format("establishments")
ADDRESSES = (
    "/", "/ogc", "/ogc/conformance", "/ogc/api", "/ogc/collections", "/ogc/collections/establishments",
    "/ogc/collections/establishments/schema", "/ogc/collections/establishments/queryables", "/ogc/collections/outreach",
    f"{PLACES}?limit=1", f"{PLACES}?limit=1&f=html", f"{PLACES}/{{place}}", f"{PLACES}/{{place}}?f=html",
    f"{ITEMS.format('licences')}/{{licence}}", f"{ITEMS.format('inspections')}?limit=5",
    f"{ITEMS.format('food_safety_records')}?limit=1", f"{PLACES}/22222222",
    "/ogc/collections/establishments/tiles", "/ogc/collections/establishments/tiles/WebMercatorQuad/0/0/0",
    "/changes", "/changes?limit=2&f=html", "/q/{place}", "/q/{place}.json", "/proposals", "/proposals/{receipt}",
    "/staff", "/staff/establishments/{place}",
)  # fmt: skip


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "shared_cache", lane=True) as found:
        yield found


class SharedCache:
    """Keeps answers by address and by the headers that each names in Vary."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.kept: dict[str, list[tuple[dict[str, str], httpx.Response]]] = {}

    def get(self, path: str, headers: Mapping[str, str]) -> httpx.Response:
        asked = {name.lower(): value for name, value in headers.items()}
        for chosen_by, answer in self.kept.get(path, []):
            if all(asked.get(name, "") == value for name, value in chosen_by.items()):
                return answer
        answer = self.client.get(path, headers=dict(headers), follow_redirects=False)
        control = answer.headers.get("cache-control", "")
        if answer.status_code != 401 and not ({"private", "no-store"} & {word.strip() for word in control.split(",")}):
            names = [name.strip().lower() for name in answer.headers.get("vary", "").split(",") if name.strip()]
            self.kept.setdefault(path, []).append(({name: asked.get(name, "") for name in names}, answer))
        return answer


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_is_answered_what_somebody_else_asked(api: Api, address: str) -> None:
    path = address.format(
        place=api.ward.places[0], licence=api.ward.codes["licences"][0], receipt=api.ward.receipt
    )  # fmt: skip
    add = {"Accept": "*/*", "Accept-Encoding": "identity", "Accept-Language": "vi"}
    askers = {who: {**add, "Authorization": f"Bearer {api.tokens[who]}"} for who in ("officer", "other", "surveyor")}
    askers["nobody"] = add
    straight = {who: api.client.get(path, headers=asks, follow_redirects=False) for who, asks in askers.items()}
    for first in askers:
        cache = SharedCache(api.client)
        cache.get(path, askers[first])
        for second, asks in askers.items():
            through = cache.get(path, asks)
            expected = straight[second]
            assert (through.status_code, through.text) == (expected.status_code, expected.text), (first, second)


def test_nor_with_a_session_in_the_browser(api: Api) -> None:
    add_member(api.database, "co-phien", "officer", password=PASSWORD)
    browser = Browser(api.database)
    assert browser.sign_in("co-phien").status_code == 303
    cookie = "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items())
    plain = {"Accept": "*/*", "Accept-Encoding": "identity"}
    path = f"{PLACES}/{api.ward.places[0]}"
    for first, second in ((plain, {**plain, "Cookie": cookie}), ({**plain, "Cookie": cookie}, plain)):
        cache = SharedCache(api.client)
        inside = ["version" in cache.get(path, asks).json()["properties"] for asks in (first, second)]
        assert inside == ["Cookie" in first, "Cookie" in second]
