"""The second factor of an account: offered, proved with a first code, then kept encrypted; or taken away."""

import hmac
import logging

from sqlalchemy import Connection

from mapservice import totp
from mapservice.sealed import seal, secrets_of, unseal
from postgis.actor import Actor, write_as
from postgis.engine import Database
from postgis.secrets import Secrets, Undecipherable
from postgis.store import staff
from postgis.store.staff import Attempt

log = logging.getLogger("mapservice.sign_in")

OFFER_SECONDS = 3600
"""To install an app and come back."""


def offer(database: Database, staff_id: int) -> tuple[bytes, str]:
    """A new secret, and the same sealed for the form that must confirm it."""
    secret = totp.new_secret()
    return secret, seal(database, f"totp offer:{staff_id}", secret=secret.hex())


def offered(database: Database, staff_id: int, sealed: str) -> bytes:
    """The secret that was offered. Raises Expired."""
    note = unseal(database, f"totp offer:{staff_id}", sealed, seconds=OFFER_SECONDS)
    return bytes.fromhex(note["secret"])


def confirm(database: Database, actor: Actor, secret: bytes, code: str) -> bool:
    """Turn the second factor on, when the code shows that the app has the secret. That code is then used up."""
    step = totp.matching_step(secret, code)
    if step is None:
        return False
    ciphertext = secrets_of(database).encrypt(secret, context=_context(actor.staff_id))
    with write_as(database, actor, reason=None) as connection:
        staff.set_totp(connection, actor.staff_id, ciphertext, step)
    return True


def matching_step(database: Database, attempt: Attempt, code: str) -> int | None:
    """The time step whose code was typed, when it is right and newer than the last one used."""
    if attempt.totp_secret is None:
        return None
    try:
        secret = secrets_of(database).decrypt(attempt.totp_secret, context=_context(attempt.staff_id))
    except Undecipherable:
        log.error("a second factor cannot be read: secret.key is not the one it was made with")
        return None
    return totp.matching_step(secret, code, after=attempt.totp_last_step)


def unopened(connection: Connection, secrets: Secrets | None) -> tuple[int, int]:
    """How many second factors these secrets (None: no key at all) do not open, and how many there are. As owner."""
    kept = staff.second_factors(connection)
    opened = [each for each in kept if secrets is not None and secrets.opens(each[1], _context(each[0]))]
    return len(kept) - len(opened), len(kept)


def same_account(attempt: Attempt, mark: str) -> bool:
    """Whether the account still has the password and the second factor that `account_mark` was made with."""
    return hmac.compare_digest(account_mark(attempt), mark)


def account_mark(attempt: Attempt) -> str:
    """A short sign of password and second factor as they are, which tells neither."""
    state = attempt.password_hash.encode() + b"\0" + (attempt.totp_secret or b"")
    return hmac.digest(b"account mark", state, "sha256").hex()[:24]


def _context(staff_id: int) -> str:
    return f"totp:{staff_id}"
