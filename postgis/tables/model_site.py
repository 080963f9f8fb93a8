"""Model sites: the markets and streets that the ward's plan digitises first."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Table, Text, text

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
    one_of("kind", MODEL_SITE_KINDS),
    comment="Mô hình điểm: a market (chợ) or a trading street (tuyến phố).",
)
