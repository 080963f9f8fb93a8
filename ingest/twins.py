"""Rows of one file that may be one place, told while the file is read: each row is held against those before it.

Only what can make two rows one place is indexed (a number, a stall, a house with the name's beginning, the name and its
rarer words), as hashes: 200,000 rows must fit into memory. A key that many rows share says nothing and is dropped.
"""

from array import array
from collections import Counter
from itertools import chain, combinations

from ingest.weighing import DOUBT_FROM, SAME_FROM, Match, Place, Sketch, Weighing

_LARGEST_BLOCK = 40
_TOO_MANY: list[int] = []
Where = tuple[str, int]
"""Sheet and row, as the sender counts them."""


class Twins(Weighing):
    """The rows so far."""

    def __init__(self, same_from: float = SAME_FROM, doubt_from: float = DOUBT_FROM) -> None:
        super().__init__(same_from, doubt_from)
        self._rows: list[Sketch] = []
        self._sheets, self._numbers = array("H"), array("L")
        self._names_of_sheets: list[str] = []
        self._words: Counter[str] = Counter()
        self._blocks: dict[int, int | list[int]] = {}

    def earlier(self, sketch: Sketch, where: Where) -> list[tuple[Where, Match]]:
        """Earlier rows that this one may be once more, the earliest first; then it counts as one of them."""
        found = self.matches(sketch)
        self._keep(sketch, where)
        return found

    def matches(self, sketch: Sketch) -> list[tuple[Where, Match]]:
        """The same, but only asking."""
        found: set[int] = set()
        for key in chain(self._keys(sketch), self._pairs(sketch)):
            block = self._blocks.get(key)
            if isinstance(block, int):
                found.add(block)
            elif block:
                found.update(block)
        return [(self._where(at), match) for at, match in self.closely(sketch, self._rows, sorted(found))]

    def _keep(self, sketch: Sketch, where: Where) -> None:
        for key in (*self._keys(sketch), *self._pairs(sketch)[:1]):
            self._add(key, len(self._rows))
        self._rows.append(_without_what_is_not_compared(sketch))
        self._sheets.append(self._sheet(where[0]))
        self._numbers.append(where[1])
        if sketch.core:
            self.names[sketch.core] += 1
            self._words.update(set(sketch.core))

    def _add(self, key: int, row: int) -> None:
        block = self._blocks.get(key)
        if block is None:
            self._blocks[key] = row
        elif isinstance(block, int):
            self._blocks[key] = [block, row]
        elif block is not _TOO_MANY:
            if len(block) < _LARGEST_BLOCK:
                block.append(row)
            else:
                self._blocks[key] = _TOO_MANY

    def _sheet(self, name: str) -> int:
        if not self._names_of_sheets or self._names_of_sheets[-1] != name:
            self._names_of_sheets.append(name)
        return len(self._names_of_sheets) - 1

    def _where(self, at: int) -> Where:
        return self._names_of_sheets[self._sheets[at]], self._numbers[at]

    def _keys(self, sketch: Sketch) -> list[int]:
        place, core = sketch.place, sketch.core
        keys = []
        if place.tax_code:
            keys.append(hash(("tax", place.tax_code)))
        if place.phone:
            keys.append(hash(("phone", place.phone)))
        if sketch.stall:
            keys.append(hash(("stall", sketch.site, sketch.stall)))
        if sketch.house:
            keys.append(hash(("house", sketch.house, core[0][:2] if core else "")))
        if core:
            keys.append(hash(("name", core)))
        return keys

    def _pairs(self, sketch: Sketch) -> list[int]:
        """Pairs of its name's rarest words, the rarest first: by that one alone it is found."""
        rarest = sorted(set(sketch.core), key=lambda each: (self._words[each], each))[:3]
        return [hash(("words", *sorted(pair))) for pair in combinations(rarest, 2)]


def _without_what_is_not_compared(sketch: Sketch) -> Sketch:
    """The least that later rows are held against."""
    place = sketch.place
    least = Place("", tax_code=place.tax_code, phone=place.phone, lon=place.lon, lat=place.lat, error_m=place.error_m)
    return Sketch(least, sketch.name, sketch.core, sketch.house, sketch.site, sketch.stall)
