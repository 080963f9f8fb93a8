"""The legal entity behind establishments, and the personal data about it, encrypted."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from postgis.tables.base import identity, metadata, one_of
from postgis.vocabulary import LEGAL_FORMS, PERSONAL_FIELDS, REGISTRY_STATUSES

legal_entity = Table(
    "legal_entity",
    metadata,
    identity(),
    Column("code", Text, nullable=False, unique=True),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False, index=True),
    Column("registered_name", Text, nullable=False),
    Column("legal_form", Text, nullable=False),
    Column("tax_code", Text, comment="organisations only: a household's may be its owner's personal ID"),
    Column("registration_number", Text),
    Column("registered_on", Date),
    Column("registry_status", Text, nullable=False, server_default="unknown"),
    Column("illustrative", Boolean, nullable=False, server_default=text("false")),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("ended_at", DateTime(timezone=True)),
    Column("end_reason", Text),
    one_of("legal_form", LEGAL_FORMS),
    one_of("registry_status", REGISTRY_STATUSES),
    CheckConstraint("registered_name IS NFC NORMALIZED AND btrim(registered_name) <> ''", name="registered_name"),
    CheckConstraint("tax_code ~ '^[0-9]{10}(-[0-9]{3})?$'", name="tax_code"),
    CheckConstraint("tax_code IS NULL OR legal_form <> 'household_business'", name="household_tax_code"),
    # A household's certificate number is public only where it cannot be a person's number.
    CheckConstraint("registration_number !~ '^[0-9]{12}$'", name="registration_number"),
    Index("ix_legal_entity_tax_code", "tax_code"),
    comment="Who trades: one legal entity may have many establishments (Decree 168/2025, art. 87).",
)

personal_datum = Table(
    "personal_datum",
    metadata,
    identity(),
    Column("legal_entity_id", BigInteger, ForeignKey("register.legal_entity.id"), nullable=False),
    Column("field", Text, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("lookup_hash", LargeBinary, nullable=False, comment="keyed hash: finds the same value, tells nothing else"),
    Column("mask", Text, nullable=False, comment="what the screen shows, e.g. 048*****1234"),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    one_of("field", PERSONAL_FIELDS),
    UniqueConstraint("legal_entity_id", "field"),
    Index("ix_personal_datum_lookup_hash", "field", "lookup_hash"),
    comment="A personal fact about a legal entity, encrypted at rest; the key is not in the database.",
)
