"""Trends that were made already, as long as nothing published has changed since: a pass over all states costs most of
what a page of the board costs, and the same page is asked for again and again.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from layers import indicators
from layers.indicators import Figure
from layers.standing import state_read

MOST = 64
_Trends = dict[str, list[tuple[date, Figure]]]
_kept: OrderedDict[tuple[object, ...], _Trends] = OrderedDict()
_lock = threading.Lock()


def trend(connection: Connection, ward: str, codes: Sequence[str], until: date, *, full: bool) -> _Trends:
    """`indicators.trend`, by the state of the register that the connection reads. Not to be changed by the caller.

    `full`: for staff of that ward, as row-level security lets them read all of it.
    """
    # Read before the figures: what is changed in between is kept under a state that nobody reads any more.
    key = (connection.engine.url.database, ward, tuple(codes), until, full, state_read(connection))
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    found = indicators.trend(connection, ward, codes, until, full=full)
    with _lock:
        _kept[key] = found
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    return found
