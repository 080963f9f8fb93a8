"""Wards (present and former), how the former became the present ones, and residential groups."""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, Numeric, Table, Text, text

from postgis.tables.base import geometry_columns, identity, in_order, metadata, one_of
from postgis.vocabulary import WARD_KINDS

ward = Table(
    "ward",
    metadata,
    identity(),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_en", Text),
    Column("kind", Text, nullable=False),
    Column("province_code", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("area_km2", Numeric(10, 2)),
    Column("population", Integer),
    *geometry_columns("MULTIPOLYGON", nullable=True),
    one_of("kind", WARD_KINDS),
    in_order("valid_from", "valid_to"),
    # A bare code means nothing without a day: 77 of Đà Nẵng's 94 units carry the code of an older unit.
    Index("uq_ward_code_current", "code", unique=True, postgresql_where=text("valid_to IS NULL")),
    Index("uq_ward_code_valid_to", "code", "valid_to", unique=True, postgresql_where=text("valid_to IS NOT NULL")),
    comment="A commune-level unit while it was valid; former units have valid_to and no geometry.",
)

ward_succession = Table(
    "ward_succession",
    metadata,
    Column("old_ward_id", BigInteger, ForeignKey("register.ward.id"), primary_key=True),
    Column("new_ward_id", BigInteger, ForeignKey("register.ward.id"), primary_key=True),
    Column("partial", Boolean, nullable=False, comment="the old unit was divided: only a part went here"),
    comment="Which unit an old unit became, or became a part of.",
)

residential_group = Table(
    "residential_group",
    metadata,
    identity(),
    Column("code", Text, nullable=False, unique=True, comment="our own, e.g. 20257-001: no national list has them"),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("illustrative", Boolean, nullable=False, server_default=text("false")),
    *geometry_columns("MULTIPOLYGON", nullable=True),
    in_order("valid_from", "valid_to"),
    comment="Tổ dân phố: a residential group of a ward.",
)
