"""The public keys of signed records, from the published view."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, column, select, table

_KEYS = table("signing_keys", *(column(name) for name in ("kid", "x", "made_at", "retired_at")), schema="published")


def key_set(connection: Connection) -> dict[str, Any]:
    """A JSON Web Key Set (RFC 7517, 8037). `nbf` is when a key was made, `retired_at` when it was last used; seconds
    since 1970.
    """
    rows = connection.execute(select(_KEYS).order_by(_KEYS.c.made_at, _KEYS.c.kid)).mappings()
    return {"keys": [_key(row["kid"], row["x"], row["made_at"], row["retired_at"]) for row in rows]}


def is_current(connection: Connection, kid: str) -> bool:
    """Whether records may be signed with this key."""
    found = select(_KEYS.c.kid).where(_KEYS.c.kid == kid, _KEYS.c.retired_at.is_(None))
    return connection.execute(found).first() is not None


def _key(kid: str, x: str, made_at: datetime, retired_at: datetime | None) -> dict[str, Any]:
    key = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x}
    retired = {"retired_at": int(retired_at.timestamp())} if retired_at else {}
    return {**key, "nbf": int(made_at.timestamp()), **retired}
