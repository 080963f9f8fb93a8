"""`mapservice qr sheet`: stickers of chosen places as a printable PDF."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from layers.lookup import StickerChoice, stickers
from mapservice.settings import HttpSettings
from postgis import codes
from postgis.engine import open_database
from postgis.settings import DatabaseSettings
from postgis.vocabulary import SECTOR_GROUPS
from web import documents
from web.assets import MissingAssetError


def write_sheet(options: argparse.Namespace, http: HttpSettings, store: DatabaseSettings) -> int:
    """Writes the sheet that the command line asks for; returns 1 with a reason on standard error when it cannot."""
    try:
        choice = _choice(options, http)
        output = Path(options.output)
        with open_database(store, say=_say) as database, database.public.connect() as connection:
            rows = stickers(connection, choice)
        if not rows:
            raise _RefusedError(_nothing(choice))
        missing = set(choice.codes) - {row["code"] for row in rows}
        if missing:
            raise _RefusedError(f"no establishment has the code {codes.display(min(missing))}")
        base = http.lookup_base
        sheet = documents.sticker_sheet(
            [documents.sticker(row, f"{base}/q/{row['code']}") for row in rows],
            site=f"{urlsplit(base).netloc}{urlsplit(base).path}/q",
            progress=_progress(len(rows)),
        )
        _write(output, sheet)
    except (_RefusedError, MissingAssetError) as refusal:
        sys.stderr.write(f"mapservice: {refusal}\n")
        return 1
    _say(f"{len(rows)} stickers in {output}")
    return 0


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
        codes=tuple(dict.fromkeys(wanted)),
        limit=options.limit,
    )


def _nothing(choice: StickerChoice) -> str:
    given = {
        "ward": choice.ward,
        "street": choice.street,
        "sector group": choice.sector_group,
        "model site": choice.model_site,
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
