"""Writes model sites."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, text


def add_many(connection: Connection, sites: Iterable[Mapping[str, Any]]) -> None:
    """Adds model sites: code, ward_code, kind, name, illustrative, and `ewkt` (WGS 84)."""
    for site in sites:
        connection.execute(
            text(
                "INSERT INTO register.model_site (code, ward_id, kind, name, illustrative, geom) "
                "SELECT :code, id, :kind, :name, :illustrative, ST_GeomFromEWKT(:ewkt) "
                "FROM register.ward WHERE code = :ward_code AND valid_to IS NULL"
            ),
            dict(site),
        )
