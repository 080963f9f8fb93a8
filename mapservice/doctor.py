"""`mapservice doctor`: says in plain words what is in order, what is missing and what to do about it.

It must work when everything else doesn't, so each check stands alone, imports what it needs itself, and a check that
breaks is a finding, not a stack trace. Nothing is changed; a stopped database is started for the questions and stopped
again.
"""

import json
import os
import shutil
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection

from mapservice.listening import port_trouble
from mapservice.settings import HttpSettings
from postgis import debian
from postgis.cluster_home import abandoned
from postgis.health import PublicRights
from postgis.local_cluster import LocalCluster
from postgis.settings import DatabaseSettings
from postgis.today import today
from postgis.unavailable import StoreUnavailableError
from postgis.working_days import FILE, LONGEST_WAIT, is_announced

PYTHON_NEEDED = (3, 11)
DISK_NEEDED = 1 << 30  # bytes: a new database takes 100 MB, its log and backups the rest
_VENDOR = ("maplibre-gl.js", "maplibre-gl.css", "fonts/be-vietnam-pro-vietnamese-400-normal.woff2")
_PDF_FONTS = ("fonts/be-vietnam-pro-400.ttf", "fonts/be-vietnam-pro-600.ttf")
_REBUILD = "Run: make run (it copies them), or: npm ci && node web/vendor.mjs"


class Verdict(StrEnum):
    """How a check came out; only `PROBLEM` makes the doctor exit with 1."""

    OK = "OK"
    NOTE = "note"
    PROBLEM = "PROBLEM"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check, in words, and what to do when it is not in order."""

    verdict: Verdict
    words: str
    remedy: str = ""


Check = Callable[[], Iterator[Finding]]


def run_doctor(http: HttpSettings, store: DatabaseSettings) -> int:
    """Print every finding; returns 0 when nothing is wrong, 1 otherwise."""
    checks: tuple[Check, ...] = (
        _python,
        lambda: _server_programs(store),
        lambda: _data_directory(store),
        lambda: _cluster(store),
        lambda: _database(store),
        _assets,
        lambda: _port(http),
        lambda: _public_url(http),
        _working_calendar,
    )
    findings = [finding for check in checks for finding in _run(check)]
    for finding in findings:
        print(f"{finding.verdict:<8} {finding.words}")
        if finding.remedy:
            print(f"{'':<8} -> {finding.remedy}")
    problems = sum(finding.verdict is Verdict.PROBLEM for finding in findings)
    print(f"\n{_sum(problems)}")
    return 1 if problems else 0


def _working_calendar() -> Iterator[Finding]:
    last = today() + LONGEST_WAIT
    lacking = [str(year) for year in range(today().year, last.year + 1) if not is_announced(year)]
    if not lacking:
        yield Finding(Verdict.OK, f"Deadlines: the days off until {last:%d/%m/%Y} are announced")
        return
    yield Finding(
        Verdict.NOTE,
        f"Deadlines: the days off of {' and '.join(lacking)} are not announced, or not known here; deadlines say so",
        f"Once the Government has fixed them, write them with their source into {FILE}",
    )


def _sum(problems: int) -> str:
    if not problems:
        return "Everything that is needed is there."
    return "1 problem." if problems == 1 else f"{problems} problems."


def _run(check: Check) -> list[Finding]:
    findings: list[Finding] = []
    try:
        findings.extend(check())
    except StoreUnavailableError as error:
        words, _, remedy = str(error).partition("\n")
        findings.append(Finding(Verdict.PROBLEM, words, remedy.replace("\n", " ")))
    except Exception as error:  # whatever breaks is what the doctor is here to tell
        reason = str(error).strip().splitlines() or [""]
        findings.append(Finding(Verdict.PROBLEM, f"A check could not be made: {type(error).__name__}: {reason[0]}"))
    return findings


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= PYTHON_NEEDED:
        yield Finding(Verdict.OK, f"Python {version}")
    else:
        needed = ".".join(map(str, PYTHON_NEEDED))
        yield Finding(Verdict.PROBLEM, f"Python {version} is too old", f"Install Python {needed} or newer")


def _server_programs(store: DatabaseSettings) -> Iterator[Finding]:
    if store.database_url is not None:
        yield Finding(Verdict.OK, "PostGIS: the server of MAPSERVICE_DATABASE_URL is used, none is needed here")
    elif (server := debian.find_server()) is not None:
        yield Finding(Verdict.OK, f"PostGIS programs: PostgreSQL {server.major} in {server.bin_dir}")
    else:
        lacking = debian.describe_missing() or "no PostgreSQL server is installed"
        yield Finding(
            Verdict.PROBLEM,
            f"PostGIS is not installed ({lacking})",
            f"`make run` installs it as root or with sudo; by hand: {debian.install_command()}",
        )


def _data_directory(store: DatabaseSettings) -> Iterator[Finding]:
    existing = next(path for path in (store.data_dir, *store.data_dir.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Finding(
            Verdict.PROBLEM,
            f"This user can't write to {existing}",
            "Give it to the user who runs the service, or set MAPSERVICE_DATA_DIR to another directory",
        )
    elif existing != store.data_dir:
        yield Finding(Verdict.NOTE, f"The data directory {store.data_dir} does not exist yet; the first start makes it")
    else:
        yield Finding(Verdict.OK, f"Data directory: {store.data_dir}")
    free = shutil.disk_usage(_place_of_database(store) or existing).free
    verdict, remedy = (Verdict.OK, "") if free >= DISK_NEEDED else (Verdict.PROBLEM, "Free some: at least 1 GB")
    yield Finding(verdict, f"Free disk space: {free / 1e9:.1f} GB", remedy)


def _place_of_database(store: DatabaseSettings) -> Path | None:
    return LocalCluster(store.data_dir).status().home


def _cluster(store: DatabaseSettings) -> Iterator[Finding]:
    if store.database_url is not None:
        return
    for home in abandoned():
        yield Finding(
            Verdict.NOTE,
            f"{home} holds a database whose data directory no longer exists",
            f"If it is not needed any more: rm -r {home}",
        )
    status = LocalCluster(store.data_dir).status()
    if status.home is None or status.made_by is None:
        yield Finding(Verdict.NOTE, "There is no database yet; the first start creates it")
        return
    what = f"Database of PostgreSQL {status.made_by} in {status.home}, run by the user '{status.runs_as}'"
    if status.server is None:
        installed = ", ".join(str(server.major) for server in debian.installed_servers()) or "none"
        yield Finding(
            Verdict.PROBLEM,
            f"{what}: that version is not installed with PostGIS (installed: {installed})",
            debian.install_command([f"postgresql-{status.made_by}-postgis-3"]),
        )
    elif status.pid is None:
        yield Finding(Verdict.OK, f"{what}: stopped")
    elif status.answers:
        yield Finding(Verdict.OK, f"{what}: running (process {status.pid})")
    else:
        yield Finding(Verdict.NOTE, f"{what}: starting or stopping (process {status.pid})")


def _database(store: DatabaseSettings) -> Iterator[Finding]:
    if store.database_url is None:
        status = LocalCluster(store.data_dir).status()
        if status.made_by is None or status.server is None:
            return  # said already
    from postgis import cells, health
    from postgis.engine import open_database
    from postgis.migrate import schema_is_current

    with open_database(store, say=lambda _: None, prepare=False) as database, database.administrator() as connection:
        if not schema_is_current(connection):
            yield Finding(Verdict.PROBLEM, "The tables are not those of this version", "Run: mapservice migrate")
            return
        yield Finding(Verdict.OK, "Tables: those of this version")
        counts = health.base_data(connection)
        missing = [name for name, count in counts.items() if count == 0]
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        if missing:
            yield Finding(Verdict.PROBLEM, f"Base data is missing: {', '.join(missing)}", "Run: mapservice migrate")
        else:
            yield Finding(Verdict.OK, f"Base data: {told}")
        yield Finding(Verdict.OK, f"Establishments: {health.establishments(connection)}")
        if wrong := health.wrong_tile_cells(connection):
            yield Finding(
                Verdict.PROBLEM,
                f"The map counts other places than the register in {wrong} cells: it was written past its triggers",
                "Run in the database, as its owner: SELECT register.fill_tile_cells();",
            )
        if wrong := health.wrong_adoption_cells(connection):
            told = f"The adoption map counts other places than the register in {wrong} cells: written past its triggers"
            mend = "Run in the database, as its owner: SELECT register.fill_adoption_cells();"
            yield Finding(Verdict.PROBLEM, told, mend)
        if wrong := cells.wrong(connection):
            yield Finding(
                Verdict.PROBLEM,
                f"The hexagons of {wrong} places are not those of their position: they were written past the triggers",
                "Run in the database, as its owner: SELECT register.rebuild_states(); then: mapservice migrate",
            )
        yield _rights(health.public_rights(connection))
        yield _key(connection, store)
        yield from _sticker_keys(connection, store)
        if damaged := health.damaged_pages(connection):
            yield Finding(
                Verdict.PROBLEM,
                f"{damaged} damaged pages were read from the disk",
                "The disk may be failing: make a backup at once and restore it on another disk",
            )


def _rights(rights: PublicRights) -> Finding:
    if rights.leaks:
        return Finding(
            Verdict.PROBLEM,
            f"Anonymous visitors can reach more than what is published: {', '.join(rights.leaks)}",
            "Run: mapservice migrate (it sets the rights again); until then stop the service",
        )
    if rights.blind:
        return Finding(
            Verdict.PROBLEM, f"The public pages can't read: {', '.join(rights.blind)}", "Run: mapservice migrate"
        )
    return Finding(Verdict.OK, f"Rights: anonymous visitors read the {rights.published} published views, nothing else")


def _key(connection: Connection, store: DatabaseSettings) -> Finding:
    from mapservice import second_factor
    from postgis.secrets import FILE_NAME, read_secrets
    from postgis.store import personal_data

    secrets, file = read_secrets(store.data_dir), store.data_dir / FILE_NAME
    counts = [kind.unopened(connection, secrets) for kind in (personal_data, second_factor)]
    unopened, kept = (sum(column) for column in zip(*counts, strict=True))
    if unopened:
        state = "is missing" if secrets is None else f"(fingerprint {secrets.fingerprint}) is not the key they need"
        return Finding(
            Verdict.PROBLEM,
            f"{unopened} of {kept} encrypted values cannot be opened: {file} {state}",
            f"Stop the service, copy the key that was kept apart from the backups to {file}, and start it again",
        )
    if secrets is None:
        return Finding(Verdict.NOTE, f"There is no secret key yet; {file} is made when it is first needed")
    return Finding(
        Verdict.OK,
        f"Secret key: {file} (fingerprint {secrets.fingerprint}); encrypted values, all of which it opens: {kept}",
        "It is in no backup: keep a copy in another place",
    )


def _sticker_keys(connection: Connection, store: DatabaseSettings) -> Iterator[Finding]:
    from postgis.secrets import FILE_NAME, read_secrets
    from postgis.store.stickers import keys_lacking

    lacking, stickers = keys_lacking(connection, read_secrets(store.data_dir))
    if lacking:
        yield Finding(
            Verdict.PROBLEM,
            f"The marks of {stickers} stickers cannot be checked: {store.data_dir / FILE_NAME} is not their key",
            f"Copy the key that was kept apart from the backups to {store.data_dir / FILE_NAME}; a new one needs new "
            "stickers",
        )


def _assets() -> Iterator[Finding]:
    import web

    vendor = Path(str(web.__file__)).parent / "static" / "vendor"
    for what, names in (("Files of the map page", _VENDOR), ("Fonts for PDF documents", _PDF_FONTS)):
        missing = [name for name in names if not (vendor / name).is_file()]
        if missing:
            yield Finding(Verdict.PROBLEM, f"{what} are missing: {', '.join(missing)}", _REBUILD)
        else:
            yield Finding(Verdict.OK, f"{what}: there")


def _port(http: HttpSettings) -> Iterator[Finding]:
    trouble = port_trouble(http.host, http.port, patience=0)
    if trouble is None:
        yield Finding(Verdict.OK, f"Port {http.port} on {http.host} is free")
    elif _is_this_service(http):
        yield Finding(Verdict.OK, f"The service runs on {http.host} port {http.port}")
    else:
        yield Finding(Verdict.PROBLEM, trouble[0].upper() + trouble[1:])


def _is_this_service(http: HttpSettings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(http.host, http.host)
    try:
        with urllib.request.urlopen(f"http://{host}:{http.port}/healthz", timeout=2) as answer:
            found: object = json.load(answer)
    except (OSError, ValueError):
        return False
    return found == {"status": "alive"}


def _public_url(http: HttpSettings) -> Iterator[Finding]:
    address = http.lookup_base
    host = urlsplit(address).hostname or ""
    if http.public_url is None or host in ("localhost", "0.0.0.0", "::1") or host.startswith("127."):
        yield Finding(
            Verdict.NOTE,
            f"QR codes will say {address}, which only this machine can open",
            "Before printing stickers set MAPSERVICE_PUBLIC_URL to the address that people use",
        )
    else:
        yield Finding(Verdict.OK, f"QR codes will say {address}")
