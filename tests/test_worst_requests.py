"""The worst that anybody can ask of each public route: answered or refused in time, in bounded memory, service alive.

Never a status of 500 and above but 503, which says that the service has its hands full.
"""

import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from layers.collections import COLLECTIONS, ESTABLISHMENTS
from layers.cql2 import limits
from layers.formats import FORMATS
from layers.query import MAX_LIMIT
from layers.search import MAX_WORDS
from mapservice.parameters import MAX_OFFSET, MAX_SORT_KEYS, MAX_VALUES
from mapservice.parameters import MAX_TEXT as MAX_SEARCH
from tests.conftest import Service, start_service, stop_service

pytestmark = pytest.mark.alone

SECONDS = 20.0
"""For one answer, on a machine that does other things too: the public's statements end after far less."""
EXPORT_SECONDS = 60.0
"""For a file of the largest collection, with every other format asked for beside it."""
GROWTH_MB = 400.0
"""By which all processes of the web service together may grow, the makers of files among them."""
WORLD = "-180,-90,180,90"
PLACES, PAPERS = "/ogc/collections/establishments", "/ogc/collections/licences"
TILE = "/tiles/WebMercatorQuad/{}/{}/{}"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A service of the test's own, with the demo sample: its memory is nobody else's."""
    root = Path(f"/tmp/mapservice-worst-{os.getpid()}")
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(mode=0o755)
    started = start_service(root / "data", MAPSERVICE_SAMPLE="demo")
    yield started
    stop_service(started)
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def visitor(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=EXPORT_SECONDS) as found:
        found.get(f"{PLACES}/items")
        yield found


def _tree_mb(process: int) -> float:
    """Memory of a process and its children, what they share counted once; the database's own processes left out."""
    status = Path(f"/proc/{process}/smaps_rollup")
    try:
        if Path(f"/proc/{process}/comm").read_text().startswith("postgres"):
            return 0.0
        found = next(line for line in status.read_text().splitlines() if line.startswith("Pss:"))
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except (OSError, StopIteration):
        return 0.0
    return int(found.split()[1]) / 1024 + sum(_tree_mb(int(child)) for child in children)


def _ask(visitor: httpx.Client, path: str, seconds: float = SECONDS, **query: str) -> int:
    """The status of an answer, read to its end in time."""
    started = time.monotonic()
    with visitor.stream("GET", path, params=query or None) as answer:
        for _ in answer.iter_raw():
            pass
    taken = time.monotonic() - started
    shown = (path, {name: value[:80] for name, value in query.items()}, answer.status_code, taken)
    assert answer.status_code < 500 or answer.status_code == 503, shown
    assert taken < seconds, shown
    return answer.status_code


def _outline(points: int) -> str:
    """A comb of so many points over the whole ward: each tooth has an edge for the index to look at."""
    teeth = [f"{108.19 + place * 0.05 / points:.5f} {16.02 + place % 2 * 0.05:.2f}" for place in range(points - 4)]
    return f"POLYGON(({teeth[0]},{','.join(teeth)},108.25 16.02,108.25 16.0,{teeth[0]}))"


def _nested(depth: int) -> str:
    return '{"op":"not","args":[' * depth + '{"op":"like","args":[{"property":"name"},"%a%b%"]}' + "]}" * depth


# An address holds 8 kB: that is what bounds the number of points and of values first.
FILTERS = {
    "deepest": {"filter": _nested(limits.MAX_DEPTH - 3), "filter-lang": "cql2-json"},
    "too deep": {"filter": _nested(60), "filter-lang": "cql2-json"},
    "brackets": {"filter": "(" * 2_500},
    "longest": {"filter": " OR ".join(["ACCENTI(name) LIKE ACCENTI('%a%b%')"] * (limits.MAX_NODES // 7))},
    "too long": {"filter": "name = '" + "x" * limits.MAX_TEXT + "'"},
    "wildcards": {"filter": "name LIKE '%" + "%".join("abcdefghijklmno"[: limits.MAX_WILDCARDS - 1]) + "'"},
    "too many wildcards": {"filter": "name LIKE '" + "%a" * (limits.MAX_WILDCARDS + 1) + "'"},
    "comb": {"filter": f"S_INTERSECTS(geometry,{_outline(350)})"},
    "combs": {"filter": " OR ".join(f"S_{op}(geometry,{_outline(110)})" for op in ("TOUCHES", "CROSSES", "OVERLAPS"))},
    "too many points": {"filter": f"S_WITHIN(geometry,{_outline(limits.MAX_VERTICES + 10)})"},
    "powers": {"filter": "9 ^ 9 ^ 9 ^ 9 ^ 9 > 1 AND 1 / 0 = 1"},
    "list": {"filter": "code IN (" + ",".join(f"'{number}'" for number in range(500)) + ")"},
}  # fmt: skip
SORTED = {"sortby": ",".join(f"-{name}" for name in ESTABLISHMENTS.sortable[:MAX_SORT_KEYS])}
PAGES = {
    "all": {"limit": str(MAX_LIMIT)},
    "more than all": {"limit": "9" * 18},
    "far": {"offset": str(MAX_OFFSET), "limit": "1000"},
    "too far": {"offset": str(MAX_OFFSET + 1)},
    "a letter anywhere": {"q": "a", "bbox": WORLD, "limit": "10000"},
    "many words": {"q": " ".join("abcdefgh"[:MAX_WORDS]), "bbox": WORLD},
    "too many letters": {"q": "ă" * (MAX_SEARCH + 1)},
    "sorted": {**SORTED, "limit": "10000"},
    "sorted, far": {**SORTED, "offset": "9000", "q": "a"},
    "many values": {"sector_group": ",".join(["retail"] * MAX_VALUES)},
    "long ago": {"datetime": "0001-01-01T00:00:00Z/9999-12-31T23:59:59Z", "limit": "10000"},
    "shifted": {"crs": "http://www.opengis.net/def/crs/EPSG/0/9209", "limit": "10000"},
    "wrong cursor": {"cursor": "A" * 4_000},
}


def _still_there(visitor: httpx.Client) -> None:
    assert visitor.get("/readyz").status_code == 200
    assert visitor.get(f"{PLACES}/items", params={"limit": "1"}).json()["numberReturned"] == 1


@pytest.mark.parametrize("name", PAGES)
def test_pages(visitor: httpx.Client, name: str) -> None:
    _ask(visitor, f"{PLACES}/items", **PAGES[name])
    _still_there(visitor)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_of_items_and_of_the_world(visitor: httpx.Client, name: str) -> None:
    """The least zoom is the whole collection: no filter may cost more there than it does on a page."""
    status = _ask(visitor, f"{PLACES}/items", **FILTERS[name], limit="10000")
    refused = name.startswith(("too", "brackets"))
    assert status in ((400, 414) if refused else (200,)), status
    assert _ask(visitor, PLACES + TILE.format(0, 0, 0), **FILTERS[name]) in (status, 200, 204, 503)
    _still_there(visitor)


def test_tiles(visitor: httpx.Client) -> None:
    """Every zoom where the ward is, all collections together, and what is outside the world."""
    for z, row, column in ((0, 0, 0), (1, 0, 1), (5, 14, 25), (9, 232, 409), (12, 1862, 3279), (14, 7449, 13116)):
        assert _ask(visitor, "/ogc" + TILE.format(z, row, column)) in (200, 204, 503)
        assert _ask(visitor, PLACES + TILE.format(z, row, column), q="a") in (200, 204, 503)
    for z, row, column in ((99, 0, 0), (3, 8, 0), (18, 2**40, 1)):
        assert _ask(visitor, PLACES + TILE.format(z, row, column)) in (400, 404)
    _still_there(visitor)


def test_every_cursor_is_a_page_of_its_own(visitor: httpx.Client) -> None:
    """Thirty pages at once, each from a cursor of another order: nothing is kept for them between requests."""
    cursors = []
    for name in ESTABLISHMENTS.sortable:
        answer = visitor.get(f"{PLACES}/items", params={"sortby": name, "limit": "1"}).json()
        cursors += [link["href"] for link in answer["links"] if link["rel"] == "next"]
    with ThreadPoolExecutor(6) as several:
        statuses = list(several.map(lambda address: _ask(visitor, address), cursors))
    assert statuses and set(statuses) <= {200, 503}
    _still_there(visitor)


def test_exports_in_every_format_at_once(service: Service, visitor: httpx.Client) -> None:
    """Of the largest collection: within memory, and a page is answered meanwhile."""
    before = most = _tree_mb(service.process.pid)
    with ThreadPoolExecutor(len(FORMATS)) as several:
        asked = [
            several.submit(_ask, visitor, f"{PAPERS}/items", EXPORT_SECONDS, f=form, limit=str(MAX_LIMIT))
            for form in FORMATS
        ]
        while not all(each.done() for each in asked):
            most = max(most, _tree_mb(service.process.pid))
            assert visitor.get(f"{PLACES}/items", params={"limit": "1"}).status_code in (200, 503)
            time.sleep(0.2)
    statuses = [each.result() for each in asked]
    assert set(statuses) <= {200, 503} and 200 in statuses, statuses
    assert most - before < GROWTH_MB, (before, most)
    _still_there(visitor)
    assert _tree_mb(service.process.pid) - before < GROWTH_MB / 2


OTHERS = {
    **{f"/ogc/collections/{found}/items": {"limit": "1000", "f": "html"} for found in COLLECTIONS},
    "/": {"q": "a" * 200, "bbox": WORLD},
    "/q": {"code": "A" * 5_000},
    "/q/" + "A" * 5_000: {},
    "/ogc/api": {"f": "json"},
    "/ogc/collections": {"f": "x" * 2_000},
    "/ogc/collections/" + "x" * 5_000: {},
    "/ogc/tiles/WebMercatorQuad/0/0/0": {"collections": ",".join(COLLECTIONS)},
    "/ogc/styles/map": {},
    "/changes": {"since": "0", "limit": "9" * 18},
    "/proposals/" + "A" * 2_000: {},
    "/photos/" + "..%2f" * 500: {},
    "/static/" + "..%2f" * 500: {},
    "/healthz": {"x": "y" * 5_000},
    "/metrics": {},
}


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path[:40])
def test_other_routes(visitor: httpx.Client, path: str) -> None:
    _ask(visitor, path, **OTHERS[path])
    _still_there(visitor)
