"""A running service with two worker processes and a small register, and officers who edit it over HTTP."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from postgis.engine import Database, open_database
from postgis.settings import DatabaseSettings
from tests.conftest import start_service, stop_service
from tests.small_ward import SmallWard, add_staff, fill

PASSWORD = "mot-cau-dai-de-nho-2026"
ITEMS = "/ogc/collections/establishments/items"


@dataclass
class LiveRegister:
    """The service, its database, what the register holds, and tokens of two officers."""

    url: str
    process: "subprocess.Popen[bytes]"
    data_dir: Path
    database: Database
    ward: SmallWard
    tokens: tuple[str, str]


@contextlib.contextmanager
def live_register(places: int) -> Iterator[LiveRegister]:
    """`mapservice serve` with two workers, accounts and tokens made with the command line as an office would."""
    root = Path(tempfile.mkdtemp(prefix="live-register-", dir="/tmp"))
    root.chmod(0o755)
    try:
        service = start_service(root / "data", MAPSERVICE_SAMPLE="none", MAPSERVICE_WORKERS="2")
        try:
            settings = DatabaseSettings(data_dir=service.data_dir, database_url=None)
            with open_database(settings) as database:
                ward = fill(database, add_staff(database, "planter", "officer"), places)
                tokens = tuple(_officer(service.data_dir, login) for login in ("mot", "hai"))
                yield LiveRegister(
                    service.url, service.process, service.data_dir, database, ward, (tokens[0], tokens[1])
                )
        finally:
            stop_service(service)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _officer(data_dir: Path, login: str) -> str:
    command(data_dir, "staff", "add", login, "--role", "officer", "--ward", "20257", "--password-stdin", typed=PASSWORD)
    return command(data_dir, "token", login, "--days", "1").strip()


def command(data_dir: Path, *arguments: str, typed: str = "") -> str:
    """Runs `mapservice …` on the data directory and returns what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAPSERVICE_")}
    done = subprocess.run(
        [sys.executable, "-m", "mapservice.cli", *arguments], input=typed, text=True, capture_output=True, timeout=120,
        env={**environment, "MAPSERVICE_DATA_DIR": str(data_dir)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def patch(client: httpx.Client, code: str, etag: str, token: str, change: dict[str, Any]) -> httpx.Response:
    """One edit of an establishment: a merge patch of its GeoJSON feature."""
    headers = {
        "Authorization": f"Bearer {token}",
        "If-Match": etag,
        "Content-Type": "application/merge-patch+json",
        "Accept-Encoding": "identity",
    }
    return client.patch(f"{ITEMS}/{code}", headers=headers, json=change)


def etag_of(client: httpx.Client, code: str, token: str) -> str:
    """The version of an establishment as an officer's client sees it."""
    answer = client.get(f"{ITEMS}/{code}", headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
    assert answer.status_code == 200, answer.text
    return str(answer.headers["etag"])
