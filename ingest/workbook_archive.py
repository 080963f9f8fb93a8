"""Files that are zip archives (xlsx, xlsb, ods, zipped Shapefile), measured before anything is unpacked for good.

The sizes that an archive declares may be lies, and the readers behind `workbook_reader` believe the data, not the
declaration. So each part that they will read is unpacked here once, piece by piece, and thrown away: the real sum is
bounded, and a part with a document type (the door for XML entities) is refused before any XML parser sees it.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ingest.refusal import Refusal

MOST_UNPACKED = 800 * 2**20
"""About 1.5 million rows of ten columns: beyond any ward's register."""
_MOST_PARTS = 5_000
_RATIO = 150
_RATIO_FROM = 64 * 2**20
_PIECE = 1 << 20
_LARGE_COUNT = re.compile(rb"""ount\s*=\s*["']\s*\+?0*[1-9]\d{7,}""")
_STORED, _DEFLATED = 0, 8
_TEXT_PARTS = (".xml", ".rels", ".vml", ".kml", ".rdf")


class Archive:
    """A zip archive whose real size is counted while its parts are read."""

    def __init__(self, source: Path | bytes) -> None:
        try:
            self._file = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
            self._zip = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, struct.error, OSError, ValueError, NotImplementedError) as error:
            raise Refusal("truncated") from error
        self._unpacked = 0
        self.parts = {info.filename: info for info in self._zip.infolist()}
        self._check_declared()

    def _check_declared(self) -> None:
        infos = self._zip.infolist()
        if len({info.filename.lower() for info in infos}) < len(infos):
            # Two parts of one name: each reader would choose another.
            raise Refusal("damaged")
        if len(infos) > _MOST_PARTS:
            raise Refusal("zip_bomb", megabytes=MOST_UNPACKED // 2**20)
        declared = sum(info.file_size for info in infos)
        packed = sum(info.compress_size for info in infos)
        if declared > MOST_UNPACKED or (declared > _RATIO_FROM and declared > _RATIO * max(packed, 1)):
            raise Refusal("zip_bomb", megabytes=MOST_UNPACKED // 2**20)
        if any(info.flag_bits & 1 for info in infos):
            raise Refusal("password")

    def has(self, prefix: str) -> bool:
        """Whether any part's name starts so, whatever its capitals."""
        return any(name.lower().startswith(prefix.lower()) for name in self.parts)

    def read(self, name: str) -> bytes:
        """One part as a whole; for the small ones."""
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """A part's data as it really is, piece by piece, counted against the bound."""
        info = self.parts[name]
        counted_before = self._unpacked
        first = True
        tail = b""
        for piece in self._inflated(info):
            self._unpacked += len(piece)
            own = self._unpacked - counted_before
            if self._unpacked > MOST_UNPACKED or (own > _RATIO_FROM and own > _RATIO * max(info.compress_size, 1)):
                raise Refusal("zip_bomb", megabytes=MOST_UNPACKED // 2**20)
            if first and name.lower().endswith(_TEXT_PARTS):
                refuse_document_type(piece)
                first = False
            if _LARGE_COUNT.search(tail + piece) and not name.lower().startswith("xl/worksheets/"):
                # The quick reader would set aside memory for as many as are announced.
                raise Refusal("damaged")
            tail = piece[-64:]
            yield piece

    def _inflated(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        if info.header_offset < 0:
            raise Refusal("truncated")
        self._file.seek(info.header_offset)
        header = self._file.read(30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise Refusal("truncated")
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        position = info.header_offset + 30 + name_length + extra_length
        left = info.compress_size
        if info.compress_type not in (_STORED, _DEFLATED):
            raise Refusal("damaged")
        machine = zlib.decompressobj(-15) if info.compress_type == _DEFLATED else None
        while left > 0:
            self._file.seek(position)
            packed = self._file.read(min(left, 1 << 18))
            if not packed:
                raise Refusal("truncated")
            position += len(packed)
            left -= len(packed)
            if machine is None:
                yield packed
                continue
            while packed:
                try:
                    piece = machine.decompress(packed, _PIECE)
                except zlib.error as error:
                    raise Refusal("damaged") from error
                if piece:
                    yield piece
                packed = machine.unconsumed_tail
        if machine is not None and not machine.eof:
            raise Refusal("truncated")

    def measure(self, seen: set[str]) -> None:
        """Unpack what no one has looked at yet, only to count it."""
        for name in self.parts:
            if name not in seen and not name.endswith("/"):
                for _ in self.pieces(name):
                    pass

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()
        self._file.close()


def refuse_document_type(start: bytes) -> None:
    """Refuse XML that declares a document type or entities, and XML that is not in an encoding which keeps ASCII."""
    head = start[:65536]
    if b"\x00" in head[:64]:
        # UTF-16: the scans of this package read tags as ASCII.
        raise Refusal("damaged")
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise Refusal("xml_entities")
