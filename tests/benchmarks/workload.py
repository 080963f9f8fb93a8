"""What is asked of every server alike: tiles, boxes and identifiers, the same ones in every run."""

import math
import random
from collections.abc import Sequence
from typing import TypeVar

BOX = (111.0, 13.2, 111.054, 13.227)
"""West, south, east, north of the first two invented wards of `growth_data`, in degrees."""
DETAIL_ZOOM = 15
"""From here on our tiles hold every place, as those of the others do; below, clusters with their counts."""

Tile = tuple[int, int, int]
Named = TypeVar("Named")


def tile_at(lon: float, lat: float, zoom: int) -> Tile:
    """Zoom, column and row of the WebMercatorQuad tile around a point."""
    side = 2**zoom
    column = int((lon + 180) / 360 * side)
    row = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * side)
    return zoom, column, row


def metres(lon: float, lat: float) -> tuple[float, float]:
    """A point in EPSG:3857."""
    radius = 6378137.0
    return radius * math.radians(lon), radius * math.asinh(math.tan(math.radians(lat)))


HOT = tile_at(111.0135, 13.2135, 14)
"""One full tile around the middle of the first ward."""
MIDDLING = tile_at(111.0135, 13.2135, 16)


def tiles(count: int = 400, zooms: Sequence[int] = (14, 15, 16, 17), seed: int = 7) -> list[Tile]:
    """Tiles at random places of the box, as many of each zoom, shuffled."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        lon, lat = rng.uniform(BOX[0], BOX[2]), rng.uniform(BOX[1], BOX[3])
        found.append(tile_at(lon, lat, zooms[number % len(zooms)]))
    rng.shuffle(found)
    return found


def boxes(count: int = 200, side: float = 0.01, seed: int = 8) -> list[str]:
    """Values of `bbox`: squares of `side` degrees within the box."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        west, south = rng.uniform(BOX[0], BOX[2] - side), rng.uniform(BOX[1], BOX[3] - side)
        found.append(f"{west:.5f},{south:.5f},{west + side:.5f},{south + side:.5f}")
    return found


def chosen(of: Sequence[Named], count: int = 500, seed: int = 9) -> list[Named]:
    """So many of them, with repetition."""
    return random.Random(seed).choices(of, k=count)
