"""How long a kind of fact may be relied on after it was checked: for everybody, and as a ward has chosen."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from postgis.tables.base import identity, metadata, one_of
from postgis.vocabulary import FRESHNESS_FACTS, SHELF_LIFE_MONTHS

_MONTHS = f"months BETWEEN {SHELF_LIFE_MONTHS[0]} AND {SHELF_LIFE_MONTHS[1]}"

shelf_life = Table(
    "shelf_life",
    metadata,
    Column("fact", Text, primary_key=True),
    Column("months", Integer, nullable=False, comment="how long after its check a fact may be relied on"),
    one_of("fact", FRESHNESS_FACTS),
    CheckConstraint(_MONTHS, name="months"),
    comment="How long each kind of fact stays fresh where a ward has not chosen otherwise.",
)

ward_shelf_life = Table(
    "ward_shelf_life",
    metadata,
    identity(),
    Column("code", Text, Computed("ward_id::text || '-' || fact", persisted=True), unique=True),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False),
    Column("fact", Text, nullable=False),
    Column("months", Integer, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    UniqueConstraint("ward_id", "fact"),
    one_of("fact", FRESHNESS_FACTS),
    CheckConstraint(_MONTHS, name="months"),
    comment="How long each kind of fact stays fresh, as the ward's leaders have chosen.",
)
