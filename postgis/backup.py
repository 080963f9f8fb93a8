"""The whole register into a folder, and back, with PostgreSQL's own pg_dump and pg_restore.

A backup is one dump, one archive of the photos, and one small JSON file beside them with their SHA-256, so that a copy
on a stick can be trusted. Only our schemas are in it: extensions and roles are made by `open_database` wherever it is
restored. The secret key is kept apart by design, so that a stolen backup opens no personal value; the note has its
fingerprint.
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, text

from postgis.cluster_config import OWNER_ROLE
from postgis.debian import installed_servers
from postgis.engine import Database
from postgis.photo_archive import placed_photos, sha256_of, write_photos
from postgis.secrets import read_secrets
from postgis.today import VIETNAM
from postgis.unavailable import StoreUnavailableError

SCHEMAS = ("register", "account", "published")
SUFFIX = ".dump"
PHOTO_SUFFIX = ".photos.tar"


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup: where it is and what its note says."""

    path: Path
    note: dict[str, Any]


def write_backup(database: Database, folder: Path) -> Backup:
    """Dumps the database, which may be in use, and its photos into `folder`; the dump appears when all is whole.

    Raises StoreUnavailableError when the folder cannot be written or the dump fails.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    made_at = datetime.now(VIETNAM)
    path = folder / f"mapservice-{made_at:%Y%m%d-%H%M%S}{SUFFIX}"
    unfinished, photos = path.with_suffix(".unfinished"), path.with_suffix(PHOTO_SUFFIX)
    try:
        schemas = [f"--schema={schema}" for schema in SCHEMAS]
        _run(database, "pg_dump", "--format=custom", "--no-owner", *schemas, f"--file={unfinished}")
        _run(database, "pg_restore", "--list", str(unfinished), connect=False)
        secrets = read_secrets(database.settings.data_dir)
        note = {
            "made_at": made_at.isoformat(timespec="seconds"),
            **_file_note(path.name, unfinished),
            "rows": _row_counts(database),
            "photos": {"count": write_photos(database.settings.data_dir, photos), **_file_note(photos.name, photos)},
            "key": None if secrets is None else secrets.fingerprint,
        }
        photos.chmod(0o600)
        unfinished.chmod(0o600)
        path.with_suffix(".json").write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
        # Last: a backup is found by its dump.
        unfinished.replace(path)
    except OSError as error:
        raise StoreUnavailableError(f"The backup cannot be written to {folder}: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
        if not path.exists():
            photos.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
    return Backup(path, note)


def read_backup(database: Database, folder: Path) -> Backup:
    """Restores the newest backup of `folder` (or the dump that `folder` names) into a database that holds nothing yet.

    All or nothing, photos and all. Raises StoreUnavailableError when there is no backup, a file is damaged, or the
    database already holds a register.
    """
    backup = _find(folder)
    _check(backup.path, backup.note)
    photos = backup.note.get("photos")  # the first release kept none
    archive = None
    if photos is not None:
        archive = backup.path.with_name(Path(photos["file"]).name)
        _check(archive, photos)
    with database.owner.connect() as connection:
        if connection.execute(text("SELECT to_regnamespace('register') IS NOT NULL")).scalar_one():
            raise StoreUnavailableError(
                "The database already holds a register. Restore into a new one: set MAPSERVICE_DATA_DIR to a new one."
            )
    database.owner.dispose()
    with contextlib.nullcontext() if archive is None else placed_photos(archive, database.settings.data_dir):
        _run(
            database, "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner",
            f"--dbname={database.name}", str(backup.path),
        )  # fmt: skip
    return backup


def end_access(database: Database) -> None:
    """Signs everybody out of a register that was restored and upgraded, and withdraws owners' unused codes.

    Whoever signed out, or whose code was withdrawn, after the backup was made must not be let in by it.
    """
    with database.owner.begin() as connection:
        connection.execute(text("DELETE FROM account.session"))
        connection.execute(text("DELETE FROM account.owner_session"))
        connection.execute(
            text("UPDATE register.owner_code SET withdrawn_at = now() WHERE used_at IS NULL AND withdrawn_at IS NULL")
        )


def _find(folder: Path) -> Backup:
    found = [folder] if folder.is_file() else sorted(folder.glob(f"*{SUFFIX}"))
    if not found:
        raise StoreUnavailableError(f"There is no backup (*{SUFFIX}) in {folder}.")
    note = found[-1].with_suffix(".json")
    if not note.is_file():
        raise StoreUnavailableError(f"{note} is missing: without it nobody can tell whether the backup is whole.")
    return Backup(found[-1], json.loads(note.read_text(encoding="utf-8")))


def _file_note(name: str, written: Path) -> dict[str, Any]:
    return {"file": name, "sha256": sha256_of(written), "bytes": written.stat().st_size}


def _check(file: Path, note: Mapping[str, Any]) -> None:
    if not file.is_file():
        raise StoreUnavailableError(f"{file} is missing: it belongs to the backup.")
    if sha256_of(file) != note["sha256"]:
        raise StoreUnavailableError(f"{file} is damaged: its SHA-256 is not the one noted when it was made.")


def _row_counts(database: Database) -> dict[str, int]:
    with database.owner.connect() as connection:
        tables = connection.execute(
            text("SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY (:schemas) ORDER BY 1, 2"),
            {"schemas": list(SCHEMAS)},
        ).all()
        return {
            f"{schema}.{table}": connection.execute(text(f'SELECT count(*) FROM {schema}."{table}"')).scalar_one()
            for schema, table in tables
        }


def _run(database: Database, program: str, *arguments: str, connect: bool = True) -> None:
    command = [_program(database, program), *arguments]
    environment = {**os.environ, "PGCONNECT_TIMEOUT": "10", **(_connection(database) if connect else {})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = [line for line in done.stderr.splitlines() if line.strip()]
        raise StoreUnavailableError(f"{program} failed: {words[0] if words else 'no reason given'}")


def _connection(database: Database) -> dict[str, str]:
    """Where and as whom to connect: in the environment, since a command line is for everybody to see."""
    url: URL = database.url
    host = url.host or str(url.query.get("host", ""))
    found = {"PGHOST": host, "PGPORT": str(url.port or url.query.get("port", 5432)), "PGDATABASE": database.name}
    if database.cluster is not None:
        return {**found, "PGUSER": OWNER_ROLE}
    if url.username:
        found["PGUSER"] = url.username
    if url.password:
        found["PGPASSWORD"] = str(url.password)
    return {**found, "PGOPTIONS": f"-c role={OWNER_ROLE}"}


def _program(database: Database, name: str) -> str:
    """The program of the server's own version: an older pg_dump refuses a newer server."""
    made_by = None if database.cluster is None else database.cluster.status().made_by
    for server in installed_servers():
        if made_by in (None, server.major):
            return server.program(name)
    found = shutil.which(name)
    if found is None:
        raise StoreUnavailableError(f"{name} is not installed; on Debian: apt-get install postgresql-client")
    return found
