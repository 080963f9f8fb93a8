"""The mark on a sticker: what tells a code that the ward has printed from one that somebody made up.

A sticker's QR code carries `?t=` and ten signs of the alphabet of look-up codes: serial and mark, five each.
The mark is a keyed hash of code and serial (HMAC-SHA-256, cut to 23^5 = 6.4 million values): who has not the key
guesses one in 6.4 million, and must then name a serial that was issued for that very code. A mark is never stored.
"""

import hmac
import random
import secrets as random_source
import unicodedata
from hashlib import sha256

from postgis.codes import ALPHABET

SERIAL_LENGTH = MARK_LENGTH = 5
_SPACE = len(ALPHABET) ** SERIAL_LENGTH
_LONGEST_INPUT = 64


def new_serial(rng: random.Random | None = None) -> str:
    """A random serial, so that one tells nothing about another; whether it is free, only the store knows."""
    return _signs(random_source.randbelow(_SPACE) if rng is None else rng.randrange(_SPACE))


def mark(key: bytes, code: str, serial: str) -> str:
    """The mark of a sticker with that serial at the place with that code, both in canonical form."""
    digest = hmac.digest(key, f"{code} {serial}".encode(), sha256)
    return _signs(int.from_bytes(digest[:16], "big") % _SPACE)


def same(mark_made: str, mark_seen: str) -> bool:
    """Whether two marks are equal, in a time that tells nothing about where they differ."""
    return hmac.compare_digest(mark_made.encode(), mark_seen.encode())


def split(text: str) -> tuple[str, str] | None:
    """Serial and mark of what stands behind `t=`; None for what cannot be one."""
    signs = canonical(text, SERIAL_LENGTH + MARK_LENGTH)
    return None if signs is None else (signs[:SERIAL_LENGTH], signs[SERIAL_LENGTH:])


def canonical(text: str, length: int = SERIAL_LENGTH) -> str | None:
    """A serial as somebody typed it, in canonical form; None for what cannot be one. Nothing is guessed."""
    if len(text) > _LONGEST_INPUT:
        return None
    signs = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    return signs if len(signs) == length and all(sign in ALPHABET for sign in signs) else None


def _signs(number: int) -> str:
    signs = ""
    for _ in range(SERIAL_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        signs += ALPHABET[digit]
    return signs
