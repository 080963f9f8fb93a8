"""What the look-up page and the stickers need to know, from the published views alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, column, func, literal, select, table
from sqlalchemy.sql.functions import Function

from layers.collections import ESTABLISHMENTS, WARDS
from layers.features import COORDINATE_DIGITS

GONE = ("closed", "moved", "not_found")
"""Operating statuses under which no sticker is printed unless its code is asked for."""

_VIEW = table(
    "establishments",
    *(column(field.name) for field in ESTABLISHMENTS.fields),
    *(column(name) for name in ("closed_on", "house_number", "street_name", "geom")),
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
_CODES = table("known_codes", *(column(name) for name in ("code", "state", "successor")), schema="published")
_WARD = WARDS.view
_WARD_COLUMNS = ("code", "name", "name_en", "kind")

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
    """`code`, `name`, `name_en`, `kind` of the present unit it lies in."""
    replies: list[Row]
    """What the owner says to adverse facts: `collection`, `code`, `fact_on`, `reply`, `replied_on`."""


@dataclass(frozen=True, slots=True)
class StickerChoice:
    """Which establishments get a sticker; what is not given does not narrow the choice.

    `street` is compared without marks, case and a leading "đường". With `codes`, places get theirs whatever their
    status; otherwise those that are gone and public places are left out.
    """

    ward: str | None = None
    street: str | None = None
    sector_group: str | None = None
    model_site: str | None = None
    codes: Sequence[str] = ()
    limit: int | None = None


def find_establishment(connection: Connection, code: str) -> FoundPlace | None:
    """The establishment with a public code in canonical form, or None when the code leads to none."""
    found = (
        connection.execute(
            select(
                *(_VIEW.c[field.name] for field in ESTABLISHMENTS.fields),
                _VIEW.c.closed_on,
                func.public.st_x(_VIEW.c.geom).label("lon"),
                func.public.st_y(_VIEW.c.geom).label("lat"),
                *(_WARD.c[name].label(f"ward_{name}") for name in _WARD_COLUMNS),
            )
            .select_from(_VIEW.outerjoin(_WARD, _WARD.c.code == _VIEW.c.ward))
            .where(_VIEW.c.code == code)
        )
        .mappings()
        .one_or_none()
    )
    if found is None:
        return None
    return FoundPlace(
        properties={field.name: found[field.name] for field in ESTABLISHMENTS.fields},
        closed_on=found["closed_on"],
        position=(round(found["lon"], COORDINATE_DIGITS), round(found["lat"], COORDINATE_DIGITS)),
        warnings=live_warnings(connection, code),
        ward=_ward_of(found),
        replies=owner_replies(connection, code) if found["live_warning"] or _failed(found) else [],
    )


def owner_replies(connection: Connection, code: str) -> list[Row]:
    """What the owner of a place says to adverse facts about it, the latest fact first."""
    names = ("collection", "code", "fact_on", "reply", "replied_on")
    statement = select(*(_REPLIES.c[name] for name in names)).where(_REPLIES.c.establishment == code)
    statement = statement.order_by(_REPLIES.c.fact_on.desc(), _REPLIES.c.collection, _REPLIES.c.code)
    return [dict(row) for row in connection.execute(statement).mappings()]


def known_code(connection: Connection, code: str) -> tuple[str | None, str | None]:
    """What stands behind a code, and the code that it leads on to.

    The state is None for a code that was never issued, `unused`, `ended` (a record made by mistake), `merged` (with the
    code of the place that it was a duplicate of), else the operating status (of a place that has moved with the code of
    its new one, where that is known).
    """
    found = connection.execute(select(_CODES.c.state, _CODES.c.successor).where(_CODES.c.code == code)).one_or_none()
    return (None, None) if found is None else (found[0], found[1])


def live_warnings(connection: Connection, code: str) -> list[Row]:
    """The live warnings about an establishment, latest first."""
    statement = (
        select(*(_WARNINGS.c[name] for name in ("code", "issued_on", "headline", "instruction", "agency")))
        .where(_WARNINGS.c.establishment == code)
        .order_by(_WARNINGS.c.issued_on.desc(), _WARNINGS.c.id.desc())
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def find_ward(connection: Connection, code: str) -> Row | None:
    """`code`, `name`, `name_en` and `kind` of a present unit, or None."""
    statement = select(*(_WARD.c[name] for name in _WARD_COLUMNS)).where(_WARD.c.code == code)
    found = connection.execute(statement).mappings().one_or_none()
    return None if found is None else dict(found)


def stickers(connection: Connection, choice: StickerChoice) -> list[Row]:
    """The chosen establishments in the order in which somebody walks past them: street, house number, stall, code.

    Each has `code`, `name`, `name_en`, `kind`, `sector_group`, `address`, `stall`, `illustrative` and `ward` (as in
    `FoundPlace`, or None).
    """
    shown = ("code", "name", "name_en", "kind", "sector_group", "address", "stall", "illustrative")
    statement = (
        select(*(_VIEW.c[name] for name in shown), *(_WARD.c[name].label(f"ward_{name}") for name in _WARD_COLUMNS))
        .select_from(_VIEW.outerjoin(_WARD, _WARD.c.code == _VIEW.c.ward))
        .where(*_chosen(choice))
        .order_by(
            _street_key(_VIEW.c.street_name).nulls_last(),
            _first_number(_VIEW.c.house_number).nulls_last(),
            _padded(_VIEW.c.house_number).nulls_last(),
            _padded(_VIEW.c.stall).nulls_last(),
            _VIEW.c.code,
        )
        .limit(choice.limit)
    )
    rows = connection.execute(statement).mappings()
    return [{**{name: row[name] for name in shown}, "ward": _ward_of(row)} for row in rows]


def _chosen(choice: StickerChoice) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if choice.codes:
        conditions.append(_VIEW.c.code.in_(list(choice.codes)))
    else:
        conditions.append(_VIEW.c.operating_status.not_in(GONE))
        if choice.sector_group is None:
            conditions.append(_VIEW.c.sector_group != "public_place")
    for name in ("ward", "sector_group", "model_site"):
        value = getattr(choice, name)
        if value is not None:
            conditions.append(_VIEW.c[name] == value)
    if choice.street is not None:
        conditions.append(_street_key(_VIEW.c.street_name) == _street_key(literal(choice.street)))
    return conditions


def _street_key(name: ColumnElement[Any]) -> Function[Any]:
    return func.regexp_replace(func.published.search_key(name), "^duong ", "")


def _first_number(text: ColumnElement[Any]) -> Function[Any]:
    """The number along the street, as text that sorts: alley K408/88 opens between houses 406 and 410."""
    return func.lpad(func.substring(text, "[0-9]+"), 8, "0")


def _padded(text: ColumnElement[Any]) -> Function[Any]:
    """The text with every number in it padded to eight digits, so that 9 sorts before 10."""
    return func.regexp_replace(
        func.regexp_replace(text, "([0-9]+)", r"00000000\1", "g"), "0*([0-9]{8})(?![0-9])", r"\1", "g"
    )


def _failed(found: Any) -> bool:
    return found["last_inspection_result"] in FAILED


def _ward_of(row: Any) -> Row | None:
    return None if row["ward_code"] is None else {name: row[f"ward_{name}"] for name in _WARD_COLUMNS}
