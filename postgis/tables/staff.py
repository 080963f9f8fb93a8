"""Staff, their sessions and tokens, their saved views, and the log of what personal data they have read."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from postgis.tables.base import identity, metadata, one_of
from postgis.vocabulary import PERSONAL_FIELDS, STAFF_ROLES, TOKEN_SCOPES

_NOW = text("now()")


def _staff_reference() -> Column[int]:
    return Column("staff_id", BigInteger, ForeignKey("account.staff.id"), nullable=False, index=True)


def _moment(name: str, *, nullable: bool = False, now: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=_NOW if now else None)


staff = Table(
    "staff",
    metadata,
    identity(),
    Column("login", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False, index=True),
    Column("password_hash", Text, nullable=False, comment="argon2id"),
    Column("totp_secret", LargeBinary, comment="encrypted; null: no second factor"),
    Column("totp_last_step", BigInteger, comment="the last time step used: a code works once"),
    Column("has_totp", Boolean, Computed("totp_secret IS NOT NULL", persisted=True), nullable=False),
    Column("must_change_password", Boolean, nullable=False, server_default=text("false")),
    _moment("password_set_at", now=True),
    Column("failed_logins", Integer, nullable=False, server_default=text("0")),
    _moment("locked_until", nullable=True),
    _moment("disabled_at", nullable=True),
    _moment("created_at", now=True),
    Column("version", Integer, nullable=False, server_default=text("1")),
    one_of("role", STAFF_ROLES),
    CheckConstraint("login ~ '^[a-z0-9][a-z0-9._-]{1,39}$'", name="login"),
    CheckConstraint("btrim(display_name) <> ''", name="display_name"),
    schema="account",
    comment="A person who works with the register. Never deleted: the history names them.",
)

session = Table(
    "session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True, comment="SHA-256 of the cookie: a stolen table opens nothing"),
    _staff_reference(),
    _moment("created_at", now=True),
    _moment("last_seen_at", now=True),
    _moment("expires_at"),
    Column("csrf_token", Text, nullable=False),
    schema="account",
    comment="A signed-in browser.",
)

token = Table(
    "token",
    metadata,
    identity(),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    _staff_reference(),
    Column("label", Text, nullable=False),
    Column("scope", Text, nullable=False),
    _moment("created_at", now=True),
    _moment("expires_at"),
    _moment("revoked_at", nullable=True),
    _moment("last_used_at", nullable=True),
    one_of("scope", TOKEN_SCOPES),
    schema="account",
    comment="A bearer token of an API client, which acts as a member of staff.",
)

reveal = Table(
    "reveal",
    metadata,
    identity(),
    _moment("at", now=True),
    _staff_reference(),
    Column("legal_entity_id", BigInteger, ForeignKey("register.legal_entity.id"), nullable=False, index=True),
    Column("field", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    one_of("field", PERSONAL_FIELDS),
    CheckConstraint("length(btrim(purpose)) >= 5", name="purpose"),
    schema="account",
    comment="Each reading of a personal field, with its stated purpose.",
)

saved_view = Table(
    "saved_view",
    metadata,
    identity(),
    _staff_reference(),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False, comment="the query part of the list's address"),
    UniqueConstraint("staff_id", "name"),
    schema="account",
    comment="A list of the register with filters that somebody wants again.",
)

write_key = Table(
    "write_key",
    metadata,
    Column("staff_id", BigInteger, ForeignKey("account.staff.id"), primary_key=True),
    Column("key", Text, primary_key=True, comment="the header Idempotency-Key, chosen by the program"),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of what was sent with it"),
    Column("made", Text, nullable=False, comment="id of the record, or receipt of the proposal"),
    Column("proposed", Boolean, nullable=False),
    _moment("at", now=True),
    schema="account",
    comment="What a program has made under a key, for a day: sent again, it makes nothing twice.",
)
