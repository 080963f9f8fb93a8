"""Answers in memory as they go over the wire: each encoding once, the bytes of the head ready made.

An answer that is found here costs a look into a dictionary: no route, no log line, only a count.
"""

import itertools
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from time import monotonic

from layers.answer_cache import AnswerCache
from mapservice.lane_faces import Face, Faces
from mapservice.middleware import added_headers
from mapservice.responses import COMPRESS_FROM, Answer, encoding_for, knows

TRUSTED_S = 1.0
"""Seconds after the last word from the database in which what is kept may be answered: nobody may see what is older."""
_MOST_MEMOS = 512
_NO_BODY = (204, 304)

Headers = list[tuple[bytes, bytes]]


class Sendable:
    """One encoding of an answer: the head of the message without its last lines, and the body."""

    __slots__ = ("body", "etag", "head", "known_head", "status")

    def __init__(self, path: str, answer: Answer, encoding: str | None, body: bytes) -> None:
        self.status, self.body = answer.status, body
        own = answer.head(encoding)
        self.etag = own.get("ETag", "").encode("latin-1")
        self.known_head: bytes | None = None
        """That of a 304, once it has been asked for."""
        headers = {**added_headers(path, answer.media_type), **own}
        if answer.status not in _NO_BODY:
            headers |= {"Content-Type": answer.media_type, "Content-Length": str(len(body))}
        if encoding:
            headers["Content-Encoding"] = encoding
        self.head = _head(answer.status, headers)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return 2 * len(self.head) + len(self.body) + 400

    def known(self, path: str, answer: Answer, encoding: str | None) -> bytes:
        """The head of "not modified"."""
        if self.known_head is None:
            self.known_head = _head(304, {**added_headers(path, ""), **answer.head(encoding)})
        return self.known_head


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{n.lower()}: {v}" for n, v in headers.items())]
    return "\r\n".join([*lines, ""]).encode("latin-1")


class KeptAnswer:
    """An answer in the encodings that were asked for so far."""

    __slots__ = ("answer", "encodings", "length", "path", "route")

    def __init__(self, path: str, route: str, answer: Answer) -> None:
        self.path, self.route, self.length = path, route, len(answer.body)
        self.answer = replace(answer, body=b"")
        self.encodings: dict[str | None, Sendable] = {}

    def add(self, encoding: str | None, body: bytes) -> Sendable:
        """The answer in an encoding, whose body is given."""
        made = self.encodings[encoding] = Sendable(self.path, self.answer, encoding, body)
        return made


Found = tuple[int, bytes, bytes]
"""What answers a request: the status, the head of the message but for Date and X-Request-Id, and the body."""


def asgi_headers(head: bytes) -> Headers:
    """The headers of a message's head, as ASGI has them."""
    return [(name, value) for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n")[1:-1])]


class KeptAnswers:
    """The answers of this process, and how to find the one for a request."""

    def __init__(self, limit: int, faces: Faces) -> None:
        self.faces = faces
        self.cache: AnswerCache[bytes, KeptAnswer] = AnswerCache(limit)
        self.heard_at = float("-inf")
        """When the database last said how far it is, on the monotonic clock; what it said has been done."""
        self._not_before = float("-inf")
        self.looked_up: Callable[[bytes, int], None] = lambda *_: None
        """Told of each GET of a look-up's address, as sent, that was answered before the lane sees it, and how."""
        self.answered: Counter[tuple[str, int]] = Counter()
        """How often, by route and status, since this was last emptied."""
        self._encodings: dict[tuple[bytes, bool], str | None] = {}
        self._numbers = itertools.count(secrets.randbits(63))

    def hear(self, at: float) -> None:
        """Takes note that the database's word of a moment has been done."""
        if at >= self._not_before:
            self.heard_at = at

    def distrust(self) -> None:
        """Until the next word of the database nothing kept is answered: this process has just written itself."""
        self._not_before, self.heard_at = monotonic(), float("-inf")

    def trusted(self) -> bool:
        """Whether what is kept is what the database holds, as far as anybody can know."""
        return self.cache.limit > 0 and monotonic() - self.heard_at < TRUSTED_S

    def find(self, target: bytes, headers: Headers, scheme: str | None) -> Found | None:
        """The answer to a GET of an address, path and query as sent; None where it has to be made.

        `scheme` is None where a proxy may know better.
        """
        if monotonic() - self.heard_at >= TRUSTED_S:
            return None
        sent = dict(headers)
        if len(sent) != len(headers):
            return None  # a header twice: for those who can weigh it
        entry = self.cache.entries.get(target)
        if entry is None:
            if b"/items" not in target or (face := self.face(sent, scheme)) is None:
                return None
            entry = self.cache.entries.get(target + face.key)
            if entry is None:
                return None
        entry.used = True
        found = self.choose(entry.kept, sent.get(b"accept-encoding", b""), sent.get(b"if-none-match"))
        if found is not None:
            self.answered[entry.kept.route, found[0]] += 1
        return found

    def face(self, headers: Mapping[bytes, bytes], scheme: str | None) -> Face | None:
        """Which face of an address with several these headers ask for, if one of the lane's."""
        if scheme is None:
            if b"x-forwarded-proto" in headers:
                return None
            scheme = "http"
        return self.faces.face(headers, scheme)

    def choose(self, kept: KeptAnswer, accept_encoding: bytes, if_none_match: bytes | None) -> Found | None:
        """How an answer goes to whoever asks so; None where it has not been asked for in this encoding yet."""
        encoding = self.encoding_of(accept_encoding, kept.length)
        made = kept.encodings.get(encoding)
        if made is None:
            return None
        if if_none_match is not None and made.status == 200:
            digest = kept.answer.digest
            if if_none_match == made.etag or knows(if_none_match.decode("latin-1"), digest):
                return 304, made.known(kept.path, kept.answer, encoding), b""
        return made.status, made.head, made.body

    def encoding_of(self, accept_encoding: bytes, length: int) -> str | None:
        """`encoding_for`, remembered: there are few ways in which clients ask."""
        if length == 0:
            return None
        key = (accept_encoding, length < COMPRESS_FROM)
        if key not in self._encodings:
            if len(self._encodings) >= _MOST_MEMOS:
                self._encodings.clear()
            self._encodings[key] = encoding_for(accept_encoding.decode("latin-1"), length)
        return self._encodings[key]

    def request_id(self) -> bytes:
        """An X-Request-Id, as unlike others as those that are logged."""
        return b"%016x" % (next(self._numbers) & 0xFFFFFFFFFFFFFFFF)
