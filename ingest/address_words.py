"""The words of a Vietnamese address that say what the next thing is: ward, district, group, floor, stall, plot.

Without marks several of them are syllables of street names too ("phuong" in Nguyễn Tri Phương): a word with the right
marks always counts, one without only in a text that has no marks at all, and not behind such a syllable.
"""

import re
import unicodedata
from itertools import pairwise

from postgis.folding import flatten

_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_DASHES = re.compile("[\u2010-\u2015\u2212]")

# (pattern on the flat text, what it must be in the original when that has marks)
_MARKERS = (
    (r"phuong(?=\s+\S)", ("phường", "phuờng", "phừơng", "phương")),
    (r"p\.\s*(?=[a-z])", None),
    (r"p(?=\s+(?:hoa|binh|thuan|nam|phuoc|hai|thanh|an|thach|vinh|chinh|tan|xuan)\s)", None),
    (r"xa(?=\s+[a-z])", ("xã",)),
    (r"quan(?=\s+\S)", ("quận",)),
    (r"q\.\s*(?=[a-z])", None),
    (r"q(?=\s+(?:hai|thanh|son|ngu|lien|cam)\s)", None),
    (r"huyen(?=\s+\S)", ("huyện",)),
    (r"(?:thanh pho|tp\.?|t\.p\.?)(?=\s*da\s*nang)", None),
    (r"(?:to\s+dan\s+pho|to\s+dp|tdp|to|tổ)\s*(?:so\s*)?(?=\.?\s*\d)", ("tổ", "tổ dân phố", "tổ dp", "tdp", "to")),
    (r"(?:kdc|kdt|khu\s+(?:dan\s+cu|do\s+thi|tap\s+the|pho\s+cho))\b", None),
    (r"(?:tang|lau)(?=\s*(?:\d|tret|tret|ham|lung))", ("tầng", "lầu")),
    (r"cho(?=\s+[a-z])", ("chợ",)),
    (r"(?:sieu thi|tttm|ttm|trung tam thuong mai)(?=\s+\S)", None),
    (r"(?:quay|sap|ki\s*-?\s*ot|kiosk|gian\s+hang)(?=\s*(?:so\s*)?:?\s*[a-z]{0,3}[-. ]?\d)", None),
    (r"(?:doi dien|gan|canh|ben canh|ngay|sau lung|truoc mat|phia sau|goc)(?=\s+\S)", (
        "đối diện", "gần", "cạnh", "bên cạnh", "ngay", "sau lưng", "trước mặt", "phía sau", "góc")),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern), marked) for pattern, marked in _MARKERS)
_WORD_STARTS = re.compile(r"(?<![\w/.-])[bcdghklnpqstx]")
_BY_LETTER = {
    letter: tuple(
        (pattern, marked) for pattern, marked in _COMPILED
        if any(each.lstrip("(?:").startswith(letter) for each in pattern.pattern.split("|"))
    )
    for letter in "bcdghklnpqstx"
}  # fmt: skip
"""The markers that may begin with a letter: most words of an address begin none."""
# Behind these syllables an unmarked "phuong" is a part of the street's name.
_NOT_WARD = re.compile(r"(?:tri|chau|dong|hong|thu|minh|lan|thanh|hoang)\s+$")
_SEPARATORS = re.compile(r"\s*[,;\n|]+\s*|\s+-\s+(?=[^\d])|\s*\((?=\D)|\)\s*")
_UNTIL_SIGN = re.compile(r"[^,;\n|()]*")
_NUMBER_LIST = re.compile(r"(?<=\d)\s*;\s*(?=\d)")


def clean(raw: str) -> str:
    """The text in NFC, one kind of blank and hyphen, without invisible signs; Ð typed for Đ."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", raw)).translate({0xD0: "Đ", 0xF0: "đ"})
    return " ".join(_DASHES.sub("-", text).split())


def segments(text: str) -> list[str]:
    """The parts of a cleaned address: at its commas, and before each word that starts another part."""
    text = _NUMBER_LIST.sub("-", text)
    flat = flatten(text)
    bare = text.isascii()
    starts, noted = {0}, []
    for start in _WORD_STARTS.finditer(flat):
        at = start.start()
        for pattern, marked in _BY_LETTER[flat[at]]:
            found = pattern.match(flat, at)
            if found is None:
                continue
            word = " ".join(text[at : found.end()].lower().split())
            if marked is not None and not word.isascii() and not word.startswith(marked):
                continue
            if marked is not None and word.isascii() and not bare and not word.startswith(("to", "tdp")):
                continue
            if word == "phuong" and _NOT_WARD.search(flat[:at]):
                continue
            if word == "phương" and not _is_ward_misspelt(flat, at):
                continue
            starts.add(at)
            if NOTE.match(word_flat := flat[at:]):
                # What a note speaks of ("đối diện chợ …") is not the address.
                noted.append((at, at + len(_UNTIL_SIGN.match(word_flat)[0])))  # type: ignore[index]
    starts = {at for at in starts if not any(begin < at < end for begin, end in noted)}
    parts: list[str] = []
    for begin, end in pairwise([*sorted(starts), len(text)]):
        parts.extend(part.strip(" .:-()") for part in _SEPARATORS.split(text[begin:end]))
    return [part for part in parts if part]


def _is_ward_misspelt(flat: str, at: int) -> bool:
    """ "Phương Hòa Cường": right behind a comma, where no street's name can be going on."""
    return flat[:at].rstrip().endswith((",", ";", "-"))


STALL = re.compile(r"(?:quay(?:\s+hang)?|sap|ki\s*-?\s*ot|kiosk|gian\s+hang)\s*(?:so\b)?\s*[:.]?\s*(?P<value>.+)")
LOT = re.compile(
    r"(?:lo|thua(?:\s+dat)?|so\s+thua)\s*(?:dat\b)?\s*(?:so\b)?\s*[:.]?\s*"
    r"(?P<value>[a-z]{0,4}[-. ]?\d[\w.\-/]*(?:\s+[a-z]{1,3}[-.]?\d[\w.\-/]*)*)(?P<rest>.*)"
)
FLOOR = re.compile(r"(?:tang|lau)\s*(?P<value>\d+\w?|tret|ham|lung)\b\s*(?P<rest>.*)")
GROUP = re.compile(
    r"(?:to\s+dan\s+pho|to\s+dp|tdp|to)\s*(?:so\b)?\s*[.:]?\s*0*(?P<value>\d{1,4})(?P<letter>[a-z]?)\b(?P<rest>.*)"
)
SITE = re.compile(r"(?:cho|sieu thi|tttm|ttm|trung tam thuong mai)\s+\S.*")
BLOCK = re.compile(r"(?:kdc|kdt|khu\s+\S|chung cu|toa nha|block|ct\d|nha tap the).*")
WARD = re.compile(r"(?:phuong|p\.|p(?=\s)|xa)\s*(?P<value>\S.*)")
DISTRICT = re.compile(r"(?:quan|q\.|q(?=\s)|huyen)\s*(?P<value>\S.*)")
CITY = re.compile(r"(?:thanh pho|tp\.?|t\.p\.?)?\s*(?:da\s*nang?|dn|da nanag)\s*(?:\d{5,6})?|(?:viet\s*nam|vn)|\d{5,6}")
NOTE = re.compile(r"(?:doi dien|gan|canh|ben canh|ngay|sau lung|truoc mat|phia sau|goc)\b.*")

_FIRST_WORDS = {
    "phuong": ("phường", "phuờng", "phừơng", "phương"),
    "xa": ("xã",),
    "quan": ("quận",),
    "huyen": ("huyện",),
    "cho": ("chợ",),
    "to": ("tổ",),
}


def is_said(piece: str) -> bool:
    """Whether the first word is what its letters without marks look like: "xã" is, the "Xa" of "Xa lộ Hà Nội" is not.

    A text without any marks gets the benefit of the doubt.
    """
    first = piece.lower().split(maxsplit=1)[0]
    wanted = _FIRST_WORDS.get(flatten(first))
    return wanted is None or piece.isascii() or first in wanted


DISTRICTS = ("Hải Châu", "Thanh Khê", "Sơn Trà", "Ngũ Hành Sơn", "Liên Chiểu", "Cẩm Lệ", "Hòa Vang")
"""Districts of Đà Nẵng until 30 June 2025: old addresses name them, and some are names of wards now."""
