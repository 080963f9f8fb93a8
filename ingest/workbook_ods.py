"""How far each sheet of an OpenDocument file reaches, and what it hides and merges.

A repeated row is one element with a number: a file of one kilobyte can stand for a million rows, which the quick
reader would lay out. So the reach is computed before.
"""

from collections.abc import Iterator
from xml.parsers import expat

from ingest.refusal import Refusal
from ingest.workbook import Area
from ingest.workbook_layout import MOST_COLUMNS, MOST_ROWS, Layout

_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_PARAGRAPH = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 p"
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "


class _Scan:
    def __init__(self) -> None:
        self.layouts: dict[str, Layout] = {}
        self.layout = Layout()
        self.row = self.column = 0
        self.repeat = self.count = 1
        self.first_column_defined = 0
        self.depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == _PARAGRAPH and self.depth:
            self._reach()
        if not tag.startswith(_TABLE):
            return
        name = tag[len(_TABLE) :]
        if name == "table":
            self.depth += 1
            if self.depth == 1:
                self.layout = Layout()
                self.layouts[attributes.get(_TABLE + "name", "")] = self.layout
                self.row = self.first_column_defined = 0
        elif name == "table-column":
            count = _count(attributes, "number-columns-repeated", MOST_COLUMNS)
            if attributes.get(_TABLE + "visibility") in ("collapse", "filter"):
                start = self.first_column_defined
                self.layout.hidden_columns.update(range(start + 1, min(start + count, MOST_COLUMNS) + 1))
            self.first_column_defined += count
        elif name == "table-row":
            self.row += 1
            self.column = 0
            self.repeat = _count(attributes, "number-rows-repeated", MOST_ROWS)
            if attributes.get(_TABLE + "visibility") in ("collapse", "filter"):
                self.layout.hidden_rows.update(range(self.row, min(self.row + self.repeat, MOST_ROWS)))
        elif name in ("table-cell", "covered-table-cell"):
            self._cell(attributes)

    def _cell(self, attributes: dict[str, str]) -> None:
        first = self.column + 1
        count = _count(attributes, "number-columns-repeated", MOST_COLUMNS)
        self.column += count
        self.count = count
        if _OFFICE + "value-type" in attributes:
            self._reach()
        down = _count(attributes, "number-rows-spanned", MOST_ROWS)
        right = _count(attributes, "number-columns-spanned", MOST_COLUMNS)
        if down > 1 or right > 1:
            self.layout.merged.append(Area(self.row, first, self.row + down - 1, first + right - 1))

    def _reach(self) -> None:
        layout = self.layout
        layout.rows = max(layout.rows, self.row + self.repeat - 1)
        layout.columns = max(layout.columns, self.column)
        layout.cells += self.count * self.repeat
        if layout.rows > MOST_ROWS or layout.columns > MOST_COLUMNS:
            raise Refusal("too_large", rows=layout.rows, columns=layout.columns)

    def end(self, tag: str) -> None:
        if tag == _TABLE + "table-row":
            self.row += self.repeat - 1
        elif tag == _TABLE + "table":
            self.depth -= 1


def _count(attributes: dict[str, str], name: str, most: int) -> int:
    count = max(int(attributes.get(_TABLE + name, "1")), 1)
    if count > 2 * most:
        raise Refusal("damaged")
    return count


def scan(pieces: Iterator[bytes]) -> dict[str, Layout]:
    """The layouts of all sheets, by name."""
    found = _Scan()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = found.start
    parser.EndElementHandler = found.end
    parser.EntityDeclHandler = _refuse_entity
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Refusal("damaged") from error
    return found.layouts


def _refuse_entity(*_: object) -> None:
    raise Refusal("xml_entities")
