"""Payment acceptance and digital use: dated observations, the latest of each kind counts."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Table, Text

from postgis.tables.base import establishment_reference, identity, metadata, one_of, record_columns
from postgis.vocabulary import DIGITAL_USES, EVIDENCE_LEVELS, PAYMENT_METHODS, SOURCES

payment_acceptance = Table(
    "payment_acceptance",
    metadata,
    identity(),
    establishment_reference(),
    Column("method", Text, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("evidence_level", Text, nullable=False),
    Column("has_transactions", Boolean, comment="null: not known"),
    Column("checked_on", Date, nullable=False),
    Column("source", Text, nullable=False),
    Column("document", Text, comment="number of the check record (số biên bản); staff only"),
    *record_columns(),
    one_of("method", PAYMENT_METHODS),
    one_of("evidence_level", EVIDENCE_LEVELS),
    one_of("source", SOURCES),
    CheckConstraint("accepted OR has_transactions IS NOT TRUE", name="has_transactions"),
    CheckConstraint("length(document) <= 100", name="document"),
    Index("ix_payment_acceptance_latest", "establishment_id", "method", "checked_on"),
    comment="One check of one payment method. Never an account number, an amount or a QR payload.",
)

digital_use = Table(
    "digital_use",
    metadata,
    identity(),
    establishment_reference(),
    Column("kind", Text, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("checked_on", Date, nullable=False),
    Column("source", Text, nullable=False),
    *record_columns(),
    one_of("kind", DIGITAL_USES),
    one_of("source", SOURCES),
    comment="One check of one digital tool or platform.",
)
