"""Reads of base data that loaders need: outlines and street lines. No writes: base data comes from reference files."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class StreetLine:
    """A street's line: name (None where it has none), kind, geometry as WKB (WGS 84)."""

    code: str
    name: str | None
    kind: str
    wkb: bytes


def ward_outline(connection: Connection, ward_code: str) -> bytes | None:
    """The present ward's outline as WKB (WGS 84), or None when there is no such ward."""
    found = connection.execute(
        text("SELECT ST_AsBinary(geom) FROM register.ward WHERE code = :code AND valid_to IS NULL"), {"code": ward_code}
    ).scalar_one_or_none()
    return None if found is None else bytes(found)


def street_lines(connection: Connection, ward_code: str) -> list[StreetLine]:
    """Streets and alleys that touch the ward, cut to it, in the order of their codes."""
    rows = connection.execute(
        text(
            "SELECT s.code, s.name, s.kind, ST_AsBinary(ST_Intersection(s.geom, w.geom)) AS wkb "
            "FROM register.street s JOIN register.ward w ON w.code = :code AND w.valid_to IS NULL "
            "AND ST_Intersects(s.geom, w.geom) ORDER BY s.code"
        ),
        {"code": ward_code},
    )
    return [StreetLine(row.code, row.name, row.kind, bytes(row.wkb)) for row in rows]
