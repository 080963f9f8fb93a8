"""How well the QR codes of printed stickers are read, by five decoders, clean and as they hang in a market.

    .venv/bin/python -m tests.benchmarks.qr_decoding                    500 stickers, error level as printed
    .venv/bin/python -m tests.benchmarks.qr_decoding --stickers 100 --level Q

The stickers are rendered from the PDF itself. Every spoiling is drawn at random from a seed: a run can be repeated.
"""

import argparse
import json
import math
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import pypdfium2
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter
from pyzbar import pyzbar
from pyzbar.pyzbar import ZBarSymbol

from postgis import codes, sticker_marks
from web import qr, sticker_sheets
from web.sticker_layouts import LAYOUTS, Layout, Sticker

ROOT = Path(__file__).parents[2]
BASE = "https://bando.hoacuong.danang.gov.vn"
DPI = 250
"""At 38 mm a module is then some seven pixels: a phone at arm's length."""
DECODERS = ("zxing-cpp", "zbar", "OpenCV", "jsQR", "ZXing-js")
TILT_DEGREES = 20


def stickers(count: int, seed: int = 20257) -> list[Sticker]:
    """Invented stickers, each with a code, a serial and a mark as the service makes them."""
    dice = random.Random(seed)
    key = dice.randbytes(32)
    made = []
    for number in range(count):
        code, serial = codes.new_code(dice), sticker_marks.new_serial(dice)
        address = f"{BASE}/q/{code}?t={serial}{sticker_marks.mark(key, code, serial)}"
        made.append(Sticker(code, address, f"Quán minh họa {number}", "Quán ăn", "12 Đường Thử", None, False, serial))
    return made


def rendered(wanted: Sequence[Sticker], layout: Layout = LAYOUTS["a4_10"]) -> Iterator[Image.Image]:
    """The QR code of each sticker, cut out of the pages of the real PDF with a little of what stands around it."""
    pdf = pypdfium2.PdfDocument(sticker_sheets.sticker_sheet(wanted, f"{BASE[8:]}/q", layout=layout))
    for number, page in enumerate(pdf):
        drawn = page.render(scale=DPI / 72, grayscale=True).to_pil().convert("L")
        for index in range(min(layout.per_page, len(wanted) - number * layout.per_page)):
            left, top = layout.box_at(index)
            box = (left - 1, top - 1, left + layout.box + 1, top + layout.box + 1)
            yield drawn.crop(tuple(round(side * DPI / 25.4) for side in box))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Scene:
    """A picture of a sticker, and where the symbol lies in it: its edge and its side, in pixels."""

    image: Image.Image
    edge: float
    side: float
    module: float


def scene(image: Image.Image, address: str, layout: Layout) -> Scene:
    """The symbol without its quiet zone."""
    size = qr.symbol(address, sticker_sheets.LEVEL).size
    module = layout.box * DPI / 25.4 / (size + 2 * qr.QUIET_ZONE)
    return Scene(image, DPI / 25.4 + qr.QUIET_ZONE * module, size * module, module)


def clean(seen: Scene, _dice: random.Random) -> Image.Image:
    """As printed."""
    return seen.image


def blot(seen: Scene, dice: random.Random, *, keep_finders: bool = False) -> Image.Image:
    """A round stain over a tenth of the symbol, black or white; with `keep_finders` beside the three corner squares."""
    radius = seen.side * math.sqrt(0.1 / math.pi)
    while True:
        x, y = (seen.edge + dice.uniform(radius, seen.side - radius) for _ in range(2))
        corners = [(seen.edge, seen.edge), (seen.edge + seen.side, seen.edge), (seen.edge, seen.edge + seen.side)]
        # A finder pattern with its separator is eight modules wide: within that no stain.
        if not keep_finders or all(
            math.hypot(max(abs(x - cx) - 8 * seen.module, 0), max(abs(y - cy) - 8 * seen.module, 0)) > radius
            for cx, cy in corners
        ):
            break
    soiled = seen.image.copy()
    ImageDraw.Draw(soiled).ellipse((x - radius, y - radius, x + radius, y + radius), fill=dice.choice((0, 255)))
    return soiled


def blot_beside_finders(seen: Scene, dice: random.Random) -> Image.Image:
    """The same, where the three corner squares stay whole."""
    return blot(seen, dice, keep_finders=True)


def tilt(seen: Scene, dice: random.Random) -> Image.Image:
    """Seen from 20 degrees aside, above or below, and from as near as a phone is held."""
    image = seen.image
    turned, half = math.radians(TILT_DEGREES), image.width / 2
    axis = dice.uniform(0, 2 * math.pi)
    far = 5 * half
    corners = []
    for x, y in ((-half, -half), (-half, half), (half, half), (half, -half)):
        along = x * math.cos(axis) + y * math.sin(axis)
        across = -x * math.sin(axis) + y * math.cos(axis)
        depth = far + across * math.sin(turned)
        across, along = across * math.cos(turned) * far / depth, along * far / depth
        corners.append(
            (along * math.cos(axis) - across * math.sin(axis), along * math.sin(axis) + across * math.cos(axis))
        )
    margin = half * 1.15
    source = np.array([[-half, -half], [-half, half], [half, half], [half, -half]], np.float32) + half
    target = np.array(corners, np.float32) + margin
    matrix = cv2.getPerspectiveTransform(source, target)
    size = round(2 * margin)
    seen_aside = cv2.warpPerspective(np.asarray(image), matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=255)
    return Image.fromarray(seen_aside)


def blur(seen: Scene, _dice: random.Random) -> Image.Image:
    """A little out of focus: a Gaussian of a third of a module."""
    return seen.image.filter(ImageFilter.GaussianBlur(seen.module / 3))


def strong_blur(seen: Scene, _dice: random.Random) -> Image.Image:
    """Out of focus: a Gaussian of half a module, with which neighbours run into one another."""
    return seen.image.filter(ImageFilter.GaussianBlur(seen.module / 2))


def low_light(seen: Scene, dice: random.Random) -> Image.Image:
    """A third of the light, half of that at one side, with a sensor's noise."""
    noise = np.random.default_rng(dice.randrange(2**32))
    light = np.asarray(seen.image, np.float32) / 3 + 8
    fall = np.linspace(1.0, 0.5, light.shape[1], dtype=np.float32)
    dim = light * (fall if dice.random() < 0.5 else fall[::-1]) + noise.normal(0, 4, light.shape)
    return Image.fromarray(np.clip(dim, 0, 255).astype(np.uint8))


CONDITIONS: dict[str, Callable[[Scene, random.Random], Image.Image]] = {
    "clean": clean,
    "10 % blot anywhere": blot,
    "10 % blot, finders whole": blot_beside_finders,
    "20° tilt": tilt,
    "blur": blur,
    "strong blur": strong_blur,
    "low light": low_light,
}


class Decoder(Protocol):
    """Reads what it finds in a picture."""

    def __call__(self, image: Image.Image) -> list[str]: ...


class NodeDecoders:
    """jsQR and ZXing-js in one Node.js process."""

    def __enter__(self) -> "NodeDecoders":
        self.process = subprocess.Popen(
            [str(ROOT / "scripts" / "setup.sh"), "with-node", "node", "tests/benchmarks/qr_decoders.mjs"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        return self

    def __exit__(self, *_error: object) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def read(self, image: Image.Image) -> list[list[str]]:
        """What each of the two found."""
        assert self.process.stdin is not None and self.process.stdout is not None
        head = image.width.to_bytes(4, "little") + image.height.to_bytes(4, "little")
        self.process.stdin.write(head + image.tobytes())
        self.process.stdin.flush()
        return [[] if found is None else [found] for found in json.loads(self.process.stdout.readline())]


def _opencv(image: Image.Image) -> list[str]:
    try:
        text, _, _ = cv2.QRCodeDetector().detectAndDecode(np.asarray(image))
    except cv2.error:  # it fails at what it cannot straighten
        return []
    return [text] if text else []


def read_by_all(image: Image.Image, node: NodeDecoders) -> dict[str, list[str]]:
    """What each decoder found in a grey picture."""
    jsqr, zxing_js = node.read(image)
    return {
        "zxing-cpp": [found.text for found in zxingcpp.read_barcodes(image)],
        "zbar": [found.data.decode() for found in pyzbar.decode(image, [ZBarSymbol.QRCODE])],
        "OpenCV": _opencv(image),
        "jsQR": jsqr,
        "ZXing-js": zxing_js,
    }


@dataclass
class Measured:
    """How often each decoder read each condition, and what it read that does not stand there."""

    of: int = 0
    right: Counter[tuple[str, str]] = field(default_factory=Counter)
    none_of_five: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Condition, decoder, what stands there, what was read."""


def measure(count: int, progress: Callable[[int], None] = lambda _done: None) -> Measured:
    """Reads every sticker of a sheet under every condition by every decoder."""
    measured, wanted, layout = Measured(of=count), stickers(count), LAYOUTS["a4_10"]
    with NodeDecoders() as node:
        for number, (one, image) in enumerate(zip(wanted, rendered(wanted, layout), strict=True), start=1):
            seen = scene(image, one.address, layout)
            for name, spoil in CONDITIONS.items():
                found = read_by_all(spoil(seen, random.Random(f"{number} {name}")), node)
                for decoder, texts in found.items():
                    measured.right[name, decoder] += one.address in texts
                    measured.wrong += [(name, decoder, one.address, text) for text in texts if text != one.address]
                measured.none_of_five[name] += not any(one.address in texts for texts in found.values())
            progress(number)
    return measured


def report(measured: Measured) -> None:
    """The table."""
    print(f"| per cent of {measured.of} read | {' | '.join(DECODERS)} | by none |")
    print("|---" * (len(DECODERS) + 2) + "|")
    for name in CONDITIONS:
        shares = (f"{100 * measured.right[name, decoder] / measured.of:.1f}" for decoder in DECODERS)
        print(f"| {name} | {' | '.join(shares)} | {100 * measured.none_of_five[name] / measured.of:.1f} |")
    print(f"read as something else: {len(measured.wrong)}")
    for wrong in measured.wrong[:20]:
        print(*wrong)


def _progress(total: int) -> Callable[[int], None]:
    def show(done: int) -> None:
        if done % 20 == 0 or done == total:
            print(f"{done}/{total}", file=sys.stderr, flush=True)

    return show


def main() -> int:
    """Measures and prints; 1 when anything was read as something else."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stickers", type=int, default=500)
    parser.add_argument("--level", choices=("Q", "H"), default=sticker_sheets.LEVEL)
    asked: Any = parser.parse_args()
    sticker_sheets.LEVEL = asked.level
    started = time.monotonic()
    measured = measure(asked.stickers, _progress(asked.stickers))
    size = qr.symbol(stickers(1)[0].address, asked.level).size
    print(
        f"error level {asked.level}, {size} modules, load {os.getloadavg()[0]:.1f}, {time.monotonic() - started:.0f} s"
    )
    report(measured)
    return 1 if measured.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
