"""Wanted changes that wait for a person's decision."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from postgis.tables.base import identity, metadata, one_of
from postgis.vocabulary import PROPOSAL_STATES, PROPOSER_KINDS, RISKS, SOURCES

proposal = Table(
    "proposal",
    metadata,
    identity(),
    Column("receipt", Text, nullable=False, unique=True, comment="random: whoever holds it may see the state"),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False),
    Column("collection", Text, nullable=False),
    Column("record_code", Text, comment="null: a record to be made"),
    Column("base_version", Integer),
    Column("base", JSONB, comment="the record as the proposer saw it"),
    Column("patch", JSONB, nullable=False, comment="the fields wanted, by their wire names"),
    Column("reason", Text, nullable=False),
    Column("evidence", Text),
    Column("legal_basis", Text),
    Column("source", Text, nullable=False),
    Column("risk", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("proposed_by", BigInteger, ForeignKey("account.staff.id")),
    Column("proposer_kind", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("decided_by", BigInteger, ForeignKey("account.staff.id")),
    Column("decided_at", DateTime(timezone=True)),
    Column("decision_note", Text),
    Column("version", Integer, nullable=False, server_default=text("1")),
    one_of("risk", RISKS),
    one_of("state", PROPOSAL_STATES),
    one_of("proposer_kind", PROPOSER_KINDS),
    one_of("source", SOURCES),
    CheckConstraint("(record_code IS NULL) = (base_version IS NULL)", name="base_with_record"),
    CheckConstraint("(state IN ('pending', 'withdrawn')) = (decided_at IS NULL)", name="decided_at"),
    # Four eyes: an adverse fact is never applied by the person who proposed it.
    CheckConstraint(
        "risk <> 'adverse' OR state <> 'applied' OR (decided_by IS NOT NULL "
        "AND decided_by IS DISTINCT FROM proposed_by AND legal_basis IS NOT NULL AND evidence IS NOT NULL)",
        name="second_person",
    ),
    Index("ix_proposal_queue", "ward_id", "state", "proposed_at"),
    Index("ix_proposal_record", "collection", "record_code"),
    comment="A wanted change, reviewed by risk, then applied or sent back.",
)
