"""From what people write as their line of business to a class of VSIC 2025, always with its scheme.

Three schemes are about (2007, 2018, 2025) and reuse each other's codes, so a bare code is not believed where its
meaning changed, and a text alone is a proposal: a person confirms whatever is below `NEEDS_PERSON_BELOW`.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import pairwise

from ingest.sector_words import SECTOR_PHRASES
from ingest.values import Alternative, Cell, Problem, Reading, nothing, raw_text, tidy
from ingest.word_lists import Found, WordList
from postgis.folding import search_key, similarity
from postgis.reference_files import read_rows

SCHEME = "VSIC2025"
_CODE = re.compile(r"(?<![\w.])[A-V]?\s?(\d{4,5})(?![\w]|[.,]\d)")
_STOP_WORDS = (
    "va cac cac loai khac chua duoc phan vao dau trong cua hang kinh doanh hoat dong dich vu san pham ban le mua chuyen"
    " doanh tu theo tru nhu cho bang tai voi hoac ho"
)
_STOP = frozenset(_STOP_WORDS.split())


@dataclass(frozen=True, slots=True)
class Sector:
    """A class of a scheme: never a code alone."""

    scheme: str
    code: str

    def __str__(self) -> str:
        return f"{self.scheme} {self.code}"


@dataclass
class SectorNames:
    """The official classes, and the words by which one is found."""

    rows: Sequence[Mapping[str, str | None]]
    collisions: Sequence[Mapping[str, str | None]] = ()
    names: dict[str, str] = field(init=False)
    changed: dict[str, Mapping[str, str | None]] = field(init=False)
    _weights: dict[str, float] = field(init=False)
    _classes: dict[str, list[str]] = field(init=False)
    _totals: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        """Index the words of the names: the rarer a word, the more it says."""
        self.names = {
            str(row["code"]): str(row["name"]) for row in self.rows if row["level"] in ("4", "5") and row["name"]
        }
        self.changed = {str(row["code"]): row for row in self.collisions}
        self._classes = defaultdict(list)
        counts: Counter[str] = Counter()
        for code, name in self.names.items():
            if len(code) == 4:
                for word in _words(name):
                    self._classes[word].append(code)
                    counts[word] += 1
        self._totals = {}
        self._weights = {word: math.log(1 + len(self.names) / count) for word, count in counts.items()}

    def nearest(self, text: str, most: int = 4) -> list[tuple[str, float]]:
        """Classes whose names share the weightiest words with a text, with a share from 0 to 1."""
        words = _words(text)
        if not words:
            return []
        scores: dict[str, float] = defaultdict(float)
        for word in words:
            for code in self._classes.get(word, ()):
                scores[code] += self._weights[word]
        mine = sum(self._weights.get(word, 6.0) for word in words)
        ranked = []
        for code, shared in scores.items():
            theirs = self._totals.get(code) or sum(self._weights[word] for word in _words(self.names[code]))
            self._totals[code] = theirs
            ranked.append((code, 2 * shared / (mine + theirs)))
        return sorted(ranked, key=lambda pair: (-pair[1], pair[0]))[:most]


def _words(text: str) -> set[str]:
    """Words and pairs of words: most Vietnamese words are of two syllables."""
    syllables = [word for word in search_key(text).split() if word not in _STOP]
    pairs = {f"{one} {other}" for one, other in pairwise(syllables)}
    return set(syllables) | pairs


@cache
def sector_names() -> SectorNames:
    """VSIC 2025 of the base data."""
    return SectorNames(read_rows("vsic_2025.csv"), read_rows("vsic_collisions.csv"))


@cache
def _phrases() -> WordList:
    return WordList(SECTOR_PHRASES)


def read_sector(cell: Cell, scheme: str | None = None) -> Reading[Sector]:
    """The class that a cell names by code, by text or by both. `scheme`: what the column says that its codes are of."""
    if (empty := nothing(cell)) is not None:
        return empty
    raw, text = raw_text(cell), tidy(cell)
    known = sector_names()
    said = re.search(r"vsic\s*(20\d\d)", text.lower())
    scheme = f"VSIC{said[1]}" if said else scheme
    text = re.sub(r"vsic\s*20\d\d", " ", text, flags=re.IGNORECASE)
    codes = list(dict.fromkeys(_CODE.findall(text)))
    words = _CODE.sub(" ", text).strip(" :-–.,;()")
    by_text = _by_text(words)
    if codes:
        return _by_code(raw, codes, words, by_text, scheme, known)
    if not by_text:
        return Reading(raw, problems=(Problem("unknown_sector"),))
    (code, confidence), *others = by_text
    more = tuple(Alternative(Sector(SCHEME, other), round(sure, 2)) for other, sure in others)
    several = [Problem("several_sectors")] if len(others) and others[0][1] >= 0.7 else []
    return Reading(
        raw, Sector(SCHEME, code), round(min(confidence, 0.7) if several else confidence, 2), tuple(several), more
    )


@lru_cache(maxsize=20_000)
def _by_text(words: str) -> tuple[tuple[str, float], ...]:
    """Classes that a text may mean, likeliest first. A list says "quán ăn" a thousand times."""
    known = sector_names()
    if not search_key(words):
        return ()
    official = next((code for code, name in known.names.items() if search_key(name) == search_key(words)), None)
    if official is not None:
        return ((official, 0.98),)
    found: dict[str, float] = {}
    count = len(search_key(words).split())
    for phrase in _phrases().find(words):
        if phrase.end - phrase.begin == 1 and not _is_that_word(phrase, words):
            continue
        if phrase.end - phrase.begin == count and phrase.code in known.names:
            return ((phrase.code, 0.9),)
        # The longer a phrase, and the more of the text it is, the surer. What stands first is the main line.
        length = phrase.end - phrase.begin
        sure = min(0.55 + 0.1 * length + 0.25 * length / count, 0.9) - (0.02 * min(len(found), 5))
        if phrase.code in known.names:
            found[phrase.code] = max(found.get(phrase.code, 0.0), sure)
    for code, share in known.nearest(words):
        found[code] = max(found.get(code, 0.0), 0.75 * share)
    return tuple(sorted(found.items(), key=lambda pair: -pair[1])[:4])


def _is_that_word(phrase: Found, text: str) -> bool:
    """Whether one syllable is the word and not its look-alike: "mỉ" is no "mì", "Sơn" in a name no paint.

    In a text without marks nobody can tell.
    """
    if text.isascii():
        return True
    written = re.findall(r"[^\W_]+", text)
    return phrase.begin < len(written) and written[phrase.begin].lower() in _syllables().get(phrase.code, ())


@cache
def _syllables() -> dict[str, frozenset[str]]:
    return {code: frozenset(each for each in written.split("|") if " " not in each)
            for code, written in SECTOR_PHRASES.items()}  # fmt: skip


def _by_code(
    raw: str, codes: list[str], words: str, by_text: Sequence[tuple[str, float]], scheme: str | None, known: SectorNames
) -> Reading[Sector]:
    problems = [Problem("several_codes", (("count", str(len(codes))),))] if len(codes) > 1 else []
    others = [Alternative(Sector(SCHEME, code), 0.5) for code in codes[1:] if code in known.names]
    others += [Alternative(Sector(SCHEME, code), round(sure, 2)) for code, sure in by_text if code not in codes][:3]
    code = codes[0]
    older = scheme is not None and scheme != SCHEME
    if code not in known.names:
        problems.append(Problem("code_of_older_scheme", (("code", code),)))
        best = by_text[0] if by_text else None
        value = Sector(SCHEME, best[0]) if best else None
        return Reading(raw, value, min(best[1], 0.6) if best else 0.0, tuple(problems), tuple(others))
    changed = known.changed.get(code[:4])
    if changed is not None and scheme != SCHEME:
        return _changed(raw, code, words, changed, older, problems, others, by_text)
    if not words:
        return Reading(
            raw, Sector(SCHEME, code), 0.7 if older else 0.85 - 0.1 * bool(problems), tuple(problems), tuple(others)
        )
    agrees = similarity(search_key(words), search_key(known.names[code])) >= 0.3
    agrees = agrees or any(found[:4] == code[:4] for found, _ in by_text[:2])
    if not agrees:
        problems.append(Problem("code_and_text_disagree", (("code", code),)))
    confidence = (0.95 if agrees else 0.55) - 0.1 * (len(codes) > 1)
    return Reading(raw, Sector(SCHEME, code), round(confidence, 2), tuple(problems), tuple(others))


def _changed(
    raw: str, code: str, words: str, changed: Mapping[str, str | None], older: bool, problems: list[Problem],
    others: list[Alternative[Sector]], by_text: Sequence[tuple[str, float]],
) -> Reading[Sector]:  # fmt: skip
    """A code that meant something else before: only the text can say which meaning was meant."""
    problems.append(Problem("code_changed_meaning", (("code", code),)))
    now = similarity(search_key(words), search_key(changed["meaning_vsic2025"] or ""))
    before = max(
        similarity(search_key(words), search_key(changed[column] or ""))
        for column in ("meaning_vsic2007", "meaning_vsic2018")
    )
    if words and not older and now > before + 0.15:
        return Reading(raw, Sector(SCHEME, code), 0.85, tuple(problems), tuple(others))
    if words and by_text:
        found, sure = by_text[0]
        return Reading(raw, Sector(SCHEME, found), round(min(sure, 0.7), 2), tuple(problems), tuple(others))
    if older:
        return Reading(raw, None, 0.0, tuple(problems), tuple(others))
    return Reading(raw, Sector(SCHEME, code), 0.5, tuple(problems), tuple(others))
