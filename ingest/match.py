"""Which rows of a file and which places of the register are one place: found by blocks, weighed by `postgis.likeness`.

Comparing 10,000 rows with 10,000 places would be a hundred million pairs. Two places that are one share a tax code, a
telephone number, a stall, a house, a rare word of the name, or the spot they stand on: only those pairs are weighed. A
block that too many share (a chain's name, a market's house number) says nothing and is left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from math import floor

from ingest.weighing import DOUBT_FROM, SAME_FROM, SURE_M, Match, Place, Sketch, Weighing, sketch_of

_LARGEST_BLOCK = 60
_RARE = 20
_CELL_DEGREES = 0.0005
_FINER = frozenset(("house and name", "cell and name"))
"""Keys that cut the block of the key before them into smaller ones."""


class Matcher(Weighing):
    """Places to match against, indexed by what two records of one place have in common."""

    def __init__(self, places: Iterable[Place], same_from: float = SAME_FROM, doubt_from: float = DOUBT_FROM) -> None:
        super().__init__(same_from, doubt_from)
        self._known = [sketch_of(place) for place in places]
        self.names.update(sketch.core for sketch in self._known if sketch.core)
        self._words = Counter(word for sketch in self._known for word in set(sketch.core))
        self._blocks: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for at, sketch in enumerate(self._known):
            for key in self._keys(sketch, around=False):
                self._blocks[key].append(at)

    def matches(self, place: Place, most: int = 5) -> list[Match]:
        """Known places that this one may be, likeliest first; none that surely is another."""
        return self.matches_of(sketch_of(place), most)

    def matches_of(self, sketch: Sketch, most: int = 5) -> list[Match]:
        """The same of a place that is ready to be compared."""
        if not self._known:
            return []
        return self._weighed(sketch, self._candidates(sketch), most)

    def candidates(self, place: Place) -> int:
        """How many known places a row is compared with: for measuring."""
        return len(self._candidates(sketch_of(place)))

    def _candidates(self, sketch: Sketch) -> set[int]:
        found: set[int] = set()
        crowded: tuple[object, ...] | None = None
        for key in self._keys(sketch, around=True):
            if key[0] in _FINER and (crowded is None or key[1:-1] != crowded):
                # Part of the block before it, which was small enough to be taken whole.
                continue
            block = self._blocks.get(key, ())
            if len(block) <= _LARGEST_BLOCK:
                found.update(block)
            crowded = key[1:] if len(block) > _LARGEST_BLOCK else None
        return found

    def _keys(self, sketch: Sketch, *, around: bool) -> Iterator[tuple[object, ...]]:
        """What a place can be found by. `around`: with the neighbouring cells of its spot, for asking."""
        place = sketch.place
        if place.tax_code:
            yield "tax", place.tax_code
        if place.phone:
            yield "phone", place.phone
        if sketch.stall:
            yield "stall", sketch.site, sketch.stall
        first = sketch.core[0][:2] if sketch.core else ""
        if sketch.house:
            yield "house", *sketch.house
            # In a market hundreds share the house: with the name's beginning they are few.
            yield "house and name", *sketch.house, first
        if sketch.core:
            yield "name", *sketch.core
            yield "joined name", "".join(sketch.core)[:6]
            yield "joined name", "".join(sketch.core)[-6:]
            # A slip of the finger spoils one word of the rarest, seldom all.
            rarest = sorted(set(sketch.core), key=lambda each: (self._words[each], each))[:4]
            if self._words[rarest[0]] <= _RARE:
                yield "word", rarest[0]
            for pair in combinations(sorted(rarest), 2):
                yield "words", *pair
        if place.lon is not None and place.lat is not None and (place.error_m or 0) <= SURE_M:
            x, y = floor(place.lon / _CELL_DEGREES), floor(place.lat / _CELL_DEGREES)
            steps = (-1, 0, 1) if around else (0,)
            for cell in ((x + i, y + j) for i in steps for j in steps):
                yield "cell", *cell
                yield "cell and name", *cell, first

    def _weighed(self, sketch: Sketch, candidates: Iterable[int], most: int) -> list[Match]:
        found = [match for _, match in self.closely(sketch, self._known, candidates)]
        found.sort(key=lambda match: (-match.score, match.ref))
        return found[:most]
