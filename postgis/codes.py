"""The public look-up code: how one is made, checked, read from what people type, and shown.

A code is printed on a sticker and read aloud over the telephone, so its alphabet has no two signs that are taken for
one another (no 0/O/D/Q, 1/I/L, and only one of 2/Z, 5/S, 6/G, 8/B; no U or V). Seven characters carry the number, the
eighth is a check character. With 23 signs, a prime, the weighted sum below catches every wrong single character and
every swap of two different characters, so a slip of the finger never opens another shop's page.

The database holds the same rule as `published.is_lookup_code(text)` in `functions/010_lookup_code.sql`.
"""

import hashlib
import random
import secrets
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

ALPHABET = "23456789ACEFHJKMNPRTWXY"
LENGTH = 8

_BASE = len(ALPHABET)
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_SPACE = _BASE ** (LENGTH - 1)
# Unicode categories that only separate: dashes, spaces and line ends, and invisible marks pasted along with a code.
_SEPARATORS = frozenset({"Pd", "Zs", "Zl", "Zp", "Cc", "Cf"})
# Nobody types more than this for eight characters; a longer text is refused before any work is done on it.
_LONGEST_INPUT = 64
_LOOK_ALIKE = ("0ODQC", "1ILJT7", "2Z7", "5S", "6G", "8B3", "UVWY", "4A", "MN", "EF", "PRK", "KXH")
_KEYBOARD = ("1234567890", "QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM")


def check_character(stem: str) -> str:
    """The eighth character for a stem of seven, so that sum(i * value(c_i), i = 1..8) is divisible by 23.

    Raises ValueError when the stem is not seven characters of the alphabet.
    """
    if len(stem) != LENGTH - 1 or any(character not in _VALUE for character in stem):
        raise ValueError(f"not {LENGTH - 1} characters of the look-up alphabet: {stem!r}")
    # 8 * 3 = 24 = 1 (mod 23), so 3 undoes the weight of the eighth place.
    return ALPHABET[-3 * _weighted_sum(stem) % _BASE]


def is_valid(code: str) -> bool:
    """Whether the text is a code in canonical form: eight characters of the alphabet whose check character is right."""
    return len(code) == LENGTH and all(character in _VALUE for character in code) and _weighted_sum(code) % _BASE == 0


def normalise(text: str) -> str | None:
    """The canonical form of what a person typed, or None when it is no code.

    Case, spaces, hyphens and full-width letters do not matter. Nothing is guessed: a sign outside the alphabet makes
    the whole text no code, since a guess might open the page of another shop.
    """
    code = _signs(text)
    return code if is_valid(code) else None


def one_slip_away(text: str) -> list[str]:
    """The codes that somebody may have meant who made one likely slip: a sign taken for one that looks like it or lies
    beside it on a keyboard, or two neighbours swapped. At most a dozen; none for what is a code, or no code by far.

    Good for asking "did you mean", never for leading on: the slip may have been another.
    """
    typed = _signs(text)
    if len(typed) != LENGTH or is_valid(typed):
        return []
    foreign = [place for place, character in enumerate(typed) if character not in _VALUE]
    if len(foreign) > 1:
        return []
    found = {
        typed[:place] + meant + typed[place + 1 :]
        for place in foreign or range(LENGTH)
        for meant in _TAKEN_FOR.get(typed[place], "")
    }
    if not foreign:
        found |= {typed[:place] + typed[place + 1] + typed[place] + typed[place + 2 :] for place in range(LENGTH - 1)}
    return sorted(code for code in found if is_valid(code))


def display(code: str) -> str:
    """The code as people see it, in two groups of four: K7M4-2XP2."""
    return f"{code[:4]}-{code[4:]}"


def new_code(rng: random.Random | None = None) -> str:
    """A random code. Without `rng` it cannot be guessed from earlier ones; whether it is free, only the store knows."""
    number = secrets.randbelow(_SPACE) if rng is None else rng.randrange(_SPACE)
    return _code_of(number)


def code_for(seed_text: str, attempt: int = 0) -> str:
    """The code that belongs to a text, the same on every machine and day; `attempt` gives the next one after a clash.

    Sample data needs this: a sticker printed from one installation's sample opens the same place in another.
    """
    digest = hashlib.sha256(f"{seed_text}\x1f{attempt}".encode()).digest()
    return _code_of(int.from_bytes(digest[:16], "big") % _SPACE)


def codes_for(seed_texts: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """One code for each text, in order, all different from one another and from those `taken`.

    Among ten thousand texts two share a first code about once in seventy sets; the later text then gets its next.
    """
    used = set(taken)
    codes: list[str] = []
    for seed_text in seed_texts:
        attempt = 0
        while (code := code_for(seed_text, attempt)) in used:
            attempt += 1
        used.add(code)
        codes.append(code)
    return codes


def _signs(text: str) -> str:
    """What was typed, without what only separates; nothing of a text that nobody types."""
    if len(text) > _LONGEST_INPUT:
        return ""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(character for character in plain if unicodedata.category(character) not in _SEPARATORS).upper()


def _slips() -> dict[str, str]:
    """For each sign what it may have been meant for."""
    pairs = {(one, other) for alike in _LOOK_ALIKE for one in alike for other in alike}
    for row in _KEYBOARD:
        pairs |= set(pairwise(row))
    for above, below in pairwise(_KEYBOARD):
        # Each row stands half a key to the right of the one above it.
        pairs |= {*zip(above, below, strict=False), *zip(above[1:], below, strict=False)}
    pairs |= {(other, one) for one, other in pairs}
    return {
        sign: "".join(sorted(meant for typed, meant in pairs if typed == sign and meant != sign and meant in _VALUE))
        for sign, _ in pairs
    }


def _weighted_sum(characters: str) -> int:
    return sum(place * _VALUE[character] for place, character in enumerate(characters, start=1))


def _code_of(number: int) -> str:
    stem = ""
    for _ in range(LENGTH - 1):
        number, digit = divmod(number, _BASE)
        stem += ALPHABET[digit]
    return stem + check_character(stem)


_TAKEN_FOR = _slips()
