"""Text as people search it, in Python: the twin of `published.search_key(text)` in `functions/020_search_key.sql`.

An import compares thousands of names with one another and cannot ask the database for each. The two agree on Latin
letters (a test compares them on every name of the base data); rarer signs that `unaccent` spells out may differ.
"""

import re
import unicodedata
from functools import lru_cache

# Letters that NFD does not take apart: đ, and the Icelandic Ð that fonts and old keyboards put for Đ.
_UNDIVIDED = {0x111: "d", 0x110: "D", 0xF0: "d", 0xD0: "D", 0x142: "l", 0x141: "L", 0xF8: "o", 0xD8: "O"}
_SIGNS = re.compile(r"[\W_]+")
_FINAL_Y = re.compile(r"\b(b|c|ch|d|g|gi|h|k|kh|l|m|n|ng|nh|p|ph|qu|r|s|t|th|tr|v|x)y\b")


class _WithoutMarks(dict[int, str | None]):
    """For `str.translate`: no combining mark stays, whatever else does."""

    def __missing__(self, code: int) -> str | None:
        kept = None if unicodedata.category(chr(code)) == "Mn" else chr(code)
        self[code] = kept
        return kept


class _Flat(dict[int, str]):
    """For `str.translate`: each letter as `flatten` gives it."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        bare = unicodedata.normalize("NFD", letter.translate(_UNDIVIDED))[0].lower()
        self[code] = bare if len(bare) == 1 else letter
        return self[code]


_WITHOUT_MARKS, _FLAT = _WithoutMarks(), _Flat()


@lru_cache(maxsize=65_536)
def search_key(text: str) -> str:
    """The text without tone and vowel marks (đ = d), in small letters, signs as spaces, a syllable's final y as i."""
    bare = text
    if not text.isascii():
        plain = unicodedata.normalize("NFD", unicodedata.normalize("NFC", text).translate(_UNDIVIDED))
        bare = plain.translate(_WITHOUT_MARKS)
    bare = bare.lower()
    return _FINAL_Y.sub(r"\1i", _SIGNS.sub(" ", bare)).strip()


@lru_cache(maxsize=8_192)
def trigrams(key: str) -> frozenset[str]:
    """The trigrams of a folded text as pg_trgm counts them: each word with two blanks before it and one after."""
    return frozenset(f"  {word} "[at : at + 3] for word in key.split() for at in range(len(word) + 1))


def similarity(one: str, other: str) -> float:
    """Share of trigrams that two folded texts have in common, 0 to 1: pg_trgm's `similarity`."""
    mine, theirs = trigrams(one), trigrams(other)
    shared = len(mine & theirs)
    return shared / (len(mine) + len(theirs) - shared) if shared else 0.0


def flatten(text: str) -> str:
    """The text letter for letter without marks and in small letters, signs kept: as long as the text (NFC) itself.

    For patterns whose matches are then cut from the text.
    """
    return text.lower() if text.isascii() else text.translate(_FLAT)
