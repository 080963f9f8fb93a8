"""Copies of what the look-up tells of each place, on disk, for when the database is away.

One small file for each code ever issued, of public facts alone, each written whole or not at all. A copy that cannot be
read is none. What is written here is rewritten or taken away within seconds of the register's changing (`copying`).
"""

import contextlib
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from layers.lookup import FoundPlace
from postgis import codes

FOLDER = "lookup-copies"
MOST = 200_000
"""Files at most: some 4 KB of disk each."""
_ENDING = ".json.z"
_CONFIRMED = "confirmed"
_DAY, _MOMENT = "$day", "$moment"


@dataclass(frozen=True, slots=True)
class Copy:
    """What was known of a code: its place, or only its state where it has none."""

    found: FoundPlace | None
    known: dict[str, str]
    """As `place_answers.relations` says."""
    state: str | None
    """As `layers.lookup.known_code` says."""
    successor: str | None
    saved_at: datetime
    """When it was last known to be right."""
    stickers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By serial: `state` of a sticker with this code, and `state_on`, the day of it in Vietnam."""


class PlaceCopies:
    """The copies in a data directory. Several processes may read; one writes."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / FOLDER

    def any(self) -> bool:
        """Whether there is something to serve from."""
        return next(self._files(), None) is not None

    def get(self, code: str) -> Copy | None:
        """The copy of a code in canonical form."""
        if not codes.is_valid(code):
            return None
        try:
            document = json.loads(zlib.decompress(self._path(code).read_bytes()), object_hook=_read)
            if document["found"]:
                place = document["found"]
                document["found"] = FoundPlace(**{**place, "position": tuple(place["position"])})
            copy = Copy(**document)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, zlib.error):
            return None
        confirmed = self._confirmed_at()
        return copy if confirmed is None or confirmed < copy.saved_at else replace(copy, saved_at=confirmed)

    def put(self, code: str, copy: Copy) -> None:
        """Keeps a copy in place of an older one. Raises OSError, and then keeps none."""
        body = zlib.compress(json.dumps(asdict(copy), ensure_ascii=False, default=_written).encode())
        path = self._path(code)
        try:
            self._write(path, body)
        except OSError:
            self.remove(code)
            raise

    def remove(self, code: str) -> None:
        """Keeps no copy of a code."""
        with contextlib.suppress(FileNotFoundError):
            self._path(code).unlink()

    def keep_only(self, wanted: Iterable[str]) -> None:
        """Takes away the copies of all other codes."""
        kept = set(wanted)
        for path in self._files():
            if path.name.removesuffix(_ENDING) not in kept:
                path.unlink(missing_ok=True)

    def confirm(self, moment: datetime) -> None:
        """Notes that every copy was right at a moment."""
        self._write(self.folder / _CONFIRMED, moment.isoformat().encode())

    def _confirmed_at(self) -> datetime | None:
        try:
            return datetime.fromisoformat((self.folder / _CONFIRMED).read_text())
        except (OSError, ValueError):
            return None

    def _path(self, code: str) -> Path:
        return self.folder / code[:2] / f"{code}{_ENDING}"

    def _files(self) -> Iterator[Path]:
        return self.folder.glob(f"??/*{_ENDING}")

    def _write(self, target: Path, content: bytes) -> None:
        target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(dir=target.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(path).replace(target)
        except BaseException:
            Path(path).unlink(missing_ok=True)
            raise


def now() -> datetime:
    """The moment, as copies note it."""
    return datetime.now(UTC)


def _written(value: object) -> dict[str, str]:
    if isinstance(value, datetime):
        return {_MOMENT: value.isoformat()}
    if isinstance(value, date):
        return {_DAY: value.isoformat()}
    raise TypeError(type(value).__name__)


def _read(document: dict[str, Any]) -> Any:
    if document.keys() == {_DAY}:
        return date.fromisoformat(document[_DAY])
    if document.keys() == {_MOMENT}:
        return datetime.fromisoformat(document[_MOMENT])
    return document
