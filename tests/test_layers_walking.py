"""The order of a walk: up one side of a street and back on the other, stalls by number, then to what is nearest."""

import random
from itertools import pairwise
from math import hypot

from layers.walking import Spot, walk


def _street(name: str, y: float, numbers: range, *, drawn: bool = True) -> list[Spot]:
    """Houses 10 m apart along the x axis, odd numbers on the left."""
    return [
        Spot(
            number * 5.0, y + (4 if number % 2 else -4), name, number * 5.0 if drawn else None,
            bool(number % 2) if drawn else None, str(number),
        )
        for number in numbers
    ]  # fmt: skip


def test_nothing_to_walk() -> None:
    assert walk([]) == []
    assert walk([Spot(1, 2)]) == [0]


def test_up_one_side_and_back_on_the_other() -> None:
    spots = _street("a", 0, range(1, 13))
    random.Random(1).shuffle(spots)
    numbers = [int(spots[index].house_number or 0) for index in walk(spots)]
    assert numbers == [1, 3, 5, 7, 9, 11, 12, 10, 8, 6, 4, 2]


def test_numbers_alone_do_where_nobody_drew_the_street() -> None:
    spots = _street("a", 0, range(1, 13), drawn=False)
    assert [int(spots[index].house_number or 0) for index in walk(spots)] == [1, 3, 5, 7, 9, 11, 12, 10, 8, 6, 4, 2]


def test_a_place_without_a_number_is_passed_among_its_neighbours() -> None:
    spots = [*_street("a", 0, range(1, 13)), Spot(32, -4, "a", 32.0, False, None)]
    order = walk(spots)
    at = order.index(12)
    assert {spots[order[at - 1]].house_number, spots[order[at + 1]].house_number} == {"8", "6"}


def test_from_the_end_of_a_street_to_the_nearest_end_of_another() -> None:
    first, second = _street("a", 0, range(1, 21, 2)), _street("b", 30, range(1, 15, 2))
    order = walk([*first, *second])
    assert order == [*range(10), *range(16, 9, -1)], "the second street is walked from the end that is near"


def test_stalls_go_by_their_numbers() -> None:
    stalls = ["B2", "A10", "A2", "A1", "B1"]
    spots = [Spot(0, 0, site="market", stall=stall) for stall in stalls]
    assert [stalls[index] for index in walk(spots)] == ["A1", "A2", "A10", "B1", "B2"]


def test_odd_numbers_do_no_harm() -> None:
    spots = [
        Spot(0, 0, "a", 1.0, True, text) for text in ("K12/3", "²", "Số 5", "99999999999999999999", "", "12bis", "٣")
    ]
    assert sorted(walk(spots)) == list(range(len(spots)))


def test_every_place_is_passed_once_and_the_way_is_short() -> None:
    """Against the same places in the order in which they happen to stand in the register."""
    rng = random.Random(7)
    for _ in range(20):
        spots = [spot for row in range(5) for spot in _street(str(row), row * 60.0, range(1, 30))]
        spots += [Spot(rng.uniform(0, 150), rng.uniform(0, 300)) for _ in range(10)]
        rng.shuffle(spots)
        order = walk(spots)
        assert sorted(order) == list(range(len(spots)))
        assert _length(spots, order) < 0.35 * _length(spots, list(range(len(spots))))


def _length(spots: list[Spot], order: list[int]) -> float:
    return sum(hypot(spots[a].x - spots[b].x, spots[a].y - spots[b].y) for a, b in pairwise(order))
