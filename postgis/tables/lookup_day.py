"""How often the page of a place was looked up on a day, and nothing of who did."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Integer, PrimaryKeyConstraint, Table

from postgis.tables.base import metadata

lookup_day = Table(
    "lookup_day",
    metadata,
    Column("establishment_id", BigInteger, ForeignKey("register.establishment.id"), nullable=False),
    Column("day", Date, nullable=False, comment="in Vietnam; there is no time of day"),
    Column("lookups", Integer, nullable=False),
    PrimaryKeyConstraint("establishment_id", "day"),
    CheckConstraint("lookups > 0", name="lookups"),
    comment="Look-ups of a public page, added up by day. Fewer than five are never told.",
)
