"""What a sticker says, and the papers that stickers stand on, in sizes that follow from how far people stand.

The rule of size: a phone reads a QR code from ten times its side, so the symbol, without its quiet zone, measures at
least a tenth of the distance it is made for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from web import lookup

INSET = 1.5
"""Millimetres between the edge of a sticker and its QR code."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paper, and where on it the stickers stand. Millimetres."""

    page: tuple[float, float]
    columns: int
    rows: int
    width: float
    height: float
    """Of one sticker, cut to size."""
    box: float
    """Side of the QR code with its quiet zone."""
    distance: int
    """From how far it is read."""
    upright: bool
    """The text stands below the QR code, not beside it."""

    @property
    def per_page(self) -> int:
        """Stickers on a page."""
        return self.columns * self.rows

    @property
    def margins(self) -> tuple[float, float]:
        """Left and above the first sticker."""
        return (self.page[0] - self.columns * self.width) / 2, (self.page[1] - self.rows * self.height) / 2

    def box_at(self, index: int) -> tuple[float, float]:
        """Left and upper edge of the QR code of a page's sticker, with its quiet zone."""
        row, column = divmod(index, self.columns)
        left, top = self.margins[0] + column * self.width, self.margins[1] + row * self.height
        return (left + (self.width - self.box) / 2, top + 7) if self.upright else (left + INSET, top + INSET)


A4 = (210.0, 297.0)
LAYOUTS: Mapping[str, Layout] = {
    "a4_10": Layout(A4, 2, 5, 92.0, 54.0, 38.0, 300, False),
    "a4_4": Layout(A4, 2, 2, 99.0, 140.0, 88.0, 700, True),
    "roll_100x60": Layout((100.0, 60.0), 1, 1, 100.0, 60.0, 42.0, 300, False),
    "roll_100x150": Layout((100.0, 150.0), 1, 1, 100.0, 150.0, 88.0, 700, True),
}


@dataclass(frozen=True, slots=True)
class Sticker:
    """What is printed for one place."""

    code: str
    address: str
    """The absolute address in the QR code, letter by letter: scheme and host stay as they are written."""
    name: str
    kind: str
    """What stands in place of a name whose letters the font lacks."""
    street_address: str | None
    ward: str | None
    illustrative: bool
    serial: str | None
    """None on a preview, which says so."""


def sticker(place: Mapping[str, Any], address: str, lang: str = "vi", serial: str | None = None) -> Sticker:
    """The sticker of an establishment.

    `place` has `code`, `name`, `name_en`, `kind`, `sector_group`, `address`, `stall`, `illustrative` and `ward`, a row
    or None.
    """
    ward = lookup.ward_title(place["ward"], lang)
    return Sticker(
        code=place["code"],
        address=address,
        name=lookup.place_name(place, lang),
        kind=lookup.trade(place, lang),
        street_address=lookup.street_address(place, lang),
        ward=ward,
        illustrative=bool(place["illustrative"]),
        serial=serial,
    )


@dataclass(frozen=True, slots=True)
class Pages:
    """Which pages of a print run these are."""

    first: int
    of: int
    run: str | None = None
    """The run's number, for the foot of the page."""
    as_of: date | None = None
    """The day whose names these are."""
