"""The features of a query as one file, in any of the formats."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from layers.collections import Collection
from layers.features import Matched
from layers.formats import FORMATS, rows
from layers.formats.geojson import Write, write_features, write_sequence
from layers.formats.spreadsheets import Column, csv_stream, write_xlsx
from layers.query import FeatureQuery

_DRIVERS = {"fgb": "FlatGeobuf", "gpkg": "GPKG"}


@dataclass(frozen=True, slots=True)
class Words:
    """What a file says about itself in words for people."""

    title: str
    sheet: str
    about: str
    """The name of the sheet that says what the table is."""
    notes: Sequence[tuple[str, str]]
    """Its rows: what, and the words."""


def write_file(
    connection: Connection, collection: Collection, query: FeatureQuery, form: str, path: Path, words: Words
) -> None:
    """Writes the file, in flat memory. The connection's transaction is of one snapshot."""
    if FORMATS[form].streamed:
        with path.open("wb") as file:
            write_stream(connection, collection, query, form, file.write)
    elif form == "xlsx":
        # A cell of a spreadsheet holds 32,767 letters: no outline of a ward.
        table = rows.table_of(collection, query, shapes=False)
        with path.open("wb") as file:
            found = rows.table_rows(connection, collection, query, table)
            write_xlsx(file, words.sheet, _columns(table), found, (words.about, words.notes))
    else:
        # Arrow and GDAL are large: nobody else pays for them.
        from layers.formats.arrow import write_gdal, write_parquet

        fields, batches = rows.fields_of(collection, query), rows.batches(connection, collection, query)
        if form == "parquet":
            write_parquet(path, collection, fields, query.crs, batches)
        else:
            write_gdal(path, _DRIVERS[form], collection, fields, query.crs, batches, words.title)


def write_stream(connection: Connection, collection: Collection, query: FeatureQuery, form: str, write: Write) -> None:
    """Writes a streamed format piece by piece: `geojsonseq`, `csv`, or `json` without links."""
    if form == "geojsonseq":
        write_sequence(connection, collection, query, write)
    elif form == "csv":
        table = rows.table_of(collection, query)
        found = rows.table_rows(connection, collection, query, table)
        for piece in csv_stream(_columns(table), rows.written_days(found)):
            write(piece)
    else:
        write(b'{"type":"FeatureCollection","features":[\n')
        sent = write_features(Matched(connection, collection, query), write)
        write(b'],"numberReturned":%d}' % sent.number_returned)


def _columns(table: rows.Table) -> list[Column]:
    return [Column(name, name) for name in table.names]
