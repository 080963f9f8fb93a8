"""Text in the encodings of before Unicode, or in Unicode's odd forms: one cell, decoded and judged by itself.

A word is evidence when it is no Vietnamese syllable as it stands and one when decoded. What is right already (English,
numbers, codes, e-mail addresses, proper Vietnamese) never gets better by decoding, and so is never touched.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Literal, get_args

from ingest.encoding_tables import TCVN3, VIQR_LETTER, VIQR_MARKS, VIQR_TONES, VNI, VNI_CODES
from ingest.syllables import is_marked_syllable

Encoding = Literal["tcvn3", "vni", "viqr", "nfd", "eth", "utf8_as_1252"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)

_RUN = re.compile(r"[^\s\x00-\x40\x5b-\x60\x7b-\x7f\u2000-\u206f]+")
_CHUNK = re.compile(r"\S+")
_VIQR_TOKEN = re.compile(r"[A-Za-z][A-Za-z`?~'.^(+*]*+(?!\d)")
_VIQR_MARK = re.compile(r"[aAeEoOuU][\^(+*]|[A-Za-z][`~]|[aeiouyAEIOUY]['?.][A-Za-z]|\b[dD][dD][aeiouyAEIOUY]")
_ADDRESS = re.compile(r"@|://|^www\.|\.(?:vn|com|net|org|html?|jpe?g|png|pdf|xlsx?)\b", re.IGNORECASE)
_COMBINING = re.compile(r"[\u0300-\u036f]")
_SIGNS = dict.fromkeys(map(ord, "²³°–—“”‘’…•\xa0"), " ")
_ALONE: tuple[Encoding, ...] = ("tcvn3", "vni", "utf8_as_1252", "eth")


@lru_cache(maxsize=20_000)
def score(text: str) -> tuple[int, int]:
    """Of the runs of letters with a letter beyond ASCII: how many are Vietnamese syllables, and how many are not."""
    good = bad = 0
    for run in _RUN.findall(text):
        if not run.isascii():
            if _is_word(run):
                good += 1
            else:
                bad += 1
    return good, bad


def _is_word(run: str) -> bool:
    """A marked syllable written in one of the ways people use capitals, or an abbreviation with Đ (ĐT, ĐKKD)."""
    if run[1:] != run[1:].lower() and not run.isupper():
        return False
    if is_marked_syllable(run):
        return True
    return "Đ" in run and 1 < len(run) <= 6 and run.isupper() and run.replace("Đ", "D").isascii()


def decode(text: str, encoding: Encoding) -> str:
    """The text read in this encoding. Words that only Unicode can write stay as they are."""
    if encoding == "nfd":
        return unicodedata.normalize("NFC", text)
    if encoding == "utf8_as_1252":
        return _decode_utf8_as_1252(text)
    if encoding == "viqr":
        return _CHUNK.sub(_decode_viqr, text)
    if encoding == "eth":
        return _RUN.sub(_decode_eth, text)
    decoded = _RUN.sub(_decode_tcvn3 if encoding == "tcvn3" else _decode_vni, text)
    return _in_capitals(decoded) if encoding == "tcvn3" else decoded


def _decode_tcvn3(match: re.Match[str]) -> str:
    run = match[0]
    # A sign by itself is one (Nestlé · 100 × 150), though TCVN3 has letters there that could be words.
    if run in "·×" or any(letter > "\xff" for letter in run):
        return run
    decoded = "".join(TCVN3.get(letter, letter) for letter in run)
    # Café, Nestlé, Zoë: one accented letter of an ordinary word, which decoding does not make Vietnamese.
    foreign = sum(not letter.isascii() for letter in run) == 1 and run.isalpha() and not run[0] > "\x7f"
    return run if foreign and not is_marked_syllable(decoded) else decoded


def _decode_vni(match: re.Match[str]) -> str:
    run = match[0]
    return run if any(letter > "\xff" for letter in run) else VNI_CODES.sub(lambda code: VNI[code[0]], run)


def _in_capitals(text: str) -> str:
    """Give words the capitals that TCVN3 cannot write: in a capitals-only font `HßA` is HÒA.

    A word that starts with a small marked letter among words that all start with a capital (`Ông ích Khiêm`) is a
    name too.
    """
    runs = _RUN.findall(text)
    capitals = [_ascii(run) for run in runs if len(_ascii(run)) > 1 and _ascii(run).isupper()]
    whole = bool(capitals) and not any(letter.islower() and letter.isascii() for letter in text)
    titled = len(runs) > 2 and sum(run[0].isupper() for run in runs) >= len(runs) - 1

    def raised(match: re.Match[str]) -> str:
        run = match[0]
        plain = _ascii(run)
        if (len(plain) > 1 and plain.isupper()) or (whole and (plain.isupper() or not plain)):
            return run.upper()
        return run[0].upper() + run[1:] if titled and not run[0].isascii() else run

    return _RUN.sub(raised, text)


def _ascii(run: str) -> str:
    return "".join(letter for letter in run if letter.isascii())


def _decode_viqr(match: re.Match[str]) -> str:
    chunk = match[0]
    if _ADDRESS.search(chunk):
        return chunk
    return _VIQR_TOKEN.sub(_viqr_word, chunk)


def _viqr_word(match: re.Match[str]) -> str:
    token = match[0]
    ending = token[len(token.rstrip("?.'")) :]
    # The last mark may be the tone of the last vowel, or the end of the sentence.
    for kept in (0, 1) if ending else (0,):
        letters, rest = token[: len(token) - kept], token[len(token) - kept :]
        word = re.sub(r"^(?:dd|DD|Dd|dD)", lambda found: "Đ" if found[0][0] == "D" else "đ", letters)
        word = VIQR_LETTER.sub(_viqr_letter, word)
        end = len(word.rstrip("`?~'.^(+*"))
        if word != letters and _is_word(word[:end]):
            return word + rest
    return token


def _viqr_letter(match: re.Match[str]) -> str:
    vowel, tone = match[1], match[2]
    mark = VIQR_MARKS[vowel[1]] if len(vowel) > 1 else ""
    return unicodedata.normalize("NFC", vowel[0] + mark + (VIQR_TONES[tone] if tone else ""))


def _decode_eth(match: re.Match[str]) -> str:
    run = match[0]
    if run[0] not in "Ðð":
        return run
    word = ("Đ" if run[0] == "Ð" else "đ") + run[1:].replace("Ð", "Đ")
    abbreviation = len(word) <= 6 and word[1:].isascii() and word.isupper()
    return word if abbreviation or is_marked_syllable(word) else run


def _decode_utf8_as_1252(text: str) -> str:
    try:
        return b"".join(
            bytes([ord(letter)]) if letter <= "\xff" else letter.encode("cp1252") for letter in text
        ).decode("utf-8")
    except UnicodeError:
        return text


def _viqr_marks(text: str) -> int:
    """How many marks only VIQR would write stand in a text, outside addresses of the net and blood groups (`O+`)."""
    chunks = (chunk for chunk in _CHUNK.findall(text) if not _ADDRESS.search(chunk) and len(chunk) > 2)
    return sum(len(_VIQR_MARK.findall(chunk)) for chunk in chunks)


def is_plain(text: str) -> bool:
    """Whether a text has no letter beyond ASCII, nor a sign that stands for one."""
    return text.isascii() or text.translate(_SIGNS).isascii()


@lru_cache(maxsize=20_000)
def guess(text: str) -> tuple[Encoding | None, bool]:
    """The encoding of one cell by itself, and whether it can be nothing else. None for text that is right as it is."""
    if is_plain(text):
        if not any(mark in text for mark in "^(+*`~'.?") and "dd" not in text.lower():
            return None, True
        decoded = decode(text, "viqr")
        marks = _viqr_marks(text)
        return ("viqr", marks > 1) if decoded != text and marks else (None, False)
    if _COMBINING.search(text):
        return "nfd", True
    good, bad = score(text)
    if not bad:
        return None, False
    best: Encoding | None = None
    best_value = good - 2 * bad
    best_bad = bad
    for encoding in _ALONE:
        decoded = decode(text, encoding)
        if decoded == text:
            continue
        now_good, now_bad = score(decoded)
        if encoding == "utf8_as_1252":
            now_good += 1
        elif now_good <= good:
            continue
        value = now_good - 2 * now_bad
        if best in ("tcvn3", "vni") and value == best_value and encoding == "vni":
            # Both read well: only the column can tell.
            best = None
        elif value > best_value and now_bad < bad:
            best, best_value, best_bad = encoding, value, now_bad
    return best, best is not None and best_bad == 0
