"""The blocks that a report is made of, whatever writes them."""

from dataclasses import dataclass

from web.marks import Drawing


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a part (level 1), or within one (2)."""

    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph. `small`: a note below a table."""

    text: str
    italic: bool = False
    small: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with widths in mm (160 in all). `left`: columns of words; the others are figures."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    left: tuple[int, ...]
    strong: frozenset[int] = frozenset()
    """Rows that head those below them, counted from 0."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart or a map with its caption."""

    caption: str
    drawing: Drawing


Block = Heading | Para | Table | Picture
