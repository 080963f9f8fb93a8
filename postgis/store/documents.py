"""Documents that prove something: each a file of the data directory, named by its SHA-256, and facts in a record.

A file is written before its record and stays when the record is withdrawn, as photos are (`photos.py`).
"""

import os
import tempfile
from hashlib import sha256
from pathlib import Path

FOLDER = "documents"


def keep_file(data_dir: Path, content: bytes, kind: str) -> str:
    """Writes a document, whole or not at all; returns its name without ending. The same again changes nothing."""
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o750, exist_ok=True)
    name = sha256(content).hexdigest()
    target = folder / f"{name}.{kind}"
    if not target.exists():
        write_whole(target, content)
    return name


def read_file(data_dir: Path, name: str, kind: str) -> bytes | None:
    """A document; the caller has it from a record that the asker may see."""
    path = data_dir / FOLDER / f"{name}.{kind}"
    return path.read_bytes() if path.is_file() else None


def write_whole(target: Path, content: bytes) -> None:
    """Writes a file so that nobody ever sees half of it, to disk before it has its name."""
    handle, path = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(path).chmod(0o640)
        Path(path).replace(target)
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise
