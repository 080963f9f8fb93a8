"""Photos of shop fronts: the picture as a file of the data directory, its facts as a record.

The file's name is the SHA-256 of the picture, so that the same photo is kept once and a name can be guessed by nobody.
A file is written before its record and stays when the record ends: what the public gets is decided by the records.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from postgis import tables
from postgis.errors import Forbidden, NotFound, Stale
from postgis.store.documents import write_whole
from postgis.store.record_types import RecordType, WritableField
from postgis.store.record_values import columns
from postgis.vocabulary import SOURCES

FOLDER = "photos"
SMALL = "-480"
"""Ending of the small picture's name, before `.jpg`."""

PHOTO = RecordType(
    "photos",
    tables.photo,
    (
        WritableField("taken_on", "date"),
        WritableField("caption", "text", max_length=300),
        WritableField("source", "text", required=True, codes=SOURCES, code_list="source"),
    ),
)
"""What people say about a photo."""

_TABLE = tables.photo


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo as it is kept: JPEG without metadata, the large and the small one."""

    large: bytes
    small: bytes
    width: int
    height: int

    @property
    def name(self) -> str:
        """Name of its files: SHA-256 of the large picture."""
        return sha256(self.large).hexdigest()


@dataclass(frozen=True, slots=True)
class PhotoState:
    """A photo's record, for what it is compared with."""

    code: str
    version: int
    ended: bool


def keep_files(data_dir: Path, picture: Picture) -> str:
    """Writes both files, each whole or not at all; returns the name. The same photo again changes nothing."""
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o750, exist_ok=True)
    for name, content in ((picture.name, picture.large), (f"{picture.name}{SMALL}", picture.small)):
        target = folder / f"{name}.jpg"
        if not target.exists():
            write_whole(target, content)
    return picture.name


def remove_files(data_dir: Path, name: str) -> None:
    """Takes both files away, for ever; one that is not there is gone already."""
    for ending in ("", SMALL):
        (data_dir / FOLDER / f"{name}{ending}.jpg").unlink(missing_ok=True)


def read_file(data_dir: Path, name: str) -> bytes | None:
    """A picture by its name without ending; the caller has checked the name's form and who may see it."""
    path = data_dir / FOLDER / f"{name}.jpg"
    return path.read_bytes() if path.is_file() else None


def add(connection: Connection, establishment: str, picture: Picture, values: Mapping[str, Any]) -> str:
    """Adds the record of a kept picture; returns its code. Raises InvalidValues, NotFound, Forbidden."""
    place = tables.establishment
    found = connection.execute(select(place.c.id).where(place.c.code == establishment)).scalar_one_or_none()
    if found is None:
        raise NotFound
    stored = columns(connection, PHOTO, values, new=True)
    row = {"establishment_id": found, "file": picture.name, "width": picture.width, "height": picture.height, **stored}
    return str(connection.execute(insert(_TABLE).values(**row).returning(_TABLE.c.code)).scalar_one())


def end(connection: Connection, establishment: str, code: str, version: int, reason: str) -> None:
    """Takes a photo away from its place. Raises NotFound, Stale, Forbidden."""
    place = tables.establishment
    row = connection.execute(
        select(_TABLE.c.version, _TABLE.c.ended_at)
        .select_from(_TABLE.join(place, place.c.id == _TABLE.c.establishment_id))
        .where(_TABLE.c.code == code, place.c.code == establishment)
    ).one_or_none()
    if row is None:
        raise NotFound
    if row.version != version or row.ended_at is not None:
        raise Stale(PhotoState(code, row.version, row.ended_at is not None))
    done = connection.execute(
        update(_TABLE)
        .where(_TABLE.c.code == code, _TABLE.c.version == version)
        .values(ended_at=datetime.now(UTC), end_reason=reason.strip())
        .returning(_TABLE.c.code)
    )
    if done.one_or_none() is None:
        raise Forbidden
