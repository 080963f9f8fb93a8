"""Vietnamese text written in the encodings of before Unicode: the way back of ingest.encoding, for tests only."""

import unicodedata

from ingest.encoding_tables import TCVN3, VIQR_MARKS, VIQR_TONES, VNI

_TO_TCVN3 = {letter: code for code, letter in TCVN3.items()}
_TO_VNI: dict[str, str] = {}
for _code, _letter in VNI.items():
    # Of two ways to write a capital the one in capitals throughout.
    if _letter not in _TO_VNI or _code == _code.upper():
        _TO_VNI[_letter] = _code


def encode(text: str, encoding: str) -> str:
    """Text as it looks when its bytes in this encoding are shown as Windows-1252; `nfd` decomposed, `eth` with Ð."""
    text = unicodedata.normalize("NFC", text)
    if encoding == "tcvn3":
        # Capitals with a tone have no code: people set them in small letters of a capitals-only font.
        return "".join(_TO_TCVN3.get(letter, _TO_TCVN3.get(letter.lower(), letter)) for letter in text)
    if encoding == "vni":
        return "".join(_TO_VNI.get(letter, letter) for letter in text)
    if encoding == "viqr":
        return "".join(map(_viqr, text))
    if encoding == "nfd":
        return unicodedata.normalize("NFD", text)
    return text.replace("Đ", "Ð")


def _viqr(letter: str) -> str:
    if letter in "đĐ":
        return "dd" if letter == "đ" else "DD"
    base, *marks = unicodedata.normalize("NFD", letter)
    shapes = {mark: sign for sign, mark in VIQR_MARKS.items() if sign != "*"}
    tones = {mark: sign for sign, mark in VIQR_TONES.items()}
    # The shape comes before the tone (RFC 1456); decomposed, a dot below comes first.
    return base + "".join(shapes.get(mark, "") for mark in marks) + "".join(tones.get(mark, "") for mark in marks)
