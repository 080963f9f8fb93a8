"""Every applied change of the register, in order, hash-chained."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from postgis.tables.base import metadata, one_of
from postgis.vocabulary import CHANGE_KINDS

change = Table(
    "change",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="without gaps, in the order of commits"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("ward_id", BigInteger),
    Column("collection", Text, nullable=False),
    Column("record_code", Text, nullable=False),
    Column("establishment_code", Text),
    Column("kind", Text, nullable=False),
    Column("actor_id", BigInteger),
    Column("actor_name", Text),
    Column("reason", Text),
    Column("source", Text),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    one_of("kind", CHANGE_KINDS),
    CheckConstraint("before IS NOT NULL OR after IS NOT NULL", name="something"),
    Index("ix_change_record", "collection", "record_code", "seq"),
    Index("ix_change_establishment", "establishment_code", "seq"),
    Index("ix_change_at", "at"),
    comment="Who changed what, when, why and from where. Rows are only ever added, by triggers.",
)
