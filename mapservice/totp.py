"""Codes from an authenticator app: RFC 6238 with what every app supports (SHA-1, six digits, thirty seconds)."""

import base64
import hmac
import secrets
import struct
import time
from urllib.parse import quote, urlencode

STEP = 30
DIGITS = 6
SECRET_BYTES = 20
DRIFT = 1
"""Steps that a phone's clock may be off, each way."""


def new_secret() -> bytes:
    """A secret to share with an app."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """The code of a time step."""
    mac = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(secret: bytes, typed: str, *, after: int | None = None, now: float | None = None) -> int | None:
    """The time step whose code was typed, a step either way allowed; None when none.

    Steps up to `after`, the last one used, no longer count: a code that somebody looked at cannot be used again.
    """
    code = "".join(typed.split())
    if not (code.isascii() and code.isdigit() and len(code) == DIGITS):
        return None
    current = int((time.time() if now is None else now) // STEP)
    found = None
    for step in range(max(current - DRIFT, 0), current + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step), code) and (after is None or step > after):
            found = step
    return found


def readable(secret: bytes) -> str:
    """The secret for typing into an app, in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def address(secret: bytes, login: str, issuer: str) -> str:
    """The otpauth address that an app reads from a QR code; digits and period are what apps take for granted."""
    query = {"secret": base64.b32encode(secret).decode().rstrip("="), "issuer": issuer}
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(login, safe='')}?{urlencode(query, quote_via=quote)}"
