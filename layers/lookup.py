"""What the look-up page needs to know, from the published views alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, TableClause, bindparam, column, func, select, table, text

from layers.collections import ESTABLISHMENTS, WARDS
from layers.features import COORDINATE_DIGITS
from layers.statements import Shapes

_VIEW = table(
    "establishments",
    *(column(field.name) for field in ESTABLISHMENTS.fields),
    *(column(name) for name in ("closed_on", "street_name", "geom")),
    schema="published",
)
_WARNINGS = table(
    "warnings",
    *(column(name) for name in ("id", "code", "establishment", "issued_on", "headline", "instruction", "agency")),
    schema="published",
)
_REPLIES = table(
    "replies",
    *(column(name) for name in ("collection", "code", "establishment", "fact_on", "reply", "replied_on")),
    schema="published",
)
_DETAIL_COLUMNS = ("last_inspection", "food_safety_agency", "photo", "former_names", "payment_check")
_DETAILS = table(
    "place_details",
    *(column(name) for name in ("code", *_DETAIL_COLUMNS)),
    schema="published",
)
_CODES = table("known_codes", *(column(name) for name in ("code", "state", "successor")), schema="published")
_WARD = WARDS.view
_WARD_COLUMNS = ("code", "name", "name_en", "kind")
_NAMES = (
    *(field.name for field in ESTABLISHMENTS.fields),
    "closed_on",
    "point",
    *(f"ward_{name}" for name in _WARD_COLUMNS),
    *_DETAIL_COLUMNS,
)
_SHAPES = Shapes()
"""What every scan asks: planned once on each connection."""

_SUCCESSORS = text(
    """SELECT w.code, w.name, w.name_en, w.kind, substr(f.former, length(:code) + 2) AS former
         FROM published.wards w CROSS JOIN LATERAL unnest(w.formed_from) AS f (former)
        WHERE starts_with(f.former, :code || ' ') LIMIT 2"""
)

FAILED = ("fail", "c")
"""Results of an inspection that are adverse to a place."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """An establishment as the public may see it, with what stands beside it on the look-up page."""

    properties: Row
    """Named as in the establishments collection."""
    closed_on: Any
    position: tuple[float, float]
    """Longitude and latitude, WGS 84."""
    warnings: list[Row]
    """Live warnings, latest first: `code`, `issued_on`, `headline`, `instruction`, `agency`."""
    ward: Row | None
    """`code`, `name`, `name_en`, `kind` of the present unit it lies in; of a dissolved one, of what that became."""
    details: Row
    """`last_inspection` (`code`, `inspected_on`, `result`, `agency`, `official_words`, or None), `food_safety_agency`,
    `photo` (`file`, `width`, `height`, `taken_on`, or None), `former_names`, `payment_check`: buyers may compare."""
    replies: list[Row]
    """What the owner says to adverse facts: `collection`, `code`, `fact_on`, `reply`, `replied_on`."""
    dissolved_ward: str | None = None
    """Name of the unit that it was recorded in, where that is no more."""


def find_establishment(connection: Connection, code: str) -> FoundPlace | None:
    """The establishment with a public code in canonical form, or None when the code leads to none."""
    statement = _SHAPES.statement("place", lambda: _places(_VIEW.c.code == bindparam("code", "")))
    found = statement.run_planned(connection, {"code": code})
    return _with_warnings(connection, [dict(zip(_NAMES, row, strict=True)) for row in found]).get(code)


def find_establishments(connection: Connection, wanted: Sequence[str]) -> dict[str, FoundPlace]:
    """The establishments with these codes, by code; those that there are."""
    rows = connection.execute(_places(_VIEW.c.code.in_(list(wanted)))).mappings().all()
    return _with_warnings(connection, [dict(row) for row in rows])


def _places(wanted: ColumnElement[bool]) -> Select[Any]:
    """The columns that `_NAMES` names."""
    return (
        select(
            *(_VIEW.c[field.name] for field in ESTABLISHMENTS.fields),
            _VIEW.c.closed_on,
            # Rounded as features are: half a millionth of a degree goes up there and may go down elsewhere.
            func.public.st_asgeojson(_VIEW.c.geom, COORDINATE_DIGITS).label("point"),
            *(_WARD.c[name].label(f"ward_{name}") for name in _WARD_COLUMNS),
            *(_DETAILS.c[name] for name in _DETAIL_COLUMNS),
        )
        .select_from(
            _VIEW.outerjoin(_WARD, _WARD.c.code == _VIEW.c.ward).outerjoin(_DETAILS, _DETAILS.c.code == _VIEW.c.code)
        )
        .where(wanted)
    )


def _with_warnings(connection: Connection, rows: Sequence[Row]) -> dict[str, FoundPlace]:
    warnings = live_warnings(connection, [row["code"] for row in rows]) if rows else {}
    answerable = [row["code"] for row in rows if row["live_warning"] or row["last_inspection_result"] in FAILED]
    replies = owner_replies(connection, answerable) if answerable else {}
    return {
        row["code"]: _found(connection, row, warnings.get(row["code"], []), replies.get(row["code"], []))
        for row in rows
    }


def _found(connection: Connection, row: Any, warnings: list[Row], replies: list[Row]) -> FoundPlace:
    ward, dissolved = _ward_of(row), None
    if ward is None and row["ward"] is not None:
        ward, dissolved = _became(connection, row["ward"])
    return FoundPlace(
        properties={field.name: row[field.name] for field in ESTABLISHMENTS.fields},
        closed_on=row["closed_on"],
        position=tuple(json.loads(row["point"])["coordinates"]),
        warnings=warnings,
        ward=ward,
        details={name: row[name] for name in _DETAIL_COLUMNS},
        replies=replies,
        dissolved_ward=dissolved,
    )


def owner_replies(connection: Connection, places: Sequence[str]) -> dict[str, list[Row]]:
    """What the owners of places say to adverse facts about them, by code, the latest fact first."""
    names = ("establishment", "collection", "code", "fact_on", "reply", "replied_on")
    order = (_REPLIES.c.fact_on.desc(), _REPLIES.c.collection, _REPLIES.c.code)
    return _by_place(connection, _REPLIES, names, order, places)


def only_place(connection: Connection, candidates: Sequence[str]) -> Row | None:
    """`code`, `name`, `name_en`, `kind`, `sector_group`, `address`, `street_name`, `stall` of the place that one of a
    few codes stands for, if exactly one of them was ever issued; else None.
    """
    shown = ("name", "name_en", "kind", "sector_group", "address", "street_name", "stall")
    found = connection.execute(
        select(_CODES.c.code, _VIEW.c.code.label("place"), *(_VIEW.c[name] for name in shown))
        .select_from(_CODES.outerjoin(_VIEW, _VIEW.c.code == _CODES.c.code))
        .where(_CODES.c.code.in_(list(candidates)))
        .limit(2)
    ).mappings()
    rows = [dict(row) for row in found]
    return rows[0] if len(rows) == 1 and rows[0]["place"] is not None else None


def known_code(connection: Connection, code: str) -> tuple[str | None, str | None]:
    """What stands behind a code, and the code that it leads on to.

    The state is None for a code that was never issued, `unused`, `ended` (a record made by mistake), `merged` (with the
    code of the place that it was a duplicate of), else the operating status (of a place that has moved with the code of
    its new one, where that is known).
    """
    asked = select(_CODES.c.state, _CODES.c.successor).where(_CODES.c.code == bindparam("code", ""))
    found = _SHAPES.statement("code", lambda: asked).run_planned(connection, {"code": code})
    return (found[0][0], found[0][1]) if found else (None, None)


def known_codes(connection: Connection, after: str, most: int) -> list[tuple[str, str | None, str | None]]:
    """The next codes ever issued, in order: code, state and successor, as `known_code` says."""
    statement = (
        select(_CODES.c.code, _CODES.c.state, _CODES.c.successor)
        .where(_CODES.c.code > after)
        .order_by(_CODES.c.code)
        .limit(most)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]


def live_warnings(connection: Connection, places: Sequence[str]) -> dict[str, list[Row]]:
    """The live warnings about establishments by code, latest first."""
    names = ("establishment", "code", "issued_on", "headline", "instruction", "agency")
    return _by_place(connection, _WARNINGS, names, (_WARNINGS.c.issued_on.desc(), _WARNINGS.c.id.desc()), places)


def find_ward(connection: Connection, code: str) -> Row | None:
    """`code`, `name`, `name_en` and `kind` of a present unit, or None."""
    asked = select(*(_WARD.c[name] for name in _WARD_COLUMNS)).where(_WARD.c.code == bindparam("code", ""))
    found = _SHAPES.statement("ward", lambda: asked).run_planned(connection, {"code": code})
    return dict(zip(_WARD_COLUMNS, found[0], strict=True)) if found else None


def _became(connection: Connection, code: str) -> tuple[Row | None, str | None]:
    """The present unit that a dissolved one became, and the dissolved one's name; None where it was divided."""
    found = connection.execute(_SUCCESSORS, {"code": code}).mappings().all()
    if len(found) != 1:
        return None, None
    return {name: found[0][name] for name in _WARD_COLUMNS}, found[0]["former"]


def _by_place(
    connection: Connection,
    view: TableClause,
    names: Sequence[str],
    order: Sequence[ColumnElement[Any]],
    places: Sequence[str],
) -> dict[str, list[Row]]:
    """Rows of a view about places, by the place's code, each with what `names` names but the place."""

    def asked(wanted: ColumnElement[bool]) -> Select[Any]:
        return select(*(view.c[name] for name in names)).where(wanted).order_by(*order)

    known = view.c.establishment
    rows: Sequence[Any]
    if len(places) == 1:
        one = _SHAPES.statement(view.name, lambda: asked(known == bindparam("place", "")))
        rows = one.run_planned(connection, {"place": places[0]})
    else:
        rows = connection.execute(asked(known.in_(list(places)))).all()
    found: dict[str, list[Row]] = {}
    for row in rows:
        each = dict(zip(names, row, strict=True))
        found.setdefault(each.pop("establishment"), []).append(each)
    return found


def _ward_of(row: Any) -> Row | None:
    return None if row["ward_code"] is None else {name: row[f"ward_{name}"] for name in _WARD_COLUMNS}
