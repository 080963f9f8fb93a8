"""Stickers: print runs that fix who gets which serial, the pages that are taken for printing, and what becomes of each.

Nothing of this is a fact about a place, so the register's history holds none of it: each sticker has its own events.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, func, insert, literal, select, text, update

from postgis import sticker_marks, tables
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.secrets import Secrets

MOST_IN_A_RUN = 20_000
"""More than any ward has; the list of a run is made in one transaction, its pages are printed a few at a time."""
OPEN_STATES = ("printed", "installed")
"""A place with a sticker in one of these needs no other."""
MOVES = {"installed": ("printed",), "lost": OPEN_STATES, "replaced": ("installed",), "withdrawn": OPEN_STATES,
         "spoilt": ("printed",)}  # fmt: skip
"""State: from which others a sticker may come into it."""
_LOCK = 20257_006
_RUN, _STICKER, _PRINT, _EVENT = tables.sticker_run, tables.sticker, tables.sticker_print, tables.sticker_event
_PLACE = tables.establishment


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What somebody wants printed."""

    ward_id: int
    staff_id: int | None
    """None: the command line, the sample."""
    request_key: str
    """Of the form that asks: the same again makes no second run."""
    chosen_by: str
    choice: dict[str, Any]
    layout: str
    per_page: int


def make_run(
    connection: Connection,
    secrets: Secrets,
    order: RunOrder,
    codes: Sequence[str],
    *,
    only_missing: bool,
    rng: random.Random | None = None,
) -> int:
    """Makes a run with one new sticker for each code, in order; returns its id.

    `only_missing` leaves out places that have an open sticker. One run is made at a time, so of two officers who ask
    for the same street the second gets what the first has left. Raises InvalidValues on `places` when nothing is left
    or there are too many, NotFound for a code without an establishment of the ward; `rng` is for samples and tests.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    known = connection.execute(select(_RUN.c.id).where(_RUN.c.request_key == order.request_key)).scalar_one_or_none()
    if known is not None:
        return int(known)
    places = _places(connection, order.ward_id, codes, only_missing)
    if not 0 < len(places) <= MOST_IN_A_RUN:
        code = "too_many_places" if places else ("all_have_stickers" if codes else "no_places")
        raise InvalidValues([FieldError("places", code, {"most": MOST_IN_A_RUN, "count": len(places)})])
    return _add_run(connection, order, places, _marking_key(connection, secrets), rng)


def present_ward(connection: Connection, code: str) -> int:
    """The id of the ward that has this code today."""
    found = select(tables.ward.c.id).where(tables.ward.c.code == code, tables.ward.c.valid_to.is_(None))
    return int(connection.execute(found).scalar_one())


def _places(connection: Connection, ward_id: int, codes: Sequence[str], only_missing: bool) -> list[int]:
    """Ids of the establishments, in the order of their codes."""
    asked = select(_PLACE.c.code, _PLACE.c.id).where(_PLACE.c.code.in_(list(codes)), _PLACE.c.ward_id == ward_id)
    found = {row.code: row.id for row in connection.execute(asked)}
    if len(found) < len(set(codes)):
        raise NotFound
    having = set[int]()
    if only_missing:
        open_ones = select(_STICKER.c.establishment_id).where(
            _STICKER.c.state.in_(OPEN_STATES), _STICKER.c.establishment_id.in_(found.values())
        )
        having = set(connection.execute(open_ones).scalars())
    return [found[code] for code in dict.fromkeys(codes) if found[code] not in having]


def _marking_key(connection: Connection, secrets: Secrets) -> int:
    """The newest version of the key; a new one where there is none yet, or the newest is not this installation's."""
    keys = tables.sticker_key
    newest = connection.execute(
        select(keys.c.version, keys.c.fingerprint).order_by(keys.c.version.desc()).limit(1)
    ).one_or_none()
    if newest is not None and secrets.sticker_key(newest.version)[1] == newest.fingerprint:
        return int(newest.version)
    return _next_key(connection, secrets, newest.version if newest else 0)


def _next_key(connection: Connection, secrets: Secrets, version: int) -> int:
    row = {"version": version + 1, "fingerprint": secrets.sticker_key(version + 1)[1]}
    connection.execute(insert(tables.sticker_key).values(**row))
    return version + 1


def keys_lacking(connection: Connection, secrets: Secrets | None) -> tuple[int, int]:
    """How many versions of the key this installation's secrets do not give, and how many stickers they have marked."""
    keys = connection.execute(select(tables.sticker_key.c.version, tables.sticker_key.c.fingerprint)).all()
    lacking = [key.version for key in keys if secrets is None or secrets.sticker_key(key.version)[1] != key.fingerprint]
    counted = select(func.count()).where(_STICKER.c.key_version.in_(lacking))
    return len(lacking), int(connection.execute(counted).scalar_one())


def rotate_key(connection: Connection, secrets: Secrets) -> int:
    """From here on stickers are marked with a new version of the key, which is returned; the older stay recognised."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    newest = connection.execute(select(func.max(tables.sticker_key.c.version))).scalar_one()
    return _next_key(connection, secrets, newest or 0)


def _add_run(
    connection: Connection,
    order: RunOrder,
    places: Sequence[int],
    key_version: int,
    rng: random.Random | None,
    replaces: int | None = None,
) -> int:
    """The run with its stickers and their first event; returns its id."""
    row = {
        "ward_id": order.ward_id, "staff_id": order.staff_id, "request_key": order.request_key,
        "chosen_by": order.chosen_by, "choice": order.choice, "layout": order.layout, "per_page": order.per_page,
        "stickers": len(places), "pages": -(-len(places) // order.per_page),
    }  # fmt: skip
    run_id = int(connection.execute(insert(_RUN).values(**row).returning(_RUN.c.id)).scalar_one())
    serials = _free_serials(connection, len(places), rng)
    rows = [
        {"serial": serial, "ward_id": order.ward_id, "establishment_id": place, "run_id": run_id, "position": number,
         "key_version": key_version, "replaces_id": replaces}
        for number, (serial, place) in enumerate(zip(serials, places, strict=True), start=1)
    ]  # fmt: skip
    connection.execute(insert(_STICKER), rows)
    made = select(_STICKER.c.id, literal("printed"), literal(order.staff_id, BigInteger)).where(
        _STICKER.c.run_id == run_id
    )
    connection.execute(insert(_EVENT).from_select(["sticker_id", "kind", "staff_id"], made))
    return run_id


def _free_serials(connection: Connection, count: int, rng: random.Random | None) -> list[str]:
    """Serials that no sticker ever had, of any ward: the unique key refuses what two runs would draw at once."""
    free: dict[str, None] = {}
    while len(free) < count:
        drawn = list(dict.fromkeys(sticker_marks.new_serial(rng) for _ in range(count - len(free))))
        # Of every ward, which row-level security would hide; the public view shows serials alone.
        taken = connection.execute(
            text("SELECT serial FROM published.stickers WHERE serial = ANY (:drawn)"), {"drawn": drawn}
        ).scalars()
        gone = set(taken)
        free |= dict.fromkeys(serial for serial in drawn if serial not in gone)
    return list(free)


def take_pages(connection: Connection, run_id: int, count: int, staff_id: int | None) -> int:
    """Takes the next pages of a run for printing, `count` or as many as are left; returns the print's id.

    Of two who ask at once each gets pages of their own. Raises NotFound, InvalidValues on `pages` when none is left.
    """
    run = connection.execute(
        select(_RUN.c.pages, _RUN.c.pages_taken).where(_RUN.c.id == run_id).with_for_update()
    ).one_or_none()
    if run is None:
        raise NotFound
    last = min(run.pages_taken + count, run.pages)
    if last == run.pages_taken or count < 1:
        raise InvalidValues([FieldError("pages", "no_pages_left")])
    done = connection.execute(update(_RUN).where(_RUN.c.id == run_id).values(pages_taken=last).returning(_RUN.c.id))
    if done.one_or_none() is None:
        raise Forbidden
    return _note_print(connection, run_id, run.pages_taken + 1, last, None, staff_id)


def print_again(connection: Connection, run_id: int, first: int, last: int, reason: str, staff_id: int | None) -> int:
    """Takes pages once more that were taken before, for a reason; returns the print's id.

    Raises NotFound, and InvalidValues on `pages` for pages that nobody has taken yet.
    """
    taken = connection.execute(select(_RUN.c.pages_taken).where(_RUN.c.id == run_id)).scalar_one_or_none()
    if taken is None:
        raise NotFound
    if not 1 <= first <= last <= taken:
        raise InvalidValues([FieldError("pages", "pages_not_taken", {"taken": taken})])
    return _note_print(connection, run_id, first, last, reason, staff_id)


def _note_print(
    connection: Connection, run_id: int, first: int, last: int, reason: str | None, staff_id: int | None
) -> int:
    row = {"run_id": run_id, "first_page": first, "last_page": last, "reason": reason, "staff_id": staff_id}
    return int(connection.execute(insert(_PRINT).values(**row).returning(_PRINT.c.id)).scalar_one())


def note(connection: Connection, serial: str, kind: str, staff_id: int | None, words: str | None = None) -> None:
    """Notes an event that changes no state: seen on patrol, reported by somebody. Raises NotFound."""
    found = connection.execute(select(_STICKER.c.id).where(_STICKER.c.serial == serial)).scalar_one_or_none()
    if found is None:
        raise NotFound
    row = {"sticker_id": found, "kind": kind, "staff_id": staff_id, "note": words or None}
    connection.execute(insert(_EVENT).values(**row))


def move(
    connection: Connection,
    serial: str,
    state: str,
    version: int,
    staff_id: int | None,
    *,
    words: str | None = None,
    photo_id: int | None = None,
) -> None:
    """Notes that a sticker has come into a state, as somebody saw it in `version`.

    A sticker that was made in place of another takes that one out of use when it is installed. Raises NotFound, Stale
    (what it is now), InvalidValues on `state` for a move that there is not, Forbidden.
    """
    now = connection.execute(select(_STICKER).where(_STICKER.c.serial == serial).with_for_update()).one_or_none()
    if now is None:
        raise NotFound
    if now.version != version:
        raise Stale(now.state)
    if now.state not in MOVES[state]:
        raise InvalidValues([FieldError("state", "sticker_state", {"state": now.state})])
    values: dict[str, Any] = {"state": state} | ({"photo_id": photo_id} if photo_id is not None else {})
    done = connection.execute(
        update(_STICKER).where(_STICKER.c.id == now.id).values(**values).returning(_STICKER.c.id)
    ).one_or_none()
    if done is None:
        raise Forbidden
    note(connection, serial, state, staff_id, words)
    if state == "installed" and now.replaces_id is not None:
        old = connection.execute(
            update(_STICKER)
            .where(_STICKER.c.id == now.replaces_id, _STICKER.c.state == "installed")
            .values(state="replaced")
            .returning(_STICKER.c.serial)
        ).scalar_one_or_none()
        if old is not None:
            note(connection, old, "replaced", staff_id, serial)


def replace(
    connection: Connection, secrets: Secrets, order: RunOrder, serial: str, rng: random.Random | None = None
) -> int:
    """Makes a run of one sticker in place of another that hangs, or is lost; returns the run's id.

    The old one stays what it is until the new one is installed. Raises NotFound, InvalidValues on `state`.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    known = connection.execute(select(_RUN.c.id).where(_RUN.c.request_key == order.request_key)).scalar_one_or_none()
    if known is not None:
        return int(known)
    old = connection.execute(select(_STICKER).where(_STICKER.c.serial == serial)).one_or_none()
    if old is None:
        raise NotFound
    if old.state not in ("installed", "lost"):
        raise InvalidValues([FieldError("state", "sticker_state", {"state": old.state})])
    return _add_run(connection, order, [old.establishment_id], _marking_key(connection, secrets), rng, replaces=old.id)
