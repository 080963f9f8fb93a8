"""Reports where it hurts: places that are gone, a database that goes away half-way, words with numbers of people."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, make_url, text

from postgis.actor import Actor, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import life_cycle, photos, records, reports
from postgis.store.proposals import new_receipt
from tests.small_ward import OTHER_WARD, SmallWard, add_staff, fill, lift_warnings
from tests.staff_clients import Browser, add_member, location
from tests.test_mapservice_lookup_copies import Door
from tests.test_mapservice_photos import camera_photo

PHONE, CARD = "0905 000 112", "048000000112"
WORDS = f"Gọi bà Trần Thị Zyxthu {PHONE}, căn cước {CARD}, đường số lạ."
PERSONAL = re.compile(r"zyxthu|0905.?000.?112|048000000112|5a7978746875", re.IGNORECASE)


@dataclass
class World:
    database: Database
    ward: SmallWard
    actor: Actor
    officer: Browser
    web: Browser

    def send(self, code: str, *, photo: bytes = b"", web: Browser | None = None, **fields: str) -> httpx.Response:
        sent = {"kind": "other", "words": WORDS, **fields}
        files = {"photo": ("anh.jpg" if photo else "", photo, "image/jpeg")}
        return (web or self.web).client.post(f"/q/{code}/report", data=sent, files=files)

    def scalar(self, statement: str, **values: object) -> object:
        with self.database.owner.connect() as owner:
            return owner.execute(text(statement), values).scalar_one()

    def reported(self, answer: httpx.Response) -> tuple[str | None, str | None]:
        """The place and the strange sticker that a report is about."""
        receipt = location(answer).split("?")[0].removeprefix("/reports/")
        statement = (
            "SELECT e.code, r.typed_code FROM register.citizen_report r "
            "LEFT JOIN register.establishment e ON e.id = r.establishment_id WHERE r.receipt = :r"
        )
        with self.database.owner.connect() as owner:
            row = owner.execute(text(statement), {"r": receipt}).one()
        return row[0], row[1]


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "report_attacks", template="base")
    actor = add_staff(own, "planter", "officer")
    ward = fill(own, actor, 8)
    add_member(own, "lan", "officer")
    officer = Browser(own)
    location(officer.sign_in("lan"))
    yield World(own, ward, actor, officer, Browser(own))
    own.dispose()
    drop_database(server, "report_attacks")


def test_a_report_finds_its_way_whatever_became_of_the_place(world: World) -> None:
    closed, moved, onto, duplicate, mistake = world.ward.places[:5]
    for place in world.ward.places[:5]:
        lift_warnings(world.database, place)

    def version(connection: Connection, place: str) -> int:
        return records.get(connection, "establishments", place).version

    forms = {place: world.web.get(f"/q/{place}/report?kind=hygiene") for place in world.ward.places[:5]}
    assert {form.status_code for form in forms.values()} == {200}
    with write_as(world.database, world.actor, reason="thử") as connection:
        life_cycle.close(connection, closed, version(connection, closed), reason="nghỉ bán")
        life_cycle.move(connection, moved, version(connection, moved), to=onto)
        life_cycle.merge(connection, duplicate, version(connection, duplicate), into=onto, reason="trùng")
        records.end(connection, "establishments", mistake, version(connection, mistake), "lập nhầm")
    # Whoever opened the form before, and whoever opens it now.
    for place, about in ((closed, (closed, None)), (moved, (moved, None)), (duplicate, (onto, None)),
                         (mistake, (None, mistake)), ("K7M42XPA", (None, "K7M42XPA"))):  # fmt: skip
        assert world.reported(world.send(place)) == about
    led = world.web.get(f"/q/{duplicate}/report?kind=fake_sticker&lang=en")
    assert led.status_code == 307 and led.headers["location"] == f"/q/{onto}/report?kind=fake_sticker&lang=en"
    for place in (closed, moved, mistake):
        form = world.web.get(f"/q/{place}/report?kind=hygiene")
        assert form.status_code == 200 and 'value="hygiene" required checked' in form.text
    # A report about a place that ends afterwards is answered all the same.
    last = world.ward.places[5]
    lift_warnings(world.database, last)
    receipt = location(world.send(last)).split("?")[0]
    with write_as(world.database, world.actor, reason="thử") as connection:
        life_cycle.merge(connection, last, version(connection, last), into=onto, reason="trùng")
    number = world.scalar("SELECT id FROM register.citizen_report WHERE receipt = :r", r=receipt.rsplit("/", 1)[1])
    page = f"/staff/reports/{number}"
    assert "đã kết thúc hoặc đã gộp" in world.officer.get(page).text
    sent = {"action": "answer", "version": "1", "outcome": "nothing_found", "answer": "Đã kiểm tra."}
    assert location(world.officer.send("/staff/account", page, **sent))
    ticket = world.web.get(receipt)
    assert "Đã kiểm tra." in ticket.text and world.web.get(f"/q/{last}").status_code == 308


def test_nothing_is_acknowledged_that_is_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection dies between the report's row and the end of its transaction."""
    place, keep_files = world.ward.places[6], photos.keep_files
    before = world.scalar("SELECT count(*) FROM register.citizen_report")

    def cut(data_dir: object, made: object) -> None:
        keep_files(data_dir, made)  # type: ignore[arg-type]
        with world.database.administrator("postgres") as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name "
                     "AND state = 'idle in transaction'"), {"name": world.database.name},
            )  # fmt: skip

    monkeypatch.setattr(photos, "keep_files", cut)
    answer = world.send(place, photo=camera_photo(300, 200))
    assert answer.status_code == 503 and "location" not in answer.headers and not PERSONAL.search(answer.text)
    assert "thử lại" in answer.text
    assert world.scalar("SELECT count(*) FROM register.citizen_report") == before
    monkeypatch.undo()
    assert location(world.send(place, photo=camera_photo(300, 200)))


def test_forms_say_so_while_the_database_is_away(world: World, tmp_path: Path) -> None:
    """Each form of the public: 503, when to come again, and no receipt; afterwards it works."""
    place, count = world.ward.places[6], "SELECT count(*) FROM register.citizen_report"
    door = Door(tmp_path / "door", world.database)
    door.open()
    behind = Database(make_url(door.url).set(drivername="postgresql+psycopg2"), world.database.settings)
    web = Browser(behind)
    sent: dict[str, dict[str, str]] = {
        f"/q/{place}/report": {"kind": "other", "words": WORDS},
        f"/q/{place}/correct": {"name": "Quán Tên mới", "reason": "đổi tên"},
        f"/q/{place}/payment": {"qr": "000201"},
        "/owner": {"place": place, "code": "22222-22222"},
    }
    try:
        assert web.get(f"/q/{place}/report").status_code == 200
        before = world.scalar(count)
        door.shut()
        for path, form in sent.items():
            upload = {"files": {"photo": ("", b"")}} if path.endswith(("report", "payment")) else {}
            answer = web.client.post(path, data=form, **upload)  # type: ignore[arg-type]
            assert answer.status_code == 503 and "location" not in answer.headers, path
            assert answer.headers["retry-after"].isdigit() and not PERSONAL.search(answer.text)
            assert web.get(path).status_code == 503
        door.open()
        assert world.scalar(count) == before
        assert (
            location(world.send(place, web=web)).startswith("/reports/") and world.scalar(count) == int(str(before)) + 1
        )
    finally:
        behind.dispose()


def test_what_people_write_of_people_is_nowhere_but_sealed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    place = world.ward.places[7]
    receipt = location(world.send(place)).split("?")[0]
    assert world.send(place, words="x" * 3000 + WORDS).status_code == world.send(place, kind="x").status_code == 422
    with pytest.MonkeyPatch.context() as patched:
        # Refused by the database for a reason that nobody foresaw.
        patched.setattr(reports, "new_receipt", lambda: receipt.rsplit("/", 1)[1])
        unforeseen = world.send(place)
    assert unforeseen.status_code == 500 and not PERSONAL.search(unforeseen.text)
    world.web.post(f"/q/{place}/correct", {"name": "x" * 600 + WORDS, "reason": WORDS})
    world.web.post("/owner", {"place": place, "code": WORDS})
    logged = caplog.text + " ".join(str(vars(record)) for record in caplog.records)
    assert "mapservice.access" in logged and not PERSONAL.search(logged) and receipt not in logged
    item = f"/ogc/collections/establishments/items/{place}?f=json"
    public = [
        "/changes",
        "/open-data",
        receipt,
        item,
        *(f"/q/{place}{end}" for end in ("", ".json", "/report", "/correct")),
    ]
    for path in public:
        answer = world.web.client.get(path, follow_redirects=True)
        assert answer.status_code == 200 and not PERSONAL.search(answer.text), path
    with world.database.owner.connect() as owner:
        tables = owner.execute(
            text("SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables "
                 "WHERE table_schema IN ('register', 'account') AND table_type = 'BASE TABLE'")
        ).scalars().all()  # fmt: skip
        for table in tables:
            found = owner.execute(text(f"SELECT 1 FROM {table} t WHERE t::text ~* :p LIMIT 1"), {"p": PERSONAL.pattern})
            assert found.first() is None, table
    assert not world.web.client.cookies


def test_tickets_cannot_be_found_by_trying(world: World) -> None:
    """A receipt is random over more than anybody can try, has no order, and what is near one is nothing."""
    made = [new_receipt() for _ in range(2_000)]
    assert len({receipt[:6] for receipt in made}) > 1_990
    signs = {sign for receipt in made for sign in receipt if sign != "-"}
    assert len(signs) ** len(made[0].replace("-", "")) > 2**70
    for place in range(len(made[0])):
        assert made[0][place] == "-" or len({receipt[place] for receipt in made}) == len(signs)
    receipt = location(world.send("K7M42XPA")).split("?")[0].removeprefix("/reports/")
    near = [receipt[:at] + sign + receipt[at + 1 :] for at in (0, 8, 18) for sign in sorted(signs - {receipt[at]})]
    assert {world.web.get(f"/reports/{each}").status_code for each in near} == {404}
    answer = world.web.get(f"/reports/{receipt}")
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    for listing in ("/reports", "/reports/", "/reports/%25", "/reports/*", "/reports?limit=1"):
        assert world.web.client.get(listing, follow_redirects=True).status_code in (404, 405)


def test_another_wards_officer_is_told_nothing_and_changes_nothing(world: World) -> None:
    far = add_staff(world.database, "xa", "admin", OTHER_WARD)
    receipt = location(world.send(world.ward.places[7])).split("?")[0].removeprefix("/reports/")
    row = world.scalar("SELECT id FROM register.citizen_report WHERE receipt = :r", r=receipt)
    with write_as(world.database, far, reason="thử") as connection:
        for table in ("citizen_report", "report_event"):
            assert connection.execute(text(f"SELECT count(*) FROM register.{table}")).scalar_one() == 0, table
        changed = connection.execute(
            text("UPDATE register.citizen_report SET state = 'in_progress', handled_by = :by WHERE id = :id"),
            {"by": far.staff_id, "id": row},
        )
        assert changed.rowcount == 0
    assert world.scalar("SELECT state FROM register.citizen_report WHERE receipt = :r", r=receipt) == "received"
