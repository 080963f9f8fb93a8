"""The SQL that writes a feature as GeoJSON text: PostGIS makes it, Python passes it through."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, case, func, literal_column

from layers.collections import Collection, Field
from layers.crs import geometry_json
from layers.query import FeatureQuery

COORDINATE_DIGITS = 6
"""About 0.1 m: finer than any position in the register."""
STAFF_COORDINATE_DIGITS = 7
"""As `postgis.store.records` reads them: who sends a position back as it was sent has not moved it."""


def coordinate_digits(collection: Collection) -> int:
    """Digits of a degree that positions are told with."""
    return COORDINATE_DIGITS if collection.seen_by == "public" else STAFF_COORDINATE_DIGITS


def shown_fields(collection: Collection, properties: Sequence[str] | None) -> list[Field]:
    """The fields that are told, in the registry's order."""
    return [field for field in collection.fields if properties is None or field.name in properties]


def feature_columns(collection: Collection, properties: Sequence[str] | None) -> list[ColumnElement[Any]]:
    """What `feature_text` needs of the view."""
    names = [field.name for field in shown_fields(collection, properties)]
    columns: list[ColumnElement[Any]] = [collection.column(name) for name in names]
    if collection.id_field not in names:
        columns.append(collection.column(collection.id_field))
    if collection.geometry:
        columns.append(collection.view.c.geom)
    if collection.seen_by == "staff":
        columns.append(collection.view.c.own)
    return columns


def feature_text(collection: Collection, chosen: Any, query: FeatureQuery) -> ColumnElement[str]:
    """A feature's JSON, as the query wants it shown, from a subquery named `chosen` with `feature_columns`."""
    shown = shown_fields(collection, query.properties)
    told = _properties(shown)
    if collection.seen_by == "staff":
        # Of other wards' records staff see what everybody sees, under the names that everybody sees.
        others = _properties([field for field in shown if field.access == "public"])
        told = case((chosen.c.own, told), else_=others)
    head = literal_column(
        f'\'{{"type":"Feature","id":\' || to_json(chosen.{collection.id_field}) || \',"geometry":\'', Text()
    )
    geometry: ColumnElement[str] = literal_column("'null'", Text())
    if collection.geometry:
        geometry = func.coalesce(
            geometry_json(chosen.c.geom, query.crs, coordinate_digits(collection)), "null", type_=Text()
        )
    return head.concat(geometry).concat(literal_column("',\"properties\":'", Text())).concat(told).concat("}")


def _properties(fields: Sequence[Field]) -> ColumnElement[str]:
    """The object of the properties, member by member: a fifth faster than row_to_json, and to the same letter."""
    # Each joining copies what there is so far: the comma is part of the member behind it.
    members = " || ".join(_member(field, "," if place else "{") for place, field in enumerate(fields))
    return literal_column(f"({members} || '}}')" if members else "'{}'", Text())


def _member(field: Field, before: str) -> str:
    # A code needs no escaping: letters, digits and underscores.
    coded = field.code_list is not None and field.type == "string"
    value = f"'\"' || chosen.{field.name} || '\"'" if coded else f"to_json(chosen.{field.name})"
    return f"coalesce('{before}\"{field.name}\":' || {value}, '{before}\"{field.name}\":null')"
