"""Middles and reaches of streets and areas, in metres: what a place is put at when only its street or area is known."""

import math
from statistics import median

from shapely import MultiLineString, Point
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

XY = tuple[float, float]


def half_way(line: BaseGeometry) -> tuple[XY, float]:
    """The middle of a street, and how far from it nine tenths of the street lie."""
    lines = pieces(line)
    whole = sum(each.length for each in lines)
    walked = [
        each.interpolate(step, normalized=True)
        for each in lines
        for step in (0.05 + 0.1 * i for i in range(10))
        for _ in range(max(1, round(10 * each.length / whole)))
    ]
    centre = (median(point.x for point in walked), median(point.y for point in walked))
    nearest, _ = nearest_points(line, Point(centre))
    foot = (nearest.x, nearest.y)
    far = sorted(math.dist(foot, (point.x, point.y)) for point in walked)
    return foot, far[int(0.9 * (len(far) - 1))]


def radius_of(area: BaseGeometry, share: float = 0.9) -> float:
    """How far from its middle a given share of an area lies, by a grid of points."""
    middle = area.representative_point() if not area.covers(area.centroid) else area.centroid
    west, south, east, north = area.bounds
    step = max(east - west, north - south) / 40 or 1.0
    points = [
        Point(west + (i + 0.5) * step, south + (j + 0.5) * step)
        for i in range(int((east - west) / step) + 1)
        for j in range(int((north - south) / step) + 1)
    ]
    far = sorted(middle.distance(point) for point in points if area.covers(point))
    return float(far[int(share * (len(far) - 1))]) if far else float(math.hypot(east - west, north - south) / 2)


def middle_of(area: BaseGeometry) -> XY:
    """A point that stands for an area, inside it."""
    point = area.centroid if area.covers(area.centroid) else area.representative_point()
    return point.x, point.y


def pieces(line: BaseGeometry) -> list[LineString]:
    """The single lines of a street."""
    if isinstance(line, LineString):
        return [line]
    return list(line.geoms) if isinstance(line, MultiLineString) else []
