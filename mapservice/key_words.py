"""What the command line says of the secret key, which is in no backup: where it is, and whether it is the right one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from postgis.secrets import FILE_NAME, read_secrets


def kept_apart(note: Mapping[str, Any], data_dir: Path) -> str | None:
    """After a backup, one line; None while nothing has been encrypted."""
    if note["key"] is None:
        return None
    return (
        f"The key that opens personal values is not in the backup, by design: keep a copy of {data_dir / FILE_NAME} "
        f"(fingerprint {note['key']}) in another place than the backup. Without it they are lost."
    )


def key_to_put_back(note: Mapping[str, Any], data_dir: Path) -> str | None:
    """After a restore, one line; None where the key is the backup's, or the backup needs none."""
    wanted, file = note.get("key"), data_dir / FILE_NAME
    if wanted is None:
        return None
    found = read_secrets(data_dir)
    if found is not None and found.fingerprint == wanted:
        return None
    state = "is missing" if found is None else f"is another key (fingerprint {found.fingerprint})"
    return (
        f"Personal values and second factors cannot be opened: {file} {state}. Before the service starts, copy the key "
        f"that was kept apart (fingerprint {wanted}) to that place, readable only by the user who runs the service."
    )
