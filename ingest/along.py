"""Where on a street or alley a house number lies: between known numbers, or beyond them, and how surely."""

import math
from dataclasses import dataclass
from statistics import median

from shapely import Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from ingest.extents import XY, pieces
from ingest.gazetteer import Way, sides

METRES_PER_NUMBER = 2.75
"""Of a street's length, from one number to the next on alternating sides: 5.5 m of frontage a house."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A place and how it was found: between, beside (a neighbour with the same number), opposite, beyond, lane.

    `spread` is the length in metres that the place was taken from: the further apart the known numbers, the less sure.
    """

    at: XY
    kind: str
    spread: float


def guesses(way: Way, number: int, hidden: frozenset[int] = frozenset(), mouth: XY | None = None) -> list[Guess]:
    """All that can be said of a number on a way. `mouth`: where an alley leaves its street, its number nought.

    The two sides of a street are often a hundred metres out of step, so a number of the other side says little by
    itself; how far the numbers there go on says more. `hidden` are ids of houses that count as unknown, for measuring.
    """
    even, odd = way.sides if not hidden else sides(way, hidden)
    if not even and not odd:
        return []
    mine, theirs = (odd, even) if number % 2 else (even, odd)
    if mouth is not None:
        mine, theirs = {0: mouth} | mine, {0: mouth} | theirs
    if guess := _between(mine, number):
        return [Guess(_onto(way, guess, mine), guess.kind, guess.spread)]
    found = []
    if guess := _beyond(way.line, mine, theirs, number):
        found.append(guess)
    if guess := _between(theirs, number):
        found.append(Guess(_across(way.line, guess.at), "opposite", guess.spread))
    elif theirs and not found:
        nearest = min(theirs, key=lambda each: abs(each - number))
        found.append(Guess(theirs[nearest], "near", abs(nearest - number) * METRES_PER_NUMBER))
    return found


def _between(places: dict[int, XY], number: int) -> Guess | None:
    """Linear between the nearest known numbers."""
    low = max((each for each in places if each <= number), default=None)
    high = min((each for each in places if each >= number), default=None)
    if low is None or high is None:
        return None
    (x0, y0), (x1, y1) = places[low], places[high]
    if low == high:
        return Guess((x0, y0), "beside", 0.0)
    share = (number - low) / (high - low)
    spread = math.hypot(x1 - x0, y1 - y0) * 2 * math.sqrt(share * (1 - share))
    return Guess((x0 + share * (x1 - x0), y0 + share * (y1 - y0)), "between", spread)


def _onto(way: Way, guess: Guess, places: dict[int, XY]) -> XY:
    """On a bending street, the straight line between two houses leaves it: back to the side where its houses stand."""
    line = way.line
    if line is None or guess.kind != "between" or guess.spread < 60:
        return guess.at
    foot = _foot(line, guess.at)
    off = math.dist(foot, guess.at)
    if off == 0:
        return guess.at
    usual = median(way.depth_of(at, line) for at in places.values())
    if off <= usual + 5:
        return guess.at
    part = usual / off
    return foot[0] + part * (guess.at[0] - foot[0]), foot[1] + part * (guess.at[1] - foot[1])


def _across(line: BaseGeometry | None, at: XY) -> XY:
    if line is None:
        return at
    foot = _foot(line, at)
    # Houses stand 5 to 40 m from the middle of their street; further away the line is not theirs.
    return (2 * foot[0] - at[0], 2 * foot[1] - at[1]) if math.dist(foot, at) <= 40 else at


def _beyond(line: BaseGeometry | None, mine: dict[int, XY], theirs: dict[int, XY], number: int) -> Guess | None:
    """From the last known number of the side on: as far as the other side goes on meanwhile, else by its own pace."""
    if not mine:
        return None
    last = min(mine, key=lambda each: abs(each - number))
    spread = max(abs(number - last), 1) * METRES_PER_NUMBER
    x, y = mine[last]
    here, there = _between(theirs, last), _between(theirs, number)
    if here is not None and there is not None:
        at = (x + there.at[0] - here.at[0], y + there.at[1] - here.at[1])
        return Guess(at if line is None else _foot(line, at), "beyond", spread)
    # The direction needs a stretch of numbers: between neighbours it is their doors that decide.
    others = [each for each in (mine if len(mine) > 1 else theirs) if abs(each - last) >= 6]
    if not others:
        return Guess((x, y), "near", spread)
    other = min(others, key=lambda each: abs(each - last))
    to_x, to_y = (mine if len(mine) > 1 else theirs)[other]
    length = math.dist((x, y), (to_x, to_y)) or 1.0
    pace = min(length / abs(other - last), 2 * METRES_PER_NUMBER)
    ahead = pace * abs(number - last) / length * (1 if (other - last) * (number - last) > 0 else -1)
    at = (x + ahead * (to_x - x), y + ahead * (to_y - y))
    return Guess(at if line is None else _foot(line, at), "beyond", spread)


def along_lane(line: BaseGeometry, mouth: XY, number: int | None) -> Guess:
    """On an alley that is drawn but of which no number is known: counted from its mouth, or its middle."""
    lane = min(pieces(line), key=lambda piece: piece.distance(Point(mouth)))
    if lane.project(Point(mouth)) > lane.length / 2:
        lane = lane.reverse()
    far = lane.length / 2 if number is None else min(number * METRES_PER_NUMBER, lane.length)
    point = lane.interpolate(far)
    return Guess((point.x, point.y), "lane", line.length)


def mouth_of(lane: BaseGeometry, street: BaseGeometry) -> XY:
    """Where an alley leaves its street."""
    point, _ = nearest_points(lane, street)
    return point.x, point.y


def _foot(line: BaseGeometry, at: XY) -> XY:
    point, _ = nearest_points(line, Point(at))
    return point.x, point.y
