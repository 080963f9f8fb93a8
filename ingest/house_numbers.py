"""House and alley numbers at the front of an address: "K408/88", "H12/3 K45", "123 - 125", "12 bis", "46 C"."""

import re
from dataclasses import dataclass
from functools import lru_cache

from ingest.street_names import path_of, plain_number
from postgis.folding import flatten

_HOUSE = r"\d+\s?(?:bis|[a-z])?(?![a-z])"
_STEP = r"(?:h|k|hem|kiet)?\s?\d+[a-z]?(?![a-z\d])"
LEAD = re.compile(r"(?:so\s+nha|nha\s+so|so|sn|s\.n|nha|dia chi|dc)\b\s*[:.]?\s*(?=[\dkh])")
"""Words before a house number that say that it is one."""
_RANGE = re.compile(rf"(?P<first>{_HOUSE})(?P<more>(?:\s*[-+&]\s*{_HOUSE}|\s+va\s+{_HOUSE})+)(?=\s|$)")
_PATH = re.compile(rf"\d+[a-z]?(?:\s?/\s?{_STEP})+")
_SINGLE = re.compile(rf"{_HOUSE}(?=\s|$)")
_ALLEY = re.compile(
    rf"(?P<word>kiet|hem|ngo|ngach|k|h)\s*\.?\s*(?:so\s*)?(?P<path>\d+[a-z]?(?![a-z\d])(?:\s?/\s?{_STEP})*)"
)
_INNER = ("hem", "ngach", "h")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The house's number and those of its alleys from the street inwards. `other`: another alley that was named too."""

    house: str | None = None
    alley: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


class _Found:
    def __init__(self) -> None:
        self.house: str | None = None
        self.outer: list[str] = []
        """Alleys of a "183/15/13" that no word calls so."""
        self.inner: list[str] = []
        """A hẻm named before its kiệt: "H12/3 K45"."""
        self.alley: list[str] = []


@lru_cache(maxsize=20_000)
def read_numbers(text: str) -> tuple[Numbers, int]:
    """The numbers that a text begins with, and where the street after them begins. Never raises."""
    flat = flatten(text)
    found, at = _Found(), 0
    while at < len(flat):
        at += len(flat[at:]) - len(flat[at:].lstrip(" ,.-"))
        here = flat[at:]
        if match := LEAD.match(here):
            at += match.end()
        elif match := _ALLEY.match(here):
            _add_alley(found, match)
            at += match.end()
        elif found.house is None and (taken := _read_house(found, text[at:], here)):
            at += taken
        else:
            break
    return _combined(found), min(at, len(text))


def _read_house(found: _Found, text: str, here: str) -> int:
    """How many letters the house number takes; 0: there is none."""
    if match := _RANGE.match(here):
        found.house = "-".join(plain_number(each) for each in re.findall(_HOUSE, match[0]))
        return match.end()
    if match := _PATH.match(here):
        *outer, found.house = _steps(match[0])
        found.outer = outer
        return match.end()
    if match := _SINGLE.match(here):
        digits = re.match(r"\d+", here)
        if digits and text[: match.end()].upper().endswith("Đ"):
            # "12 Đ Núi Thành": the letter means đường.
            found.house = plain_number(digits[0])
            return match.end()
        found.house = plain_number(match[0])
        return match.end()
    return 0


def _steps(path: str) -> list[str]:
    return [plain_number(re.sub(r"kiet|hem|[hk](?=\s?\d)|\s", "", step)) for step in path.split("/")]


def _add_alley(found: _Found, match: re.Match[str]) -> None:
    steps = _steps(match["path"])
    if match["word"] in _INNER and not found.inner and not found.alley:
        found.inner = steps
    elif steps == found.alley[: len(steps)]:
        return  # "K47/28 Kiệt 47 …" says it twice
    else:
        found.alley += steps


def _combined(found: _Found) -> Numbers:
    house, alley, inner = found.house, found.alley, found.inner
    if inner and not alley:
        alley, inner = inner, []
    if inner:
        # "H12/3 K45": the last step is the house, unless its number stood elsewhere.
        if house is None and len(inner) > 1:
            house, inner = inner[-1], inner[:-1]
        alley = [*alley, *inner]
    elif house is None and len(alley) > 1:
        house, alley = alley[-1], alley[:-1]
    if not found.outer:
        return Numbers(house, tuple(alley))
    if alley and alley[0] != found.outer[0]:
        return Numbers(house, tuple(alley), tuple(found.outer))
    return Numbers(house, tuple(found.outer))


def alley_text(alley: tuple[str, ...]) -> str | None:
    """Nested alleys as the register has them: "K45/12" is hẻm 12 in kiệt 45."""
    return f"K{path_of(alley)}" if alley else None
