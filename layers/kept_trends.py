"""Month ends that were counted already: what the register knew at the end of a month that is over never changes, and to
count it again takes a pass over all states. So an edit costs the current figures, and no trend.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, text

from layers import indicators
from layers.indicator_codes import MEASURED
from layers.indicators import Figure
from layers.standing import state_read
from postgis.today import today

MOST = 4096
"""Month ends, each with the figures of some indicators of a ward: some megabytes."""
_STANDING_OF = text("SELECT published.standing_of(:day)")
_Key = tuple[object, ...]
_kept: OrderedDict[_Key, dict[str, Figure]] = OrderedDict()
_lock = threading.Lock()


def trend(
    connection: Connection, ward: str, codes: Sequence[str], until: date, *, full: bool
) -> dict[str, list[tuple[date, Figure]]]:
    """`indicators.trend`, of which only those month ends are counted that were not before.

    `full`: for staff of that ward, as row-level security lets them read all of it.
    """
    measured = tuple(sorted({code for code in codes if code in MEASURED}))
    of = (connection.engine.url.database, ward, measured, full)
    keys = {end: (*of, end, known) for end, known in _known(connection, until).items()}
    with _lock:
        found = {end: _kept[key] for end, key in keys.items() if key in _kept}
        for end in found:
            _kept.move_to_end(keys[end])
    missing = [end for end in keys if end not in found]
    if missing:
        # Month ends in which nothing counts, or may be told, are kept as empty.
        counted: dict[date, dict[str, Figure]] = {end: {} for end in keys if end >= missing[0]}
        for end, figure in indicators.month_ends(connection, ward, measured, missing[0], until, full=full):
            counted[end][figure.code] = figure
        found |= counted
        with _lock:
            _kept.update((keys[end], figures) for end, figures in counted.items())
            while len(_kept) > MOST:
                _kept.popitem(last=False)
    points = [(end, figure) for end in sorted(found) for figure in found[end].values()]
    return indicators.with_entered(connection, ward, codes, until, points)


def _known(connection: Connection, until: date) -> dict[date, str]:
    """The month ends of a trend, the oldest first, each with a name of what its figures come from: two of one name are
    of the same figures.
    """
    now = today()
    # Asked first: else a change of that day could come between. Once a day is final, those before it are.
    last = now.replace(day=1) - indicators.DAY
    if not indicators.is_final(connection, last):
        last = last.replace(day=1) - indicators.DAY
    closed = last if indicators.is_final(connection, last) else None
    # Read before the figures: what changes in between is kept under a name that nobody reads any more.
    standing = state_read(connection)
    # The history's head at that end names all of it before, as another backup put back has another; the mark moves
    # with all that stands in no history, and when the states are made anew.
    told = connection.execute(_STANDING_OF, {"day": closed}).scalar_one() if closed else standing
    ends = indicators.ends_of_months(indicators.first_month(until), until)
    return {end: told if closed and end <= closed else standing for end in ends}
