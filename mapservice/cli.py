"""The command `mapservice`. Exit 0: done; 1: refused, with a reason on standard error; 2: wrong usage.

Each command imports what it needs when it runs.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from mapservice import logs
from mapservice.settings import HttpSettings
from postgis.settings import DatabaseSettings
from postgis.unavailable import StoreUnavailableError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    # What the other commands import would stay in the memory of the web server.
    options = argparse.Namespace(run=_serve) if given == ["serve"] else _parser().parse_args(given)
    try:
        http, store = HttpSettings(), DatabaseSettings()
    except ValidationError as error:
        return _refuse(_settings_reason(error))
    logs.configure()
    try:
        return int(options.run(options, http, store))
    except _refusals() as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return 130


def _refusals() -> tuple[type[Exception], ...]:
    from mapservice import history_commands, signing, staff_commands
    from mapservice.sample import SampleRefused

    return StoreUnavailableError, SampleRefused, staff_commands.Refused, history_commands.NotWhole, signing.NotGenuine


def _parser() -> argparse.ArgumentParser:
    from mapservice import (
        export_command,
        geocoding,
        history_commands,
        ingest_command,
        report_command,
        signing_commands,
        staff_commands,
        sticker_commands,
    )

    parser = argparse.ArgumentParser(prog="mapservice", description="Bản đồ số kinh doanh: a ward's business map.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, summary: str, run: object) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=summary, description=summary)
        found.set_defaults(run=run)
        return found

    command("serve", "Start the service (and its database), with sample data on first start.", _serve)
    command("migrate", "Bring the database to this version and load base data.", _migrate)
    command("sample", "Load the sample that MAPSERVICE_SAMPLE names into an empty register.", _sample)
    for name, summary, run in (
        ("backup", "Copy the whole database, which may be in use, and its photos into a folder.", _backup),
        ("restore", "Restore the newest backup of a folder into a new data directory.", _restore),
    ):
        command(name, summary, run).add_argument("folder", metavar="DIR", type=Path)
    staff_commands.add_parsers(commands)
    history_commands.add_parsers(commands)
    signing_commands.add_parsers(commands)
    geocoding.add_parsers(commands)
    export_command.add_parsers(commands)
    ingest_command.add_parsers(commands)
    report_command.add_parsers(commands)
    command("doctor", "Say in plain words what is missing.", _doctor)

    sticker_commands.add_parsers(commands)
    return parser


def _serve(_options: argparse.Namespace, http: HttpSettings, store: DatabaseSettings) -> int:
    from mapservice.serve import serve

    return serve(http, store)


def _migrate(_options: argparse.Namespace, _http: HttpSettings, store: DatabaseSettings) -> int:
    from postgis.engine import open_database
    from postgis.migrate import upgrade

    with open_database(store, say=_say) as database:
        loaded = upgrade(database)
    for table, rows in loaded.items():
        print(f"{table}: {rows}")
    return 0


def _sample(_options: argparse.Namespace, http: HttpSettings, store: DatabaseSettings) -> int:
    from mapservice.sample import load_sample
    from postgis.engine import open_database
    from postgis.migrate import upgrade

    with open_database(store, say=_say) as database:
        upgrade(database)
        print(f"{load_sample(database, http)} establishments loaded ({http.sample})")
    return 0


def _backup(options: argparse.Namespace, _http: HttpSettings, store: DatabaseSettings) -> int:
    from mapservice.key_words import kept_apart
    from postgis.backup import write_backup
    from postgis.engine import open_database

    with open_database(store, say=_say) as database:
        backup = write_backup(database, options.folder)
    note = backup.note
    rows, photos = sum(note["rows"].values()), note["photos"]["count"]
    print(f"{backup.path}: {note['bytes']:,} bytes, {rows:,} rows, {photos:,} files of photos")
    if words := kept_apart(note, store.data_dir):
        print(f"mapservice: {words}", file=sys.stderr)
    return 0


def _restore(options: argparse.Namespace, _http: HttpSettings, store: DatabaseSettings) -> int:
    from mapservice.key_words import key_to_put_back
    from postgis.backup import end_access, read_backup
    from postgis.engine import open_database
    from postgis.migrate import upgrade

    with open_database(store, say=_say) as database:
        backup = read_backup(database, options.folder)
        upgrade(database)
        end_access(database)
    print(f"{backup.path} of {backup.note['made_at']} restored")
    if words := key_to_put_back(backup.note, store.data_dir):
        print(f"mapservice: {words}", file=sys.stderr)
    return 0


def _doctor(_options: argparse.Namespace, http: HttpSettings, store: DatabaseSettings) -> int:
    from mapservice.doctor import run_doctor

    return run_doctor(http, store)


def _say(message: str) -> None:
    if sys.stderr.isatty():
        print(message, file=sys.stderr)


def _refuse(reason: str) -> int:
    print(f"mapservice: {reason}", file=sys.stderr)
    return 1


def _settings_reason(error: ValidationError) -> str:
    problems = []
    for problem in error.errors():
        name = "MAPSERVICE_" + "_".join(str(part) for part in problem["loc"]).upper()
        problems.append(f"{name}: {problem['msg']}")
    return "; ".join(problems)


if __name__ == "__main__":
    sys.exit(main())
