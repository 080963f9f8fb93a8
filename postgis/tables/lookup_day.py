"""How often the page of a place was looked up on a day, and nothing of who did."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
)

from postgis.tables.base import metadata

lookup_day = Table(
    "lookup_day",
    metadata,
    Column("establishment_id", BigInteger, ForeignKey("register.establishment.id"), nullable=False),
    Column("day", Date, nullable=False, comment="in Vietnam; there is no time of day"),
    Column("lookups", Integer, nullable=False),
    PrimaryKeyConstraint("establishment_id", "day"),
    CheckConstraint("lookups > 0", name="lookups"),
    Index("ix_lookup_day_day", "day"),
    comment="Look-ups of a public page, added up by day. Fewer than five are never told.",
)

lookup_month = Table(
    "lookup_month",
    metadata,
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False),
    Column("month", Date, nullable=False, comment="its first day"),
    Column("lookups", Integer, nullable=False),
    PrimaryKeyConstraint("ward_id", "month"),
    CheckConstraint("lookups > 0", name="lookups"),
    comment="The same of all places of a ward by month: what stays when the days are forgotten.",
)
