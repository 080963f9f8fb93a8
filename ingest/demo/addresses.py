"""House numbers for the chosen spots, as Vietnamese streets have them."""

from collections import defaultdict
from collections.abc import Iterable
from random import Random

from ingest.demo.spots import Spot
from ingest.demo.ways import number_at

_LETTERS = "ABC"
_WITH_LETTER = 0.03
_LOT = 0.015
"""Share of the places on newer streets that still go by the number of their plot ("Lô 5")."""


def number(spots: Iterable[Spot], rng: Random) -> None:
    """Gives each spot on a way its house number: odd on the left, even on the right, rising along the street.

    No two spots share an address, not even on the two carriageways of one street or in two alleys with one mouth.
    """
    fronts: dict[tuple[str, str, int], list[Spot]] = defaultdict(list)
    for spot in spots:
        if spot.way and spot.way.street:
            fronts[spot.way.street, spot.way.numbers, spot.side].append(spot)
    lots: dict[str, int] = defaultdict(int)
    for (street, numbers, side), front in sorted(fronts.items(), key=lambda item: item[0]):
        last = -1
        for spot in sorted(front, key=lambda spot: (spot.along, spot.x, spot.y)):
            last = max(last + 2, number_at(spot.along, side))
            if numbers == "{}" and spot.standing <= 0.8 and rng.random() < _LOT:
                lots[street] += rng.randint(1, 9)
                spot.house_number = f"Lô {lots[street]}"
                continue
            letter = rng.choice(_LETTERS) if rng.random() < _WITH_LETTER else ""
            spot.house_number = numbers.format(f"{last}{letter}")
