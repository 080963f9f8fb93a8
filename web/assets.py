"""Style sheets, scripts and fonts, held in memory under addresses that change with their content.

`asset("css/base.css")` gives `/static/css/base.css?v=3f9a…`; a browser may keep what that address gave for ever.
References inside our own files (`import … from "./list.js"`, `url("../vendor/…")`) get the same mark when a file is
read, so a change in one module reaches a returning visitor through every module that imports it, without a bundler.
"""

import gzip
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

import brotli

_ROOT = Path(__file__).parent / "static"
_PREFIX = "/static/"

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What may be served; anything else in the folder (whole fonts for documents, compressed twins) is not."""

_COMPRESSIBLE = {".css", ".js", ".json", ".svg", ".txt", ".webmanifest"}

_REFERENCES = {
    ".js": re.compile(r'(?P<before>\b(?:from|import)\s*\(?\s*")(?P<path>\.{1,2}/[^"?]+)(?=")'),
    ".css": re.compile(r'(?P<before>url\(")(?P<path>\.{1,2}/[^"?]+)(?=")'),
}


class MissingAssetError(LookupError):
    """A file that a page needs is not there; mostly the libraries that `make run` copies into `web/static/vendor`."""


@dataclass(frozen=True)
class Asset:
    """One file as it is served: plain bytes, and the same bytes compressed where that helps."""

    path: str
    content: bytes = field(repr=False)
    content_type: str
    version: str
    encoded: Mapping[str, bytes] = field(repr=False)
    """Content coding (`br`, `gzip`) to bytes; empty for what is compressed in itself."""


def asset(path: str) -> str:
    """Return the address of a file below `web/static`, with the mark of its content.

    Raises `MissingAssetError` when there is no such file: a page must not be sent without its parts.
    """
    found = find(path)
    if found is None:
        raise MissingAssetError(
            f"web/static/{path} is missing; `npm ci` and `node web/vendor.mjs` fill web/static/vendor"
        )
    return f"{_PREFIX}{path}?v={found.version}"


@cache
def find(path: str) -> Asset | None:
    """Return the file at a path below `web/static`, or None. Only files of that folder are known: no path leads out."""
    return _read(path, ()) if path in _index() else None


@cache
def _index() -> Mapping[str, Path]:
    return {
        path.relative_to(_ROOT).as_posix(): path
        for path in sorted(_ROOT.rglob("*"))
        if path.suffix in _CONTENT_TYPES and path.is_file()
    }


def _read(path: str, readers: tuple[str, ...]) -> Asset:
    """Read a file and mark its references.

    `readers` are the files that led here, to catch modules that import in a circle: those have no hash.
    """
    if path in readers:
        raise ValueError(f"Circular import: {' -> '.join((*readers, path))}")
    file = _index().get(path)
    if file is None:
        raise MissingAssetError(f"web/static/{readers[-1]} names {path}, which is missing; see `node web/vendor.mjs`")
    content = file.read_bytes()
    pattern = _REFERENCES.get(file.suffix)
    ours = not path.startswith("vendor/")
    if pattern and ours:
        content = pattern.sub(lambda match: _marked(match, path, readers), content.decode()).encode()
    return Asset(
        path=path,
        content=content,
        content_type=_CONTENT_TYPES[file.suffix],
        version=sha256(content).hexdigest()[:12],
        encoded=_encode(file, content, made=not ours) if file.suffix in _COMPRESSIBLE else {},
    )


def _marked(match: re.Match[str], path: str, readers: tuple[str, ...]) -> str:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match["path"]))
    return f"{match['before']}{match['path']}?v={_read(target, (*readers, path)).version}"


def _encode(file: Path, content: bytes, made: bool) -> dict[str, bytes]:
    """Compress, or take what `web/vendor.mjs` already compressed: a megabyte at the best setting takes seconds."""
    twins = {"br": file.with_name(file.name + ".br"), "gzip": file.with_name(file.name + ".gz")}
    if made and all(twin.exists() for twin in twins.values()):
        return {coding: twin.read_bytes() for coding, twin in twins.items()}
    return {"br": brotli.compress(content), "gzip": gzip.compress(content, 9, mtime=0)}
