"""`read`: what a file is, by its content and never by its name, and the reader for it."""

import codecs
import tempfile
from pathlib import Path, PurePath

from ingest.refusal import Refusal
from ingest.workbook import FileKind, Workbook
from ingest.workbook_archive import Archive, refuse_document_type
from ingest.workbook_csv import read_csv
from ingest.workbook_gis import read_gis
from ingest.workbook_xls import read_xls
from ingest.workbook_zipped import read_zipped

MOST_BYTES = 300 * 2**20
_HEAD = 1 << 16

_NO_TABLES = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"{\\rtf", "RTF"),
    (b"MZ", "EXE"),
    (b"\x7fELF", "EXE"),
)
_BIFF = (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00")
_DGN_7 = (b"\x08\x09\xfe\x02", b"\xc8\x09\xfe\x02")
_ENDINGS: dict[str, tuple[str, ...]] = {
    "xlsx": ("xlsx", "xlsm", "xltx"),
    "xls": ("xls", "xlt"),
    "xlsb": ("xlsb",),
    "ods": ("ods",),
    "csv": ("csv", "tsv", "txt", "tab"),
    "gpkg": ("gpkg",),
    "shapefile": ("zip", "shz"),
    "geojson": ("geojson", "json"),
    "kml": ("kml", "kmz", "zip"),
}


def read(source: Path | bytes, filename: str) -> Workbook:
    """Read a file as it was sent.

    Raises `Refusal` for a file that is no table, is damaged beyond reading, asks for a password, holds more than
    tables (macros, links to other files), or would take too much time or memory.
    """
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > MOST_BYTES:
        raise Refusal("file_too_large", megabytes=MOST_BYTES // 2**20)
    head = source[:_HEAD] if isinstance(source, bytes) else _head(source)
    if not head.strip(b"\x00 \r\n\t"):
        raise Refusal("empty")
    workbook = _read_zip(source, filename) if head.startswith(b"PK") else _read_plain(source, filename, head)
    ending = PurePath(filename).suffix.lower().lstrip(".")
    if ending and ending not in _ENDINGS[workbook.kind]:
        workbook.notes.append(("other_ending", {"ending": ending, "kind": workbook.kind}))
    return workbook


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _read_plain(source: Path | bytes, filename: str, head: bytes) -> Workbook:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return read_xls(source, filename)
    if head.startswith(b"SQLite format 3\x00"):
        return _read_gis(source, filename, "gpkg", "a.gpkg")
    if head.startswith(b"AC10") or head.startswith(_DGN_7):
        raise Refusal("cad", format="DWG" if head.startswith(b"AC10") else "DGN")
    for start, name in _NO_TABLES:
        if head.startswith(start):
            raise Refusal("no_table", format=name)
    if head.startswith(_BIFF) and b"\x00" in head[:16]:
        return read_xls(source, filename)
    text = _start_of_text(head)
    if text.startswith("<"):
        return _read_markup(source, filename, head, text)
    if text.startswith("{"):
        if '"type"' in text and ("Feature" in text or '"coordinates"' in text):
            return _read_gis(source, filename, "geojson", "a.geojson")
        raise Refusal("no_table", format="JSON")
    if text.startswith(("0\nSECTION", "0\r\nSECTION", "999")) and "SECTION" in text[:2000]:
        raise Refusal("cad", format="DXF")
    if _is_binary(head):
        raise Refusal("unknown_format")
    return read_csv(source, filename)


def _read_markup(source: Path | bytes, filename: str, head: bytes, text: str) -> Workbook:
    lower = text[:4000].lower()
    if "<html" in lower or "<table" in lower or "<!doctype html" in lower:
        raise Refusal("web_page")
    refuse_document_type(head)
    if "<kml" in lower:
        return _read_gis(source, filename, "kml", "a.kml")
    if "schemas-microsoft-com:office:spreadsheet" in lower:
        raise Refusal("xml_table")
    raise Refusal("no_table", format="XML")


def _start_of_text(head: bytes) -> str:
    encoding = "utf-8"
    for mark, name in (
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
        (codecs.BOM_UTF8, "utf-8-sig"),
    ):
        if head.startswith(mark):
            encoding = name
    return head.decode(encoding, "replace").lstrip()


def _is_binary(head: bytes) -> bool:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    zeros = head.count(b"\x00")
    controls = sum(head.count(bytes([code])) for code in range(32) if code not in (0, 9, 10, 11, 12, 13, 26))
    half_zero = zeros and abs(head[::2].count(b"\x00") - head[1::2].count(b"\x00")) > zeros * 0.9
    return controls * 20 > len(head) or bool(zeros and not half_zero)


def _read_zip(source: Path | bytes, filename: str) -> Workbook:
    archive = Archive(source)
    try:
        names = {name.lower() for name in archive.parts}
        kind = _zip_kind(archive, names)
        if kind in ("xlsx", "xlsb", "ods"):
            return read_zipped(source, filename, kind, archive)
        archive.measure(set())
        inner = _inner_path(archive, ".shp" if kind == "shapefile" else ".kml")
        return _read_gis(source, filename, kind, "a.zip", inner)
    finally:
        archive.close()


def _zip_kind(archive: Archive, names: set[str]) -> FileKind:
    if any(name.endswith("xl/workbook.bin") or name == "workbook.bin" for name in names):
        return "xlsb"
    if any(name.endswith("workbook.xml") for name in names):
        return "xlsx"
    if "mimetype" in archive.parts and "content.xml" in archive.parts:
        if b"spreadsheet" in archive.read("mimetype")[:200]:
            return "ods"
        raise Refusal("no_table", format="OpenDocument")
    if any(name.endswith(".shp") for name in names):
        return "shapefile"
    if any(name.endswith(".kml") for name in names):
        return "kml"
    if any(name.startswith("word/") for name in names):
        raise Refusal("no_table", format="Word")
    if any(name.startswith("ppt/") for name in names):
        raise Refusal("no_table", format="PowerPoint")
    if not names:
        raise Refusal("empty")
    if "[content_types].xml" in names:
        raise Refusal("damaged")
    raise Refusal("archive")


def _inner_path(archive: Archive, ending: str) -> str:
    """Where within the zip the reader must look: the folder of the first Shapefile, or the KML itself."""
    first = next(name for name in archive.parts if name.lower().endswith(ending))
    if ".." in PurePath(first).parts:
        raise Refusal("damaged")
    found = first if ending == ".kml" else str(PurePath(first).parent)
    return "" if found == "." else found


def _read_gis(source: Path | bytes, filename: str, kind: FileKind, name: str, inner: str = "") -> Workbook:
    """GDAL reads from a path with the right ending: one is made, and kept as long as the workbook."""
    folder = tempfile.TemporaryDirectory(prefix="mapservice-gis-")
    copy = Path(folder.name) / name
    if isinstance(source, bytes):
        copy.write_bytes(source)
    else:
        copy.symlink_to(source.resolve())
    return read_gis(copy, inner, filename, kind, folder)
