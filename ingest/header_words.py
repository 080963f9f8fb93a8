"""What the head of a column means, by its words."""

import re
import tomllib
import unicodedata
from difflib import SequenceMatcher
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from ingest.encoding import decode, guess

_WORDS = Path(__file__).with_name("header_words.toml")
_MARKS = re.compile(r"[\u0300-\u036f\u200b-\u200f\u00ad\ufeff]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_APART = re.compile(r"[^0-9a-z#]+")
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]")
# Cyrillic letters that look Latin, from keyboards and text recognition.
_LOOKALIKES = str.maketrans("АВЕКМНОРСТХаеорсухđĐÐð", "ABEKMHOPCTXaeopcyxdDDd")
_LEAST = 0.5
_OF_ANY_PAPER = frozenset(["licence_issued_on", "licence_expires_on", "licence_issuer"])


class Field(NamedTuple):
    """A field that a column may hold: its header words, folded, what its cells look like, whether it may repeat, and
    whether only lists of our own have it."""

    name: str
    words: tuple[str, ...]
    contents: tuple[str, ...]
    many: bool
    ours: bool = False


class _Context(NamedTuple):
    words: tuple[str, ...]
    turns: dict[str, str]


def fold(text: str) -> str:
    """A header without what may differ: encoding, diacritics, capitals, punctuation, line breaks."""
    encoding, _ = guess(text)
    if encoding:
        text = decode(text, encoding)
        second, _ = guess(text)
        text = decode(text, second) if second else text
    return fold_plain(_CAMEL.sub(" ", text))


def fold_plain(text: str) -> str:
    """Text in proper Unicode without diacritics, capitals and punctuation."""
    plain = _MARKS.sub("", unicodedata.normalize("NFD", text.translate(_LOOKALIKES))).lower()
    return _APART.sub(" ", plain).strip()


@cache
def fields() -> dict[str, Field]:
    """All fields by name, in the order of the file."""
    document = tomllib.loads(_WORDS.read_text(encoding="utf-8"))
    return {
        name: Field(
            name,
            tuple(dict.fromkeys(fold(word) or word for word in entry["words"])),
            tuple(entry.get("contents", ())),
            entry.get("many", False),
            entry.get("ours", False),
        )
        for name, entry in document["fields"].items()
    }


@cache
def _contexts() -> dict[str, _Context]:
    document = tomllib.loads(_WORDS.read_text(encoding="utf-8"))
    return {
        name: _Context(tuple(fold(word) for word in entry["words"]), entry["turns"])
        for name, entry in document["contexts"].items()
    }


@cache
def _exact() -> dict[str, str]:
    """The field of each header word, with and without its spaces."""
    found: dict[str, str] = {}
    for field in fields().values():
        for word in field.words:
            found.setdefault(word, field.name)
    for word, name in list(found.items()):
        if len(word) > 3:
            found.setdefault(word.replace(" ", ""), name)
    return found


def is_exact(folded: str) -> bool:
    """Whether a folded text is, word for word, the head of some column."""
    return folded in _exact()


@lru_cache(maxsize=20_000)
def scores(header: str, above: str = "") -> dict[str, float]:
    """How well a header fits each field, from 0.5 (hardly) to 1 (word for word); fields that do not fit are absent.

    `above` is the text of a header over several columns, this one among them.
    """
    text, without = fold(header), fold(_BRACKETS.sub(" ", header))
    found = _plain_scores(text)
    for name, score in _plain_scores(without).items() if without and without != text else ():
        found[name] = max(found.get(name, 0.0), score * 0.98)
    over = fold(above)
    if over:
        for name, score in _plain_scores(f"{over} {text}").items():
            found[name] = max(found.get(name, 0.0), min(score, 0.98))
    return _in_context(found, f"{over} {text}")


def _in_context(found: dict[str, float], text: str) -> dict[str, float]:
    for context in _contexts().values():
        if not any(f" {word} " in f" {text} " for word in context.words):
            continue
        for generic, special in context.turns.items():
            if generic in found:
                score = found.pop(generic)
                found[special] = max(found.get(special, 0.0), min(0.98, score + 0.15))
    return found


def turned_by(left: str, name: str) -> str:
    """What a generic field means right after another: the date after a personal ID is that of its issue."""
    for context, entry in _contexts().items():
        if name in _OF_ANY_PAPER and (left == context or left.startswith(f"{context}_")):
            return entry.turns.get(name, name)
    return name


@lru_cache(maxsize=20_000)
def _plain_scores_cached(text: str) -> tuple[tuple[str, float], ...]:
    best: dict[str, float] = {}
    joined = text.replace(" ", "")
    for field in fields().values():
        score = max((_score(text, joined, word) for word in field.words), default=0.0)
        if score >= _LEAST:
            best[field.name] = round(score, 3)
    return tuple(best.items())


def _plain_scores(text: str) -> dict[str, float]:
    return dict(_plain_scores_cached(text)) if text and len(text) <= 120 else {}


def _score(text: str, joined: str, word: str) -> float:
    if text == word:
        return 1.0
    if len(joined) > 3 and joined == word.replace(" ", ""):
        return 0.97
    if len(word) < 2:
        return 0.0
    if f" {word} " in f" {text} ":
        # The head of a header says what it is: `Tên cơ sở (địa chỉ…)` is a name.
        early = 0.06 if text.startswith(word) else 0.0
        return (0.48 if " " in word else 0.42) + early + 0.4 * len(word) / len(text)
    tokens = word.split()
    if len(tokens) > 1 and _in_order(tokens, text.split()):
        return 0.46 + 0.4 * len(word) / len(text)
    if len(word) > 5 and abs(len(word) - len(text)) < 4:
        if len(_pairs(text) & _pairs(word)) * 2 < len(word) - 1:
            return 0.0
        likeness = SequenceMatcher(None, text, word, autojunk=False).ratio()
        if likeness >= 0.86:
            return 0.85 * likeness
    return 0.0


@lru_cache(maxsize=4_096)
def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[place : place + 2] for place in range(len(text) - 1))


def _in_order(tokens: list[str], text: list[str]) -> bool:
    rest = iter(text)
    return all(token in rest for token in tokens)
