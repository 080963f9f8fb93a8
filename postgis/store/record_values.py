"""Values from the wire, checked field by field and made into columns; all errors of a record at once."""

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from postgis import identifiers
from postgis.errors import FieldError, InvalidValues
from postgis.store.record_types import REFERENCES, RecordType, WritableField
from postgis.today import read_day, today

EARLIEST = date(1945, 1, 1)
LATEST = date(2200, 1, 1)
TOO_LARGE = 1_000_000
MAX_GEOMETRY_BYTES = 200_000
WEST, SOUTH, EAST, NORTH = 102.0, 6.0, 118.0, 24.0
"""Degrees: Vietnam with its archipelagos. A place may be accepted outside its ward; outside the country is a slip."""
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Letters that turn the direction of what follows: a name must read as it is written."""


class References(Protocol):
    """What a name and code refer to: the record's id, and whether it has ended; None where there is no such record."""

    def find(self, name: str, code: str) -> tuple[int, bool] | None:
        """`name` is that of the field."""


def columns(
    connection: Connection | References,
    record_type: RecordType,
    values: Mapping[str, Any],
    *,
    new: bool,
    past: bool = False,
) -> dict[str, Any]:
    """The columns that `values` stand for.

    Unknown fields, wrong types, missing required fields and references to what is not there or no longer counts are
    reported together; with `past`, values that once stood may refer to what has ended since. In place of a connection,
    whoever checks many records at once gives the references of all of them. Raises InvalidValues.
    """
    errors: list[FieldError] = []
    found: dict[str, Any] = {}
    given: set[str] = set()
    for name, value in values.items():
        field = record_type.field(name)
        if field is None:
            errors.append(FieldError(name, "unknown_field"))
        elif field.fixed and not new:
            errors.append(FieldError(name, "fixed"))
        else:
            try:
                stored = _column(connection, field, value, past=past)
                found.update(stored)
                # Spaces alone are cleaned away: nothing was given.
                given |= {name for column in stored.values() if column is not None}
            except _Wrong as wrong:
                errors.append(FieldError(name, wrong.code, wrong.values))
    for field in record_type.fields:
        missing = field.name not in given and (new or field.name in values)
        if field.required and missing and not any(error.field == field.name for error in errors):
            errors.append(FieldError(field.name, "required"))
    if errors:
        raise InvalidValues(errors)
    return found


class _Wrong(Exception):
    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code, self.values = code, values


def _column(connection: Connection | References, field: WritableField, value: Any, *, past: bool) -> dict[str, Any]:
    if isinstance(value, str):
        value = _clean(value, field)
    if field.kind == "reference":
        return {f"{field.name}_id": None if value is None else _reference(connection, field.name, value, past=past)}
    if field.kind in ("point", "shape"):
        return {"geom": None if value is None else _geometry(connection, field, value)}
    if value is None:
        return {field.name: None}
    if field.codes and value not in field.codes:
        raise _Wrong("not_in_list", value=str(value), allowed=", ".join(field.codes))
    if field.name in ("tax_code", "registration_number"):
        return {field.name: _public_number(field.name, _text(value))}
    if field.kind == "date":
        return {field.name: _date(value, has_happened=field.has_happened)}
    convert = {"boolean": _boolean, "integer": _integer, "number": _number, "text": _text}[field.kind]
    return {field.name: convert(value)}


def readable(text: str) -> bool:
    """Whether a text holds only what people can read: no control characters, no half letters, none that
    turn the writing round."""
    if text.isprintable():
        # Most texts, and said at once: what is neither a control character nor half a letter nor turns anything.
        return "\ufffd" not in text
    if any(unicodedata.category(letter) == "Cc" and letter not in "\t\n\r" for letter in text):
        return False
    if "\ufffd" in text or not _TURNS.isdisjoint(text):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _clean(value: str, field: WritableField) -> str | None:
    if not readable(value):
        raise _Wrong("unreadable_text")
    cleaned = unicodedata.normalize("NFC", value).strip()
    if len(cleaned) > field.max_length:
        raise _Wrong("too_long", most=field.max_length)
    # Zero-width letters alone are nothing that anybody can read.
    seen = cleaned.isprintable() or any(unicodedata.category(letter) != "Cf" for letter in cleaned)
    return cleaned if cleaned and seen else None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("not_text")
    return value


def _public_number(name: str, text: str) -> str:
    """A firm's number in its one spelling. A person's is never stored as one, and never repeated in the refusal."""
    number = identifiers.classify(text)
    if name == "registration_number":
        if number.kind == "personal_id" and number.certain:
            raise _Wrong("may_be_personal_id")
        return text
    if number.is_personal:
        raise _Wrong("personal_number")
    return identifiers.company_tax_code(text) or text


def _date(value: Any, *, has_happened: bool) -> date:
    if isinstance(value, date):
        found = value
    else:
        try:
            found = read_day(str(value))
        except ValueError:
            raise _Wrong("not_a_date", value=str(value)) from None
    if not EARLIEST <= found <= LATEST:
        raise _Wrong("date_out_of_range", value=found.isoformat())
    if has_happened and found > today():
        raise _Wrong("in_the_future", value=found.isoformat())
    return found


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise _Wrong("not_yes_or_no", value=str(value))


def _integer(value: Any) -> int:
    try:
        if isinstance(value, bool) or int(value) != float(value):
            raise ValueError
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise _Wrong("not_a_number", value=str(value)) from None


def _number(value: Any) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(value, bool) or not found.is_finite():
        raise _Wrong("not_a_number", value=str(value))
    if not 0 <= found < TOO_LARGE:
        raise _Wrong("number_out_of_range", value=str(value))
    return found


def _reference(connection: Connection | References, name: str, code: Any, *, past: bool) -> int:
    if not isinstance(code, str):
        raise _Wrong("not_text")
    found = _find(connection, name, code) if isinstance(connection, Connection) else connection.find(name, code)
    if found is None:
        raise _Wrong("unknown_reference", value=code)
    number, ended = found
    if ended and not past:
        raise _Wrong("ended_reference", value=code)
    return number


def _find(connection: Connection, name: str, code: str) -> tuple[int, bool] | None:
    table = REFERENCES[name]
    found = connection.execute(select(table.c.id, table.c.ended_at).where(table.c.code == code)).one_or_none()
    return None if found is None else (int(found.id), found.ended_at is not None)


def _geometry(connection: Connection | References, field: WritableField, value: Any) -> str:
    """GeoJSON in WGS 84 as EWKT; a point is checked here, another shape by PostGIS."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise _Wrong("not_a_geometry") from None
    if not isinstance(value, dict) or len(json.dumps(value, default=str)) > MAX_GEOMETRY_BYTES:
        raise _Wrong("not_a_geometry")
    if field.kind == "point":
        return _point(value)
    allowed = ("Polygon", "MultiPolygon", "LineString", "MultiLineString")
    if not isinstance(connection, Connection):
        raise TypeError("an area is checked by the database")
    if value.get("type") not in allowed:
        raise _Wrong("not_a_geometry")
    for lon, lat in _positions(value.get("coordinates")):
        _check_position(lon, lat)
    try:
        with connection.begin_nested():
            # Heights, which some programs send along, are not kept.
            shape = func.public.st_force2d(func.public.st_geomfromgeojson(json.dumps(value)))
            shape = func.public.st_setsrid(shape, 4326)
            ewkt, valid, empty = connection.execute(
                select(func.public.st_asewkt(shape), func.public.st_isvalid(shape), func.public.st_isempty(shape))
            ).one()
    except DBAPIError:
        raise _Wrong("not_a_geometry") from None
    if not valid or empty:
        raise _Wrong("not_a_geometry")
    return str(ewkt)


def _point(value: Mapping[str, Any]) -> str:
    position = value.get("coordinates")
    if value.get("type") != "Point" or not isinstance(position, list) or len(position) not in (2, 3):
        raise _Wrong("not_a_point")
    if not all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in position):
        raise _Wrong("not_a_point")
    lon, lat = float(position[0]), float(position[1])
    _check_position(lon, lat)
    return f"SRID=4326;POINT({lon!r} {lat!r})"


def _positions(coordinates: Any) -> Iterator[tuple[float, float]]:
    """Every longitude and latitude of a line or an area, at whatever depth of arrays they stand."""
    if not isinstance(coordinates, list) or not coordinates:
        raise _Wrong("not_a_geometry")
    if isinstance(coordinates[0], list):
        for inner in coordinates:
            yield from _positions(inner)
    elif len(coordinates) in (2, 3) and all(type(number) in (int, float) for number in coordinates):
        yield float(coordinates[0]), float(coordinates[1])
    else:
        raise _Wrong("not_a_geometry")


def _check_position(lon: float, lat: float) -> None:
    if not (math.isfinite(lon) and math.isfinite(lat) and -180 <= lon <= 180 and -90 <= lat <= 90):
        raise _Wrong("position_out_of_range")
    if not (WEST <= lon <= EAST and SOUTH <= lat <= NORTH):
        raise _Wrong("outside_country")
