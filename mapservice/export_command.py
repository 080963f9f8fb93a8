"""`mapservice export`: a published collection as a file, with the same filters as at its address."""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from layers.collections import COLLECTIONS, Collection
from layers.errors import InvalidCursor
from layers.features import Matched
from layers.formats import FORMATS, MAX_SECONDS
from layers.query import FeatureQuery
from mapservice.settings import HttpSettings
from mapservice.staff_commands import Refused, make_ready
from postgis.engine import open_database
from postgis.settings import DatabaseSettings
from web import labels


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to `mapservice`."""
    summary = "Write a published collection to a file: " + ", ".join(_SUFFIXES) + "."
    parser = commands.add_parser("export", help=summary, description=summary)
    parser.add_argument("collection", metavar="COLLECTION", choices=list(COLLECTIONS), help=", ".join(COLLECTIONS))
    parser.add_argument(
        "parameters", metavar="NAME=VALUE", nargs="*", help="as at the collection's address, such as ward=20257"
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="its ending says the format")
    parser.add_argument("--format", choices=list(FORMATS), help="the format, where the ending does not say it")
    parser.set_defaults(run=_export)


_SUFFIXES = {kind.suffix: form for form, kind in FORMATS.items()}


def _export(options: argparse.Namespace, http: HttpSettings, store: DatabaseSettings) -> int:
    """Writes the file, whole or not at all. Raises Refused."""
    # Imported here: what answers requests takes a second to load, and the other commands do not need it.
    from layers.formats.files import write_file
    from mapservice.exporting import words_of
    from mapservice.links import Links
    from mapservice.reading import reading_long

    target: Path = options.output.absolute()
    form = options.format or _SUFFIXES.get(target.suffix.lstrip(".").lower())
    if form is None:
        raise Refused(f"the ending of {target.name} names no format; there are: {', '.join(_SUFFIXES)}")
    if not target.parent.is_dir():
        raise Refused(f"there is no folder {target.parent}")
    collection = COLLECTIONS[options.collection]
    query, limited = _query(collection, options.parameters, FORMATS[form].most, http.ward)
    with open_database(store) as database:
        make_ready(database)
        with (
            reading_long(database, None, MAX_SECONDS) as connection,
            tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as folder,
        ):
            if not limited and Matched(connection, collection, query).more_than(query.limit):
                raise Refused(f"there are more than {query.limit:,} features: narrow them down, or give limit=")
            made = Path(folder) / target.name
            write_file(connection, collection, query, form, made, words_of(collection, "vi", Links(http.lookup_base)))
            made.replace(target)
    return 0


def _query(collection: Collection, parameters: list[str], most: int, ward: str) -> tuple[FeatureQuery, bool]:
    """The query of the parameters, and whether they say how many features at most. Raises Refused."""
    from starlette.datastructures import QueryParams

    from mapservice.errors import Problem
    from mapservice.parameters import check_known, feature_query, item_names

    asked = QueryParams([(name, value) for name, _, value in (text.partition("=") for text in parameters)])
    limited = bool(asked.get("limit"))
    try:
        check_known(asked, item_names(collection))
        query = feature_query(collection, asked, ward)
    except Problem as problem:
        raise Refused(labels.text(f"problems.{problem.code}.detail", "en", **problem.values)) from None
    except InvalidCursor:
        raise Refused(labels.text("problems.invalid_cursor.detail", "en")) from None
    return replace(query, limit=min(query.limit, most) if limited else most), limited
