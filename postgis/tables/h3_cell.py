"""Outlines of H3 cells: PostgreSQL here has no h3 extension, so they are noted as they come up (postgis/cells.py)."""

from sqlalchemy import BigInteger, CheckConstraint, Column, SmallInteger, Table

from postgis.tables.base import geometry_columns, metadata

h3_cell = Table(
    "h3_cell",
    metadata,
    Column("cell", BigInteger, primary_key=True, autoincrement=False),
    Column("resolution", SmallInteger, nullable=False),
    *geometry_columns("POLYGON"),
    CheckConstraint("resolution BETWEEN 7 AND 11", name="resolution"),
    comment="Outlines of the H3 cells that establishments have ever lain in.",
)
