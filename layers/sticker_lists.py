"""Stickers and print runs as the ward's officers see them: as mapservice_staff, under row-level security."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, column, func, or_, select, table

from layers.keyset import Key, Keyset, decode_cursor
from postgis import codes, sticker_marks, tables

ROWS_PER_PAGE = 50
RUNS_PER_PAGE = 30
_STICKER, _RUN, _PRINT, _EVENT = tables.sticker, tables.sticker_run, tables.sticker_print, tables.sticker_event
_PLACE = tables.establishment
_STAFF = table("staff", column("id"), column("display_name"), schema="account")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the cursor of what follows."""

    rows: list[Row]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class StickerQuery:
    """Which stickers of the ward; what is not given does not narrow them."""

    state: str | None = None
    run: int | None = None
    place: str | None = None
    """The code of an establishment."""
    q: str | None = None
    """A serial, a look-up code, or words of a name or address."""


def _stickers() -> Select[Any]:
    return select(
        _STICKER.c.id, _STICKER.c.serial, _STICKER.c.state, _STICKER.c.state_at, _STICKER.c.run_id,
        _STICKER.c.position, _STICKER.c.version, _STICKER.c.key_version, _PLACE.c.code, _PLACE.c.name,
        _PLACE.c.name_en, _PLACE.c.kind, _PLACE.c.sector_group, _PLACE.c.address, _PLACE.c.stall,
        _PLACE.c.illustrative, _PLACE.c.ended_at.label("place_ended_at"), _PLACE.c.operating_status,
    ).select_from(_STICKER.join(_PLACE, _PLACE.c.id == _STICKER.c.establishment_id))  # fmt: skip


def stickers(connection: Connection, query: StickerQuery, cursor: str | None = None) -> Page:
    """The stickers asked for, the newest first, in a run in its order. Raises InvalidCursor."""
    key = Key(_STICKER.c.position if query.run is not None else -_STICKER.c.id, BigInteger())
    return _page(connection, _stickers().where(*_conditions(query)), Keyset("stickers", [key]), cursor, ROWS_PER_PAGE)


def count(connection: Connection, query: StickerQuery) -> dict[str, int]:
    """How many of them there are in each state."""
    joined = _STICKER.join(_PLACE, _PLACE.c.id == _STICKER.c.establishment_id)
    asked = select(_STICKER.c.state, func.count()).select_from(joined).where(*_conditions(query))
    return {str(state): int(number) for state, number in connection.execute(asked.group_by(_STICKER.c.state))}


def sticker(connection: Connection, serial: str) -> Row | None:
    """One sticker, with the serials of the one it was made in place of and of the one made in its place, and the file
    of the photo of its installation."""
    old, new, photo = _STICKER.alias("old"), _STICKER.alias("new"), tables.photo
    before = select(old.c.serial).where(old.c.id == _STICKER.c.replaces_id)
    after = select(func.max(new.c.serial)).where(new.c.replaces_id == _STICKER.c.id)
    taken = select(photo.c.file).where(photo.c.id == _STICKER.c.photo_id, photo.c.ended_at.is_(None))
    statement = (
        _stickers()
        .add_columns(
            before.scalar_subquery().label("replaces"),
            after.scalar_subquery().label("replaced_by"),
            taken.scalar_subquery().label("photo"),
        )
        .where(_STICKER.c.serial == serial)
    )
    found = connection.execute(statement).mappings().one_or_none()
    return None if found is None else dict(found)


def events(connection: Connection, sticker_id: int) -> list[Row]:
    """What happened to a sticker, the latest first: `kind`, `at`, `note` and `by`, a name or None."""
    statement = (
        select(_EVENT.c.kind, _EVENT.c.at, _EVENT.c.note, _STAFF.c.display_name.label("by"))
        .select_from(_EVENT.outerjoin(_STAFF, _STAFF.c.id == _EVENT.c.staff_id))
        .where(_EVENT.c.sticker_id == sticker_id)
        .order_by(_EVENT.c.id.desc())
        .limit(200)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def _runs() -> Select[Any]:
    shown = (_RUN.c[name] for name in ("id", "chosen_by", "choice", "layout", "per_page", "stickers", "pages"))
    return select(*shown, _RUN.c.pages_taken, _RUN.c.made_at, _STAFF.c.display_name.label("by")).select_from(
        _RUN.outerjoin(_STAFF, _STAFF.c.id == _RUN.c.staff_id)
    )


def runs(connection: Connection, cursor: str | None = None) -> Page:
    """The ward's print runs, the newest first. Raises InvalidCursor."""
    return _page(connection, _runs(), Keyset("sticker_runs", [Key(-_RUN.c.id, BigInteger())]), cursor, RUNS_PER_PAGE)


def run(connection: Connection, run_id: int) -> Row | None:
    """One print run."""
    found = connection.execute(_runs().where(_RUN.c.id == run_id)).mappings().one_or_none()
    return None if found is None else dict(found)


def prints(connection: Connection, run_id: int) -> list[Row]:
    """Who took which pages of a run for printing, the latest first."""
    statement = (
        select(_PRINT.c.id, _PRINT.c.first_page, _PRINT.c.last_page, _PRINT.c.reason, _PRINT.c.taken_at,
               _STAFF.c.display_name.label("by"))
        .select_from(_PRINT.outerjoin(_STAFF, _STAFF.c.id == _PRINT.c.staff_id))
        .where(_PRINT.c.run_id == run_id)
        .order_by(_PRINT.c.id.desc())
        .limit(200)
    )  # fmt: skip
    return [dict(row) for row in connection.execute(statement).mappings()]


def print_of(connection: Connection, run_id: int, print_id: int) -> Row | None:
    """Pages of a run that somebody took."""
    asked = select(_PRINT).where(_PRINT.c.id == print_id, _PRINT.c.run_id == run_id)
    found = connection.execute(asked).mappings().one_or_none()
    return None if found is None else dict(found)


def street_names(connection: Connection) -> list[str]:
    """The streets that places of the ward stand at, as their addresses name them."""
    asked = select(_PLACE.c.street_name).where(_PLACE.c.ended_at.is_(None), _PLACE.c.street_name.is_not(None))
    return sorted(set(connection.execute(asked.distinct()).scalars()))


@dataclass(frozen=True, slots=True)
class Printed:
    """A sticker as a page of a run has it."""

    position: int
    serial: str
    code: str
    key_version: int
    state: str


def of_pages(connection: Connection, run_id: int, first: int, last: int) -> list[Printed]:
    """The stickers on pages of a run, in order."""
    position = _STICKER.c.position
    statement = (
        select(position, _STICKER.c.serial, _PLACE.c.code, _STICKER.c.key_version, _STICKER.c.state)
        .select_from(
            _STICKER.join(_PLACE, _PLACE.c.id == _STICKER.c.establishment_id).join(_RUN, _RUN.c.id == _STICKER.c.run_id)
        )
        .where(_RUN.c.id == run_id, position > (first - 1) * _RUN.c.per_page, position <= last * _RUN.c.per_page)
        .order_by(position)
    )
    return [Printed(*row) for row in connection.execute(statement)]


def having_stickers(connection: Connection, wanted: Sequence[str], states: Sequence[str]) -> set[str]:
    """Which of the places with these codes have a sticker in one of the states."""
    asked = (
        select(_PLACE.c.code)
        .select_from(_STICKER.join(_PLACE, _PLACE.c.id == _STICKER.c.establishment_id))
        .where(_PLACE.c.code.in_(list(wanted)), _STICKER.c.state.in_(list(states)))
    )
    return set(connection.execute(asked).scalars())


def _conditions(query: StickerQuery) -> list[Any]:
    conditions: list[Any] = []
    if query.state is not None:
        conditions.append(_STICKER.c.state == query.state)
    if query.run is not None:
        conditions.append(_STICKER.c.run_id == query.run)
    if query.place is not None:
        conditions.append(_PLACE.c.code == query.place)
    if query.q:
        serial, code = sticker_marks.canonical(query.q), codes.normalise(query.q)
        exact = [_STICKER.c.serial == serial] if serial else []
        exact += [_PLACE.c.code == code] if code else []
        words = func.strpos(_PLACE.c.search_key, func.published.search_key(query.q)) > 0
        conditions.append(or_(*exact, words))
    return conditions


def _page(connection: Connection, statement: Select[Any], order: Keyset, cursor: str | None, limit: int) -> Page:
    after = None if cursor is None else decode_cursor(cursor)
    rows = connection.execute(order.page(statement, after, limit)).mappings().all()
    shown = rows[:limit]
    return Page([dict(row) for row in shown], order.after(shown[-1]) if len(rows) > limit else None)
