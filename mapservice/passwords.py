"""Passwords: which ones are good enough, and how they are kept (argon2id).

Length is asked for, not a mix of signs: rules about signs make people write `Matkhau@123`. What is refused is what an
attacker tries first.
"""

import re
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError

SHORTEST = 10
LONGEST = 200

# RFC 9106 asks for 64 MiB where memory is scarce; two passes take about 0.12 s here.
_HASHER = PasswordHasher(time_cost=2, memory_cost=64 * 1024, parallelism=1, type=Type.ID)

# Two at a time, eight waiting: a flood of sign-ins must not take every core and every thread of the map's visitors.
_AT_WORK = threading.BoundedSemaphore(2)
_PLACES = threading.BoundedSemaphore(10)

_WORDS = """
password passwords passw matkhau matkhaumoi matkhaucu matkhauadmin quantri quantrivien quanly admin administrator
welcome login letmein iloveyou princess sunshine football superman dragon monkey master secret changeme default
anhyeuem emyeuanh yeuem yeuanh yeuemnhieu yeuanhnhieu anhnhoem emnhoanh khongbiet khongco xinchao chaoban taolao
tinhyeu giadinh hanhphuc mauyeuthuong congaicung thienthan langtu vietnam vietnamvodich toiyeuvietnam danang
danangcity thanhphodanang haichau camle hoacuong phuonghoacuong ubnd uyban uybannhandan ubndphuong canbo congchuc
chuyenvien kinhdoanh bandoso bandosokinhdoanh mapservice hanoi saigon hochiminh nguyenvana tranthib qwerty
qwertyuiop qwertyuiopasdfghjkl qwertz asdfghjkl asdfghjklqwertyuiop zxcvbnm qazwsx qazwsxedc qweasdzxc abcdefghij
abcdefghijk abcdefghijkl abcdefghijklm
"""
COMMON = frozenset(_WORDS.split())
"""Words that, alone or with digits and signs around them, stand in every list of tried passwords. Marks are folded."""

_RUNS = ("0123456789" * 3, "9876543210" * 3, "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
_D_WITH_STROKE = chr(0x0111)  # no letter with a mark to Unicode: folding leaves it alone
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


class TooBusy(Exception):
    """Too many passwords are being checked at this moment."""


def weakness(password: str, login: str) -> str | None:
    """Why a password is not good enough: `too_short`, `too_long`, `is_login` or `too_common`; None when it is."""
    text = _normalised(password)
    if len(text) < SHORTEST:
        return "too_short"
    if len(text) > LONGEST:
        return "too_long"
    folded = _folded(text)
    core = re.sub(r"[^a-z]", "", folded)
    if folded == _folded(login) or (core and core == re.sub(r"[^a-z]", "", _folded(login))):
        return "is_login"
    repeated = re.fullmatch(r"(.{1,4}?)\1+.{0,3}", folded) is not None
    in_a_row = any(folded in run for run in _RUNS)
    if core in COMMON or repeated or in_a_row or (not core and folded.isdigit() and len(folded) < 12):
        return "too_common"
    return None


def hash_password(password: str) -> str:
    """The password as it is kept. Raises TooBusy."""
    with _turn():
        return _HASHER.hash(_normalised(password))


def verify(kept: str | None, password: str) -> bool:
    """Whether this is the password. Takes as long when there is nothing to compare it with (None). Raises TooBusy."""
    with _turn():
        try:
            _HASHER.verify(kept if kept is not None else _nobody(), _normalised(password)[: LONGEST + 1])
        except (VerifyMismatchError, InvalidHashError):
            return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a password was kept with weaker settings than today's."""
    return _HASHER.check_needs_rehash(kept)


def temporary_password() -> str:
    """A password to be read aloud once and changed at the first sign-in: three groups without look-alike signs."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(3))


@contextmanager
def _turn() -> Iterator[None]:
    if not _PLACES.acquire(blocking=False):
        raise TooBusy
    try:
        with _AT_WORK:
            yield
    finally:
        _PLACES.release()


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))


def _normalised(password: str) -> str:
    """One form for one text (RFC 8265): keyboards write Vietnamese letters composed or decomposed."""
    spaces = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in password)
    return unicodedata.normalize("NFC", spaces)


def _folded(text: str) -> str:
    """Small letters without marks and spaces."""
    plain = unicodedata.normalize("NFD", text.casefold().replace(_D_WITH_STROKE, "d"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter) and not letter.isspace())
