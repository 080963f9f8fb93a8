"""The map of a report: payment without cash by hexagon, as marks that any printer tells apart."""

from math import cos, radians

from web import labels
from web.brief import BriefMap, Cell
from web.marks import GREY, INK, Area, Drawing, Mark, Place, Stroke, Words, wide

FEWEST_SURVEYED = 5
"""Of fewer places a share says nothing: such hexagons are white, with the number asked."""
_CLASSES = (20.0, 40.0, 60.0, 80.0)
_RAMP = ("#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494")
"""YlGnBu of ColorBrewer (Cynthia Brewer, Apache-2.0): for all kinds of colour vision, and darker step by step."""


def map_drawing(found: BriefMap, lang: str, width: float = 454.0) -> Drawing:
    """Hexagons on the ward's outline, north up, with a legend that counts the hexagons of each class."""
    rings = [*found.outline, *(cell.ring for cell in found.cells)]
    xs, ys = [x for ring in rings for x, _ in ring], [y for ring in rings for _, y in ring]
    west, north = min(xs), max(ys)
    # Metres east shrink with the latitude; within a ward one factor for all is exact to the width of a line.
    east = cos(radians((min(ys) + north) / 2))
    span_x, span_y = max((max(xs) - west) * east, 1e-6), max(north - min(ys), 1e-6)
    scale = min(width / span_x, 330.0 / span_y)
    left = (width - span_x * scale) / 2

    def at(place: Place) -> Place:
        return left + (place[0] - west) * east * scale, (north - place[1]) * scale + 4

    marks: list[Mark] = []
    for cell in found.cells:
        marks += _cell(cell, tuple(map(at, cell.ring)), lang)
    marks += [Stroke(tuple(map(at, ring)), INK, 1.2) for ring in found.outline]
    legend, height = _legend(found, lang, width, span_y * scale + 22)
    few = sum(cell.surveyed < FEWEST_SURVEYED for cell in found.cells)
    said = labels.text("brief.map.said", lang, cells=len(found.cells), few=few)
    return Drawing(width, height, (*marks, *legend), said)


def _class(cell: Cell) -> int | None:
    if cell.surveyed < FEWEST_SURVEYED:
        return None
    share = 100 * cell.accepting / cell.surveyed
    return sum(share >= edge for edge in _CLASSES)


def _cell(cell: Cell, ring: tuple[Place, ...], lang: str) -> list[Mark]:
    number = _class(cell)
    if number is None:
        return [Area(ring, "#ffffff", GREY)]
    middle = sum(x for x, _ in ring[:-1]) / (len(ring) - 1), sum(y for _, y in ring[:-1]) / (len(ring) - 1)
    said = labels.number(100 * cell.accepting / cell.surveyed, lang)
    room = max(x for x, _ in ring) - min(x for x, _ in ring)
    size = min(8.0, room / wide("100", 1.0) * 0.8)
    marks: list[Mark] = [Area(ring, _RAMP[number], GREY)]
    if size >= 4:
        colour = INK if number < 3 else "#ffffff"
        marks.append(Words((middle[0], middle[1] + size * 0.35), said, size, "middle", colour=colour))
    return marks


def _legend(found: BriefMap, lang: str, width: float, top: float) -> tuple[list[Mark], float]:
    marks: list[Mark] = [Words((2, top), labels.text("brief.map.legend", lang), 9, bold=True)]
    counts: dict[int | None, int] = {}
    for cell in found.cells:
        number = _class(cell)
        counts[number] = counts.get(number, 0) + 1
    x, y = 2.0, top + 14
    for number in (*range(len(_RAMP)), None):
        if number is None:
            words, colour = labels.text("brief.map.few", lang), "#ffffff"
        else:
            words, colour = _between(number, lang), _RAMP[number]
        said = labels.text("brief.map.count", lang, words=words, count=counts.get(number, 0))
        if x + 20 + wide(said, 9) > width:
            x, y = 2.0, y + 14
        box = ((x, y - 8), (x + 14, y - 8), (x + 14, y + 1), (x, y + 1))
        marks += [Area(box, colour, GREY), Words((x + 18, y), said, 9)]
        x += 30 + wide(said, 9)
    return marks, y + 6


def _between(number: int, lang: str) -> str:
    if number == 0:
        return labels.text("brief.map.below", lang, value=f"{_CLASSES[0]:.0f}\xa0%")
    high = f"{_CLASSES[number] if number < len(_CLASSES) else 100:.0f}\xa0%"
    return labels.text("brief.map.between", lang, low=f"{_CLASSES[number - 1]:.0f}", high=high)
