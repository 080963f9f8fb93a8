"""The rollout of the business map: documents that prove a criterion, and what is noted about a phase."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from postgis.tables.base import identity, metadata, one_of
from postgis.vocabulary import PHASE_NOTES, PHASE_STATES, PROOF_FILES, STAFF_ROLES

_NOW = text("now()")

criterion_proof = Table(
    "criterion_proof",
    metadata,
    identity(),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False, index=True),
    Column("criterion", Text, nullable=False, comment="a code of postgis/reference/criteria"),
    Column("title", Text, nullable=False),
    Column("number", Text, nullable=False, comment="số và ký hiệu, as 12/QĐ-UBND"),
    Column("dated_on", Date, nullable=False),
    Column("file", Text, nullable=False, comment="name in the data directory: its SHA-256"),
    Column("file_kind", Text, nullable=False),
    Column("file_bytes", Integer, nullable=False),
    Column("added_by", BigInteger, ForeignKey("account.staff.id"), nullable=False),
    Column("added_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("signed_by", BigInteger, ForeignKey("account.staff.id")),
    Column("signed_name", Text, comment="as it was on the day; kept by a trigger"),
    Column("signed_role", Text),
    Column("signed_at", DateTime(timezone=True)),
    Column("withdrawn_by", BigInteger, ForeignKey("account.staff.id")),
    Column("withdrawn_at", DateTime(timezone=True)),
    Column("withdrawn_reason", Text),
    one_of("file_kind", PROOF_FILES),
    one_of("signed_role", STAFF_ROLES),
    CheckConstraint("length(title) BETWEEN 1 AND 300", name="title"),
    CheckConstraint("length(number) BETWEEN 1 AND 60", name="number"),
    CheckConstraint("file ~ '^[0-9a-f]{64}$' AND file_bytes > 0", name="file"),
    CheckConstraint("num_nulls(signed_by, signed_name, signed_role, signed_at) IN (0, 4)", name="signed"),
    CheckConstraint("num_nulls(withdrawn_by, withdrawn_at, withdrawn_reason) IN (0, 3)", name="withdrawn"),
    Index(
        "uq_criterion_proof_file",
        "ward_id",
        "criterion",
        "file",
        unique=True,
        postgresql_where=text("withdrawn_at IS NULL"),
    ),
    comment="A document that proves a criterion, once whoever answers for it has signed. Withdrawn, never deleted.",
)

phase_note = Table(
    "phase_note",
    metadata,
    identity(),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False, index=True),
    Column("phase", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text),
    Column("words", Text, nullable=False),
    Column("solves_id", BigInteger, ForeignKey("register.phase_note.id"), unique=True, comment="the blocker it ends"),
    Column("request_key", Text, nullable=False, unique=True, comment="of the form: sent twice, it is noted once"),
    Column("staff_id", BigInteger, ForeignKey("account.staff.id"), nullable=False),
    Column("staff_name", Text, nullable=False, comment="as it was on the day; kept by a trigger, as is the role"),
    Column("staff_role", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    one_of("kind", PHASE_NOTES),
    one_of("state", PHASE_STATES),
    one_of("staff_role", STAFF_ROLES),
    CheckConstraint("(kind = 'state') = (state IS NOT NULL)", name="state_of_kind"),
    CheckConstraint("(kind = 'solved') = (solves_id IS NOT NULL)", name="solves"),
    CheckConstraint("length(words) BETWEEN 1 AND 1000", name="words"),
    comment="How a phase stands in the words of those who answer for it, and what stands in its way. Only added to.",
)
