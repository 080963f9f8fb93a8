"""`mapservice report`: the report of a period as PDF, Word or workbook; the same again, checked by its fingerprint."""

import argparse
import sys
from datetime import date
from pathlib import Path

from mapservice.settings import HttpSettings
from mapservice.staff_commands import Refused, make_ready
from postgis.engine import open_database
from postgis.settings import DatabaseSettings
from postgis.today import read_day
from web.periods import KINDS, Period, period


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to `mapservice`."""
    summary = "Write the report of a period to a file (.pdf, .docx, .xlsx) and say its fingerprint."
    parser = commands.add_parser("report", help=summary, description=summary)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--period", required=True, help="2026-10, 2026-Q3, 2026-H1 or 2026")
    parser.add_argument("--ward", metavar="CODE", help="default: MAPSERVICE_WARD")
    parser.add_argument("--as-of", metavar="DAY", help="default: the period's last day, or yesterday while it runs")
    parser.add_argument("--known", choices=("then", "now"), default="then", help="as known then (default), or now")
    parser.add_argument("--provisional", action="store_true", help="of a day that is not over; each page says so")
    parser.add_argument(
        "--texts", metavar="N", type=int, help="version of the officers' texts; 0: none; default: newest"
    )
    parser.add_argument("--verify", metavar="FINGERPRINT", help="refuse if the figures are not those")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True)
    parser.set_defaults(run=_report)


def _report(options: argparse.Namespace, http: HttpSettings, store: DatabaseSettings) -> int:
    """Writes the file, whole or not at all. Raises Refused."""
    # What reads figures and draws reports is large, and the other commands do not need it.
    from mapservice.brief_parts import Asked
    from mapservice.briefs import SUFFIXES, NoTexts, NotFinal, brief_data, made, usual_day
    from web.assets import MissingAssetError
    from web.brief import fingerprint

    target: Path = options.output.absolute()
    form = target.suffix.lstrip(".").lower()
    if form not in SUFFIXES:
        raise Refused(f"the ending of {target.name} names no format; there are: {', '.join(SUFFIXES)}")
    if not target.parent.is_dir():
        raise Refused(f"there is no folder {target.parent}")
    asked_period = _period(options.kind, options.period)
    day = _day(options.as_of) if options.as_of else usual_day(asked_period)
    asked = Asked(options.ward or http.ward, asked_period, day, options.known, options.provisional, texts=options.texts)
    if day < asked_period.first:
        raise Refused(f"{day} lies before the period {asked_period.text}")
    with open_database(store) as database:
        make_ready(database)
        with database.owner.connect() as connection:
            try:
                data = brief_data(connection, asked)
            except LookupError:
                raise Refused(f"there is no ward {asked.ward}") from None
            except NotFinal:
                raise Refused(
                    f"{day} is not over yet, or somebody still writes; --provisional makes it all the same"
                ) from None
            except NoTexts:
                raise Refused(f"there is no version {options.texts} of the texts of {asked_period.text}") from None
    found = fingerprint(data)
    if options.verify and "".join(options.verify.split()).lower() != found:
        raise Refused(f"the figures are not those of {options.verify}: their fingerprint is {found}")
    try:
        body = made(data, form)
        part = target.with_name(f".{target.name}.part")
        part.write_bytes(body)
        part.replace(target)
    except (MissingAssetError, OSError) as error:
        raise Refused(str(error)) from None
    sys.stdout.write(f"{found}\n")
    return 0


def _period(kind: str, text: str) -> Period:
    try:
        return period(kind, text)
    except ValueError:
        raise Refused(f"{text} is no {kind} period; they are written 2026-10, 2026-Q3, 2026-H1 and 2026") from None


def _day(text: str) -> date:
    try:
        return read_day(text)
    except ValueError:
        raise Refused(f"{text} is no day; days are written 2026-10-31") from None
