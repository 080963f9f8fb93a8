"""Bytes out: strong ETag, 304, and compression that the client can read."""

import gzip
import hashlib
import json
from datetime import date
from typing import Any

import brotli
from starlette.requests import Request
from starlette.responses import Response

COMPRESS_FROM = 600
"""Bytes: below this the headers of compression cost more than it saves."""
BROTLI_QUALITY = 4
GZIP_LEVEL = 6
NO_CACHE = "no-cache"
"""Keep it, but ask every time whether it is still right."""


def json_bytes(document: Any) -> bytes:
    """Compact JSON with Vietnamese letters as they are, days and moments as RFC 3339 writes them."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def reply(
    request: Request,
    body: bytes,
    media_type: str,
    *,
    headers: dict[str, str] | None = None,
    cache: str = NO_CACHE,
    status: int = 200,
    version: int | None = None,
) -> Response:
    """The answer to a GET: 304 when the client has it already, compressed when that pays.

    The ETag of a record that can be written begins with its `version`, which is what If-Match is compared with.
    """
    digest = entity_tag(body, version)
    encoding = _encoding(request, len(body))
    etag = f'"{digest}-{encoding}"' if encoding else f'"{digest}"'
    sent = {
        "ETag": etag,
        "Cache-Control": cache,
        "Vary": "Accept, Accept-Encoding, Accept-Language",
        **(headers or {}),
    }
    if status == 200 and request.method == "GET" and knows(request, digest):
        return Response(status_code=304, headers=sent)
    if encoding:
        body = (
            brotli.compress(body, quality=BROTLI_QUALITY)
            if encoding == "br"
            else gzip.compress(body, GZIP_LEVEL, mtime=0)
        )
        sent["Content-Encoding"] = encoding
    return Response(body, status, sent, media_type)


def entity_tag(body: bytes, version: int | None = None) -> str:
    """What an ETag says of a body, without quotes and encoding."""
    digest = hashlib.blake2b(body, digest_size=12).hexdigest()
    return digest if version is None else f"{version}-{digest}"


def knows(request: Request, digest: str) -> bool:
    """Whether If-None-Match names this content, in whatever encoding it was sent."""
    header = request.headers.get("if-none-match", "")
    if header.strip() == "*":
        return True
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in header.split(","))
    return any(tag.removesuffix("-br").removesuffix("-gzip") == digest for tag in tags)


def _encoding(request: Request, size: int) -> str | None:
    if size < COMPRESS_FROM:
        return None
    accepted = accepted_encodings(request)
    return "br" if "br" in accepted else "gzip" if "gzip" in accepted else None


def accepted_encodings(request: Request) -> set[str]:
    """The content codings that the client takes (RFC 9110, 12.5.3)."""
    found = set()
    for part in request.headers.get("accept-encoding", "").split(","):
        name, _, weight = part.strip().partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            found.add(name.strip().lower())
    return found
