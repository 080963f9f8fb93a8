"""How likely two places are one: what is compared, and what the signs of `postgis.likeness` say of a pair."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, radians
from sys import intern
from typing import Literal

from ingest.house_numbers import read_numbers
from ingest.street_names import slips, street_key
from postgis.folding import search_key, similarity
from postgis.likeness import (
    FAR,
    FAR_FROM_M,
    OTHER_ADDRESS,
    OTHER_STALL,
    WEIGHTS,
    Signs,
    core_words,
    numbers_of,
    weigh,
)

SAME_FROM = 0.7
"""From this score on a row is the place without a person's word; chosen by `python -m tests.match_trial`."""
DOUBT_FROM = 0.39
"""From here to there a person decides; below, the row is a place of its own."""

_ONE_NAME, _OTHER_NAMES = 1 - WEIGHTS["same_name"], 1 - WEIGHTS["similar_name"]
_ONE_TAX_CODE, _ONE_PHONE = 1 - WEIGHTS["same_tax_code"], 1 - WEIGHTS["same_phone"]
_ONE_STALL, _ONE_ADDRESS, _NEAR = 1 - WEIGHTS["same_stall"], 1 - WEIGHTS["same_address"], 1 - WEIGHTS["near"]
_METRES = 111_195

Verdict = Literal["same", "doubtful", "new"]

_COMMON_FROM = 3
SURE_M = 100.0
"""A point that may be further off says nothing about who is near."""
_GOODS_WORDS = (
    "ca phe cafe coffee com bun pho mi quang banh tap hoa thuoc tay nha hang khach san hotel quan ao spa sua xe may "
    "tinh dien thoai mobile giai khat tra an uong hai restaurant"
)
_GOODS = frozenset(_GOODS_WORDS.split())
"""Words for goods: a name of nothing else is a description."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row or a place of the register, as far as it is known. `phone` and `tax_code` may be hashes: only equality
    counts.

    `ref` is the row's number or the public code. `error_m`: how far off the point may be.
    """

    ref: str
    name: str | None = None
    house_number: str | None = None
    alley: str | None = None
    street_name: str | None = None
    site: str | None = None
    stall: str | None = None
    tax_code: str | None = None
    phone: str | None = None
    lon: float | None = None
    lat: float | None = None
    error_m: float | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A place that a row may be: how likely, why, and what speaks against it. Codes; the words are in `web`."""

    ref: str
    score: float
    verdict: Verdict
    reasons: tuple[str, ...]
    against: tuple[str, ...]
    similarity: float
    distance_m: float | None


@dataclass(frozen=True, slots=True)
class Sketch:
    """A place as it is compared."""

    place: Place
    name: str
    core: tuple[str, ...]
    house: tuple[str, ...] | None
    """Street, alley and number; None where one is missing."""
    site: str
    stall: str


def sketch_of(place: Place) -> Sketch:
    """A place made ready to be compared."""
    name = search_key(place.name or "")
    # Rows of a list share their words and streets: each is held once.
    core = tuple(map(intern, core_words(name))) if name else ()
    house: tuple[str, ...] | None = None
    if place.street_name and place.house_number:
        # The register has "K45/12" in one field too: both spellings are read as one.
        written = f"{place.alley}/{place.house_number}" if place.alley else place.house_number
        numbers, _ = read_numbers(written)
        if numbers.house:
            house = tuple(map(intern, (street_key(place.street_name), *numbers.alley, numbers.house)))
    stall = search_key(place.stall or "").replace(" ", "")
    return Sketch(place, name, core, house, search_key(place.site or ""), stall)


class Weighing:
    """Weighs pairs of places. `names`: how many places have each name, for those that many share."""

    def __init__(self, same_from: float, doubt_from: float) -> None:
        self._same, self._doubt = same_from, doubt_from
        self.names: Counter[tuple[str, ...]] = Counter()

    def compare(self, one: Sketch, other: Sketch) -> Match:
        """Whether two sketches are one place; `ref` is the other's."""
        signs = self._signs(one, other)
        weighed = weigh(signs)
        verdict: Verdict = (
            "new" if weighed.score < self._doubt else "same" if weighed.score >= self._same else "doubtful"
        )
        if verdict == "same" and "other_tax_code" in weighed.against:
            # A new owner under the old name: whether it is the same place, only a person can say.
            verdict = "doubtful"
        return Match(
            other.place.ref, weighed.score, verdict, weighed.reasons, weighed.against, round(signs.similarity, 2),
            None if signs.distance_m is None else round(signs.distance_m, 1),
        )  # fmt: skip

    def closely(self, one: Sketch, known: Sequence[Sketch], candidates: Iterable[int]) -> Iterator[tuple[int, Match]]:
        """The candidates among the known that it may be, each with how likely it is."""
        house, core, tax_code, phone = one.house, one.core, one.place.tax_code, one.place.phone
        # Another name in another house cannot be the same place, however near: nearly all pairs are such.
        quickly = house is not None and not one.stall and self._doubt > (1 - _OTHER_NAMES * _NEAR) * OTHER_ADDRESS
        for at in candidates:
            other = known[at]
            if quickly and other.house != house and other.house is not None and other.core != core:
                theirs = other.place
                if not (tax_code and theirs.tax_code == tax_code) and not (phone and theirs.phone == phone):
                    continue
            if self._most(one, other) >= self._doubt and (match := self.compare(one, other)).verdict != "new":
                yield at, match

    def _most(self, one: Sketch, other: Sketch) -> float:
        """What the score can be at most, however alike the names are: few pairs need a closer look."""
        mine, theirs = one.place, other.place
        same_tax_code = bool(mine.tax_code) and mine.tax_code == theirs.tax_code
        same_phone = bool(mine.phone) and mine.phone == theirs.phone
        houses = one.house is not None and other.house is not None
        same_house = houses and one.house == other.house
        rest = 1.0
        if one.core and other.core:
            rest = _OTHER_NAMES if one.core != other.core else _ONE_NAME
        if same_tax_code:
            rest *= _ONE_TAX_CODE
        if same_phone:
            rest *= _ONE_PHONE
        if one.stall and one.stall == other.stall:
            rest *= _ONE_STALL
        if same_house:
            rest *= _ONE_ADDRESS
        near, far = _near_and_far(mine, theirs)
        score = 1.0 - rest * (_NEAR if near else 1.0)
        if far and not same_house:
            score *= FAR
        elif houses and not same_house:
            score *= OTHER_ADDRESS
        if one.stall and other.stall and one.stall != other.stall:
            score *= OTHER_STALL
        return score

    def _signs(self, one: Sketch, other: Sketch) -> Signs:
        mine, theirs = one.place, other.place
        distance = _distance(mine, theirs)
        same_house = one.house is not None and one.house == other.house
        if same_house and distance is not None and distance > FAR_FROM_M:
            # Of one address, one of the two points is wrong: that is a correction, no other place.
            distance = None
        core, other_core = " ".join(one.core), " ".join(other.core)
        common = max(self.names[one.core], self.names[other.core]) >= _COMMON_FROM
        goods = bool(one.core) and all(word in _GOODS for word in one.core)
        return Signs(
            name=one.name,
            other_name=other.name,
            # Without the words that every other name has: "Quán Minh Họa" is "Nhà hàng Minh Họa".
            similarity=_alike(core, other_core, one.name, other.name) if core else 0.0,
            same_address=same_house,
            distance_m=distance,
            same_tax_code=bool(mine.tax_code) and mine.tax_code == theirs.tax_code,
            same_phone=bool(mine.phone) and mine.phone == theirs.phone,
            # Without a market's name only the house says which A12 it is.
            same_site=one.site == other.site and (bool(one.site) or same_house),
            stall=one.stall,
            other_stall=other.stall,
            other_address=one.house is not None and other.house is not None and one.house != other.house,
            other_tax_code=bool(mine.tax_code and theirs.tax_code) and mine.tax_code != theirs.tax_code,
            common_name=common or goods,
        )


def _alike(core: str, other_core: str, name: str, other_name: str) -> float:
    """How alike two names are: by trigrams, or by slips of the finger, which spoil most trigrams of a short name."""
    trigrams = max(similarity(core, other_core), similarity(name, other_name))
    # Names with other numbers are other names: no need to look for slips.
    if (
        trigrams >= 0.85
        or numbers_of(name) != numbers_of(other_name)
        or (core[0] != other_core[:1] and core[1:2] != other_core[1:2])
    ):
        return trigrams
    longest = max(len(core), len(other_core))
    most = 1 + longest // 7
    made = slips(core, other_core, most)
    return max(trigrams, 1 - made / longest) if made <= most and longest >= 4 else trigrams


def _near_and_far(one: Place, other: Place) -> tuple[bool, bool]:
    """Whether two points may count as near, and whether they surely count as far; as `_distance` has it, or more."""
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return False, False
    east, north = (one.lon - other.lon) * _METRES * cos(radians(one.lat)), (one.lat - other.lat) * _METRES
    apart = hypot(east, north)
    return apart <= 31.0, apart - max(one.error_m or 0.0, other.error_m or 0.0) > FAR_FROM_M


def _distance(one: Place, other: Place) -> float | None:
    """Metres between two points, less what their errors may explain beyond 20 m; None where one has none."""
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return None
    east = (one.lon - other.lon) * 111_195 * cos(radians(one.lat))
    apart = hypot(east, (one.lat - other.lat) * 111_195)
    if apart <= 30:
        # An uncertain point that happens to be near says nothing.
        return None if max(one.error_m or 0, other.error_m or 0) > SURE_M else apart
    return max(apart - max(one.error_m or 0, other.error_m or 0), 31.0)
