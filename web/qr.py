"""QR codes of addresses: as a small SVG for pages, a PNG for sharing, and outlines for printed documents.

Error level Q (a quarter of the symbol may be soiled), on stickers H, in a quiet zone of four modules. The address is
encoded byte for byte: turning scheme and host into capitals would make a denser symbol, but some scanners then no
longer see a link.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from io import BytesIO
from typing import Literal

QUIET_ZONE = 4
"""Light modules around the symbol, the least that ISO/IEC 18004 allows."""

Corner = tuple[int, int]
Level = Literal["Q", "H"]
"""Error levels: a quarter, or nearly a third, of the codewords may be lost."""


@dataclass(frozen=True)
class Symbol:
    """A QR symbol: its modules row by row, dark ones true, without the quiet zone."""

    modules: tuple[tuple[bool, ...], ...]

    @property
    def size(self) -> int:
        """Modules along one side, without the quiet zone."""
        return len(self.modules)

    def outlines(self) -> list[list[Corner]]:
        """The edges of the dark areas as closed polygons of (column, row) corners, to be filled by the even-odd rule.

        One filled path has no hairlines between modules, which rectangles side by side get in viewers and printers.
        """
        following = self._edges()
        outlines = []
        while following:
            start = next(iter(following))
            outline = [start]
            corner, heading = start, (0, 0)
            while True:
                onward = following[corner].pop()
                if not following[corner]:
                    del following[corner]
                turn = (_sign(onward[0] - corner[0]), _sign(onward[1] - corner[1]))
                if turn == heading:
                    outline[-1] = onward
                else:
                    outline.append(onward)
                corner, heading = onward, turn
                if corner == start:
                    break
            outlines.append(outline[:-1])
        return outlines

    def _edges(self) -> dict[Corner, list[Corner]]:
        """Unit edges between dark and light, from corner to corner, dark on the right-hand side."""
        following: dict[Corner, list[Corner]] = {}
        size = self.size

        def dark(column: int, row: int) -> bool:
            return 0 <= column < size and 0 <= row < size and self.modules[row][column]

        for row in range(size):
            for column in range(size):
                if not self.modules[row][column]:
                    continue
                if not dark(column, row - 1):
                    following.setdefault((column, row), []).append((column + 1, row))
                if not dark(column + 1, row):
                    following.setdefault((column + 1, row), []).append((column + 1, row + 1))
                if not dark(column, row + 1):
                    following.setdefault((column + 1, row + 1), []).append((column, row + 1))
                if not dark(column - 1, row):
                    following.setdefault((column, row + 1), []).append((column, row))
        return following


def symbol(address: str, level: Level = "Q", mask: int | None = None) -> Symbol:
    """The QR symbol of an address at an error level, in the smallest version that holds it.

    `mask`: one of the eight patterns that readers undo; else the best to scan, which takes six times as long.
    Raises ValueError when the address is empty or longer than a printed symbol can sensibly carry (300 bytes).
    """
    octets = address.encode()
    if not 0 < len(octets) <= 300:
        raise ValueError("an address in a QR code has 1 to 300 bytes")
    # Imported here, as Pillow is below: it takes megabytes of every worker that may never draw one.
    import qrcode
    from qrcode.constants import ERROR_CORRECT_H, ERROR_CORRECT_Q

    correction = {"Q": ERROR_CORRECT_Q, "H": ERROR_CORRECT_H}[level]
    code = qrcode.QRCode(error_correction=correction, border=0, mask_pattern=mask)
    code.add_data(octets, optimize=0)
    code.make(fit=True)
    return Symbol(tuple(tuple(bool(module) for module in row) for row in code.modules))


def svg(address: str, title: str, mask: int | None = None) -> str:
    """The QR code of an address as one SVG element with one path; `title` is what a screen reader says for it."""
    side, path = _drawing(address, mask)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img" '
        f'shape-rendering="crispEdges"><title>{escape(title)}</title>'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        # A little higher than they are: no hairline shows between rows where a viewer smooths edges.
        f'<path stroke="#000" stroke-width="1.02" d="{path}"/></svg>'
    )


@lru_cache(maxsize=4096)
def _drawing(address: str, mask: int | None) -> tuple[int, str]:
    """Modules along one side with the quiet zone, and the path of the dark ones.

    Kept for the 4,096 addresses asked for last (about 12 MB): drawing one takes longer than all the rest of its page.
    """
    drawn = symbol(address, mask=mask)
    return drawn.size + 2 * QUIET_ZONE, _path(drawn)


def png(address: str, box: int = 12) -> bytes:
    """The QR code of an address as a black-and-white PNG with `box` pixels for each module, quiet zone included."""
    from PIL import Image

    drawn = symbol(address)
    side = drawn.size + 2 * QUIET_ZONE
    image = Image.new("1", (side, side), 1)
    for row, modules in enumerate(drawn.modules, start=QUIET_ZONE):
        for column, is_dark in enumerate(modules, start=QUIET_ZONE):
            if is_dark:
                image.putpixel((column, row), 0)
    written = BytesIO()
    image.resize((side * box, side * box), Image.Resampling.NEAREST).save(written, "PNG", optimize=True)
    return written.getvalue()


def _path(drawn: Symbol) -> str:
    """The dark modules as SVG path data: a stroke for each run in a row, from the end of the one before."""
    parts = []
    column, row = -QUIET_ZONE, -QUIET_ZONE - 0.5
    for number, modules in enumerate(drawn.modules):
        for run in re.finditer(b"\x01+", bytes(modules)):
            parts.append(f"m{run.start() - column} {number - row:g}h{run.end() - run.start()}")
            column, row = run.end(), number
    return "".join(parts).replace(" -", "-")


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
