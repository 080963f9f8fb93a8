"""`mapservice ingest FILE`: what a file would do to the register, row by row; written only with `--apply`."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.identity import Identities
from ingest.plan import Progress, plan_rows
from ingest.plan_summary import PlanSummary
from ingest.planned import PlannedRow
from ingest.refusal import Refusal
from ingest.row_places import Locator
from ingest.workbook_reader import read
from layers.gazetteer import surroundings
from layers.register_places import register_of
from mapservice.geocoding import gazetteer
from mapservice.import_words import as_json, as_text, problems_of, refusal_words
from mapservice.ingest_apply import apply_file, undo_batch
from mapservice.settings import HttpSettings
from mapservice.staff_commands import make_ready
from postgis.engine import open_database
from postgis.secrets import read_secrets
from postgis.settings import DatabaseSettings
from web import labels

_LANG = "vi"


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to `mapservice`."""
    summary = "Say what a file (Excel, CSV, ODS, GIS) would do to the register, row by row."
    parser = commands.add_parser("ingest", help=summary, description=summary)
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?")
    parser.add_argument("--ward", metavar="CODE", help="the ward that the file is of (default: MAPSERVICE_WARD)")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="write nothing (the default)")
    mode.add_argument("--apply", action="store_true", help="write to the register what is clear, all or nothing")
    mode.add_argument("--undo", metavar="CODE", help="undo an applied import, without harm to later edits")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_ingest, usage=parser.error)


def _ingest(options: argparse.Namespace, http: HttpSettings, store: DatabaseSettings) -> int:
    ward = options.ward or http.ward
    if (options.file is None) != (options.undo is not None):
        options.usage("give a FILE, or --undo CODE")
    if options.undo is not None:
        return undo_batch(options.undo, ward, store, as_object=options.json)
    if options.apply:
        return apply_file(options.file, ward, store, as_object=options.json)
    try:
        # Read before the database is started: most refusals need none.
        workbook = read(options.file, options.file.name)
    except OSError:
        return _refuse(labels.text("import_plan.no_file", _LANG, file=options.file))
    except Refusal as refusal:
        return _refuse(refusal_words(refusal, _LANG))
    with open_database(store) as database:
        make_ready(database)
        with database.owner.connect() as connection:
            around = surroundings(connection, ward)
            if around is None:
                return _refuse(labels.text("import_plan.no_ward", _LANG, ward=ward))
            with _progress() as progress:
                summary, problems = PlanSummary(), list[dict[str, Any]]()
                rows = plan_rows(
                    workbook, Locator(gazetteer(around)), register_of(connection, ward),
                    Identities(read_secrets(store.data_dir)), progress=progress, summary=summary,
                )  # fmt: skip
                try:
                    for row in rows:
                        if options.json and isinstance(row, PlannedRow):
                            problems += problems_of(row.read, _LANG)
                except Refusal as refusal:
                    return _refuse(refusal_words(refusal, _LANG))
    if options.json:
        found: dict[str, Any] = as_json(summary.as_json(), summary.stored_counts, problems, _LANG)
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(as_text(summary, options.file.name, _LANG) + "\n")
    return 0


@contextmanager
def _progress() -> Iterator[Progress]:
    """One line on a terminal that counts up; nothing elsewhere."""
    shown = sys.stderr.isatty()

    def progress(step: str, done: int) -> None:
        if shown:
            sys.stderr.write(f"\r\033[K{labels.text(f'import_plan.{step}', _LANG, count=done)}")
            sys.stderr.flush()

    yield progress
    if shown:
        sys.stderr.write("\r\033[K")


def _refuse(reason: str) -> int:
    sys.stderr.write(f"mapservice: {reason}\n")
    return 1
