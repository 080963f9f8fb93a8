"""A backup comes back whole, or is refused."""

import json
import tarfile
from collections.abc import Iterator
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from mapservice.cli import main
from postgis.actor import prepare_as
from postgis.backup import read_backup, write_backup
from postgis.engine import Database, create_database, drop_database
from postgis.migrate import schema_is_current, upgrade
from postgis.secrets import FILE_NAME, KEY_BYTES, Secrets, _open, open_secrets
from postgis.store import documents, owners, sessions
from postgis.store.documents import keep_file
from postgis.store.photos import FOLDER, Picture, keep_files
from postgis.unavailable import StoreUnavailableError
from tests.small_ward import add_staff, fill

pytestmark = pytest.mark.usefixtures("no_photos")

CONTENT = """
    SELECT md5(string_agg(e::text, ',' ORDER BY e.code)) FROM published.establishments e
"""


def _content(database: Database) -> str:
    with database.public.connect() as connection:
        return str(connection.execute(text(CONTENT)).scalar_one())


def test_round_trip(server: Database, demo_database: Database, tmp_path: Path) -> None:
    backup = write_backup(demo_database, tmp_path / "new" / "folder")
    assert backup.path.stat().st_mode & 0o077 == 0, "only its owner may read a backup"
    assert backup.note["rows"]["register.establishment"] > 9_000
    restored = create_database(server, "restored")
    try:
        read_backup(restored, tmp_path / "new" / "folder")
        assert sum(upgrade(restored).values()) == 0
        assert _content(restored) == _content(demo_database)
        with restored.public.connect() as connection:
            assert schema_is_current(connection)
        with pytest.raises(StoreUnavailableError, match="already holds a register"):
            read_backup(restored, tmp_path / "new" / "folder")
    finally:
        restored.dispose()
        drop_database(server, "restored")


def test_damaged_or_missing_backups_are_refused(server: Database, base_database: Database, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="There is no backup"):
        read_backup(base_database, tmp_path)
    backup = write_backup(base_database, tmp_path)
    content = bytearray(backup.path.read_bytes())
    content[len(content) // 2] ^= 1
    backup.path.write_bytes(content)
    empty = create_database(server, "never_filled")
    try:
        with pytest.raises(StoreUnavailableError, match="damaged"):
            read_backup(empty, tmp_path)
        backup.path.with_suffix(".json").unlink()
        with pytest.raises(StoreUnavailableError, match="is missing"):
            read_backup(empty, tmp_path)
    finally:
        empty.dispose()
        drop_database(server, "never_filled")


def test_the_note_holds_no_secret(base_database: Database, tmp_path: Path) -> None:
    database = _at(base_database, tmp_path / "data")
    key = secret_key(database)
    backup = write_backup(database, tmp_path)
    database.dispose()
    note = json.loads(backup.path.with_suffix(".json").read_text())
    assert set(note) == {"made_at", "file", "sha256", "bytes", "rows", "photos", "key"}
    assert note["key"] == open_secrets(tmp_path / "data").fingerprint and len(note["key"]) == 16
    for file in tmp_path.glob("mapservice-*"):
        content = file.read_bytes()
        assert key not in content and key.hex().encode() not in content, file
        assert file.suffix == ".json" or file.stat().st_mode & 0o077 == 0, "only its owner may read it"


def test_photos_and_documents_come_back(filled: Database, tmp_path: Path, new_database: Database) -> None:
    kept = {path.name: path.read_bytes() for path in (filled.settings.data_dir / FOLDER).iterdir()}
    (filled.settings.data_dir / FOLDER / ".new-unfinished").write_bytes(b"half a pho")
    paper = keep_file(filled.settings.data_dir, b"%PDF-1.7 %%EOF", "pdf")
    (filled.settings.data_dir / documents.FOLDER / ".new-unfinished").write_bytes(b"half a pap")
    backup = write_backup(filled, tmp_path / "to")
    assert backup.note["photos"]["count"] == len(kept) == 4
    restored = _at(new_database, tmp_path / "new")
    read_backup(restored, tmp_path / "to")
    folder = tmp_path / "new" / FOLDER
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
    papers = tmp_path / "new" / documents.FOLDER
    left = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert left == [documents.FOLDER, FOLDER], "and nothing else is left"
    assert documents.read_file(restored.settings.data_dir, paper, "pdf") == b"%PDF-1.7 %%EOF"
    assert not [path.name for path in papers.iterdir() if path.suffix not in (".pdf", ".jpg")]
    assert {path.stat().st_mode & 0o777 for path in (*folder.iterdir(), *papers.iterdir())} == {0o640}


@pytest.mark.parametrize("harm", ["altered", "missing", "stranger", "not its name", "no paper's name"])
def test_with_damaged_photos_nothing_is_restored(
    filled: Database, tmp_path: Path, new_database: Database, harm: str
) -> None:
    backup = write_backup(filled, tmp_path / "to")
    archive = tmp_path / "to" / backup.note["photos"]["file"]
    if harm == "altered":
        archive.write_bytes(archive.read_bytes()[:-600] + b"x" * 600)
    elif harm == "missing":
        archive.unlink()
    else:
        # Somebody who writes the note anew must still not place files of their own.
        stranger = tmp_path / "stranger"
        stranger.write_bytes(b"#!")
        with tarfile.open(archive, "a") as tar:
            names = {"stranger": "../secret.key", "not its name": f"{'0' * 64}.jpg"}
            tar.add(stranger, names.get(harm, f"{documents.FOLDER}/{'0' * 64}.pdf"))
        note = backup.note | {"photos": {"file": archive.name, "sha256": sha256(archive.read_bytes()).hexdigest()}}
        backup.path.with_suffix(".json").write_text(json.dumps(note))
    restored = _at(new_database, tmp_path / "new")
    with pytest.raises(StoreUnavailableError, match=r"damaged|missing|no photo"):
        read_backup(restored, tmp_path / "to")
    _nothing(restored)


def test_when_the_database_cannot_be_restored_no_photo_is(
    filled: Database, tmp_path: Path, new_database: Database
) -> None:
    write_backup(filled, tmp_path / "to")
    restored = _at(new_database, tmp_path / "new")
    with restored.owner.begin() as owner:
        owner.execute(text("CREATE SCHEMA account"))
    with pytest.raises(StoreUnavailableError, match="pg_restore failed"):
        read_backup(restored, tmp_path / "to")
    _nothing(restored)


def test_a_backup_that_fails_leaves_nothing(filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("postgis.backup.write_photos", full)
    with pytest.raises(StoreUnavailableError, match="No space left"):
        write_backup(filled, tmp_path / "to")
    assert list((tmp_path / "to").iterdir()) == []


def test_the_key_stays_behind_and_the_commands_say_so(
    filled: Database,
    new_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key, data = secret_key(filled), filled.settings.data_dir
    fingerprint = open_secrets(data).fingerprint

    def run(database: Database, command: str) -> str:
        monkeypatch.setenv("MAPSERVICE_DATA_DIR", str(database.settings.data_dir))
        monkeypatch.setattr("postgis.engine.open_database", lambda *_, **__: nullcontext(database))
        assert main([command, str(tmp_path / "to")]) == 0
        said = capsys.readouterr().err.strip()
        assert "\n" not in said and key.hex() not in said
        return said

    said = run(filled, "backup")
    assert str(data / FILE_NAME) in said and fingerprint in said and "not in the backup" in said
    there = _at(new_database, tmp_path / "new")
    file = there.settings.data_dir / FILE_NAME
    said = run(there, "restore")
    assert f"{file} is missing" in said and fingerprint in said
    assert not file.exists(), "looking must not make a key"

    _emptied(there)
    file.write_bytes(bytes(KEY_BYTES))
    said = run(there, "restore")
    assert f"{file} is another key" in said and fingerprint in said and Secrets(bytes(KEY_BYTES)).fingerprint in said

    _emptied(there)
    file.write_bytes(key)
    _open.cache_clear()
    assert run(there, "restore") == ""


def test_nobody_is_let_in_by_a_backup(
    server: Database, base_database: Database, new_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base_database.dispose()
    lived = create_database(server, "lived", template="base")
    officer = add_staff(lived, "officer", "officer")
    ward, keys = fill(lived, officer, 2), open_secrets(lived.settings.data_dir)
    place, other = ward.places
    with prepare_as(lived, officer) as connection:
        code, unused = (owners.make_code(connection, keys, officer, each) for each in (place, other))
        signed_in = sessions.start(connection, officer.staff_id)
    with lived.staff.begin() as connection:
        cookie = owners.sign_in(connection, keys, place, code)
    assert cookie is not None
    write_backup(lived, tmp_path / "to")
    there = _at(new_database, tmp_path / "new")
    monkeypatch.setenv("MAPSERVICE_DATA_DIR", str(there.settings.data_dir))
    monkeypatch.setattr("postgis.engine.open_database", lambda *_, **__: nullcontext(there))
    assert main(["restore", str(tmp_path / "to")]) == 0
    for database, open_door in ((lived, True), (there, False)):
        with database.staff.begin() as connection:
            assert (owners.find(connection, cookie) is not None) is open_door
            assert (sessions.find(connection, signed_in) is not None) is open_door
            assert (owners.sign_in(connection, keys, other, unused) is not None) is open_door
    lived.dispose()
    drop_database(server, "lived")


def secret_key(database: Database) -> bytes:
    """The key of a database's data directory, made where there is none yet."""
    open_secrets(database.settings.data_dir)
    return (database.settings.data_dir / FILE_NAME).read_bytes()


def _at(database: Database, data_dir: Path) -> Database:
    """The same database as that of another data directory."""
    data_dir.mkdir(exist_ok=True)
    settings = database.settings.model_copy(update={"data_dir": data_dir})
    return Database(database.url, settings, database.cluster)


def _emptied(database: Database) -> None:
    with database.owner.begin() as owner:
        owner.execute(text("DROP SCHEMA register, account, published CASCADE"))


def _nothing(database: Database) -> None:
    with database.owner.connect() as owner:
        assert owner.execute(text("SELECT to_regclass('register.establishment')")).scalar_one() is None
    folder = database.settings.data_dir / FOLDER
    assert not folder.exists() or not list(folder.iterdir())


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Database:
    """A database and a data directory with two photos."""
    own = _at(database, tmp_path / "data")
    for number in (1, 2):
        keep_files(own.settings.data_dir, Picture(b"large %d" % number, b"small %d" % number, 8, 8))
    return own


@pytest.fixture
def new_database(server: Database) -> Iterator[Database]:
    new = create_database(server, "for_restoring")
    yield new
    drop_database(server, "for_restoring")
