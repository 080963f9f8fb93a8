"""The only WHERE builder: items, tiles and pages filter by the same rules."""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    any_,
    cast,
    func,
    literal,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from layers.collections import Collection
from layers.crs import WGS84, Box, Ring
from layers.query import FeatureQuery, Interval


def conditions(collection: Collection, query: FeatureQuery) -> list[ColumnElement[bool]]:
    """Everything but `q` and the cursor."""
    found = [_equals(collection, name, values) for name, values in query.equals.items()]
    if query.bbox:
        found.append(_in_bbox(collection, query.bbox, query.bbox_outline))
    if "ended" in collection.field_by_name and "ended" not in query.equals:
        # What no longer counts is there for those who ask for it.
        found.append(collection.column("ended").is_(False))
    if query.filter:
        found.append(query.filter.condition(collection))
    if query.interval:
        found.append(_in_interval(collection, query.interval))
    return found


def _equals(collection: Collection, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    field, column = collection.field_by_name[name], collection.column(name)
    if field.type == "array":
        return column.op("&&", is_comparison=True)(cast(list(values), ARRAY(Text)))
    if field.type == "boolean":
        return column.in_([value == "true" for value in values])
    if field.type == "integer":
        return column.in_([int(value) for value in values])
    return column == any_(cast(list(values), ARRAY(Text)))


def _in_bbox(collection: Collection, bbox: Box, outline: Ring | None) -> ColumnElement[bool]:
    if collection.geometry is None:
        return literal(False)
    if outline is not None:
        points = ",".join(f"{lon!r} {lat!r}" for lon, lat in outline)
        return func.public.st_intersects(
            collection.view.c.geom, func.public.st_geomfromtext(f"POLYGON(({points}))", WGS84)
        )
    west, south, east, north = bbox
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    return or_(
        *(
            func.public.st_intersects(
                collection.view.c.geom, func.public.st_makeenvelope(left, south, right, north, 4326)
            )
            for left, right in spans
        )
    )


def _in_interval(collection: Collection, interval: Interval) -> ColumnElement[bool]:
    """Features without a temporal property match any `datetime` (OGC API Features Part 1, 7.15.4)."""
    if collection.interval is None:
        return literal(True)
    first, last = (collection.column(name) for name in collection.interval)
    met: list[ColumnElement[bool]] = []
    if interval.end:
        met.append(or_(first.is_(None), first <= interval.end))
    if interval.start:
        met.append(or_(last.is_(None), last >= interval.start))
    return and_(literal(True), *met)
