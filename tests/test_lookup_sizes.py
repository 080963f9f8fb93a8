"""Every variant of the look-up page as it goes over the wire, with the longest that there is: one flight of 14 KB.

Every operating status, every state of a sticker, both languages, two warnings with long words, an inspection that was
failed, replies to all of them, former names, a dissolved unit, a photo, each from the register and from its copy; and
every page that helps where there is no place. Over HTTP, headers counted.
"""

import gzip
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brotli
import pytest
import uvicorn
from sqlalchemy import Connection, text
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from layers.lookup import find_establishment, known_code
from layers.stickers import stickers_of
from mapservice.app import create_service
from mapservice.middleware import Observe
from mapservice.place_answers import relations
from mapservice.place_copies import Copy, PlaceCopies, now
from mapservice.settings import HttpSettings
from mapservice.while_away import WhileAway
from postgis import codes
from postgis.actor import Actor, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.secrets import FILE_NAME, open_secrets
from postgis.store import life_cycle, lookup_codes, records
from postgis.vocabulary import OPERATING_STATUSES, PAYMENT_METHODS
from tests.printed_stickers import PrintedStickers
from tests.small_ward import SmallWard, add_staff, fill, lift_warnings
from tests.test_mapservice_lookup_dead_ends import READERS, beside
from tests.test_web_lookup import FIRST_FLIGHT, OSM_PLACES

BASE = "https://bando.phuonghoacuong.danang.gov.vn"
STICKERS = {
    "printed": (), "installed": ("installed",), "withdrawn": ("withdrawn",), "lost": ("installed", "lost"),
    "replaced": ("installed", "replaced"), "spoilt": ("spoilt",),
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """A variant: where it is, and the status it must have."""

    name: str
    path: str
    status: int = 200
    away: bool = False


@dataclass
class World:
    ward: SmallWard
    stickers: PrintedStickers
    pages: list[Page] = field(default_factory=list)
    ports: dict[bool, int] = field(default_factory=dict)
    """Where the service listens, and one whose database is away."""

    def get(self, page: Page, coding: str = "identity") -> tuple[int, int, dict[str, str], bytes]:
        """Status, bytes of the whole answer, its headers and its body as sent."""
        request = (
            f"GET {page.path} HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nAccept-Encoding: {coding}\r\n"
            "Connection: close\r\n\r\n"
        )
        received = bytearray()
        with socket.create_connection(("127.0.0.1", self.ports[page.away])) as connection:
            connection.sendall(request.encode())
            while chunk := connection.recv(65536):
                received += chunk
        head, _, body = bytes(received).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        return int(first.split()[1]), len(received), dict(line.lower().split(": ", 1) for line in lines), body

    def text(self, page: Page) -> str:
        return self.get(page)[3].decode()


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "lookup_sizes", template="base")
    officer = add_staff(own, "officer", "officer")
    ward = fill(own, officer, len(OPERATING_STATUSES) + 3)
    full, (twin, mistake, _) = ward.places[: len(OPERATING_STATUSES)], ward.places[len(OPERATING_STATUSES) :]
    _fill_up(own, officer, full)
    found = World(ward, PrintedStickers(own, officer, open_secrets(own.settings.data_dir), [*full, twin, mistake]))
    unused = _put_away(own, officer, twin, mistake, into=full[0])
    found.pages = _pages(found, full, twin, mistake, unused)
    _dissolve(own, full[1:])
    copies = tmp_path_factory.mktemp("copies")
    shutil.copy(own.settings.data_dir / FILE_NAME, copies)
    with own.public.connect() as connection:
        _copy(connection, PlaceCopies(copies), [*full, twin, mistake, unused])
    settings = HttpSettings(public_url=BASE, sample="none")
    with_database, without = create_service(settings, own), Observe(_away(WhileAway(settings, copies)))
    with _listening(with_database) as found.ports[False], _listening(without) as found.ports[True]:
        yield found
    own.dispose()
    drop_database(server, "lookup_sizes")


class _listening:  # noqa: N801 - reads as a word in `with`
    """A server on an application; its port."""

    def __init__(self, app: ASGIApp) -> None:
        self.server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False))
        self.thread = threading.Thread(target=self.server.run)

    def __enter__(self) -> int:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return int(self.server.servers[0].sockets[0].getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join()


def _away(away: WhileAway) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            response = away.answer(Request(scope))
            assert response is not None, scope["path"]
            await response(scope, receive, send)

    return app


def _copy(connection: Connection, copies: PlaceCopies, places: list[str]) -> None:
    """As `copying` does."""
    stickers = stickers_of(connection, places)
    for code in places:
        found = find_establishment(connection, code)
        known = relations(connection, found, None) if found else {}
        copies.put(code, Copy(found, known, *known_code(connection, code), now(), stickers.get(code, {})))


def _fill_up(database: Database, officer: Actor, places: list[str]) -> None:
    """Gives places the longest names that there are, and everything that a page tells."""
    with gzip.open(OSM_PLACES, "rt") as lines:
        real = [json.loads(line)["properties"] for line in lines]
    longest = {
        name: max((row.get(name) or "" for row in real), key=len)
        for name in ("name", "name_en", "address", "website", "opening_hours")
    }
    said = " ".join(row["name"] for row in real if row.get("name"))
    former = sorted((row["name"] for row in real if row.get("name")), key=len)[-2]
    of_places = "WHERE establishment_id IN (SELECT id FROM register.establishment WHERE code = ANY (:places))"
    with write_as(database, officer, reason="thử", source="office") as connection:
        for place in places:
            _add(connection, officer, place, said)
    with database.administrator() as connection:
        for place, status in zip(places, OPERATING_STATUSES, strict=True):
            connection.execute(
                text(
                    """UPDATE register.establishment SET name = :name, name_en = :name_en, address = :address,
                       website = :website, opening_hours = :opening_hours, operating_status = :status, stall = 'A-112',
                       closed_on = CASE WHEN :status IN ('closed', 'moved') THEN date '2026-06-30' END,
                       moved_to_id = (SELECT id FROM register.establishment WHERE code = :other AND :status = 'moved'),
                       kind = 'restaurant', legal_form = 'household_business', illustrative = true,
                       verified_on = '2026-08-20' WHERE code = :code"""
                ),
                {**longest, "status": status, "code": place, "other": places[0]},
            )
        for name, words in (("headline", 300), ("instruction", 1_000), ("agency", 200)):
            connection.execute(
                text(f"UPDATE register.warning SET {name} = :said {of_places}"),
                {"said": said[:words], "places": places},
            )
        connection.execute(
            text(f"UPDATE register.inspection SET result = 'c', agency = :agency, official_words = :words {of_places}"),
            {"agency": said[:200], "words": said[200:2_200], "places": places},
        )
        for table in ("inspection", "warning"):
            connection.execute(
                text(f"UPDATE register.{table} SET reply = :said, replied_on = current_date {of_places}"),
                {"said": said[2_200:2_700], "places": places},
            )
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(
            text("UPDATE register.change SET at = at - interval '40 days', after = after || jsonb_build_object('name', "
                 "CAST(:former AS text)) WHERE collection = 'establishments' AND kind = 'insert'"), {"former": former},
        )  # fmt: skip


def _dissolve(database: Database, places: list[str]) -> None:
    """Has places recorded in a unit that is no more."""
    with database.administrator() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(
            text("UPDATE register.establishment SET ward_id = (SELECT id FROM register.ward WHERE code = '20258' AND "
                 "valid_to IS NOT NULL) WHERE code = ANY (:places)"), {"places": places},
        )  # fmt: skip


def _add(connection: Connection, officer: Actor, place: str, said: str) -> None:
    """A second warning, every method of payment, a photo."""

    def add(collection: str, **values: Any) -> None:
        of_place = {"establishment": place, "source": "office"}
        records.create(connection, collection, values | of_place, ward_id=officer.ward_id)

    add("warnings", issued_on="2026-03-04", headline=said[:300], agency=said[:200])
    for method in PAYMENT_METHODS:
        if method != "vietqr":
            add("payment_acceptances", method=method, accepted=True, evidence_level="observed", checked_on="2026-01-02")
    connection.execute(
        text("INSERT INTO register.photo (establishment_id, file, width, height, source, taken_on) SELECT id, "
             "encode(sha256(convert_to(code, 'UTF8')), 'hex'), 1200, 1600, 'office', '2026-09-12' "
             "FROM register.establishment WHERE code = :code"), {"code": place},
    )  # fmt: skip


def _put_away(database: Database, officer: Actor, twin: str, mistake: str, *, into: str) -> str:
    """Merges one place, ends another, and issues a code that no place has."""
    for place in (twin, mistake):
        lift_warnings(database, place)

    def version(connection: Connection, code: str) -> int:
        found = records.version(connection, "establishments", code)
        assert found is not None
        return found

    with write_as(database, officer, reason="thử", source="office") as connection:
        life_cycle.merge(connection, twin, version(connection, twin), into=into, reason="trùng")
        records.end(connection, "establishments", mistake, version(connection, mistake), "lập nhầm")
    with database.owner.begin() as connection:
        return lookup_codes.issue(connection, 1)[0]


def _pages(world: World, full: list[str], twin: str, mistake: str, unused: str) -> list[Page]:
    one, made = full[0], world.stickers
    scanned = {(code, "spoilt"): serial for code, serial in made.serials.items()}
    made_of = dict(made.serials)
    for code in full:
        made.move(code, *STICKERS["spoilt"])
    for state in ("printed", "installed", "withdrawn", "lost", "replaced"):
        made.serials = made.print(full)
        for code in full:
            made.move(code, *STICKERS[state])
            scanned[code, state] = made.serials[code]
    pages = [
        page
        for code, status in zip(full, OPERATING_STATUSES, strict=True)
        for page in (
            Page(status, f"/q/{code}"),
            *(Page(f"{status}, {state}", made.path(code, scanned[code, state])) for state in STICKERS),
            Page(f"{status}, unlisted", made.path(code, "WWWWW")),
        )
    ]
    merged = f"/q/{one}?t={made.token(twin, made_of[twin])}&from={twin}"
    pages += [Page("merged", f"/q/{one}?from={twin}"), Page("merged, scanned", merged), Page("form", "/q")]
    never = codes.code_for("test/never issued")
    gone = [
        Page("ended", f"/q/{mistake}", 410),
        Page("mistyped", "/q/K7M42XPA", 404),
        Page("typed", f"/q/{'a' * 60}", 404),
    ]
    pages += gone
    live = [
        Page("unused", f"/q/{unused}", 404), Page("never issued", f"/q/{never}", 404),
        Page("slip", f"/q/{beside(next(code for code in full if set(code) & set('8HJ23')))}", 404),
        Page("false", f"/q/{one}?t=2222222222", 404), Page("false, long", f"/q/{one}?t={'A' * 4000}", 404),
        Page("false, nowhere", f"/q/{never}?t=2222222222", 404), Page("false, typed", f"/q/{'a' * 60}?t=22222", 404),
    ]  # fmt: skip
    away = [Page(f"{page.name}, away", page.path, page.status, away=True) for page in pages]
    away += [Page(f"{name}, away", f"/q/{code}", 503, away=True)
             for name, code in (("unused", unused), ("never issued", never))]  # fmt: skip
    away += [Page("unchecked, away", f"/q/{one}?t=2222222222", away=True)]
    vietnamese = [*pages, *live, *away]
    return vietnamese + [
        Page(f"{page.name}, en", f"{page.path}{'&' if '?' in page.path else '?'}lang=en", page.status, page.away)
        for page in vietnamese
    ]


def test_every_variant_is_one_flight_and_needs_nothing_else(world: World) -> None:
    largest: dict[str, tuple[int, str]] = {}
    for page in world.pages:
        plain = ""
        for coding, unpacked in (("identity", bytes), ("gzip", gzip.decompress), ("br", brotli.decompress)):
            status, size, headers, body = world.get(page, coding)
            assert status == page.status, page
            assert headers.get("content-encoding", "identity") == coding, page
            found = unpacked(body).decode()
            assert found == (plain or found), (page, coding)
            plain = found
            largest[coding] = max(largest.get(coding, (0, "")), (size, page.name))
            # Packed it is what every telephone asks for.
            assert coding == "identity" or size <= FIRST_FLIGHT, (page, coding, size)
            assert "set-cookie" not in headers, page
        assert "<script" not in plain and " onclick" not in plain, page
        assert not re.search(r'<link(?! rel="icon" href="data:,")|url\(|@import|<iframe|<object', plain), page
        pictures = re.findall(r"<img [^>]*>", plain)
        assert len(pictures) <= 1 and all('loading="lazy"' in each for each in pictures), page
        # The style stands before everything that is shown: nothing is painted twice.
        assert plain.index("</style>") < plain.index("<body>"), page
    print(f"\n{len(world.pages)} variants; bytes over the wire of the largest, headers and all:")
    for coding, (size, name) in largest.items():
        print(f"  {coding}: {size} ({name})")


def test_a_live_warning_is_first_and_the_sticker_next(world: World) -> None:
    for page in world.pages:
        status, *_ = page.name.split(",")
        if status not in (*OPERATING_STATUSES, "merged"):
            continue
        body = world.text(page).partition("<body>")[2]
        places = [body.index('<section class="warning"'), body.index("<main"), body.index("<h1")]
        assert places == sorted(places), page
        assert 'class="fact good"' not in body, page
        if any(word in page.name for word in ("withdrawn", "lost", "replaced", "spoilt", "unlisted", "unchecked")):
            assert body.index("<main") < body.index('class="gone"') < body.index("<h1"), page
        if page.away:
            assert places[0] < body.index('class="saved"') < places[1], page


@pytest.mark.parametrize("reader", READERS)
def test_browsers_of_text_alone_read_every_kind(world: World, reader: str, tmp_path: Path) -> None:
    program = shutil.which(reader)
    assert program, f"install {reader}: scripts/setup.sh test does"
    warned = ("Cảnh báo đang có hiệu lực", "Bạn có đang đứng trước cửa hàng này?", "Đăng ký kinh doanh",
              "An toàn thực phẩm", "Thanh toán", "Đây không phải mã thanh toán")  # fmt: skip
    wanted = {
        "active": warned,
        "active, withdrawn": (warned[0], "đã bị thu hồi ngày", *warned[1:], "số tem"),
        "active, withdrawn, away": (warned[0], "được lưu lúc", "đã bị thu hồi ngày", *warned[1:]),
        "closed": (warned[0], "đã đóng cửa", *warned[2:]),
        "moved": (warned[0], "đã chuyển đi", *warned[2:]),
        "false": ("Tem này không do phường phát hành", "OTP"),
        "slip": ("gõ nhầm", "Có phải"),
        "ended": ("không còn dùng",),
    }
    pages = {page.name: page for page in world.pages}
    for name, words in wanted.items():
        shown = subprocess.run(
            [program, *READERS[reader]], input=world.text(pages[name]).encode(), capture_output=True, check=True,
            env={"LANG": "C.UTF-8", "HOME": str(tmp_path)},
        ).stdout.decode()  # fmt: skip
        told = " ".join(shown.split())
        at = [told.find(part) for part in words]
        assert -1 not in at and at == sorted(at), (name, words, at, told[:600])
        assert "font:" not in shown and "{" not in told.partition("Mã")[0], name
