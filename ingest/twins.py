"""Rows of one file that may be one place, told while the file is read: each row is held against those before it.

Only what can make two rows one place is indexed (a number, a stall, a house with the name's beginning, the name and its
rarer words), as hashes: 200,000 rows must fit into memory. A key that many rows share says nothing and is dropped.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from ingest.match import DOUBT_FROM, SAME_FROM, Match, Sketch, Weighing

_LARGEST_BLOCK = 40
_TOO_MANY: list[int] = []
Where = tuple[str, int]
"""Sheet and row, as the sender counts them."""


class Twins(Weighing):
    """The rows so far."""

    def __init__(self, same_from: float = SAME_FROM, doubt_from: float = DOUBT_FROM) -> None:
        super().__init__(same_from, doubt_from)
        self._rows: list[Sketch] = []
        self._where: list[Where] = []
        self._words: Counter[str] = Counter()
        self._blocks: dict[int, int | list[int]] = {}

    def earlier(self, sketch: Sketch, where: Where) -> list[tuple[Where, Match]]:
        """Earlier rows that this one may be once more, the earliest first; then it counts as one of them."""
        mine = len(self._rows)
        found: set[int] = set()
        for key in self._keys(sketch):
            block = self._blocks.get(key)
            if block is None:
                self._blocks[key] = mine
            elif isinstance(block, int):
                found.add(block)
                self._blocks[key] = [block, mine]
            elif block is not _TOO_MANY:
                found.update(block)
                if len(block) < _LARGEST_BLOCK:
                    block.append(mine)
                else:
                    self._blocks[key] = _TOO_MANY
        self._rows.append(sketch)
        self._where.append(where)
        if sketch.core:
            self.names[sketch.core] += 1
            self._words.update(set(sketch.core))
        pairs = ((self._where[at], self.compare(sketch, self._rows[at])) for at in sorted(found))
        return [(first, match) for first, match in pairs if match.verdict != "new"]

    def _keys(self, sketch: Sketch) -> Iterator[int]:
        place, core = sketch.place, sketch.core
        if place.tax_code:
            yield hash(("tax", place.tax_code))
        if place.phone:
            yield hash(("phone", place.phone))
        if sketch.stall:
            yield hash(("stall", sketch.site, sketch.stall))
        if sketch.house:
            yield hash(("house", sketch.house, core[0][:2] if core else ""))
        if core:
            yield hash(("name", core))
            rarest = sorted(set(core), key=lambda each: (self._words[each], each))[:3]
            for pair in combinations(sorted(rarest), 2):
                yield hash(("words", pair))
