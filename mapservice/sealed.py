"""Notes that a page carries for us from one step to the next, which nobody else can read or change.

So a sign-in that waits for a code, or a secret that waits to be confirmed, needs no row in the database.
"""

import base64
import binascii
import json
import time
from typing import Any

from postgis.engine import Database
from postgis.secrets import Secrets, Undecipherable, open_secrets


class Expired(Exception):
    """The note is too old, or none of ours."""


def secrets_of(database: Database) -> Secrets:
    """The installation's secrets."""
    return open_secrets(database.settings.data_dir)


def seal(database: Database, purpose: str, **values: str) -> str:
    """A note for one purpose, safe in a form field."""
    note = json.dumps({"at": time.time(), "values": values}).encode()
    return base64.urlsafe_b64encode(secrets_of(database).encrypt(note, context=f"sealed:{purpose}")).decode()


def unseal(database: Database, purpose: str, text: str, *, seconds: int) -> dict[str, Any]:
    """The values of a note that is at most that old. Raises Expired."""
    try:
        ciphertext = base64.urlsafe_b64decode(text.encode())
        note = json.loads(secrets_of(database).decrypt(ciphertext, context=f"sealed:{purpose}"))
    except (Undecipherable, binascii.Error, ValueError):
        raise Expired from None
    if not 0 <= time.time() - note["at"] <= seconds:
        raise Expired
    values: dict[str, Any] = note["values"]
    return values
