"""Answers kept in memory within a bound, each with what it was made from: a change drops exactly those it touches.

Used from one thread alone, the event loop's. What is kept is the caller's; here it has a key, a size and its sources.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Kept = TypeVar("Kept")
Key = TypeVar("Key", bound=Hashable)
TileNumber = tuple[int, int, int]
"""Zoom, column, row."""

ENTRY_BYTES = 1_500
"""What an entry takes beside its own size: its key, its places in the indexes, the objects themselves."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What an answer is made from: a tile's part of collections, one record, or whole collections."""

    collections: tuple[str, ...]
    tile: TileNumber | None = None
    record: str | None = None
    """Its code, in the one collection."""


@dataclass(frozen=True, slots=True)
class TileRange:
    """The tiles of one collection and zoom that something touches: columns and rows, both ends included."""

    collection: str
    z: int
    first_x: int
    last_x: int
    first_y: int
    last_y: int

    def holds(self, x: int, y: int) -> bool:
        """Whether the tile is one of them."""
        return self.first_x <= x <= self.last_x and self.first_y <= y <= self.last_y


@dataclass(slots=True)
class Touched:
    """What one or several commits have changed."""

    collections: set[str] = field(default_factory=set)
    records: set[tuple[str, str]] = field(default_factory=set)
    """Collection and code."""
    tiles: set[TileRange] = field(default_factory=set)

    def touches(self, sources: Sources) -> bool:
        """Whether an answer from these sources may be another now."""
        if sources.tile is not None:
            z, x, y = sources.tile
            return any(r.z == z and r.collection in sources.collections and r.holds(x, y) for r in self.tiles)
        if sources.record is not None:
            return (sources.collections[0], sources.record) in self.records
        return not self.collections.isdisjoint(sources.collections)


class Entry(Generic[Kept]):
    """One kept answer."""

    __slots__ = ("kept", "size", "sources", "used")

    def __init__(self, kept: Kept, size: int, sources: Sources) -> None:
        self.kept, self.size, self.sources = kept, size, sources
        self.used = False
        """Whether anybody has been answered with it since it was last looked at for throwing out."""


class Filling:
    """An answer that is being made. What is touched meanwhile makes it too old to be kept."""

    __slots__ = ("outdated", "sources")

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.outdated = False


class AnswerCache(Generic[Key, Kept]):
    """Entries by key, at most `limit` bytes of them; what has not been used for longest goes first (second chance)."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        # Ordered: taking from a plain dict's front walks over all that was taken before.
        self.entries: OrderedDict[Key, Entry[Kept]] = OrderedDict()
        self.bytes = self.evicted = self.dropped = 0
        self._fillings: set[Filling] = set()
        self._tiles: dict[tuple[str, int], dict[tuple[int, int], set[Key]]] = {}
        self._records: dict[tuple[str, str], set[Key]] = {}
        self._wholes: dict[str, set[Key]] = {}

    def begin(self, sources: Sources) -> Filling:
        """Before what makes an answer looks at the database."""
        filling = Filling(sources)
        self._fillings.add(filling)
        return filling

    def end(self, filling: Filling) -> bool:
        """Whether what was made meanwhile is still right."""
        self._fillings.discard(filling)
        return not filling.outdated

    def store(self, key: Key, kept: Kept, size: int, sources: Sources) -> None:
        """Keeps an answer for which `end` was just true. One that alone takes an eighth of the room is not kept."""
        size += ENTRY_BYTES
        self.discard(key)
        if size > self.limit // 8:
            return
        self.entries[key] = Entry(kept, size, sources)
        for keys in self._places(sources, make=True):
            keys.add(key)
        self.bytes += size
        self._make_room()

    def grow(self, key: Key, entry: Entry[Kept], size: int) -> bool:
        """Counts what was added to an entry; False when it is no longer kept."""
        if self.entries.get(key) is not entry:
            return False
        entry.size += size
        self.bytes += size
        self._make_room()
        return True

    def discard(self, key: Key) -> Entry[Kept] | None:
        """Forgets an answer."""
        entry = self.entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry.size
            self._unlist(key, entry.sources)
        return entry

    def touch(self, touched: Touched) -> dict[Key, Entry[Kept]]:
        """Forgets what the changes touch, and returns it."""
        for filling in self._fillings:
            filling.outdated = filling.outdated or touched.touches(filling.sources)
        keys = {key for found in self._touched(touched) for key in found}
        gone = {key: entry for key in keys if (entry := self.discard(key)) is not None}
        self.dropped += len(gone)
        return gone

    def clear(self) -> dict[Key, Entry[Kept]]:
        """Forgets everything, and returns it."""
        for filling in self._fillings:
            filling.outdated = True
        gone, self.entries = self.entries, OrderedDict()
        for index in (self._tiles, self._records, self._wholes):
            index.clear()
        self.bytes, self.dropped = 0, self.dropped + len(gone)
        return gone

    def _make_room(self) -> None:
        while self.bytes > self.limit:
            key, entry = next(iter(self.entries.items()))
            if entry.used:
                entry.used = False
                self.entries.move_to_end(key)
            else:
                self.discard(key)
                self.evicted += 1

    def _places(self, sources: Sources, *, make: bool) -> Iterator[set[Key]]:
        """The sets of the indexes that an entry stands in."""
        for collection in sources.collections:
            if sources.tile is not None:
                z, x, y = sources.tile
                grid = self._tiles.setdefault((collection, z), {}) if make else self._tiles.get((collection, z), {})
                yield grid.setdefault((x, y), set()) if make else grid.get((x, y), set())
            elif sources.record is not None:
                record = (collection, sources.record)
                yield self._records.setdefault(record, set()) if make else self._records.get(record, set())
            else:
                yield self._wholes.setdefault(collection, set())

    def _unlist(self, key: Key, sources: Sources) -> None:
        for keys in self._places(sources, make=False):
            keys.discard(key)
        # Nothing is left behind empty: an index of what once was would grow without bound.
        for collection in sources.collections:
            if sources.tile is not None:
                z, x, y = sources.tile
                grid = self._tiles.get((collection, z), {})
                if not grid.get((x, y), True):
                    del grid[x, y]
            elif sources.record is not None and not self._records.get((collection, sources.record), True):
                del self._records[collection, sources.record]

    def _touched(self, touched: Touched) -> Iterator[set[Key]]:
        for collection in touched.collections:
            yield set(self._wholes.get(collection, ()))
        for record in touched.records:
            yield set(self._records.get(record, ()))
        for reach in touched.tiles:
            grid = self._tiles.get((reach.collection, reach.z), {})
            wanted = (reach.last_x - reach.first_x + 1) * (reach.last_y - reach.first_y + 1)
            if wanted <= len(grid):
                columns, rows = range(reach.first_x, reach.last_x + 1), range(reach.first_y, reach.last_y + 1)
                yield from (set(grid[x, y]) for x in columns for y in rows if (x, y) in grid)
            else:
                yield from (set(keys) for (x, y), keys in grid.items() if reach.holds(x, y))
