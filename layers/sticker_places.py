"""Which places stickers are printed for, in the order of a walk, from the published views alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, column, func, literal, select, table
from sqlalchemy.sql.functions import Function

from layers.collections import WARDS

GONE = ("closed", "moved", "not_found")
"""Operating statuses under which no sticker is printed unless its code is asked for."""

_SHOWN = ("code", "name", "name_en", "kind", "sector_group", "address", "stall", "illustrative")
_VIEW = table(
    "establishments",
    *(column(name) for name in (*_SHOWN, "ward", "operating_status", "model_site", "residential_group")),
    *(column(name) for name in ("house_number", "street_name")),
    schema="published",
)
_WARD = WARDS.view
_WARD_COLUMNS = ("code", "name", "name_en", "kind")

Row = dict[str, Any]


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
    residential_group: str | None = None
    codes: Sequence[str] = ()
    limit: int | None = None


def sticker_places(connection: Connection, choice: StickerChoice) -> list[Row]:
    """The chosen establishments in the order in which somebody walks past them: street, house number, stall, code.

    Each has `code`, `name`, `name_en`, `kind`, `sector_group`, `address`, `stall`, `illustrative` and `ward`: its
    `code`, `name`, `name_en` and `kind`, or None.
    """
    statement = (
        select(*(_VIEW.c[name] for name in _SHOWN), *(_WARD.c[name].label(f"ward_{name}") for name in _WARD_COLUMNS))
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
    return [{**{name: row[name] for name in _SHOWN}, "ward": _ward_of(row)} for row in rows]


def _chosen(choice: StickerChoice) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if choice.codes:
        conditions.append(_VIEW.c.code.in_(list(choice.codes)))
    else:
        conditions.append(_VIEW.c.operating_status.not_in(GONE))
        if choice.sector_group is None:
            conditions.append(_VIEW.c.sector_group != "public_place")
    for name in ("ward", "sector_group", "model_site", "residential_group"):
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


def _ward_of(row: Any) -> Row | None:
    return None if row["ward_code"] is None else {name: row[f"ward_{name}"] for name in _WARD_COLUMNS}
