"""A share of what tests/benchmarks/qr_decoding.py measures: stickers from the real PDF, read by five decoders."""

import random
from collections.abc import Iterator

import pytest

from tests.benchmarks import qr_decoding
from tests.benchmarks.qr_decoding import CONDITIONS, DECODERS, NodeDecoders, read_by_all, rendered, scene, stickers
from web.sticker_layouts import LAYOUTS

COUNT = 4
CERTAIN = ("clean", "20° tilt", "low light")
"""Where three decoders read 99.8 per cent or more of 500; OpenCV and ZXing-js miss a few clean ones."""


@pytest.fixture(scope="module")
def node() -> Iterator[NodeDecoders]:
    with NodeDecoders() as decoders:
        yield decoders


def test_stickers_are_read_as_what_they_say_and_as_nothing_else(node: NodeDecoders) -> None:
    wanted, layout = stickers(COUNT, seed=6), LAYOUTS["a4_10"]
    for one, image in zip(wanted, rendered(wanted, layout), strict=True):
        assert one.address.startswith("https://") and one.address.split("/")[2].islower()
        seen = scene(image, one.address, layout)
        for name, spoil in CONDITIONS.items():
            found = read_by_all(spoil(seen, random.Random(f"{one.code} {name}")), node)
            assert tuple(found) == DECODERS
            read = {decoder for decoder, texts in found.items() if one.address in texts}
            # A decoder may fail; none may read another address, and upper case would be another.
            assert {text for texts in found.values() for text in texts} <= {one.address}, name
            assert "zxing-cpp" in read, name
            if name in CERTAIN:
                assert read >= {"zxing-cpp", "zbar", "jsQR"}, name


def test_a_spoiled_picture_differs_from_the_clean_one() -> None:
    """Else the rates would say nothing."""
    one = stickers(1)[0]
    seen = scene(next(rendered([one])), one.address, LAYOUTS["a4_10"])
    pictures = [spoil(seen, random.Random(1)).tobytes() for spoil in CONDITIONS.values()]
    assert len(set(pictures)) == len(CONDITIONS)
    assert qr_decoding.TILT_DEGREES == 20
