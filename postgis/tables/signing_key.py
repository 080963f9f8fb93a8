"""The public halves of the keys that records were ever signed with."""

from sqlalchemy import CheckConstraint, Column, DateTime, Table, Text, text

from postgis.tables.base import metadata

signing_key = Table(
    "signing_key",
    metadata,
    Column("kid", Text, primary_key=True, comment="thumbprint of the key (RFC 7638)"),
    Column("x", Text, nullable=False, comment="the public key, base64url (RFC 8037, 2)"),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("retired_at", DateTime(timezone=True), comment="null: in use"),
    CheckConstraint("x ~ '^[A-Za-z0-9_-]{43}$'", name="x"),
    CheckConstraint("retired_at >= made_at", name="in_order"),
    comment="Ed25519 keys for signed records. Rows are never deleted: what was signed stays to be verified. The "
    "private halves are files of the data directory.",
)
