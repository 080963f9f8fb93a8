"""What every public form of the adoption map tells of its cells: one reader for each address and format."""

import csv
import io
import json
import math
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import h3
import openpyxl

from layers.collections import COLLECTIONS
from layers.formats import rows
from layers.formats.files import Words, write_file
from layers.query import FeatureQuery
from mapservice.reading import reading_long
from tests.mvt import layers_of
from tests.register_api import Api
from tests.small_ward import WARD

Figures = tuple[int, int, int]
"""Establishments, surveyed, accepting."""
Told = dict[str, Figures | None]
Row = Mapping[str, Any]
ITEMS = "/ogc/collections/payment_adoption/items"
TILES = "/ogc/collections/payment_adoption/tiles/WebMercatorQuad"
COUNTS = ("establishments", "surveyed", "accepting")
SHARES = ("share", "low", "high", "unknown")
_BOARD = ("code", "name", "establishments", "surveyed", "unknown", "accepting", "share", "low", "high", "note")
_ROW = re.compile(r'<tr data-code="([0-9a-f]+)">(.*?)</tr>', re.S)
_CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.S)
_TAG = re.compile(r"<[^>]+>")


def _csv(data: bytes) -> Iterable[Row]:
    return csv.DictReader(io.StringIO(data.decode("utf-8-sig")))


def _features(data: bytes) -> Iterable[Row]:
    return (each["properties"] for each in json.loads(data)["features"])


def _sequence(data: bytes) -> Iterable[Row]:
    lines = data.decode().replace("\x1e", "\n").splitlines()
    return (json.loads(line)["properties"] for line in lines if line.strip())


def _table(rows: Iterable[Sequence[Any]], names: Sequence[str]) -> Iterable[Row]:
    """The rows of a table with titles in words, by the order of its columns."""
    return (dict(zip(names, row, strict=False)) for row in rows if re.fullmatch("[0-9a-f]{15}", str(row[0])))


def _board_csv(data: bytes) -> Iterable[Row]:
    return _table(list(csv.reader(io.StringIO(data.decode("utf-8-sig")))), _BOARD)


def _board_xlsx(data: bytes) -> Iterable[Row]:
    return _table(_sheet(io.BytesIO(data)), _BOARD)


def _sheet(file: Any) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(file).worksheets[0].iter_rows(values_only=True))


def _page(data: bytes) -> Iterable[Row]:
    return (_row(code, row) for code, row in _ROW.findall(data.decode()))


def _row(code: str, row: str) -> Row:
    """A row of the table beside the map: name, counts (the unknown between them), share, range, note."""
    said = [_TAG.sub("", cell).strip().strip("–") for cell in _CELL.findall(row)]
    names = ("name", "establishments", "surveyed", "unknown", "accepting", "share", "low", "note")
    return {"cell": code, **dict(zip(names, said, strict=True))}


READERS: Mapping[str, tuple[str, Callable[[bytes], Iterable[Row]]]] = {
    "items": (f"{ITEMS}?limit=1000", _features),
    "items in another order": (f"{ITEMS}?limit=1000&sortby=-suppressed", _features),
    "geojsonseq": (f"{ITEMS}?f=geojsonseq", _sequence),
    "csv": (f"{ITEMS}?f=csv", _csv),
    "board json": (f"/board/adoption?ward={WARD}&f=json", lambda data: json.loads(data)["parts"]),
    "board geojson": (f"/board/adoption?ward={WARD}&f=geojson", _features),
    "board page": (f"/board/adoption?ward={WARD}", _page),
    "board csv": (f"/board/adoption?ward={WARD}&f=csv", _board_csv),
    "board xlsx": (f"/board/adoption?ward={WARD}&f=xlsx", _board_xlsx),
}
FILES = ("xlsx", "fgb", "parquet", "gpkg")
"""Written by a process of their own, from the same rows."""
ON_THE_BOARD = ("/board", _page)
"""Tells of all sectors today."""


def figures_of(row: Row) -> Figures | None:
    """A row's counts; None where it has none. Fails where a row without counts has a share or a range."""
    told = [row.get(name) for name in COUNTS]
    if any(value is None or value == "" for value in told):
        assert all(value is None or value == "" for value in told), row
        assert all(row.get(name) in (None, "") for name in SHARES), row
        return None
    count = [int(str(value).replace(".", "")) if isinstance(value, str) else int(value) for value in told]
    return count[0], count[1], count[2]


def read(api: Api, way: str, **asked: str) -> Told:
    """What one of the READERS finds."""
    address, reader = READERS[way]
    return _told(api, _with(address, asked), reader)


def one_file(api: Api, **asked: str) -> Told:
    """What the table of the map in one file says; its rows are named, not numbered."""
    parts = api.get(_with(READERS["board json"][0], asked))["parts"]
    page = api.ask("GET", _with(f"/board/map.html?ward={WARD}", asked)).content.decode()
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    found: Told = {}
    for part, row in zip(parts, re.findall(r"<tr>(.*?)</tr>", body, re.S), strict=True):
        properties = _row(part["code"], row)
        assert properties["name"] == part["name"]
        _add(found, properties)
    return found


def file(api: Api, form: str, **asked: str) -> Told:
    """What a file of the collection says that is written whole (FILES), as anybody's is."""
    collection = COLLECTIONS["payment_adoption"]
    given: dict[str, Any] = {"ward": WARD, **asked}
    if "as_of" in given:
        given["as_of"] = date.fromisoformat(given["as_of"])
    query = FeatureQuery(asked=given, limit=10_000)
    found: Told = {}
    with tempfile.TemporaryDirectory() as folder, reading_long(api.database, None, 60) as connection:
        path = Path(folder) / f"cells.{form}"
        write_file(connection, collection, query, form, path, Words("ô", "ô", "ghi chú", ()))
        for row in _whole(path, form, [field.name for field in rows.fields_of(collection, query)]):
            _add(found, row)
    return found


def _whole(path: Path, form: str, names: Sequence[str]) -> Iterable[Row]:
    if form == "xlsx":
        return list(_table(_sheet(path), names))
    frame = geopandas.read_parquet(path) if form == "parquet" else geopandas.read_file(path)
    columns = [name for name in frame.columns if name != "geometry"]
    return [
        {name: None if row[name] != row[name] else row[name] for name in columns} for row in frame.to_dict("records")
    ]


def on_board(api: Api) -> Told:
    """What the board's own table says of today and all sectors."""
    return _told(api, *ON_THE_BOARD)


def tiles(api: Api, cells: Iterable[str], **asked: str) -> Told:
    """What the vector tiles say at every zoom that draws cells."""
    found: Told = {}
    corners = [corner for cell in cells for corner in h3.cell_to_boundary(cell)]
    for zoom in range(9, 17) if corners else ():
        places = {_tile(zoom, lat, lon) for lat, lon in corners}
        for x, y in sorted(places):
            answer = api.ask("GET", _with(f"{TILES}/{zoom}/{y}/{x}", asked))
            assert answer.status_code in (200, 204), answer.text
            for feature in (each for layer in layers_of(answer.content) for each in layer.features):
                _add(found, feature.properties)
    return found


def _tile(zoom: int, lat: float, lon: float) -> tuple[int, int]:
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * 2**zoom), int(y * 2**zoom)


def _with(address: str, asked: Mapping[str, str]) -> str:
    more = "&".join(f"{name}={value}" for name, value in asked.items())
    return address + (("&" if "?" in address else "?") + more if more else "")


def _told(api: Api, address: str, reader: Callable[[bytes], Iterable[Row]]) -> Told:
    answer = api.ask("GET", address)
    assert answer.status_code == 200, (address, answer.text[:500])
    found: Told = {}
    for row in reader(answer.content):
        _add(found, row)
    return found


def _add(found: Told, row: Row) -> None:
    """A cell that stands twice says the same twice."""
    cell, figures = str(row.get("cell") or row["code"]), figures_of(row)
    assert found.setdefault(cell, figures) == figures, (cell, figures, found[cell])
