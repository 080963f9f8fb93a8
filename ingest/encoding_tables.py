"""The letters of TCVN3 (ABC fonts), VNI and VIQR, as they look when their bytes are shown as Windows-1252.

Source of the tables: TCVN 5712:1993 (set 3), the VNI-Windows character set, RFC 1456 (VIQR).
"""

import re
import unicodedata

_TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")


def _letter(base: str, mark: str = "", tone: str = "") -> str:
    return unicodedata.normalize("NFC", base + mark + tone)


_BREVE, _CIRCUMFLEX, _HORN = "\u0306", "\u0302", "\u031b"
_IN_TCVN3 = {
    # Per vowel: the codes of the letter without tone, then with huyền, hỏi, ngã, sắc, nặng.
    ("a", ""): "aµ¶·¸¹",
    ("a", _BREVE): "¨»¼½¾Æ",
    ("a", _CIRCUMFLEX): "©ÇÈÉÊË",
    ("e", ""): "eÌÎÏÐÑ",
    ("e", _CIRCUMFLEX): "ªÒÓÔÕÖ",
    ("i", ""): "i×ØÜÝÞ",
    ("o", ""): "oßáâãä",
    ("o", _CIRCUMFLEX): "«åæçèé",
    ("o", _HORN): "¬êëìíî",
    ("u", ""): "uïñòóô",
    ("u", _HORN): "\u00adõö÷øù",
    ("y", ""): "yúûüýþ",
}
TCVN3 = {
    code: _letter(base, mark, tone)
    for (base, mark), codes in _IN_TCVN3.items()
    for code, tone in zip(codes, _TONES, strict=True)
    if code not in "aeiouy"
}
TCVN3 |= {"®": "đ", "§": "Đ", "¡": "Ă", "¢": "Â", "£": "Ê", "¤": "Ô", "¥": "Ơ", "¦": "Ư"}
"""Upper-case letters with a tone have no code: their words are set in a capitals-only font, and come out lower-case."""

_VNI_TONES = {"\u0300": "ø", "\u0309": "û", "\u0303": "õ", "\u0301": "ù", "\u0323": "ï", "": ""}
_VNI_CIRCUMFLEX = {"\u0300": "à", "\u0309": "å", "\u0303": "ã", "\u0301": "á", "\u0323": "ä", "": "â"}
_VNI_BREVE = {"\u0300": "è", "\u0309": "ú", "\u0303": "ü", "\u0301": "é", "\u0323": "ë", "": "ê"}


def _vni() -> dict[str, str]:
    table = {"ñ": "đ", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ", "ô": "ơ", "ö": "ư"}
    for tone in _TONES:
        for base in "aeouy":
            if tone and not (base == "y" and tone == "\u0323"):
                table[base + _VNI_TONES[tone]] = _letter(base, "", tone)
        for base in "aeo":
            table[base + _VNI_CIRCUMFLEX[tone]] = _letter(base, _CIRCUMFLEX, tone)
        table["a" + _VNI_BREVE[tone]] = _letter("a", _BREVE, tone)
        if tone:
            table["ô" + _VNI_TONES[tone]] = _letter("o", _HORN, tone)
            table["ö" + _VNI_TONES[tone]] = _letter("u", _HORN, tone)
    upper = {}
    for code, letter in table.items():
        upper[code.upper()] = letter.upper()
        # A capital with a small mark, as in a word that only starts with a capital, typed so by some programs.
        upper[code[0].upper() + code[1:]] = letter.upper()
    return table | upper


VNI = _vni()
VNI_CODES = re.compile("|".join(sorted(map(re.escape, VNI), key=len, reverse=True)))

VIQR_MARKS = {"^": _CIRCUMFLEX, "(": _BREVE, "+": _HORN, "*": _HORN}
VIQR_TONES = {"`": "\u0300", "?": "\u0309", "~": "\u0303", "'": "\u0301", ".": "\u0323"}
VIQR_LETTER = re.compile(r"([aA](?:[\^(])?|[eE]\^?|[oO](?:[\^+*])?|[uU][+*]?|[iIyY])([`?~'.])?")
"""A vowel with its marks, in the order of RFC 1456: the shape first, then the tone."""
