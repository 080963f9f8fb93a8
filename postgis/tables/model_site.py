"""Model sites: the markets and streets that the ward's plan digitises first."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, Integer, Table, Text, text

from postgis.tables.base import geometry_columns, identity, metadata, one_of
from postgis.vocabulary import MODEL_SITE_KINDS

model_site = Table(
    "model_site",
    metadata,
    identity(),
    Column("code", Text, nullable=False, unique=True),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("illustrative", Boolean, nullable=False, server_default=text("false")),
    *geometry_columns("GEOMETRY"),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("ended_at", DateTime(timezone=True)),
    Column("end_reason", Text),
    one_of("kind", MODEL_SITE_KINDS),
    comment="Mô hình điểm: a market (chợ) or a trading street (tuyến phố).",
)
