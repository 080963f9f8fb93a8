"""Writes residential groups."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, text


def add_many(connection: Connection, groups: Iterable[Mapping[str, Any]]) -> None:
    """Adds residential groups: code, ward_code, number, name, valid_from, illustrative, and `ewkt` (WGS 84)."""
    for group in groups:
        connection.execute(
            text(
                "INSERT INTO register.residential_group (code, ward_id, number, name, valid_from, illustrative, geom) "
                "SELECT :code, id, :number, :name, :valid_from, :illustrative, ST_Multi(ST_GeomFromEWKT(:ewkt)) "
                "FROM register.ward WHERE code = :ward_code AND valid_to IS NULL"
            ),
            dict(group),
        )
