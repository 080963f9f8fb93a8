"""What a recogniser makes of a cell: a value, how sure it is, what is wrong. The raw text always stays.

A recogniser never raises and never guesses silently: what it is not sure of says so, and a person confirms it. Problems
are codes with values (the words are in `web/translations`); a personal value is in none of them, nor in a `repr`.
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Generic, TypeVar

from ingest.address_words import clean
from ingest.workbook import Value
from postgis.folding import search_key

Cell = Value | None
"""What readers of spreadsheets give, or nothing."""

NEEDS_PERSON_BELOW = 0.8
"""A value of less confidence is a proposal that a person confirms."""
MOST_LETTERS = 5_000

_TEXT_MARK = re.compile(r"^\s*'+(?=[\d+(])")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, as a code, with values for its wording: never a personal value."""

    code: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Alternative(Generic[T]):
    """Another value that it may have been."""

    value: T
    confidence: float


@dataclass(frozen=True, slots=True, repr=False)
class Reading(Generic[T]):
    """A cell as understood. `value` is None where there is none: an empty cell (no problem) or an unreadable one."""

    raw: str
    value: T | None = None
    confidence: float = 0.0
    problems: tuple[Problem, ...] = ()
    alternatives: tuple[Alternative[T], ...] = ()
    personal: bool = False

    @property
    def needs_person(self) -> bool:
        """Whether a person has to look before the value is used."""
        return bool(self.raw) and (self.value is None or self.confidence < NEEDS_PERSON_BELOW)

    @property
    def codes(self) -> tuple[str, ...]:
        """The problems' codes."""
        return tuple(problem.code for problem in self.problems)

    def __repr__(self) -> str:
        shown = "***" if self.personal else f"{self.raw!r} → {self.value!r}"
        return f"Reading({shown}, {self.confidence:.2f}, {self.codes})"


def raw_text(cell: Cell) -> str:
    """The cell as text, as a person would read it in the sheet: 12.0 is "12", a day is 2026-12-31."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float):
        if math.isfinite(cell) and cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        return repr(cell)
    return str(cell)


def tidy(cell: Cell) -> str:
    """The cell's text in NFC with single blanks, without invisible signs and the apostrophe that Excel puts."""
    if type(cell) is str and _TIDY.fullmatch(cell, endpos=MOST_LETTERS + 1) and len(cell) <= MOST_LETTERS:
        return cell
    return clean(_TEXT_MARK.sub("", raw_text(cell)[:MOST_LETTERS]))


_TIDY = re.compile("[!-&(-~À-ÏÑ-ïñ-ȳẠ-ỹ]+(?: [!-&(-~À-ÏÑ-ïñ-ȳẠ-ỹ]+)*")
"""What `tidy` would leave as it is: letters in NFC and signs of ASCII but the apostrophe, with single blanks."""
_NOTHING = frozenset(("", "-", "--", "---", "_", ".", "n/a", "na", "null", "none", "#n/a", "…", "...", "?"))
_LONGEST_SIGN = 16
_DITTO = frozenset(("nt", "nhu tren", "nhu tren day", "-nt-", '"', "''", "〃"))


def is_empty(text: str) -> bool:
    """Whether a tidied text stands for "nothing here"."""
    return len(text) <= _LONGEST_SIGN and text.casefold() in _NOTHING


def is_ditto(text: str) -> bool:
    """Whether a tidied text says "the same as above": the reader of rows must carry the value down."""
    return len(text) <= _LONGEST_SIGN and (text in _DITTO or search_key(text) in _DITTO)


def nothing(cell: Cell, *, personal: bool = False) -> "Reading[Any] | None":
    """The reading of a cell without a value of its own; None when there is something to recognise."""
    raw, text = raw_text(cell), tidy(cell)
    if is_empty(text):
        return Reading(raw, personal=personal)
    if is_ditto(text):
        return Reading(raw, problems=(Problem("same_as_above"),), personal=personal)
    if len(raw) > MOST_LETTERS:
        return Reading(raw, problems=(Problem("too_long", (("most", str(MOST_LETTERS)),)),), personal=personal)
    return None


def read_name(cell: Cell) -> Reading[str]:
    """A name on a signboard or a certificate: its own spelling, single blanks, without quotation marks around it."""
    if (empty := nothing(cell)) is not None:
        return empty
    raw, text = raw_text(cell), tidy(cell)
    name = text.strip(" \"'“”‘’«»*-–_.,;:").strip()
    if not any(unicodedata.category(letter).startswith(("L", "N")) for letter in name):
        return Reading(raw, problems=(Problem("no_letters"),))
    if not any(letter.isalpha() for letter in name):
        return Reading(raw, name, 0.5, (Problem("only_digits"),))
    if len(name) > 200:
        return Reading(raw, name, 0.5, (Problem("long_name"),))
    return Reading(raw, name, 1.0)


_TITLES = ("ông", "bà", "anh", "chị", "cô", "chú", "ong", "ba", "mr", "mrs", "ms", "o.", "b.")
_FIRM_WORDS = frozenset(("cong", "ty", "cty", "tnhh", "hkd", "dntn", "cua", "hang", "quan", "tiem", "shop"))


def read_person(cell: Cell) -> Reading[str]:
    """A person's name, without "Ông"/"Bà" before it; capitals as names have them. Personal."""
    if (empty := nothing(cell, personal=True)) is not None:
        return empty
    raw = raw_text(cell)
    words = tidy(cell).strip(" \"'“”*-_.,;:").split()
    # Titles may stand in a row ("Ông/Bà"), and what is left must be read the same way again.
    while len(words) > 2 and words[0].casefold().rstrip(".:") in _TITLES:
        words = words[1:]
    name = " ".join(words).strip(" \"'“”*-_.,;:")
    if not name or not any(letter.isalpha() for letter in name):
        return Reading(raw, problems=(Problem("not_a_person"),), personal=True)
    if name.isupper() or name.islower():
        name = " ".join(word.capitalize() for word in name.split())
    folded = search_key(name).split()
    if len(_FIRM_WORDS & set(folded)) >= 2 or any(letter.isdigit() for letter in name):
        return Reading(raw, name, 0.5, (Problem("may_be_a_firm"),), personal=True)
    return Reading(raw, name, 1.0 if 2 <= len(folded) <= 6 else 0.7, personal=True)
