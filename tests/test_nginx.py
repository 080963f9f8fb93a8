"""`docs/nginx.conf` in Debian's nginx before a running service: quick for everybody, never stale, staff never kept."""

import gzip
import time
from collections.abc import Iterator
from dataclasses import dataclass

import brotli
import httpx
import pytest

from tests.conftest import free_port
from tests.live_register import ITEMS, LiveRegister, etag_of, live_register, patch
from tests.nginx_front import nginx_before

pytestmark = pytest.mark.alone

KEPT_S = 2.0
"""How old an answer may be: nginx counts whole seconds, so that one of them is less than two."""


@dataclass
class Fronted:
    """A service, and the address of the nginx before it."""

    register: LiveRegister
    url: str


@pytest.fixture(scope="module")
def fronted() -> Iterator[Fronted]:
    with live_register(places=6) as register, nginx_before(register.url) as front:
        yield Fronted(register, front.url)


@pytest.fixture
def client(fronted: Fronted) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=fronted.url, timeout=30, headers={"Accept-Encoding": "identity"}) as found:
        yield found


def _twice(client: httpx.Client, path: str, headers: dict[str, str] | None = None) -> tuple[httpx.Response, str]:
    """What the front answers the second time, and whether it had kept it; tries again when a second went by between."""
    for _ in range(10):
        client.get(path, headers=headers)
        answer = client.get(path, headers=headers)
        if answer.headers.get("x-cache", "") not in ("EXPIRED", "REVALIDATED"):
            break
    return answer, answer.headers.get("x-cache", "")


def test_what_anybody_may_see_is_kept(fronted: Fronted, client: httpx.Client) -> None:
    code = fronted.register.ward.places[0]
    for path in (f"{ITEMS}/{code}", f"{ITEMS}?limit=3", f"/q/{code}", "/", "/ogc", "/static/js/map.js"):
        answer, kept = _twice(client, path)
        straight = httpx.get(f"{fronted.register.url}{path}", headers={**client.headers, "Host": fronted.url[7:]})
        assert (answer.status_code, kept) == (200, "HIT"), path
        assert answer.content == straight.content, path
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304 and not again.content, path


def test_each_encoding_and_language_is_an_answer_of_its_own(fronted: Fronted, client: httpx.Client) -> None:
    path = f"/q/{fronted.register.ward.places[0]}"
    plain = _twice(client, path)[0].content
    for accepted, undo in (
        ("gzip", gzip.decompress),
        ("br", brotli.decompress),
        ("gzip, deflate, br", brotli.decompress),
    ):
        with client.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
            assert undo(b"".join(answer.iter_raw())) == plain, accepted
    refused = client.get(path, headers={"Accept-Encoding": "gzip;q=0, br;q=0"})
    assert "content-encoding" not in refused.headers and refused.content == plain
    path = "/ogc/collections/establishments"
    vietnamese = _twice(client, path)[0].content
    english = client.get(path, headers={"Accept-Language": "en"})
    assert english.content != vietnamese and _twice(client, path)[0].content == vietnamese


def test_staff_are_never_answered_from_it_nor_kept_in_it(fronted: Fronted, client: httpx.Client) -> None:
    code = fronted.register.ward.places[1]
    officer = {"Authorization": f"Bearer {fronted.register.tokens[0]}"}
    for path in (f"{ITEMS}/{code}", f"{ITEMS}?limit=3"):
        public = _twice(client, path)[0].content
        inside, kept = _twice(client, path, officer)
        assert kept == "BYPASS" and b'"version"' in inside.content and b'"version"' not in public
        assert _twice(client, path)[0].content == public
        signed_in = client.get(path, headers={"Cookie": "mapservice_session=whatever"})
        assert signed_in.headers["x-cache"] == "BYPASS"


def test_what_must_not_be_kept_is_not(client: httpx.Client) -> None:
    for path in ("/staff/sign-in", "/readyz", "/metrics", "/changes"):
        answer = client.get(path)
        assert "x-cache" not in answer.headers, path
    for path in (f"{ITEMS}/22222222", f"{ITEMS}?limit=-1", "/ogc/nowhere"):
        answer, kept = _twice(client, path)
        assert answer.status_code >= 400 and kept != "HIT", path


def test_an_edit_is_seen_before_two_seconds_are_over(fronted: Fronted, client: httpx.Client) -> None:
    register, code = fronted.register, fronted.register.ward.places[2]
    path, token = f"{ITEMS}/{code}", fronted.register.tokens[0]
    for number in range(4):
        client.get(path)
        name = f"Quán Sau Cổng {number}"
        with httpx.Client(base_url=fronted.url, timeout=30) as officer:
            answer = patch(officer, code, etag_of(officer, code, token), token, {"properties": {"name": name}})
        assert answer.status_code == 200, answer.text
        saved = time.monotonic()
        while name not in client.get(path).text:
            # A second for the service, and what the front keeps.
            assert time.monotonic() - saved < 1 + KEPT_S
            time.sleep(0.02)
        straight = httpx.get(f"{register.url}{path}", headers={**client.headers, "Host": fronted.url[7:]})
        assert client.get(path).content == straight.content


def test_without_the_service_nothing_old_is_served() -> None:
    gone = free_port()
    with nginx_before(f"http://127.0.0.1:{gone}") as front:
        assert httpx.get(f"{front.url}{ITEMS}", timeout=30).status_code == 502
    with live_register(places=1) as register, nginx_before(register.url) as front:
        path = f"{front.url}{ITEMS}/{register.ward.places[0]}"
        assert httpx.get(path, timeout=30).status_code == 200
        register.process.terminate()
        register.process.wait(60)
        time.sleep(KEPT_S)
        assert httpx.get(path, timeout=30).status_code == 502
