"""`mapservice qr …`: sheets of stickers, and a new key for their marks. Each command imports what it needs."""

import argparse
import sys

from mapservice.settings import HttpSettings
from postgis.settings import DatabaseSettings
from postgis.vocabulary import STICKER_LAYOUTS


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands to `mapservice`."""
    qr = commands.add_parser("qr", help="QR stickers.").add_subparsers(required=True, metavar="COMMAND")
    summary = "Print new stickers, each with a serial, as a PDF."
    sheet = qr.add_parser("sheet", help=summary, description=summary)
    sheet.add_argument("--ward", metavar="CODE", help="places of this ward (default: MAPSERVICE_WARD)")
    sheet.add_argument("--street", metavar="NAME", help="places on this street; marks and capitals do not matter")
    sheet.add_argument("--sector-group", metavar="CODE", help="places of this sector group, such as food_service")
    sheet.add_argument("--model-site", metavar="CODE", help="places of this model site")
    sheet.add_argument("--residential-group", metavar="CODE", help="places of this residential group")
    sheet.add_argument("--code", metavar="CODE", nargs="+", help="exactly these look-up codes")
    sheet.add_argument("--limit", type=_positive, metavar="N", help="at most this many stickers")
    sheet.add_argument("--layout", choices=STICKER_LAYOUTS, default="a4_10", help="paper and size (default: a4_10)")
    sheet.add_argument("--preview", action="store_true", help="note nothing: stickers without serial, marked as such")
    sheet.add_argument("-o", "--output", required=True, metavar="FILE.pdf", help="where to write the PDF")
    sheet.set_defaults(run=_sheet)
    summary = "Mark stickers with a new key from now on; those that hang stay genuine."
    qr.add_parser("rotate-key", help=summary, description=summary).set_defaults(run=_rotate_key)


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 is needed, not {text!r}")
    return int(text)


def _sheet(options: argparse.Namespace, http: HttpSettings, store: DatabaseSettings) -> int:
    from mapservice.qr_sheet import write_sheet

    return write_sheet(options, http, store)


def _rotate_key(_options: argparse.Namespace, _http: HttpSettings, store: DatabaseSettings) -> int:
    from postgis.engine import open_database
    from postgis.secrets import open_secrets
    from postgis.store.stickers import rotate_key

    with open_database(store) as database, database.owner.begin() as connection:
        version = rotate_key(connection, open_secrets(store.data_dir))
    sys.stdout.write(f"stickers made from now on are marked with key {version}\n")
    return 0
