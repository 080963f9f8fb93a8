"""The photos and documents of a backup: one tar file beside the dump, and back into a data directory, all or none.

They are never changed or removed, and a file is there before its record: whoever archives after the dump has every one
that the dump names. Photos lie in the archive's root, where the first releases put them.
"""

import contextlib
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

from postgis.store.documents import FOLDER as DOCUMENTS
from postgis.store.photos import FOLDER, SMALL
from postgis.unavailable import StoreUnavailableError

_PHOTO = re.compile(rf"([0-9a-f]{{64}})({SMALL})?\.jpg")
_DOCUMENT = re.compile(rf"{DOCUMENTS}/([0-9a-f]{{64}})()\.(?:pdf|jpg)")


def write_photos(data_dir: Path, archive: Path) -> int:
    """Archives every photo and document of the data directory; returns how many photo files there are."""
    photos = sorted(path for path in (data_dir / FOLDER).glob("*.jpg") if _PHOTO.fullmatch(path.name))
    others = sorted((data_dir / DOCUMENTS).glob("*"))
    with tarfile.open(archive, "x") as tar:
        for path in photos:
            tar.add(path, arcname=path.name, recursive=False)
        for path in others:
            if _DOCUMENT.fullmatch(name := f"{DOCUMENTS}/{path.name}"):
                tar.add(path, arcname=name, recursive=False)
    return len(photos)


@contextlib.contextmanager
def placed_photos(archive: Path, data_dir: Path) -> Iterator[None]:
    """Puts what an archive holds into the data directory; takes it out again when the block fails.

    Raises StoreUnavailableError when the archive holds anything else or cannot be unpacked.
    """
    placed: list[Path] = []
    try:
        for folder in (FOLDER, DOCUMENTS):
            (data_dir / folder).mkdir(mode=0o750, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data_dir, prefix=".photos-") as unpacked:
            for path in _unpack(archive, Path(unpacked)):
                folder = DOCUMENTS if path.parent.name == DOCUMENTS else FOLDER
                if not (target := data_dir / folder / path.name).exists():
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
    (into / DOCUMENTS).mkdir()
    with tarfile.open(archive, "r:") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            named = _PHOTO.fullmatch(member.name) or _DOCUMENT.fullmatch(member.name)
            if content is None or named is None:
                raise StoreUnavailableError(f"{archive} holds something that is no photo and no document.")
            path = into / member.name
            with content, path.open("wb") as file:
                shutil.copyfileobj(content, file)
            path.chmod(0o640)
            unpacked.append(path)
            # All but small photos are named by their SHA-256; the archive's own speaks for those.
            if not named[2] and sha256_of(path) != named[1]:
                raise StoreUnavailableError(f"{archive} is damaged: {member.name} is not what its name says.")
    return unpacked


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
