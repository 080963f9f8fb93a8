"""Figures that the register cannot measure, as officers enter them. Rows are only added; a correction is newer."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError

from postgis import tables
from postgis.actor import Actor
from postgis.errors import FieldError, Forbidden, InvalidValues, refused_by_database
from postgis.store.record_types import RecordType, WritableField
from postgis.store.record_values import columns

_TABLE = tables.entered_figure
MOST_COUNTED = 10**9
FIGURE = RecordType(
    "entered_figures",
    _TABLE,
    (
        WritableField("as_of", "date", required=True, has_happened=True),
        WritableField("numerator", "integer"),
        WritableField("denominator", "integer"),
        WritableField("value", "number"),
        WritableField("source", "text", required=True, max_length=300),
        WritableField("document", "text", max_length=200),
    ),
)
"""What people say of a figure: two counts, or the share alone."""


def add(connection: Connection, actor: Actor, indicator: str, values: Mapping[str, Any]) -> bool:
    """Adds a figure of the actor's ward; whether it says anything that was not there (a form may be sent twice).

    `indicator` is a code that the ward's plan has entered, which the caller knows. Raises InvalidValues, Forbidden.
    """
    row = checked(connection, values)
    row |= {"ward_id": actor.ward_id, "indicator_code": indicator}
    latest = (
        select(*(_TABLE.c[name] for name in row))
        .where(_TABLE.c.ward_id == actor.ward_id, _TABLE.c.indicator_code == indicator, _TABLE.c.as_of == row["as_of"])
        .order_by(_TABLE.c.id.desc())
        .limit(1)
    )
    there = connection.execute(latest).mappings().one_or_none()
    if there is not None and {**there} == row:
        return False
    try:
        with connection.begin_nested():
            connection.execute(insert(_TABLE).values(**row, entered_by=actor.staff_id))
    except DBAPIError as error:
        refusal = refused_by_database(error, _TABLE.name)
        raise (refusal if isinstance(refusal, Forbidden) else error) from error
    return True


def checked(connection: Connection, values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a figure, its share made from the counts where they are given. Raises InvalidValues."""
    try:
        row, errors = columns(connection, FIGURE, values, new=True), list[FieldError]()
    except InvalidValues as invalid:
        row, errors = {}, list(invalid.errors)
    wrong = {error.field for error in errors}
    numerator, denominator, share = (values.get(name) for name in ("numerator", "denominator", "value"))
    if (numerator is None) != (denominator is None):
        errors.append(FieldError("denominator" if denominator is None else "numerator", "required"))
    elif numerator is None and share is None and not wrong & {"numerator", "denominator", "value"}:
        errors.append(FieldError("value", "required"))
    if not errors:
        errors += _impossible(row)
    if errors:
        raise InvalidValues(errors)
    if row.get("denominator"):
        row["value"] = Decimal(100 * row["numerator"]) / row["denominator"]
    row["value"] = round(row["value"], 2)
    return row | {name: row.get(name) for name in ("numerator", "denominator", "document")}


def _impossible(row: Mapping[str, Any]) -> list[FieldError]:
    if row.get("denominator") is None:
        return [] if 0 <= row["value"] <= 100 else [FieldError("value", "not_a_share")]
    if not 0 < row["denominator"] <= MOST_COUNTED:
        return [FieldError("denominator", "not_a_whole", {"most": MOST_COUNTED})]
    if not 0 <= row["numerator"] <= row["denominator"]:
        return [FieldError("numerator", "more_than_whole")]
    share = row.get("value")
    if share is not None and abs(float(share) - 100 * row["numerator"] / row["denominator"]) > 0.06:
        return [FieldError("value", "not_the_share")]
    return []
