"""Vietnamese names: one spelling for each."""

import re
import unicodedata

# In decomposed text: an open oa, oe or uy with its tone mark on the second vowel. "qu" is a consonant, so its y keeps
# the mark ("quý"); with a letter after it the syllable is another one ("hoài", "hoàn": the same in both styles).
_MARK_ON_SECOND_VOWEL = re.compile(
    r"(?<![qQ])(?:([oO])([aAeE])|([uU])([yY]))([\u0300\u0301\u0303\u0309\u0323])(?![\w\u0300-\u036f])"
)


def place_tone(text: str) -> str:
    """The text in NFC with tone marks where official place names have them: Hòa, not Hoà; Thủy, not Thuỷ."""

    def move(match: re.Match[str]) -> str:
        first, second = (match[1], match[2]) if match[1] else (match[3], match[4])
        return f"{first}{match[5]}{second}"

    return unicodedata.normalize("NFC", _MARK_ON_SECOND_VOWEL.sub(move, unicodedata.normalize("NFD", text)))


def tidy(text: str) -> str:
    """The text in NFC with single spaces: spelling, case and marks stay as the source has them."""
    return " ".join(unicodedata.normalize("NFC", text).split())
