"""The order in which somebody walks past places: along each street up one side and back on the other, from there to
what is nearest. Plain arithmetic on positions in metres; the database says where on its street a place stands.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

_PARTS = re.compile(r"[0-9]{1,9}|[^0-9\s]+")
Order = list[int]
"""Places by their indices."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place to pass. Positions in metres of any one plane."""

    x: float
    y: float
    street: str | None = None
    """The same for all that stand at one street; None: no street is known."""
    along: float | None = None
    """Metres from the street's beginning; None where nobody has drawn the street, or the place lies far from it."""
    left: bool | None = None
    """On which side, seen from the street's beginning."""
    house_number: str | None = None
    site: str | None = None
    stall: str | None = None
    """In the market or street `site`."""


def walk(spots: Sequence[Spot]) -> Order:
    """The indices of the spots in the order of the walk; the same spots give the same order."""
    stretches = _stretches(spots)
    order: Order = []
    while stretches:
        if order:
            last = spots[order[-1]]
            way = min((way for ways in stretches for way in ways), key=lambda way: _far(last, spots[way[0]]))
        else:
            # From the longest stretch on: whoever tires has done the most.
            way = max(stretches, key=lambda ways: len(ways[0]))[0]
        order += way
        stretches = [ways for ways in stretches if way not in ways]
    return order


def _stretches(spots: Sequence[Spot]) -> list[list[Order]]:
    """What is passed in one go, a street, a market, a place by itself: each in all the ways to walk it."""
    groups: dict[tuple[str, ...], Order] = {}
    for index, spot in enumerate(spots):
        if spot.site is not None and spot.stall:
            key: tuple[str, ...] = ("site", spot.site)
        elif spot.street is not None:
            key = ("street", spot.street, "drawn" if spot.along is not None else "")
        else:
            key = ("alone", str(index))
        groups.setdefault(key, []).append(index)
    return [
        _sides(group, spots)
        if key[0] == "street"
        else [sorted(group, key=lambda each: (_natural(spots[each].stall), each))]
        for key, group in groups.items()
    ]


def _sides(group: Order, spots: Sequence[Spot]) -> list[Order]:
    """Up one side and back on the other, from either end."""
    odd_is_left = _odd_is_left(group, spots)
    sides: dict[bool, Order] = {True: [], False: []}
    for index in group:
        number = _first_number(spots[index].house_number)
        odd = number % 2 == 1 if number is not None else (spots[index].left is not False) == odd_is_left
        sides[odd].append(index)
    odds, evens = (_along(side, spots) for side in sides.values())
    if not odds or not evens:
        one = odds or evens
        return [one, one[::-1]]
    return [odds + evens[::-1], odds[::-1] + evens, evens + odds[::-1], evens[::-1] + odds]


def _odd_is_left(group: Order, spots: Sequence[Spot]) -> bool:
    votes = 0
    for index in group:
        number, left = _first_number(spots[index].house_number), spots[index].left
        if number is not None and left is not None:
            votes += 1 if (number % 2 == 1) == left else -1
    return votes >= 0


def _along(side: Order, spots: Sequence[Spot]) -> Order:
    return sorted(side, key=lambda index: (spots[index].along or 0.0, _natural(spots[index].house_number), index))


def _first_number(text: str | None) -> int | None:
    return next((int(part) for part in _PARTS.findall(text or "") if part[0] in "0123456789"), None)


def _natural(text: str | None) -> tuple[tuple[int, int, str], ...]:
    """9 before 10, A2 before A10; what has none last."""
    if not text:
        return ((2, 0, ""),)
    parts = _PARTS.findall(text.upper())
    return tuple((0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts)


def _far(one: Spot, other: Spot) -> float:
    return hypot(one.x - other.x, one.y - other.y)
