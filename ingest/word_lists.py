"""Lists of words that stand for codes, and how they are found in a text: the whole cell first, then longest phrases."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from postgis.folding import search_key

_NOT = frozenset(("khong", "ko", "k", "kg", "chua", "chang", "hok", "not", "no"))

_WITH = frozenset(("dung", "nhan", "bang", "co"))


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase in a text, from word to word."""

    code: str
    begin: int
    end: int
    negated: bool


@dataclass(frozen=True)
class WordList:
    """The ways to write each code of a list, separated by "|"."""

    phrases: Mapping[str, str]
    _codes: dict[tuple[str, ...], str] = field(init=False, repr=False)
    _longest: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Fold the phrases."""
        codes = {
            tuple(search_key(phrase).split()): code
            for code, phrases in self.phrases.items()
            for phrase in (code, *phrases.split("|"))
        }
        object.__setattr__(self, "_codes", codes)
        object.__setattr__(self, "_longest", max(map(len, codes)))

    def whole(self, text: str) -> str | None:
        """The code that a whole text means."""
        return self._codes.get(tuple(search_key(text).split()))

    def at_start(self, text: str) -> Found | None:
        """The longest phrase with which a text begins."""
        words = search_key(text).split(maxsplit=self._longest)
        for length in range(min(self._longest, len(words)), 0, -1):
            phrase = tuple(words[:length])
            code = self._codes.get(phrase) if len(phrase) > 1 or len(phrase[0]) > 1 else None
            if code is not None:
                return Found(code, 0, length, negated=False)
        return None

    def find(self, text: str) -> list[Found]:
        """The longest phrases in a text, none over another, in order."""
        words = search_key(text).split()
        found: list[Found] = []
        at = 0
        while at < len(words):
            for length in range(min(self._longest, len(words) - at), 0, -1):
                phrase = tuple(words[at : at + length])
                # One letter means something only as a whole cell.
                code = self._codes.get(phrase) if len(phrase) > 1 or len(phrase[0]) > 1 else None
                if code is not None:
                    # "không momo", "không nhận momo", "không dùng tiền mặt".
                    before = at - 1 if at > 1 and words[at - 1] in _WITH else at
                    found.append(Found(code, at, at + length, before > 0 and words[before - 1] in _NOT))
                    at += length
                    break
            else:
                at += 1
        return found
