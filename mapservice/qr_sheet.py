"""`mapservice qr sheet`: stickers of chosen places as a printable PDF."""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from layers.sticker_lists import of_pages
from layers.sticker_places import Row, StickerChoice, sticker_places
from mapservice.settings import HttpSettings
from mapservice.sticker_printing import run_pdf, typed_address
from postgis import codes
from postgis.engine import Database, open_database
from postgis.secrets import open_secrets
from postgis.settings import DatabaseSettings
from postgis.store import stickers
from postgis.store.stickers import RunOrder
from postgis.vocabulary import SECTOR_GROUPS
from web import sticker_layouts, sticker_sheets
from web.assets import MissingAssetError

_NARROWEST = ("codes", "model_site", "residential_group", "street", "sector_group", "ward")


def write_sheet(options: argparse.Namespace, http: HttpSettings, store: DatabaseSettings) -> int:
    """Writes the sheet that the command line asks for; returns 1 with a reason on standard error when it cannot.

    What is printed is a run of new stickers, each with its serial; a preview notes nothing and says so on each.
    """
    try:
        choice = _choice(options, http)
        output = Path(options.output)
        with open_database(store, say=_say) as database:
            with database.public.connect() as connection:
                rows = sticker_places(connection, choice)
            if not rows:
                raise _RefusedError(_nothing(choice))
            missing = set(choice.codes) - {row["code"] for row in rows}
            if missing:
                raise _RefusedError(f"no establishment has the code {codes.display(min(missing))}")
            if options.preview:
                _write(output, _preview(http, rows, options.layout))
            else:
                _print(database, http, rows, choice, options)
    except (_RefusedError, MissingAssetError) as refusal:
        sys.stderr.write(f"mapservice: {refusal}\n")
        return 1
    _say(f"{len(rows)} stickers in {output}")
    return 0


def _preview(http: HttpSettings, rows: list[Row], layout: str) -> bytes:
    shown = [sticker_layouts.sticker(row, f"{http.lookup_base}/q/{row['code']}") for row in rows]
    return sticker_sheets.sticker_sheet(
        shown, typed_address(http), layout=sticker_layouts.LAYOUTS[layout], progress=_progress(len(rows))
    )


def _print(
    database: Database, http: HttpSettings, rows: list[Row], choice: StickerChoice, options: argparse.Namespace
) -> None:
    """Makes a run of all its pages and the file. Where the file cannot be written, nothing is noted."""
    wards = {row["ward"]["code"] for row in rows if row["ward"]}
    if len(wards) != 1:
        raise _RefusedError("the places lie in several wards; print the stickers of one ward at a time")
    layout = sticker_layouts.LAYOUTS[options.layout]
    secrets = open_secrets(database.settings.data_dir)
    asked = {name: value for name, value in asdict(choice).items() if value}
    with database.owner.begin() as connection:
        order = RunOrder(
            ward_id=stickers.present_ward(connection, wards.pop()), staff_id=None, request_key=token_urlsafe(16),
            chosen_by=_chosen_by(asked), choice=asked,
            layout=options.layout, per_page=layout.per_page,
        )  # fmt: skip
        run = stickers.make_run(connection, secrets, order, [row["code"] for row in rows], only_missing=False)
        pages = -(-len(rows) // layout.per_page)
        stickers.take_pages(connection, run, pages, None)
        printed = of_pages(connection, run, 1, pages)
        with database.public.connect() as published:
            shown = sticker_layouts.Pages(1, pages, str(run))
            sheet = run_pdf(published, http, secrets, printed, options.layout, shown, progress=_progress(len(rows)))
        _write(Path(options.output), sheet)


def _chosen_by(asked: Mapping[str, Any]) -> str:
    found = next(name for name in _NARROWEST if name in asked)
    return "chosen" if found == "codes" else found


class _RefusedError(Exception):
    """The sheet cannot be made; the message says why."""


def _choice(options: argparse.Namespace, http: HttpSettings) -> StickerChoice:
    wanted = []
    for typed in options.code or ():
        code = codes.normalise(typed)
        if code is None:
            raise _RefusedError(f"{typed} is not a look-up code: a character is wrong or missing")
        wanted.append(code)
    if options.sector_group is not None and options.sector_group not in SECTOR_GROUPS:
        raise _RefusedError(f"there is no sector group {options.sector_group}; there are {', '.join(SECTOR_GROUPS)}")
    # Codes name their places exactly: the ward of the service does not narrow them.
    return StickerChoice(
        ward=options.ward or (None if wanted else http.ward),
        street=options.street,
        sector_group=options.sector_group,
        model_site=options.model_site,
        residential_group=options.residential_group,
        codes=tuple(dict.fromkeys(wanted)),
        limit=options.limit,
    )


def _nothing(choice: StickerChoice) -> str:
    given = {
        "ward": choice.ward,
        "street": choice.street,
        "sector group": choice.sector_group,
        "model site": choice.model_site,
        "residential group": choice.residential_group,
        "code": ", ".join(codes.display(code) for code in choice.codes),
    }
    asked = "; ".join(f"{name} {value}" for name, value in given.items() if value)
    return f"no establishment matches ({asked}), so there is nothing to print"


def _write(output: Path, sheet: bytes) -> None:
    try:
        output.write_bytes(sheet)
    except OSError as error:
        raise _RefusedError(f"cannot write {output}: {error.strerror}") from error


def _progress(total: int) -> Callable[[int], None]:
    """Tells a terminal how far the sheet is; a pipe or a log gets nothing."""
    if not sys.stderr.isatty():
        return lambda _done: None

    def show(done: int) -> None:
        if done == total or done % 20 == 0:
            sys.stderr.write(f"\r{done}/{total}" + ("\n" if done == total else ""))
            sys.stderr.flush()

    return show


def _say(message: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"{message}\n")
