"""Bytes out: strong ETag, 304, and compression that the client can read."""

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

import brotli
from starlette.requests import Request
from starlette.responses import Response

COMPRESS_FROM = 600
"""Bytes: below this the headers of compression cost more than it saves."""
BROTLI_QUALITY, BROTLI_QUALITY_OF_PAGES = 3, 5
"""Pages are words in two languages: below 5 gzip makes them smaller, above nothing is gained that is worth the time."""
GZIP_LEVEL = 6
NO_CACHE = "no-cache"
"""Keep it, but ask every time whether it is still right."""


def json_bytes(document: Any) -> bytes:
    """Compact JSON with Vietnamese letters as they are, days and moments as RFC 3339 writes them."""
    return _write(document).encode()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to a GET, as it is before anybody's encoding: made once, sent to many."""

    body: bytes
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    version: int | None = None
    """Of a record that can be written: the ETag begins with it, which is what If-Match is compared with."""
    status: int = 200
    cache: str = NO_CACHE
    digest: str = ""
    """What its ETag says, without quotes and encoding; made from the body."""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", entity_tag(self.body, self.version))

    def head(self, encoding: str | None) -> dict[str, str]:
        """The headers of the answer in an encoding, but for those of the body."""
        if self.status == 204:
            return {"Cache-Control": self.cache, **self.headers}
        etag = f'"{self.digest}-{encoding}"' if encoding else f'"{self.digest}"'
        return {
            "ETag": etag,
            "Cache-Control": self.cache,
            "Vary": "Accept, Accept-Encoding, Accept-Language",
            **self.headers,
        }


def send(request: Request, answer: Answer) -> Response:
    """The answer to a GET: 304 when the client has it already, compressed when that pays."""
    encoding = encoding_for(request.headers.get("accept-encoding", ""), len(answer.body))
    sent = answer.head(encoding)
    if answer.status == 204:
        return Response(status_code=204, headers=sent)
    known = request.headers.get("if-none-match", "")
    if answer.status == 200 and request.method == "GET" and knows(known, answer.digest):
        return Response(status_code=304, headers=sent)
    if encoding:
        sent["Content-Encoding"] = encoding
    return Response(encoded(answer.body, encoding, answer.media_type), answer.status, sent, answer.media_type)


def reply(
    request: Request,
    body: bytes,
    media_type: str,
    *,
    headers: Mapping[str, str] | None = None,
    cache: str = NO_CACHE,
    status: int = 200,
    version: int | None = None,
) -> Response:
    """`send` for an answer that is made in place."""
    return send(request, Answer(body, media_type, headers or {}, version, status, cache))


def entity_tag(body: bytes, version: int | None = None) -> str:
    """What an ETag says of a body, without quotes and encoding."""
    digest = hashlib.blake2b(body, digest_size=12).hexdigest()
    return digest if version is None else f"{version}-{digest}"


def knows(if_none_match: str, digest: str) -> bool:
    """Whether If-None-Match names this content, in whatever encoding it was sent."""
    if if_none_match.strip() == "*":
        return True
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in if_none_match.split(","))
    return any(tag.removesuffix("-br").removesuffix("-gzip") == digest for tag in tags)


def encoded(body: bytes, encoding: str | None, media_type: str = "") -> bytes:
    """The body in a content coding: `br`, `gzip` or none."""
    if encoding == "br":
        quality = BROTLI_QUALITY_OF_PAGES if media_type.startswith("text/html") else BROTLI_QUALITY
        return bytes(brotli.compress(body, quality=quality))
    return gzip.compress(body, GZIP_LEVEL, mtime=0) if encoding else body


def decoded(body: bytes, encoding: str | None) -> bytes:
    """The body without its content coding."""
    if encoding == "br":
        return bytes(brotli.decompress(body))
    return gzip.decompress(body) if encoding else body


def encoding_for(accept_encoding: str, size: int) -> str | None:
    """The content coding for a client that sends this Accept-Encoding, and a body of this size."""
    accepted = accepted_encodings(accept_encoding)
    if size < COMPRESS_FROM and "identity" in accepted:
        return None
    return next((coding for coding in ("br", "gzip") if coding in accepted), None)


def accepted_encodings(accept_encoding: str) -> set[str]:
    """The content codings that the client takes, of those there are (RFC 9110, 12.5.3): `br`, `gzip`, `identity`.

    Who only says `*`, so names nothing, is given nothing that anybody could fail to read.
    """
    weights = {}
    for part in accept_encoding.lower().split(","):
        name, _, parameter = part.partition(";")
        weights[name.strip()] = parameter.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    found = {name for name in ("br", "gzip") if weights.get(name)}
    if weights.get("identity", weights.get("*", True)):
        found.add("identity")
    elif weights.get("*") and "gzip" not in weights:
        found.add("gzip")
    return found


NOTHING = Answer(b"", status=204)
"""There is nothing there, as with an empty tile."""
