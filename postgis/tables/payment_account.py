"""Accounts that a place is paid to, as keyed hashes: enough to tell whether the QR on the counter is the shop's own."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from postgis.tables.base import establishment_reference, identity, metadata

payment_account = Table(
    "payment_account",
    metadata,
    identity(),
    establishment_reference(),
    Column("bank_bin", Text, nullable=False, comment="of the bank, as in the QR"),
    Column("account_hash", LargeBinary, nullable=False, comment="keyed, of bank and account of this place alone"),
    Column("buyer_check", Boolean, nullable=False, comment="the owner agrees that buyers compare"),
    Column("checked_on", Date, nullable=False, server_default=text("current_date")),
    Column("checked_by", BigInteger, ForeignKey("account.staff.id"), nullable=False),
    Column("withdrawn_at", DateTime(timezone=True)),
    CheckConstraint("bank_bin ~ '^[0-9]{6}$'", name="bank_bin"),
    comment="The account behind a payment QR that an officer has seen at the place; never in the clear.",
)

payment_check_count = Table(
    "payment_check_count",
    metadata,
    Column("establishment_id", BigInteger, ForeignKey("register.establishment.id"), primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("checks", Integer, nullable=False),
    comment="How many comparisons buyers made at a place in an hour: bounds guessing, says nothing of who.",
)
