"""Kept answers: within their bound, and dropped exactly when what they are made from is touched."""

from hypothesis import given, settings
from hypothesis import strategies as st

from layers.answer_cache import ENTRY_BYTES, AnswerCache, Sources, TileRange, Touched

COLLECTIONS = ("establishments", "licences", "model_sites")
LIMIT = 40 * (ENTRY_BYTES + 100)


def tiles() -> st.SearchStrategy[tuple[int, int, int]]:
    return st.integers(0, 4).flatmap(
        lambda z: st.tuples(st.just(z), st.integers(0, 2**z - 1), st.integers(0, 2**z - 1))
    )


SOURCES = st.one_of(
    st.builds(Sources, st.lists(st.sampled_from(COLLECTIONS), min_size=1, max_size=3, unique=True).map(tuple), tiles()),
    st.builds(
        Sources, st.sampled_from(COLLECTIONS).map(lambda name: (name,)), st.none(), st.sampled_from(["a", "b", "c"])
    ),
    st.builds(Sources, st.lists(st.sampled_from(COLLECTIONS), min_size=1, max_size=2, unique=True).map(tuple)),
)


@st.composite
def ranges(draw: st.DrawFn) -> TileRange:
    z, x, y = draw(tiles())
    wide, high = draw(st.integers(0, 20)), draw(st.integers(0, 20))
    return TileRange(draw(st.sampled_from(COLLECTIONS)), z, x, min(x + wide, 2**z - 1), y, min(y + high, 2**z - 1))


TOUCHES = st.builds(
    Touched,
    st.sets(st.sampled_from(COLLECTIONS)),
    st.sets(st.tuples(st.sampled_from(COLLECTIONS), st.sampled_from(["a", "b", "c"]))),
    st.sets(ranges(), max_size=4),
)
STEPS = st.lists(
    st.one_of(st.tuples(st.just("store"), st.integers(0, 60), SOURCES), st.tuples(st.just("touch"), TOUCHES)),
    max_size=120,
)


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_a_touch_drops_what_it_touches_and_nothing_else(steps: list[tuple[object, ...]]) -> None:
    cache: AnswerCache[int, str] = AnswerCache(10**9)
    expected: dict[int, Sources] = {}
    for step in steps:
        if step[0] == "store":
            _, key, sources = step
            assert isinstance(key, int)
            assert isinstance(sources, Sources)
            cache.store(key, "x", 100, sources)
            expected[key] = sources
        else:
            touched = step[1]
            assert isinstance(touched, Touched)
            gone = cache.touch(touched)
            assert gone.keys() == {key for key, sources in expected.items() if touched.touches(sources)}
            for key in gone:
                del expected[key]
        assert cache.entries.keys() == expected.keys()
        assert cache.bytes == sum(entry.size for entry in cache.entries.values())
    cache.clear()
    assert (cache.bytes, len(cache.entries)) == (0, 0)
    assert not any((cache._tiles, cache._records, cache._wholes))


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 6_000), SOURCES, st.booleans()), max_size=300))
@settings(max_examples=60, deadline=None)
def test_it_never_holds_more_than_its_bound(steps: list[tuple[int, int, Sources, bool]]) -> None:
    cache: AnswerCache[int, str] = AnswerCache(LIMIT)
    for key, size, sources, used in steps:
        cache.store(key, "x", size, sources)
        if used and key in cache.entries:
            cache.entries[key].used = True
            cache.grow(key, cache.entries[key], size)
        assert cache.bytes <= LIMIT
        assert cache.bytes == sum(entry.size for entry in cache.entries.values())
    for key in list(cache.entries):
        cache.discard(key)
    assert cache.bytes == 0
    indexed = [*cache._records.values(), *cache._wholes.values(), *(k for grid in cache._tiles.values() for k in grid)]
    assert not any(indexed), "an index that keeps what is gone grows without bound"


def test_what_is_used_stays_longest() -> None:
    cache: AnswerCache[int, str] = AnswerCache(LIMIT)
    for key in range(1000):
        cache.store(key, "x", 100, Sources(("establishments",)))
        if 7 in cache.entries:
            cache.entries[7].used = True
    assert 7 in cache.entries
    assert 8 not in cache.entries


def test_what_is_touched_while_it_is_made_is_not_kept() -> None:
    cache: AnswerCache[int, str] = AnswerCache(LIMIT)
    touched, other = cache.begin(Sources(("establishments",), (3, 1, 1))), cache.begin(Sources(("licences",)))
    cache.touch(Touched(tiles={TileRange("establishments", 3, 0, 1, 0, 1)}))
    assert (cache.end(touched), cache.end(other)) == (False, True)
    late = cache.begin(Sources(("licences",)))
    cache.clear()
    assert not cache.end(late)
