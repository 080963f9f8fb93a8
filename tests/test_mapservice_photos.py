"""Photos of shop fronts: what a camera noted is gone, bombs are refused, and only what is published is shown."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from PIL import Image

from mapservice.photo_files import MAX_PHOTO_BYTES, picture
from postgis.actor import Actor
from postgis.engine import Database, create_database, drop_database
from postgis.errors import InvalidValues
from postgis.store.photos import FOLDER, keep_files
from tests.record_pages import errors_at, fill_in, holds
from tests.small_ward import SmallWard, add_staff, fill
from tests.staff_clients import Browser, add_member, location

SECRET = "Nguyen Van Chu 0905123456"


def camera_photo(width: int = 2400, height: int = 1800) -> bytes:
    """A photo as a telephone takes it: lying on its side, with place, owner and maker in it."""
    image = Image.new("RGB", (width, height), "#88aacc")
    image.paste("#cc2222", (0, 0, width // 2, height // 2))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    exif[0x013B] = SECRET
    exif.get_ifd(0x8825)[2] = (16.0, 2.0, 36.0)
    output = io.BytesIO()
    image.save(output, "JPEG", exif=exif, comment=SECRET.encode(), quality=90)
    return output.getvalue()


def bomb() -> bytes:
    """A PNG of a few kilobytes that unfolds to 12 gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 65_000, 65_000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_a_photo_stands_upright_and_small_and_tells_nothing_of_its_owner() -> None:
    sent = camera_photo()
    assert SECRET.encode() in sent
    made = picture(sent)
    assert (made.width, made.height) == (1200, 1600)
    for content, most in ((made.large, 1600), (made.small, 480)):
        assert SECRET.encode() not in content and b"Exif" not in content
        with Image.open(io.BytesIO(content)) as kept:
            assert kept.format == "JPEG" and max(kept.size) == most
            assert not kept.getexif() and not set(kept.info) & {"exif", "comment", "icc_profile", "xmp"}
            # What was at the top left lies at the top right once the photo stands.
            red, _, blue = kept.convert("RGB").getpixel((kept.width - 20, 20))  # type: ignore[misc]
            assert red > 150 > blue


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_see_through_pictures_get_a_white_ground(kind: str) -> None:
    output = io.BytesIO()
    Image.new("RGBA", (300, 200), (0, 0, 0, 0)).save(output, kind)
    with Image.open(io.BytesIO(picture(output.getvalue()).large)) as kept:
        assert kept.size == (300, 200) and min(kept.convert("RGB").getpixel((5, 5))) > 250  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "required"),
        (b"GIF89a" + b"\0" * 100, "not_a_photo"),
        (b"%PDF-1.7 nothing", "not_a_photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_photo"),
        (camera_photo(400, 300)[:900], "not_a_photo"),
        (b"\0" * (MAX_PHOTO_BYTES + 1), "too_large"),
        (bomb(), "too_many_pixels"),
    ],
    ids=["nothing", "gif", "pdf", "svg", "cut", "large", "bomb"],
)
def test_what_is_no_photo_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(InvalidValues) as refused:
        picture(content)
    assert [(error.field, error.code) for error in refused.value.errors] == [("photo", code)]


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = picture(camera_photo(400, 300))
    monkeypatch.setattr("os.fsync", _disk_full)
    with pytest.raises(OSError):
        keep_files(tmp_path, made)
    assert list((tmp_path / FOLDER).iterdir()) == []
    monkeypatch.undo()
    name = keep_files(tmp_path, made)
    assert keep_files(tmp_path, made) == name
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == [f"{name}-480.jpg", f"{name}.jpg"]


def _disk_full(_handle: int) -> None:
    raise OSError(28, "No space left on device")


@dataclass
class World:
    database: Database
    ward: SmallWard
    planter: Actor
    officer: Browser
    surveyor: Browser
    nobody: Browser

    def send(self, place: str, content: bytes, by: Browser | None = None, **fields: str) -> httpx.Response:
        browser = by or self.officer
        page = f"/staff/establishments/{place}"
        sent = {"csrf_token": browser.proof(page), "reason": "đi qua chụp", "source": "field_survey", **fields}
        files = {"photo": ("mat-tien.jpg", content, "image/jpeg")}
        return browser.client.post(f"{page}/photos", data=sent, files=files)


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "photos", template="base")
    planter = add_staff(own, "planter", "officer")
    ward = fill(own, planter, 6)
    for login, role in (("lan", "officer"), ("an", "surveyor")):
        add_member(own, login, role)
    browsers = [Browser(own) for _ in range(3)]
    location(browsers[0].sign_in("lan"))
    location(browsers[1].sign_in("an"))
    yield World(own, ward, planter, *browsers)
    own.dispose()
    drop_database(server, "photos")


def test_a_photo_is_added_shown_to_everybody_and_taken_away(world: World) -> None:
    place = world.ward.places[1]
    page = f"/staff/establishments/{place}"
    assert location(world.send(place, camera_photo(), taken_on="20/11/2026", caption="Bảng hiệu mới")).endswith(
        "#photos"
    )
    shown = world.officer.get(page).text
    assert "Bảng hiệu mới" in shown and "chụp ngày 20/11/2026" in shown
    name = picture(camera_photo()).name
    for ending in ("", "-480"):
        answer = world.nobody.get(f"/photos/{name}{ending}.jpg")
        assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "no-cache" and SECRET.encode() not in answer.content
    again = world.nobody.get(
        f"/photos/{name}.jpg", **{"If-None-Match": world.nobody.get(f"/photos/{name}.jpg").headers["etag"]}
    )
    assert again.status_code == 304
    code = shown.partition(f"{page}/photos/")[2].partition("/end")[0]
    bare = fill_in(world.officer, page, f"{page}/photos/{code}/end")
    assert bare.status_code == 422 and errors_at(bare.text, "reason", within=f"{page}/photos/{code}/end")
    location(fill_in(world.officer, page, f"{page}/photos/{code}/end", reason="chụp nhầm nhà"))
    assert world.nobody.get(f"/photos/{name}.jpg").status_code == 404
    assert world.officer.get(f"/photos/{name}.jpg").status_code == 200  # the ward's staff, for the history


def test_a_refused_photo_keeps_what_was_typed(world: World) -> None:
    place = world.ward.places[2]
    action = f"/staff/establishments/{place}/photos"
    answer = world.send(place, bomb(), caption="Chú thích dài", taken_on="31/02/2026")
    assert answer.status_code == 422 and "quá nhiều điểm ảnh" in answer.text
    assert holds(answer.text, "caption", "Chú thích dài", within=action)
    wrong = world.send(place, camera_photo(400, 300), caption="Chú thích", taken_on="31/02/2026")
    assert wrong.status_code == 422
    assert "31/02/2026" in errors_at(wrong.text, "taken_on", within=action)[0]
    assert holds(wrong.text, "taken_on", "31/02/2026", within=action)


def test_who_may_not_change_adds_no_photo(world: World) -> None:
    place = world.ward.places[3]
    assert world.send(place, camera_photo(400, 300), by=world.surveyor).status_code == 403
    assert world.nobody.get("/photos/../secret.key").status_code == 404
    assert world.nobody.get(f"/photos/{'0' * 64}.jpg").status_code == 404
    too_much = world.send(place, b"\xff\xd8\xff" + b"\0" * (MAX_PHOTO_BYTES + 200_000))
    assert too_much.status_code == 413
    plain = world.officer.post(f"/staff/establishments/{place}/photos", {"reason": "x"})
    assert plain.status_code == 415
