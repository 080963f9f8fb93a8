"""The installation's secret key, which keeps personal values unreadable in the database and in its backups.

The key is a file of its own in the data directory, not in the database: a stolen dump without it opens nothing. It must
be kept apart from the backups, but kept: without it, what was encrypted is lost.
"""

import contextlib
import hmac
import os
import secrets
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from postgis.unavailable import StoreUnavailableError

FILE_NAME = "secret.key"
KEY_BYTES = 32
_FORMAT = b"\x01"
_NONCE_BYTES = 12


class Undecipherable(Exception):
    """A value that this installation's key does not open, or that was moved or altered."""


class Secrets:
    """Encrypts with AES-256-GCM and makes keyed hashes (HMAC-SHA-256), each with a key of its own made from the one."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key has {KEY_BYTES} bytes")
        # Imported here, as below: most processes open no secret.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(hmac.digest(key, b"mapservice: encrypt, version 1", sha256))
        self._hash_key = hmac.digest(key, b"mapservice: look up, version 1", sha256)

        self._sticker_key = hmac.digest(key, b"mapservice: mark stickers, version 1", sha256)
        self._sticker_keys: dict[int, tuple[bytes, str]] = {}

        self.fingerprint = hmac.digest(key, b"mapservice: fingerprint, version 1", sha256).hex()[:16]
        """Tells this key from another; the key cannot be found from it."""

    def encrypt(self, plain: bytes, *, context: str = "") -> bytes:
        """Encrypt; `context` (such as "owner_phone:LE7K3M9P2A") must be the same to decrypt.

        So a value that somebody copies to another row or field does not open there.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def decrypt(self, ciphertext: bytes, *, context: str = "") -> bytes:
        """Decrypt what `encrypt` gave. Raises Undecipherable."""
        from cryptography.exceptions import InvalidTag

        ciphertext = bytes(ciphertext)
        nonce = ciphertext[1 : 1 + _NONCE_BYTES]
        if ciphertext[:1] != _FORMAT or len(nonce) != _NONCE_BYTES:
            raise Undecipherable
        try:
            return self._cipher.decrypt(nonce, ciphertext[1 + _NONCE_BYTES :], context.encode())
        except InvalidTag:
            raise Undecipherable from None

    def opens(self, ciphertext: bytes, context: str) -> bool:
        """Whether `decrypt` would give a value."""
        try:
            self.decrypt(ciphertext, context=context)
        except Undecipherable:
            return False
        return True

    def lookup_hash(self, text: str, *, kind: str = "") -> bytes:
        """A keyed hash by which equal texts of one kind are found without being readable; the caller normalises.

        The key is what protects it: there are few enough phone numbers to try them all against a plain hash.
        """
        return hmac.digest(self._hash_key, kind.encode() + b"\0" + text.encode(), sha256)

    def sticker_key(self, version: int) -> tuple[bytes, str]:
        """The key that marks on stickers are made with in one of its versions, and its fingerprint."""
        if version not in self._sticker_keys:
            key = hmac.digest(self._sticker_key, f"key {version}".encode(), sha256)
            self._sticker_keys[version] = key, hmac.digest(key, b"fingerprint", sha256).hex()[:16]
        return self._sticker_keys[version]


def open_secrets(data_dir: Path) -> Secrets:
    """The secrets of the installation that keeps its data in `data_dir`; makes the key at the first call.

    Raises StoreUnavailableError, with words for people, when the file cannot be read or written or is no key.
    """
    return _open(data_dir / FILE_NAME)


def read_secrets(data_dir: Path) -> Secrets | None:
    """The same, but only looking: None where no key has been made yet. Raises StoreUnavailableError."""
    return _open(data_dir / FILE_NAME) if (data_dir / FILE_NAME).exists() else None


@lru_cache(maxsize=8)
def _open(file: Path) -> Secrets:
    try:
        key = _read(file) or _make(file)
    except OSError as error:
        raise StoreUnavailableError(f"The secret key {file} can't be used: {error.strerror}.") from error
    if len(key) != KEY_BYTES:
        raise StoreUnavailableError(f"{file} is no secret key of this service: it must hold {KEY_BYTES} bytes.")
    return Secrets(key)


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _make(file: Path) -> bytes:
    """Write a new key. It is linked into place whole: processes that start at once all end up with the same one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as output:
            output.write(secrets.token_bytes(KEY_BYTES))
            output.flush()
            os.fsync(output.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, file)
    finally:
        unfinished.unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return file.read_bytes()
