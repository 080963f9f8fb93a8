"""Text tables: csv and tsv, with their encoding and delimiter found."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ingest.refusal import Refusal
from ingest.syllables import share_of_vietnamese
from ingest.workbook import Row, Sheet, Workbook, empty_as_none

_SAMPLE = 1 << 18
_DELIMITERS = ",;\t|"
_LOOKED_AT = 20_000
_MOST_FIELDS = 16_384
_LONGEST_FIELD = 131_072
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNDEFINED_IN_1252 = {0x81, 0x8D, 0x8F, 0x90, 0x9D}


def _byte_as_1252(error: UnicodeError) -> tuple[str, int]:
    """Keep each byte that does not decode as the letter of Windows-1252, or as the control code of its number."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    kept = "".join(chr(byte) if byte in _UNDEFINED_IN_1252 else bytes([byte]).decode("cp1252") for byte in wrong)
    return kept, error.end


codecs.register_error("keep_as_1252", _byte_as_1252)


def read_csv(source: Path | bytes, filename: str) -> Workbook:
    """Read a text table. Bytes that fit no encoding are kept, each as one letter, and noted."""
    sample, whole = _sample(source)
    encoding, sure = find_encoding(sample, whole=whole)
    text = sample.decode(encoding, "keep_as_1252")
    delimiter, skip = find_delimiter(text, whole=whole)
    notes: list[tuple[str, dict[str, Any]]] = []
    if not sure:
        notes.append(("encoding_guessed", {"encoding": encoding}))
    by_lines = _by_lines(source, encoding, delimiter)
    if by_lines:
        notes.append(("open_quotation", {}))
    rows = _rows_of(source, encoding, delimiter, by_lines, skip)
    return Workbook(filename, "csv", [Sheet("", rows)], notes, encoding=encoding, delimiter=delimiter)


def find_encoding(sample: bytes, *, whole: bool = True) -> tuple[str, bool]:
    """The encoding's name, and whether it is beyond doubt.

    What is neither UTF-8 nor UTF-16 is one of the eight-bit ones. TCVN3 and VNI look like Windows-1252 here; they are
    told apart later, column by column (`ingest.encoding`). Windows-1258 is chosen where it reads as more Vietnamese.
    """
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name, True
    if sample.count(b"\x00") > len(sample) // 8:
        even, odd = sample[::2].count(b"\x00"), sample[1::2].count(b"\x00")
        return ("utf-16-be" if even > odd else "utf-16-le"), False
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample, final=whole)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8", True
    kept = sample.decode("utf-8", "keep_as_1252")
    wrong = sum(1 for _ in _invalid(sample))
    letters = sum(not letter.isascii() for letter in kept)
    if wrong * 20 < letters:
        return "utf-8", False
    as_1258 = sample.decode("cp1258", "replace")
    as_1252 = sample.decode("cp1252", "keep_as_1252")
    if share_of_vietnamese(as_1258) > max(0.5, share_of_vietnamese(as_1252)):
        return "cp1258", False
    return "cp1252", False


def _invalid(sample: bytes) -> Iterator[int]:
    position = 0
    while position < len(sample):
        try:
            sample[position:].decode("utf-8")
        except UnicodeDecodeError as error:
            position += error.end
            yield position
            if error.end >= len(sample) - 3:
                return
        else:
            return


def find_delimiter(text: str, *, whole: bool = True) -> tuple[str, int]:
    """The delimiter, and how many lines to pass over before the table (Excel's `sep=;`)."""
    first, _, _ = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        return first.strip()[4], 1
    best, best_score = ",", -1.0
    for delimiter in _DELIMITERS:
        widths: dict[int, int] = {}
        try:
            lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        except csv.Error:
            lines = [line.split(delimiter) for line in text.splitlines()]
        for fields in lines[:500] if whole else lines[:-1][:500]:
            if any(fields):
                widths[len(fields)] = widths.get(len(fields), 0) + 1
        total = sum(widths.values())
        # A delimiter is one that cuts most lines into the same number of fields, the more the surer.
        score = max(((width > 1) * count * (1 + width / 100) / total for width, count in widths.items()), default=0.0)
        if score > best_score:
            best, best_score = delimiter, score
    return best, 0


def _sample(source: Path | bytes) -> tuple[bytes, bool]:
    if isinstance(source, bytes):
        return source[:_SAMPLE], len(source) <= _SAMPLE
    with source.open("rb") as file:
        data = file.read(_SAMPLE + 1)
    return data[:_SAMPLE], len(data) <= _SAMPLE


def _opened(source: Path | bytes, encoding: str) -> IO[str]:
    raw = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    return io.TextIOWrapper(raw, encoding=encoding, errors="keep_as_1252", newline="")


def _by_lines(source: Path | bytes, encoding: str, delimiter: str) -> bool:
    """Whether each line must be read by itself, since a quotation mark that is never closed would swallow the rest.

    All is read once to find out. A stray mark within a field is harmless: then the way that cuts more rows into the
    same number of cells is the right one.
    """
    try:
        with _opened(source, encoding) as file:
            for fields in csv.reader(file, delimiter=delimiter, strict=True):
                if len(fields) > _MOST_FIELDS:
                    raise Refusal("too_large", rows=1, columns=len(fields))
        return False
    except UnicodeError as error:
        raise Refusal("damaged") from error
    except csv.Error:
        _refuse_endless_line(source, encoding)
    ways = []
    for by_lines in (False, True):
        widths: Counter[int] = Counter()
        try:
            widths.update(len(fields) for fields in islice(_fields(source, encoding, delimiter, by_lines), _LOOKED_AT))
        except csv.Error:
            widths.clear()
        ways.append(max(widths.values(), default=0))
    return ways[1] > ways[0]


def _fields(source: Path | bytes, encoding: str, delimiter: str, by_lines: bool) -> Iterator[list[str]]:
    with _opened(source, encoding) as file:
        if by_lines:
            for line in file:
                yield next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])
        else:
            yield from csv.reader(file, delimiter=delimiter)


def _refuse_endless_line(source: Path | bytes, encoding: str) -> None:
    with _opened(source, encoding) as file:
        while line := file.readline(_LONGEST_FIELD):
            if len(line) >= _LONGEST_FIELD:
                raise Refusal("unknown_format")


def _rows_of(
    source: Path | bytes, encoding: str, delimiter: str, by_lines: bool, skip: int
) -> Callable[[], Iterator[Row]]:
    def rows() -> Iterator[Row]:
        try:
            for number, fields in enumerate(_fields(source, encoding, delimiter, by_lines), start=1):
                if number > skip:
                    yield Row(number, empty_as_none(fields))
        except csv.Error as error:
            raise Refusal("damaged") from error

    return rows
