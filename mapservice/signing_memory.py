"""Which keys ever signed, noted beside the private key: what the register knows of them, a backup puts back to before.

Records that were signed between a backup and its restoring would be nobody's, though somebody keeps them.
"""

import contextlib
import json
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from postgis.store import signing_keys
from postgis.unavailable import StoreUnavailableError

FILE_NAME = "signing.known.json"


def agree(connection: Connection, data_dir: Path) -> None:
    """The register learns of keys that only the file knows, and the file of those of the register. As owner.

    Public halves alone. Raises StoreUnavailableError.
    """
    file = data_dir / FILE_NAME
    for key in _read(file):
        signing_keys.make_known(connection, key["kid"], key["x"], key["made_at"], key["retired_at"])
    known = [dict(row) for row in signing_keys.known(connection)]
    try:
        _write(file, json.dumps(known, indent=1, default=datetime.isoformat))
    except OSError as error:
        raise StoreUnavailableError(f"{file} can't be written: {error.strerror}.") from error


def _read(file: Path) -> list[dict[str, Any]]:
    """The keys of the file; none where there is none, or nobody can read it any more."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return [
            {**row, **{name: row[name] and datetime.fromisoformat(row[name]) for name in ("made_at", "retired_at")}}
            for row in rows
            if {"kid", "x"} <= row.keys()
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []


def _write(file: Path, content: str) -> None:
    handle, unfinished = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as output:
            output.write(content)
        Path(unfinished).replace(file)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(unfinished).unlink()
        raise
