"""/q/… over HTTP, and the stickers, on a database with a few places of every sort."""

import argparse
import io
import re
import socket
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pytest
import uvicorn
import zxingcpp
from PIL import Image
from sqlalchemy import text

from layers.collections import ESTABLISHMENTS
from layers.lookup import find_establishment
from layers.sticker_places import StickerChoice, sticker_places
from mapservice.app import create_app
from mapservice.middleware import Observe
from mapservice.qr_sheet import write_sheet
from mapservice.settings import HttpSettings
from postgis import codes
from postgis.engine import Database, create_database, drop_database
from postgis.settings import DatabaseSettings
from postgis.store.establishments import NewEstablishment, add_many

PUBLIC_URL = "https://bando.hoacuong.example.vn"
FIRST_FLIGHT = 14 * 1024
"""Bytes that a server may send before it hears from the client: one round trip on a weak network."""

CODE = {
    name: codes.code_for(f"test/{name}") for name in ("full", "osm", "warned", "closed", "nameless", "long", "bench")
}
CHECKED = {"source": "field_survey", "checked_on": date(2026, 8, 20)}


def establishment(
    sort: str, /, records: dict[str, list[dict[str, Any]]] | None = None, **values: Any
) -> NewEstablishment:
    return NewEstablishment(
        values={
            "code": CODE[sort],
            "name": f"Quán minh họa {sort}",
            "sector_group": "food_service",
            "operating_status": "active",
            "position_method": "generated",
            "source": "field_survey",
            "illustrative": True,
            **values,
        },
        ward_code="20257",
        lon=108.2225,
        lat=16.047,
        records=records or {},
    )


PLACES = [
    establishment(
        "full",
        {
            "licence": [{"kind": "business_registration", "expires_on": None, **CHECKED}],
            "food_safety_record": [{"kind": "certificate", "valid_until": date(2099, 1, 1), **CHECKED}],
            "payment_acceptance": [{"method": "vietqr", "accepted": True, "evidence_level": "observed", **CHECKED}],
        },
        house_number="216",
        street_name="Núi Thành",
        address="216 Núi Thành",
        verified_on=date(2026, 8, 20),
        opening_hours="Mo-Su 07:00-22:00",
    ),
    establishment(
        "osm", source="osm", illustrative=False, operating_status="unknown", house_number="9", street_name="Núi Thành"
    ),
    establishment(
        "warned",
        {
            "warning": [
                {
                    "issued_on": date(2026, 11, 2),
                    "headline": "Tạm dừng bán hàng",
                    "agency": "UBND phường",
                    "source": "office",
                },
                {
                    "issued_on": date(2026, 1, 2),
                    "lifted_on": date(2026, 2, 2),
                    "headline": "Cảnh báo đã gỡ",
                    "agency": "UBND phường",
                    "source": "office",
                },
            ]
        },
        house_number="K408/88",
        street_name="Hoàng Diệu",
    ),
    establishment("closed", operating_status="closed", closed_on=date(2026, 6, 30)),
    establishment(
        "nameless", name=None, kind="cafe", sector_group="cafe_drinks", house_number="410", street_name="Hoàng Diệu"
    ),
    establishment("long", name="Chó Cảnh Đà Nẵng - PetShop Chó Mèo Gấu Múp - Corgi, Poodle, Pom, Pug, Mèo Cảnh " * 2),
    establishment("bench", sector_group="public_place", kind="bench", name=None, source="osm", illustrative=False),
]


@pytest.fixture(scope="module")
def places(server: Database, base_database: Database) -> Iterator[Database]:
    base_database.dispose()
    database = create_database(server, "lookup_places", template="base")
    with database.owner.begin() as connection:
        add_many(connection, PLACES)
    yield database
    database.dispose()
    drop_database(server, "lookup_places")


@pytest.fixture(scope="module")
def address(places: Database) -> Iterator[tuple[str, int]]:
    """Host and port of a real server on these places."""
    application = Observe(create_app(HttpSettings(public_url=PUBLIC_URL), places))
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def web(address: tuple[str, int]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}", headers={"Accept": "text/html"}) as client:
        yield client


def on_the_wire(address: tuple[str, int], path: str, coding: str = "gzip") -> int:
    """Bytes of the whole answer, status line and headers included, as a phone's browser gets it."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nAccept-Encoding: {coding}\r\nConnection: close\r\n\r\n"
    )
    received = 0
    with socket.create_connection(address) as connection:
        connection.sendall(request.encode())
        while chunk := connection.recv(65536):
            received += len(chunk)
    return received


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("name", list(CODE))
def test_every_page_is_whole_in_one_first_flight(
    web: httpx.Client, address: tuple[str, int], name: str, lang: str
) -> None:
    response = web.get(f"/q/{CODE[name]}", params={"lang": lang} if lang == "en" else {})
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-language"] == lang
    path = f"/q/{CODE[name]}?lang={lang}"
    assert on_the_wire(address, path) < 8 * 1024
    assert on_the_wire(address, path, "identity") < FIRST_FLIGHT
    assert "<script" not in response.text
    assert not re.search(r'<link(?! rel="icon" href="data:,")|\bsrc=|url\(|@import', response.text)
    assert codes.display(CODE[name]) in response.text
    assert f"/?place={CODE[name]}" in response.text


def test_the_style_is_allowed_by_the_policy_and_nothing_else(web: httpx.Client) -> None:
    policy = web.get(f"/q/{CODE['full']}").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert re.search(r"style-src 'sha256-[^']+'", policy)


def test_what_the_ward_is_called_and_where_the_warning_stands(web: httpx.Client) -> None:
    text = web.get(f"/q/{CODE['warned']}").text
    assert "Phường Hòa Cường" in text
    assert text.index("Tạm dừng bán hàng") < text.index("<h1")
    assert "Cảnh báo đã gỡ" not in text


def test_a_page_is_revalidated(web: httpx.Client) -> None:
    first = web.get(f"/q/{CODE['full']}")
    assert first.headers["cache-control"] == "no-cache"
    again = web.get(f"/q/{CODE['full']}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    english = web.get(f"/q/{CODE['full']}?lang=en", headers={"If-None-Match": first.headers["etag"]})
    assert english.status_code == 200


@pytest.mark.parametrize("ending", ["", ".json", ".svg", ".png"])
def test_another_spelling_leads_to_the_one_address(web: httpx.Client, ending: str) -> None:
    code = CODE["full"]
    for typed in (code.lower(), codes.display(code), f"{code[:4]}%20{code[4:]}"):
        response = web.get(f"/q/{typed}{ending}?lang=en")
        assert (response.status_code, response.headers["location"]) == (308, f"/q/{code}{ending}?lang=en")


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_no_dead_end(web: httpx.Client, lang: str) -> None:
    slip = CODE["full"][:-1] + ("2" if CODE["full"][-1] != "2" else "3")
    for typed in (slip, "x", "<b>", "K7M4", "../etc", "%00", "a" * 300, codes.code_for("test/never issued")):
        response = web.get(f"/q/{typed.replace('/', '%2F')}", params={"lang": lang})
        assert response.status_code == 404
        if response.headers["content-security-policy"].startswith("default-src 'none'"):
            assert '<form action="/q">' in response.text
    assert "chưa được cấp" in web.get(f"/q/{codes.code_for('test/never issued')}").text
    assert "gõ nhầm" in web.get(f"/q/{slip}").text


def test_the_form_leads_on(web: httpx.Client) -> None:
    assert '<form action="/q">' in web.get("/q").text
    found = web.get("/q", params={"code": codes.display(CODE["full"]).lower(), "lang": "en"})
    assert (found.status_code, found.headers["location"]) == (303, f"/q/{CODE['full']}?lang=en")
    wrong = web.get("/q", params={"code": "a/b c"})
    assert (wrong.status_code, wrong.headers["location"]) == (303, "/q/a%2Fb%20c")


def test_the_data_has_the_names_of_the_collection(web: httpx.Client) -> None:
    document = web.get(f"/q/{CODE['warned']}.json").json()
    fields = [field.name for field in ESTABLISHMENTS.fields]
    beside = ("closed_on", "warnings", "replies", "last_inspection", "food_safety_agency", "former_names", "photo")
    assert list(document) == [*fields, *beside, "geometry", "url"]
    assert document["url"] == f"{PUBLIC_URL}/q/{CODE['warned']}"
    assert document["ward"] == "20257"
    assert document["live_warning"] is True
    assert document["geometry"] == {"type": "Point", "coordinates": [108.2225, 16.047]}
    assert document["warnings"][0].pop("code").isdigit() and document["replies"] == []
    assert document["warnings"] == [
        {"issued_on": "2026-11-02", "headline": "Tạm dừng bán hàng", "instruction": None, "agency": "UBND phường"}
    ]


@pytest.mark.parametrize("ending", [".json", ".svg", ".png"])
def test_data_and_pictures_of_no_place_are_problems(web: httpx.Client, ending: str) -> None:
    for code, kind in (("K7M42XPA", "mistyped_code"), (codes.code_for("test/never issued"), "unknown_code")):
        response = web.get(f"/q/{code}{ending}", headers={"Accept": "*/*"})
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["type"].endswith(kind)


def test_the_qr_codes_lead_to_the_page(web: httpx.Client) -> None:
    address = f"{PUBLIC_URL}/q/{CODE['osm']}"
    png = web.get(f"/q/{CODE['osm']}.png")
    assert png.headers["content-type"] == "image/png"
    assert [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(png.content)))] == [address]
    svg = web.get(f"/q/{CODE['osm']}.svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.text.startswith("<svg")


def test_the_public_role_reads_what_the_page_needs(places: Database) -> None:
    with places.public.connect() as connection:
        found = find_establishment(connection, CODE["full"])
        assert found is not None
        assert found.properties["food_safety_status"] == "certified"
        assert found.properties["payment_methods"] == ["vietqr"]
        assert found.ward is not None
        assert found.ward["name"] == "Hòa Cường"
        assert find_establishment(connection, codes.code_for("test/never issued")) is None


def names(connection: Any, **choice: Any) -> list[str]:
    by_code = {code: name for name, code in CODE.items()}
    return [by_code[row["code"]] for row in sticker_places(connection, StickerChoice(**choice))]


def test_stickers_come_in_the_order_of_a_walk(places: Database) -> None:
    with places.public.connect() as connection:
        walk = names(connection, ward="20257")
        assert walk[:4] == ["warned", "nameless", "osm", "full"]
        assert set(walk) == {"warned", "nameless", "osm", "full", "long"}
        assert names(connection, ward="20257", limit=2) == ["warned", "nameless"]
        assert names(connection, street="duong nui thanh") == ["osm", "full"]
        assert names(connection, sector_group="cafe_drinks") == ["nameless"]
        assert names(connection, sector_group="public_place") == ["bench"]
        assert names(connection, codes=[CODE["closed"]]) == ["closed"]
        assert names(connection, ward="20242") == []
        assert names(connection, model_site="none") == []


@pytest.fixture
def arguments(tmp_path: Path) -> argparse.Namespace:
    return argparse.Namespace(
        ward=None,
        street=None,
        sector_group=None,
        model_site=None,
        residential_group=None,
        code=None,
        limit=None,
        layout="a4_10",
        preview=False,
        output=str(tmp_path / "sheet.pdf"),
    )


@pytest.fixture
def written(places: Database, arguments: argparse.Namespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command against the module's database."""

    class Opened:
        def __init__(self, *_arguments: Any, **_options: Any) -> None: ...

        def __enter__(self) -> Database:
            return places

        def __exit__(self, *_exception: object) -> None: ...

    monkeypatch.setattr("mapservice.qr_sheet.open_database", Opened)

    def run(**options: Any) -> int:
        vars(arguments).update(options)
        return write_sheet(arguments, HttpSettings(public_url=PUBLIC_URL), DatabaseSettings())

    return run


def test_the_sheet_command(written: Any, arguments: argparse.Namespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert written() == 0
    assert Path(arguments.output).read_bytes().startswith(b"%PDF")
    assert written(code=[codes.display(CODE["closed"])]) == 0
    assert capsys.readouterr() == ("", "")  # quiet where nobody watches


def test_what_the_command_prints_is_a_sticker_with_a_serial(
    written: Any, arguments: argparse.Namespace, places: Database, web: httpx.Client
) -> None:
    def noted() -> list[str]:
        with places.public.connect() as connection:
            return list(connection.execute(text("SELECT serial FROM published.stickers ORDER BY 1")).scalars())

    def addresses() -> list[str]:
        pages = pypdfium2.PdfDocument(Path(arguments.output).read_bytes())
        drawn = [page.render(scale=300 / 72, grayscale=True).to_pil() for page in pages]
        return [found.text for page in drawn for found in zxingcpp.read_barcodes(page)]

    before = noted()
    assert written(code=[CODE["full"]]) == 0
    (address,) = addresses()
    (serial,) = set(noted()) - set(before)
    assert address.startswith(f"{PUBLIC_URL}/q/{CODE['full']}?t={serial}")
    page = web.get(address.removeprefix(PUBLIC_URL))
    assert page.status_code == 200 and serial in page.text
    assert web.get(address.removeprefix(PUBLIC_URL)[:-1] + "~").status_code == 404
    assert written(code=[CODE["full"]], preview=True, layout="roll_100x60") == 0
    assert addresses() == [f"{PUBLIC_URL}/q/{CODE['full']}"]
    assert written(code=[CODE["full"]], preview=False, output="/nowhere/sheet.pdf") == 1
    assert set(noted()) == {*before, serial}  # what could not be written was not noted


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"street": "Không Có"}, "no establishment matches (ward 20257; street Không Có)"),
        ({"code": ["K7M4-2XPA"]}, "K7M4-2XPA is not a look-up code"),
        ({"code": [codes.code_for("test/never issued")]}, "no establishment matches"),
        ({"code": [CODE["full"], codes.code_for("test/never issued")]}, "no establishment has the code"),
        ({"sector_group": "shops"}, "there is no sector group shops"),
        ({"output": "/nowhere/sheet.pdf"}, "cannot write /nowhere/sheet.pdf"),
    ],
)
def test_the_sheet_command_refuses_with_a_reason(
    written: Any, options: dict[str, Any], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert written(**options) == 1
    assert reason in capsys.readouterr().err
