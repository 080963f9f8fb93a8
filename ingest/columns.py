"""What each column of a sheet holds: by the words at its head, and by what its cells look like.

Nothing is decided silently: each column carries its field, how sure that is, and what else it could be. A person's
correction is kept by the shape of the file, and holds for the next file of the same shape.
"""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from ingest.columns_content import shares
from ingest.columns_header import find_header, header_texts, is_numbering
from ingest.encoding_columns import ColumnEncodings, Decoder, Proposal, chosen_decoder, stands_out
from ingest.header_words import Field, fields, fold, scores, turned_by
from ingest.workbook import Row, Sheet, Value

SAMPLE = 1_000
_MOST_JUDGED = 300
"""Columns beyond are kept as they are: no register is so wide."""
_TAKEN = 0.5
_STRONG = {
    "phone": 0.75,
    "email": 0.95,
    "personal_id": 0.6,
    "tax_code": 0.7,
    "date": 0.55,
    "coordinates": 0.85,
    "address": 0.7,
    "person": 0.65,
    "business": 0.6,
    "latitude": 0.7,
    "longitude": 0.75,
    "northing": 0.65,
    "easting": 0.6,
    "group": 0.7,
    "ward": 0.7,
    "line": 0.5,
    "url": 0.6,
    "licence_number": 0.55,
    "status": 0.55,
}
"""How sure a field is whose column bears no header, when all its cells look right."""
_OTHER_NAMES = {
    "date": "licence_issued_on",
    "person": "owner_name",
    "business": "name",
    "latitude": "lat",
    "longitude": "lon",
    "group": "residential_group",
    "line": "business_line",
    "url": "website",
    "status": "operating_status",
}
"""The field of a kind of content, where it is not called the same."""
_TELLING = frozenset(["phone", "email", "coordinates", "address", "person"])

Correction = Mapping[str, str | None]
"""By a column's key: the field that a person chose for it, or None for a column to keep as it is."""


@dataclasses.dataclass(slots=True)
class Column:
    """One column as it was understood. `key` stays the same in the next file of the same shape."""

    number: int
    header: str
    key: str
    field: str | None = None
    confidence: float = 0.0
    runner_up: tuple[str, float] | None = None
    by_person: bool = False
    encoding_by_person: bool = False
    hidden: bool = False
    encodings: tuple[Proposal, ...] = ()
    decoder: Decoder = dataclasses.field(default_factory=lambda: Decoder(()))


@dataclasses.dataclass(slots=True)
class Table:
    """A sheet as it was understood: where its header stands (rows as the sender counts), and its columns."""

    sheet: Sheet
    header_rows: tuple[int, ...]
    columns: list[Column]
    signature: str
    is_table: bool
    titles: tuple[str, ...] = ()


def recognise(sheet: Sheet, encodings: Mapping[str, str] | None = None) -> Table:
    """Find a sheet's header and columns, by its first thousand rows; encodings by all rows that stand out.

    `encodings`: by a column's key, what a person says that it is in instead; no encoding's name for "as it stands".
    """
    sample = [row for row in islice(sheet.rows(), SAMPLE * 4) if not row.is_blank()][:SAMPLE]
    places = find_header(sample, sheet.merged)
    if sheet.header_row is not None:
        places = tuple(place for place, row in enumerate(sample) if row.number == sheet.header_row)
    header = [sample[place] for place in places]
    data = [row for row in sample[places[-1] + 1 if places else 0 :] if not is_numbering(row)]
    width = max((len(row.values) for row in sample), default=0)
    texts = header_texts(header, sheet.merged, width) if header else [()] * width
    texts = _decoded_headers(texts)
    columns = _columns(texts, sheet)
    _find_encodings(columns, data, sheet)
    for column in columns:
        if encodings and column.key in encodings:
            column.decoder, column.encoding_by_person = chosen_decoder(encodings[column.key]), True
    _choose_fields(columns, texts, data)
    used = [
        column for column in columns if column.header or any(_value(row, column.number) is not None for row in data)
    ]
    recognised = sum(column.field is not None for column in used)
    return Table(
        sheet,
        header_rows=tuple(row.number for row in header),
        columns=used,
        signature=_signature(used),
        is_table=(bool(header) and recognised > 0) or (recognised >= 2 and len(data) > 1),
        titles=tuple(cell.raw.strip() for row in sample[: places[0]] for cell in row.cells()) if places else (),
    )


def correct(table: Table, correction: Correction) -> None:
    """Put a person's choice over what was recognised. Columns it does not name stay; a field it gives away is freed.

    A sheet in which a person names a column is a table, even if nothing was recognised there.
    """
    known = fields()
    chosen = {column.key: correction[column.key] for column in table.columns if column.key in correction}
    taken = {name for name in chosen.values() if name is not None and name in known and not known[name].many}
    for column in table.columns:
        if column.key in chosen:
            name = chosen[column.key]
            column.field = name if name in known else None
            column.confidence, column.by_person = 1.0, True
        elif column.field in taken:
            column.runner_up = (column.field or "", column.confidence)
            column.field, column.confidence = None, 0.0
    table.is_table = table.is_table or any(column.by_person and column.field for column in table.columns)


def _decoded_headers(texts: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The headers in proper Unicode. They are judged together: `Ghi chó` alone could be right."""
    found = ColumnEncodings()
    for parts in texts:
        for part in parts:
            found.add(part)
    decode = found.decoder()
    return [tuple(decode(part)[0] for part in parts) for parts in texts]


def _columns(texts: Sequence[tuple[str, ...]], sheet: Sheet) -> list[Column]:
    columns = []
    seen: Counter[str] = Counter()
    for number, parts in enumerate(texts, start=1):
        header = " / ".join(parts)
        folded = " ".join(fold(part) or part for part in parts)
        seen[folded] += 1
        key = folded if folded and seen[folded] == 1 else f"{folded}#{seen[folded]}"
        columns.append(Column(number, header, key, hidden=number in sheet.hidden_columns))
    return columns


def _value(row: Row, number: int) -> Value | None:
    return row.values[number - 1] if number <= len(row.values) else None


def _find_encodings(columns: Sequence[Column], data: Sequence[Row], sheet: Sheet) -> None:
    """Look closely at the sample, and in all later rows at the texts whose letters stand out."""
    all_found = [ColumnEncodings() for _ in columns]
    last = data[-1].number if data else 0
    for row in data:
        for found, value in zip(all_found, row.values, strict=False):
            if isinstance(value, str):
                found.add(value)
    for row in sheet.rows() if len(data) >= SAMPLE // 2 else ():
        if row.number <= last:
            continue
        for found, value in zip(all_found, row.values, strict=False):
            if isinstance(value, str) and not value.isascii() and stands_out(value):
                found.add(value)
    for column, found in zip(columns, all_found, strict=True):
        column.encodings = tuple(found.proposals())
        column.decoder = found.decoder()


def _choose_fields(columns: Sequence[Column], texts: Sequence[tuple[str, ...]], data: Sequence[Row]) -> None:
    """Give out the fields, the surest first, each to one column unless several may share it."""
    known = fields()
    wishes: list[tuple[float, int, str]] = []
    by_column: dict[int, list[tuple[str, float]]] = {}
    left = ""
    for index, column in enumerate(columns[:_MOST_JUDGED]):
        values = [value for row in data if (value := _value(row, column.number)) is not None]
        decoded = [column.decoder(value)[0] if isinstance(value, str) else value for value in values]
        found = _confidences(texts[index], shares(decoded), min(len(values), 300), known, left)
        ranked = sorted(found.items(), key=lambda item: -item[1])
        by_column[index] = ranked
        wishes += [(confidence, -index, name) for name, confidence in ranked if confidence >= _TAKEN]
        if ranked and ranked[0][1] >= _TAKEN:
            left = ranked[0][0]
    taken: set[str] = set()
    for confidence, minus_index, name in sorted(wishes, reverse=True):
        column = columns[-minus_index]
        if column.field is None and (name not in taken or known[name].many):
            column.field, column.confidence = name, round(min(confidence, 0.99), 2)
            taken.add(name)
    for index, column in enumerate(columns[:_MOST_JUDGED]):
        others = [(name, confidence) for name, confidence in by_column[index] if name != column.field]
        column.runner_up = (others[0][0], round(min(others[0][1], 0.99), 2)) if others else None


def _confidences(
    parts: tuple[str, ...], looks: Mapping[str, float], count: int, known: Mapping[str, Field], left: str
) -> dict[str, float]:
    """For one column, how surely it is each field."""
    by_header = scores(parts[-1], " ".join(parts[:-1])) if parts else {}
    contents_of = [known[name].contents for name, score in by_header.items() if score >= 0.7]
    refuted = (
        count >= 3
        and bool(contents_of)
        and all(kinds and max(looks.get(kind, 0.0) for kind in kinds) < 0.1 for kinds in contents_of)
    )
    by_header = {turned_by(left, name) if score >= 0.9 else name: score for name, score in by_header.items()}
    found: dict[str, float] = {}
    for name, score in by_header.items():
        contents = known[name].contents
        if known[name].ours:
            # Nobody else heads a column so: word for word, or not at all.
            found |= {name: score} if score >= 0.97 else {}
            continue
        if not contents or not count:
            found[name] = score * 0.95
            continue
        look = max((looks.get(kind, 0.0) for kind in contents), default=0.0)
        wrong = look < 0.3 and count >= 3
        found[name] = score * (0.55 + look * 0.3) if wrong else score * 0.78 + look * 0.22
    for kind, strongest in _STRONG.items():
        name = _OTHER_NAMES.get(kind, kind)
        look = looks.get(kind, 0.0)
        if look >= 0.6 and name not in by_header and count >= 2:
            strength = strongest * look
            # A header that says something else weighs more than what cells happen to look like.
            found[name] = strength * (
                1.0 if refuted or not parts else 0.8 if not by_header and kind in _TELLING else 0.65
            )
    return found


def _signature(columns: Sequence[Column]) -> str:
    """The shape of a file: its headers in their order, or, without any, the fields that its cells look like.

    The column that our own error file adds is no part of it: what comes back mended is of the shape that was sent.
    """
    columns = [column for column in columns if column.field != "to_mend"]
    if any(column.header for column in columns):
        words = [column.key for column in columns]
    else:
        words = [column.field or "?" for column in columns]
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:20]
