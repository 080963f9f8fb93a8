"""Look-up pages while the database is away: as they were last saved, marked with the time, also after a restart."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from layers.lookup import find_establishment
from mapservice.kept_answers import TRUSTED_S
from mapservice.place_copies import FOLDER, Copy, PlaceCopies, now
from postgis import codes
from postgis.actor import write_as
from postgis.cluster_config import PORT, SUPERUSER
from postgis.engine import Database
from postgis.secrets import open_secrets
from postgis.store import life_cycle, records
from tests.conftest import Service, start_service, stop_service
from tests.printed_stickers import PrintedStickers
from tests.small_ward import add_staff, fill, lift_warnings


@dataclass
class Door:
    """The way to a database, which can be shut."""

    path: Path
    database: Database

    @property
    def url(self) -> str:
        return f"postgresql://{SUPERUSER}@/{self.database.name}?host={self.path}&port={PORT}"

    def open(self) -> None:
        self.path.symlink_to(str(self.database.url.query["host"]))

    def shut(self) -> None:
        self.path.unlink()
        with self.database.administrator("postgres") as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
                {"name": self.database.name},
            )


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def door(database: Database, tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path / "door", database)
    made.open()
    yield made
    database.dispose()


def version(database: Database, code: str) -> int:
    with database.owner.connect() as connection:
        found = records.version(connection, "establishments", code)
    assert found is not None
    return found


def get(service: Service, path: str) -> httpx.Response:
    return httpx.get(f"{service.url}{path}", headers={"Accept": "text/html"}, timeout=20)


def test_pages_outlive_their_database(door: Door, tmp_path: Path) -> None:
    officer = add_staff(door.database, "officer", "officer")
    ward = fill(door.database, officer, 5)
    warned, renamed, twin, mistake, closed = ward.places
    for place in (renamed, twin, mistake):
        lift_warnings(door.database, place)
    data = tmp_path / "data"
    copies = PlaceCopies(data)
    settings = {"MAPSERVICE_DATABASE_URL": door.url, "MAPSERVICE_SAMPLE": "none"}
    service = start_service(data, **settings)
    try:
        until(lambda: (data / FOLDER / "confirmed").exists())
        stickers = PrintedStickers(door.database, officer, open_secrets(data), ward.places)
        stickers.move(warned, "installed", "withdrawn")
        stickers.move(twin, "lost")
        with write_as(door.database, officer, reason="thử", source="office") as connection:
            records.change(connection, "establishments", renamed, version(door.database, renamed), {"name": "Quán Mới"})
            life_cycle.merge(connection, twin, version(door.database, twin), into=renamed, reason="trùng")
            records.end(connection, "establishments", mistake, version(door.database, mistake), "lập nhầm")
            life_cycle.close(connection, closed, version(door.database, closed), reason="nghỉ bán")
        # Within seconds every copy is as the register is now.
        until(lambda: (copy := copies.get(closed)) and copy.state == "closed", 10)
        for code, state in ((mistake, "ended"), (twin, "merged")):
            until(lambda: (copy := copies.get(code)) and copy.state == state, 10)  # noqa: B023
        until(lambda: (copy := copies.get(renamed)) and copy.found and copy.found.properties["name"] == "Quán Mới", 10)
        until(lambda: (copy := copies.get(warned)) and copy.stickers[stickers.serials[warned]]["state"] == "withdrawn")
        assert "bảo trì" not in get(service, f"/q/{warned}").text
        assert "bảo trì" not in get(service, stickers.path(renamed)).text  # kept: what is not asked anew is old
        door.shut()
        time.sleep(2 * TRUSTED_S)
        _check_answers(service, ward.places)
        _check_scanned(service, stickers, ward.places)
        stop_service(service)

        service = start_service(data, lambda begun: until(lambda: _alive(begun)), **settings)
        _check_answers(service, ward.places)
        _check_scanned(service, stickers, ward.places)
        assert httpx.get(f"{service.url}/healthz").status_code == 200
        assert httpx.get(f"{service.url}/readyz").status_code == 503

        door.open()
        until(lambda: httpx.get(f"{service.url}/readyz").status_code == 200)
        back = get(service, f"/q/{renamed}")
        assert back.status_code == 200 and "bảo trì" not in back.text and "Warning" not in back.headers
    finally:
        stop_service(service)


def _alive(service: Service) -> bool:
    try:
        return httpx.get(f"{service.url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def _check_scanned(service: Service, stickers: PrintedStickers, places: list[str]) -> None:
    """What a sticker opens: the same copy, and what was last known of the sticker."""
    warned, renamed, twin, _, _ = places
    page = get(service, stickers.path(warned))
    assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
    body = page.text[page.text.index("<body>") :]
    assert (
        body.index("Cảnh báo thử") < body.index("được lưu lúc") < body.index("đã bị thu hồi ngày") < body.index("<h1")
    )
    assert f"số tem {stickers.serials[warned]}" in body
    clean = get(service, stickers.path(renamed))
    assert "Quán Mới" in clean.text and f"số tem {stickers.serials[renamed]}" in clean.text
    assert 'class="gone"' not in clean.text and "được lưu lúc" in clean.text
    assert "This page was saved at" in get(service, f"{stickers.path(renamed)}&lang=en").text
    # Printed since, or made up: nobody can say which.
    for unknown in (stickers.path(renamed, "WWWWW"), f"/q/{renamed}?t=2222222222", f"/q/{renamed}?t={'x' * 4000}"):
        answer = get(service, unknown)
        assert answer.status_code == 200 and "chưa kiểm tra được dấu trên tem" in answer.text
        assert "số tem" not in answer.text and "x" * 100 not in answer.text
    # That of a duplicate leads on with its mark, in whatever spelling.
    token = stickers.token(twin)
    onward = f"/q/{renamed}?t={token}&from={twin}"
    led = get(service, stickers.path(twin))
    assert (led.status_code, led.headers["location"]) == (307, onward)
    lower = get(service, f"/q/{twin.lower()}?t={token}")
    assert (lower.status_code, lower.headers["location"]) == (307, f"/q/{twin}?t={token}")
    page = get(service, onward)
    assert codes.display(twin) in page.text and "đã được báo mất ngày" in page.text


def _check_answers(service: Service, places: list[str]) -> None:
    warned, renamed, twin, mistake, closed = places
    page = get(service, f"/q/{warned}")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["warning"].startswith('110 - "saved 20')
    body = page.text[page.text.index("<body>") :]
    assert body.index("Cảnh báo thử") < body.index("được lưu lúc") < body.index("Cảnh báo mới hơn") < body.index("<h1")
    assert 'class="fact good"' not in body
    # A mark that is not known is not called false; to report anything is not possible now.
    scanned = get(service, f"/q/{warned}?t=2222222222")
    assert scanned.status_code == 200 and "chưa kiểm tra được dấu trên tem" in scanned.text
    assert f"/q/{warned}/report" not in scanned.text and "số tem" not in scanned.text
    english = get(service, f"/q/{renamed}?lang=en")
    assert "This page was saved at" in english.text and "Quán Mới" in english.text
    data = get(service, f"/q/{warned}.json")
    assert data.headers["cache-control"] == "no-store"
    saved = datetime.fromisoformat(data.json()["saved_at"])
    assert datetime.now(UTC) - saved < timedelta(minutes=5)
    assert data.json()["live_warning"] is True and data.json()["code"] == warned
    lower = get(service, f"/q/{codes.display(warned).lower()}")
    assert (lower.status_code, lower.headers["location"]) == (307, f"/q/{warned}")
    merged = get(service, f"/q/{twin}")
    assert (merged.status_code, merged.headers["location"]) == (307, f"/q/{renamed}?from={twin}")
    assert get(service, f"/q/{mistake}").status_code == 410
    assert "đã đóng cửa" in get(service, f"/q/{closed}").text
    unknown = get(service, f"/q/{codes.code_for('test/no copy')}")
    assert unknown.status_code == 503 and int(unknown.headers["retry-after"]) > 0
    assert "Tạm thời chưa tra cứu được" in unknown.text and "giả" not in unknown.text
    assert get(service, "/q/abc").status_code == 404
    assert "Nhập mã tra cứu" in get(service, "/q").text
    assert get(service, "/ogc/collections/establishments/items").status_code == 503


def test_a_copy_is_read_as_it_was_written(database: Database, tmp_path: Path) -> None:
    ward = fill(database, add_staff(database, "officer", "officer"), 1)
    with database.public.connect() as connection:
        found = find_establishment(connection, ward.places[0])
    copies = PlaceCopies(tmp_path)
    hung = {"K7M42": {"state": "installed", "state_on": date(2026, 11, 22)}}
    written = Copy(found, {"moved_to": ward.places[0]}, "active", None, now(), hung)
    copies.put(ward.places[0], written)
    assert copies.get(ward.places[0]) == written
    assert found is not None and isinstance(found.properties["last_inspection_on"], date)
    later = written.saved_at + timedelta(minutes=5)
    copies.confirm(later)
    confirmed = copies.get(ward.places[0])
    assert confirmed is not None and confirmed.saved_at == later
    copies.keep_only([])
    assert copies.get(ward.places[0]) is None and not copies.any()


@pytest.mark.parametrize("content", [b"", b"x", b"x\x9c", bytes(range(64))])
def test_a_broken_copy_is_none(tmp_path: Path, content: bytes) -> None:
    copies, code = PlaceCopies(tmp_path), codes.code_for("test/broken")
    copies.put(code, Copy(None, {}, "ended", None, now()))
    next(tmp_path.glob(f"{FOLDER}/??/*.z")).write_bytes(content)
    assert copies.get(code) is None
    assert copies.get("../../etc/passwd") is None


def test_a_full_disk_leaves_no_older_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies, code = PlaceCopies(tmp_path), codes.code_for("test/full disk")
    copies.put(code, Copy(None, {}, "active", None, now()))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    with pytest.raises(OSError, match="No space"):
        copies.put(code, Copy(None, {}, "ended", None, now()))
    assert copies.get(code) is None
