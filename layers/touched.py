"""From what was changed to what may look different: which collections, records and tiles a change touches.

What is said here must name everything that changes, and should name little else: tests render before and after.
"""

import math
from collections.abc import Iterable

from layers.answer_cache import TileRange, Touched
from layers.collections import COLLECTIONS
from layers.tile_matrix_sets import MAX_ZOOM
from layers.tiles import BUFFER, EXTENT
from postgis.notices import Touch

_ESTABLISHMENTS = "establishments"
_RECORDS = ("licences", "inspections", "warnings", "payment_acceptances")
"""Published records about establishments: each shows something of its place, and its place something of it."""
_FACTS = ("food_safety_records", "digital_uses")
"""Not published themselves; their places' facts are made from them."""
_ON_THE_PAGE = ("photos", "on_page")
"""Shown on the page of their place and nowhere else; `on_page`: what stands in no history."""
_REACH = BUFFER / EXTENT * 1.01
"""How far a tile reaches over its edge, in widths of a tile; a little more, for what is rounded elsewhere."""
_LATITUDE = 85.06


def touched_by(touches: Iterable[Touch]) -> Touched | None:
    """What the changes touch; None: everything, since one of them is of a kind unknown here."""
    found = Touched()
    for touch in touches:
        if touch.collection not in (_ESTABLISHMENTS, "model_sites", *_RECORDS, *_FACTS, *_ON_THE_PAGE):
            return None
        _add(found, touch)
    return found


def _add(found: Touched, touch: Touch) -> None:
    if touch.collection in _ON_THE_PAGE:
        if touch.place is not None:
            found.records.add((_ESTABLISHMENTS, touch.place))
        return
    if touch.collection == "model_sites":
        found.collections.add("model_sites")
        found.records.add(("model_sites", touch.code))
        drawn = "model_sites"
    else:
        # Every cell: which of them are told depends on all.
        found.collections.update((_ESTABLISHMENTS, "payment_adoption"))
        if touch.collection == _ESTABLISHMENTS:
            found.collections.update(_RECORDS)
        elif touch.collection in _RECORDS:
            found.collections.add(touch.collection)
        if touch.place is not None:
            found.records.add((_ESTABLISHMENTS, touch.place))
        drawn = _ESTABLISHMENTS
    if touch.box is not None:
        found.tiles.update(tiles_of(drawn, touch.box))


def tiles_of(collection: str, box: tuple[float, float, float, float]) -> Iterable[TileRange]:
    """The tiles of every zoom that something within a box (degrees, WGS 84) can show in."""
    west, south, east, north = box
    left, right = (west + 180) / 360, (east + 180) / 360
    top, bottom = _mercator(north), _mercator(south)
    for z in range(MAX_ZOOM + 1):
        side = 2**z
        yield TileRange(
            collection,
            z,
            max(0, math.floor(left * side - _REACH)),
            min(side - 1, math.floor(right * side + _REACH)),
            max(0, math.floor(top * side - _REACH)),
            min(side - 1, math.floor(bottom * side + _REACH)),
        )


def _mercator(lat: float) -> float:
    """From the north edge of the world's square, in its height."""
    lat = max(-_LATITUDE, min(_LATITUDE, lat))
    return (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2


def record_sources(collection: str) -> bool:
    """Whether one record's answer depends on changes of that record alone, as `Touched.records` names them."""
    return collection in (_ESTABLISHMENTS, "model_sites") or COLLECTIONS[collection].reference
