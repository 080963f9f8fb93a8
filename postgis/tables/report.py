"""What citizens report about a place, and what became of it: no history but its own, since nothing of it is public."""

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
    text,
)

from postgis.tables.base import identity, metadata, one_of
from postgis.vocabulary import REPORT_EVENTS, REPORT_KINDS, REPORT_OUTCOMES, REPORT_STATES

_NOW = text("now()")

citizen_report = Table(
    "citizen_report",
    metadata,
    identity(),
    Column("receipt", Text, nullable=False, unique=True, comment="random: whoever holds it may see the answer"),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False),
    Column("establishment_id", BigInteger, ForeignKey("register.establishment.id"), index=True),
    Column(
        "sticker_id",
        BigInteger,
        ForeignKey("register.sticker.id"),
        comment="the genuine one that led to the form and is reported as false",
    ),
    Column("typed_code", Text, comment="what stands on a sticker that leads to no place"),
    Column("kind", Text, nullable=False),
    Column("words_sealed", LargeBinary, comment="encrypted: people name themselves and others"),
    Column("photo", Text, comment="name of its files: SHA-256"),
    Column("state", Text, nullable=False, server_default="received"),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("due_on", Date, nullable=False),
    Column("due_certain", Boolean, nullable=False, comment="the days off until then are announced"),
    Column("extended", Boolean, nullable=False, server_default=text("false")),
    Column("handled_by", BigInteger, ForeignKey("account.staff.id")),
    Column("outcome", Text),
    Column("answer", Text, comment="what the holder of the receipt reads"),
    Column("answered_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("proposal_receipt", Text, comment="of the change that was proposed because of it"),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("erased_at", DateTime(timezone=True), comment="when words, answer and photo were erased"),
    one_of("kind", REPORT_KINDS),
    one_of("state", REPORT_STATES),
    one_of("outcome", REPORT_OUTCOMES),
    CheckConstraint("establishment_id IS NOT NULL OR typed_code IS NOT NULL", name="about_something"),
    CheckConstraint("length(typed_code) <= 40", name="typed_code"),
    CheckConstraint(
        "(state IN ('answered', 'closed', 'rejected')) = (answer IS NOT NULL AND answered_at IS NOT NULL)",
        name="answer",
    ),
    CheckConstraint("(state IN ('answered', 'closed')) = (outcome IS NOT NULL)", name="outcome_of_answer"),
    CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_at"),
    CheckConstraint("(state = 'received') = (handled_by IS NULL)", name="handled_by"),
    CheckConstraint("(words_sealed IS NULL) = (erased_at IS NOT NULL)", name="erased_at"),
    CheckConstraint("NOT extended OR kind = 'personal_data'", name="extended"),
    Index("ix_citizen_report_inbox", "ward_id", "state", "due_on", "id"),
    Index("ix_citizen_report_received_at", "received_at"),
    comment="A citizen's report about a place, or a request about one's own data; nobody is noted as its sender.",
)

report_event = Table(
    "report_event",
    metadata,
    identity(),
    Column("report_id", BigInteger, ForeignKey("register.citizen_report.id"), nullable=False, index=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("kind", Text, nullable=False),
    Column("staff_id", BigInteger, ForeignKey("account.staff.id")),
    one_of("kind", REPORT_EVENTS),
    comment="What was done about a report, when and by whom. Kept by a trigger, only added to.",
)
