"""The photos of a backup: one tar file beside the dump, and back into a data directory, all or none.

Photos are never changed or removed, and a photo's file is there before its record: whoever archives after the dump has
every photo that the dump names.
"""

import contextlib
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

from postgis.store.photos import FOLDER, SMALL
from postgis.unavailable import StoreUnavailableError

_NAME = re.compile(rf"([0-9a-f]{{64}})({SMALL})?\.jpg")


def write_photos(data_dir: Path, archive: Path) -> int:
    """Archives every photo of the data directory; returns how many files there are."""
    found = sorted(path for path in (data_dir / FOLDER).glob("*.jpg") if _NAME.fullmatch(path.name))
    with tarfile.open(archive, "x") as tar:
        for path in found:
            tar.add(path, arcname=path.name, recursive=False)
    return len(found)


@contextlib.contextmanager
def placed_photos(archive: Path, data_dir: Path) -> Iterator[None]:
    """Puts an archive's photos into the data directory; takes them out again when the block fails.

    Raises StoreUnavailableError when the archive holds anything else or cannot be unpacked.
    """
    folder = data_dir / FOLDER
    placed: list[Path] = []
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data_dir, prefix=".photos-") as unpacked:
            for path in _unpack(archive, Path(unpacked)):
                if not (target := folder / path.name).exists():
                    path.replace(target)
                    placed.append(target)
        yield
    except BaseException as error:
        for path in placed:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError | tarfile.TarError):
            raise StoreUnavailableError(f"The photos of {archive} can't be unpacked: {error}") from error
        raise


def _unpack(archive: Path, into: Path) -> list[Path]:
    unpacked = []
    with tarfile.open(archive, "r:") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            named = _NAME.fullmatch(member.name)
            if content is None or named is None:
                raise StoreUnavailableError(f"{archive} holds something that is no photo.")
            path = into / member.name
            with content, path.open("wb") as file:
                shutil.copyfileobj(content, file)
            path.chmod(0o640)
            unpacked.append(path)
            # A large photo is named by its SHA-256; the archive's own speaks for the small ones.
            if named[2] is None and sha256_of(path) != named[1]:
                raise StoreUnavailableError(f"{archive} is damaged: the photo {member.name} is not what its name says.")
    return unpacked


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
