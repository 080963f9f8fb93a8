"""Signed records: JWS in compact form (RFC 7515) with Ed25519 keys (RFC 8037), and how anybody verifies one offline.

The private key is a file of the data directory, readable by the service alone and in no backup; its public half stands
in the register, so that a restored register still knows what its records were signed with.
"""

import base64
import binascii
import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapservice import signing_memory
from postgis.engine import Database
from postgis.store import signing_keys
from postgis.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE_NAME = "signing.key"
_KEY_BYTES = 32
_CLOCK_SKEW_S = 300
_LONGEST = 1_000_000


class NotGenuine(Exception):
    """A record that is not what its issuer signed; the message says why."""


@dataclass(frozen=True)
class SigningKey:
    """The key that records are signed with."""

    private: "Ed25519PrivateKey"
    x: str
    """The public half, base64url."""

    @property
    def kid(self) -> str:
        """Its thumbprint (RFC 7638)."""
        return thumbprint(self.x)

    def sign(self, payload: bytes) -> str:
        """The payload as a JWS in compact form."""
        header = json.dumps({"alg": "EdDSA", "kid": self.kid, "typ": "JWT"}, separators=(",", ":")).encode()
        signed = f"{_encode(header)}.{_encode(payload)}"
        return f"{signed}.{_encode(self.private.sign(signed.encode()))}"


def current_key(data_dir: Path) -> SigningKey | None:
    """The key of the data directory; None where none has been made. Raises StoreUnavailableError."""
    file = data_dir / FILE_NAME
    try:
        return _read(file, file.stat().st_mtime_ns)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnavailableError(f"The signing key {file} can't be used: {error.strerror}.") from error


def ensure_key(database: Database) -> SigningKey:
    """Makes the key at the first call, and sees to it that the register knows it. Raises StoreUnavailableError."""
    data_dir = database.settings.data_dir
    key = current_key(data_dir)
    if key is None:
        _make(data_dir, replace=False)
        key = current_key(data_dir)
    if key is None:
        raise StoreUnavailableError(f"The signing key {data_dir / FILE_NAME} can't be made.")
    with database.owner.begin() as connection:
        signing_memory.agree(connection, data_dir)
        signing_keys.make_known(connection, key.kid, key.x)
        signing_memory.agree(connection, data_dir)
    return key


def rotate_key(database: Database) -> tuple[SigningKey, list[str]]:
    """A new key in place of the old, which signs no more but is known for ever; the new one, and the kids retired.

    The register learns of the new key before it signs: nobody meets a record whose key is not published.
    """
    data_dir = database.settings.data_dir
    unfinished = _make(data_dir, replace=True)
    try:
        key = _read(unfinished, unfinished.stat().st_mtime_ns)
        with database.owner.begin() as connection:
            signing_keys.make_known(connection, key.kid, key.x)
        unfinished.replace(data_dir / FILE_NAME)
    finally:
        unfinished.unlink(missing_ok=True)
    with database.owner.begin() as connection:
        retired = signing_keys.retire_others(connection, key.kid)
        signing_memory.agree(connection, data_dir)
    return key, retired


def verify(text: str, keys: dict[str, Any], now: float) -> dict[str, Any]:
    """What a signed record says, if one of the keys of a JWK set signed it while it was in use. Raises NotGenuine.

    `now` is in seconds since 1970.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    parts = text.strip().split(".")
    if len(parts) != 3 or len(text) > _LONGEST:
        raise NotGenuine("this is no signed record: three parts with dots between them are needed")
    header = _object(parts[0], "header")
    if header.get("alg") != "EdDSA" or "crit" in header:
        raise NotGenuine("it is signed in a way that this service does not sign")
    key = _known_key(keys, header.get("kid"))
    try:
        public = Ed25519PublicKey.from_public_bytes(_decode(key["x"]))
        public.verify(_decode(parts[2]), f"{parts[0]}.{parts[1]}".encode())
    except (InvalidSignature, ValueError, KeyError, TypeError):
        raise NotGenuine("the signature does not fit: the record was altered, or somebody else signed it") from None
    record = _object(parts[1], "content")
    issued = record.get("iat")
    if not isinstance(issued, int) or issued > now + _CLOCK_SKEW_S:
        raise NotGenuine("it claims to be of a time to come")
    if issued < key.get("nbf", 0) - _CLOCK_SKEW_S or issued > key.get("retired_at", issued) + _CLOCK_SKEW_S:
        raise NotGenuine("its key was not in use when it claims to have been signed")
    return record


def thumbprint(x: str) -> str:
    """The thumbprint of a public key (RFC 7638)."""
    return _encode(sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest())


def _known_key(keys: dict[str, Any], kid: object) -> dict[str, Any]:
    listed = keys.get("keys")
    for key in listed if isinstance(listed, list) else []:
        if isinstance(key, dict) and key.get("kid") == kid and key.get("kty") == "OKP" and key.get("crv") == "Ed25519":
            return key
    raise NotGenuine("its key is not among the published ones")


def _object(part: str, what: str) -> dict[str, Any]:
    try:
        found = json.loads(_decode(part))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotGenuine(f"its {what} cannot be read")
    return found


@lru_cache(maxsize=4)
def _read(file: Path, _changed: int) -> SigningKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    seed = file.read_bytes()
    if len(seed) != _KEY_BYTES:
        raise StoreUnavailableError(f"{file} is no signing key of this service: it must hold {_KEY_BYTES} bytes.")
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return SigningKey(private, _encode(private.public_key().public_bytes_raw()))


def _make(data_dir: Path, *, replace: bool) -> Path:
    """Writes a new key; `replace`: beside the old one, to be moved into its place, else there, where there is none."""
    data_dir.mkdir(parents=True, exist_ok=True)
    unfinished = data_dir / f"{FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as output:
            output.write(secrets.token_bytes(_KEY_BYTES))
            output.flush()
            os.fsync(output.fileno())
        if not replace:
            with contextlib.suppress(FileExistsError):
                os.link(unfinished, data_dir / FILE_NAME)
            unfinished.unlink()
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise StoreUnavailableError(
            f"The signing key {data_dir / FILE_NAME} can't be made: {error.strerror}."
        ) from error
    return unfinished


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """What base64url without padding stands for (RFC 7515, 2). Raises ValueError."""
    if not text.isascii() or len(text) % 4 == 1 or set(text) & set("+/="):
        raise ValueError("no base64url")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("no base64url") from None
