"""Bad input gets a clear 4xx problem in the reader's language; never a 500, never database text."""

import http.client
import random
import string
from urllib.parse import quote, urlsplit

import httpx
import pytest

ITEMS = "/ogc/collections/establishments/items"
TILE = "/ogc/collections/establishments/tiles/WebMercatorQuad"
LEAKS = (
    "psycopg",
    "sqlalchemy",
    "traceback",
    "select ",
    "syntax error",
    "pg_",
    'relation "',
    'column "',
    "/work/",
    ".py",
)

BAD = [
    ("/ogc/collections/nothing", 404, "unknown_collection"),
    ("/ogc/collections/nothing/items", 404, "unknown_collection"),
    ("/ogc/collections/establishments/items/NOSUCH", 404, "unknown_feature"),
    ("/ogc/collections/establishments/items/%00", 404, "unknown_feature"),
    ("/ogc/collections/wards/items/20257'--", 404, "unknown_feature"),
    (f"{ITEMS}?bbox=1,2,3", 400, "invalid_bbox"),
    (f"{ITEMS}?bbox=a,b,c,d", 400, "invalid_bbox"),
    (f"{ITEMS}?bbox=nan,1,2,3", 400, "invalid_bbox"),
    (f"{ITEMS}?bbox=inf,1,2,3", 400, "invalid_bbox"),
    (f"{ITEMS}?bbox=108,17,109,16", 400, "invalid_bbox"),
    (f"{ITEMS}?bbox=1e400,0,1,1", 400, "invalid_bbox"),
    (f"{ITEMS}?bbox=500,0,501,1", 400, "invalid_bbox"),
    (f"{ITEMS}?limit=0", 400, "invalid_limit"),
    (f"{ITEMS}?limit=-1", 400, "invalid_limit"),
    (f"{ITEMS}?limit=1.5", 400, "invalid_limit"),
    (f"{ITEMS}?limit=abc", 400, "invalid_limit"),
    (f"{ITEMS}?limit=٣", 400, "invalid_limit"),
    (f"{ITEMS}?offset=-1", 400, "invalid_offset"),
    (f"{ITEMS}?offset=99999999999999999999", 400, "invalid_offset"),
    (f"{ITEMS}?cursor=xyz", 400, "invalid_cursor"),
    (f"{ITEMS}?cursor=WyJhIl0", 400, "invalid_cursor"),
    (f"{ITEMS}?cursor=WyIxIiwiMiIsIjMiXQ", 400, "invalid_cursor"),
    (f"{ITEMS}?cursor=WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTkiXQ", 400, "invalid_cursor"),
    (f"{ITEMS}?datetime=yesterday", 400, "invalid_datetime"),
    (f"{ITEMS}?datetime=2026-02-30", 400, "invalid_datetime"),
    (f"{ITEMS}?datetime=2026-12-31/2026-01-01", 400, "invalid_datetime"),
    (f"{ITEMS}?datetime=a/b/c", 400, "invalid_datetime"),
    (f"{ITEMS}?foo=1", 400, "unknown_parameter"),
    (f"{ITEMS}?limit=1&limit=2", 400, "repeated_parameter"),
    (f"{ITEMS}?f=xml", 400, "invalid_format"),
    (f"{ITEMS}?lang=fr", 400, "invalid_language"),
    (f"{ITEMS}?sector_group=pizza", 400, "invalid_value"),
    (f"{ITEMS}?live_warning=maybe", 400, "invalid_value"),
    (f"{ITEMS}?accepts_cashless=yes,perhaps", 400, "invalid_value"),
    (f"{ITEMS}?ward=%00", 400, "invalid_text"),
    (f"{ITEMS}?q=%00", 400, "invalid_text"),
    (f"{ITEMS}?q=%ff%fe", 400, "invalid_text"),
    (f"{ITEMS}?q={'a' * 201}", 400, "text_too_long"),
    ("/ogc/collections/residential_groups/items?number=x", 400, "invalid_value"),
    ("/ogc/collections/wards/items?q=hoa", 400, "unknown_parameter"),
    ("/ogc?foo=1", 400, "unknown_parameter"),
    ("/ogc/collections?foo=1", 400, "unknown_parameter"),
    (f"{TILE}/a/b/c", 400, "invalid_tile"),
    (f"{TILE}/-1/0/0", 400, "invalid_tile"),
    (f"{TILE}/1.5/0/0", 400, "invalid_tile"),
    (f"{TILE}/5/0/32", 404, "tile_out_of_range"),
    (f"{TILE}/23/0/0", 404, "tile_out_of_range"),
    (f"{TILE}/99999999999999999/0/0", 404, "tile_out_of_range"),
    (f"{TILE}/9999999999999999999999999/0/0", 400, "invalid_tile"),
    (f"{TILE}/5/0/0?limit=3", 400, "unknown_parameter"),
    ("/ogc/collections/establishments/tiles/Other/0/0/0", 404, "unknown_tile_matrix_set"),
    ("/ogc/tileMatrixSets/Other", 404, "unknown_tile_matrix_set"),
    ("/ogc/styles/other", 404, "unknown_style"),
    ("/q/K7M42XPA.json", 404, None),
    ("/q/!!!.json", 404, None),
    ("/no/such/page", 404, "not_found"),
    ("/static/../pyproject.toml", 404, "not_found"),
    ("/static/%2e%2e/%2e%2e/pyproject.toml", 404, "not_found"),
]


def _check_problem(answer: httpx.Response, status: int, code: str | None) -> None:
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"] and problem["detail"]
    if code:
        assert problem["type"].endswith(f":{code}")
    text = answer.text.lower()
    assert not [leak for leak in LEAKS if leak in text.replace("known: ", "")], text


@pytest.mark.parametrize(("address", "status", "code"), BAD)
def test_bad_input_is_a_clear_problem(client: httpx.Client, address: str, status: int, code: str | None) -> None:
    _check_problem(client.get(address), status, code)
    english = client.get(address, headers={"Accept-Language": "en"})
    _check_problem(english, status, code)
    if "lang=" not in address:
        assert english.json()["title"] != client.get(address).json()["title"]


@pytest.mark.parametrize(
    ("address", "status"), [row[:2] for row in BAD if ".json" not in row[0] and "f=xml" not in row[0]]
)
def test_a_browser_gets_a_page(client: httpx.Client, address: str, status: int) -> None:
    answer = client.get(address, headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert '<html lang="vi"' in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_methods_that_are_not_there(client: httpx.Client, method: str) -> None:
    _check_problem(client.request(method, "/ogc/collections"), 405, "method_not_allowed")


HOSTILE = [
    "' OR 1=1 --",
    '"; DROP TABLE register.establishment; --',
    "%' AND 1=CAST((SELECT version()) AS int) --",
    "\\",
    "%",
    "_",
    "%%%%%%%%",
    "(((((",
    "[a-z",
    "*",
    "\\m\\M",
    "a{1000000}",
    "(a+)+$",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "\u202egnurt",
    "\u0000"[:0] + "\u200b\ufeff",
    "🍜" * 40,
    "é" * 100,
    "\r\nSet-Cookie: a=b",
    "nan",
    "null",
    "-0",
    "1e309",
    "../../etc/passwd",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_searches_are_only_searches(client: httpx.Client, text: str) -> None:
    answer = client.get(ITEMS, params={"q": text, "limit": 5})
    assert answer.status_code == 200, answer.text
    tile = client.get(f"{TILE}/5/14/25", params={"q": text})
    assert tile.status_code in (200, 204)
    page = client.get("/", params={"q": text}, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "<script>alert(1)" not in page.text


def test_random_bytes_everywhere(client: httpx.Client) -> None:
    random_ = random.Random(20257)
    for _ in range(300):
        junk = quote(
            "".join(
                chr(random_.choice([random_.randrange(1, 0x7F), random_.randrange(0xA0, 0x3000)])) for _ in range(12)
            )
        )
        name = random_.choice(
            ["q", "bbox", "limit", "cursor", "datetime", "sector_group", "f", "lang", "offset", "ward"]
        )
        address = random_.choice(
            [f"{ITEMS}?{name}={junk}", f"/ogc/collections/{junk}", f"{ITEMS}/{junk}", f"/q/{junk}", f"/{junk}"]
        )
        assert client.get(address).status_code < 500, address


def _raw(server: str, target: str) -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=30)
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("content-type", "")
    finally:
        connection.close()


@pytest.mark.parametrize("size", [10_000, 60_000, 1_000_000])
def test_a_huge_address_is_refused_clearly(live_server: str, size: int) -> None:
    status, body, media_type = _raw(live_server, f"{ITEMS}?q={'a' * size}")
    assert 400 <= status < 500
    assert media_type == "application/problem+json"
    assert b"address_too_long" in body
    assert len(body) < 2_000


def test_a_huge_header_is_refused(live_server: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(live_server).netloc, timeout=30)
    try:
        connection.request("GET", "/healthz", headers={"X-Big": "a" * 500_000})
        assert connection.getresponse().status in (200, 400, 431)
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        connection.close()


def test_many_parameters_are_refused(live_server: str) -> None:
    query = "&".join(f"{letter}{number}=1" for letter in string.ascii_lowercase for number in range(30))
    status, _, media_type = _raw(live_server, f"{ITEMS}?{query}")
    assert (status, media_type) == (400, "application/problem+json")
