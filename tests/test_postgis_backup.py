"""A backup comes back whole, or is refused."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from postgis.backup import read_backup, write_backup
from postgis.engine import Database, create_database, drop_database
from postgis.migrate import schema_is_current, upgrade
from postgis.unavailable import StoreUnavailableError

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
    backup = write_backup(base_database, tmp_path)
    note = json.loads(backup.path.with_suffix(".json").read_text())
    assert set(note) == {"made_at", "file", "sha256", "bytes", "rows"}
