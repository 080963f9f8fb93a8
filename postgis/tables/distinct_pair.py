"""Pairs of establishments that look alike and are two places, as an officer has found."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Index, Table, Text, text

from postgis.tables.base import establishment_reference, identity, metadata

distinct_pair = Table(
    "distinct_pair",
    metadata,
    identity(),
    establishment_reference(),
    Column("other_id", BigInteger, ForeignKey("register.establishment.id"), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("decided_by", BigInteger, ForeignKey("account.staff.id"), nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("ended_by", BigInteger, ForeignKey("account.staff.id")),
    Column("ended_at", DateTime(timezone=True), comment="taken back; the row stays, and says who decided what"),
    CheckConstraint("establishment_id < other_id", name="in_order"),
    CheckConstraint("btrim(reason) <> ''", name="reason"),
    CheckConstraint("(ended_by IS NULL) = (ended_at IS NULL)", name="ended_by"),
    Index(
        "uq_distinct_pair_establishment_id_other_id",
        "establishment_id",
        "other_id",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
    comment="Two establishments that look alike and are two places: the worklist of duplicates leaves them out.",
)
