"""What is personal or not yet decided never leaves the staff screens.

Recognisable values are planted in every personal field of 200 legal entities, and in drafts, proposals, withdrawn
records, reasons and staff names around them; then everything that anybody can ask for is asked for and searched.
"""

import itertools
import math
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from sqlalchemy import Connection, text

from layers.collections import COLLECTIONS
from mapservice.app import ROUTERS
from postgis.actor import Actor, write_as
from postgis.engine import Database, open_database
from postgis.secrets import open_secrets
from postgis.settings import DatabaseSettings
from postgis.store import personal_data, records, sessions
from postgis.store.proposals import new_receipt
from postgis.vocabulary import PERSONAL_FIELDS
from tests.conftest import start_service, stop_service
from tests.live_register import command
from tests.small_ward import MIDDLE, WARD, add_staff

COUNT = 200
LON, LAT = MIDDLE[WARD]
ITEMS = "/ogc/collections/establishments/items"


def personal_values(number: int) -> dict[str, str]:
    """Invented values that nothing else looks like, spelt as they are stored."""
    return {
        "owner_name": f"Zyxbimat{number:03d} Riêng Tư",
        "owner_phone": f"090577{number:04d}",
        "owner_email": f"zyxbimat{number:03d}@example.vn",
        "personal_id": f"048077{number:06d}",
        "household_tax_code": f"8077{number:06d}",
        "home_address": f"K{number}/77 Zyxnharieng{number:03d}",
        "birth_date": f"19{number % 20 + 10}-11-{number % 28 + 1:02d}",
    }


# Between what is no hexadecimal digit: ETags and request ids are random, and would look like a number now and then.
NUMBER = rb"(?<![0-9a-f])(?:%s)(?![0-9a-f])"
PERSONAL = re.compile(
    rb"zyxbimat|zyxnharieng|(?<!\d)19[12]\d-11-\d\d|\d\d/11/19[12]\d|"
    + NUMBER % rb"090577\d{4}|048077\d{6}|8077\d{6}"
    + rb"|0\d\d\*{3,}\d{3,4}|\b\d\d\*{3,}\d{3}"  # masks, too
)
"""Any planted personal value, in folded text."""
INTERNAL = re.compile(
    rb"zyxnhap|zyxdenghi|zyxmuondoi|zyxcanbo|zyxlydo|zyxmucdich|zyxthuhoi|zyxhokd|" + NUMBER % rb"048066\d{6}|8066\d{6}"
)
"""Any planted value that is the office's own: drafts, proposals, staff, reasons, purposes, withdrawn records, names and
certificate numbers of households that are their owners'."""


def folded(body: bytes) -> bytes:
    """Lower case without marks, so that no spelling hides a value; bytes that are no text stay as they are."""
    try:
        plain = unicodedata.normalize("NFD", body.decode())
    except UnicodeDecodeError:
        return body.lower()
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).lower().encode()


@dataclass
class Planted:
    """A service whose register holds what must not be told."""

    url: str
    data_dir: Path
    log: Path
    database: Database
    officer: Actor
    places: list[str] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    codes: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def planted() -> Iterator[Planted]:
    root = Path(tempfile.mkdtemp(prefix="mapservice-leak-", dir="/tmp"))
    root.chmod(0o755)
    service = start_service(root / "data", MAPSERVICE_SAMPLE="none")
    try:
        with open_database(DatabaseSettings(data_dir=service.data_dir, database_url=None)) as database:
            officer = add_staff(database, "zyxcanbo.officer", "officer", display_name="Zyxcanbo Ẩn Danh")
            found = Planted(service.url, service.data_dir, service.log, database, officer)
            _plant(found)
            yield found
    finally:
        stop_service(service)
        shutil.rmtree(root, ignore_errors=True)


def _plant(planted: Planted) -> None:
    database, officer = planted.database, planted.officer
    secrets = open_secrets(planted.data_dir)
    with write_as(database, officer, reason="zyxlydo kiểm tra") as connection:
        for number in range(COUNT):
            _plant_place(connection, planted, number)
            for name, value in personal_values(number).items():
                personal_data.keep(connection, secrets, planted.entities[-1], name, value)
        for number in range(0, COUNT, 10):
            personal_data.reveal(
                connection, secrets, officer, planted.entities[number], "owner_phone", f"zyxmucdich {number}"
            )
            personal_data.forget(connection, planted.entities[number], "birth_date")
    with database.owner.begin() as connection:
        planted.receipts = [new_receipt() for _ in range(20)]
        named = {"ward": officer.ward_id, "staff": officer.staff_id}
        for receipt, place in zip(planted.receipts, planted.places, strict=False):
            connection.execute(text(_PROPOSALS), {**named, "receipt": receipt, "place": place})


_PROPOSALS = """
    INSERT INTO register.proposal (receipt, ward_id, collection, record_code, base_version, base, patch, reason,
                                   evidence, legal_basis, source, risk, proposer_kind, proposed_by)
    SELECT :receipt, :ward, 'establishments', code, version, '{"name": "Zyxdenghi cũ"}',
           '{"name": "Zyxmuondoi mới"}', 'zyxdenghi lý do', 'zyxdenghi bằng chứng', 'zyxdenghi căn cứ', 'office',
           'normal', 'staff', :staff
      FROM register.establishment WHERE code = :place
"""


def _plant_place(connection: Connection, planted: Planted, number: int) -> None:
    ward_id = planted.officer.ward_id

    def add(collection: str, **values: Any) -> str:
        code = records.create(connection, collection, values, ward_id=ward_id).code
        planted.codes.setdefault(collection, []).append(code)
        return code

    entity = add(
        "legal_entities", registered_name=f"Hộ kinh doanh Zyxhokd {number}", legal_form="household_business",
        registration_number=f"8066{number:06d}",
    )  # fmt: skip
    place = add(
        "establishments", name=f"Quán Công Khai {number}", sector_group="food_service", source="office",
        address=f"{number} Đường Công Khai", operating_status="active", legal_form="household_business",
        legal_entity=entity, position_method="surveyed", status_reason="zyxlydo tạm",
        geometry={"type": "Point", "coordinates": [LON + number % 20 * 0.0001, LAT + number // 20 * 0.0001]},
    )  # fmt: skip
    planted.places.append(place)
    planted.entities.append(entity)
    day, office = "2026-01-02", {"establishment": place, "source": "office"}
    add("licences", kind="business_registration", number=f"048066{number:06d}", checked_on=day, **office)
    add("food_safety_records", kind="certificate", number=f"8066{number:06d}", checked_on=day, **office)
    add(
        "inspections", inspected_on=day, agency="Đoàn zyxnhap", result="fail",
        official_words=f"Zyxnhap kết luận {number}", **office,
    )  # fmt: skip
    warning = add(
        "warnings", issued_on=day, headline=f"Zyxthuhoi {number}", instruction="zyxthuhoi", agency="Đoàn thử", **office
    )
    records.end(connection, "warnings", warning, 1, "zyxlydo cấp nhầm")
    add("outreach", kind="visit", done_on=day, topic="Zyxnhap tuyên truyền", **office)


@pytest.fixture(scope="module")
def anybody(planted: Planted) -> Iterator[httpx.Client]:
    # The server closes what has been idle for 5 s; searching a large answer may take as long.
    limits = httpx.Limits(keepalive_expiry=2)
    with httpx.Client(base_url=planted.url, timeout=60, follow_redirects=False, limits=limits) as client:
        yield client


def check(answer: httpx.Response, typed: str = "") -> bytes:
    """Fails when the answer tells something; what the asker typed may be repeated to them."""
    told = folded(answer.content + b"\n" + repr(answer.headers.raw).encode())
    spellings = (quote(typed, safe=""), quote(typed), quote_plus(typed), quote_plus(typed, safe=",:/"), typed)
    for spelling in filter(None, (*spellings, *typed.split())):
        told = told.replace(folded(spelling.encode()), b"")
    for secret in (PERSONAL, INTERNAL):
        found = secret.search(told)
        assert found is None, (
            f"{answer.request.method} {answer.request.url}: …{told[max(found.start() - 60, 0) :][:140]!r}"
        )
    return told


def test_the_planted_values_are_recognised() -> None:
    """A test that looks for nothing finds nothing."""
    for number in (0, 7, COUNT - 1):
        for value in personal_values(number).values():
            assert PERSONAL.search(folded(value.encode())), value
    assert set(personal_values(0)) == set(PERSONAL_FIELDS)
    assert PERSONAL.search(b'"mask":"048*****1234"') and PERSONAL.search(b"<p>09*****456")


def test_collections_tell_nothing(planted: Planted, anybody: httpx.Client) -> None:
    asked = 0
    for collection in COLLECTIONS.values():
        base = f"/ogc/collections/{collection.id}"
        for path, form in itertools.product(("", "/schema", "/queryables", "/tiles"), ("json", "html")):
            check(anybody.get(f"{base}{path}", params={"f": form}))
            asked += 1
        for form in ("json", "html"):
            asked += _every_page(
                anybody, f"{base}/items?limit=500&f={form}" if form == "json" else f"{base}/items?f=html"
            )
        for code in planted.codes.get(collection.id, [])[:COUNT]:
            check(anybody.get(f"{base}/items/{code}"))
            asked += 1
    assert asked > 200


def _every_page(client: httpx.Client, address: str) -> int:
    """Follows `next` to the end (of base data, which holds nothing of ours, the first pages)."""
    pages = 0
    following: str | None = address
    while following and pages < 60:
        answer = client.get(following)
        told = check(answer)
        pages += 1
        if "json" in answer.headers["content-type"]:
            links = answer.json()["links"]
            following = next((link["href"] for link in links if link["rel"] == "next"), None)
        else:
            found = re.search(rb'rel="next"[^>]*href="([^"]+)"|href="([^"]+)"[^>]*rel="next"', told)
            following = None if found is None else (found[1] or found[2]).decode().replace("&amp;", "&")
            if following and "basemap" in address:
                following = None
    return pages


def test_records_that_are_not_public_are_not_there(planted: Planted, anybody: httpx.Client) -> None:
    for collection, codes in planted.codes.items():
        for code in codes[:3]:
            answer = anybody.get(f"/ogc/collections/{collection}/items/{code}")
            check(answer)
            if collection in ("inspections", "warnings", "legal_entities", "outreach"):
                assert answer.status_code in (401, 403, 404, 410), (collection, answer.status_code)


def test_tiles_of_every_zoom_tell_nothing(anybody: httpx.Client) -> None:
    asked = 0
    for collection in COLLECTIONS:
        for zoom in range(23):
            side = 2**zoom
            column = int((LON + 180) / 360 * side)
            row = int((1 - math.asinh(math.tan(math.radians(LAT))) / math.pi) / 2 * side)
            around = (-1, 0, 1) if 12 <= zoom <= 19 else (0,)
            for x, y in itertools.product(around, around):
                address = f"/ogc/collections/{collection}/tiles/WebMercatorQuad/{zoom}/{row + y}/{column + x}"
                answer = anybody.get(address)
                check(answer)
                asked += answer.status_code == 200
    assert asked > 100


def test_searching_for_a_value_finds_nothing(anybody: httpx.Client) -> None:
    for number in range(0, COUNT, 12):
        for name, value in personal_values(number).items():
            for typed in {value, value.lower(), value.replace("0905", "+84905")}:
                answer = anybody.get(ITEMS, params={"q": typed, "limit": 50})
                check(answer, typed)
                if name in ("owner_phone", "personal_id", "household_tax_code", "owner_email"):
                    assert answer.json()["numberMatched"] == 0, name
                check(anybody.get("/", params={"q": typed, "view": "list"}), typed)
    for typed in ("Zyxbimat", "zyxnhap", "Zyxdenghi", "zyxcanbo", "Zyxhokd", "zyxthuhoi"):
        answer = anybody.get(ITEMS, params={"q": typed})
        assert answer.json()["numberMatched"] == 0, typed


def test_pages_for_people_tell_nothing(planted: Planted, anybody: httpx.Client) -> None:
    endings = [(place, ending) for place in planted.places for ending in ("", ".json")]
    endings += [(place, ending) for place in planted.places[:20] for ending in (".svg", "?lang=en")]
    for place, ending in endings:
        answer = anybody.get(f"/q/{place}{ending}")
        assert answer.status_code == 200
        check(answer)
    pages = ("/", "/?view=list", "/?view=list&sector_group=food_service", "/about", "/about/data", "/open-data", "/q")
    for address in (*pages, "/open-data/catalog.jsonld", "/metrics", "/readyz"):
        for lang in ("vi", "en"):
            check(anybody.get(address, params={"lang": lang}, headers={"Accept": "text/html"}))
    for place in planted.places[:20]:
        check(anybody.get("/", params={"place": place, "view": "list"}))


def test_the_change_feed_tells_nothing(anybody: httpx.Client) -> None:
    following, pages, changes = "/changes?since=0", 0, 0
    while following and pages < 100:
        answer = anybody.get(following)
        check(answer)
        assert answer.status_code == 200
        document = answer.json()
        collections = {change["collection"] for change in document["changes"]}
        assert not collections & {"legal_entities", "personal_data", "outreach", "digital_uses"}
        changes += len(document["changes"])
        pages += 1
        links = document["links"] if document["changes"] else []
        following = next((link["href"] for link in links if link["rel"] == "next"), "")
    assert changes >= COUNT


def test_every_other_route_tells_nothing(planted: Planted, anybody: httpx.Client) -> None:
    """Each address of the application with what an outsider may know: public codes, ids of other records, receipts."""
    known = {
        "code": [*planted.places[:2], *planted.entities[:2]],
        "featureId": planted.places[:1],
        "receipt": planted.receipts[:2],
        "login": ["zyxcanbo.officer"],
        "field": ["owner_phone"],
    }
    asked = 0
    for method, path in _routes():
        names = re.findall(r"{(\w+)[^}]*}", path)
        for values in itertools.product(*(known.get(name, ["1"]) for name in names)):
            address = path
            for name, value in zip(names, values, strict=True):
                address = re.sub(rf"{{{name}[^}}]*}}", value, address)
            for accept in ("application/json", "text/html"):
                for query in ("", "?f=csv", "?f=json"):
                    if query and method != "GET":
                        continue
                    answer = anybody.request(method, f"{address}{query}", headers={"Accept": accept})
                    # Whoever holds a receipt sees what was asked for with it, and its state.
                    check(
                        answer,
                        {"login": "zyxcanbo.officer", "receipt": "zyxmuondoi"}.get(names[0] if names else "", ""),
                    )
                    assert answer.status_code < 500, address
                    if path.startswith("/staff") and "sign-in" not in path:
                        assert answer.status_code in (303, 401, 403, 404, 405, 415), (method, address)
                    asked += 1
    assert asked > 100


def _routes() -> list[tuple[str, str]]:
    return sorted(
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        for method in route.methods
        if method not in ("HEAD", "OPTIONS")
    )


def test_exports_are_refused_or_tell_nothing(anybody: httpx.Client) -> None:
    for form in ("csv", "xlsx", "geojsonseq", "fgb", "parquet", "gpkg", "json"):
        for collection in (*COLLECTIONS, "legal_entities", "personal_data", "proposals", "staff", "outreach"):
            answer = anybody.get(f"/ogc/collections/{collection}/items", params={"f": form})
            check(answer)
            assert answer.status_code < 500


def test_errors_tell_no_more_than_was_typed(planted: Planted, anybody: httpx.Client) -> None:
    for number in range(0, COUNT, 25):
        for value in personal_values(number).values():
            for method, address, sent in _provocations(value, planted):
                answer = anybody.request(method, address, **sent)
                assert 300 <= answer.status_code < 500 or answer.status_code == 200, (method, address)
                check(answer, value)


def _provocations(value: str, planted: Planted) -> Iterator[tuple[str, str, dict[str, Any]]]:
    quoted = value.replace("/", "%2F")
    yield "GET", f"/q/{quoted}", {}
    yield "GET", f"/{quoted}", {}
    yield "GET", f"/ogc/collections/{quoted}", {}
    yield "GET", f"{ITEMS}/{quoted}", {}
    for name in ("bbox", "limit", "cursor", "datetime", "sector_group", "f", "unknown", "filter"):
        yield "GET", ITEMS, {"params": {name: value}}
    yield "GET", "/q", {"params": {"code": value}}
    yield "GET", "/changes", {"params": {"since": value}}
    yield "GET", "/staff/establishments", {"params": {"q": value}}
    yield "POST", ITEMS, {"json": {"type": "Feature", "properties": {"name": value, value: value}}}
    yield "PATCH", f"{ITEMS}/{planted.places[0]}", {"json": {"properties": {"tax_code": value}}}
    yield "GET", f"/staff/legal_entities/{quoted}/personal", {}
    yield "GET", "/staff/reveals", {"headers": {"Authorization": f"Bearer {value.encode().hex()}"}}


def test_signing_in_tells_nothing(anybody: httpx.Client) -> None:
    for login in ("zyxcanbo.officer", "nobody.known"):
        form = {"login": login, "password": "zyxcanbo sai mật khẩu"}
        answer = anybody.post("/staff/sign-in", data=form, headers={"Sec-Fetch-Site": "same-origin"})
        check(answer, login)
        assert answer.status_code in (200, 401, 403, 422)


def test_officers_pages_show_no_value_unasked(planted: Planted) -> None:
    """Masks at most: lists, records, proposals, histories and exports hold no personal value."""
    with planted.database.owner.begin() as connection:
        cookie = sessions.start(connection, planted.officer.staff_id)
    plain = re.compile(PERSONAL.pattern.split(rb"|0\d\d\*")[0])
    shown = 0
    with httpx.Client(base_url=planted.url, timeout=60, cookies={"mapservice_session": cookie}) as officer:
        known = {"code": [planted.places[1], planted.entities[1]], "featureId": planted.places[1:2]}
        for method, path in _routes():
            if method != "GET" or not path.startswith(("/staff", "/changes", "/proposals", "/ogc/collections")):
                continue
            names = re.findall(r"{(\w+)[^}]*}", path)
            for values in itertools.product(*(known.get(name, ["establishments"]) for name in names)):
                address = path
                for name, value in zip(names, values, strict=True):
                    address = re.sub(rf"{{{name}[^}}]*}}", value, address)
                answer = officer.get(address)
                assert answer.status_code < 500, address
                found = plain.search(folded(answer.content))
                assert found is None, f"{address}: {found}"
                shown += answer.status_code == 200
        page = officer.get(f"/staff/legal_entities/{planted.entities[1]}/personal")
        assert "048*****0001" in page.text and page.headers["cache-control"] == "no-store"
    assert shown > 5


def test_the_public_role_reads_nothing_of_it(planted: Planted) -> None:
    views_of = "SELECT relname FROM pg_class WHERE relnamespace = 'published'::regnamespace AND relkind IN ('v', 'm')"
    with planted.database.owner.connect() as owner:
        views = list(owner.execute(text(views_of)).scalars())
    assert len(views) > 5
    with planted.database.public.connect() as public:
        for view in views:
            columns = public.execute(text(f"SELECT * FROM published.{view} LIMIT 0")).keys()
            kept = ", ".join(f'"{name}"' for name in columns if not name.startswith("geom"))
            for row in public.execute(text(f"SELECT ROW({kept})::text FROM published.{view}")).scalars():
                for secret in (PERSONAL, INTERNAL):
                    found = secret.search(folded(str(row).encode()))
                    assert found is None, f"published.{view}: {found}"


def test_no_table_holds_a_personal_value_in_the_clear(planted: Planted) -> None:
    """Nor its hexadecimal form, which is how bytes look in a dump. The history is a table like the others."""
    number = "(090577[0-9]{4}|048077[0-9]{6}|8077[0-9]{6})"
    plain = f"zyxbimat|zyxnharieng|[^0-9a-f]{number}[^0-9a-f]|[^0-9]19[12][0-9]-11-[0-9]{{2}}"
    in_bytes = "|".join(part.encode().hex() for part in ("Zyxbimat", "zyxbimat", "Zyxnharieng", "090577", "048077"))
    with planted.database.owner.connect() as owner:
        tables = owner.execute(
            text("SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables "
                 "WHERE table_schema IN ('register', 'account') AND table_type = 'BASE TABLE'")
        ).scalars().all()  # fmt: skip
        assert "register.change" in tables and "register.personal_datum" in tables
        for table in tables:
            if table in ("register.basemap_area", "register.street", "register.ward"):
                continue
            found = owner.execute(
                text(f"SELECT t::text FROM {table} t WHERE t::text ~* :plain OR t::text ~ :in_bytes LIMIT 1"),
                {"plain": plain, "in_bytes": in_bytes},
            ).first()
            assert found is None, f"{table}: {found}"


def test_the_history_of_what_was_forgotten_is_unbroken(planted: Planted) -> None:
    """Personal values were kept, replaced and removed: the history says so, proves it, and shows none of them."""
    with planted.database.owner.connect() as owner:
        kinds = owner.execute(
            text("SELECT kind, count(*) FROM register.change WHERE collection = 'personal_data' GROUP BY kind")
        )
        assert dict(kinds.tuples().all()) == {"insert": COUNT * len(PERSONAL_FIELDS), "delete": COUNT // 10}
    command(planted.data_dir, "verify-changes")


def test_nothing_was_logged(planted: Planted, anybody: httpx.Client) -> None:
    """After all of the above: neither what is stored nor what was typed is in the service's log or the database's."""
    anybody.get(ITEMS, params={"q": personal_values(3)["owner_phone"]})
    logs = [planted.log, *planted.data_dir.rglob("*.log")]
    assert len(logs) > 1
    for log in logs:
        told = folded(log.read_bytes())
        for secret in (PERSONAL, INTERNAL):
            found = secret.search(told)
            assert found is None, f"{log.name}: …{told[max(found.start() - 100, 0) :][:200]!r}"
    check(anybody.get("/metrics"))
