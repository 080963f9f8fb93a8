"""Where the header of a sheet stands: in which of its first rows, and over how many rows."""

import re
from collections.abc import Sequence
from itertools import islice, pairwise

from ingest.header_words import fold, is_exact, scores
from ingest.workbook import Area, Row, raw_text

LOOKED_THROUGH = 60
_MOST_CELLS = 100
_AFTER = 12
_FITS = 0.7
_MOST_ROWS = 3
_NUMBERED = re.compile(r"[(\[]?\s*(?:\d{1,2}|[a-zA-Z])\s*[)\]]?(?:\s*=.*)?")
_LONGEST = 120
# Not the no-break space: read wrongly, it is half a letter.
_BLANKS = re.compile(r"[ \t\r\n]+")


def find_header(rows: Sequence[Row], merged: Sequence[Area]) -> tuple[int, ...]:
    """The places in `rows` of the header's rows, from top to bottom; empty when there is no header."""
    best, best_value = -1, 0.0
    for place, row in enumerate(rows[:LOOKED_THROUGH]):
        if best >= 0 and place > best + _AFTER:
            break
        value = _worth(row)
        # Later rows must be clearly better: a header stands above its data.
        if value > best_value + 0.5:
            best, best_value = place, value
    if best < 0:
        return ()
    places = [best]
    while len(places) < _MOST_ROWS and places[0] > 0 and _is_parent(rows[places[0] - 1], rows[places[0]], merged):
        places.insert(0, places[0] - 1)
    while (
        len(places) < _MOST_ROWS
        and places[-1] + 1 < len(rows)
        and _is_child(rows[places[-1] + 1], rows[places[-1]], merged)
    ):
        places.append(places[-1] + 1)
    return tuple(places)


def _worth(row: Row) -> float:
    """How much a row is like the head of a table: above zero when it may be one."""
    cells = list(islice(row.cells(), _MOST_CELLS))
    fitting = worth = 0.0
    for cell in cells:
        text = cell.raw.strip()
        fit = max(scores(text).values(), default=0.0) if _may_be_header(cell.value) else 0.0
        if fit >= _FITS:
            fitting += 1
            worth += fit
        elif _is_data(cell.value):
            worth -= 1.0
        else:
            worth -= 0.1
    needed = 2 if len(cells) > 1 else 3
    return worth if fitting >= needed and fitting >= 0.34 * len(cells) else 0.0


def _may_be_header(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and not value.strip().isdigit()


def _is_data(value: object) -> bool:
    return not isinstance(value, str) or sum(letter.isdigit() for letter in value) > 3


def _spans(row: Row, merged: Sequence[Area]) -> list[Area]:
    """The merged ranges over several columns that start in this row, without those over nearly all of it."""
    return [area for area in merged if area.top == row.number and area.right > area.left]


def _is_parent(above: Row, row: Row, merged: Sequence[Area]) -> bool:
    """Whether the row above a header row belongs to it: it names groups of its columns, or columns it leaves out."""
    if above.number != row.number - 1:
        return False
    cells = list(above.cells())
    if not cells or any(not _may_be_header(cell.value) or _is_data(cell.value) for cell in cells):
        return False
    below = {cell.column for cell in row.cells()}
    if any(area.top <= above.number and area.bottom >= row.number and area.bottom > area.top for area in merged):
        return True
    spans = [area for area in _spans(above, merged) if area.right - area.left + 1 < max(len(below), 2)]
    if spans and len(cells) > 1:
        return True
    beside = [cell for cell in cells if cell.column not in below]
    fitting = sum(is_exact(fold(cell.raw)) for cell in beside)
    return bool(beside) and len(cells) > 1 and fitting * 2 >= len(beside)


def _is_child(below: Row, row: Row, merged: Sequence[Area]) -> bool:
    """Whether the row below a header row is part of the header: it divides what the row above spans."""
    if below.number != row.number + 1:
        return False
    cells = list(below.cells())
    if not cells or any(not _may_be_header(cell.value) or _is_data(cell.value) for cell in cells):
        return False
    if is_numbering(below):
        return False
    filled = {cell.column for cell in row.cells()}
    spans = _spans(row, merged)
    covered = {column for area in spans for column in range(area.left, area.right + 1)}
    if spans and all(cell.column in covered for cell in cells):
        return True
    beside = [cell for cell in cells if cell.column not in filled or cell.column + 1 not in filled]
    fitting = len(cells) <= _MOST_CELLS and sum(max(scores(cell.raw).values(), default=0.0) >= _FITS for cell in cells)
    return len(beside) == len(cells) and len(cells) > 1 and fitting * 3 >= 2 * len(cells) and len(filled) > 1


def is_numbering(row: Row) -> bool:
    """Whether a row only numbers the columns: 1, 2, 3… or (1), (2)… or A, B, 1, 2…"""
    texts = []
    for value in row.values:
        if value is not None:
            text = raw_text(value).strip()
            if not _NUMBERED.fullmatch(text):
                return False
            texts.append(text)
    if len(texts) < 3:
        return False
    numbers = [int(found[0]) for text in texts if (found := re.search(r"\d+", text))]
    return len(numbers) * 2 >= len(texts) and all(later - sooner == 1 for sooner, later in pairwise(numbers))


def header_texts(rows: Sequence[Row], merged: Sequence[Area], width: int) -> list[tuple[str, ...]]:
    """For each column, the texts over it from top to bottom, also those that stand over several columns."""
    texts: list[tuple[str, ...]] = []
    grid = [[_text(row, column) for column in range(1, width + 1)] for row in rows]
    numbers = [row.number for row in rows]
    any_span = False
    for area in merged:
        if area.top in numbers and area.right > area.left:
            place = numbers.index(area.top)
            any_span = True
            for column in range(area.left, min(area.right, width) + 1):
                grid[place][column - 1] = grid[place][area.left - 1]
    if not any_span:
        for place in range(len(grid) - 1):
            _fill_forward(grid[place], grid[place + 1])
    for column in range(width):
        found = [grid[place][column] for place in range(len(grid)) if grid[place][column]]
        texts.append(tuple(dict.fromkeys(found)))
    return texts


def _fill_forward(above: list[str], below: list[str]) -> None:
    """Without merged cells (csv) a text over several columns stands over the first of them alone."""
    for column in range(1, len(above)):
        if not above[column] and below[column] and below[column - 1] and above[column - 1]:
            above[column] = above[column - 1]


def _text(row: Row, column: int) -> str:
    value = row.values[column - 1] if column <= len(row.values) else None
    return "" if value is None else _BLANKS.sub(" ", raw_text(value)).strip(" ")
