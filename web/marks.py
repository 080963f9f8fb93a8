"""Marks on a plane: lines, areas, dots and words, at their places. Whoever draws them needs to know no more.

Lengths are points of 1/72 inch from the upper left corner.
"""

from dataclasses import dataclass
from typing import Literal

INK, BRAND, GREY, RULE, PALE = "#1b2733", "#0b6e75", "#5b6770", "#d8dfe6", "#cfe3e4"
SIZE = 10.0
_NARROW, _WIDE = frozenset("ijltfrI.,:;|'()[]!1 \xa0-"), frozenset("WMmw@%…&")

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through places."""

    places: tuple[Place, ...]
    colour: str = INK
    width: float = 1.0
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon, with an outline where `edge` says so."""

    places: tuple[Place, ...]
    colour: str
    edge: str | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle, or a hollow one."""

    middle: Place
    radius: float
    colour: str = BRAND
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text; `at` is on its baseline."""

    at: Place
    text: str
    size: float = SIZE
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False
    colour: str = INK


Mark = Stroke | Area | Dot | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """Marks in the order in which they are drawn, and what they say in words."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    description: str


def wide(text: str, size: float = SIZE) -> float:
    """About how wide a line of text is, rather more than less: whoever draws may have another font than we do."""
    return size * sum(map(_letter, text))


def _letter(letter: str) -> float:
    if letter in _NARROW:
        return 0.4
    if letter in _WIDE:
        return 1.0
    return 0.76 if letter.isupper() or ord(letter) > 0x2000 else 0.58


def wrapped(text: str, width: float, size: float = SIZE) -> list[str]:
    """Lines that fit into the width; a longer word is broken."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if wide(joined, size) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and wide(lines[-1] + letter, size) > width:
                lines.append("")
            lines[-1] += letter
    return lines
