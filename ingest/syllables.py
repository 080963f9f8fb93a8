"""What a Vietnamese syllable may look like, so that right text can be told from text read in the wrong encoding.

A syllable is an onset, a rhyme and a tone; the onsets and rhymes are few, so that nearly no wrong reading gives one.
"""

import re
import unicodedata
from functools import lru_cache

_ONSETS = tuple("b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu q r s t th tr v x".split(" "))  # noqa: SIM905
_RHYMES = tuple(
    """
    a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu
    i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oem oen oeo oet oi om on ong op ot
    ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
    u ua uach uai uan uang uanh uao uat uau uay uăn uăng uăt uân uâng uât uây uc ue uen ueo uet uê uêch uên uênh uêt uêu
    ui um un ung uô uôc uôi uôm uôn uông uôt uơ uơi uơn uơt up ut uy uya uych uyên uyêt uyêu uyn uynh uyp uyt uyu
    ư ưa ưc ưi ưm ưn ưng ươ ươc ươi ươm ươn ương ươp ươt ươu ưt ưu
    y yêm yên yêng yêt yêu ym yn yt ynh
    """.split()  # noqa: SIM905
)
_TONES = {"\u0300": 1, "\u0301": 2, "\u0303": 3, "\u0309": 4, "\u0323": 5}
_STOPPED = re.compile(r"(?:c|ch|p|t)$")
_SYLLABLE = re.compile(
    "(" + "|".join(sorted(_ONSETS, key=len, reverse=True)) + ")?(" + "|".join(_RHYMES) + ")"
)  # fmt: skip
_SHAPED = frozenset("ăâêôơư")
_VOWELS = frozenset("aeiouy") | _SHAPED
_EITHER = frozenset(["oa", "oe", "uy"])
MARKED = frozenset(
    unicodedata.normalize("NFC", base + mark + tone)
    for base, marks in (("a", ("", "\u0306", "\u0302")), ("e", ("", "\u0302")), ("i", ("",)),
                        ("o", ("", "\u0302", "\u031b")), ("u", ("", "\u031b")), ("y", ("",)))
    for mark in marks
    for tone in ("", *_TONES)
    if mark or tone
) | {"đ"}  # fmt: skip
"""The lower-case letters that make a word look Vietnamese."""


@lru_cache(maxsize=65_536)
def is_syllable(word: str) -> bool:
    """Whether a word could be one Vietnamese syllable: its spelling, its tone, and where the tone stands."""
    tone = 0
    toned = -1
    plain: list[str] = []
    for letter in unicodedata.normalize("NFC", word).lower():
        parts = unicodedata.normalize("NFD", letter)
        marks = [part for part in parts if part in _TONES]
        if marks:
            if tone or len(marks) > 1:
                return False
            tone, toned = _TONES[marks[0]], len(plain)
        plain.append(unicodedata.normalize("NFC", "".join(part for part in parts if part not in _TONES)))
    bare = "".join(plain)
    # A closed syllable bears one of two tones only; without any mark the word may simply be typed without marks.
    if tone not in (0, 2, 5) and _STOPPED.search(bare):
        return False
    found = _SYLLABLE.fullmatch(bare)
    if not found:
        return False
    return not tone or toned - found.start(2) in _tone_places(found[2]) or _is_gi(bare, toned)


def _is_gi(bare: str, toned: int) -> bool:
    """`gì`, `gìn`: the i is the vowel."""
    return bare.startswith("gi") and toned == 1 and all(letter not in _VOWELS for letter in bare[2:])


@lru_cache(maxsize=512)
def _tone_places(rhyme: str) -> frozenset[int]:
    """Which letters of a rhyme may bear the tone, in the old and the new way of writing."""
    vowels = len(rhyme) - len(rhyme.lstrip("aeiouyăâêôơư"))
    shaped = [place for place in range(vowels) if rhyme[place] in _SHAPED]
    if shaped:
        return frozenset({shaped[-1]})
    if vowels == 1:
        return frozenset({0})
    if rhyme in _EITHER:
        return frozenset({0, 1})
    return frozenset({1}) if vowels == 3 or len(rhyme) > vowels else frozenset({0})


def is_marked_syllable(word: str) -> bool:
    """Whether a word is a Vietnamese syllable that could be nothing else: it bears a mark."""
    return (
        not word.isascii()
        and bool(MARKED.intersection(unicodedata.normalize("NFC", word).lower()))
        and is_syllable(word)
    )


def words(text: str) -> list[str]:
    """The words of a text: runs of letters and combining marks."""
    return _WORDS.findall(text)


_WORDS = re.compile(r"(?:[^\W\d_][\u0300-\u036f]*)+")


def share_of_vietnamese(text: str) -> float:
    """Of the words that are not plain ASCII, the share that are Vietnamese syllables; 0 when there is none."""
    marked = [word for word in words(text) if not word.isascii()]
    return sum(is_marked_syllable(word) for word in marked) / len(marked) if marked else 0.0
