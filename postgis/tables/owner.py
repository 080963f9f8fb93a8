"""How a place's owner comes in: a code from the ward office that works once, a short session, what was asked in it."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from postgis.tables.base import establishment_reference, identity, metadata

_NOW = text("now()")


def _moment(name: str, *, nullable: bool = False, now: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=_NOW if now else None)


owner_code = Table(
    "owner_code",
    metadata,
    identity(),
    establishment_reference(),
    Column("code_hash", LargeBinary, nullable=False, comment="keyed: the code itself is on paper alone"),
    Column("made_by", BigInteger, ForeignKey("account.staff.id"), nullable=False),
    _moment("made_at", now=True),
    _moment("expires_at"),
    Column("tries_left", SmallInteger, nullable=False, server_default=text("5")),
    _moment("used_at", nullable=True),
    _moment("withdrawn_at", nullable=True),
    CheckConstraint("tries_left BETWEEN 0 AND 5", name="tries_left"),
    CheckConstraint("expires_at <= made_at + interval '7 days'", name="expires_at"),
    comment="A code by which the owner of a place signs in once, given out at the ward office.",
)

owner_session = Table(
    "owner_session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True, comment="SHA-256 of the cookie"),
    establishment_reference(),
    Column("csrf_token", Text, nullable=False),
    _moment("made_at", now=True),
    _moment("expires_at"),
    schema="account",
    comment="A browser in which the owner of a place has signed in.",
)

owner_request = Table(
    "owner_request",
    metadata,
    Column("receipt", Text, ForeignKey("register.proposal.receipt"), primary_key=True),
    establishment_reference(),
    _moment("made_at", now=True),
    comment="Proposals that the owner of a place has made, signed in.",
)
