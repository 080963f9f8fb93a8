"""Street and alley names: one spelling for each, and which known street a written one means.

A street is called as people write it: "Núi Thành", without "Đường"; one named for a day is "2 Tháng 9", however it was
written ("2/9", "2-9", "Đường 2 tháng 9").
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from postgis.folding import flatten, search_key

_STREET_WORD = re.compile(r"^(?:(?:duong|pho)\b\.?|d\.)\s*")
_DATE = re.compile(r"(?<![\w/])0?(\d{1,2})\s*(?:thang|th\.?|[/.-])\s*0?(\d{1,2}|tam|chin|tu|hai)(?![\w/])")
_MONTHS = {"tam": "8", "chin": "9", "tu": "4", "hai": "2"}
DATE_STREETS = frozenset(("2/9", "3/2", "29/3", "30/4", "19/8", "1/5", "26/3"))
"""Days that streets of Vietnamese cities are named for, as people shorten them."""
_SHORT = {
    "cmt8": "Cách Mạng Tháng 8",
    "cmt 8": "Cách Mạng Tháng 8",
    "cach mang thang tam": "Cách Mạng Tháng 8",
    "xvnt": "Xô Viết Nghệ Tĩnh",
    "dbp": "Điện Biên Phủ",
    "hbt": "Hai Bà Trưng",
}
_SYLLABLES = {"ng": "nguyen", "tr": "tran", "hg": "hoang", "ph": "phan", "ptr": "phan", "l": "le", "d": "dinh"}
_ALLEY = re.compile(r"(?:kiet\s*|k\s?)(\d+[a-z]?(?:/\d+[a-z]?)*)(?:\s+(?:duong\s+)?(\S.*))?")
_SUB_ALLEY = re.compile(r"(?:hem\s*|h\s?)(\d+[a-z]?)\s*,?\s*(?:kiet\s*|k\s?)(\d+[a-z]?)\s+(?:duong\s+)?(\S.*)")


@lru_cache(maxsize=20_000)
def street_name(written: str) -> str:
    """The street without "Đường", single-spaced; a day as "2 Tháng 9"; an abbreviation that has one meaning in full."""
    text = " ".join(written.split())
    text = text[len(found[0]) :] if (found := _STREET_WORD.match(flatten(text))) else text
    if date := _DATE.fullmatch(flatten(text)):
        return f"{date[1]} Tháng {_MONTHS.get(date[2], date[2])}"
    return _SHORT.get(flatten(text).strip(" ."), text)


def street_key(written: str) -> str:
    """What two spellings of one street have in common."""
    return search_key(street_name(written))


@dataclass(frozen=True, slots=True)
class Alley:
    """A kiệt or hẻm: its numbers from the street inwards ("45/12" = hẻm 12 in kiệt 45), and its street."""

    path: str
    street: str


def read_alley(name: str) -> Alley | None:
    """The alley that a name on the map means: "Kiệt 354/22 Trưng Nữ Vương", "Hem 05 Kiệt 38A Nguyễn Hữu Thọ"."""
    text = " ".join(name.split())
    flat = flatten(text)
    if found := _SUB_ALLEY.fullmatch(flat):
        return Alley(path_of([found[2], found[1]]), street_name(text[found.start(3) :]))
    if found := _ALLEY.fullmatch(flat):
        return Alley(path_of(found[1].split("/")), street_name(text[found.start(2) :]) if found[2] else "")
    return None


_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def path_of(numbers: Iterable[str]) -> str:
    """Numbers of nested alleys in one spelling: "03A" as "3A"."""
    return "/".join(plain_number(number) for number in numbers)


def plain_number(number: str) -> str:
    """A house or alley number without leading zeros and blanks, letters as capitals."""
    return _LEADING_ZEROS.sub("", number.replace(" ", "").upper())


@dataclass(frozen=True, slots=True)
class KnownStreet:
    """What a written street was taken for. `how`: exact, marks (they were left out), short, misspelt."""

    name: str
    how: str


@dataclass(slots=True)
class StreetNames:
    """The streets that are known, and how to find the one that was meant."""

    names: Iterable[str]
    _by_key: dict[str, list[str]] = field(init=False)
    _by_start: dict[tuple[str, int], list[str]] = field(init=False)
    _found: dict[str, KnownStreet | None] = field(init=False, default_factory=dict)
    _looks: dict[str, tuple[int, list[str]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Index the names."""
        self._by_key = defaultdict(list)
        for name in self.names:
            spelt = street_name(name)
            if spelt not in self._by_key[search_key(spelt)]:
                self._by_key[search_key(spelt)].append(spelt)
        self._by_key.pop("", None)
        self._by_start = defaultdict(list)
        for key in self._by_key:
            self._by_start[key[0], len(key.split())].append(key)
            self._looks[key] = _letters(key), re.findall(r"\d+", key)

    def __bool__(self) -> bool:
        """Whether any street is known."""
        return bool(self._by_key)

    def find(self, written: str) -> KnownStreet | None:
        """The known street that was meant; None when none is near enough or several are equally near."""
        spelt = street_name(written)
        if spelt not in self._found:
            if len(self._found) > 50_000:
                self._found.clear()
            self._found[spelt] = self._search(spelt)
        return self._found[spelt]

    def _search(self, spelt: str) -> KnownStreet | None:
        key = search_key(spelt)
        if not key:
            return None
        if same := self._by_key.get(key):
            exact = next((name for name in same if name.casefold() == spelt.casefold()), None)
            return KnownStreet(exact or same[0], "exact" if exact else "marks")
        if meant := self._shortened(spelt):
            return KnownStreet(meant, "short")
        if meant := self._misspelt(key):
            return KnownStreet(meant, "misspelt")
        return None

    def _shortened(self, spelt: str) -> str | None:
        """ "Ng. Tri Phương", "Ng.V.Linh": each piece begins the syllable of one known street, the last one in full."""
        pieces = search_key(spelt.replace(".", " ")).split()
        if len(pieces) < 2 or len(pieces[-1]) < 2:
            return None
        pieces = [_SYLLABLES.get(piece, piece) for piece in pieces[:-1]] + pieces[-1:]
        whole = " ".join(pieces)
        if whole in self._by_key:
            return self._by_key[whole][0]
        fits = [
            key
            for key in self._by_start.get((whole[0], len(pieces)), ())
            if key.split()[-1] == pieces[-1]
            and all(syllable.startswith(piece) for syllable, piece in zip(key.split(), pieces, strict=True))
        ]
        return self._by_key[fits[0]][0] if len(fits) == 1 else None

    def _misspelt(self, key: str) -> str | None:
        """The one known street that is one slip away, two in a long name; its numbers must be the same."""
        if len(key) < 6:
            return None
        most = 2 if len(key) >= 12 else 1
        digits, letters = re.findall(r"\d+", key), _letters(key)
        near: dict[int, list[str]] = defaultdict(list)
        for count in (len(key.split()) - 1, len(key.split()), len(key.split()) + 1):
            for other in self._by_start.get((key[0], count), ()):
                theirs, their_digits = self._looks[other]
                # A slip changes two letters at most.
                if (
                    abs(len(other) - len(key)) <= most
                    and (letters ^ theirs).bit_count() <= 2 * most
                    and their_digits == digits
                ):
                    near[slips(key, other, most)].append(other)
        for distance in range(1, most + 1):
            if near[distance]:
                return self._by_key[near[distance][0]][0] if len(near[distance]) == 1 else None
        return None


def _letters(text: str) -> int:
    """Which letters a text has, a bit for each of 64 kinds."""
    found = 0
    for letter in text:
        found |= 1 << (ord(letter) & 63)
    return found


def slips(one: str, other: str, most: int) -> int:
    """How many slips of the finger (letter wrong, left out, put in, two swapped) lie between; `most` + 1 = more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    far, width = most + 1, len(other)
    before: list[int] = []
    row = [min(to, far) for to in range(width + 1)]
    for at, letter in enumerate(one, start=1):
        following = [far] * (width + 1)
        following[0] = min(at, far)
        # Further from the diagonal there are more than `most` slips anyway.
        for to in range(max(1, at - most), min(width, at + most) + 1):
            wanted = other[to - 1]
            cost = min(row[to] + 1, following[to - 1] + 1, row[to - 1] + (letter != wanted))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == wanted:
                cost = min(cost, before[to - 2] + 1)
            following[to] = min(cost, far)
        if min(following) > most:
            return far
        before, row = row, following
    return row[-1]


def house_range(number: str) -> tuple[int, int] | None:
    """The first and last number of a house number: "123-125" is (123, 125), "12A" (12, 12)."""
    numbers = [int(digits) for digits in re.findall(r"\d+", number)]
    if not numbers or max(numbers) > 99_999:
        return None
    rising = all(one <= other for one, other in pairwise(numbers))
    return (numbers[0], numbers[-1]) if rising else (numbers[0], numbers[0])
